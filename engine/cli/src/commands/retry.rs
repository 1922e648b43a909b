//! `engine retry`: takes up a run where it stopped.

use std::path::PathBuf;

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::retry;

use super::run::ended;
use crate::invocation::Invocation;
use crate::options::Resources;

/// Take up a run where it stopped
///
/// Exports that were committed stay; chunks of the others that are stored already are used again.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine retry
  engine retry --run 01a2041578daa6b05746e3fa8f0c3df8")]
pub(crate) struct Retry {
    /// The run; the last one when not given
    #[arg(long, value_name = "ID")]
    pub run: Option<String>,

    /// The plan that the run carried out; a protected target needs it again
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,

    #[command(flatten)]
    pub resources: Resources,
}

/// Takes the run up, and shows how each export ended.
pub(crate) async fn run(invocation: &Invocation, options: &Retry) -> Outcome<Exit> {
    let context = invocation.context(&options.resources)?;
    ended(invocation, &retry::retry(&context, options.run.as_deref(), options.plan.clone()).await?)
}
