//! What an export is, in one canonical text: equal definitions over equal sources give equal data, so a
//! snapshot made from the same ones is reused.
//!
//! Comments, the style of YAML and SQL, and the names of files do not occur in it; parameters, key
//! versions and the version of each mask's mapping do.

use engine_bundle::digest::Digest;
use engine_project::Relation;
use serde_json::{Value, json};

use crate::bind::{BoundColumn, BoundExport, BoundProject, Treatment};
use crate::types::type_name;

/// The canonical definition of an export.
pub fn definition(bound: &BoundProject, export: &BoundExport) -> Value {
    let mut upstream = Vec::new();
    collect(bound, &export.from, &mut upstream);
    let plans: Vec<Value> = upstream
        .iter()
        .map(|name| json!({ "model": name, "plan": bound.models.get(name) }))
        .collect();
    json!({
        "project": bound.project.name.value,
        "export": export.name,
        "from": export.from.to_string(),
        "models": plans,
        "filter": export.filter,
        "columns": export.columns.iter().map(column).collect::<Vec<_>>(),
        "partition_by": export.partition_by,
        "chunk_rows": export.chunk_rows,
        "encryption": match export.encryption {
            engine_project::Encryption::Sealed => "sealed",
            engine_project::Encryption::Modular => "modular",
        },
        "tests": export.tests.iter().map(crate::checks::describe).collect::<Vec<_>>(),
    })
}

/// The digest of a canonical value.
pub fn digest(value: &Value) -> Digest {
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

fn column(column: &BoundColumn) -> Value {
    let treatment = match &column.treatment {
        Treatment::Masked { function, spec, inputs, lookup, .. } => json!({
            "mask": function,
            "abi": engine_masking::find(function).map(engine_masking::Function::abi),
            "linkage": spec.linkage,
            "key": spec.key.as_ref().map(ToString::to_string),
            "params": sorted(&spec.params),
            "inputs": inputs,
            "lookup": lookup.as_ref().map(ToString::to_string),
        }),
        Treatment::Kept { .. } => Value::String("kept".to_owned()),
    };
    json!({
        "name": column.name,
        "type": type_name(column.input.data_type()),
        "class": column.class,
        "treatment": treatment,
    })
}

fn sorted(params: &serde_json::Map<String, Value>) -> Value {
    let mut params = params.clone();
    params.sort_keys();
    Value::Object(params)
}
