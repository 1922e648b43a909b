//! A plan from a bound project.

use std::collections::BTreeMap;

use engine_bundle::digest::Digest;
use engine_bundle::ids::RunId;
use engine_project::{Load, LoadMode, Project, Relation, Spanned};
use engine_sources::{ContentStatistics, LoadRequest};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::document::{
    Action, BaseName, Beside, Coverages, Expected, FORMAT_VERSION, Plan, PlannedColumn,
    PlannedExport, PlannedField, PlannedHistory, PlannedLoad, PlannedReference, PlannedSource,
    PlannedTreatment,
};
use super::treated::{collision, treatment};
use crate::bind::{BoundColumn, BoundExport, BoundProject};
use crate::checks;
use crate::definition::Definition;
use crate::flow::{Kinds, Origin};
use crate::types::type_name;

/// What is known of an export's newest snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    /// Its version.
    pub version: u64,
    /// The definition it was made from.
    pub definition: Digest,
    /// Its rows.
    pub rows: u64,
    /// Bytes of its chunks.
    pub bytes: u64,
    /// Its columns.
    pub columns: Vec<engine_bundle::manifest::Column>,
    /// The run that made it: later ones have greater ids.
    pub run: RunId,
    /// What a plan said of the export; none where this version cannot read it.
    pub described: Option<Described>,
}

/// What a manifest keeps of a plan: the export, and the source tables it reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Described {
    /// The export, as if nothing were there before.
    pub export: PlannedExport,
    /// The tables, by name.
    pub tables: BTreeMap<String, Vec<PlannedField>>,
    /// What the sources' catalogs say of their contents, where the project lets them be asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub statistics: BTreeMap<String, BTreeMap<String, ContentStatistics>>,
}

impl Described {
    /// What a plan says of an export.
    #[must_use]
    pub fn of(bound: &BoundProject, export: &BoundExport) -> Self {
        let mut tables = tables(bound);
        let export = planned(bound, export, &Known::Nothing);
        let mut statistics = statistics(bound);
        tables.retain(|name, _| export.reads.contains(name));
        statistics.retain(|name, _| export.reads.contains(name));
        Self { export, tables, statistics }
    }
}

/// What a plan is made for, besides the project.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope<'a> {
    /// The selectors.
    pub select: &'a [String],
    /// A keyed digest of the places that are read and written.
    pub places: Option<&'a str>,
}

/// What the store said about an export.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// It was not asked.
    Nothing,
    /// There is no snapshot.
    NoSnapshot,
    /// There is one.
    Snapshot(Box<Base>),
}

impl Plan {
    /// The plan of these exports of a bound project, not compared with anything yet.
    pub(super) fn bare(
        bound: &BoundProject,
        scope: Scope<'_>,
        exports: &[(&BoundExport, Known)],
    ) -> Self {
        let sources = exports;
        let mut exports: Vec<PlannedExport> =
            exports.par_iter().map(|(export, known)| planned(bound, export, known)).collect();
        exports.sort_by(|one, other| one.name.cmp(&other.name));
        Self {
            format_version: FORMAT_VERSION,
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            project: bound.project.name.value.clone(),
            target: bound.project.target.name.value.clone(),
            protected: bound.project.target.protected,
            base_known: exports.iter().all(|export| export.action != Action::Unknown),
            select: scope.select.to_vec(),
            places: scope.places.map(str::to_owned),
            locations: locations(&bound.project),
            base: BaseName::Nothing,
            changes: Vec::new(),
            coverage: Coverages::default(),
            tables: tables(bound),
            keys: keys(&exports),
            owners: owners(&bound.project),
            retention: retention(&bound.project),
            exports,
            digest: String::new(),
            beside: Beside {
                sql: sql(bound, sources),
                statistics: statistics(bound),
                ..Beside::default()
            },
        }
    }
}

/// The source tables, as they were bound.
fn tables(bound: &BoundProject) -> BTreeMap<String, Vec<PlannedField>> {
    let table = |relation: &Relation| {
        let columns = bound.reaches.get(relation).into_iter().flat_map(|reach| &reach.columns);
        let field = |column: &crate::bind::ColumnReach| PlannedField {
            name: column.name.clone(),
            data_type: column.data_type.as_ref().map(type_name).unwrap_or_default(),
            class: column.classes.first().cloned().flatten(),
        };
        (relation.to_string(), columns.map(field).collect())
    };
    bound.tables.keys().map(table).collect()
}

/// What the sources say of the contents of their columns.
fn statistics(bound: &BoundProject) -> BTreeMap<String, BTreeMap<String, ContentStatistics>> {
    let known = bound.tables.iter().filter(|(_, table)| !table.statistics.is_empty());
    known.map(|(relation, table)| (relation.to_string(), table.statistics.clone())).collect()
}

/// The store, the connections and what each source is read through. Settings that come from the
/// environment are not shown.
fn locations(project: &Project) -> BTreeMap<String, String> {
    let target = &project.target;
    let connections = target.connections.iter().map(|(name, connection)| {
        let params = connection.params.redacted_json();
        (format!("connection {name}"), format!("{} {params}", connection.kind.value))
    });
    let sources = project
        .sources
        .iter()
        .map(|source| (format!("source {}", source.name.value), source.connection.value.clone()));
    let store = ("store".to_owned(), target.store.value.shown().to_owned());
    connections.chain(sources).chain([store]).collect()
}

/// The retention policies of exports and histories, as they are written.
fn retention(project: &Project) -> BTreeMap<String, Value> {
    let of = |kept: &Spanned<String>, name: &Option<Spanned<String>>| {
        let name = name.as_ref()?;
        let policy = project.retention.iter().find(|policy| policy.name.value == name.value)?;
        let text = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.value.clone());
        let hold = policy.legal_hold.as_ref().map(|hold| {
            let until = hold.until.as_ref().map(|until| until.value.to_string());
            json!({"owner": hold.owner.value, "reason": hold.reason.value, "until": until})
        });
        let mut rules = json!({
            "policy": policy.name.value,
            "keep": policy.keep,
            "max_age": text(&policy.max_age),
            "grace": text(&policy.grace),
            "legal_hold": hold,
        });
        if let Some(span) = &policy.superseded_for {
            rules["superseded_for"] = json!(span.value);
        }
        if let Some(rows) = &policy.rows {
            rules["rows"] = json!({"older_than": rows.older_than.value, "by": rows.by.value});
        }
        if let Some(cold) = &policy.cold {
            rules["cold"] = json!(cold.value);
        }
        Some((kept.value.clone(), rules))
    };
    let exports = project.exports.iter().filter_map(|one| of(&one.name, &one.retention));
    let histories = project.tracking.histories.iter();
    exports.chain(histories.filter_map(|one| of(&one.name, &one.retention))).collect()
}

/// Who may approve plans, without the comments of their keys.
fn owners(project: &Project) -> BTreeMap<String, Vec<String>> {
    let plain = |key: &str| key.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let owner = |(name, keys): (&String, &Vec<Spanned<String>>)| {
        (name.clone(), keys.iter().map(|key| plain(&key.value)).collect())
    };
    project.owners.iter().map(owner).collect()
}

/// The masking keys, by name.
fn keys(exports: &[PlannedExport]) -> BTreeMap<String, u32> {
    let columns = exports.iter().flat_map(|export| &export.columns);
    columns
        .filter_map(|column| match &column.treatment {
            PlannedTreatment::Masked { key, when, .. } => {
                Some([key.as_ref(), when.as_ref().and_then(|when| when.key.as_ref())])
            }
            _ => None,
        })
        .flatten()
        .flatten()
        .filter_map(|key| {
            let (name, version) = key.rsplit_once('@')?;
            Some((name.to_owned(), version.parse().ok()?))
        })
        .collect()
}

pub(super) fn planned(bound: &BoundProject, export: &BoundExport, known: &Known) -> PlannedExport {
    let defined = Definition::of(bound, export);
    let made_from = defined.digest();
    let published = |name: &str| export.columns.iter().any(|column| column.name == name);
    let declared = bound.project.columns(&export.from);
    let (base, action) = match known {
        Known::Nothing => (None, Action::Unknown),
        Known::NoSnapshot => (None, Action::Create),
        Known::Snapshot(base) if base.definition == made_from => (Some(base), Action::Refresh),
        Known::Snapshot(base) => (Some(base), Action::Rebuild),
    };
    PlannedExport {
        name: export.name.clone(),
        from: export.from.to_string(),
        reads: bound.looks_at(export).iter().map(Relation::to_string).collect(),
        filter: export.filter.as_ref().map(|filter| filter.sql.clone()),
        columns: export.columns.iter().map(|one| column(bound, export, known, one)).collect(),
        indirect: export
            .indirect
            .iter()
            .map(|used| PlannedSource {
                column: used.origin.to_string(),
                class: used.class.clone(),
                how: words(used.kinds),
            })
            .collect(),
        left_out: declared
            .iter()
            .map(|column| column.name.value.clone())
            .filter(|name| !published(name))
            .collect(),
        partition_by: export.partition_by.clone(),
        chunk_rows: export.chunk_rows,
        encryption: match export.encryption {
            engine_project::Encryption::Sealed => "sealed".to_owned(),
            engine_project::Encryption::Modular => "modular".to_owned(),
        },
        tests: export.tests.iter().map(checks::describe).collect(),
        tests_left_out: export.tests_left_out.iter().map(checks::describe).collect(),
        loads: export.loads.iter().map(|load| self::load(bound, export, load)).collect(),
        tenant: bound.project.tenant_of(&export.name).map(str::to_owned),
        histories: histories(&bound.project, &export.name),
        base: base.map(|base| base.version),
        action,
        expected: base.map(|base| Expected { rows: base.rows, bytes: base.bytes }),
        parts: defined
            .parts()
            .map(|(name, digest)| (name.to_owned(), digest.to_string()))
            .collect(),
        definition: made_from.to_string(),
    }
}

/// The histories of an export.
fn histories(project: &Project, export: &str) -> Vec<PlannedHistory> {
    let own = project.tracking.histories.iter().filter(|history| history.of.value == export);
    let names = |columns: &[Spanned<String>]| columns.iter().map(|one| one.value.clone()).collect();
    own.map(|history| PlannedHistory {
        name: history.name.value.clone(),
        key: names(&history.key),
        tenant: history.tenant.as_ref().map(|tenant| tenant.value.clone()),
        references: history
            .references
            .iter()
            .map(|reference| PlannedReference {
                name: reference.name.clone(),
                columns: names(&reference.columns),
                to: reference.to.value.clone(),
                tenant: reference.tenant.as_ref().map(|tenant| tenant.value.clone()),
            })
            .collect(),
    })
    .collect()
}

/// What an export is defined by, part by part.
fn load(bound: &BoundProject, export: &BoundExport, load: &Load) -> PlannedLoad {
    let connection = bound.connections.get(&load.connection.value);
    let loader = connection.and_then(|connection| connection.loader());
    let request = load_request(export, load);
    PlannedLoad {
        connection: load.connection.value.clone(),
        table: load.table.value.clone(),
        mode: match load.mode {
            LoadMode::Replace => "replace".to_owned(),
            LoadMode::Append => "append".to_owned(),
        },
        statements: loader.map(|loader| loader.statements(&request)).unwrap_or_default(),
    }
}

/// A load as far as it is known before there are rows.
pub fn load_request(export: &BoundExport, load: &Load) -> LoadRequest {
    LoadRequest {
        table: load.table.value.clone(),
        mode: match load.mode {
            LoadMode::Replace => engine_sources::LoadMode::Replace,
            LoadMode::Append => engine_sources::LoadMode::Append,
        },
        schema: export.schema(),
        key: export.key.clone(),
        rows: 0,
        receipt: String::new(),
    }
}

/// The compiled SQL of exports and of the models that are bound.
fn sql(bound: &BoundProject, exports: &[(&BoundExport, Known)]) -> BTreeMap<String, String> {
    let models =
        bound.models.iter().map(|(name, model)| (format!("model {name}"), model.sql.clone()));
    let exports =
        exports.iter().map(|(export, _)| (format!("export {}", export.name), export.sql.clone()));
    models.chain(exports).collect()
}

fn words(kinds: Kinds) -> Vec<String> {
    kinds.iter().map(|kind| kind.word().to_owned()).collect()
}

fn column(
    bound: &BoundProject,
    export: &BoundExport,
    known: &Known,
    column: &BoundColumn,
) -> PlannedColumn {
    let source = |(origin, kinds): (&Origin, Kinds)| PlannedSource {
        column: origin.to_string(),
        class: bound.reaches.column(origin).and_then(|column| column.classes.first().cloned()?),
        how: words(kinds),
    };
    PlannedColumn {
        name: column.name.clone(),
        data_type: type_name(column.output.data_type()),
        class: column.class.clone(),
        sensitive: column.sensitive,
        sources: column.reach.sources.direct().map(source).collect(),
        treatment: treatment(column),
        collision: collision(export, known, column),
    }
}
