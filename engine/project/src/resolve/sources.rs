//! The section `sources`.

use super::names::Findings;
use super::{declared_tests, policies};
use crate::location::Spanned;
use crate::model::{Column, Reference, Source, Table, Target};
use crate::node::Node;
use crate::problem::Thing;
use crate::raw::{RawColumn, RawReference, RawSource, RawTable};

pub(super) fn resolve(
    findings: &mut Findings,
    raw: Vec<Spanned<RawSource>>,
    target: &Target,
) -> Vec<Source> {
    findings.unique(Thing::Source, raw.iter().map(|source| &source.value.name));
    raw.into_iter().map(|raw| source(findings, raw.value, target)).collect()
}

fn source(findings: &mut Findings, raw: RawSource, target: &Target) -> Source {
    let RawSource { name, connection, description, tags, statistics, tables } = raw;
    findings.identifier("a source's name", &name);
    if name.value == "models" {
        findings.invalid(
            "a source's name",
            "another than `models`, which is where models are found in SQL",
            name.at,
        );
    }
    if !target.connections.contains_key(&connection.value) {
        let within = Some(format!("target `{}`", target.name));
        let among = target.connections.keys().map(String::as_str);
        findings.unknown(Thing::Connection, &connection.value, within, among, connection.at);
    }
    findings.unique(Thing::Table, tables.iter().map(|table| &table.value.name));
    let tables = tables.into_iter().map(|raw| table(findings, raw, &tags)).collect();
    Source { name, connection, description, tags, statistics, tables }
}

fn table(findings: &mut Findings, raw: Spanned<RawTable>, source_tags: &[String]) -> Table {
    let Spanned { value: raw, at } = raw;
    let RawTable { name, description, tags, read, key, columns, references, tests } = raw;
    findings.name("a table's name", &name);
    findings.unique(Thing::Column, columns.iter().map(|column| &column.value.name));
    findings.unique(Thing::Column, &key);
    let columns: Vec<Column> = columns.into_iter().map(|raw| column(findings, raw.value)).collect();
    let within = format!("table `{name}`");
    findings.declared_columns(&within, &columns, &key);
    let references: Vec<Reference> =
        references.into_iter().map(|raw| reference(findings, raw)).collect();
    for reference in &references {
        findings.declared_columns(&within, &columns, &reference.columns);
    }
    let tests = declared_tests::of_table(findings, &tests);
    let tested = tests.iter().flat_map(|declared| declared.test.columns());
    findings.declared_columns(&within, &columns, tested);
    let tags = source_tags.iter().chain(&tags).cloned().collect();
    Table {
        name,
        description,
        tags,
        read: read.unwrap_or(Node::empty_map(at)),
        key,
        columns,
        references,
        tests,
    }
}

fn column(findings: &mut Findings, raw: RawColumn) -> Column {
    findings.name("a column's name", &raw.name);
    Column {
        name: raw.name,
        column_type: raw.column_type.and_then(|text| policies::column_type(findings, &text)),
        nullable: raw.nullable,
        class: raw.class,
        description: raw.description,
        tests: declared_tests::of_column(findings, &raw.tests),
        declassify: None,
    }
}

fn reference(findings: &mut Findings, raw: Spanned<RawReference>) -> Reference {
    let Spanned { value: RawReference { columns, table, to }, at } = raw;
    if columns.len() != to.len() {
        findings.invalid(
            "references.to",
            format!("as many columns as `columns` has: {}", columns.len()),
            at,
        );
    }
    Reference { columns, table, to, at }
}

/// References to tables and columns that do not exist.
pub(super) fn references(findings: &mut Findings, sources: &[Source]) {
    for source in sources {
        for reference in source.tables.iter().flat_map(|table| &table.references) {
            match source.table(&reference.table.value) {
                Some(table) => {
                    findings.declared_columns(
                        &format!("table `{}`", table.name),
                        &table.columns,
                        &reference.to,
                    );
                }
                None => {
                    let among = source.tables.iter().map(|table| table.name.value.as_str());
                    let within = Some(format!("source `{}`", source.name));
                    findings.unknown(
                        Thing::Table,
                        &reference.table.value,
                        within,
                        among,
                        reference.table.at,
                    );
                }
            }
        }
    }
}
