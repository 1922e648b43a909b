//! `engine completions`: completions for a shell.

use clap::{Args, Command};
use clap_complete::Shell;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;

use crate::invocation::Invocation;

/// Print completions for a shell
///
/// The script goes to stdout; the shell's manual says where to put it.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine completions bash > ~/.local/share/bash-completion/completions/engine
  engine completions zsh  > ~/.zfunc/_engine
  engine completions fish > ~/.config/fish/completions/engine.fish")]
pub(crate) struct Completions {
    /// The shell
    pub shell: Shell,
}

/// Writes the script for `program`.
pub(crate) fn run(
    invocation: &Invocation,
    options: &Completions,
    mut program: Command,
) -> Outcome<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut program, "engine", &mut script);
    invocation.document(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
