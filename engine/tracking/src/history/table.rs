//! Entries by hash key, compact and sorted: an ordered hash table.
//!
//! ```text
//!  the first 64 bits of a key as a fraction of 1:
//!
//!    part ┃ segment ┃ home slot ┃ …      each the whole of what is before, times how many there are
//!
//!  segment:  │ a │ b │   │ c │ d │ e │   │ f │     sorted; an entry is at its home or behind it,
//!            └─home──────────▶┘                     and nothing is empty in between
//! ```
//!
//! Ordered linear probing (O. Amble and D. E. Knuth, Ordered hash tables, The Computer Journal 17(2),
//! 1974): a search ends at the first greater key, and the layout depends only on what is in the table, not
//! on the order it came in. Hash keys are uniform, so their leading bits are their hash, and the order is
//! that of the keys. What is read from a table is therefore sorted.
//!
//! Each segment grows on its own, by an eighth, so growing never needs a second table.

use super::hash::{DIFF_BYTES, KEY_BYTES};

pub(super) type Key = [u8; KEY_BYTES];
pub(super) type Diff = [u8; DIFF_BYTES];

const SEGMENTS: u64 = 1024;
/// Of the slots of a segment, the part that is filled before it grows: 7/8.
const FILLED: (usize, usize) = (7, 8);
/// Slots that the smallest segment has.
const SLOTS_MIN: usize = 8;

/// How many keys are approached together.
pub(super) const KEYS_TOGETHER: usize = 32;
/// Entries are searched forwards from their home: two cache lines hold about this many.
const ENTRIES_OF_TWO_LINES: usize = 2;

/// The greatest version: two bits of its word are for flags.
pub(super) const VERSION_MAX: u32 = (1 << 30) - 1;

const DELETED: u32 = 1;
const SEEN: u32 = 1 << 1;
const FLAGS: u32 = 2;

/// What is known of a key, in 52 bytes.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) diff: Diff,
    /// Version, and flags in the lowest bits. Nothing in an empty slot.
    word: u32,
}

impl Entry {
    const EMPTY: Self = Self { key: [0; KEY_BYTES], diff: [0; DIFF_BYTES], word: 0 };

    /// A row of a satellite.
    pub(super) fn recorded(key: Key, diff: Diff, version: u32, is_deleted: bool) -> Self {
        Self { key, diff, word: version << FLAGS | if is_deleted { DELETED } else { 0 } }
    }

    /// A row of a load whose key is in no satellite: version 0.
    pub(super) fn loaded(key: Key, diff: Diff) -> Self {
        Self { key, diff, word: SEEN }
    }

    pub(super) fn version(&self) -> u32 {
        self.word >> FLAGS
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.word & DELETED != 0
    }

    pub(super) fn is_seen(&self) -> bool {
        self.word & SEEN != 0
    }

    pub(super) fn see(&mut self) {
        self.word |= SEEN;
    }

    /// Whether two rows of one key and version are one.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.diff, self.word) == (other.diff, other.word)
    }

    fn is_empty(&self) -> bool {
        self.word == 0
    }
}

/// One of several tables that share all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    index: u32,
    of: u32,
}

impl Part {
    /// The only part.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Part number `index`, from 0, of `of`; none when there is no such part.
    #[must_use]
    pub fn new(index: u32, of: u32) -> Option<Self> {
        (index < of).then_some(Self { index, of })
    }

    /// All parts, in the order of their keys.
    pub fn all(of: u32) -> impl Iterator<Item = Self> {
        (0..of).map(move |index| Self { index, of })
    }

    /// Whether a key belongs to this part.
    #[inline]
    pub(super) fn has(self, key: &Key) -> bool {
        self.position(key).is_some()
    }

    /// Where a key stands in this part; nothing when it belongs to another.
    #[inline]
    fn position(self, key: &Key) -> Option<u64> {
        let (part, position) = scaled(leading(key), self.of.into());
        (part == u64::from(self.index)).then_some(position)
    }
}

/// Which of `parts` a hash key belongs to, from 0. Parts follow the order of the keys.
#[must_use]
pub fn partition_of(key: &[u8; KEY_BYTES], parts: u32) -> u32 {
    // Below `parts`, which fits.
    scaled(leading(key), parts.max(1).into()).0 as u32
}

#[inline]
fn leading(key: &Key) -> u64 {
    key.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// A fraction of 2⁶⁴ as one of `count` equal pieces, and where in the piece.
#[inline]
fn scaled(fraction: u64, count: u64) -> (u64, u64) {
    let product = u128::from(fraction) * u128::from(count);
    ((product >> 64) as u64, product as u64)
}

/// The entries of one part.
pub(super) struct Table {
    part: Part,
    segments: Vec<Segment>,
}

impl Table {
    /// An empty table with room for about so many rows; more make it grow.
    pub(super) fn new(part: Part, rows: usize) -> Self {
        let homes = homes_for(rows.div_ceil(SEGMENTS as usize));
        let segments = (0..SEGMENTS).map(|_| Segment::new(if rows == 0 { 0 } else { homes }));
        Self { part, segments: segments.collect() }
    }

    /// The entry of a key that is in this part, and whether it was there already: otherwise it is the
    /// one given.
    #[inline]
    pub(super) fn entry(&mut self, entry: Entry) -> Option<(&mut Entry, Found)> {
        let position = self.part.position(&entry.key)?;
        let (segment, position) = scaled(position, SEGMENTS);
        self.segments.get_mut(segment as usize)?.entry(position, entry, self.part)
    }

    /// Reads where these keys are or would be, so that what follows finds it in the cache: reads that do not
    /// wait for each other take little longer than one.
    #[inline]
    pub(super) fn approach(&self, keys: &[Key]) {
        let mut read = 0;
        for position in keys.iter().filter_map(|key| self.part.position(key)) {
            let (segment, position) = scaled(position, SEGMENTS);
            let Some(segment) = self.segments.get(segment as usize) else { continue };
            let home = scaled(position, segment.homes as u64).0 as usize;
            for near in [home, home + ENTRIES_OF_TWO_LINES] {
                read ^= segment.slots.get(near).map_or(0, |entry| entry.word);
            }
        }
        std::hint::black_box(read);
    }

    /// All entries, in the order of their keys.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.segments.iter().flat_map(|segment| &segment.slots).filter(|entry| !entry.is_empty())
    }
}

/// Whether an entry was in the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Before.
    There,
    /// Only now.
    Placed,
}

/// The bytes that a table of so many rows takes at most, just after it has grown.
pub(super) fn bytes_needed(rows: u64) -> u64 {
    let (filled, of) = (FILLED.0 as u64, FILLED.1 as u64);
    // Filled to 7/8 before it grows by 1/8: 8/7 · 9/8 = 9/7 slots a row. A twelfth more is for the ends of
    // segments, and for what an allocator loses between blocks that grow.
    let slots = rows.saturating_mul(of + 1).div_ceil(filled);
    let ends = SEGMENTS * (SLOTS_MIN as u64 + size_of::<Segment>() as u64 / 8);
    (slots + slots / 12 + ends).saturating_mul(size_of::<Entry>() as u64)
}

fn homes_for(rows: usize) -> usize {
    // Rows scatter among segments with a deviation of their root; two of them spare most the growing.
    let scatter = 2 * rows.isqrt();
    ((rows + scatter) * FILLED.1).div_ceil(FILLED.0).max(SLOTS_MIN)
}

struct Segment {
    /// Slots that are somebody's home, and those behind the last that the end has run over into.
    slots: Vec<Entry>,
    homes: usize,
    filled: usize,
}

impl Segment {
    fn new(homes: usize) -> Self {
        Self { slots: vec![Entry::EMPTY; homes], homes, filled: 0 }
    }

    #[inline]
    fn entry(&mut self, position: u64, entry: Entry, part: Part) -> Option<(&mut Entry, Found)> {
        let at = match self.find(position, &entry.key) {
            Ok(at) => return self.slots.get_mut(at).map(|entry| (entry, Found::There)),
            Err(at) if self.filled * FILLED.1 < self.homes * FILLED.0 => at,
            Err(_) => {
                self.grow(part);
                let (Ok(at) | Err(at)) = self.find(position, &entry.key);
                at
            }
        };
        self.place(at, entry);
        self.slots.get_mut(at).map(|entry| (entry, Found::Placed))
    }

    /// The slot of a key, or the one it belongs in.
    #[inline]
    fn find(&self, position: u64, key: &Key) -> Result<usize, usize> {
        let home = scaled(position, self.homes as u64).0 as usize;
        let bits = leading(key);
        for (at, entry) in self.slots.iter().enumerate().skip(home) {
            if entry.is_empty() {
                return Err(at);
            }
            // Nearly always the leading bits tell.
            match leading(&entry.key).cmp(&bits).then_with(|| entry.key.cmp(key)) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Ok(at),
                std::cmp::Ordering::Greater => return Err(at),
            }
        }
        Err(self.slots.len().max(home))
    }

    /// Puts an entry into a slot; what is there moves on by one, up to the next empty slot.
    fn place(&mut self, at: usize, entry: Entry) {
        let behind = self.slots.get(at..).unwrap_or_default();
        let empty =
            behind.iter().position(Entry::is_empty).map_or(self.slots.len(), |gap| at + gap);
        if empty == self.slots.len() {
            // A vector that grows by itself doubles.
            if self.slots.len() == self.slots.capacity() {
                self.slots.reserve_exact(1 + self.homes / 64);
            }
            self.slots.push(Entry::EMPTY);
        }
        self.slots.copy_within(at..empty, at + 1);
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = entry;
            self.filled += 1;
        }
    }

    fn grow(&mut self, part: Part) {
        let homes = (self.homes + self.homes / 8).max(self.homes + 1).max(SLOTS_MIN);
        let mut slots = Vec::with_capacity(homes + homes / 64);
        for entry in self.slots.iter().filter(|entry| !entry.is_empty()) {
            let position = part.position(&entry.key).unwrap_or_default();
            let home = scaled(scaled(position, SEGMENTS).1, homes as u64).0 as usize;
            // Sorted, so each goes to its home, or right behind the one before.
            slots.resize(home.max(slots.len()), Entry::EMPTY);
            slots.push(*entry);
        }
        slots.resize(homes.max(slots.len()), Entry::EMPTY);
        *self = Self { slots, homes, filled: self.filled };
    }
}

#[cfg(test)]
mod tests {
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
                let entries = table.entries().map(|entry| (entry.key, entry.version()));
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

    #[test]
    fn what_is_needed_bounds_what_is_taken() {
        // A multiplicative sequence scatters like a hash.
        let spread = |number: u64| key([number.wrapping_mul(0x9e37_79b9_7f4a_7c15), number]);
        for (rows, expected) in [(0, 0), (1, 0), (10_000, 0), (300_000, 0), (300_000, 300_000)] {
            let mut table = Table::new(Part::WHOLE, expected);
            for number in 0..rows {
                table.entry(Entry::loaded(spread(number), [0; DIFF_BYTES]));
            }
            let slots: usize = table.segments.iter().map(|segment| segment.slots.capacity()).sum();
            let bytes = slots * size_of::<Entry>() + table.segments.len() * size_of::<Segment>();
            let bound = bytes_needed(rows);
            assert!(bytes as u64 <= bound, "{rows} rows in {bytes} bytes of {bound}");
        }
        assert_eq!(size_of::<Entry>(), 52);
    }
}
