//! Tests of columns and exports, typed.

use serde_json::Value as Json;

use super::names::Findings;
use super::reference;
use crate::de::from_node;
use crate::location::Spanned;
use crate::model::{ColumnTest, ExportTest};
use crate::node::{Node, Value};
use crate::raw::{RawColumnTests, RawExportTests};

/// A test of a column: a name, or a mapping with one key. The schema has checked the shape.
pub(super) fn of_column(findings: &mut Findings, node: &Node) -> Option<Spanned<ColumnTest>> {
    let test = match &node.value {
        Value::Str(name) if name == "not_null" => ColumnTest::NotNull,
        Value::Str(name) if name == "unique" => ColumnTest::Unique,
        _ => match from_node::<RawColumnTests>(node) {
            Ok(raw) => column_test(findings, raw)?,
            Err(error) => {
                findings.invalid("a test", error.message, error.at.unwrap_or(node.at));
                return None;
            }
        },
    };
    Some(Spanned::new(test, node.at))
}

fn column_test(findings: &mut Findings, raw: RawColumnTests) -> Option<ColumnTest> {
    let RawColumnTests { not_null, unique, accepted_values, relationships, range, regex } = raw;
    if not_null.is_some() {
        Some(ColumnTest::NotNull)
    } else if unique.is_some() {
        Some(ColumnTest::Unique)
    } else if let Some(raw) = accepted_values {
        Some(ColumnTest::AcceptedValues { values: json(&raw.values) })
    } else if let Some(raw) = relationships {
        let to = relation(findings, "relationships.to", &raw.to)?;
        Some(ColumnTest::Relationships { to, field: raw.field.value })
    } else if let Some(Spanned { value: raw, at }) = range {
        self::range(findings, raw.min.as_ref(), raw.max.as_ref(), at)
    } else {
        regex.map(|raw| ColumnTest::Regex { pattern: raw.pattern })
    }
}

/// A test of an export: a mapping with one key. The schema has checked the shape.
pub(super) fn of_export(findings: &mut Findings, node: &Node) -> Option<Spanned<ExportTest>> {
    match from_node::<RawExportTests>(node) {
        Ok(raw) => export_test(findings, raw).map(|test| Spanned::new(test, node.at)),
        Err(error) => {
            findings.invalid("a test", error.message, error.at.unwrap_or(node.at));
            None
        }
    }
}

fn export_test(findings: &mut Findings, raw: RawExportTests) -> Option<ExportTest> {
    let RawExportTests { k_anonymity, not_null, unique, accepted_values, range } = raw;
    if let Some(raw) = k_anonymity {
        return Some(ExportTest::KAnonymity { columns: raw.columns, k: raw.k });
    }
    let (column, test) = if let Some(raw) = not_null {
        (raw.column, ColumnTest::NotNull)
    } else if let Some(raw) = unique {
        (raw.column, ColumnTest::Unique)
    } else if let Some(raw) = accepted_values {
        (raw.column, ColumnTest::AcceptedValues { values: json(&raw.values) })
    } else {
        let Spanned { value: raw, at } = range?;
        (raw.column, self::range(findings, raw.min.as_ref(), raw.max.as_ref(), at)?)
    };
    Some(ExportTest::Column { column, test })
}

fn range(
    findings: &mut Findings,
    min: Option<&Node>,
    max: Option<&Node>,
    at: crate::location::Location,
) -> Option<ColumnTest> {
    if min.is_none() && max.is_none() {
        findings.invalid("range", "a mapping with `min`, `max` or both", at);
        return None;
    }
    Some(ColumnTest::Range { min: min.map(Node::redacted_json), max: max.map(Node::redacted_json) })
}

fn json(nodes: &[Node]) -> Vec<Json> {
    nodes.iter().map(Node::redacted_json).collect()
}

/// A relation written as a value.
pub(super) fn relation(
    findings: &mut Findings,
    path: &str,
    text: &Spanned<String>,
) -> Option<crate::model::Relation> {
    let relation = reference::parse(&text.value);
    if relation.is_none() {
        findings.invalid(path, "source('name', 'table') or ref('model')", text.at);
    }
    relation
}
