//! `plan`: what a run would do, without reading a row.

use std::path::{Path, PathBuf};

use crate::bind::{BoundExport, BoundProject, Schemas};
use crate::codes::{commands, run};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::files;
use crate::keys::{self, Keys};
use crate::plan::{Base, Known, Plan};
use crate::request::Context;
use crate::selection;
use crate::store::{self, Store};
use crate::workspace::{self, Access};

/// Bytes of a plan that is read back.
const PLAN_BYTES_MAX: u64 = 64 << 20;

/// Makes the plan of the selected exports. Opens catalogs where types are not declared, and the store's
/// manifests where the keyring can be opened; reads no row.
///
/// # Errors
/// The project does not compile, or nothing is selected.
pub async fn plan(context: &Context, select: &[String]) -> Outcome<Plan> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context).ok();
    let listed = keys::listed(&project);
    let access = keys.as_ref().map_or(Access::Listed(&listed), Access::Opened);
    let workspace = workspace::open(&project, context, access, Schemas::Catalogs).await?;
    let exports = selection::exports(&workspace.bound, select)?;
    made(&workspace.bound, &exports, keys.as_ref()).await
}

/// The plan of these exports, compared with the store when the keys are there.
///
/// # Errors
/// The store cannot be read, or holds a manifest that was changed.
pub async fn made(
    bound: &BoundProject,
    exports: &[&BoundExport],
    keys: Option<&Keys>,
) -> Outcome<Plan> {
    let store = match keys {
        Some(_) => Some(store::open(&bound.project)?),
        None => None,
    };
    let mut known = Vec::with_capacity(exports.len());
    for export in exports {
        let base = match (&store, keys) {
            (Some(store), Some(keys)) => base(store, keys, export).await?,
            _ => Known::Nothing,
        };
        known.push((*export, base));
    }
    Ok(Plan::new(bound, &known))
}

async fn base(store: &Store, keys: &Keys, export: &BoundExport) -> Outcome<Known> {
    let file = keys.file_id(store.project(), &export.name)?;
    let head = store.head(file, &export.name, keys).await?;
    Ok(head.map_or(Known::NoSnapshot, |head| {
        Known::Snapshot(Base {
            version: head.manifest.version,
            definition: head.manifest.inputs.plan,
        })
    }))
}

/// Writes a plan to `out`, or to `target/plan.json`; gives the path.
///
/// # Errors
/// The file cannot be written.
pub fn write(context: &Context, plan: &Plan, out: Option<&Path>) -> Outcome<PathBuf> {
    let path = out.map_or_else(|| context.root.join("target").join("plan.json"), Path::to_path_buf);
    let path = path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path);
    files::write(&path, plan.canonical().as_bytes()).map_err(|_| {
        Diagnostic::new(
            &commands::OUTPUT_UNWRITABLE,
            format!("{} cannot be written", path.display()),
        )
    })?;
    Ok(path)
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
