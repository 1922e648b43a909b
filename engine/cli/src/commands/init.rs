//! `engine init`: a project that runs at once.

use std::path::{Path, PathBuf};

use clap::Args;
use engine_runtime::codes::commands;
use engine_runtime::diagnostic::{Diagnostic, Outcome};
use engine_runtime::exit::Exit;
use engine_runtime::ops::init;

use crate::invocation::Invocation;
use crate::template;

/// Make a new project that runs at once
///
/// Writes a small project with data of its own into a new or empty folder, with JSON Schemas that let
/// editors complete the YAML. Nothing that exists is ever overwritten.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine init acme && cd acme && engine keys init && engine run
  engine init demo --example chinook")]
pub(crate) struct Init {
    /// The folder to make
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,

    /// Starts from a complete example instead
    #[arg(long, value_name = "NAME")]
    pub example: Option<String>,
}

/// Writes the project, and says what to do next.
pub(crate) fn run(invocation: &Invocation, options: &Init) -> Outcome<Exit> {
    let files = match options.example.as_deref() {
        None => template::PROJECT,
        Some(name) => template::example(name).ok_or_else(|| {
            let message = format!("there is no example `{name}`");
            Diagnostic::new(&commands::UNKNOWN_EXAMPLE, message)
                .help(format!("the examples are: {}", template::names().join(", ")))
        })?,
    };
    let report = init::init(&options.directory, files)?;
    let has_keyring = report.files.iter().any(|file| file == "keyring.json");
    invocation.report(&report, |report| {
        format!("{} files written to {}", report.files.len(), report.directory.display())
    })?;
    let enter = if options.directory == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", options.directory.display())
    };
    let next = if has_keyring { "engine run" } else { "engine keys init && engine run" };
    invocation.note(&format!("Next: {enter}{next}"));
    Ok(Exit::Ok)
}
