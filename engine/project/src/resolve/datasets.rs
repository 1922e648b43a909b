//! The sections `models` and `exports`, and the order of models.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{self, Findings};
use super::{SqlFile, declared_tests, policies};
use crate::location::Spanned;
use crate::model::{
    Chunking, Column, ColumnTest, Encryption, Export, Load, LoadMode, MinGroup, Model, Project,
    Relation, TableTest,
};
use crate::problem::{ProblemKind, Thing};
use crate::raw::{
    RawApproval, RawDefaults, RawEncryption, RawExport, RawLoad, RawLoadMode, RawMinGroup,
    RawModel, RawModelColumn,
};
use crate::suggest::nearest;

/// Rows of a chunk where nothing is said.
const CHUNK_ROWS: u64 = 1_000_000;

pub(super) fn models(
    findings: &mut Findings,
    raw: Vec<Spanned<RawModel>>,
    sql: Vec<SqlFile>,
) -> Vec<Model> {
    findings.unique(Thing::Model, raw.iter().map(|model| &model.value.name));
    findings.unique(Thing::Model, sql.iter().map(|file| &file.name));
    let mut described: BTreeMap<String, RawModel> = BTreeMap::new();
    for Spanned { value: raw, .. } in raw {
        if !sql.iter().any(|file| file.name.value == raw.name.value) {
            let files = sql.iter().map(|file| file.name.value.as_str());
            let kind = ProblemKind::ModelWithoutSql {
                name: raw.name.value.clone(),
                nearest: nearest(&raw.name.value, files).map(str::to_owned),
            };
            findings.report(kind, raw.name.at);
        }
        described.entry(raw.name.value.clone()).or_insert(raw);
    }
    let models: Vec<Model> = sql
        .into_iter()
        .map(|file| model(findings, described.remove(&file.name.value), file))
        .collect();
    ordered(findings, models)
}

fn model(findings: &mut Findings, raw: Option<RawModel>, file: SqlFile) -> Model {
    findings.identifier("a model's name", &file.name);
    let SqlFile { name, sql, depends_on } = file;
    let Some(RawModel { name, description, tags, columns, min_group, tests }) = raw else {
        return Model {
            name,
            sql,
            description: None,
            tags: Vec::new(),
            columns: Vec::new(),
            depends_on,
            min_group: None,
            tests: Vec::new(),
        };
    };
    findings.unique(Thing::Column, columns.iter().map(|column| &column.value.name));
    let columns = columns.into_iter().map(|raw| model_column(findings, raw.value)).collect();
    let min_group = min_group.and_then(|raw| self::min_group(findings, raw));
    let tests = declared_tests::of_table(findings, &tests);
    Model { name, sql, description, tags, columns, depends_on, min_group, tests }
}

fn min_group(findings: &mut Findings, raw: Spanned<RawMinGroup>) -> Option<MinGroup> {
    let Spanned { value: RawMinGroup { size, of, owner, reason, until }, at } = raw;
    if size.value < 2 {
        findings.invalid("a group's least size", "at least 2", size.at);
    }
    let approval = Spanned::new(RawApproval { owner, reason, until }, at);
    Some(MinGroup { size: size.value, of, approval: policies::approval(findings, approval)? })
}

fn model_column(findings: &mut Findings, raw: RawModelColumn) -> Column {
    findings.name("a column's name", &raw.name);
    Column {
        name: raw.name,
        column_type: raw.column_type.and_then(|text| policies::column_type(findings, &text)),
        nullable: None,
        class: raw.class,
        description: raw.description,
        tests: declared_tests::of_column(findings, &raw.tests),
        declassify: raw.declassify.and_then(|raw| policies::approval(findings, raw)),
    }
}

/// Each model after those it depends on, otherwise by name. Every circle is reported
/// once, as the way round from its first model by name.
fn ordered(findings: &mut Findings, models: Vec<Model>) -> Vec<Model> {
    let mut waiting: BTreeMap<String, Model> = BTreeMap::new();
    for model in models {
        waiting.entry(model.name.value.clone()).or_insert(model);
    }
    let mut done: Vec<Model> = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting.values().find(|model| {
            model.depends_on.iter().all(|relation| match &relation.value {
                Relation::Model { name } => !waiting.contains_key(name),
                Relation::Table { .. } => true,
            })
        });
        match ready.map(|model| model.name.value.clone()).or_else(|| sever(findings, &waiting)) {
            Some(name) => done.extend(waiting.remove(&name)),
            None => break,
        }
    }
    done
}

/// Finds a circle among models none of which is ready, reports it, and answers one of its
/// models, to go on without it.
fn sever(findings: &mut Findings, waiting: &BTreeMap<String, Model>) -> Option<String> {
    let mut path: Vec<&str> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut current = waiting.keys().next()?.as_str();
    while seen.insert(current) {
        path.push(current);
        current = next_model(waiting, current)?.value.as_str();
    }
    let start = path.iter().position(|name| *name == current)?;
    let mut circle: Vec<&str> = path.split_off(start);
    let first =
        circle.iter().enumerate().min_by_key(|(_, name)| **name).map_or(0, |(index, _)| index);
    circle.rotate_left(first);
    let (head, last) = (*circle.first()?, *circle.last()?);
    let closing = next_model(waiting, last)?;
    circle.push(head);
    let path = circle.into_iter().map(str::to_owned).collect();
    findings.report(ProblemKind::Cycle { path }, closing.at);
    Some(head.to_owned())
}

/// The first waiting model that a model depends on, with the place of its `ref`.
fn next_model<'m>(waiting: &'m BTreeMap<String, Model>, name: &str) -> Option<Spanned<&'m String>> {
    waiting.get(name)?.depends_on.iter().find_map(|relation| match &relation.value {
        Relation::Model { name } if waiting.contains_key(name) => {
            Some(Spanned::new(name, relation.at))
        }
        _ => None,
    })
}

pub(super) fn exports(
    findings: &mut Findings,
    raw: Vec<Spanned<RawExport>>,
    defaults: &RawDefaults,
) -> Vec<Export> {
    findings.unique(Thing::Export, raw.iter().map(|export| &export.value.name));
    raw.into_iter().filter_map(|raw| export(findings, raw, defaults)).collect()
}

fn export(
    findings: &mut Findings,
    raw: Spanned<RawExport>,
    defaults: &RawDefaults,
) -> Option<Export> {
    let Spanned { value: raw, at } = raw;
    findings.identifier("an export's name", &raw.name);
    let from = declared_tests::relation(findings, "from", &raw.from);
    findings.unique(Thing::Column, raw.columns.iter().flatten());
    findings.unique(Thing::Column, &raw.partition_by);
    let rows = raw.chunk.or(defaults.chunk).map_or(CHUNK_ROWS, |chunk| chunk.rows);
    let encryption = match raw.encryption.or(defaults.encryption) {
        Some(RawEncryption::Modular) => Encryption::Modular,
        Some(RawEncryption::Sealed) | None => Encryption::Sealed,
    };
    Some(Export {
        name: raw.name,
        from: Spanned::new(from?, raw.from.at),
        description: raw.description,
        tags: raw.tags,
        filter: raw.filter,
        columns: raw.columns,
        partition_by: raw.partition_by,
        chunk: Chunking { rows },
        encryption,
        tests: declared_tests::of_table(findings, &raw.tests),
        loads: raw.load.into_iter().map(load).collect(),
        tenant: raw.tenant,
        retention: raw.retention,
        at,
    })
}

fn load(raw: Spanned<RawLoad>) -> Load {
    let Spanned { value: RawLoad { connection, table, mode }, at } = raw;
    let mode = match mode {
        Some(RawLoadMode::Append) => LoadMode::Append,
        Some(RawLoadMode::Replace) | None => LoadMode::Replace,
    };
    Load { connection, table, mode, at }
}

/// Relations, connections and columns that do not exist.
pub(super) fn check(findings: &mut Findings, project: &Project) {
    for relation in project.models.iter().flat_map(|model| &model.depends_on) {
        findings.relation(project, relation);
    }
    for export in &project.exports {
        findings.relation(project, &export.from);
        for connection in export.loads.iter().map(|load| &load.connection) {
            if !project.target.connections.contains_key(&connection.value) {
                let within = Some(format!("target `{}`", project.target.name));
                let among = project.target.connections.keys().map(String::as_str);
                findings.unknown(
                    Thing::Connection,
                    &connection.value,
                    within,
                    among,
                    connection.at,
                );
            }
        }
        columns(findings, project, export);
    }
    related(findings, project);
}

/// Relations that tests name and that do not exist.
fn related(findings: &mut Findings, project: &Project) {
    let of_columns = names::columns(project).flat_map(|(_, column)| &column.tests);
    let of_columns = of_columns.map(|declared| (&declared.test, declared.at));
    let of_tables = names::table_tests(project).filter_map(|declared| match &declared.test {
        TableTest::Column { test, .. } => Some((test, declared.at)),
        _ => None,
    });
    for (test, at) in of_columns.chain(of_tables) {
        if let ColumnTest::Relationships { to, .. } = test {
            findings.relation(project, &Spanned::new(to.clone(), at));
        }
    }
}

fn columns(findings: &mut Findings, project: &Project, export: &Export) {
    let tested = export.tests.iter().flat_map(|declared| declared.test.columns());
    let used: Vec<&Spanned<String>> = export.partition_by.iter().chain(tested).collect();
    if let Some(published) = &export.columns {
        for name in &used {
            if !published.iter().any(|column| column.value == name.value) {
                let among = published.iter().map(|column| column.value.as_str());
                findings.unknown(
                    Thing::Column,
                    &name.value,
                    Some(format!("export `{}`", export.name)),
                    among,
                    name.at,
                );
            }
        }
    }
    // A model may have columns that nobody described.
    if let Relation::Table { .. } = export.from.value {
        let within = format!("table `{}`", export.from.value);
        let declared = project.columns(&export.from.value);
        findings.declared_columns(&within, declared, export.columns.iter().flatten());
        if export.columns.is_none() {
            findings.declared_columns(&within, declared, used);
        }
    }
}
