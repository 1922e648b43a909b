//! What tests said of a snapshot, once rows have left it.
//!
//! Most tests hold for some rows when they hold for all. Those that look at groups or counts are made again on
//! what is left, before it is published: without some of its rows a person may stand alone in a group.

use engine_bundle::ids::FileId;
use engine_bundle::manifest::{Manifest, TestResult, TestStatus};
use engine_project::{Declared, TableTest};

use crate::bind::BoundExport;
use crate::checks::{self, Rows};
use crate::clock;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::fault;
use crate::rewatch::Rewatch;

/// Kinds of tests that may fail for some rows though they held for all.
const OF_THE_WHOLE: [&str; 5] =
    ["k_anonymity", "l_diversity", "row_count", "expression", "freshness"];

/// Whether tests of a snapshot have to be made again when rows leave it.
#[must_use]
pub fn needs_tests(before: &Manifest) -> bool {
    before.tests.iter().any(is_of_the_whole)
}

fn is_of_the_whole(result: &TestResult) -> bool {
    OF_THE_WHOLE.contains(&result.kind.as_str())
}

/// The outcomes that still hold.
#[must_use]
pub(super) fn carried(before: &Manifest) -> Vec<TestResult> {
    before.tests.iter().filter(|result| !is_of_the_whole(result)).cloned().collect()
}

/// Makes the tests of the whole on the rows of `next`, which is written and not committed, and puts down how they
/// came out. Gives those that only warn.
///
/// # Errors
/// A test that does not hold: nothing may be published.
pub(super) async fn retested(
    rewatch: &Rewatch<'_>,
    export: &BoundExport,
    file: FileId,
    next: &mut Manifest,
) -> Outcome<Vec<Diagnostic>> {
    let is_of_the_whole = |declared: &&Declared<TableTest>| match &declared.test {
        TableTest::Column { test, .. } => OF_THE_WHOLE.contains(&test.name()),
        _ => true,
    };
    let tests: Vec<Declared<TableTest>> =
        export.tests.iter().filter(is_of_the_whole).cloned().collect();
    let (watch, watcher) = rewatch.snapshot(export, &tests, (file, next)).await?;
    watcher.finish();
    let now = clock::now().timestamp_micros();
    let measured = watch.results(&rewatch.workspace.session, now).await;
    let measured = measured.map_err(|error| fault::running(&error, &export.name))?;
    let results = checks::results(&tests, measured);
    let failed = results.iter().any(|result| result.status == TestStatus::Failed);
    let fate = if failed {
        "rows whose time is over are still published, because without them the test does not hold"
    } else {
        "the snapshot was published without the rows whose time is over"
    };
    let rows = Rows { key: &export.handle_columns(), fate };
    let findings = checks::findings(&export.name, &tests, &results, &rows);
    next.tests.extend(results);
    if failed { Err(findings.into()) } else { Ok(findings) }
}
