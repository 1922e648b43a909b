//! The comparison of a load with what is recorded, in memory that is known before.
//!
//! ```text
//!  satellite ──insert──▶ CurrentState ──compare──▶ Comparison ──finish──▶ Findings
//!  (any order; the       the newest version        ▲     │                  tally, and the
//!   newest wins)         of each key               │     ▼                  keys that are gone,
//!                                            probe: a batch in,             sorted
//!                                            an outcome a row out
//! ```
//!
//! A state takes [`bytes_needed`] for the keys of satellite and load together, about 73 bytes each. Where
//! that is too much, the keys are compared in [parts](Part): for each, the satellite's five narrow columns
//! are read again, and the load's keys and diffs, which the caller has put aside by [`partition_of`].
//! Parts follow the order of the keys, and share nothing: several can be compared at a time.
//!
//! [`partition_of`]: super::partition_of

use arrow::array::{
    Array, AsArray, BooleanArray, FixedSizeBinaryArray, Int64Array, RecordBatch,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};

use super::columns;
use super::entry::{Diff, Entry, Found, Key, Part, VERSION_MAX};
use super::error::HistoryError;
use super::hash::{DIFF_BYTES, KEY_BYTES};
use super::load::{Load, Tally};
use super::table::{self, KEYS_TOGETHER, Newest, Table};

/// The bytes a state takes at most for so many keys: those of the satellite, and those of the load that are
/// not among them.
#[must_use]
pub fn bytes_needed(keys: u64) -> u64 {
    table::bytes_needed(keys)
}

/// The fewest parts of which each takes at most `bytes_max`, as long as that is room for a few
/// thousand keys.
#[must_use]
pub fn parts_needed(keys: u64, bytes_max: u64) -> u32 {
    let fits = |parts: &u32| {
        let share = keys / u64::from(*parts);
        // Six deviations of the share, beyond which no scatter of hashes goes.
        bytes_needed(share + 6 * share.isqrt()) <= bytes_max
    };
    (1..=4096).find(fits).unwrap_or(4096)
}

/// What a comparison reads of a satellite, in rows that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// `hash_key`, of 32 bytes.
    pub keys: &'a FixedSizeBinaryArray,
    /// `hash_diff`, of 16 bytes.
    pub diffs: &'a FixedSizeBinaryArray,
    /// `version`.
    pub versions: &'a Int64Array,
    /// `load_date`.
    pub load_dates: &'a TimestampMicrosecondArray,
    /// `is_deleted`.
    pub deleted: &'a BooleanArray,
}

impl<'a> Recorded<'a> {
    /// The columns of a satellite's batch, which may have others beside them.
    ///
    /// # Errors
    /// [`HistoryError`] when one is missing, has another type, or has nulls.
    pub fn of(batch: &'a RecordBatch) -> Result<Self, HistoryError> {
        let recorded = Self {
            keys: columns::hashes(batch, columns::HASH_KEY, KEY_BYTES)?,
            diffs: columns::hashes(batch, columns::HASH_DIFF, DIFF_BYTES)?,
            versions: columns::typed(batch, columns::VERSION, &columns::version_type())?
                .as_primitive::<Int64Type>(),
            load_dates: columns::typed(batch, columns::LOAD_DATE, &columns::date_type())?
                .as_primitive::<TimestampMicrosecondType>(),
            deleted: columns::typed(batch, columns::IS_DELETED, &DataType::Boolean)?.as_boolean(),
        };
        recorded.check()?;
        Ok(recorded)
    }

    pub(super) fn check(&self) -> Result<(), HistoryError> {
        let all: [&dyn Array; 5] =
            [self.keys, self.diffs, self.versions, self.load_dates, self.deleted];
        if let Some(odd) = all.iter().find(|column| column.len() != self.keys.len()) {
            return Err(HistoryError::UnequalLengths {
                expected: self.keys.len(),
                found: odd.len(),
            });
        }
        columns::width(self.keys, columns::HASH_KEY, KEY_BYTES)?;
        columns::width(self.diffs, columns::HASH_DIFF, DIFF_BYTES)?;
        match all.iter().map(|column| column.null_count()).max() {
            Some(rows @ 1..) => Err(HistoryError::Nulls { rows }),
            _ => Ok(()),
        }
    }
}

/// The newest version of each key, as of a load's date.
pub struct CurrentState {
    newest: Newest,
    as_of_micros: i64,
}

impl CurrentState {
    /// The state of one part, as of the load's date: what is recorded for later does not count. `keys` is
    /// how many keys the part will have, as far as the caller knows, such as the hub's rows by the number
    /// of parts; with more it grows, which takes time.
    #[must_use]
    pub fn new(load: &Load, part: Part, keys: usize) -> Self {
        Self { newest: Newest::new(part, keys), as_of_micros: load.date_micros() }
    }

    /// Reads rows of a satellite, in any order, be it across batches or within; a row may come twice.
    /// Rows of other parts and of later dates are passed over.
    ///
    /// # Errors
    /// [`HistoryError`] when columns differ in length, have nulls, or versions are none.
    pub fn insert(&mut self, rows: &Recorded<'_>) -> Result<(), HistoryError> {
        rows.check()?;
        let versions = || rows.versions.values().iter().map(|version| version_of(*version));
        let invalid = versions().filter(Option::is_none).count();
        if invalid > 0 {
            return Err(HistoryError::Versions { rows: invalid });
        }
        let (keys, diffs) = (hashes::<KEY_BYTES>(rows.keys), hashes::<DIFF_BYTES>(rows.diffs));
        let mut own = Vec::new();
        self.newest.own(keys, &mut own);
        for row in own.into_iter().map(|row| row as usize) {
            let (Some(key), Some(diff)) = (keys.get(row), diffs.get(row)) else { continue };
            if rows.load_dates.value(row) <= self.as_of_micros {
                let version = version_of(rows.versions.value(row)).unwrap_or_default();
                let is_deleted = rows.deleted.value(row);
                self.newest.gather(Entry::recorded(*key, *diff, version, is_deleted));
            }
        }
        Ok(())
    }

    /// Nothing more is recorded: the load may be compared.
    ///
    /// # Errors
    /// [`HistoryError::Contradictions`] when a newest version was read with two contents.
    pub fn compare(self) -> Result<Comparison, HistoryError> {
        match self.newest.settle() {
            Ok(table) => Ok(Comparison { table, tally: Tally::default(), repeated: 0 }),
            Err(rows) => Err(HistoryError::Contradictions { rows }),
        }
    }
}

/// What a row of a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It belongs to another part.
    Elsewhere,
    /// Its key was never seen before.
    New,
    /// Its values are the recorded ones.
    Unchanged,
    /// Its values differ from those of this version.
    Changed {
        /// The newest version recorded.
        previous: i64,
    },
    /// It was closed by this version, and is there again.
    Returned {
        /// The version of the closing record.
        previous: i64,
    },
    /// Its key came before, in this load: the comparison will fail.
    Repeated,
}

impl Outcome {
    /// The version that the row gets in the satellite; nothing when it is not appended.
    #[must_use]
    pub fn version(self) -> Option<i64> {
        match self {
            Self::New => Some(1),
            Self::Changed { previous } | Self::Returned { previous } => Some(previous + 1),
            Self::Elsewhere | Self::Unchanged | Self::Repeated => None,
        }
    }
}

/// A load being compared with a state.
pub struct Comparison {
    table: Table,
    tally: Tally,
    repeated: u64,
}

impl Comparison {
    /// What each row of a load is, by its hash key and hash diff. Each row must be given once, in
    /// whatever batches and order.
    ///
    /// # Errors
    /// [`HistoryError`] when the arrays differ in length, or are no such hashes.
    pub fn probe(
        &mut self,
        keys: &FixedSizeBinaryArray,
        diffs: &FixedSizeBinaryArray,
    ) -> Result<Vec<Outcome>, HistoryError> {
        let mut outcomes = vec![Outcome::Elsewhere; keys.len()];
        self.probe_into(keys, diffs, &mut outcomes)?;
        Ok(outcomes)
    }

    /// The same as [`Self::probe`] for rows that several parts are asked for, one after the other: what
    /// the rows of this part are is written to their outcomes, and the others stay.
    ///
    /// # Errors
    /// [`HistoryError`] when the arrays or outcomes differ in length, or are no such hashes.
    pub fn probe_into(
        &mut self,
        keys: &FixedSizeBinaryArray,
        diffs: &FixedSizeBinaryArray,
        outcomes: &mut [Outcome],
    ) -> Result<(), HistoryError> {
        let expected = keys.len();
        if let Some(found) = [diffs.len(), outcomes.len()].into_iter().find(|n| *n != expected) {
            return Err(HistoryError::UnequalLengths { expected, found });
        }
        columns::width(keys, columns::HASH_KEY, KEY_BYTES)?;
        columns::width(diffs, columns::HASH_DIFF, DIFF_BYTES)?;
        let (keys, diffs) = (hashes::<KEY_BYTES>(keys), hashes::<DIFF_BYTES>(diffs));
        let mut own = Vec::new();
        self.table.own(keys, &mut own);
        for rows in own.chunks(KEYS_TOGETHER) {
            self.table.approach(rows.iter().filter_map(|row| keys.get(*row as usize)));
            for row in rows.iter().map(|row| *row as usize) {
                let (Some(key), Some(diff)) = (keys.get(row), diffs.get(row)) else { continue };
                let Some(outcome) = outcomes.get_mut(row) else { continue };
                *outcome = self.outcome(key, diff);
            }
        }
        Ok(())
    }

    #[inline]
    fn outcome(&mut self, key: &Key, diff: &Diff) -> Outcome {
        let Some((entry, found)) = self.table.entry(Entry::loaded(*key, *diff)) else {
            return Outcome::Elsewhere;
        };
        if found == Found::Placed {
            self.tally.new += 1;
            return Outcome::New;
        }
        if entry.is_seen() {
            self.repeated += 1;
            return Outcome::Repeated;
        }
        entry.see();
        let previous = i64::from(entry.version());
        if entry.is_deleted() {
            self.tally.returned += 1;
            Outcome::Returned { previous }
        } else if entry.diff == *diff {
            self.tally.unchanged += 1;
            Outcome::Unchanged
        } else {
            self.tally.changed += 1;
            Outcome::Changed { previous }
        }
    }

    /// The whole load has been given: what is left is gone.
    ///
    /// # Errors
    /// [`HistoryError::NotUnique`] when a key came more than once.
    pub fn finish(mut self) -> Result<Findings, HistoryError> {
        if self.repeated > 0 {
            return Err(HistoryError::NotUnique { rows: self.repeated });
        }
        self.tally.gone = self.table.entries().filter(|entry| is_gone(entry)).count() as u64;
        Ok(Findings { table: self.table, tally: self.tally })
    }
}

/// What a comparison has found.
pub struct Findings {
    table: Table,
    tally: Tally,
}

impl Findings {
    /// How many rows are what. [`Load::settle`] says whether they may be appended.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The keys that are gone, in their order, with the version that each closing record gets; in
    /// batches of at most `rows_max`.
    pub fn gone(
        &self,
        rows_max: usize,
    ) -> impl Iterator<Item = Result<(FixedSizeBinaryArray, Int64Array), HistoryError>> + '_ {
        let mut entries = self.table.sorted(is_gone).peekable();
        std::iter::from_fn(move || {
            entries.peek()?;
            let (mut keys, mut versions) = (Vec::new(), Vec::new());
            for entry in entries.by_ref().take(rows_max.max(1)) {
                keys.extend_from_slice(&entry.key);
                versions.push(i64::from(entry.version()) + 1);
            }
            let keys = FixedSizeBinaryArray::try_new(KEY_BYTES as i32, keys.into(), None);
            Some(keys.map(|keys| (keys, versions.into())).map_err(HistoryError::from))
        })
    }
}

fn is_gone(entry: &Entry) -> bool {
    !entry.is_seen() && !entry.is_deleted()
}

pub(super) fn version_of(version: i64) -> Option<u32> {
    u32::try_from(version).ok().filter(|version| (1..=VERSION_MAX).contains(version))
}

/// The values of an array of this width without nulls.
pub(super) fn hashes<const N: usize>(array: &FixedSizeBinaryArray) -> &[[u8; N]] {
    let all = array.value_data().as_chunks::<N>().0;
    all.get(..array.len()).unwrap_or_default()
}
