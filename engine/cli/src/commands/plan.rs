//! `engine plan`: what a run would read, mask and write.

use std::path::{Path, PathBuf};

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::plan;
use engine_runtime::rotation;
use tracing::debug_span;

use crate::console::written;
use crate::invocation::Invocation;
use crate::options::{Format, Resources, Selection};
use crate::render::planned;
use crate::report::{self, Report};

/// Show what a run would read, mask and write
///
/// Writes the plan to target/plan.json as well: canonical, without any value, and byte-identical for
/// equal inputs. `engine run --plan` refuses it when something it was made from has changed.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine plan
  engine plan --target prod --out plan.json
  engine plan --base origin/main       what a pull request changes, without touching data
  engine plan --base origin/main --report md=plan.md --report sarif=plan.sarif
  engine plan --detailed-exitcode      exit code 2 when there is something to do")]
pub(crate) struct Plan {
    #[command(flatten)]
    pub selection: Selection,

    /// Writes the plan to this file instead of target/plan.json
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Compares with a plan file, another target's snapshots, or the project at a Git commit, instead of
    /// the newest snapshots
    #[arg(long, value_name = "FILE|TARGET|REF")]
    pub base: Option<String>,

    /// Writes a report as well: md (a pull-request comment), json, sarif, junit or github (annotations,
    /// and a summary of the step where GITHUB_STEP_SUMMARY names its file);
    /// may be given several times
    #[arg(long, value_name = "FORMAT=FILE")]
    pub report: Vec<Report>,

    /// Ends with exit code 2 when there is something to do
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// The variable that names the file of a step's summary on GitHub.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Makes the plan, writes it, and shows it.
pub(crate) async fn run(invocation: &Invocation, options: &Plan) -> Outcome<Exit> {
    let context = invocation.context(&Resources::default())?;
    let made = plan::plan(&context, &options.selection.wanted(), options.base.as_deref()).await?;
    // Both go through the whole of the plan.
    let (path, text) = rayon::join(
        || debug_span!("write").in_scope(|| plan::write(&context, &made, options.out.as_deref())),
        || {
            debug_span!("draw").in_scope(|| match invocation.global.format {
                // The very bytes of the file: a digest of one is a digest of the other.
                Format::Json => made.canonical(),
                Format::Human => planned::text(&made, invocation.console.paper),
            })
        },
    );
    let path = path?;
    for report in &options.report {
        let text = match report.shows_places() {
            true => report.text(&plan::in_repository(&context, &made)),
            false => report.text(&made),
        };
        plan::report(&report.path, &text)?;
    }
    if options.report.iter().any(Report::is_for_github)
        && let Some(summary) = context.environment.get(STEP_SUMMARY)
    {
        plan::add_summary(Path::new(summary), &report::summary(&made))?;
    }
    invocation.document(&text)?;
    if let Some(warning) = rotation::warning(&made.beside.rotation) {
        invocation.warn(&warning);
    }
    invocation.note(&format!("The plan is in {}.", written(&path)));
    Ok(if options.detailed_exitcode && made.has_changes() { Exit::Changes } else { Exit::Ok })
}
