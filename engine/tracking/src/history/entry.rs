//! What is known of a key, and where it is looked for.

use super::hash::{DIFF_BYTES, KEY_BYTES};

pub(super) type Key = [u8; KEY_BYTES];
pub(super) type Diff = [u8; DIFF_BYTES];

/// Few enough that where each goes on stays in a near cache, and enough that each fits one.
pub(super) const SEGMENTS: u64 = 1024;

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
    /// Version, and flags in the lowest bits.
    pub(super) word: u32,
}

impl Entry {
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
}

/// One of several tables that share all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub(super) index: u32,
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
    pub(super) fn position(self, key: &Key) -> Option<u64> {
        let (part, position) = scaled(leading(key), self.of.into());
        (part == u64::from(self.index)).then_some(position)
    }

    #[inline]
    pub(super) fn place(self, key: &Key) -> Option<Place> {
        let (segment, position) = scaled(self.position(key)?, SEGMENTS);
        let tag = key.last_chunk().map_or(0, |last| u32::from_be_bytes(*last));
        Some(Place { segment: segment as usize, position, tag })
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
pub(super) fn scaled(fraction: u64, count: u64) -> (u64, u64) {
    let product = u128::from(fraction) * u128::from(count);
    ((product >> 64) as u64, product as u64)
}

/// Whether an entry was in the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Before.
    There,
    /// Only now.
    Placed,
}

/// Where a key is looked for.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The number of its segment.
    pub(super) segment: usize,
    /// In the segment, as a fraction of 2⁶⁴.
    pub(super) position: u64,
    /// Other bits of the key.
    pub(super) tag: u32,
}
