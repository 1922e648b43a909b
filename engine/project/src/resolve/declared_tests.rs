//! Tests of columns, tables, models and exports, typed.

use serde::Deserialize;
use serde_json::Value as Json;

use super::names::Findings;
use super::reference;
use crate::de::from_node;
use crate::duration;
use crate::location::{Location, Spanned};
use crate::model::{ColumnTest, Declared, Relation, Severity, TableTest};
use crate::node::{Node, Value};
use crate::raw::{RawColumnTests, RawRange, RawRowCount, RawSeverity, RawTableTests};

/// A test, and the severity it was given.
type Given<T> = (T, Option<RawSeverity>);

/// Tests of a column: names, and mappings with one key. The schema has checked the shape.
pub(super) fn of_column(findings: &mut Findings, nodes: &[Node]) -> Vec<Declared<ColumnTest>> {
    let test = |node: &Node| {
        let given = match &node.value {
            Value::Str(name) if name == "not_null" => (ColumnTest::NotNull, None),
            Value::Str(name) if name == "unique" => (ColumnTest::Unique, None),
            Value::Str(name) if name == "leak" => (ColumnTest::Leak, None),
            _ => {
                let raw = read(findings, node)?;
                column_test(findings, raw)?
            }
        };
        Some(declared(given, node.at))
    };
    nodes.iter().filter_map(test).collect()
}

/// Tests of a table, model or export: mappings with one key. The schema has checked the shape.
pub(super) fn of_table(findings: &mut Findings, nodes: &[Node]) -> Vec<Declared<TableTest>> {
    let test = |node: &Node| {
        let raw = read(findings, node)?;
        Some(declared(table_test(findings, raw)?, node.at))
    };
    nodes.iter().filter_map(test).collect()
}

fn read<'n, T: Deserialize<'n>>(findings: &mut Findings, node: &'n Node) -> Option<T> {
    let read = from_node(node);
    read.map_err(|error| {
        findings.invalid("a test", error.message, error.at.unwrap_or(node.at));
    })
    .ok()
}

fn declared<T>((test, severity): Given<T>, at: Location) -> Declared<T> {
    let severity = match severity {
        Some(RawSeverity::Warn) => Severity::Warn,
        Some(RawSeverity::Error) | None => Severity::Error,
    };
    Declared { test, severity, at }
}

fn column_test(findings: &mut Findings, raw: RawColumnTests) -> Option<Given<ColumnTest>> {
    let RawColumnTests {
        not_null,
        unique,
        leak,
        accepted_values,
        relationships,
        range,
        regex,
        freshness,
    } = raw;
    Some(if let Some(raw) = not_null {
        (ColumnTest::NotNull, raw.severity)
    } else if let Some(raw) = unique {
        (ColumnTest::Unique, raw.severity)
    } else if let Some(raw) = leak {
        (ColumnTest::Leak, raw.severity)
    } else if let Some(raw) = accepted_values {
        (values(&raw.values), raw.severity)
    } else if let Some(raw) = relationships {
        (related(findings, &raw.to, raw.field)?, raw.severity)
    } else if let Some(Spanned { value: RawRange { min, max, severity }, at }) = range {
        (within(findings, min.as_ref(), max.as_ref(), at)?, severity)
    } else if let Some(raw) = freshness {
        (fresh(findings, &raw.max_age)?, raw.severity)
    } else {
        let raw = regex?;
        (ColumnTest::Regex { pattern: raw.pattern }, raw.severity)
    })
}

fn table_test(findings: &mut Findings, raw: RawTableTests) -> Option<Given<TableTest>> {
    let RawTableTests {
        k_anonymity,
        l_diversity,
        row_count,
        expression,
        not_null,
        unique,
        leak,
        accepted_values,
        relationships,
        range,
        regex,
        freshness,
    } = raw;
    let (column, test, severity) = if let Some(raw) = k_anonymity {
        return Some((TableTest::KAnonymity { columns: raw.columns, k: raw.k }, raw.severity));
    } else if let Some(raw) = l_diversity {
        let (columns, sensitive, l) = (raw.columns, raw.sensitive, raw.l);
        return Some((TableTest::LDiversity { columns, sensitive, l }, raw.severity));
    } else if let Some(raw) = row_count {
        return self::row_count(findings, &raw);
    } else if let Some(raw) = expression {
        return Some((TableTest::Expression { sql: raw.sql }, raw.severity));
    } else if let Some(raw) = not_null {
        (raw.column, ColumnTest::NotNull, raw.severity)
    } else if let Some(raw) = unique {
        (raw.column, ColumnTest::Unique, raw.severity)
    } else if let Some(raw) = leak {
        (raw.column, ColumnTest::Leak, raw.severity)
    } else if let Some(raw) = accepted_values {
        (raw.column, values(&raw.values), raw.severity)
    } else if let Some(raw) = relationships {
        (raw.column, related(findings, &raw.to, raw.field)?, raw.severity)
    } else if let Some(Spanned { value: raw, at }) = range {
        (raw.column, within(findings, raw.min.as_ref(), raw.max.as_ref(), at)?, raw.severity)
    } else if let Some(raw) = freshness {
        (raw.column, fresh(findings, &raw.max_age)?, raw.severity)
    } else {
        let raw = regex?;
        (raw.column, ColumnTest::Regex { pattern: raw.pattern }, raw.severity)
    };
    Some((TableTest::Column { column, test }, severity))
}

fn row_count(findings: &mut Findings, raw: &Spanned<RawRowCount>) -> Option<Given<TableTest>> {
    let RawRowCount { min, max, severity } = raw.value;
    let expected = match (min, max) {
        (None, None) => "a mapping with `min`, `max` or both",
        (Some(min), Some(max)) if min > max => {
            "a mapping with a least number of rows not above the greatest"
        }
        _ => return Some((TableTest::RowCount { min, max }, severity)),
    };
    findings.invalid("row_count", expected, raw.at);
    None
}

fn within(
    findings: &mut Findings,
    min: Option<&Node>,
    max: Option<&Node>,
    at: Location,
) -> Option<ColumnTest> {
    if min.is_none() && max.is_none() {
        findings.invalid("range", "a mapping with `min`, `max` or both", at);
        return None;
    }
    Some(ColumnTest::Range { min: min.map(Node::redacted_json), max: max.map(Node::redacted_json) })
}

fn values(nodes: &[Node]) -> ColumnTest {
    let values: Vec<Json> = nodes.iter().map(Node::redacted_json).collect();
    ColumnTest::AcceptedValues { values }
}

fn related(
    findings: &mut Findings,
    to: &Spanned<String>,
    field: Spanned<String>,
) -> Option<ColumnTest> {
    let to = relation(findings, "relationships.to", to)?;
    Some(ColumnTest::Relationships { to, field: field.value })
}

fn fresh(findings: &mut Findings, max_age: &Spanned<String>) -> Option<ColumnTest> {
    let seconds = duration::seconds(&max_age.value);
    let seconds = seconds.map_err(|error| {
        findings.invalid("freshness.max_age", error.to_string(), max_age.at);
    });
    Some(ColumnTest::Freshness { max_age_seconds: seconds.ok()? })
}

/// A relation written as a value.
pub(super) fn relation(
    findings: &mut Findings,
    path: &str,
    text: &Spanned<String>,
) -> Option<Relation> {
    let relation = reference::parse(&text.value);
    if relation.is_none() {
        findings.invalid(path, "source('name', 'table') or ref('model')", text.at);
    }
    relation
}
