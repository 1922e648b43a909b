//! What a plan is compared with when it is told: a plan file, a commit, or another target's store.

use std::path::Path;
use std::sync::Arc;

use engine_project::{LoadOptions, Project};

use super::plan;
use crate::bind::Schemas;
use crate::codes::commands;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::git;
use crate::keys;
use crate::plan::{BaseName, Before, Known, Scope};
use crate::problems;
use crate::request::Context;
use crate::store;
use crate::workspace::{self, Access};

/// What `text` names: a file, a reference of Git, or else a target of the project.
///
/// # Errors
/// It is none of these, or what it names cannot be read or does not compile.
pub(super) async fn with(context: &Context, text: &str) -> Outcome<(BaseName, Before)> {
    let path = Path::new(text);
    if path.is_file() {
        let plan = plan::intact(path)?;
        return Ok((BaseName::Plan(plan.digest.clone()), Before::of_plan(&plan)));
    }
    let elsewhere = Context { target: Some(text.to_owned()), ..context.clone() };
    let reason = match git::files(&context.root, text) {
        Ok((commit, files)) => return of_commit(context, &commit, &files).await,
        Err(reason) => reason,
    };
    match workspace::load(&elsewhere) {
        Ok(project) => of_target(&elsewhere, &project, text).await,
        Err(_) => Err(Diagnostic::new(
            &commands::UNKNOWN_BASE,
            format!("`{text}` is no plan, no target and no commit: {reason}"),
        )
        .help("name a plan file, a target of profiles.yml, or a branch, tag or commit")
        .into()),
    }
}

/// The project as it was at a commit, over the sources as they are: nothing is known of its store.
async fn of_commit(
    context: &Context,
    commit: &str,
    files: &[git::File],
) -> Outcome<(BaseName, Before)> {
    let unwritable =
        |path: &Path, error: &std::io::Error| Failure::from(Diagnostic::unwritable(path, error));
    let folder = tempfile::tempdir().map_err(|error| unwritable(&std::env::temp_dir(), &error))?;
    for file in files {
        let path = folder.path().join(&file.path);
        crate::files::write(&path, &file.bytes).map_err(|error| unwritable(&path, &error))?;
    }
    let options = LoadOptions {
        target: context.target.clone(),
        environment: context.environment.clone(),
        vars: context.vars.clone(),
    };
    let mut project = engine_project::load(folder.path(), &options).map_err(problems::failure)?;
    // Relative paths of connections mean the data as it is.
    project.data = context.root.clone();
    let project = Arc::new(project);
    let listed = keys::listed(&project);
    let access = Access::Listed(&listed);
    let workspace = workspace::open(&project, context, access, Schemas::Catalogs, None).await?;
    let exports: Vec<_> =
        workspace.bound.exports.iter().map(|export| (export, Known::Nothing)).collect();
    let made = crate::plan::plan(&workspace.bound, Scope::default(), &exports, None);
    Ok((BaseName::Commit(commit.to_owned()), Before::of_plan(&made)))
}

/// The newest snapshots in another target's store.
async fn of_target(
    context: &Context,
    project: &Project,
    name: &str,
) -> Outcome<(BaseName, Before)> {
    let keys = keys::open(project, context)?;
    let store = store::open(project)?;
    let mut bases = Vec::new();
    for export in &project.exports {
        let name = &export.name.value;
        let file = keys.file_id(store.project(), name)?;
        if let Some(head) = store.tip(file, name, &keys).await?.readable() {
            bases.push((name.clone(), plan::base_of(&head)));
        }
    }
    let bases = bases.iter().map(|(name, base)| (name.clone(), base));
    Ok((BaseName::Target(name.to_owned()), Before::of_snapshots(bases)))
}
