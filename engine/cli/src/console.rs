//! The two streams. stdout carries the one document a command was asked for, stderr everything else.
//!
//! ```text
//!  command ──document──▶ stdout      diagnostics, progress, logs ──▶ stderr
//! ```

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use clap::ValueEnum;

/// When to colour what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much to say on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loudness {
    /// Errors only.
    Quiet,
    /// What a person who waits wants to know.
    Normal,
    /// Each step.
    Verbose,
}

/// What is known about the streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    /// Whether stderr may be coloured.
    pub color: bool,
    /// Whether stderr is a terminal on which lines can be redrawn.
    pub redraws: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// How much to say.
    pub loudness: Loudness,
    /// Where documents go.
    pub paper: Paper,
}

/// What is known about stdout, where documents go.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paper {
    /// Columns of the terminal it is; none where it is a file or a pipe, which takes lines of any length.
    pub width: Option<usize>,
    /// Whether it may be coloured.
    pub color: bool,
}

/// Columns to assume where no terminal says otherwise: wide enough for tables, and the same in every
/// CI job.
const WIDTH_WITHOUT_TERMINAL: usize = 120;

/// Narrower terminals are written to as if they were this wide.
const WIDTH_MIN: usize = 40;

impl Console {
    /// Looks at the streams. `plain` is whether the environment asks for no colour and no redrawing.
    pub(crate) fn new(choice: ColorChoice, plain: bool, loudness: Loudness) -> Self {
        let terminal = io::stderr().is_terminal();
        let coloured = |terminal: bool| match choice {
            ColorChoice::Auto => terminal && !plain,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        let columns = |size: Option<(terminal_size::Width, terminal_size::Height)>| {
            size.map(|(width, _)| usize::from(width.0).max(WIDTH_MIN))
        };
        let paper = Paper {
            width: columns(terminal_size::terminal_size_of(io::stdout())),
            color: coloured(io::stdout().is_terminal()),
        };
        let width = columns(terminal_size::terminal_size_of(io::stderr()));
        Self {
            color: coloured(terminal),
            redraws: terminal && !plain,
            width: width.unwrap_or(WIDTH_WITHOUT_TERMINAL),
            loudness,
            paper,
        }
    }

    /// Writes the document to stdout, with a line feed at its end.
    ///
    /// # Errors
    /// What the system says; a reader that went away is no error.
    pub(crate) fn document(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.write_all(end.as_bytes()))
            .and_then(|()| stdout.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Writes a line to stderr, whatever the loudness. A stderr that is closed is nobody listening.
    pub(crate) fn tell(&self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Writes a line to stderr, unless quiet.
    pub(crate) fn note(&self, line: &str) {
        if self.loudness > Loudness::Quiet {
            self.tell(line);
        }
    }
}

/// Replaces control characters by their escapes, so that data cannot drive the terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// A path as a person would write it: `keyring.json` rather than `./keyring.json`.
pub(crate) fn written(path: &Path) -> String {
    let short = path.strip_prefix(".").unwrap_or(path);
    printable(&short.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(printable("a\u{1b}[31mb\nü"), "a\\u{1b}[31mb\\nü");
    }

    #[test]
    fn a_choice_beats_what_the_streams_are() {
        assert!(Console::new(ColorChoice::Always, true, Loudness::Normal).color);
        assert!(!Console::new(ColorChoice::Never, false, Loudness::Normal).color);
        assert!(!Console::new(ColorChoice::Auto, true, Loudness::Normal).color);
    }
}
