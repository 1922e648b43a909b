//! Which table or column of the former schema is which of the present one.
//!
//! A name that is in both is the same thing. Of what is left, a rename is claimed only where one
//! thing fits exactly one other, in both directions:
//!
//! - a **table** where both have the same columns by name, type and order; else where at least four
//!   fifths of the larger one's columns have the same name and type. Fewer would confuse the many
//!   tables that share `id`, `created_at` and `updated_at`; two columns must agree at least, since a
//!   lone `id` says nothing.
//! - a **column** where type and nullability are the same and it stands between the same unchanged
//!   columns. A column that was renamed and retyped, or renamed and moved, is one removed and one
//!   added: what it held is not known to be what the other holds.

use std::collections::{BTreeMap, BTreeSet};

use super::order;
use crate::schema::{ColumnSchema, TableSchema};

/// Something with its index in its list.
pub(super) type At<'a, T> = (usize, &'a T);

/// What two lists have in common, and what only one of them has; each in its list's order.
pub(super) struct Pairs<'a, T> {
    pub(super) both: Vec<(At<'a, T>, At<'a, T>)>,
    pub(super) removed: Vec<At<'a, T>>,
    pub(super) added: Vec<At<'a, T>>,
}

impl<'a, T> Pairs<'a, T> {
    /// By name; of a name that stands twice, the first is the first.
    pub(super) fn by_name(before: &'a [T], after: &'a [T], name: fn(&T) -> &str) -> Self {
        let mut left: BTreeMap<_, _> =
            numbered(after, name).zip(after.iter().enumerate()).collect();
        let (mut both, mut removed) = (Vec::new(), Vec::new());
        for (key, one) in numbered(before, name).zip(before.iter().enumerate()) {
            match left.remove(&key) {
                Some(other) => both.push((one, other)),
                None => removed.push(one),
            }
        }
        let mut added: Vec<_> = left.into_values().collect();
        added.sort_by_key(|(at, _)| *at);
        Self { both, removed, added }
    }

    /// Pairs what fits exactly one of the others, in both directions.
    fn pair(&mut self, fits: &dyn Fn(At<'a, T>, At<'a, T>) -> bool) {
        let only = |mut found: Vec<At<'a, T>>| found.pop().filter(|_| found.is_empty());
        let of_removed =
            |one| only(self.added.iter().copied().filter(|other| fits(one, *other)).collect());
        let of_added =
            |other| only(self.removed.iter().copied().filter(|one| fits(*one, other)).collect());
        let found: Vec<_> = self
            .removed
            .iter()
            .filter_map(|one| {
                let other = of_removed(*one)?;
                of_added(other).map(|_| (*one, other))
            })
            .collect();
        for ((one, _), (other, _)) in &found {
            self.removed.retain(|(at, _)| at != one);
            self.added.retain(|(at, _)| at != other);
        }
        self.both.extend(found);
        self.both.sort_by_key(|((at, _), _)| *at);
    }
}

fn numbered<T>(list: &[T], name: fn(&T) -> &str) -> impl Iterator<Item = (&str, usize)> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    list.iter().map(move |item| {
        let count = seen.entry(name(item)).or_insert(0);
        *count += 1;
        (name(item), *count)
    })
}

/// Tables of two schemas, renames found.
pub(super) fn tables<'a>(
    before: &'a [TableSchema],
    after: &'a [TableSchema],
) -> Pairs<'a, TableSchema> {
    let mut pairs = Pairs::by_name(before, after, |table| &table.name);
    pairs.pair(&|(_, one), (_, other)| same_columns(one, other));
    pairs.pair(&|(_, one), (_, other)| almost_same_columns(one, other));
    pairs
}

/// How many columns must agree before two tables are called one.
const AGREEING_COLUMNS_MIN: usize = 2;

fn same_columns(one: &TableSchema, other: &TableSchema) -> bool {
    let alike = |(one, other): (&ColumnSchema, &ColumnSchema)| {
        one.name == other.name && one.data_type == other.data_type
    };
    one.columns.len() >= AGREEING_COLUMNS_MIN
        && one.columns.len() == other.columns.len()
        && one.columns.iter().zip(&other.columns).all(alike)
}

fn almost_same_columns(one: &TableSchema, other: &TableSchema) -> bool {
    let columns = |table: &'_ TableSchema| -> BTreeSet<_> {
        table.columns.iter().map(|column| (column.name.clone(), column.data_type.clone())).collect()
    };
    let agreeing = columns(one).intersection(&columns(other)).count();
    let larger = one.columns.len().max(other.columns.len());
    agreeing >= AGREEING_COLUMNS_MIN && agreeing * 5 >= larger * 4
}

/// Columns of two tables, renames found.
pub(super) fn columns<'a>(
    before: &'a TableSchema,
    after: &'a TableSchema,
) -> Pairs<'a, ColumnSchema> {
    let mut pairs = Pairs::by_name(&before.columns, &after.columns, |column| &column.name);
    let elements: Vec<_> =
        pairs.both.iter().map(|((_, one), (at, _))| (*at, one.name.as_str())).collect();
    let kept = order::kept(&elements);
    let unchanged: Vec<_> = pairs
        .both
        .iter()
        .enumerate()
        .filter(|(index, _)| kept.contains(index))
        .map(|(_, ((at, _), (other_at, _)))| (*at, *other_at))
        .collect();
    pairs.pair(&|(at, one), (other_at, other)| {
        let place = unchanged.iter().filter(|(before, _)| *before < at).count();
        let other_place = unchanged.iter().filter(|(_, after)| *after < other_at).count();
        one.data_type == other.data_type && one.nullable == other.nullable && place == other_place
    });
    pairs
}

/// Indexes of the pairs whose column moved relative to the others.
pub(super) fn moved(pairs: &Pairs<'_, ColumnSchema>) -> BTreeSet<usize> {
    let key = |one: &ColumnSchema, other: &ColumnSchema| {
        let (one, other) = (one.name.clone(), other.name.clone());
        if one <= other { (one, other) } else { (other, one) }
    };
    let elements: Vec<_> =
        pairs.both.iter().map(|((_, one), (at, other))| (*at, key(one, other))).collect();
    let kept = order::kept(&elements);
    (0..elements.len()).filter(|index| !kept.contains(index)).collect()
}
