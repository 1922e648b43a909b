//! One call of the program: what was asked for, and what the operations of the runtime are given.
//!
//! ```text
//!  options + environment + streams ──▶ Invocation ──▶ Context ──▶ an operation ──▶ report ──▶ stdout
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine_runtime::codes::commands;
use engine_runtime::diagnostic::{Diagnostic, Failure, Outcome};
use engine_runtime::event::{Observer, Silent};
use engine_runtime::request::Context;
use serde::Serialize;

use crate::console::{Console, Loudness};
use crate::environment::Environment;
use crate::logs::LogFormat;
use crate::options::{Format, Global, Resources};
use crate::passphrase::{Passphrase, Question};
use crate::render::lines::Level;
use crate::render::{diagnostics, lines, progress};

/// What a command needs besides its own options.
#[derive(Clone)]
pub(crate) struct Invocation {
    /// Options of every command.
    pub global: Global,
    /// The streams.
    pub console: Console,
    cancelled: Arc<AtomicBool>,
}

impl Invocation {
    /// An invocation with these options and streams.
    pub(crate) fn new(global: Global, console: Console) -> Self {
        Self { global, console, cancelled: Arc::default() }
    }

    /// Whether the user answered the question for the passphrase with Ctrl-C.
    pub(crate) fn was_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// What an operation on the project is given.
    ///
    /// # Errors
    /// A `.env` or a passphrase file that cannot be used.
    pub(crate) fn context(&self, resources: &Resources) -> Outcome<Context> {
        self.context_with(resources, Question::Open)
    }

    /// The same, for an operation that makes a keyring.
    ///
    /// # Errors
    /// A `.env` or a passphrase file that cannot be used.
    pub(crate) fn context_to_create(&self) -> Outcome<Context> {
        self.context_with(&Resources::default(), Question::Create)
    }

    /// The same, without a question for a passphrase that is not at hand.
    ///
    /// # Errors
    /// A `.env` or a passphrase file that cannot be used.
    pub(crate) fn context_unasked(&self) -> Outcome<Context> {
        self.context_with(&Resources::default(), Question::Never)
    }

    fn context_with(&self, resources: &Resources, question: Question) -> Outcome<Context> {
        let root = &self.global.project_dir;
        let environment = Environment::of_process().with_file_of(root)?.into_variables();
        Ok(Context {
            root: root.clone(),
            target: self.global.target.clone(),
            vars: self.global.vars.iter().cloned().collect(),
            passphrase: Arc::new(self.passphrase(&environment, question)?),
            environment,
            observer: self.observer(),
            jobs: resources.jobs,
            memory_bytes: resources.memory,
            batch_rows: resources.batch_rows,
        })
    }

    fn passphrase(
        &self,
        variables: &BTreeMap<String, String>,
        question: Question,
    ) -> Outcome<Passphrase> {
        let file = self.global.passphrase_file.as_deref().map(Path::new);
        Passphrase::new(file, variables, question, Arc::clone(&self.cancelled))
    }

    fn observer(&self) -> Arc<dyn Observer> {
        match (self.global.log_format, self.console.loudness) {
            (_, Loudness::Quiet) => Arc::new(Silent),
            (LogFormat::Json, _) => Arc::new(progress::Json(self.console)),
            (LogFormat::Human, _) if self.console.redraws => {
                Arc::new(progress::Bars::new(self.console))
            }
            (LogFormat::Human, _) => Arc::new(progress::Plain(self.console)),
        }
    }

    /// Writes a report to stdout: as JSON, or as `human` writes it.
    ///
    /// # Errors
    /// A stdout that cannot be written.
    pub(crate) fn report<T: Serialize>(
        &self,
        report: &T,
        human: impl FnOnce(&T) -> String,
    ) -> Outcome<()> {
        let text = match self.global.format {
            Format::Human => human(report),
            Format::Json => {
                serde_json::to_string_pretty(report).map_err(|_| unwritable("the report"))?
            }
        };
        self.document(&text)
    }

    /// Writes a text to stdout as it is.
    ///
    /// # Errors
    /// A stdout that cannot be written.
    pub(crate) fn document(&self, text: &str) -> Outcome<()> {
        self.console
            .document(text)
            .map_err(|error| unwritable(&format!("stdout: {}", error.kind())))
    }

    /// Says something on stderr that a person may want to know, unless quiet.
    pub(crate) fn note(&self, text: &str) {
        match self.global.log_format {
            LogFormat::Human => self.console.note(text),
            LogFormat::Json => self.console.note(&lines::message(Level::Info, text)),
        }
    }

    /// Shows on stderr what should be looked at, unless quiet.
    pub(crate) fn warn(&self, warnings: &Failure) {
        if self.console.loudness != Loudness::Quiet {
            self.show(warnings);
        }
    }

    /// Shows on stderr why the command stopped, however quiet it should be.
    pub(crate) fn show(&self, failure: &Failure) {
        match self.global.log_format {
            LogFormat::Human => self.console.tell(&diagnostics::render(failure, &self.console)),
            LogFormat::Json => {
                for diagnostic in &failure.diagnostics {
                    self.console.tell(&lines::diagnostic(diagnostic, failure.files.as_deref()));
                }
            }
        }
    }
}

fn unwritable(what: &str) -> Failure {
    Diagnostic::new(&commands::OUTPUT_UNWRITABLE, format!("cannot write {what}")).into()
}
