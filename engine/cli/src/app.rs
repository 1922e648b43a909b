//! The command line, and what surrounds every command: streams, logs, signals, panics, the exit code.
//!
//! ```text
//!  argv ──clap──▶ Cli ──▶ Invocation ──▶ commands::run ──▶ Exit ──▶ status
//!                             signal ──▶ 130 / 143
//!                             panic  ──▶ 70
//! ```

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use engine_runtime::codes::commands::USAGE;
use engine_runtime::codes::run;
use engine_runtime::diagnostic::{Diagnostic, Failure, Outcome};
use engine_runtime::exit::Exit;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::commands::{self, Command};
use crate::console::Console;
use crate::environment::Environment;
use crate::invocation::Invocation;
use crate::options::Global;
use crate::{logs, panic};

/// How long a command that was told to stop may take to let go of what it holds.
const GRACE: Duration = Duration::from_millis(500);

/// Bytes of the command's stack: deep SQL is planned by recursion.
const STACK: usize = 16 << 20;

/// Exit status after SIGTERM: 128 + 15, as shells have it.
const TERMINATED: u8 = 143;

/// Mask data in batches, from a YAML project
///
/// A project says which sources it reads, which columns are sensitive, how each class of data is
/// masked, and what is published. Every column that is published is masked, or kept by a named owner
/// with a reason, or the project does not compile.
#[derive(Parser, Debug)]
#[command(
    name = "engine",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = false,
    after_long_help = exit_codes(),
)]
struct Cli {
    #[command(flatten)]
    global: Global,

    #[command(subcommand)]
    command: Command,
}

/// The whole program.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    let plain = Environment::of_process().asks_for_plain_output();
    let console = Console::new(cli.global.color, plain, cli.global.loudness());
    panic::install(cli.global.log_format, console);
    let invocation = Invocation::new(cli.global, console);
    // The hook has said what is to be said; what unwinds to here holds nothing to show.
    let status = std::panic::catch_unwind(|| {
        logs::start(invocation.global.log_format, &console);
        match start() {
            Ok(runtime) => {
                let status = runtime.block_on(until_signal(&invocation, cli.command));
                // Threads that wait for a database or a disk end with the process.
                runtime.shutdown_background();
                status
            }
            Err(failure) => shown(&invocation, &failure).status(),
        }
    });
    ExitCode::from(status.unwrap_or(Exit::Internal.status()))
}

/// The command line, for completions and the reference.
pub(crate) fn program() -> clap::Command {
    Cli::command()
}

/// Help and version go to stdout and are no error; everything else does not fit the command line.
fn refused(error: &clap::Error) -> ExitCode {
    let (code, status) = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => (None, Exit::Ok),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => (None, USAGE.exit),
        _ => (Some(USAGE.id), USAGE.exit),
    };
    if let Some(code) = code {
        let _ = writeln!(io::stderr(), "{code}\n");
    }
    let _ = error.print();
    ExitCode::from(status.status())
}

fn start() -> Outcome<Runtime> {
    Builder::new_multi_thread().enable_all().build().map_err(|_| not_started())
}

fn not_started() -> Failure {
    Diagnostic::new(&run::INTERNAL, "the threads of the program cannot be started").into()
}

/// Runs the command on a thread of its own, so that this one is free to hear a signal, whatever the
/// command is busy with.
async fn until_signal(invocation: &Invocation, command: Command) -> u8 {
    let (stop, stopped) = oneshot::channel::<()>();
    let (ending, mut ended) = oneshot::channel();
    let own = invocation.clone();
    let handle = Handle::current();
    let work = move || {
        let outcome = handle.block_on(async {
            tokio::select! {
                outcome = command_line(&own, command) => Some(outcome),
                _ = stopped => None,
            }
        });
        // Nobody waits any more when the grace is over: the process is about to end.
        let _ = ending.send(outcome);
    };
    if thread::Builder::new().name("command".to_owned()).stack_size(STACK).spawn(work).is_err() {
        return finished(invocation, Err(not_started()));
    }
    let status = tokio::select! {
        biased;
        status = told_to_stop() => status,
        outcome = &mut ended => match outcome {
            Ok(Some(_)) if invocation.was_cancelled() => Exit::Interrupted.status(),
            Ok(Some(outcome)) => return finished(invocation, outcome),
            // The command panicked; the hook has said where.
            Ok(None) | Err(_) => return Exit::Internal.status(),
        },
    };
    let _ = stop.send(());
    let _ = tokio::time::timeout(GRACE, ended).await;
    let message = "stopped by a signal";
    invocation.show(
        &Diagnostic::new(&run::INTERRUPTED, message)
            .help("`engine retry` takes a run up where it stopped; anything else is started again")
            .into(),
    );
    status
}

/// Waits for SIGINT or SIGTERM. Where they cannot be heard, the system ends the process as it does any
/// other.
async fn told_to_stop() -> u8 {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted.status(),
        _ = terminate.recv() => TERMINATED,
    }
}

async fn command_line(invocation: &Invocation, command: Command) -> Outcome<Exit> {
    commands::run(invocation, command, program).await
}

fn finished(invocation: &Invocation, outcome: Outcome<Exit>) -> u8 {
    let exit = match outcome {
        Ok(exit) => exit,
        Err(failure) => shown(invocation, &failure),
    };
    panic::exit_after(exit).status()
}

fn shown(invocation: &Invocation, failure: &Failure) -> Exit {
    invocation.show(failure);
    failure.exit()
}

/// The table of exit codes for `engine --help`.
fn exit_codes() -> String {
    let mut text = String::from("Exit codes:\n");
    for exit in Exit::ALL {
        text.push_str(&format!("  {:>3}  {}\n", exit.status(), exit.meaning()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        program().debug_assert();
    }

    #[test]
    fn every_exit_code_is_in_the_help() {
        let text = exit_codes();
        assert_eq!(text.lines().count(), Exit::ALL.len() + 1);
        assert!(text.contains("\n   65  the project does not compile\n"), "{text}");
    }
}
