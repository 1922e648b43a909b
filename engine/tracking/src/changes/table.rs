//! What changed in one table and its columns.

use super::{Change, ChangeKind, describe, names::Names, pairs, pairs::Pairs, parts, types};
use crate::schema::{ColumnSchema, TableSchema, Words};

/// One table before and after, and where its changes are gathered.
pub(super) struct TableChanges<'a> {
    before: &'a TableSchema,
    after: &'a TableSchema,
    found: Vec<Change>,
}

impl<'a> TableChanges<'a> {
    /// All changes: the table's own, its columns' in the order they stand, its constraints'.
    pub(super) fn of(
        before: &'a TableSchema,
        after: &'a TableSchema,
        columns: &Pairs<'a, ColumnSchema>,
        names: &Names<'_>,
    ) -> Vec<Change> {
        let mut changes = Self { before, after, found: Vec::new() };
        if before.name != after.name {
            let (old, new) = (before.name.clone(), after.name.clone());
            changes.push(ChangeKind::TableRenamed, None, Some(old), Some(new));
        }
        changes.words(ChangeKind::CommentChanged, None, &before.comment, &after.comment);
        for (_, column) in &columns.removed {
            let old = Some(describe::column(column));
            changes.push(ChangeKind::ColumnRemoved, Some(&column.name), old, None);
        }
        for (_, column) in &columns.added {
            let new = Some(describe::column(column));
            changes.push(ChangeKind::ColumnAdded, Some(&column.name), None, new);
        }
        changes.columns(columns);
        changes.constraints(names);
        changes.found
    }

    fn columns(&mut self, pairs: &Pairs<'a, ColumnSchema>) {
        let moved = pairs::moved(pairs);
        for (index, ((at, one), (new_at, other))) in pairs.both.iter().enumerate() {
            if one.name != other.name {
                let (old, new) = (Some(one.name.clone()), Some(other.name.clone()));
                self.push(ChangeKind::ColumnRenamed, Some(&other.name), old, new);
            }
            if moved.contains(&index) {
                let old = Some(place(&self.before.columns, *at));
                let new = Some(place(&self.after.columns, *new_at));
                self.push(ChangeKind::ColumnMoved, Some(&other.name), old, new);
            }
            self.column(one, other);
        }
    }

    fn column(&mut self, one: &ColumnSchema, other: &ColumnSchema) {
        let name = Some(other.name.as_str());
        if let Some(kind) = types::kind(&one.data_type, &other.data_type) {
            let (old, new) = (one.data_type.to_string(), other.data_type.to_string());
            self.push(kind, name, Some(old), Some(new));
        } else if one.declared != other.declared {
            let (old, new) = (one.declared.clone(), other.declared.clone());
            self.push(ChangeKind::TypeRespelled, name, old, new);
        }
        if one.nullable != other.nullable {
            let (old, new) = (describe::nullability(one), describe::nullability(other));
            self.push(ChangeKind::NullabilityChanged, name, Some(old), Some(new));
        }
        self.words(ChangeKind::DefaultChanged, name, &one.default, &other.default);
        if one.generated != other.generated {
            let old = one.generated.as_ref().map(describe::generated);
            let new = other.generated.as_ref().map(describe::generated);
            self.push(ChangeKind::GeneratedChanged, name, old, new);
        }
        if one.identity != other.identity {
            let (old, new) = (one.identity, other.identity);
            let (old, new) = (old.map(describe::identity), new.map(describe::identity));
            self.push(ChangeKind::IdentityChanged, name, old, new);
        }
        if one.collation != other.collation {
            let (old, new) = (one.collation.clone(), other.collation.clone());
            self.push(ChangeKind::CollationChanged, name, old, new);
        }
        self.words(ChangeKind::CommentChanged, name, &one.comment, &other.comment);
    }

    fn constraints(&mut self, names: &Names<'_>) {
        let (before, after) = (self.before, self.after);
        let former = before.primary_key.as_ref();
        if former.map(|key| names.key(&before.name, key)) != after.primary_key {
            let new = after.primary_key.as_ref().map(describe::primary_key);
            self.push(ChangeKind::KeyChanged, None, former.map(describe::primary_key), new);
        }
        let kind = ChangeKind::KeyChanged;
        self.parts(kind, &parts::unique(before, after, names), describe::unique);
        let kind = ChangeKind::ReferenceChanged;
        self.parts(kind, &parts::references(before, after, names), describe::reference);
        self.parts(ChangeKind::CheckChanged, &parts::checks(before, after), describe::check);
        let indexes = parts::indexes(before, after, names);
        self.parts(ChangeKind::IndexChanged, &indexes, describe::index);
        self.partitions(names);
    }

    fn partitions(&mut self, names: &Names<'_>) {
        let (before, after) = (self.before, self.after);
        let former = before.partitions.as_ref();
        let today = former.map(|partitions| names.partitioning(&before.name, partitions));
        let differs = match (&today, &after.partitions) {
            (Some(one), Some(other)) => {
                (one.strategy, &one.columns) != (other.strategy, &other.columns)
            }
            (one, other) => one.is_some() != other.is_some(),
        };
        if differs {
            let old = former.map(describe::partitioning);
            let new = after.partitions.as_ref().map(describe::partitioning);
            self.push(ChangeKind::PartitionChanged, None, old, new);
        }
        if let (Some(one), Some(other)) = (former, &after.partitions) {
            let found = parts::partitions(&one.parts, &other.parts);
            self.parts(ChangeKind::PartitionChanged, &found, describe::part);
        }
    }

    fn parts<T>(
        &mut self,
        kind: ChangeKind,
        found: &[parts::Differing<'_, T>],
        say: fn(&T) -> String,
    ) {
        for (old, new) in found {
            self.push(kind, None, old.map(say), new.map(say));
        }
    }

    fn words(
        &mut self,
        kind: ChangeKind,
        column: Option<&str>,
        old: &Option<Words>,
        new: &Option<Words>,
    ) {
        if old != new {
            let shown = |words: &Option<Words>| Some(words.as_ref()?.shown().to_owned());
            self.push(kind, column, shown(old), shown(new));
        }
    }

    fn push(
        &mut self,
        kind: ChangeKind,
        column: Option<&str>,
        before: Option<String>,
        after: Option<String>,
    ) {
        self.found.push(Change {
            kind,
            table: Some(self.after.name.clone()),
            column: column.map(str::to_owned),
            before,
            after,
        });
    }
}

/// `place 1`, `place 3, after name`.
fn place(columns: &[ColumnSchema], at: usize) -> String {
    let former = at.checked_sub(1).and_then(|at| columns.get(at));
    let after = former.map(|column| format!(", after {}", column.name));
    format!("place {}{}", at + 1, after.unwrap_or_default())
}
