//! `metadata`: what sources say of themselves is recorded and compared with what they said before.

use std::collections::BTreeSet;

use engine_bundle::digest::Digest;
use engine_project::{OnChange, Project, Relation, SchemaTracking, Source};
use engine_tracking::changes::{self, Change, ChangeKind};
use engine_tracking::ddl;
use engine_tracking::log::{self, ChangeLog, Entry};
use engine_tracking::policy::{self, Reaction};
use engine_tracking::runs::{Object, ObjectKind, ScriptType};
use engine_tracking::schema::SourceSchema;
use serde::Serialize;

use crate::bind;
use crate::clock;
use crate::codes::{names, tracking};
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::fault;
use crate::files;
use crate::keys::{self, Keys};
use crate::metadata::{self, Folder, Part, Unwanted};
use crate::operation::{Scene, Told};
use crate::request::Context;
use crate::store;
use crate::workspace;

/// What an extraction found.
#[derive(Debug, Clone, Serialize)]
pub struct ExtractReport {
    /// The sources, in declared order.
    pub sources: Vec<Extracted>,
    /// Changes that the policy warns of.
    #[serde(skip)]
    pub warnings: Vec<Diagnostic>,
}

/// One source.
#[derive(Debug, Clone, Serialize)]
pub struct Extracted {
    /// Its name.
    pub source: String,
    /// Its tables.
    pub tables: usize,
    /// Their columns.
    pub columns: usize,
    /// Whether nothing was recorded of it before.
    pub is_new: bool,
    /// What changed, in one line.
    pub summary: String,
    /// What changed.
    pub changes: Vec<Change>,
    /// What was put aside.
    pub archived: Vec<String>,
}

/// Records the schemas of these sources, or of all that are tracked; `accept` records what the policy would
/// refuse. Nothing is written where nothing changed, and nothing at all where something is refused.
///
/// # Errors
/// A source cannot be read, or changed in a way that the policy refuses.
pub async fn extract(context: &Context, only: &[String], accept: bool) -> Outcome<ExtractReport> {
    let project = workspace::load(context)?;
    let wanted = tracked(&project, only)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &keys, &store)?;
    let objects = sources(wanted.iter().map(|(source, _)| source.name.value.as_str()));
    let work = record(&project, &keys, &wanted, accept);
    scene.recorded(ScriptType::METADATA_EXTRACT, objects, work, |_| Told::default()).await
}

/// Sources' metadata as what an operation is about.
pub(super) fn sources<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<Object> {
    let object = |name: &str| Object { kind: ObjectKind::Metadata, name: name.to_owned() };
    names.into_iter().map(object).collect()
}

/// A source and how it is tracked.
type Tracked<'p> = (&'p Source, &'p SchemaTracking);

/// The sources whose schemas are recorded.
fn tracked<'p>(project: &'p Project, only: &[String]) -> Outcome<Vec<Tracked<'p>>> {
    let all: Vec<Tracked<'_>> = project
        .sources
        .iter()
        .filter_map(|source| Some((source, project.tracking.of(&source.name.value)?)))
        .collect();
    let known = || all.iter().map(|(source, _)| source.name.value.as_str()).collect::<Vec<_>>();
    for name in only {
        if !known().contains(&name.as_str()) {
            let message = format!("the schema of a source `{name}` is not tracked");
            return Err(Diagnostic::new(&tracking::NOTHING_TRACKED, message)
                .help(format!("sources under `tracking: schemas:` are: {}", known().join(", ")))
                .into());
        }
    }
    if all.is_empty() {
        return Err(Diagnostic::new(
            &tracking::NOTHING_TRACKED,
            "the schema of no source is tracked",
        )
        .help("name sources in a policy: `tracking: {schemas: {sources: [crm]}}`")
        .into());
    }
    let is_wanted =
        |(source, _): &Tracked<'_>| only.is_empty() || only.contains(&source.name.value);
    Ok(all.into_iter().filter(is_wanted).collect())
}

/// What is new of a source.
struct Found<'p> {
    source: &'p Source,
    before: Option<SourceSchema>,
    now: SourceSchema,
    changes: Vec<Change>,
}

/// Records the schemas of sources.
///
/// # Errors
/// A source cannot be read, or changed in a way that the policy refuses.
pub async fn record(
    project: &Project,
    keys: &Keys,
    wanted: &[Tracked<'_>],
    accept: bool,
) -> Outcome<ExtractReport> {
    let folder = Folder::of(project, keys);
    let connections = bind::connect_all(project)?;
    let mut found = Vec::with_capacity(wanted.len());
    let (mut refused, mut warnings) = (Vec::new(), Vec::new());
    for (source, tracking) in wanted {
        let policy = on_change(project, tracking)?;
        let now = schema(project, source, tracking, &connections, keys).await?;
        let mut before = folder.schema(&source.name.value)?;
        if !tracking.values {
            // What was recorded while texts were asked for is compared, and put aside, without them.
            let digests = keys.word_digests(&project.name.value)?;
            before = before.map(|before| before.without_words(&|text| digests.of(text)));
        }
        let changes =
            before.as_ref().map(|before| changes::compare(before, &now)).unwrap_or_default();
        let verdict = policy.judge(&changes);
        let finding = |change: &&Change| refusal(source, tracking, change);
        warnings.extend(verdict.warnings.iter().map(|change| finding(change).as_warning()));
        let accepting = "`engine metadata extract --accept` records what was refused";
        refused.extend(verdict.failures.iter().map(|change| finding(change).help(accepting)));
        found.push(Found { source, before, now, changes });
    }
    if accept {
        warnings.extend(refused.drain(..).map(Diagnostic::as_warning));
    }
    if !refused.is_empty() {
        return Err(Failure::from(refused).in_project(project));
    }
    let mut index = folder.index()?;
    let mut sources = Vec::with_capacity(found.len());
    for found in found {
        let name = found.source.name.value.clone();
        let (extracted, log) = written(&folder, found)?;
        if let Some(recorded) = folder.recorded(&name, &log)? {
            index.sources.insert(name, recorded);
        }
        sources.push(extracted);
    }
    folder.write_index(&index)?;
    Ok(ExtractReport { sources, warnings })
}

/// Records the schemas of the tracked sources that these exports read; what the policy warns of.
///
/// # Errors
/// A source cannot be read, or changed in a way that the policy refuses.
pub(super) async fn watch(
    project: &Project,
    keys: &Keys,
    exports: &BTreeSet<String>,
) -> Outcome<Vec<Diagnostic>> {
    let exports = project.exports.iter().filter(|export| exports.contains(&export.name.value));
    let mut waiting: Vec<&Relation> = exports.map(|export| &export.from.value).collect();
    let (mut seen, mut read) = (BTreeSet::new(), BTreeSet::new());
    while let Some(relation) = waiting.pop() {
        match relation {
            Relation::Table { source, .. } => {
                read.insert(source.as_str());
            }
            Relation::Model { name } if seen.insert(name) => {
                let on = project.model(name).into_iter().flat_map(|model| &model.depends_on);
                waiting.extend(on.map(|on| &on.value));
            }
            Relation::Model { .. } => {}
        }
    }
    let sources = project.sources.iter().filter(|source| read.contains(source.name.value.as_str()));
    let wanted: Vec<Tracked<'_>> = sources
        .filter_map(|source| Some((source, project.tracking.of(&source.name.value)?)))
        .collect();
    match wanted.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(record(project, keys, &wanted, false).await?.warnings),
    }
}

/// What a source says of itself now, as it may be recorded.
async fn schema(
    project: &Project,
    source: &Source,
    tracking: &SchemaTracking,
    connections: &bind::Connections,
    keys: &Keys,
) -> Outcome<SourceSchema> {
    let connection = connections.get(&source.connection.value);
    let kind = project.target.connections.get(&source.connection.value);
    let (Some(connection), Some(kind)) = (connection, kind) else {
        // Names were checked when the project was loaded.
        let message = format!("there is no connection `{}`", source.connection.value);
        return Err(Diagnostic::new(&names::UNKNOWN_CONNECTION, message).into());
    };
    let declared: Vec<_> = source.tables.iter().map(bind::request).collect();
    let catalog = connection.catalog(&declared).await.map_err(|error| {
        let finding = fault::diagnose(&error).at(source.name.at, "this source");
        Failure::from(finding).in_project(project)
    })?;
    let mut schema = SourceSchema::new(&source.name.value, &kind.kind.value);
    schema.tables = catalog.tables;
    schema.enums = catalog.enums;
    let digests = keys.word_digests(&project.name.value)?;
    let schema = schema.canonical();
    Ok(if tracking.values { schema } else { schema.without_words(&|text| digests.of(text)) })
}

/// The policy's words as kinds of changes.
fn on_change(project: &Project, tracking: &SchemaTracking) -> Outcome<policy::OnChange> {
    let mut kinds = Vec::with_capacity(tracking.on_change.len());
    let mut unknown = Vec::new();
    for (word, reaction) in &tracking.on_change {
        let reaction = match reaction {
            OnChange::Ignore => Reaction::Ignore,
            OnChange::Warn => Reaction::Warn,
            OnChange::Fail => Reaction::Fail,
        };
        match ChangeKind::of_word(&word.value) {
            Some(kind) => kinds.push((kind, reaction)),
            None => {
                let words = || ChangeKind::ALL.iter().map(|kind| kind.word());
                let label = match engine_project::nearest(&word.value, words()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "not a kind of change".to_owned(),
                };
                let message = format!("`{}` is no kind of change", word.value);
                unknown.push(
                    Diagnostic::new(&tracking::UNKNOWN_CHANGE, message)
                        .at(word.at, label)
                        .help(format!("kinds are: {}", words().collect::<Vec<_>>().join(", "))),
                );
            }
        }
    }
    if unknown.is_empty() {
        Ok(kinds.into_iter().collect())
    } else {
        Err(Failure::from(unknown).in_project(project))
    }
}

/// A change that the policy refuses or warns of.
fn refusal(source: &Source, tracking: &SchemaTracking, change: &Change) -> Diagnostic {
    let word = change.kind.word();
    let named = tracking.on_change.iter().find(|(kind, _)| kind.value == word);
    let at = match named {
        Some((kind, _)) => (kind.at, "this decides"),
        None => (source.name.at, "nothing is said of such changes: they are warned of"),
    };
    let message = format!("source `{}` changed: {}", source.name.value, log::line(change));
    Diagnostic::new(&tracking::SCHEMA_CHANGED, message).at(at.0, at.1)
}

/// Writes what is new of a source; the schema last.
fn written(folder: &Folder<'_>, found: Found<'_>) -> Outcome<(Extracted, ChangeLog)> {
    let Found { source, before, now, changes } = found;
    let name = &source.name.value;
    let mut kept = folder.log(name)?;
    let mut extracted = Extracted {
        source: name.clone(),
        tables: now.tables.len(),
        columns: now.tables.iter().map(|table| table.columns.len()).sum(),
        is_new: before.is_none(),
        summary: log::summary(&changes),
        changes,
        archived: Vec::new(),
    };
    let ddl = ddl::postgres(&now).into_bytes();
    let ddl_name = folder.name(Part::Ddl, name)?;
    if before.as_ref() == Some(&now) {
        // Another version of the engine may write the same schema in other words.
        folder.write(&ddl_name, &ddl)?;
        return Ok((extracted, kept));
    }
    let moment = clock::now();
    let day = moment.format("%Y%m%d").to_string();
    let schema_name = folder.name(Part::Schemas, name)?;
    if let Some(before) = &before {
        let archived = folder.archive(&schema_name, &day, &metadata::document(before))?;
        extracted.archived.push(archived);
        match folder.read(&ddl_name)? {
            Some(old) if old != ddl => {
                extracted.archived.push(folder.archive(&ddl_name, &day, &old)?);
            }
            Some(_) | None => {}
        }
    } else {
        extracted.summary =
            format!("first recorded: {} tables, {} columns", extracted.tables, extracted.columns);
    }
    let time = moment.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut entry = Entry::new(time, name, extracted.changes.clone());
    entry.summary = extracted.summary.clone();
    entry.archived = extracted.archived.clone();
    // An attempt was interrupted before the schema was written, and the log tells of it already.
    let record = Digest::of(&metadata::document(&now)).to_string();
    entry.record = Some(record);
    if kept.entries.first().is_some_and(|last| last.record == entry.record) {
        kept.entries.remove(0);
    }
    kept.record(entry);
    folder.write(&ddl_name, &ddl)?;
    folder.write(&folder.name(Part::Changes, name)?, &metadata::document(&kept))?;
    folder.write(&schema_name, &metadata::document(&now))?;
    Ok((extracted, kept))
}

/// Removes `metadata/decrypted`; whether there was any.
///
/// # Errors
/// It cannot be removed.
pub fn clean(context: &Context) -> Outcome<bool> {
    let project = workspace::load(context)?;
    let folder = project.root.join(metadata::DECRYPTED);
    files::remove_folder(&folder).map_err(|error| Diagnostic::unwritable(&folder, &error).into())
}

/// Files that the next commit would have and must not.
///
/// # Errors
/// Git cannot be asked, or a pattern cannot be read.
pub fn check(context: &Context, allow: &[String]) -> Outcome<Vec<Unwanted>> {
    let patterns: Result<Vec<glob::Pattern>, _> =
        allow.iter().map(|pattern| glob::Pattern::new(pattern)).collect();
    let patterns = patterns.map_err(|error| {
        Diagnostic::new(
            &tracking::COMMIT_UNCHECKED,
            format!("`--allow` is no pattern: {}", error.msg),
        )
    })?;
    metadata::check(&context.root, &patterns).map_err(|words| {
        Diagnostic::new(
            &tracking::COMMIT_UNCHECKED,
            format!("the commit cannot be checked: {words}"),
        )
        .help("run it inside the repository, with `git` on the PATH")
        .into()
    })
}

/// Registers Git's diff driver in the clone that the project is in.
///
/// # Errors
/// It is in none, or `git` cannot be run.
pub fn register(context: &Context) -> Outcome<()> {
    if metadata::register(&context.root) {
        return Ok(());
    }
    Err(Diagnostic::new(&tracking::COMMIT_UNCHECKED, "the diff driver cannot be registered")
        .help("run it inside the repository, with `git` on the PATH")
        .into())
}
