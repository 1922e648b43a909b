//! Logs of the engine's own crates, on stderr. Logs of libraries are never shown: at their finer
//! levels they quote rows, literals and addresses.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
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

/// The crates whose logs hold names and counts only.
const OWN: [&str; 6] = [
    "engine_project",
    "engine_masking",
    "engine_bundle",
    "engine_sources",
    "engine_runtime",
    "engine_cli",
];

/// Starts logging. Called once; a second call changes nothing.
pub(crate) fn start(format: LogFormat, console: &Console) {
    let level = match console.loudness {
        Loudness::Quiet => LevelFilter::ERROR,
        Loudness::Normal => LevelFilter::WARN,
        Loudness::Verbose => LevelFilter::DEBUG,
    };
    let own = Targets::new().with_targets(OWN.map(|name| (name, level)));
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false);
    let layer = match format {
        LogFormat::Human => {
            lines.without_time().with_target(false).with_filter(own.clone()).boxed()
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
