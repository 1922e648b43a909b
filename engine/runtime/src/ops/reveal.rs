//! `metadata decrypt`, `history` and `show`: what is recorded of sources, in clear for whoever has the key, who is
//! put on record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine_project::Project;
use engine_tracking::ddl;
use engine_tracking::log::ChangeLog;
use engine_tracking::runs::{Object, ObjectKind, ScriptType};
use serde::Serialize;

use crate::codes::tracking;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::files;
use crate::keys;
use crate::metadata::{self, Folder, Index, Part};
use crate::operation::{Scene, Told};
use crate::ops::metadata::sources;
use crate::request::Context;
use crate::store;
use crate::workspace;

/// What was decrypted.
#[derive(Debug, Clone, Serialize)]
pub struct DecryptReport {
    /// The folder.
    pub folder: PathBuf,
    /// The files, relative to it.
    pub files: Vec<String>,
}

/// Writes what is recorded in clear under `metadata/decrypted`: all of it, or one table.
///
/// # Errors
/// Nothing is recorded, or a file cannot be read or written.
pub async fn decrypt(context: &Context, table: Option<&str>) -> Outcome<DecryptReport> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let folder = Folder::of(&project, &keys);
    let index = folder.index()?;
    if index.sources.is_empty() {
        return Err(nothing_recorded("nothing is recorded yet"));
    }
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &keys, &store)?;
    let objects = sources(index.sources.keys().map(String::as_str));
    let work = async { decrypted(&project, &folder, &index, table) };
    scene.recorded(ScriptType::METADATA_DECRYPT, objects, work, |_| Told::default()).await
}

fn decrypted(
    project: &Project,
    folder: &Folder<'_>,
    index: &Index,
    table: Option<&str>,
) -> Outcome<DecryptReport> {
    let mut documents: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for source in index.sources.keys() {
        let Some(mut schema) = folder.schema(source)? else { continue };
        let mut log = folder.log(source)?;
        if let Some(table) = table {
            let name = table.strip_prefix(&format!("{source}.")).unwrap_or(table);
            schema.tables.retain(|one| one.name == name);
            log = log.of_table(name);
            if schema.tables.is_empty() && log.entries.is_empty() {
                continue;
            }
        }
        documents.insert(format!("schemas/{source}.json"), metadata::document(&schema));
        documents.insert(format!("ddl/{source}.sql"), ddl::postgres(&schema).into_bytes());
        documents.insert(format!("changes/{source}.json"), metadata::document(&log));
        documents.insert(format!("changes/{source}.md"), log.to_markdown().into_bytes());
    }
    if documents.is_empty() {
        let message = format!("no table `{}` is recorded", table.unwrap_or_default());
        return Err(nothing_recorded(&message));
    }
    documents.insert("index.json".to_owned(), metadata::document(index));
    // Whatever the project's own list says.
    documents.insert(".gitignore".to_owned(), b"*\n".to_vec());
    let root = project.root.join(metadata::DECRYPTED);
    for (name, bytes) in &documents {
        let path = root.join(name);
        files::write(&path, bytes).map_err(|error| Diagnostic::unwritable(&path, &error))?;
    }
    Ok(DecryptReport { folder: root, files: documents.into_keys().collect() })
}

fn nothing_recorded(message: &str) -> Failure {
    Diagnostic::new(&tracking::NOTHING_RECORDED, message)
        .help("`engine metadata extract` records the schemas of the sources that a policy tracks")
        .into()
}

/// The log of all sources, newest first: of one table, or since a day, where asked.
///
/// # Errors
/// Nothing is recorded, or a file cannot be read.
pub async fn history(
    context: &Context,
    table: Option<&str>,
    since: Option<&str>,
) -> Outcome<ChangeLog> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let folder = Folder::of(&project, &keys);
    let index = folder.index()?;
    if index.sources.is_empty() {
        return Err(nothing_recorded("nothing is recorded yet"));
    }
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &keys, &store)?;
    let objects = sources(index.sources.keys().map(String::as_str));
    let work = async { logged(&folder, &index, table, since) };
    scene.recorded(ScriptType::METADATA_HISTORY, objects, work, |_| Told::default()).await
}

fn logged(
    folder: &Folder<'_>,
    index: &Index,
    table: Option<&str>,
    since: Option<&str>,
) -> Outcome<ChangeLog> {
    let mut all = ChangeLog::default();
    for source in index.sources.keys() {
        let mut log = folder.log(source)?;
        if let Some(table) = table {
            log = log.of_table(table.strip_prefix(&format!("{source}.")).unwrap_or(table));
        }
        if let Some(day) = since {
            log = log.since(day);
        }
        all.entries.extend(log.entries);
    }
    // Entries of one source keep their order where clocks do not tell them apart.
    all.entries.sort_by(|one, other| other.time.cmp(&one.time));
    Ok(all)
}

/// The text of one of the folder's files, for Git's diffs; none for whoever has not the key, and where it cannot
/// be put on record.
pub async fn shown(context: &Context, file: &Path) -> Option<String> {
    let bytes = files::read(file, metadata::FILE_BYTES_MAX).ok()?;
    let project = workspace::load(context).ok()?;
    let keys = keys::open(&project, context).ok()?;
    let sources: Vec<String> =
        project.sources.iter().map(|source| source.name.value.clone()).collect();
    let (name, plain) = Folder::of(&project, &keys).guess(&bytes, &sources).ok()??;
    let store = store::open(&project).ok()?;
    let scene = Scene::of(context, &project, &keys, &store).ok()?;
    let objects = vec![Object { kind: ObjectKind::Metadata, name: name.clone() }];
    let work = async { Ok(()) };
    let recorded = scene.recorded(ScriptType::METADATA_SHOW, objects, work, |()| Told::default());
    recorded.await.ok()?;
    if name.starts_with(Part::Changes.as_str()) {
        let log: ChangeLog = serde_json::from_slice(&plain).ok()?;
        return Some(log.to_text());
    }
    String::from_utf8(plain).ok()
}
