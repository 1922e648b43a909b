//! `engine retention`: what policies want gone, and having it go.

use clap::{Args, Subcommand};
use engine_runtime::diagnostic::{Failure, Outcome};
use engine_runtime::exit::Exit;
use engine_runtime::ops::retention::{self, RetentionReport};

use crate::invocation::Invocation;
use crate::options::Resources;
use crate::render::kept;

/// Say what retention policies want gone, and have it go
#[derive(Args, Clone, Debug)]
pub(crate) struct Retention {
    #[command(subcommand)]
    pub command: RetentionCommand,
}

/// What to do.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum RetentionCommand {
    Plan(PlanRetention),
    Apply(Apply),
}

/// Print what is due, by policy; changes nothing
#[derive(Args, Clone, Debug)]
pub(crate) struct PlanRetention {
    /// One export; all that have a policy when left out
    #[arg(value_name = "EXPORT")]
    pub export: Option<String>,
}

/// Delete softly what is due, and destroy what was deleted softly longer ago than its grace
///
/// `engine run` does so at its end. Interrupted anywhere, it goes on where it was. What is deleted softly is
/// live again when its policy no longer wants it gone, or a legal hold is placed.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine retention plan
  engine retention apply customers")]
pub(crate) struct Apply {
    /// One export; all that have a policy when left out
    #[arg(value_name = "EXPORT")]
    pub export: Option<String>,

    /// Believes the clock of this machine, although it contradicts what happened
    #[arg(long)]
    pub trust_clock: bool,
}

/// Does it.
pub(crate) async fn run(invocation: &Invocation, options: &Retention) -> Outcome<Exit> {
    let context = invocation.context(&Resources::default())?;
    let report = match &options.command {
        RetentionCommand::Plan(options) => {
            retention::plan(&context, options.export.as_deref()).await?
        }
        RetentionCommand::Apply(options) => {
            retention::apply(&context, options.export.as_deref(), options.trust_clock).await?
        }
    };
    for warning in &report.warnings {
        invocation.warn(&Failure::from(warning.clone()));
    }
    invocation.report(&report, text)?;
    Ok(Exit::Ok)
}

fn text(report: &RetentionReport) -> String {
    let is_empty = report.exports.is_empty() && report.records.is_empty();
    if is_empty && report.archives.is_empty() && report.unclaimed.is_empty() {
        return "No export has a retention policy.".to_owned();
    }
    let exports = report.exports.iter().map(kept::one);
    let records = report.records.iter().map(kept::of_records);
    let archives = report.archives.iter().map(kept::of_archives);
    exports
        .chain(records)
        .chain(archives)
        .chain(report.unclaimed.iter().map(kept::of_unclaimed))
        .collect()
}
