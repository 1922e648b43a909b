//! Changes in one line: `1 table added; 2 columns removed in customers`.

use std::collections::{BTreeMap, BTreeSet};

use crate::changes::{Change, ChangeKind};

/// The changes in one line, by kind, each with its table where it is only one.
#[must_use]
pub fn summary(changes: &[Change]) -> String {
    let mut kinds: BTreeMap<ChangeKind, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for change in changes {
        let (count, tables) = kinds.entry(change.kind).or_default();
        *count += 1;
        tables.extend(change.table.as_deref());
    }
    if kinds.is_empty() {
        return "nothing changed".to_owned();
    }
    let words: Vec<_> =
        kinds.iter().map(|(kind, (count, tables))| phrase(*kind, *count, tables)).collect();
    words.join("; ")
}

fn phrase(kind: ChangeKind, count: usize, tables: &BTreeSet<&str>) -> String {
    let (subject, verb) = kind.subject_and_verb();
    let what = format!("{count} {} {verb}", if count == 1 { subject } else { plural(kind) });
    let mut tables = tables.iter();
    match (subject, tables.next(), tables.len()) {
        ("table", ..) | (_, None, _) => what,
        (_, Some(table), 0) => format!("{what} in {table}"),
        (_, Some(_), others) => format!("{what} in {} tables", others + 1),
    }
}

fn plural(kind: ChangeKind) -> &'static str {
    use ChangeKind as K;
    match kind {
        K::SourceChanged => "sources",
        K::EnumChanged => "enums",
        K::TableAdded | K::TableRemoved | K::TableRenamed => "tables",
        K::ColumnAdded | K::ColumnRemoved | K::ColumnRenamed | K::ColumnMoved => "columns",
        K::TypeWidened | K::TypeNarrowed | K::TypeChanged | K::TypeRespelled => "types",
        K::NullabilityChanged => "nullabilities",
        K::DefaultChanged => "defaults",
        K::GeneratedChanged => "generated columns",
        K::IdentityChanged => "identities",
        K::CollationChanged => "collations",
        K::KeyChanged => "keys",
        K::ReferenceChanged => "references",
        K::CheckChanged => "checks",
        K::IndexChanged => "indexes",
        K::PartitionChanged => "partitions",
        K::CommentChanged => "comments",
    }
}
