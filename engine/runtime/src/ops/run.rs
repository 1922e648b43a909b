//! `run`: every selected export, read, masked, sealed, checked, committed and loaded.
//!
//! ```text
//!  plan ─▶ gates ─▶ for each export: unchanged? ─yes─▶ reuse ──────────────┐
//!                                        └─no──▶ write ─▶ checks ─▶ commit ─▶ loads
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_bundle::ids::RunId;
use engine_project::Project;
use engine_tracking::runs::{Node, Privacy, ScriptType, Volume};

use crate::approval;
use crate::bind::{BoundExport, Schemas};
use crate::clock;
use crate::codes::{run, store as store_codes};
use crate::datasets::Datasets;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::event::Event;
use crate::exit::Exit;
use crate::facts;
use crate::git;
use crate::journal::{Journal, Line, Status};
use crate::keeping::Keeper;
use crate::keys::{self, Keys};
use crate::operation::{Scene, Told};
use crate::ops::{metadata, plan, retention};
use crate::plan::Plan;
use crate::produce::{self, Earlier, Producer};
use crate::report::{ExportReport, RunReport};
use crate::request::{Context, Reuse};
use crate::selection::{self, Select};
use crate::store::{self, Store, new_id};
use crate::workspace::{self, Access, Workspace};

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct RunRequest {
    /// Which exports.
    pub select: Select,
    /// A plan that must still hold.
    pub plan: Option<PathBuf>,
    /// Whether the first failure stops the run.
    pub on_failure: OnFailure,
    /// Whether exports are written again although nothing changed.
    pub reuse: Reuse,
}

/// What a failed export does to those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// The others run.
    #[default]
    Continue,
    /// The others are skipped.
    Stop,
}

/// Runs.
///
/// # Errors
/// Whatever stops the run before the first export: the project, the keys, the plan. Failures of single
/// exports are in the report.
pub async fn run(context: &Context, request: &RunRequest) -> Outcome<RunReport> {
    attempt(context, request, new_id()?, 1, &Earlier::default()).await
}

/// One attempt of a run; a later one takes up what `earlier` ones wrote.
pub(crate) async fn attempt(
    context: &Context,
    request: &RunRequest,
    id: RunId,
    number: u32,
    earlier: &Earlier,
) -> Outcome<RunReport> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let _lock = store.lock()?;
    let journal = Journal::of(&context.root);
    let unwritable = |error: std::io::Error| Diagnostic::unwritable(journal.path(), &error);
    let _own = journal.lock().map_err(unwritable)?.ok_or_else(|| {
        Diagnostic::new(&store_codes::STORE_LOCKED, "another run is at work in this directory")
            .help("wait until it has ended, and run again")
    })?;
    let scene = Scene::of(context, &project, &keys, &store)?;
    let script = if number == 1 { ScriptType::RUN } else { ScriptType::RETRY };
    let record = match number {
        1 => id,
        // Each attempt is an operation of its own.
        _ => new_id()?,
    };
    if let Some(crashed) = journal.marked() {
        scene.close(&crashed, record).await?;
    }
    // Known before it is on record, so that a run that is killed in between is closed, too.
    journal.mark(&record.to_string()).map_err(unwritable)?;
    let begun = scene.begin(record, script, Vec::new()).await?;
    let attempt = Attempt { context, request, id, number, earlier };
    let done = attempt.run(&project, &keys, &store, &journal, &scene).await;
    if let Ok(report) = &done {
        wrote(&scene, &project, report);
    }
    let told = done.as_ref().map(told);
    scene.end(begun, told.as_ref().map_err(|failure| *failure)).await?;
    journal.unmark().map_err(unwritable)?;
    let compacted = scene.records().compact().await;
    // Why the run failed says more.
    done.and_then(|report| compacted.map(|()| report))
}

/// What a run moved, and why it failed.
fn told(report: &RunReport) -> Told {
    let committed = report.exports.iter().filter(|export| export.status == Status::Committed);
    let (mut rows, mut bytes) = (0_u64, 0_u64);
    for export in committed {
        rows = rows.saturating_add(export.rows.unwrap_or_default());
        bytes = bytes.saturating_add(export.bytes.unwrap_or_default());
    }
    let failed = report.failures.first().and_then(|failure| failure.diagnostics.first());
    let sum =
        |of: fn(&ExportReport) -> u64| report.exports.iter().map(of).fold(0, u64::saturating_add);
    let volume = Volume {
        rows_read: sum(|export| export.told.rows_read),
        rows_masked: sum(|export| export.told.rows_masked),
        rows_written: rows,
        bytes_written: bytes,
        ..Volume::default()
    };
    let tried = report.exports.iter().filter(|export| export.status != Status::Skipped);
    let node = |export: &ExportReport| Node {
        name: format!("export.{}", export.export),
        duration_us: export.told.duration_us,
        rows: export.rows.unwrap_or_default(),
    };
    Told {
        failed: failed.map(|finding| finding.code),
        volume,
        nodes: tried.map(node).collect(),
        privacy: Some(privacy(report)),
        ..report.told.clone()
    }
}

/// What a run published, and what was found wrong with it.
fn privacy(report: &RunReport) -> Privacy {
    let failures = report.failures.iter().flat_map(|failure| &failure.diagnostics);
    let gates = failures.filter(|finding| finding.code.exit == Exit::GateRefused).count() as u64;
    let warnings = report.warnings.iter().map(|failure| failure.diagnostics.len() as u64);
    let columns = report.told.privacy.unwrap_or_default();
    Privacy { critical: gates, other: warnings.fold(0, u64::saturating_add), ..columns }
}

/// Says what was written, for whoever is told of lineage.
fn wrote(scene: &Scene<'_>, project: &Project, report: &RunReport) {
    for export in report.exports.iter().filter(|export| export.status == Status::Committed) {
        let (rows, bytes) = (export.rows.unwrap_or_default(), export.bytes.unwrap_or_default());
        scene.outward().wrote(project, &export.export, rows, bytes);
    }
}

/// One attempt, with all it was asked.
struct Attempt<'a> {
    context: &'a Context,
    request: &'a RunRequest,
    id: RunId,
    number: u32,
    earlier: &'a Earlier,
}

impl Attempt<'_> {
    async fn run(
        &self,
        project: &Arc<Project>,
        keys: &Keys,
        store: &Store,
        journal: &Journal,
        scene: &Scene<'_>,
    ) -> Outcome<RunReport> {
        let Self { context, request, id, number, earlier } = *self;
        let unwritable = |error: std::io::Error| Diagnostic::unwritable(journal.path(), &error);
        let access = Access::Opened(keys);
        let plan = request.plan.as_deref().map(plan::read).transpose()?;
        let planned = plan.as_ref().map(|plan| Select::of(plan.select.clone()));
        let select = planned.as_ref().unwrap_or(&request.select);
        let states = match select.needs_states()? {
            true => plan::states(context, project, access, Some(keys), None).await?,
            false => None,
        };
        let selected = selection::exports(project, select, states.as_ref())?;
        // Before the tables are opened: what changed says more than that a column is missing.
        let changed = metadata::watch(project, keys, &selected).await?;
        let schemas = Schemas::Sources;
        let workspace = workspace::open(project, context, access, schemas, Some(&selected)).await;
        let workspace = workspace.map_err(|failure| with(failure, &changed, project))?;
        let exports = &workspace.bound.exports;
        if scene.outward().wants_lineage() {
            scene.outward().bound(Datasets::of_run(&workspace.bound)).await;
        }
        let given = request.plan.as_deref().zip(plan.as_ref());
        let held = gate(&workspace, given, keys, id).await;
        let owners = held.map_err(|failure| with(failure, &changed, project))?;
        store.publish_keyring(keys).await?;
        let first = Line::Run {
            run: id.to_string(),
            attempt: number,
            target: project.target.name.value.clone(),
            exports: exports.iter().map(|export| export.name.clone()).collect(),
            started_at: clock::now().to_rfc3339(),
        };
        let begun = if number == 1 { journal.begin(&first) } else { journal.begin_again(&first) };
        begun.map_err(unwritable)?;
        context.observer.notice(&Event::RunStarted { run: id.to_string(), exports: exports.len() });
        let producer = Producer {
            context,
            workspace: &workspace,
            store,
            keys,
            journal,
            run: id,
            git_commit: git::commit(&context.root),
            earlier,
            reuse: request.reuse,
        };
        let mut report = each(&producer, exports, request.on_failure).await;
        report.told = facts::of(&workspace.bound);
        report.told.approved_by = owners.into_iter().collect();
        if let Some(plan) = &plan {
            report.told.plan = Some(plan.digest.clone());
        }
        let keeper = Keeper { context, project, store, keys };
        if let Err(failure) = keep(keeper, id, &selected, &mut report).await {
            report.failures.push(failure.in_project(project));
        }
        if !changed.is_empty() {
            report.warnings.insert(0, Failure::from(changed).in_project(project));
        }
        let end = Line::End { exit: report.exit().status(), ended_at: clock::now().to_rfc3339() };
        journal.append(&end).map_err(unwritable)?;
        Ok(report)
    }
}

/// A failure, with what changed in the sources: it is recorded by now, and would not be said again.
fn with(failure: Failure, changed: &[Diagnostic], project: &Project) -> Failure {
    let mut failure = failure.in_project(project);
    failure.diagnostics.extend(changed.iter().cloned());
    failure
}

/// Does what retention wants done, where a policy is named.
async fn keep(
    keeper: Keeper<'_>,
    run: RunId,
    selected: &BTreeSet<String>,
    report: &mut RunReport,
) -> Outcome<()> {
    let committed = report.exports.iter().filter(|export| export.status == Status::Committed);
    let committed = committed.map(|export| export.export.clone()).collect();
    let done = retention::Done { selected, committed };
    let kept = retention::after_run(keeper, run, &done).await?;
    report.warnings.extend(kept.warnings.into_iter().map(Failure::from));
    report.retention = kept.exports;
    Ok(())
}

async fn each(
    producer: &Producer<'_>,
    exports: &[BoundExport],
    on_failure: OnFailure,
) -> RunReport {
    let mut report = RunReport {
        run: producer.run.to_string(),
        exports: Vec::new(),
        failures: Vec::new(),
        warnings: Vec::new(),
        retention: Vec::new(),
        told: Told::default(),
    };
    let files = &producer.workspace.bound.files;
    for export in exports {
        if on_failure == OnFailure::Stop && !report.failures.is_empty() {
            report.exports.push(produce::report(export, Status::Skipped));
            continue;
        }
        let begun = clock::instant();
        let produced = producer.export(export).await;
        let took = clock::instant().duration_since(begun).as_micros();
        let duration_us = u64::try_from(took).unwrap_or(u64::MAX);
        match produced {
            Ok((mut done, failure)) => {
                done.told.duration_us = duration_us;
                let warnings = std::mem::take(&mut done.warnings);
                if !warnings.is_empty() {
                    report.warnings.push(Failure::from(warnings).with_files(files));
                }
                report.exports.push(done);
                report.failures.extend(failure.map(|failure| failure.with_files(files)));
            }
            Err(failure) => {
                let failure = failure.with_files(files);
                let mut failed = producer.failed(export, &failure);
                failed.told.duration_us = duration_us;
                report.exports.push(failed);
                report.failures.push(failure);
            }
        }
    }
    report
}

/// Missing approvals that a message lists.
const APPROVALS_SHOWN: usize = 5;

/// What must hold before a byte is read.
async fn gate(
    workspace: &Workspace,
    plan: Option<(&Path, &Plan)>,
    keys: &Keys,
    run: RunId,
) -> Outcome<BTreeSet<String>> {
    let target = &workspace.bound.project.target;
    let Some((file, given)) = plan else {
        if target.protected {
            let message =
                format!("target `{}` is protected and runs only from a plan", target.name.value);
            let finding = Diagnostic::new(&run::PLAN_REQUIRED, message)
                .at(target.name.at, "has protected: true")
                .help("have the plan of `engine plan --out FILE` reviewed, then use `engine run --plan FILE`; `engine retry --plan FILE` takes such a run up");
            return Err(Failure::from(finding).with_files(&workspace.bound.files));
        }
        return Ok(BTreeSet::new());
    };
    let made = plan::made(&workspace.bound, &given.select, Some(keys), Some(run), None).await?;
    // Places of changes are not part of the document, and so not of the digest.
    if given.digest == made.digest && given.clone().is_intact() {
        return approved(workspace, file, given);
    }
    Err(Diagnostic::new(
        &run::PLAN_STALE,
        format!("`{}` no longer holds: {}", file.display(), difference(given, &made)),
    )
    .help("make a new plan with `engine plan --out FILE` and have it reviewed")
    .into())
}

/// The owners who approved a plan: those of what a protected target would widen have to.
fn approved(workspace: &Workspace, file: &Path, plan: &Plan) -> Outcome<BTreeSet<String>> {
    let project = &workspace.bound.project;
    if !project.target.protected {
        return Ok(BTreeSet::new());
    }
    let owners = approval::owners(project, file, plan)?;
    let missing = approval::missing(plan, &owners);
    if missing.is_empty() {
        return Ok(owners);
    }
    let shown = missing.iter().take(APPROVALS_SHOWN).cloned().collect::<Vec<_>>().join("; ");
    let more = missing.len().saturating_sub(APPROVALS_SHOWN);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let message = format!(
        "plan `{}` lets more be read than before, and is not approved by {shown}{more}",
        file.display()
    );
    Err(Diagnostic::new(&run::PLAN_NOT_APPROVED, message)
        .help(format!("have them run `engine approve {} --owner … --key …`", file.display()))
        .into())
}

/// What differs between two plans, in words.
fn difference(given: &Plan, made: &Plan) -> String {
    if given.engine != made.engine {
        return format!("it was made by engine {}, this is {}", given.engine, made.engine);
    }
    if given.target != made.target || given.project != made.project {
        return format!("it is for target `{}` of project `{}`", given.target, given.project);
    }
    if !given.base_known {
        return "it was made without the keys, so it does not say what it would follow".to_owned();
    }
    if given.base != made.base {
        return "it was compared with something else than the newest snapshots".to_owned();
    }
    if given.places != made.places {
        return "the store or a connection is another one".to_owned();
    }
    let changed = made.exports.iter().filter_map(|export| {
        let name = &export.name;
        match given.exports.iter().find(|one| one.name == *name) {
            None => Some(format!("it does not have export `{name}`")),
            Some(one) if one.base != export.base => {
                Some(format!("export `{name}` has a new snapshot since"))
            }
            Some(one) if one != export => Some(format!("export `{name}` was changed since")),
            Some(_) => None,
        }
    });
    let gone = given.exports.iter().filter_map(|export| {
        let there = made.exports.iter().any(|one| one.name == export.name);
        (!there).then(|| format!("export `{}` is gone", export.name))
    });
    let differences: Vec<String> = changed.chain(gone).collect();
    if differences.is_empty() { "it was changed".to_owned() } else { differences.join("; ") }
}
