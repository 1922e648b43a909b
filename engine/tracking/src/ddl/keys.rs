//! What is added once all tables are there: indexes and references.

use super::condition;
use super::layout::{Column, Context, Table};
use super::names::{Scope, list, note, quoted};
use crate::schema::{ForeignKey, Index, ReferenceAction, Term, Words};

/// Why PostgreSQL cannot have a key of these columns.
pub(super) fn key_refusal(table: &Table<'_>, columns: &[String]) -> Option<&'static str> {
    if table.columns_of(columns).is_none() {
        return Some("a column is not there or named twice, or they are too many");
    }
    let is_whole = table.partitioned_by.iter().all(|column| columns.contains(column));
    (!is_whole).then_some("a key of a partitioned table holds the columns it is partitioned by")
}

/// The indexes of a table, each a statement or a note of why not.
pub(super) fn indexes(
    table: &mut Table<'_>,
    relations: &mut Scope,
    context: &Context<'_>,
) -> Vec<String> {
    let mut statements = Vec::new();
    for index in &table.of.indexes {
        match definition(table, index, context) {
            Ok(definition) => {
                let unique = if index.unique { "UNIQUE " } else { "" };
                let name = quoted(&relations.claim(&index.name));
                statements.push(format!("CREATE {unique}INDEX {name} ON {definition};"));
                if index.unique && index.predicate.is_none() {
                    table.keys.push(plain_columns(index).unwrap_or_default());
                }
            }
            Err(why) => {
                let name = &index.name;
                let of = &table.of.name;
                statements.push(note(&format!("index {name} of {of} not translated: {why}")));
            }
        }
    }
    statements
}

fn definition(
    table: &Table<'_>,
    index: &Index,
    context: &Context<'_>,
) -> Result<String, &'static str> {
    if index.method.as_ref().is_some_and(|method| !method.eq_ignore_ascii_case("btree")) {
        return Err("it is not a tree");
    }
    let names = plain_columns(index).ok_or("it holds an expression")?;
    let columns = table.columns_of(&names).ok_or("a column is not there, or they are too many")?;
    if let Some(why) = index.unique.then(|| key_refusal(table, &names)).flatten() {
        return Err(why);
    }
    let order = columns.iter().zip(&index.columns).map(|(column, part)| {
        format!("{}{}", quoted(&column.name), if part.descending { " DESC" } else { "" })
    });
    let order: Vec<_> = order.collect();
    let rows = match index.predicate.as_ref().map(Words::text) {
        None => String::new(),
        Some(None) => return Err("which rows are in it is not kept"),
        Some(Some(words)) => {
            let sql = condition::check(words, &table.columns, context);
            format!(" WHERE {}", sql.ok_or("which rows are in it is not translated")?)
        }
    };
    Ok(format!("{} ({}){rows}", quoted(&table.name), order.join(", ")))
}

fn plain_columns(index: &Index) -> Option<Vec<String>> {
    let names = index.columns.iter().map(|column| match &column.term {
        Term::Column(name) => Some(name.clone()),
        Term::Expression(_) => None,
    });
    names.collect()
}

/// The references of all tables, each a statement or a note of why not.
pub(super) fn references(tables: &mut [Table<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        for key in &table.of.foreign_keys {
            found.push((at, key, definition_of(table, key, tables)));
        }
    }
    let mut statements = Vec::new();
    for (at, key, definition) in found {
        let Some(table) = tables.get_mut(at) else { continue };
        match definition {
            Ok(definition) => {
                let wanted = key.name.clone();
                let wanted = wanted
                    .unwrap_or_else(|| format!("{}_{}_fkey", table.name, key.columns.join("_")));
                let name = quoted(&table.constraints.claim(&wanted));
                let table = quoted(&table.name);
                let add = format!("ADD CONSTRAINT {name} {definition};");
                statements.push(format!("ALTER TABLE {table}\n    {add}"));
            }
            Err(why) => {
                let (of, to) = (&table.of.name, &key.table);
                let columns = key.columns.join(", ");
                let words = format!("reference of {of} ({columns}) to {to} not translated: {why}");
                statements.push(note(&words));
            }
        }
    }
    statements
}

fn definition_of(
    table: &Table<'_>,
    key: &ForeignKey,
    tables: &[Table<'_>],
) -> Result<String, &'static str> {
    let missing = "a column is not there or named twice, or they are too many";
    let other = tables.iter().find(|other| other.of.name == key.table);
    let other = other.ok_or("the table it refers to is not there")?;
    let from = table.columns_of(&key.columns).ok_or(missing)?;
    let to = other.columns_of(&key.to).ok_or(missing)?;
    if from.len() != to.len() {
        return Err("it refers to more or fewer columns than it has");
    }
    let is_key = |columns: &Vec<String>| {
        columns.len() == key.to.len() && key.to.iter().all(|column| columns.contains(column))
    };
    if !other.keys.iter().any(is_key) {
        return Err("the columns it refers to have no key, so PostgreSQL would refuse it");
    }
    let comparable = |(one, other): (&&Column<'_>, &&Column<'_>)| {
        one.mapped.family.comparable(&other.mapped.family)
    };
    if !from.iter().zip(&to).all(comparable) {
        return Err("the types of its columns are not those it refers to");
    }
    let passive = [ReferenceAction::NoAction, ReferenceAction::Restrict];
    let is_passive = passive.contains(&key.on_update) && passive.contains(&key.on_delete);
    if from.iter().any(|column| column.generated.is_some()) && !is_passive {
        return Err("PostgreSQL does not change computed columns");
    }
    let actions = [("UPDATE", key.on_update), ("DELETE", key.on_delete)].into_iter();
    let actions: String = actions
        .filter(|(_, action)| *action != ReferenceAction::NoAction)
        .map(|(event, action)| format!(" ON {event} {}", action.words().to_uppercase()))
        .collect();
    Ok(format!(
        "FOREIGN KEY ({}) REFERENCES {} ({}){actions}",
        list(from.iter().map(|column| &column.name)),
        quoted(&other.name),
        list(to.iter().map(|column| &column.name)),
    ))
}
