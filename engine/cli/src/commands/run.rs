//! `engine run`: reads, masks, seals, commits and loads.

use std::path::PathBuf;

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::run::{self, OnFailure, RunRequest};
use engine_runtime::report::RunReport;
use engine_runtime::request::Reuse;

use crate::invocation::Invocation;
use crate::options::{Resources, Selection};
use crate::render::{kept, ran};

/// Read, mask, seal, commit and load
///
/// Each export becomes visible whole or not at all. An export whose inputs did not change keeps its
/// snapshot.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine run
  engine run --select customers --jobs 4 --memory 2GiB
  engine run --target prod --plan plan.json")]
pub(crate) struct Run {
    /// Carries out this plan, and refuses when something it was made from has changed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["select", "exclude"])]
    pub plan: Option<PathBuf>,

    #[command(flatten)]
    pub selection: Selection,

    #[command(flatten)]
    pub resources: Resources,

    /// Writes exports again although nothing changed since their snapshot
    #[arg(long)]
    pub force: bool,

    /// Stops at the first export that fails
    #[arg(long)]
    pub fail_fast: bool,
}

/// Runs, and shows how each export ended.
pub(crate) async fn run(invocation: &Invocation, options: &Run) -> Outcome<Exit> {
    let context = invocation.context(&options.resources)?;
    let request = RunRequest {
        select: options.selection.wanted(),
        plan: options.plan.clone(),
        reuse: if options.force { Reuse::Nothing } else { Reuse::Unchanged },
        on_failure: if options.fail_fast { OnFailure::Stop } else { OnFailure::Continue },
    };
    ended(invocation, &run::run(&context, &request).await?)
}

/// Shows a finished run: failures on stderr, how each export ended on stdout.
pub(crate) fn ended(invocation: &Invocation, report: &RunReport) -> Outcome<Exit> {
    for warning in &report.warnings {
        invocation.warn(warning);
    }
    for failure in &report.failures {
        invocation.show(failure);
    }
    for kept in &report.retention {
        invocation.note(kept::one(kept).trim_end());
    }
    invocation.report(report, ran::text)?;
    Ok(report.exit())
}
