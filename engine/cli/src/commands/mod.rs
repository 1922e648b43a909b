//! One file for each command: its options, one call of an operation, and how its report looks.

pub(crate) mod completions;

use clap::Subcommand;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;

use crate::invocation::Invocation;

/// What to do.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Command {
    Completions(completions::Completions),
}

/// Carries out a command; `program` makes the whole command line, for completions.
///
/// # Errors
/// Why it stopped.
pub(crate) async fn run(
    invocation: &Invocation,
    command: Command,
    program: fn() -> clap::Command,
) -> Outcome<Exit> {
    match command {
        Command::Completions(options) => completions::run(invocation, &options, program()),
    }
}
