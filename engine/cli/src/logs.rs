//! Logs of the engine's own crates, on stderr. Logs of libraries are never shown: at their finer
//! levels they quote rows, literals and addresses.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::console::{Console, Loudness};

/// How stderr looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Human,
    /// One JSON object on each line.
    Json,
}

/// What the names of the crates begin with whose logs hold names, counts and times only: this program, and
/// the crates of the workspace.
const OWN: &str = "engine";

/// Starts logging. Called once; a second call changes nothing.
pub(crate) fn start(format: LogFormat, console: &Console) {
    let level = match console.loudness {
        Loudness::Quiet => LevelFilter::ERROR,
        Loudness::Normal => LevelFilter::WARN,
        Loudness::Verbose => LevelFilter::DEBUG,
    };
    let own = Targets::new().with_target(OWN, level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE);
    let layer = match format {
        LogFormat::Human => {
            lines.with_timer(()).with_target(false).with_filter(own.clone()).boxed()
        }
        LogFormat::Json => lines.json().flatten_event(true).with_filter(own).boxed(),
    };
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::ColorChoice;

    #[test]
    fn every_kind_of_stderr_can_be_logged_to() {
        for format in [LogFormat::Human, LogFormat::Json] {
            for loudness in [Loudness::Quiet, Loudness::Normal, Loudness::Verbose] {
                start(format, &Console::new(ColorChoice::Always, false, loudness));
            }
        }
    }
}
