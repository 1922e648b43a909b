//! What changed between two records of a source's catalog.
//!
//! ```text
//!  before ─┐   tables: by name, then renames      columns of each: by name, then renames
//!          ├─▶ ───────────────────────────── ──▶ ──────────────────────────────────── ──▶ changes
//!  after ──┘               (pairs)                 (order: what moved; types: what is wider)
//! ```
//!
//! No difference of two records is silent: whatever part of them differs, there is a change that says so.
//! What merely follows a rename is not another change: a key over a renamed column, a reference to a
//! renamed table. Expressions are not read, so a check that names a renamed column is one that changed.
//!
//! Texts are compared as they are: both records must hold them in the same form, kept or digested under
//! the same key.

mod describe;
mod kind;
mod names;
mod order;
mod pairs;
mod parts;
mod table;
mod types;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use kind::ChangeKind;

use crate::schema::{EnumType, SourceSchema, TableSchema};
use names::Names;
use pairs::Pairs;
use table::TableChanges;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What kind of thing changed.
    pub kind: ChangeKind,
    /// The table, by its present name where it has one; none for what belongs to the whole source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The column, by its present name where it has one; none for what belongs to the whole table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What it was, in words; none for what was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is, in words; none for what was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Every difference of two records of one source: the source's own, then table by table, by name.
#[must_use]
pub fn compare(before: &SourceSchema, after: &SourceSchema) -> Vec<Change> {
    let (before, after) = (before.clone().canonical(), after.clone().canonical());
    let mut found = source(&before, &after);
    found.extend(enums(&before.enums, &after.enums));
    found.extend(tables(&before.tables, &after.tables));
    found
}

fn source(before: &SourceSchema, after: &SourceSchema) -> Vec<Change> {
    let words = |schema: &SourceSchema| Some(format!("{} ({})", schema.source, schema.kind));
    if (&before.source, &before.kind) == (&after.source, &after.kind) {
        return Vec::new();
    }
    vec![of_source(ChangeKind::SourceChanged, words(before), words(after))]
}

fn enums(before: &[EnumType], after: &[EnumType]) -> Vec<Change> {
    let pairs = Pairs::by_name(before, after, |one| &one.name);
    let both = pairs.both.iter().map(|((_, one), (_, other))| (Some(*one), Some(*other)));
    let removed = pairs.removed.iter().map(|(_, one)| (Some(*one), None));
    let added = pairs.added.iter().map(|(_, other)| (None, Some(*other)));
    let differing = both.chain(removed).chain(added).filter(|(one, other)| one != other);
    differing
        .map(|(one, other)| {
            let (old, new) = (one.map(describe::labels), other.map(describe::labels));
            of_source(ChangeKind::EnumChanged, old, new)
        })
        .collect()
}

fn of_source(kind: ChangeKind, before: Option<String>, after: Option<String>) -> Change {
    Change { kind, table: None, column: None, before, after }
}

fn tables(before: &[TableSchema], after: &[TableSchema]) -> Vec<Change> {
    let pairs = pairs::tables(before, after);
    let mut names = Names::default();
    let mut both = Vec::new();
    for ((_, one), (_, other)) in &pairs.both {
        let columns = pairs::columns(one, other);
        names.add(one, other, &columns);
        both.push((*one, *other, columns));
    }
    let mut found: BTreeMap<&str, Vec<Change>> = BTreeMap::new();
    for (_, table) in &pairs.removed {
        let old = Some(describe::table(table));
        found.entry(&table.name).or_default().push(whole(
            ChangeKind::TableRemoved,
            table,
            old,
            None,
        ));
    }
    for (_, table) in &pairs.added {
        let new = Some(describe::table(table));
        found.entry(&table.name).or_default().push(whole(ChangeKind::TableAdded, table, None, new));
    }
    for (one, other, columns) in both {
        let changes = TableChanges::of(one, other, &columns, &names);
        found.entry(&other.name).or_default().extend(changes);
    }
    found.into_values().flatten().collect()
}

fn whole(
    kind: ChangeKind,
    table: &TableSchema,
    before: Option<String>,
    after: Option<String>,
) -> Change {
    Change { kind, table: Some(table.name.clone()), column: None, before, after }
}
