//! What an export is, in one canonical text: equal definitions over equal sources give equal data, so a
//! snapshot made from the same ones is reused.
//!
//! Comments, the style of YAML and SQL, and the names of files do not occur in it; parameters, key
//! versions, the version of each mask's mapping and the way each table is read do.

use datafusion::sql::parser::DFParser;
use engine_bundle::digest::Digest;
use engine_project::{Relation, Table};
use serde_json::{Value, json};

use crate::bind::{BoundColumn, BoundExport, BoundProject, Treatment};
use crate::types::type_name;

/// The canonical definition of an export.
pub fn definition(bound: &BoundProject, export: &BoundExport) -> Value {
    let mut upstream = Vec::new();
    collect(bound, &export.from, &mut upstream);
    let plans: Vec<Value> = upstream.iter().map(|name| model(bound, name)).collect();
    let tables: Vec<Value> =
        bound.reads(&export.from).iter().map(|relation| read(bound, relation)).collect();
    json!({
        "project": bound.project.name.value,
        "export": export.name,
        "from": export.from.to_string(),
        "models": plans,
        "tables": tables,
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

/// A model: the statement, because a plan's text leaves out what is long, and the plan, because the
/// statement's stars stand for whatever columns there are.
fn model(bound: &BoundProject, name: &str) -> Value {
    let model = bound.models.get(name);
    let text = model.map(|model| model.sql.as_str()).unwrap_or_default();
    let plan = model.map(|model| model.plan.as_str());
    json!({ "model": name, "sql": canonical_sql(text), "plan": plan })
}

/// SQL without its comments and layout; as it is where it cannot be parsed.
fn canonical_sql(text: &str) -> String {
    let Ok(statements) = DFParser::parse_sql(text) else { return text.to_owned() };
    statements.iter().map(|statement| format!("{statement};")).collect()
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
        Treatment::Masked { function, spec, inputs, lookup, .. } => json!({
            "mask": function,
            "abi": engine_masking::find(function).map(engine_masking::Function::abi),
            "linkage": spec.linkage,
            "key": spec.key.as_ref().map(ToString::to_string),
            "params": sorted(&spec.params),
            "inputs": inputs,
            "lookup": lookup.as_ref().map(ToString::to_string),
        }),
        Treatment::Kept { .. } | Treatment::Open(_) => Value::String("kept".to_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_of_sql_does_not_count_and_every_literal_does() {
        let plain = canonical_sql("select a from t where a in (1, 2)");
        assert_eq!(canonical_sql("SELECT a -- note\n FROM t\n WHERE a IN (1,2)"), plain);
        let rows = |last: u8| {
            canonical_sql(&format!("select * from (values (1),(2),(3),(4),(5),({last})) as t(a)"))
        };
        assert_ne!(rows(6), rows(7));
    }
}
