//! Options that several commands share.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::{Args, ValueEnum};
use engine_runtime::history;
use engine_runtime::selection::Select;

use crate::console::{ColorChoice, Loudness};
use crate::logs::LogFormat;
use crate::size;

/// How the document on stdout looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// One JSON document.
    Json,
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Folder of the project, the one with engine.yml
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub project_dir: PathBuf,

    /// Target of profiles.yml; its default one when not given
    #[arg(long, short, global = true, value_name = "NAME")]
    pub target: Option<String>,

    /// Sets a variable for var('name'); repeatable
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = variable)]
    pub vars: Vec<(String, String)>,

    /// Takes the passphrase from the first line of a file
    ///
    /// Without it the passphrase comes from the environment variable that the target names, from the
    /// project's .env, or from a question on the terminal. There is no option for the passphrase
    /// itself: other users of the machine can read command lines.
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,

    /// How the document on stdout looks
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human")]
    pub format: Format,

    /// How progress, logs and errors on stderr look
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human")]
    pub log_format: LogFormat,

    /// When to colour errors, warnings and plans
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,

    /// Says only what went wrong
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Says each step
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

impl Global {
    /// How much to say on stderr.
    pub(crate) fn loudness(&self) -> Loudness {
        match (self.quiet, self.verbose) {
            (true, _) => Loudness::Quiet,
            (false, true) => Loudness::Verbose,
            (false, false) => Loudness::Normal,
        }
    }
}

/// How much of the machine a command may use.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Resources {
    /// Streams that run at once; the target's, or 2, when not given
    #[arg(long, value_name = "N", value_parser = count)]
    pub jobs: Option<usize>,

    /// Memory for operators that hold rows, such as 2GiB; the target's, or 1GiB, when not given
    #[arg(long, value_name = "AMOUNT", value_parser = size::parse)]
    pub memory: Option<usize>,

    /// Rows of a batch; the target's when not given
    #[arg(long, value_name = "ROWS", value_parser = count, hide_short_help = true)]
    pub batch_rows: Option<usize>,
}

/// Which exports a command works on.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Exports by name, pattern, tag:, source:, class:, column: or state:, with + and @ for what they
    /// depend on, and commas for what several selectors have in common; repeatable
    #[arg(long, short, value_name = "SELECTOR")]
    pub select: Vec<String>,

    /// Leaves out what this selects; repeatable
    #[arg(long, value_name = "SELECTOR")]
    pub exclude: Vec<String>,
}

impl Selection {
    /// What was asked for.
    pub(crate) fn wanted(&self) -> Select {
        Select { include: self.select.clone(), exclude: self.exclude.clone() }
    }
}

/// Which rows a query may see.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Asks for the state of a moment, such as 2026-01-31 (its first instant) or 2026-01-31T12:00Z
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    pub as_of: Option<DateTime<Utc>>,

    /// Sees the rows of this tenant only, named as its column shows it; the tenant goes on record, sealed
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
}

impl Asked {
    /// What a query is bound to.
    pub(crate) fn bound(&self) -> history::Asked {
        history::Asked { as_of: self.as_of, tenant: self.tenant.clone() }
    }
}

/// A day, or a moment with its offset from UTC; seconds may be left out.
fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(day.and_time(NaiveTime::MIN).and_utc());
    }
    let whole = DateTime::parse_from_rfc3339(text);
    let short = || DateTime::parse_from_str(&text.replace('Z', "+00:00"), "%Y-%m-%dT%H:%M%:z");
    let moment = whole.or_else(|_| short());
    let moment = moment.map_err(|_| "must be a moment, such as 2026-01-31T12:00Z".to_owned())?;
    Ok(moment.with_timezone(&Utc))
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(String::from("expected NAME=VALUE")),
    }
}

/// A count of at least 1. The bound keeps a slip of the finger from using up the machine.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    let refused = || String::from("expected a number from 1 to 1048576");
    let number = text.parse().map_err(|_| refused())?;
    if (1..=1 << 20).contains(&number) { Ok(number) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_split_at_the_first_equals_sign() {
        assert_eq!(variable("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(variable("a="), Ok(("a".to_owned(), String::new())));
        assert!(variable("a").is_err() && variable("=a").is_err());
    }

    #[test]
    fn counts_are_bounded() {
        assert_eq!(count("1"), Ok(1));
        for text in ["0", "-1", "x", "99999999"] {
            assert!(count(text).is_err(), "{text}");
        }
    }
}
