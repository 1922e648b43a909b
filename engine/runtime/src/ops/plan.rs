//! `plan`: what a run would do, without reading a row.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_bundle::ids::RunId;
use engine_project::{Project, States};
use engine_sources::TableState;
use zeroize::Zeroizing;

use super::{base, retention};
use crate::bind::{BoundExport, BoundProject, Schemas};
use crate::clock;
use crate::codes::{Code, keys as key_codes, run};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::files;
use crate::git;
use crate::keys::{self, Keys};
use crate::plan::{self, Base, BaseName, Before, Known, Plan, Scope, Section};
use crate::request::Context;
use crate::rotation;
use crate::selection::{self, Select};
use crate::store::{self, Store, Stored};
use crate::workspace::{self, Access};

/// Bytes of a plan that is read back.
const PLAN_BYTES_MAX: u64 = 512 << 20;

/// Makes the plan of the selected exports, compared with `base` (a plan file, a target, a commit) or with
/// the newest snapshots. Opens catalogs where types are not declared, and the store's
/// manifests where the keyring can be opened; reads no row.
///
/// # Errors
/// The project does not compile, or nothing is selected.
pub async fn plan(context: &Context, select: &Select, base: Option<&str>) -> Outcome<Plan> {
    let compared_with = match base {
        Some(base) => Some(base::with(context, base).await?),
        None => None,
    };
    let project = workspace::load(context)?;
    let keys = opened(&project, context)?;
    let listed = keys::listed(&project);
    let access = keys.as_ref().map_or(Access::Listed(&listed), Access::Opened);
    let states = match select.needs_states()? {
        true => states(context, &project, access, keys.as_ref(), compared_with.clone()).await?,
        false => None,
    };
    let selected = selection::exports(&project, select, states.as_ref())?;
    let select = &select.settled(&selected)?;
    let schemas = Schemas::Catalogs;
    let workspace = workspace::open(&project, context, access, schemas, Some(&selected)).await?;
    let mut made = made(&workspace.bound, select, keys.as_ref(), None, compared_with).await;
    if let Ok(plan) = &mut made {
        plan.beside.tables = target_tables(&workspace.bound).await;
        if let Some(keys) = &keys {
            plan.beside.rotation = rotation::due(&rotation::ages(&project, keys)?, clock::now());
        }
        // Without any policy there is nothing to say, and nothing to ask the store for each export.
        if let Some(keys) = keys.as_ref().filter(|_| has_policies(&project)) {
            let mut due = retention::foreseen(context, &project, keys, None).await?;
            let of = |name: &str| project.tracking.history(name).map(|one| one.of.value.as_str());
            due.retain(|kept| {
                let export = of(&kept.export).unwrap_or(&kept.export);
                selected.contains(export) && !kept.is_nothing()
            });
            plan.beside.retention = due;
        }
    }
    // Taking a large project apart takes a tenth of the time of its plan, and nobody waits for it.
    rayon::spawn(move || drop((workspace, project)));
    made
}

/// Whether any export or history has a retention policy, or had one.
fn has_policies(project: &Project) -> bool {
    project.tracking.histories.iter().any(|history| history.retention.is_some())
        || project.exports.iter().any(|export| export.retention.is_some())
        || project.retention.iter().any(|policy| !policy.former_exports.is_empty())
}

/// What stands in the tables that would be loaded. One that cannot be looked at is left out: a plan is
/// made where databases are out of reach, too.
async fn target_tables(bound: &BoundProject) -> BTreeMap<String, TableState> {
    let mut tables = BTreeMap::new();
    for export in &bound.exports {
        for load in &export.loads {
            let connection = bound.connections.get(&load.connection.value);
            let Some(loader) = connection.and_then(|connection| connection.loader()) else {
                continue;
            };
            let Ok(state) = loader.compare(&plan::load_request(export, load)).await else {
                continue;
            };
            tables.insert(format!("{}.{}", load.connection.value, load.table.value), state);
        }
    }
    tables
}

/// The exports that are not as they were before; none where nothing is known of that.
///
/// # Errors
/// The project does not compile, or the store cannot be read.
pub(super) async fn states(
    context: &Context,
    project: &Arc<Project>,
    access: Access<'_>,
    keys: Option<&Keys>,
    compared_with: Option<(BaseName, Before)>,
) -> Outcome<Option<States>> {
    let workspace = workspace::open(project, context, access, Schemas::Catalogs, None).await?;
    let plan = made(&workspace.bound, &[], keys, None, compared_with).await?;
    if plan.base == BaseName::Nothing {
        return Ok(None);
    }
    let mut states = States::default();
    for change in &plan.changes {
        if change.section == Section::Data && change.kind == "new" {
            states.new.insert(change.node.clone());
        } else if change.section != Section::Gates {
            states.changed.insert(change.node.clone());
        }
    }
    Ok(Some(states))
}

/// The keys, or none where they are not at hand: a plan can be made without. A secret that is given and
/// wrong is no way to ask for one.
fn opened(project: &Project, context: &Context) -> Outcome<Option<Keys>> {
    const NOT_AT_HAND: [&Code; 2] = [&key_codes::KEYRING_MISSING, &key_codes::NO_PASSPHRASE];
    let is_absent = |finding: &Diagnostic| NOT_AT_HAND.contains(&finding.code);
    match keys::open(project, context) {
        Ok(keys) => Ok(Some(keys)),
        Err(failure) if failure.diagnostics.iter().all(is_absent) => Ok(None),
        Err(_) if !keys::has_key(project, context) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The plan of what was bound, compared with the store when the keys are there. What `run` has committed
/// already counts as not there yet, so that its plan holds until it is through.
///
/// # Errors
/// The store cannot be read, or holds a manifest that was changed.
pub async fn made(
    bound: &BoundProject,
    select: &[String],
    keys: Option<&Keys>,
    run: Option<RunId>,
    compared_with: Option<(BaseName, Before)>,
) -> Outcome<Plan> {
    let store = match keys {
        Some(_) => Some(store::open(&bound.project)?),
        None => None,
    };
    let mut known = Vec::with_capacity(bound.exports.len());
    for export in &bound.exports {
        let base = match (&store, keys) {
            (Some(store), Some(keys)) => newest(store, keys, export, run).await?,
            _ => Known::Nothing,
        };
        known.push((export, base));
    }
    let places = keys.map(|keys| places(&bound.project, keys)).transpose()?;
    let scope = Scope { select, places: places.as_deref() };
    Ok(plan::plan(bound, scope, &known, compared_with))
}

/// A digest of where data is read from and written to. Keyed: settings may be secrets, or be guessed.
fn places(project: &Project, keys: &Keys) -> Outcome<String> {
    let target = &project.target;
    let mut text = target.store.value.reveal().to_owned();
    for (name, connection) in &target.connections {
        let params = connection.params.reveal_json().to_string();
        for part in [name.as_str(), connection.kind.value.as_str(), params.as_str()] {
            text.push('\n');
            text.push_str(part);
        }
    }
    Ok(keys.file_id(&project.name.value, &Zeroizing::new(text))?.to_string())
}

async fn newest(
    store: &Store,
    keys: &Keys,
    export: &BoundExport,
    run: Option<RunId>,
) -> Outcome<Known> {
    let file = keys.file_id(store.project(), &export.name)?;
    let tip = store.tip(file, &export.name, keys).await?;
    let mut head = tip.clone().readable();
    if let Some(newest) = head.take_if(|head| run == Some(head.manifest.run))
        && let Some(before) = newest.manifest.predecessor
        // What retention took since was not there for anybody.
        && !tip.is_gone(before)
    {
        let before = store.manifest(file, &export.name, before.version, keys).await;
        head = Some(before.map_err(|error| error.diagnostic())?);
    }
    Ok(head.map_or(Known::NoSnapshot, |head| Known::Snapshot(Box::new(base_of(&head)))))
}

/// What a snapshot says of what it was made from.
pub(super) fn base_of(head: &Stored) -> Base {
    Base {
        version: head.manifest.version,
        definition: head.manifest.inputs.plan,
        rows: head.manifest.rows,
        bytes: head.manifest.bytes,
        columns: head.manifest.schema.clone(),
        run: head.manifest.run,
        // One of another version of the format says nothing here; the manifest's own columns do.
        described: head.manifest.described.clone().and_then(|one| serde_json::from_value(one).ok()),
    }
}

/// Writes a plan to `out`, or to `target/plan.json`; gives the path.
///
/// # Errors
/// The file cannot be written.
pub fn write(context: &Context, plan: &Plan, out: Option<&Path>) -> Outcome<PathBuf> {
    let path = out.map_or_else(|| context.root.join("target").join("plan.json"), Path::to_path_buf);
    let path = path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path);
    files::write(&path, plan.canonical().as_bytes())
        .map_err(|error| Diagnostic::unwritable(&path, &error))?;
    Ok(path)
}

/// Writes a report of a plan.
///
/// # Errors
/// The file cannot be written.
pub fn report(path: &Path, text: &str) -> Outcome<()> {
    files::write(path, text.as_bytes()).map_err(|error| Diagnostic::unwritable(path, &error).into())
}

/// The plan with the places of its changes as the repository has them, for platforms that show them there:
/// a project may be a folder of it.
#[must_use]
pub fn in_repository(context: &Context, plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    let folder = git::place(&context.root).filter(|folder| !folder.is_empty());
    for place in plan.changes.iter_mut().filter_map(|change| change.place.as_mut()) {
        if let Some(folder) = &folder {
            *place = format!("{folder}/{place}");
        }
    }
    plan
}

/// Reads a plan that was written before and is as it was made.
///
/// # Errors
/// It is no plan of this version of the format, or was changed.
pub fn intact(path: &Path) -> Outcome<Plan> {
    let plan = read(path)?;
    if plan.clone().is_intact() {
        return Ok(plan);
    }
    let message =
        format!("`{}` is not the plan that was made: its digest is another", path.display());
    Err(Diagnostic::new(&run::PLAN_UNREADABLE, message)
        .help("make a new one with `engine plan`")
        .into())
}

/// Adds the summary of a plan to a file that others write to as well.
///
/// # Errors
/// The file cannot be written.
pub fn add_summary(path: &Path, text: &str) -> Outcome<()> {
    files::append(path, text.as_bytes())
        .map_err(|error| Diagnostic::unwritable(path, &error).into())
}

/// Reads a plan that was written before.
///
/// # Errors
/// It is no plan of this version of the format.
pub fn read(path: &Path) -> Outcome<Plan> {
    let unreadable = |what: &str| {
        Diagnostic::new(&run::PLAN_UNREADABLE, format!("{} {what}", path.display()))
            .help("make a new one with `engine plan`")
    };
    let bytes = files::read(path, PLAN_BYTES_MAX).map_err(|_| unreadable("cannot be read"))?;
    Ok(serde_json::from_slice(&bytes).map_err(|_| unreadable("is not a plan"))?)
}
