//! What a command says when it cannot go on: a code, a place, what, why, and how to mend it.
//!
//! Texts hold configuration and names. They never hold a cell value or a secret: whoever makes a
//! `Diagnostic` passes words of its own, not the text of a library's error.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use engine_project::{Location, Project, SourceMap};

use crate::codes::{Code, commands};
use crate::exit::Exit;

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Something was refused or failed.
    #[default]
    Error,
    /// Something should be looked at; the command went on.
    Warning,
}

/// One finding.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// How serious it is.
    pub level: Level,
    /// The cause.
    pub code: &'static Code,
    /// What happened, in one sentence.
    pub message: String,
    /// Where, in a file the user wrote, with a few words that stand at the span.
    pub at: Option<(Location, String)>,
    /// Other places that matter.
    pub related: Vec<(Location, String)>,
    /// How to mend it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A file of the engine's own that cannot be written.
    pub fn unwritable(path: &Path, error: &io::Error) -> Self {
        let message = format!("`{}` cannot be written: {}", path.display(), error.kind());
        Self::new(&commands::OUTPUT_UNWRITABLE, message)
            .help("check the rights of the user who runs the engine, and that there is room")
    }

    /// A finding without a place.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { level: Level::Error, code, message, at: None, related: Vec::new(), help: None }
    }

    /// Makes it one that stops nothing.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.level = Level::Warning;
        self
    }

    /// Sets the place and the words that stand there.
    #[must_use]
    pub fn at(mut self, location: Location, label: impl Into<String>) -> Self {
        self.at = Some((location, label.into()));
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, location: Location, label: impl Into<String>) -> Self {
        self.related.push((location, label.into()));
        self
    }

    /// Sets how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Why a command stopped: all findings of the phase that failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// At least one finding.
    pub diagnostics: Vec<Diagnostic>,
    /// The user's files, to show the spans in. `None` before any file was read.
    pub files: Option<Arc<SourceMap>>,
}

impl Failure {
    /// The exit code of the first finding's cause.
    pub fn exit(&self) -> Exit {
        self.diagnostics.first().map_or(Exit::Internal, |first| first.code.exit)
    }

    /// Adds the user's files where they are known.
    #[must_use]
    pub fn with_files(mut self, files: &Arc<SourceMap>) -> Self {
        if self.files.is_none() {
            self.files = Some(Arc::clone(files));
        }
        self
    }
}

impl Failure {
    /// Adds the files of a project, for findings made before it is bound.
    #[must_use]
    pub fn in_project(self, project: &Project) -> Self {
        match self.files {
            Some(_) => self,
            None => Self { files: Some(Arc::new(project.files.clone())), ..self },
        }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostics: vec![diagnostic], files: None }
    }
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics, files: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, diagnostic) in self.diagnostics.iter().enumerate() {
            if position > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{}: {}", diagnostic.code.id, diagnostic.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// The result of everything in this crate that can refuse.
pub type Outcome<T> = Result<T, Failure>;

/// A finding without a place as a golden file of `tests/diagnostics/elsewhere/` holds it.
#[cfg(test)]
pub(crate) fn words(finding: &Diagnostic) -> String {
    let help = finding.help.as_ref().map(|help| format!("  help: {help}\n")).unwrap_or_default();
    format!("{}\n\n  × {}\n{help}", finding.code.id, finding.message)
}
