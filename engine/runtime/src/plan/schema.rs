//! What changed in the sources' tables. A column that has another name is recognised by its type, its
//! class, its place and, where the sources' catalogs tell, by what is in it.

use std::collections::{BTreeMap, BTreeSet};

use engine_sources::ContentStatistics;

use super::base::Before;
use super::change::{Change, Section};
use super::document::{Plan, PlannedField};

type Contents = BTreeMap<String, ContentStatistics>;

/// Tables and columns that are not what they were; nothing where nobody wrote down what they were.
pub(super) fn changes(plan: &Plan, before: &Before) -> Vec<Change> {
    let Some(tables) = &before.tables else { return Vec::new() };
    let nothing = Contents::new();
    let mut found = Vec::new();
    for (table, columns) in &plan.tables {
        let Some(was) = tables.get(table) else {
            let change = "is read for the first time";
            found.push(Change::new(Section::Schema, "table_added", table, change));
            continue;
        };
        let now = (&columns[..], plan.beside.statistics.get(table).unwrap_or(&nothing));
        let was = (&was[..], before.statistics.get(table).unwrap_or(&nothing));
        found.extend(columns_changed(table, now, was));
    }
    let gone = tables.keys().filter(|table| !plan.tables.contains_key(*table));
    found.extend(
        gone.map(|table| Change::new(Section::Schema, "table_removed", table, "is no longer read")),
    );
    found
}

fn columns_changed(
    table: &str,
    (now, now_holds): (&[PlannedField], &Contents),
    (was, was_held): (&[PlannedField], &Contents),
) -> Vec<Change> {
    let line = |kind: &str, column: &str, reason: &str| {
        Change::new(Section::Schema, kind, table, reason).of(column)
    };
    let renamed = renamed((now, now_holds), (was, was_held));
    let mut found = Vec::new();
    for field in now {
        if let Some(before) = was.iter().find(|before| before.name == field.name) {
            if before.data_type != field.data_type {
                let change = line("type_changed", &field.name, "has another type");
                let types = (Some(before.data_type.clone()), Some(field.data_type.clone()));
                found.push(change.between(types.0, types.1));
            }
            if before.class != field.class {
                let change = line("class_changed", &field.name, "has another class");
                found.push(change.between(before.class.clone(), field.class.clone()));
            }
            continue;
        }
        found.push(match renamed.get(field.name.as_str()) {
            Some((old, reason)) => line("renamed", &field.name, reason)
                .between(Some((*old).to_owned()), Some(field.name.clone())),
            None => line("column_added", &field.name, "was not there before")
                .between(None, Some(field.data_type.clone())),
        });
    }
    let old: BTreeSet<&str> = renamed.values().map(|(old, _)| *old).collect();
    for field in was {
        let is_there = now.iter().any(|one| one.name == field.name);
        if !is_there && !old.contains(field.name.as_str()) {
            let change = line("column_removed", &field.name, "is no longer there");
            found.push(change.between(Some(field.data_type.clone()), None));
        }
    }
    found
}

/// By the new name: the old one, and what says that it is the same column.
fn renamed<'w>(
    (now, now_holds): (&'w [PlannedField], &Contents),
    (was, was_held): (&'w [PlannedField], &Contents),
) -> BTreeMap<&'w str, (&'w str, &'static str)> {
    let has = |fields: &[PlannedField], name: &str| fields.iter().any(|field| field.name == name);
    let new = now.iter().enumerate().filter(|(_, field)| !has(was, &field.name));
    let gone: Vec<_> = was.iter().enumerate().filter(|(_, field)| !has(now, &field.name)).collect();
    let mut at_place = BTreeMap::new();
    let mut elsewhere: Vec<(&str, &str)> = Vec::new();
    for (position, field) in new {
        for (old_position, old) in &gone {
            if old.data_type != field.data_type || old.class != field.class {
                continue;
            }
            let contents = (was_held.get(&old.name), now_holds.get(&field.name));
            let reason = match (position == *old_position, Likeness::of(contents)) {
                (true, Likeness::Unknown) => "same place, type and class: likely renamed",
                (true, Likeness::Alike) => "same place, type, class and contents: likely renamed",
                (false, Likeness::Alike) => {
                    elsewhere.push((&field.name, &old.name));
                    continue;
                }
                _ => continue,
            };
            at_place.insert(field.name.as_str(), (old.name.as_str(), reason));
        }
    }
    let taken: BTreeSet<&str> = at_place.values().map(|(old, _)| *old).collect();
    elsewhere.retain(|(name, old)| !at_place.contains_key(name) && !taken.contains(old));
    // Of two that could be the same column, none is said to be.
    let only = |pair: &&(&str, &str)| {
        elsewhere.iter().filter(|other| other.0 == pair.0 || other.1 == pair.1).count() == 1
    };
    let reason = "same type, class and contents at another place: likely renamed";
    let moved = elsewhere.iter().filter(only).map(|(name, old)| (*name, (*old, reason)));
    let moved: Vec<_> = moved.collect();
    at_place.extend(moved);
    at_place
}

/// Whether two columns hold alike contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// They do, within a small margin: tables grow.
    Alike,
    /// They clearly do not.
    Unlike,
    /// Nothing is known, or it lies between.
    Unknown,
}

impl Likeness {
    fn of(contents: (Option<&ContentStatistics>, Option<&ContentStatistics>)) -> Self {
        let (Some(one), Some(other)) = contents else { return Self::Unknown };
        let share =
            |of: &ContentStatistics, part: u64| (of.rows > 0).then(|| part as f64 / of.rows as f64);
        let nulls = share(one, one.nulls).zip(share(other, other.nulls));
        let bytes = share(one, one.bytes).zip(share(other, other.bytes));
        let (Some((nulls, other_nulls)), Some((bytes, other_bytes))) = (nulls, bytes) else {
            return Self::Unknown;
        };
        let apart = (nulls - other_nulls).abs();
        let times = bytes.max(other_bytes) / bytes.min(other_bytes).max(f64::MIN_POSITIVE);
        if apart <= 0.02 && times <= 1.1 {
            Self::Alike
        } else if apart > 0.25 || times > 2.0 {
            Self::Unlike
        } else {
            Self::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(names: &[&str]) -> Vec<PlannedField> {
        let field = |name: &&str| PlannedField {
            name: (*name).to_owned(),
            data_type: "string".to_owned(),
            class: None,
        };
        names.iter().map(field).collect()
    }

    fn contents(columns: &[(&str, u64, u64)]) -> Contents {
        let column = |(name, nulls, bytes): &(&str, u64, u64)| {
            ((*name).to_owned(), ContentStatistics { rows: 100, nulls: *nulls, bytes: *bytes })
        };
        columns.iter().map(column).collect()
    }

    /// Pairs of new and old names.
    fn found(
        was: (&[&str], &[(&str, u64, u64)]),
        now: (&[&str], &[(&str, u64, u64)]),
    ) -> Vec<(String, String)> {
        let (old, new) = (fields(was.0), fields(now.0));
        let found = renamed((&new, &contents(now.1)), (&old, &contents(was.1)));
        let pair = |(new, (old, _)): (&str, (&str, &str))| (new.to_owned(), old.to_owned());
        found.into_iter().map(pair).collect()
    }

    fn pair(new: &str, old: &str) -> (String, String) {
        (new.to_owned(), old.to_owned())
    }

    #[test]
    fn a_column_is_recognised_at_its_place_unless_its_contents_say_otherwise() {
        let (was, now) = (&["id", "mail"], &["id", "email"]);
        assert_eq!(found((was, &[]), (now, &[])), [pair("email", "mail")]);
        let like = [("mail", 5, 2_000)];
        assert_eq!(found((was, &like), (now, &[("email", 6, 2_100)])), [pair("email", "mail")]);
        assert_eq!(found((was, &like), (now, &[("email", 6, 3_000)])), [pair("email", "mail")]);
        for unlike in [("email", 90, 2_000), ("email", 5, 200), ("email", 5, 0)] {
            assert_eq!(found((was, &like), (now, &[unlike])), []);
        }
    }

    #[test]
    fn a_column_that_moved_is_recognised_by_its_contents() {
        let (was, now) = (&["mail", "note", "id"], &["id", "email", "remark"]);
        let held = [("mail", 5, 2_000), ("note", 60, 9_000)];
        let holds = [("remark", 5, 2_050), ("email", 60, 8_900)];
        assert_eq!(
            found((was, &held), (now, &holds)),
            [pair("email", "note"), pair("remark", "mail")]
        );
        assert_eq!(found((&["mail", "id"], &[]), (&["id", "x", "email"], &[])), []);
    }

    #[test]
    fn of_two_that_look_alike_none_is_recognised() {
        let held = [("a", 0, 800), ("b", 0, 810)];
        let now = (&["c", "id", "key"][..], &[("c", 0, 805)][..]);
        assert_eq!(found((&["id", "key", "a", "b"], &held), now), []);
        assert_eq!(found((&["id", "key", "a"], &held), now), [pair("c", "a")]);
    }
}
