//! The only reader of the process's environment, and of the project's `.env`.
//!
//! ```text
//!  process environment ──▶ ┐
//!                          ├─▶ variables (the process's own win)
//!  <project>/.env ───────▶ ┘
//! ```
//!
//! The process's environment is never changed, so nothing of `.env` reaches a child process.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use engine_runtime::codes::config;
use engine_runtime::diagnostic::{Diagnostic, Failure};

/// A `.env` holds a few lines; more than this is another file.
const ENVIRONMENT_FILE_BYTES_MAX: u64 = 1 << 20;

/// Variables by name. Values may be secrets: there is no `Debug`.
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// The process's environment. Names and values that are not UTF-8 are left out: no name in a
    /// project could ask for them.
    pub(crate) fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { variables }
    }

    /// Adds what the project's `.env` sets and the process does not.
    ///
    /// # Errors
    /// A `.env` that exists and cannot be read, without a word of what it holds.
    pub(crate) fn with_file_of(mut self, project: &Path) -> Result<Self, Failure> {
        let path = project.join(".env");
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(self),
            Err(error) => {
                return Err(unreadable(
                    &error.kind().to_string(),
                    "check that it is a file that may be read, and UTF-8 text",
                ));
            }
        };
        for entry in dotenvy::from_read_iter(text.as_bytes()) {
            // The error of a line quotes the line, which may hold a secret.
            let (name, value) = entry.map_err(|_| {
                unreadable(
                    &format!("line {} is not NAME=value", first_bad_line(&text)),
                    "write one NAME=value on each line, with quotes around values that hold spaces or #",
                )
            })?;
            self.variables.entry(name).or_insert(value);
        }
        Ok(self)
    }

    /// The value of a variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether the user asked for no colour and no redrawn lines: `NO_COLOR` (no-color.org), a
    /// terminal that can do neither, or a CI job.
    pub(crate) fn asks_for_plain_output(&self) -> bool {
        self.get("NO_COLOR").is_some()
            || self.get("TERM") == Some("dumb")
            || self.get("CI").is_some()
    }

    /// All variables, for `env_var` in `profiles.yml`.
    pub(crate) fn into_variables(self) -> BTreeMap<String, String> {
        self.variables
    }

    #[cfg(test)]
    pub(crate) fn from_pairs(pairs: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { variables: pairs.iter().map(own).collect() }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the file made for reading .env")]
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    let read = file.take(ENVIRONMENT_FILE_BYTES_MAX).read_to_string(&mut text)?;
    if read as u64 == ENVIRONMENT_FILE_BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

fn unreadable(reason: &str, help: &str) -> Failure {
    Diagnostic::new(&config::ENVIRONMENT_FILE, format!("`.env` cannot be read: {reason}"))
        .help(help)
        .into()
}

/// The line, from 1, with which the text stops being readable.
fn first_bad_line(text: &str) -> usize {
    let ends = text.split_inclusive('\n').scan(0, |end, line| {
        *end += line.len();
        Some(*end)
    });
    let bad = |end: &usize| {
        let read = text.get(..*end).unwrap_or_default();
        dotenvy::from_read_iter(read.as_bytes()).any(|entry| entry.is_err())
    };
    ends.enumerate().find(|(_, end)| bad(end)).map_or(1, |(line, _)| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project_with(text: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut file = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
        io::Write::write_all(&mut file, text).unwrap();
        file.persist(folder.path().join(".env")).unwrap();
        folder
    }

    #[test]
    fn the_process_wins_over_the_file() {
        let project = project_with(b"# demo\nA=file\nexport B='two words'\n");
        let read = Environment::from_pairs(&[("A", "process")]).with_file_of(project.path());
        let Ok(environment) = read else { panic!("it can be read") };
        assert_eq!(environment.get("A"), Some("process"));
        assert_eq!(environment.get("B"), Some("two words"));
        assert_eq!(environment.get("C"), None);
    }

    #[test]
    fn no_file_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Environment::from_pairs(&[]).with_file_of(folder.path()).is_ok());
    }

    #[test]
    fn a_broken_line_is_counted_and_not_shown() {
        for text in [&b"A=1\nCANARY 7f3a\n"[..], b"A=1\nCANARY='7f3a\n", b"A=\xff\xfe7f3a\n"] {
            let project = project_with(text);
            let Err(failure) = Environment::from_pairs(&[]).with_file_of(project.path()) else {
                panic!("it cannot be read");
            };
            let shown = format!("{failure} {failure:?}");
            assert!(!shown.contains("7f3a") && !shown.contains("CANARY"), "{shown}");
        }
    }
}
