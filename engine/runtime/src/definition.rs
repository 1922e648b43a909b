//! What an export is: equal definitions over equal sources give equal data, so a
//! snapshot made from the same ones is reused.
//!
//! Comments, the style of YAML and SQL, and the names of files do not occur in it; parameters, key
//! versions, the version of each mask's mapping and the way each table is read do.

use std::collections::BTreeMap;

use engine_bundle::digest::Digest;
use engine_project::{Relation, Table};
use serde_json::{Value, json};

use crate::bind::{AppliedMask, BoundColumn, BoundExport, BoundProject, Otherwise, Treatment};
use crate::types::type_name;

/// What an export is, part by part: by the parts that differ it is said why it is written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition(BTreeMap<&'static str, Digest>);

impl Definition {
    /// The definition of an export.
    #[must_use]
    pub fn of(bound: &BoundProject, export: &BoundExport) -> Self {
        let mut upstream = Vec::new();
        for relation in std::iter::once(&export.from).chain(export.related()) {
            collect(bound, relation, &mut upstream);
        }
        let models: Vec<Value> = upstream.iter().map(|name| model(bound, name)).collect();
        let tables: Vec<Value> =
            bound.looks_at(export).iter().map(|relation| read(bound, relation)).collect();
        let encryption = match export.encryption {
            engine_project::Encryption::Sealed => "sealed",
            engine_project::Encryption::Modular => "modular",
        };
        let tests: Vec<Value> = export.tests.iter().map(crate::checks::describe).collect();
        let parts = [
            ("name", json!([bound.project.name.value, export.name])),
            ("from", json!(export.from.to_string())),
            ("models", Value::Array(models)),
            ("tables", Value::Array(tables)),
            ("filter", json!(export.filter.as_ref().map(|filter| filter.meaning))),
            ("columns", Value::Array(export.columns.iter().map(column).collect())),
            ("layout", json!([export.partition_by, export.chunk_rows, encryption])),
            ("tests", Value::Array(tests)),
        ];
        let expiry = expiry(bound, export).map(|expiry| ("expiry", expiry));
        let parts = parts.into_iter().chain(expiry);
        Self(parts.map(|(name, part)| (name, digest(&part))).collect())
    }

    /// The digest of all parts.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest(&json!(self.0))
    }

    /// The digest of each part.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, Digest)> {
        self.0.iter().map(|(name, digest)| (*name, *digest))
    }
}

/// Which rows are not published because of their age; none where every row is.
fn expiry(bound: &BoundProject, export: &BoundExport) -> Option<Value> {
    let policy = &bound.project.export(&export.name)?.retention.as_ref()?.value;
    let policy = bound.project.retention.iter().find(|one| one.name.value == *policy)?;
    let rule = policy.rows.as_ref()?;
    Some(json!([rule.older_than.value, rule.by.value]))
}

/// The digest of a canonical value.
fn digest(value: &Value) -> Digest {
    Digest::of(value.to_string().as_bytes())
}

/// The digest of what happens to the columns alone.
pub fn policy_digest(export: &BoundExport) -> Digest {
    digest(&Value::Array(export.columns.iter().map(column).collect()))
}

fn collect(bound: &BoundProject, relation: &Relation, found: &mut Vec<String>) {
    let Relation::Model { name } = relation else { return };
    if found.contains(name) {
        return;
    }
    found.push(name.clone());
    for on in bound.project.model(name).iter().flat_map(|model| &model.depends_on) {
        collect(bound, &on.value, found);
    }
}

fn model(bound: &BoundProject, name: &str) -> Value {
    json!([name, bound.models.get(name).map(|model| model.meaning)])
}

/// How a table is read: another delimiter or another declared type gives other rows from the same bytes.
fn read(bound: &BoundProject, relation: &Relation) -> Value {
    let Relation::Table { source, table } = relation else { return Value::Null };
    let table = bound.project.table(source, table);
    json!({
        "table": relation.to_string(),
        "read": table.map(|table| canonical(table.read.reveal_json())),
        "columns": table.map(declared),
    })
}

fn declared(table: &Table) -> Vec<Value> {
    let column = |column: &engine_project::Column| {
        let declared = column.column_type.as_ref().map(|declared| declared.value.to_string());
        json!([column.name.value, declared, column.nullable])
    };
    table.columns.iter().map(column).collect()
}

fn canonical(mut value: Value) -> Value {
    value.sort_all_objects();
    value
}

fn column(column: &BoundColumn) -> Value {
    let treatment = match &column.treatment {
        Treatment::Masked { mask, fork: None, .. } => self::mask(mask),
        Treatment::Masked { mask, fork: Some(fork), .. } => json!({
            "mask": self::mask(mask),
            "when": fork.condition.meaning.to_string(),
            "otherwise": match &fork.otherwise {
                Otherwise::Null => Value::Null,
                Otherwise::Masked(mask) => self::mask(mask),
                Otherwise::Kept(_) => Value::String("kept".to_owned()),
            },
        }),
        Treatment::Computed { computed, .. } => json!({
            "computed": computed.meaning.to_string(),
            "masked": computed.masked,
        }),
        Treatment::Kept(_) | Treatment::Open(_) => Value::String("kept".to_owned()),
    };
    json!({
        "name": column.name,
        "type": type_name(column.input.data_type()),
        "class": column.class,
        "treatment": treatment,
    })
}

fn mask(mask: &AppliedMask) -> Value {
    json!({
        "mask": mask.function,
        "abi": engine_masking::find(mask.function).map(engine_masking::Function::abi),
        "linkage": mask.spec.linkage,
        "column": mask.spec.column,
        "key": mask.spec.key.as_ref().map(ToString::to_string),
        "params": sorted(&mask.spec.params),
        "inputs": mask.inputs,
        "lookup": mask.lookup.as_ref().map(ToString::to_string),
    })
}

fn sorted(params: &serde_json::Map<String, Value>) -> Value {
    let mut params = params.clone();
    params.sort_keys();
    Value::Object(params)
}
