//! `CREATE TABLE`: columns, keys and checks.

use super::condition;
use super::constant::default;
use super::keys::key_refusal;
use super::layout::{Column, Context, Table};
use super::names::{Scope, list, note, quoted};
use super::partition;
use crate::schema::{Identity, Key, Words};

/// The statements that make a table and its parts, each with notes of what it leaves out.
pub(super) fn create(
    table: &mut Table<'_>,
    relations: &mut Scope,
    context: &Context<'_>,
) -> Vec<String> {
    let plan = partition::plan(table, &|name, label| context.has_label(name, label));
    table.partitioned_by.clone_from(&plan.columns);
    let mut body = Body::default();
    for column in &table.columns {
        define(column, table, relations, context, &mut body);
    }
    keys(table, relations, &mut body);
    checks(table, context, &mut body);
    let name = quoted(&table.name);
    let notes: String = plan.notes.iter().map(|words| note(words) + "\n").collect();
    let mut statements =
        vec![format!("{notes}CREATE TABLE {name} ({}){};", body.written(), plan.clause)];
    for (part, bounds) in plan.parts {
        let part = quoted(&relations.claim(&part));
        statements.push(format!("CREATE TABLE {part} PARTITION OF {name} {bounds};"));
    }
    statements
}

/// What stands between a table's brackets.
#[derive(Default)]
struct Body {
    /// Each with the notes above it.
    items: Vec<(Vec<String>, String)>,
    /// Notes for the next item.
    pending: Vec<String>,
}

impl Body {
    fn note(&mut self, words: &str) {
        self.pending.push(note(words));
    }

    fn item(&mut self, sql: String) {
        self.items.push((std::mem::take(&mut self.pending), sql));
    }

    fn written(&self) -> String {
        let mut lines = Vec::new();
        for (index, (notes, sql)) in self.items.iter().enumerate() {
            let comma = if index + 1 == self.items.len() { "" } else { "," };
            lines.extend(notes.iter().cloned());
            lines.push(format!("{sql}{comma}"));
        }
        lines.extend(self.pending.iter().cloned());
        let lines: String = lines.iter().map(|line| format!("\n    {line}")).collect();
        if lines.is_empty() { lines } else { lines + "\n" }
    }
}

fn define(
    column: &Column<'_>,
    table: &Table<'_>,
    relations: &mut Scope,
    context: &Context<'_>,
    body: &mut Body,
) {
    let mut sql = format!("{} {}", quoted(&column.name), column.mapped.sql);
    if let Some(lost) = column.mapped.lost {
        body.note(&format!("{} as {} loses {lost}", column.of.data_type, column.mapped.sql));
    }
    if column.of.collation.as_ref().is_some_and(|name| name != "default") {
        body.note("collation not translated");
    }
    if !column.of.nullable {
        sql.push_str(" NOT NULL");
    }
    let value = value(column, table, relations, context, body);
    sql.push_str(&value.unwrap_or_default());
    body.item(sql);
}

/// Where the value comes from if no statement gives one.
fn value(
    column: &Column<'_>,
    table: &Table<'_>,
    relations: &mut Scope,
    context: &Context<'_>,
    body: &mut Body,
) -> Option<String> {
    if column.of.generated.is_some() {
        let Some(sql) = &column.generated else {
            body.note("computed column not translated: a plain column");
            return None;
        };
        return Some(format!(" GENERATED ALWAYS AS ({sql}) STORED"));
    }
    if let Some(identity) = column.of.identity {
        if !["smallint", "integer", "bigint"].contains(&column.mapped.sql.as_str()) {
            body.note("identity not translated: PostgreSQL counts integers only");
            return None;
        }
        let wanted = format!("{}_{}_seq", table.name, column.name);
        // PostgreSQL picks a name by itself, which a later statement might want for something else.
        let sequence = match context.names_sequences {
            true => format!(" (SEQUENCE NAME {})", quoted(&relations.claim(&wanted))),
            false => String::new(),
        };
        let when = match identity {
            Identity::Always => "ALWAYS",
            Identity::ByDefault => "BY DEFAULT",
        };
        return Some(format!(" GENERATED {when} AS IDENTITY{sequence}"));
    }
    let words = column.of.default.as_ref()?;
    let has_label = |name: &str, label: &str| context.has_label(name, label);
    let sql = words.text().map(|text| default(text, &column.mapped.family, &has_label));
    match sql {
        None => body.note("default not kept"),
        Some(None) => body.note("default not translated"),
        Some(Some(sql)) if sql == "NULL" => {}
        Some(Some(sql)) => return Some(format!(" DEFAULT {sql}")),
    }
    None
}

fn keys(table: &mut Table<'_>, relations: &mut Scope, body: &mut Body) {
    let primary = table.of.primary_key.iter().map(|key| (key, "PRIMARY KEY"));
    for (key, words) in primary.chain(table.of.unique.iter().map(|key| (key, "UNIQUE"))) {
        if let Some(why) = key_refusal(table, &key.columns) {
            body.note(&format!("{} {} not translated: {why}", words.to_lowercase(), said(key)));
            continue;
        }
        let columns = table.columns_of(&key.columns).unwrap_or_default();
        let columns: Vec<_> = columns.iter().map(|column| column.name.clone()).collect();
        let wanted = match (named(key), words) {
            (Some(name), _) => name.to_owned(),
            (None, "PRIMARY KEY") => format!("{}_pkey", table.name),
            (None, _) => format!("{}_{}_key", table.name, columns.join("_")),
        };
        let name = relations.claim(&wanted);
        table.constraints.claim(&name);
        table.keys.push(key.columns.clone());
        body.item(format!("CONSTRAINT {} {words} ({})", quoted(&name), list(&columns)));
    }
}

/// MySQL calls every primary key `PRIMARY`.
fn named(key: &Key) -> Option<&str> {
    key.name.as_deref().filter(|name| *name != "PRIMARY")
}

fn said(key: &Key) -> String {
    format!("({})", key.columns.join(", "))
}

fn checks(table: &mut Table<'_>, context: &Context<'_>, body: &mut Body) {
    for check in &table.of.checks {
        let said = check.name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
        let Words::Kept(words) = &check.condition else {
            body.note(&format!("check{said} not kept"));
            continue;
        };
        let Some(sql) = condition::check(words, &table.columns, context) else {
            body.note(&format!("check{said} not translated"));
            continue;
        };
        let wanted = check.name.clone().unwrap_or_else(|| format!("{}_check", table.name));
        let name = table.constraints.claim(&wanted);
        body.item(format!("CONSTRAINT {} CHECK ({sql})", quoted(&name)));
    }
}
