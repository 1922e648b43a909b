//! Entries by hash key, in segments that each fit a near cache.
//!
//! ```text
//!  the first 64 bits of a key as a fraction of 1:
//!
//!    part ┃ segment ┃ home slot ┃ …      each the whole of what is before, times how many there are
//!
//!  segment:   index    │ 2 │   │ 1 │ 4 │ 3 │   │     numbers of entries, each with bits of its key, at its
//!                        │       │   │   │           home or behind it; found by linear probing
//!             entries  │ a │ b │ c │ d │             in the order they came, without a gap
//! ```
//!
//! Hash keys are uniform, so their leading bits are their hash, and segments follow the order of the keys:
//! what is sorted within each is sorted as a whole.
//!
//! See D. E. Knuth, The Art of Computer Programming 3, section 6.4, algorithm L.
//!
//! An entry is found with two reads that wait for memory, one of the index and one of the entry, and those of
//! many keys do not wait for each other. Entries that need not be found at once are put behind the others
//! without a look at the index, and indexed when their segment is full: what is random then is in a near cache.
//!
//! Each segment grows on its own, by an eighth, so growing never needs a second table.

use super::entry::{Entry, Found, Key, Part, SEGMENTS};
use super::segment::{ENTRIES_MIN, Segment};

/// How many keys are approached together.
pub(super) const KEYS_TOGETHER: usize = 64;

/// The entries of one part.
pub(super) struct Table {
    part: Part,
    segments: Vec<Segment>,
}

impl Table {
    /// An empty table with room for about so many rows; more make it grow.
    pub(super) fn new(part: Part, rows: usize) -> Self {
        let room = if rows == 0 { 0 } else { room_for(rows.div_ceil(SEGMENTS as usize)) };
        Self { part, segments: (0..SEGMENTS).map(|_| Segment::new(room)).collect() }
    }

    /// The entry of a key that is in this part, and whether it was there already: otherwise it is the
    /// one given.
    #[inline]
    pub(super) fn entry(&mut self, entry: Entry) -> Option<(&mut Entry, Found)> {
        let part = self.part;
        let place = part.place(&entry.key)?;
        self.segments.get_mut(place.segment)?.entry(&place, entry, part)
    }

    /// Which of these keys are in this part, by their numbers.
    pub(super) fn own(&self, keys: &[Key], numbers: &mut Vec<u32>) {
        numbers.clear();
        numbers.resize(keys.len(), 0);
        let mut count = 0;
        for (number, key) in (0..).zip(keys) {
            // Without a branch, which could not be foretold.
            if let Some(place) = numbers.get_mut(count) {
                *place = number;
            }
            count += usize::from(self.part.position(key).is_some());
        }
        numbers.truncate(count);
    }

    /// Reads where these keys are or would be, so that what follows finds it in the cache: reads that do not
    /// wait for each other take little longer than one.
    #[inline]
    pub(super) fn approach<'k>(&self, keys: impl Iterator<Item = &'k Key> + Clone) {
        let places = keys.filter_map(|key| self.part.place(key));
        let segments = places.filter_map(|place| Some((self.segments.get(place.segment)?, place)));
        let slots = segments.clone().map(|(segment, place)| segment.slot(&place));
        std::hint::black_box(slots.fold(0, |read, slot| read ^ slot));
        let entries = segments.filter_map(|(segment, place)| segment.candidate(&place));
        std::hint::black_box(entries.fold(0, |read, entry| {
            read ^ entry.word ^ u32::from(entry.key.first().copied().unwrap_or_default())
        }));
    }

    /// All entries, in no order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.segments.iter().flat_map(Segment::entries)
    }

    /// Those that are chosen, in the order of their keys.
    pub(super) fn sorted(&self, chosen: impl Fn(&Entry) -> bool) -> impl Iterator<Item = &Entry> {
        self.segments.iter().flat_map(move |segment| {
            let mut entries: Vec<&Entry> =
                segment.entries().iter().filter(|entry| chosen(entry)).collect();
            entries.sort_unstable_by_key(|entry| entry.key);
            entries
        })
    }
}

/// Entries on their way into a table, of which the newest of each key stays.
pub(super) struct Newest {
    table: Table,
    contradictions: u64,
}

impl Newest {
    /// Room for about so many keys; more make it grow.
    pub(super) fn new(part: Part, keys: usize) -> Self {
        Self { table: Table::new(part, keys), contradictions: 0 }
    }

    /// See [`Table::own`].
    pub(super) fn own(&self, keys: &[Key], numbers: &mut Vec<u32>) {
        self.table.own(keys, numbers);
    }

    /// Takes in an entry. Those of other parts are passed over.
    #[inline]
    pub(super) fn gather(&mut self, entry: Entry) {
        let part = self.table.part;
        let Some(place) = part.place(&entry.key) else { return };
        let Some(segment) = self.table.segments.get_mut(place.segment) else { return };
        self.contradictions += segment.gather(entry, part);
    }

    /// The table of the newest entries; how often one contradicted another of its version, where one did.
    pub(super) fn settle(mut self) -> Result<Table, u64> {
        let part = self.table.part;
        for segment in &mut self.table.segments {
            self.contradictions += segment.fold(part);
        }
        if self.contradictions == 0 { Ok(self.table) } else { Err(self.contradictions) }
    }
}

/// The bytes that a table of so many rows takes at most, just after it has grown.
pub(super) fn bytes_needed(rows: u64) -> u64 {
    // Filled to 15/16 before it grows by 1/8: 16/15 · 9/8 = 6/5 a row. A 16th more is what an allocator loses
    // between blocks that grow.
    let room = rows.saturating_mul(6).div_ceil(5) + SEGMENTS * ENTRIES_MIN as u64;
    let index = (room.saturating_mul(5).div_ceil(4) + SEGMENTS).saturating_mul(4);
    let bytes = room.saturating_mul(size_of::<Entry>() as u64).saturating_add(index);
    bytes.saturating_add(bytes / 16).saturating_add(SEGMENTS * size_of::<Segment>() as u64)
}

fn room_for(rows: usize) -> usize {
    // Rows scatter among segments with a deviation of their root; two of them spare most the growing.
    (rows + 2 * rows.isqrt()).max(ENTRIES_MIN)
}

#[cfg(test)]
mod tests {
    use super::super::entry::partition_of;
    use super::super::hash::{DIFF_BYTES, KEY_BYTES};
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn key(words: [u64; 2]) -> Key {
        let mut key = [0; KEY_BYTES];
        key[..8].copy_from_slice(&words[0].to_be_bytes());
        key[8..16].copy_from_slice(&words[1].to_be_bytes());
        key
    }

    /// Keys that crowd together, and some that do not.
    fn keys() -> impl Strategy<Value = Vec<Key>> {
        let leading = prop_oneof![any::<u64>(), 0..4_u64, (u64::MAX - 4)..=u64::MAX];
        prop::collection::vec((leading, 0..50_u64).prop_map(|(a, b)| key([a, b])), 0..400)
    }

    proptest! {
        #[test]
        fn a_table_holds_what_a_map_does(
            keys in keys(),
            rows in prop_oneof![Just(0_usize), 1..5000_usize],
            parts in 1..4_u32,
        ) {
            let mut read = Vec::new();
            for part in Part::all(parts) {
                let mut table = Table::new(part, rows);
                let mut map = BTreeMap::new();
                for (version, key) in (1..).zip(&keys) {
                    let entry = Entry::recorded(*key, [0; DIFF_BYTES], version, false);
                    let belongs = partition_of(key, parts) == part.index;
                    let Some((there, found)) = table.entry(entry) else {
                        prop_assert!(!belongs);
                        continue;
                    };
                    prop_assert!(belongs);
                    let known = map.insert(*key, version).is_some();
                    prop_assert_eq!(known, found == Found::There);
                    *there = entry;
                }
                let entries = table.sorted(|_| true).map(|entry| (entry.key, entry.version()));
                let entries: Vec<_> = entries.collect();
                read.extend(entries.iter().map(|(key, _)| *key));
                prop_assert_eq!(entries, Vec::from_iter(map));
            }
            let mut all = keys.clone();
            all.sort_unstable();
            all.dedup();
            prop_assert_eq!(read, all);
        }
    }

    fn bytes_of(table: &Table) -> u64 {
        table.segments.iter().map(Segment::bytes).sum::<usize>() as u64
    }

    /// A multiplicative sequence scatters like a hash.
    fn spread(number: u64) -> Key {
        key([number.wrapping_mul(0x9e37_79b9_7f4a_7c15), number])
    }

    #[test]
    fn what_is_needed_bounds_what_is_taken() {
        for (rows, expected) in [(0, 0), (1, 0), (10_000, 0), (300_000, 0), (300_000, 300_000)] {
            let mut table = Table::new(Part::WHOLE, expected);
            for number in 0..rows {
                table.entry(Entry::loaded(spread(number), [0; DIFF_BYTES]));
            }
            let (bytes, bound) = (bytes_of(&table), bytes_needed(rows));
            assert!(bytes <= bound, "{rows} rows in {bytes} bytes of {bound}");
        }
        assert_eq!(size_of::<Entry>(), 52);
    }

    #[test]
    fn many_versions_need_no_more_than_one() {
        for keys in [3_u64, 1_000, 50_000] {
            let mut newest = Newest::new(Part::WHOLE, 0);
            let mut most = 0;
            for version in (1..=20).rev() {
                for number in 0..keys {
                    let diff = [version as u8; DIFF_BYTES];
                    newest.gather(Entry::recorded(spread(number), diff, version, false));
                }
                most = most.max(bytes_of(&newest.table));
            }
            let bound = bytes_needed(keys);
            assert!(most <= bound, "{keys} keys of 20 versions in {most} bytes of {bound}");
            let table = newest.settle().ok().unwrap();
            assert_eq!(table.entries().count() as u64, keys);
            assert!(table.entries().all(|entry| entry.version() == 20 && entry.diff[0] == 20));
        }
    }

    proptest! {
        #[test]
        fn the_newest_is_kept_as_a_map_keeps_it(
            rows in prop::collection::vec((0..40_u64, 1..6_u32, 0..100_u8), 0..2000),
            expected in 0..200_usize,
        ) {
            let mut newest = Newest::new(Part::WHOLE, expected);
            let (mut map, mut contradictions) = (BTreeMap::<Key, Entry>::new(), 0);
            for (number, version, diff) in rows {
                // Seldom two contents of one version.
                let diff = [if diff == 0 { 1 } else { 0 }; DIFF_BYTES];
                let entry = Entry::recorded(key([number << 58, number]), diff, version, false);
                newest.gather(entry);
                let known = map.entry(entry.key).or_insert(entry);
                if known.version() < version {
                    *known = entry;
                } else if known.version() == version && known.diff != diff {
                    contradictions += 1;
                }
            }
            match newest.settle() {
                Err(found) => prop_assert_eq!(found, contradictions),
                Ok(table) => {
                    prop_assert_eq!(contradictions, 0);
                    let found = table.sorted(|_| true).map(|entry| (entry.key, entry.version()));
                    let known = map.values().map(|entry| (entry.key, entry.version()));
                    prop_assert_eq!(Vec::from_iter(found), Vec::from_iter(known));
                }
            }
        }
    }
}
