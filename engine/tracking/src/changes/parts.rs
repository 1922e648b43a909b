//! Which constraints, indexes and parts differ, where each is one of several without a sure name.
//!
//! What is the same on both sides is left out; of the rest, things with the same name are one thing
//! that changed, then things that say the same under another name; what is left was added or removed.

use super::names::Names;
use crate::schema::{Check, ForeignKey, Index, Key, Part, TableSchema};

/// What it was and what it is; one of them missing where it was added or removed.
pub(super) type Differing<'a, T> = (Option<&'a T>, Option<&'a T>);

pub(super) fn unique<'a>(
    before: &'a TableSchema,
    after: &'a TableSchema,
    names: &Names<'_>,
) -> Vec<Differing<'a, Key>> {
    let today = |key: &Key| names.key(&before.name, key);
    differing(
        &before.unique,
        &after.unique,
        today,
        |one, other| named(&one.name, &other.name),
        |one, other| one.columns == other.columns,
    )
}

pub(super) fn references<'a>(
    before: &'a TableSchema,
    after: &'a TableSchema,
    names: &Names<'_>,
) -> Vec<Differing<'a, ForeignKey>> {
    let today = |key: &ForeignKey| names.reference(&before.name, key);
    differing(
        &before.foreign_keys,
        &after.foreign_keys,
        today,
        |one, other| named(&one.name, &other.name),
        |one, other| one.columns == other.columns,
    )
}

pub(super) fn checks<'a>(
    before: &'a TableSchema,
    after: &'a TableSchema,
) -> Vec<Differing<'a, Check>> {
    differing(
        &before.checks,
        &after.checks,
        Check::clone,
        |one, other| named(&one.name, &other.name),
        |one, other| one.condition == other.condition,
    )
}

pub(super) fn indexes<'a>(
    before: &'a TableSchema,
    after: &'a TableSchema,
    names: &Names<'_>,
) -> Vec<Differing<'a, Index>> {
    let today = |index: &Index| names.index(&before.name, index);
    differing(
        &before.indexes,
        &after.indexes,
        today,
        |one, other| one.name == other.name,
        |one, other| one.columns == other.columns && one.predicate == other.predicate,
    )
}

pub(super) fn partitions<'a>(before: &'a [Part], after: &'a [Part]) -> Vec<Differing<'a, Part>> {
    differing(
        before,
        after,
        Part::clone,
        |one, other| one.name == other.name,
        |one, other| one.bounds.is_some() && one.bounds == other.bounds,
    )
}

fn named(one: &Option<String>, other: &Option<String>) -> bool {
    one.is_some() && one == other
}

/// Compares two lists as sets. `today` is what a former part reads like after renames.
fn differing<'a, T: PartialEq>(
    before: &'a [T],
    after: &'a [T],
    today: impl Fn(&T) -> T,
    same_name: fn(&T, &T) -> bool,
    same_content: fn(&T, &T) -> bool,
) -> Vec<Differing<'a, T>> {
    let mut removed: Vec<(&T, T)> = before.iter().map(|part| (part, today(part))).collect();
    let mut added: Vec<&T> = after.iter().collect();
    let mut found = Vec::new();
    pair(&mut removed, &mut added, T::eq);
    for alike in [same_name, same_content] {
        let pairs = pair(&mut removed, &mut added, alike);
        found.extend(pairs.into_iter().map(|(one, other)| (Some(one), Some(other))));
    }
    found.extend(removed.into_iter().map(|(part, _)| (Some(part), None)));
    found.extend(added.into_iter().map(|part| (None, Some(part))));
    found
}

/// Takes what is alike out of both lists, the first with the first.
fn pair<'a, T>(
    removed: &mut Vec<(&'a T, T)>,
    added: &mut Vec<&'a T>,
    alike: fn(&T, &T) -> bool,
) -> Vec<(&'a T, &'a T)> {
    let mut pairs = Vec::new();
    removed.retain(|(part, today)| {
        let Some(at) = added.iter().position(|other| alike(today, other)) else { return true };
        pairs.push((*part, added.remove(at)));
        false
    });
    pairs
}
