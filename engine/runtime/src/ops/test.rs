//! `test`: the tests of exports, on their newest snapshots. Rows are read from the sealed chunks; sources
//! are read only for tests that compare with them, and of those no more than the columns in question.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use engine_bundle::manifest::Manifest;
pub use engine_bundle::manifest::{TestResult, TestStatus};
use engine_project::{ColumnTest, Project, TableTest};
use engine_tracking::runs::ScriptType;
use futures::TryStreamExt;
use serde::Serialize;

use crate::bind::{BoundExport, Schemas};
use crate::checks::{self, Rows};
use crate::clock;
use crate::codes::run;
use crate::definition::Definition;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::exit::Exit;
use crate::fault;
use crate::heads::Heads;
use crate::keys::{self, Keys};
use crate::observe::{Watch, Watcher, inputs_only};
use crate::operation::{Scene, Told};
use crate::ops::query::no_snapshot;
use crate::request::Context;
use crate::rewatch::Rewatch;
use crate::selection::{self, Select};
use crate::store::{self, Store};
use crate::workspace::{self, Access, Workspace};

/// How tests came out.
#[derive(Debug, Clone, Serialize)]
pub struct TestReport {
    /// The exports, in declared order.
    pub exports: Vec<TestedExport>,
    /// What did not hold, and what could not be looked at.
    #[serde(skip)]
    pub failures: Vec<Failure>,
    /// What did not hold, and only warns.
    #[serde(skip)]
    pub warnings: Vec<Failure>,
}

/// How the tests of one export came out.
#[derive(Debug, Clone, Serialize)]
pub struct TestedExport {
    /// The export.
    pub export: String,
    /// The snapshot that was read.
    pub snapshot: Option<u64>,
    /// The outcomes, in the order of its tests; none when they could not be made.
    pub tests: Vec<TestResult>,
}

impl TestReport {
    /// Failed when a test did: other than in a run, nothing is held back by it.
    pub fn exit(&self) -> Exit {
        let exit = |failure: &Failure| match failure.exit() {
            Exit::GateRefused => Exit::Failed,
            other => other,
        };
        self.failures.iter().map(exit).max().unwrap_or(Exit::Ok)
    }
}

/// Tests the newest snapshots of the selected exports.
///
/// # Errors
/// The project does not compile, its keys or its store cannot be opened, or nothing is selected. What is
/// wrong with one export is in the report.
pub async fn test(context: &Context, select: &Select) -> Outcome<TestReport> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &keys, &store)?;
    let work = tested(context, &project, &keys, &store, select);
    scene.recorded(ScriptType::TEST, Vec::new(), work, told).await
}

/// Why tests failed.
fn told(report: &TestReport) -> Told {
    let failed = report.failures.first().and_then(|failure| failure.diagnostics.first());
    Told { failed: failed.map(|finding| finding.code), ..Told::default() }
}

async fn tested(
    context: &Context,
    project: &Arc<Project>,
    keys: &Keys,
    store: &Store,
    select: &Select,
) -> Outcome<TestReport> {
    let selected = selection::exports(project, select, None)?;
    let access = Access::Opened(keys);
    let mut workspace =
        workspace::open(project, context, access, Schemas::Catalogs, Some(&selected)).await?;
    if workspace.bound.exports.iter().any(compares_with_sources) {
        let schemas = Schemas::Sources;
        workspace = workspace::open(project, context, access, schemas, Some(&selected)).await?;
    }
    let tester = Tester { context, workspace: &workspace, store, keys };
    let mut report = TestReport { exports: Vec::new(), failures: Vec::new(), warnings: Vec::new() };
    let files = &workspace.bound.files;
    for export in &workspace.bound.exports {
        let mut tested =
            TestedExport { export: export.name.clone(), snapshot: None, tests: Vec::new() };
        match tester.export(export, &mut tested).await {
            Ok((failed, warned)) => {
                let found = |findings: Vec<Diagnostic>| {
                    (!findings.is_empty()).then(|| Failure::from(findings).with_files(files))
                };
                report.failures.extend(found(failed));
                report.warnings.extend(found(warned));
            }
            Err(failure) => report.failures.push(failure.with_files(files)),
        }
        report.exports.push(tested);
    }
    Ok(report)
}

fn compares_with_sources(export: &BoundExport) -> bool {
    export.tests.iter().any(|declared| {
        matches!(
            declared.test,
            TableTest::Column { test: ColumnTest::Leak | ColumnTest::Relationships { .. }, .. }
        )
    })
}

struct Tester<'a> {
    context: &'a Context,
    workspace: &'a Workspace,
    store: &'a Store,
    keys: &'a Keys,
}

impl Tester<'_> {
    /// The findings that fail the export, and those that only warn.
    async fn export(
        &self,
        export: &BoundExport,
        tested: &mut TestedExport,
    ) -> Outcome<(Vec<Diagnostic>, Vec<Diagnostic>)> {
        let heads = Heads::of(&self.context.root, &self.workspace.bound.project.target.name.value);
        let file = self.keys.file_id(self.store.project(), &export.name)?;
        let tip = self.store.tip(file, &export.name, self.keys).await?;
        heads.seen(file).check(&export.name, &tip)?;
        let manifest = tip.readable().ok_or_else(|| no_snapshot(&export.name))?.manifest;
        tested.snapshot = Some(manifest.version);
        let made_from = manifest.inputs.plan;
        if !has_columns(&manifest, export) {
            return Err(other_columns(&manifest, export).into());
        }
        if export.tests.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let refused = |error| Failure::from(fault::running(&error, &export.name));
        let rewatch = Rewatch {
            root: &self.context.root,
            workspace: self.workspace,
            store: self.store,
            keys: self.keys,
        };
        let snapshot = (file, &manifest);
        let (watch, mut watcher) = rewatch.snapshot(export, &export.tests, snapshot).await?;
        self.sources(export, &watch, &mut watcher).await.map_err(refused)?;
        watcher.finish();
        let now = clock::now().timestamp_micros();
        let measured = watch.results(&self.workspace.session, now).await.map_err(refused)?;
        tested.tests = checks::results(&export.tests, measured);
        let rows = Rows { key: &export.handle_columns(), fate: "the snapshot stays" };
        let (mut failed, mut warned) = (Vec::new(), Vec::new());
        if made_from != Definition::of(&self.workspace.bound, export).digest() {
            warned.push(other_definition(export));
        }
        for (test, result) in export.tests.iter().zip(&tested.tests) {
            let one = (std::slice::from_ref(test), std::slice::from_ref(result));
            let found = checks::findings(&export.name, one.0, one.1, &rows);
            let warns = result.status == TestStatus::Warned;
            if warns { warned.extend(found) } else { failed.extend(found) }
        }
        Ok((failed, warned))
    }

    /// Reads what is compared with the source, as it is now, as digests.
    async fn sources(
        &self,
        export: &BoundExport,
        watch: &Watch,
        watcher: &mut Watcher,
    ) -> datafusion::error::Result<()> {
        if watch.inputs().is_empty() {
            return Ok(());
        }
        let plan = inputs_only(&export.plan, watch.inputs(), watch.key())?;
        let mut rows = stream(&self.workspace.session, plan).await?;
        while let Some(batch) = rows.try_next().await? {
            watcher.inputs(RecordBatch::columns(&batch))?;
        }
        Ok(())
    }
}

async fn stream(
    session: &SessionContext,
    plan: LogicalPlan,
) -> datafusion::error::Result<datafusion::execution::SendableRecordBatchStream> {
    session.execute_logical_plan(plan).await?.execute_stream().await
}

fn has_columns(manifest: &Manifest, export: &BoundExport) -> bool {
    let published = manifest.schema.iter().map(|column| &column.name);
    published.eq(export.columns.iter().map(|column| &column.name))
}

fn other_definition(export: &BoundExport) -> Diagnostic {
    let message =
        format!("the newest snapshot of `{}` was made from another definition", export.name);
    Diagnostic::new(&run::TEST_FAILED, message)
        .at(export.at, "was changed since")
        .help("the tests as they are now were made on the rows as they were published; `engine run` publishes anew")
        .as_warning()
}

fn other_columns(manifest: &Manifest, export: &BoundExport) -> Diagnostic {
    let message = format!(
        "snapshot {} of `{}` has other columns than the project says",
        manifest.version, export.name
    );
    Diagnostic::new(&run::TEST_FAILED, message)
        .at(export.at, "was changed since")
        .help("publish it with `engine run`, which tests it too")
}
