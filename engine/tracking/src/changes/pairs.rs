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
use crate::schema::{ColumnSchema, DataType, TableSchema};

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

    /// Pairs what fits exactly one of the others, in both directions. What fits what is given by the
    /// indexes of one removed and one added.
    fn pair(&mut self, fits: &[(usize, usize)]) {
        let (mut of_removed, mut of_added) = (BTreeMap::new(), BTreeMap::new());
        for (one, other) in fits {
            *of_removed.entry(*one).or_insert(0) += 1;
            *of_added.entry(*other).or_insert(0) += 1;
        }
        let only = |counts: &BTreeMap<usize, usize>, at| counts.get(at) == Some(&1);
        let found: BTreeMap<_, _> = fits
            .iter()
            .filter(|(one, other)| only(&of_removed, one) && only(&of_added, other))
            .copied()
            .collect();
        let mut added: BTreeMap<_, _> = self.added.drain(..).collect();
        self.removed.retain(|(at, one)| {
            let other = found.get(at).and_then(|other| added.remove_entry(other));
            self.both.extend(other.map(|other| ((*at, *one), other)));
            other.is_none()
        });
        self.added = added.into_iter().collect();
        self.both.sort_by_key(|((at, _), _)| *at);
    }

    /// What has the same key as exactly one of the others, in both directions.
    fn same<K: Ord>(
        &self,
        of_removed: impl Fn(At<'a, T>) -> K,
        of_added: impl Fn(At<'a, T>) -> K,
    ) -> Vec<(usize, usize)> {
        let mut groups: BTreeMap<K, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for one in &self.removed {
            groups.entry(of_removed(*one)).or_default().0.push(one.0);
        }
        for other in &self.added {
            groups.entry(of_added(*other)).or_default().1.push(other.0);
        }
        let alone = groups.into_values().filter_map(|(removed, added)| {
            match (removed.as_slice(), added.as_slice()) {
                ([one], [other]) => Some((*one, *other)),
                _ => None,
            }
        });
        alone.collect()
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
    let whole = |(_, table): At<'a, TableSchema>| columns_in_order(table);
    let fits = pairs.same(whole, whole);
    pairs.pair(&fits);
    let fits = almost_same(&pairs);
    pairs.pair(&fits);
    pairs
}

/// How many columns must agree before two tables are called one.
const AGREEING_COLUMNS_MIN: usize = 2;

type Columns<'a> = Vec<(&'a str, &'a DataType)>;

/// What a table is known by; a table of few columns by its own name, which no other has.
fn columns_in_order(table: &TableSchema) -> (Columns<'_>, &str) {
    let columns: Vec<_> =
        table.columns.iter().map(|column| (column.name.as_str(), &column.data_type)).collect();
    let name = if columns.len() < AGREEING_COLUMNS_MIN { table.name.as_str() } else { "" };
    (columns, name)
}

/// Which removed table has most of its columns in common with which added one.
fn almost_same(pairs: &Pairs<'_, TableSchema>) -> Vec<(usize, usize)> {
    let mut owners: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, (_, table)) in pairs.added.iter().enumerate() {
        for column in distinct_columns(table) {
            owners.entry(column).or_default().push(index);
        }
    }
    let mut fits = Vec::new();
    for (at, table) in &pairs.removed {
        let mut agreeing: BTreeMap<usize, usize> = BTreeMap::new();
        for index in
            distinct_columns(table).iter().filter_map(|column| owners.get(column)).flatten()
        {
            *agreeing.entry(*index).or_insert(0) += 1;
        }
        for (index, count) in agreeing {
            let Some((other_at, other)) = pairs.added.get(index) else { continue };
            let larger = table.columns.len().max(other.columns.len());
            if count >= AGREEING_COLUMNS_MIN && count * 5 >= larger * 4 {
                fits.push((*at, *other_at));
            }
        }
    }
    fits
}

fn distinct_columns(table: &TableSchema) -> BTreeSet<(&str, &DataType)> {
    table.columns.iter().map(|column| (column.name.as_str(), &column.data_type)).collect()
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
    let place = |at: usize| unchanged.partition_point(|(before, _)| *before < at);
    let other_place = |at: usize| unchanged.partition_point(|(_, after)| *after < at);
    let fits = pairs.same(
        |(at, column)| (place(at), &column.data_type, column.nullable),
        |(at, column)| (other_place(at), &column.data_type, column.nullable),
    );
    pairs.pair(&fits);
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
