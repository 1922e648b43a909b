//! `engine verify`: whether the store still holds what was committed.

use clap::Args;
use engine_runtime::diagnostic::{Failure, Outcome};
use engine_runtime::exit::Exit;
use engine_runtime::ops::verify::{self, VerifyReport};

use crate::invocation::Invocation;
use crate::options::Resources;
use crate::render::table::{Align, Listing, bytes, count};

/// Check every digest, tag, count and the chain of manifests
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine verify
  engine verify customers")]
pub(crate) struct Verify {
    /// The export; all of them when not given
    pub export: Option<String>,

    /// Also checks the run records: whether any was removed or changed
    #[arg(long)]
    pub audit: bool,
}

/// Verifies, lists what was looked at, and shows what is wrong.
pub(crate) async fn run(invocation: &Invocation, options: &Verify) -> Outcome<Exit> {
    let context = invocation.context(&Resources::default())?;
    let report = verify::verify(&context, options.export.as_deref(), options.audit).await?;
    invocation.report(&report, text)?;
    if report.findings.is_empty() {
        return Ok(Exit::Ok);
    }
    let failure = Failure::from(report.findings);
    invocation.show(&failure);
    Ok(failure.exit())
}

fn text(report: &VerifyReport) -> String {
    let mut listing = Listing::new(&[
        ("export", Align::Left),
        ("snapshots", Align::Right),
        ("chunks", Align::Right),
        ("rows", Align::Right),
        ("bytes", Align::Right),
        ("unreferenced", Align::Right),
        ("result", Align::Left),
    ]);
    for export in &report.exports {
        let result = match (export.faults, export.snapshots) {
            (0, 0) => String::from("nothing published yet"),
            (0, _) => String::from("ok"),
            (1, _) => String::from("1 FAULT"),
            (faults, _) => format!("{faults} FAULTS"),
        };
        listing.row([
            export.export.clone(),
            count(export.snapshots as u64),
            count(export.chunks as u64),
            count(export.rows),
            bytes(export.bytes),
            count(export.unreferenced as u64),
            result,
        ]);
    }
    listing.render()
}
