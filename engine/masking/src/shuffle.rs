//! A column's values dealt out anew among its rows, by key: every value stays, at another row.
//!
//! ```text
//!  rows by H(place ‖ id):   r3  r1  r4  r2          within each group
//!                            │   │   │   │
//!  values by H(lot ‖ id):   v2  v4  v1  v3   ──▶   r3 gets v2, r1 gets v4, …
//! ```
//!
//! Both orders are keyed and do not depend on the order of rows or how they are cut into batches, so that
//! equal rows under one key are dealt out alike on every machine. All values are held until the last row was
//! seen; whoever collects them asks [`Collect::bytes`] and stops where that is too much.

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::datatypes::DataType;
use arrow_select::interleave::interleave;

use crate::digest::{Absent, DigestKey, row_digests};
use crate::error::MaskError;
use crate::forms::{check_type, decode, logical};
use crate::function::{Collect, Mask};
use crate::key::LinkageKey;
use crate::properties::{Preserves, Properties, Uniqueness};

/// Rows of the whole column, while they are collected.
pub(crate) struct Collected {
    input: DataType,
    inputs: Vec<String>,
    keys: Keys,
    /// How many of the other columns identify a row; those after them say which group it is in.
    ids: usize,
    rows: Vec<Row>,
    values: Vec<ArrayRef>,
    values_bytes: usize,
}

struct Keys {
    places: DigestKey,
    lots: DigestKey,
    groups: DigestKey,
}

/// A row, and where its value is.
#[derive(Debug, Clone, Copy)]
struct Row {
    group: u64,
    lot: u64,
    place: u128,
    value: Position,
}

/// A batch, and a row of it.
type Position = (u32, u32);

impl Collected {
    /// Nothing yet, of a column of this name and type; the first `ids` of `inputs` identify a row, the others
    /// its group.
    pub(crate) fn new(
        key: &LinkageKey,
        column: &str,
        input: &DataType,
        inputs: &[String],
        ids: usize,
    ) -> Self {
        let secret = |label| DigestKey::new(*key.secret(&format!("{label} {column}")));
        let keys = Keys {
            places: secret("shuffle places"),
            lots: secret("shuffle lots"),
            groups: secret("shuffle groups"),
        };
        let (input, inputs) = (input.clone(), inputs.to_vec());
        Self { input, inputs, keys, ids, rows: Vec::new(), values: Vec::new(), values_bytes: 0 }
    }
}

impl Collect for Collected {
    fn push(&mut self, column: &ArrayRef, others: &[ArrayRef]) -> Result<(), MaskError> {
        if others.len() != self.inputs.len() {
            let (expected, found) = (self.inputs.len(), others.len());
            return Err(MaskError::UnexpectedInputs { expected, found });
        }
        let (ids, groups) = others.split_at(self.ids.min(others.len()));
        let places = row_digests(ids, &self.keys.places, Absent::Nothing)?;
        let lots = row_digests(ids, &self.keys.lots, Absent::Nothing)?;
        let groups = if groups.is_empty() {
            vec![None; column.len()]
        } else {
            row_digests(groups, &self.keys.groups, Absent::Nothing)?
        };
        for length in [places.len(), groups.len()] {
            if length != column.len() {
                return Err(MaskError::UnequalLengths { expected: column.len(), found: length });
            }
        }
        let values = decode(&self.input, column)?;
        let batch = index(self.values.len())?;
        self.rows.reserve(column.len());
        for (row, ((place, lot), group)) in places.into_iter().zip(lots).zip(groups).enumerate() {
            self.rows.push(Row {
                // Half of a digest orders as well as all of it.
                group: group.unwrap_or_default() as u64,
                lot: lot.unwrap_or_default() as u64,
                place: place.unwrap_or_default(),
                value: (batch, index(row)?),
            });
        }
        self.values_bytes = self.values_bytes.saturating_add(values.get_array_memory_size());
        self.values.push(values);
        Ok(())
    }

    fn bytes(&self) -> usize {
        let dealt =
            size_of::<Row>() + size_of::<(u128, Position)>() + size_of::<(u64, u64, Position)>();
        self.values_bytes.saturating_add(self.rows.len().saturating_mul(dealt))
    }

    fn finish(mut self: Box<Self>) -> Result<Box<dyn Mask>, MaskError> {
        let mut lots: Vec<(u64, u64, Position)> =
            self.rows.iter().map(|row| (row.group, row.lot, row.value)).collect();
        lots.sort_unstable();
        self.rows.sort_unstable_by_key(|row| (row.group, row.place));
        let mut places: Vec<(u128, Position)> =
            self.rows.iter().zip(&lots).map(|(row, (_, _, value))| (row.place, *value)).collect();
        drop(lots);
        self.rows = Vec::new();
        places.sort_unstable_by_key(|(place, _)| *place);
        let twice =
            places.windows(2).filter(|pair| matches!(pair, [(one, _), (other, _)] if one == other));
        let count = twice.count();
        if count > 0 {
            return Err(MaskError::NotUnique { count });
        }
        let Self { input, inputs, keys, ids, values, .. } = *self;
        Ok(Box::new(Dealt { input, inputs, places_key: keys.places, ids, places, values }))
    }
}

fn index(of: usize) -> Result<u32, MaskError> {
    let bytes_max = u32::MAX as usize;
    u32::try_from(of).map_err(|_| MaskError::BatchTooLarge { bytes_max })
}

/// What a shuffled column promises, whatever its values are.
pub(crate) const PROPERTIES: Properties = Properties {
    // What a row gets depends on which rows there are.
    deterministic: false,
    reversible: false,
    uniqueness: Uniqueness::Bijective,
    preserves: Preserves { length: false, format: false, prefix: false, order: false, null: false },
    // Another row's value may be the same, and a row may get its own.
    may_return_input: true,
};

/// All values of a column, by the place of the row that gets them.
struct Dealt {
    input: DataType,
    inputs: Vec<String>,
    places_key: DigestKey,
    ids: usize,
    /// Sorted by place.
    places: Vec<(u128, Position)>,
    values: Vec<ArrayRef>,
}

impl Mask for Dealt {
    fn output(&self) -> DataType {
        logical(&self.input).clone()
    }

    fn properties(&self) -> Properties {
        PROPERTIES
    }

    fn inputs(&self) -> &[String] {
        &self.inputs
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        check_type(&self.input, column)?;
        let Some(ids) = others.get(..self.ids) else {
            let (expected, found) = (self.inputs.len(), others.len());
            return Err(MaskError::UnexpectedInputs { expected, found });
        };
        if column.is_empty() {
            return Ok(new_null_array(&self.output(), 0));
        }
        let digests = row_digests(ids, &self.places_key, Absent::Nothing)?;
        if digests.len() != column.len() {
            return Err(MaskError::UnequalLengths { expected: column.len(), found: digests.len() });
        }
        let mut chosen = Vec::with_capacity(column.len());
        let mut missing = 0;
        for place in digests.into_iter().map(Option::unwrap_or_default) {
            let found = self.places.binary_search_by_key(&place, |(place, _)| *place);
            match found.ok().and_then(|found| self.places.get(found)) {
                Some((_, (batch, row))) => chosen.push((*batch as usize, *row as usize)),
                None => missing += 1,
            }
        }
        if missing > 0 {
            return Err(MaskError::DoesNotFit { count: missing });
        }
        let values: Vec<&dyn Array> = self.values.iter().map(AsRef::as_ref).collect();
        interleave(&values, &chosen).map_err(|_| MaskError::Kernel { operation: "deal out values" })
    }
}

/// The column was not seen as a whole before.
pub(crate) struct Undealt {
    pub(crate) column: String,
    pub(crate) input: DataType,
    pub(crate) inputs: Vec<String>,
    pub(crate) ids: usize,
    pub(crate) key: LinkageKey,
}

impl Mask for Undealt {
    fn output(&self) -> DataType {
        logical(&self.input).clone()
    }

    fn properties(&self) -> Properties {
        PROPERTIES
    }

    fn inputs(&self) -> &[String] {
        &self.inputs
    }

    fn collect(&self) -> Option<Box<dyn Collect>> {
        Some(Box::new(Collected::new(&self.key, &self.column, &self.input, &self.inputs, self.ids)))
    }

    fn apply(&self, _: &ArrayRef, _: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Err(MaskError::Kernel { operation: "shuffle a column that was not seen as a whole" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::EXAMPLE_MASTER;
    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::compute::cast;
    use arrow::datatypes::Int64Type;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn key(linkage: &str) -> LinkageKey {
        LinkageKey::derive(&EXAMPLE_MASTER, 1, linkage, "shuffle", 1)
    }

    fn ids(rows: std::ops::Range<i64>) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows))
    }

    fn groups(rows: std::ops::Range<i64>) -> ArrayRef {
        Arc::new(
            rows.map(|id| (id % 5 > 0).then(|| format!("g{}", id % 5))).collect::<StringArray>(),
        )
    }

    fn values(rows: std::ops::Range<i64>) -> ArrayRef {
        Arc::new(rows.map(|id| (id % 7 > 0).then_some(id * 10)).collect::<Int64Array>())
    }

    /// What each id gets, collected and masked in batches of these sizes.
    fn dealt(linkage: &str, rows: i64, size: i64, grouped: bool) -> BTreeMap<i64, Option<i64>> {
        let names: &[&str] = if grouped { &["id", "group"] } else { &["id"] };
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let others = |rows: std::ops::Range<i64>| -> Vec<ArrayRef> {
            let all = [ids(rows.clone()), groups(rows)];
            all.into_iter().take(names.len()).collect()
        };
        let mut collected = Collected::new(&key(linkage), "c", &DataType::Int64, &names, 1);
        let mut batches: Vec<_> =
            (0..rows).step_by(size as usize).map(|start| start..rows.min(start + size)).collect();
        for batch in &batches {
            collected.push(&values(batch.clone()), &others(batch.clone())).unwrap();
        }
        assert!(collected.bytes() > rows as usize * 8);
        let mask = Box::new(collected).finish().unwrap();
        batches.reverse();
        let mut got = BTreeMap::new();
        for batch in batches {
            let masked = mask.apply(&values(batch.clone()), &others(batch.clone())).unwrap();
            let masked = masked.as_primitive::<Int64Type>();
            got.extend(batch.zip(masked.iter()));
        }
        got
    }

    fn sorted(values: impl Iterator<Item = Option<i64>>) -> Vec<Option<i64>> {
        let mut values: Vec<_> = values.collect();
        values.sort_unstable();
        values
    }

    #[test]
    fn it_is_a_permutation_that_does_not_depend_on_batches() {
        let all = dealt("a", 1_000, 1_000, false);
        assert_eq!(all, dealt("a", 1_000, 7, false));
        assert_ne!(all, dealt("b", 1_000, 1_000, false));
        let before = values(0..1_000);
        let before = before.as_primitive::<Int64Type>();
        assert_eq!(sorted(all.values().copied()), sorted(before.iter()));
        let same =
            before.iter().zip(all.values()).filter(|(old, new)| old == *new && old.is_some());
        // One row in a thousand is expected to keep its own value.
        assert!(same.count() < 10);
    }

    #[test]
    fn groups_keep_their_values() {
        let all = dealt("a", 1_000, 100, true);
        for group in 0..5 {
            let of = |id: &i64| id % 5 == group;
            let old = (0..1_000).filter(of).map(|id| (id % 7 > 0).then_some(id * 10));
            let new = all.iter().filter(|(id, _)| of(id)).map(|(_, value)| *value);
            assert_eq!(sorted(new), sorted(old), "group {group}");
        }
    }

    #[test]
    fn rows_that_are_not_told_apart_or_were_not_seen_are_refused() {
        let names = ["id".to_owned()];
        let mut collected = Collected::new(&key("a"), "c", &DataType::Int64, &names, 1);
        collected.push(&values(0..10), &[ids(0..10)]).unwrap();
        collected.push(&values(9..12), &[ids(9..12)]).unwrap();
        assert_eq!(Box::new(collected).finish().err(), Some(MaskError::NotUnique { count: 1 }));
        let mut collected = Collected::new(&key("a"), "c", &DataType::Int64, &names, 1);
        collected.push(&values(0..10), &[ids(0..10)]).unwrap();
        let mask = Box::new(collected).finish().unwrap();
        let unseen = mask.apply(&values(5..15), &[ids(5..15)]);
        assert_eq!(unseen.err(), Some(MaskError::DoesNotFit { count: 5 }));
        let odd = mask.apply(&values(0..3), &[]);
        assert_eq!(odd.err(), Some(MaskError::UnexpectedInputs { expected: 1, found: 0 }));
    }

    #[test]
    fn dictionaries_are_decoded_and_ids_match_across_types() {
        let names = ["id".to_owned()];
        let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let column = cast(&values(0..50), &DataType::Utf8).unwrap();
        let column = cast(&column, &text).unwrap();
        let mut collected = Collected::new(&key("a"), "c", &text, &names, 1);
        collected.push(&column, &[ids(0..50)]).unwrap();
        let mask = Box::new(collected).finish().unwrap();
        let as_text = cast(&ids(0..50), &DataType::Utf8).unwrap();
        let masked = mask.apply(&column, &[as_text]).unwrap();
        assert_eq!(masked.data_type(), &DataType::Utf8);
        assert_eq!(masked.null_count(), 8);
    }
}
