//! `compile`: the SQL of every model and export, written to `target/compiled`. Offline: nothing is opened.

use std::path::Path;

use serde::Serialize;

use crate::bind::Schemas;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::files;
use crate::keys;
use crate::request::Context;
use crate::selection::{self, Select};
use crate::workspace::{self, Access};

/// What was compiled.
#[derive(Debug, Clone, Serialize)]
pub struct CompileReport {
    /// The nodes, in order.
    pub nodes: Vec<CompiledNode>,
}

/// One compiled node.
#[derive(Debug, Clone, Serialize)]
pub struct CompiledNode {
    /// Its name.
    pub name: String,
    /// `model` or `export`.
    pub kind: &'static str,
    /// The file of its SQL, relative to the project.
    pub file: String,
}

/// Compiles the selected exports and the models they read.
///
/// # Errors
/// The project does not compile, nothing is selected, or a file cannot be written.
pub async fn compile(context: &Context, select: &Select) -> Outcome<CompileReport> {
    let project = workspace::load(context)?;
    let listed = keys::listed(&project);
    let access = Access::Listed(&listed);
    let selected = selection::exports(&project, select, None)?;
    let workspace = workspace::open(&project, context, access, Schemas::Declared, None).await?;
    let mut outputs = Vec::new();
    for model in &project.models {
        let Some(bound) = workspace.bound.models.get(&model.name.value) else { continue };
        let text = format!("{}\n", bound.sql.trim_end());
        outputs.push((model.name.value.clone(), "model", text, bound.plan.clone()));
    }
    for export in workspace.bound.exports.iter().filter(|export| selected.contains(&export.name)) {
        let plan = workspace.session.state().optimize(&export.plan).map_or_else(
            |_| export.plan.display_indent().to_string(),
            |plan| plan.display_indent().to_string(),
        );
        outputs.push((export.name.clone(), "export", export.sql.clone(), plan));
    }
    let directory = context.root.join("target").join("compiled");
    let mut nodes = Vec::new();
    let mut written = Vec::new();
    for (name, kind, sql, plan) in outputs {
        let folder = format!("{kind}s");
        for (suffix, text) in [("sql", sql), ("plan.txt", format!("{plan}\n"))] {
            let file = format!("{name}.{suffix}");
            write(&directory.join(&folder).join(&file), &text)?;
            written.push((folder.clone(), file));
        }
        nodes.push(CompiledNode {
            file: format!("target/compiled/{folder}/{name}.sql"),
            name,
            kind,
        });
    }
    remove_stale(&directory, &written, *select == Select::default());
    Ok(CompileReport { nodes })
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    files::write(path, text.as_bytes()).map_err(|error| Diagnostic::unwritable(path, &error).into())
}

/// Files of nodes that are gone must not be taken for compiled ones.
fn remove_stale(directory: &Path, written: &[(String, String)], everything: bool) {
    if !everything {
        return;
    }
    for folder in ["models", "exports"] {
        let keep: Vec<String> =
            written.iter().filter(|(of, _)| of == folder).map(|(_, file)| file.clone()).collect();
        // A file that cannot be removed is an old artifact, not a wrong one.
        files::retain(&directory.join(folder), &keep).ok();
    }
}
