//! `engine test`: the tests of exports, on their newest snapshots.

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::mutate::{self, Mutation, MutationOutcome, MutationReport};
use engine_runtime::ops::test::{self, TestReport, TestStatus};

use crate::invocation::Invocation;
use crate::options::{Resources, Selection};
use crate::render::table::{Align, Listing, count};

/// Test the newest snapshots
///
/// A run makes the same tests before it commits. Tests that compare with a source read the column in
/// question there, as it is now.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine test
  engine test --select customers
  engine test --mutate-policy")]
pub(crate) struct Test {
    /// Tests the rules instead: drops and weakens each in turn, in memory, and looks whether the plan
    /// says so. Reads no row, and needs no keys
    #[arg(long, conflicts_with_all = ["select", "exclude"])]
    pub mutate_policy: bool,

    #[command(flatten)]
    pub selection: Selection,

    #[command(flatten)]
    pub resources: Resources,
}

/// Tests, lists the outcomes, and shows what did not hold.
pub(crate) async fn run(invocation: &Invocation, options: &Test) -> Outcome<Exit> {
    let context = invocation.context(&options.resources)?;
    if options.mutate_policy {
        let report = mutate::mutate(&context).await?;
        invocation.report(&report, mutations)?;
        return Ok(if report.holds() { Exit::Ok } else { Exit::Failed });
    }
    let report = test::test(&context, &options.selection.wanted()).await?;
    invocation.report(&report, text)?;
    for warning in &report.warnings {
        invocation.warn(warning);
    }
    for failure in &report.failures {
        invocation.show(failure);
    }
    Ok(report.exit())
}

fn mutations(report: &MutationReport) -> String {
    let mut listing = Listing::new(&[
        ("rule", Align::Left),
        ("change", Align::Left),
        ("result", Align::Left),
        ("by", Align::Left),
    ]);
    for Mutation { rule, change, outcome } in &report.mutations {
        let (result, by) = match outcome {
            MutationOutcome::Refused(codes) => ("refused", codes.join(", ")),
            MutationOutcome::Reported(kinds) => ("reported", kinds.join(", ").replace('_', " ")),
            MutationOutcome::NoEffect => ("no effect", "nothing published changes".to_owned()),
            MutationOutcome::Missed => ("MISSED", "the plan does not say so".to_owned()),
        };
        listing.row([rule.clone(), change.clone(), result.to_owned(), by]);
    }
    listing.render()
}

fn text(report: &TestReport) -> String {
    let mut listing = Listing::new(&[
        ("export", Align::Left),
        ("snapshot", Align::Right),
        ("test", Align::Left),
        ("result", Align::Left),
        ("failures", Align::Right),
    ]);
    for export in &report.exports {
        let snapshot = export.snapshot.map(count).unwrap_or_default();
        if export.tests.is_empty() {
            let what = if export.snapshot.is_some() { "no tests" } else { "nothing published yet" };
            listing.row([
                export.export.clone(),
                snapshot,
                String::new(),
                what.to_owned(),
                String::new(),
            ]);
            continue;
        }
        for test in &export.tests {
            let result = match test.status {
                TestStatus::Passed => "ok",
                TestStatus::Warned => "warning",
                TestStatus::Failed => "FAILED",
            };
            let failures = if test.failures == 0 { String::new() } else { count(test.failures) };
            listing.row([
                export.export.clone(),
                snapshot.clone(),
                test.name.clone(),
                result.to_owned(),
                failures,
            ]);
        }
    }
    listing.render()
}
