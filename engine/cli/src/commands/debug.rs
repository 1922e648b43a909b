//! `engine debug`: what works, what does not, and how to mend it.

use clap::Args;
use engine_runtime::diagnostic::{Failure, Outcome};
use engine_runtime::exit::Exit;
use engine_runtime::ops::debug;

use crate::invocation::Invocation;
use crate::options::Resources;
use crate::render::table::{Align, Listing};

/// Try connections, store and keys, and say how to mend what does not work
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine debug
  engine debug --target prod --format json")]
pub(crate) struct Debug {}

/// Tries everything, lists what was tried, and shows what is wrong.
pub(crate) async fn run(invocation: &Invocation) -> Outcome<Exit> {
    let context = invocation.context(&Resources::default())?;
    let report = debug::debug(&context).await?;
    invocation.report(&report, |report| {
        let mut listing = Listing::new(&[
            ("checked", Align::Left),
            ("works", Align::Left),
            ("found", Align::Left),
        ]);
        for check in &report.checks {
            let works = if check.works { "yes" } else { "NO" };
            listing.row([check.what.as_str(), works, &check.found]);
        }
        let (project, target) = (&report.project, &report.target);
        format!("Project {project}, target {target}\n\n{}", listing.render())
    })?;
    if report.findings.is_empty() {
        return Ok(Exit::Ok);
    }
    let failure = Failure::from(report.findings);
    invocation.show(&failure);
    Ok(failure.exit())
}
