//! Which versions of which keys go by their age, in memory that is known before.
//!
//! ```text
//!  version   went on   superseded on      superseded before the border: goes
//!  1         ├─────────┤
//!  2                   ├──────────┤       still held at the border: stays
//!  3 closed                       ├──     a closing record goes with what it closed
//! ```
//!
//! A version goes when the next one of its key was loaded before the border, or when it is marked as expired
//! for another reason; those before it go along, so that none seems to have held longer than it did, and so does
//! the closing record behind it. What held at the border or since is what it was: as of any such moment a
//! history answers as before. Of a key without versions nothing stays: not in the hub, not in links.
//!
//! The rows of a satellite are judged in [parts](Part), of which each takes [`expiry_bytes`] for its rows.

use arrow::array::{Array, BooleanArray, FixedSizeBinaryArray};

use super::diff::{Recorded, hashes, version_of};
use super::entry::{Key, Part};
use super::error::HistoryError;
use super::hash::KEY_BYTES;

/// Bytes for each row: itself, where it lies, and its key once more.
const BYTES_PER_ROW: u64 = (size_of::<Version>() + size_of::<u64>() + 2 * KEY_BYTES) as u64;
/// Parts of the same number of keys may differ in their number of versions.
const PARTS_DIFFER: u64 = 2;
/// No history needs more parts than that.
const PARTS_MAX: u32 = 4096;

/// The bytes that so many rows of a satellite take at most while they are judged.
#[must_use]
pub fn expiry_bytes(rows: u64) -> u64 {
    rows.saturating_mul(BYTES_PER_ROW)
}

/// In how many parts a satellite of so many rows is judged, for each to take about half of `bytes_max`.
#[must_use]
pub fn expiry_parts(rows: u64, bytes_max: u64) -> u32 {
    let needed = expiry_bytes(rows).saturating_mul(PARTS_DIFFER);
    let parts = needed.div_ceil(bytes_max.max(1));
    u32::try_from(parts).unwrap_or(PARTS_MAX).clamp(1, PARTS_MAX)
}

/// One row of a satellite.
struct Version {
    key: Key,
    load_date: i64,
    position: u64,
    version: u32,
    is_deleted: bool,
    is_expired: bool,
}

/// The rows of one part of a satellite, to be judged.
pub struct Ages {
    part: Part,
    rows: Vec<Version>,
    /// Keys all of whose versions are marked.
    expired: Vec<Key>,
}

impl Ages {
    /// Those of one part.
    #[must_use]
    pub fn new(part: Part) -> Self {
        Self { part, rows: Vec::new(), expired: Vec::new() }
    }

    /// The bytes that it takes now, with what judging adds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let keys = (self.expired.capacity() * KEY_BYTES) as u64;
        expiry_bytes(self.rows.capacity() as u64).saturating_add(keys)
    }

    /// Reads rows of a satellite, each once, in any order. `first` is the position of the first of them; those
    /// after it follow. True in `expired`, which has as many rows, marks a version that goes; null is false.
    /// Rows of other parts are passed over.
    ///
    /// # Errors
    /// [`HistoryError`] when columns differ in length, have nulls, or versions are none.
    pub fn insert(
        &mut self,
        rows: &Recorded<'_>,
        expired: Option<&BooleanArray>,
        first: u64,
    ) -> Result<(), HistoryError> {
        rows.check()?;
        let (expected, marked) = (rows.keys.len(), expired.map_or(rows.keys.len(), Array::len));
        if expected != marked {
            return Err(HistoryError::UnequalLengths { expected, found: marked });
        }
        let is_expired = |row| expired.is_some_and(|rows| rows.is_valid(row) && rows.value(row));
        let mut invalid = 0;
        let keys = hashes::<KEY_BYTES>(rows.keys).iter();
        let dated = rows.versions.values().iter().zip(rows.load_dates.values());
        let recorded = keys.zip(dated.zip(rows.deleted.values())).enumerate();
        for (row, (key, ((version, load_date), is_deleted))) in recorded {
            if !self.part.has(key) {
                continue;
            }
            let Some(version) = version_of(*version) else {
                invalid += 1;
                continue;
            };
            self.rows.push(Version {
                key: *key,
                load_date: *load_date,
                position: first + row as u64,
                version,
                is_deleted,
                is_expired: is_expired(row),
            });
        }
        if invalid > 0 { Err(HistoryError::Versions { rows: invalid }) } else { Ok(()) }
    }

    /// Marks every version of these keys as expired, be they read already or not.
    ///
    /// # Errors
    /// [`HistoryError::Nulls`] when one is null.
    pub fn expire(&mut self, keys: &FixedSizeBinaryArray) -> Result<(), HistoryError> {
        if keys.null_count() > 0 {
            return Err(HistoryError::Nulls { rows: keys.null_count() });
        }
        let keys = hashes::<KEY_BYTES>(keys).iter().filter(|key| self.part.has(key));
        self.expired.extend(keys);
        Ok(())
    }

    /// What goes: what is marked, and what was superseded before this moment, in microseconds since 1970.
    #[must_use]
    pub fn judge(mut self, superseded_before: Option<i64>) -> Expired {
        self.rows.sort_unstable_by_key(|row| (row.key, row.version));
        self.expired.sort_unstable();
        for row in &mut self.rows {
            row.is_expired |= self.expired.binary_search(&row.key).is_ok();
        }
        let mut expired = Expired::default();
        for versions in self.rows.chunk_by(|one, other| one.key == other.key) {
            expired.key(versions, superseded_before);
        }
        expired
    }
}

/// What goes of one part.
#[derive(Default)]
pub struct Expired {
    positions: Vec<u64>,
    gone: Vec<Key>,
    thinned: Vec<Key>,
    first_end: Option<i64>,
}

impl Expired {
    /// The versions of one key, in their order.
    fn key(&mut self, versions: &[Version], border: Option<i64>) {
        let ends = versions.iter().skip(1).map(|next| Some(next.load_date)).chain([None]);
        let ended = || versions.iter().zip(ends.clone()).enumerate();
        let is_over = |end: Option<i64>| end.zip(border).is_some_and(|(end, border)| end < border);
        let last =
            ended().filter(|(_, (row, end))| !row.is_deleted && (row.is_expired || is_over(*end)));
        let mut going = last.last().map_or(0, |(number, _)| number + 1);
        if going > 0 && versions.get(going).is_some_and(|row| row.is_deleted) {
            going += 1;
        }
        self.positions.extend(versions.iter().take(going).map(|row| row.position));
        let staying = ended().skip(going).filter(|(_, (row, _))| !row.is_deleted);
        let first_end = staying.filter_map(|(_, (_, end))| end).min();
        self.first_end = self.first_end.into_iter().chain(first_end).min();
        match versions.first() {
            Some(first) if going == versions.len() => self.gone.push(first.key),
            Some(first) if going > 0 => self.thinned.push(first.key),
            _ => {}
        }
    }

    /// Whether nothing goes.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.positions.is_empty()
    }

    /// The positions of the rows that go, in no order.
    #[must_use]
    pub fn positions(&self) -> &[u64] {
        &self.positions
    }

    /// How many keys go.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.gone.len()
    }

    /// How many keys lose some of their versions and keep others.
    #[must_use]
    pub fn thinned(&self) -> usize {
        self.thinned.len()
    }

    /// The first moment at which any version that stays was superseded; none where none was.
    #[must_use]
    pub fn first_end(&self) -> Option<i64> {
        self.first_end
    }

    /// True for keys of which nothing stays.
    #[must_use]
    pub fn is_gone(&self, keys: &FixedSizeBinaryArray) -> BooleanArray {
        among(&self.gone, keys)
    }

    /// True for keys that lose some of their versions and keep others.
    #[must_use]
    pub fn is_thinned(&self, keys: &FixedSizeBinaryArray) -> BooleanArray {
        among(&self.thinned, keys)
    }
}

/// Which keys are among others, which are sorted.
fn among(sorted: &[Key], keys: &FixedSizeBinaryArray) -> BooleanArray {
    let keys = hashes::<KEY_BYTES>(keys).iter();
    keys.map(|key| Some(sorted.binary_search(key).is_ok())).collect()
}
