//! What a part of a catalog is in words, for the old and new of a change.
//!
//! Texts of the catalog appear only where they were kept.

use crate::schema::{
    Check, ColumnSchema, EnumType, ForeignKey, Generated, Identity, Index, IndexColumn, Key, Part,
    Partitioning, ReferenceAction, TableSchema, Term, Words,
};

pub(super) fn table(table: &TableSchema) -> String {
    counted(table.columns.len(), "column")
}

pub(super) fn column(column: &ColumnSchema) -> String {
    let mut words = vec![column.data_type.to_string()];
    words.extend((!column.nullable).then(|| nullability(column)));
    words.extend(column.default.as_ref().map(|default| format!("default {}", default.shown())));
    words.extend(column.generated.as_ref().map(generated));
    words.extend(column.identity.map(identity));
    words.join(", ")
}

pub(super) fn nullability(column: &ColumnSchema) -> String {
    if column.nullable { "nullable" } else { "not null" }.to_owned()
}

pub(super) fn generated(generated: &Generated) -> String {
    let stored = if generated.stored { "stored" } else { "virtual" };
    format!("{stored}: {}", generated.expression.shown())
}

pub(super) fn identity(identity: Identity) -> String {
    match identity {
        Identity::Always => "identity, always",
        Identity::ByDefault => "identity, by default",
    }
    .to_owned()
}

pub(super) fn labels(one: &EnumType) -> String {
    if one.labels.iter().all(|label| label.text().is_some()) {
        let labels: Vec<_> = one.labels.iter().map(Words::shown).collect();
        format!("enum {}: {}", one.name, labels.join(", "))
    } else {
        format!("enum {}: {} (not kept)", one.name, counted(one.labels.len(), "label"))
    }
}

pub(super) fn primary_key(key: &Key) -> String {
    format!("{} ({})", named("primary key", key.name.as_deref()), key.columns.join(", "))
}

pub(super) fn unique(key: &Key) -> String {
    format!("{} ({})", named("unique", key.name.as_deref()), key.columns.join(", "))
}

pub(super) fn check(check: &Check) -> String {
    format!("{}: {}", named("check", check.name.as_deref()), check.condition.shown())
}

pub(super) fn reference(key: &ForeignKey) -> String {
    let mut words = format!(
        "{} ({}) to {} ({})",
        named("reference", key.name.as_deref()),
        key.columns.join(", "),
        key.table,
        key.to.join(", ")
    );
    for (event, action) in [("update", key.on_update), ("delete", key.on_delete)] {
        if action != ReferenceAction::NoAction {
            words.push_str(&format!(", on {event} {}", action.words()));
        }
    }
    words
}

pub(super) fn index(index: &Index) -> String {
    let kind = if index.unique { "unique index" } else { "index" };
    let column = |column: &IndexColumn| {
        let order = if column.descending { " desc" } else { "" };
        format!("{}{order}", term(&column.term))
    };
    let columns: Vec<_> = index.columns.iter().map(column).collect();
    let mut words = format!("{kind} {} ({})", index.name, columns.join(", "));
    if let Some(predicate) = &index.predicate {
        words.push_str(&format!(" where {}", predicate.shown()));
    }
    if let Some(method) = &index.method {
        words.push_str(&format!(", {method}"));
    }
    words
}

pub(super) fn partitioning(partitioning: &Partitioning) -> String {
    let columns: Vec<_> = partitioning.columns.iter().map(term).collect();
    let parts = counted(partitioning.parts.len(), "part");
    format!("by {} ({}), {parts}", partitioning.strategy.word(), columns.join(", "))
}

pub(super) fn part(part: &Part) -> String {
    let bounds = part.bounds.as_ref().map(|bounds| format!(": {}", bounds.shown()));
    format!("part {}{}", part.name, bounds.unwrap_or_default())
}

fn term(term: &Term) -> String {
    match term {
        Term::Column(name) => name.clone(),
        Term::Expression(words) => words.shown().to_owned(),
    }
}

fn named(what: &str, name: Option<&str>) -> String {
    name.map_or_else(|| what.to_owned(), |name| format!("{what} {name}"))
}

/// `1 column`, `2 columns`.
fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
