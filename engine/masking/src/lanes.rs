//! Keyed hashes of many values at once.
//!
//! ```text
//!  value ‖ 0x80 ‖ 0…  one 64-byte block per lane ──▶ BLAKE3 over all lanes ──▶ 32 bytes per value
//!                     longer values: on their own
//! ```
//!
//! The hash of a value is BLAKE3 `keyed_hash` of the value padded to whole 64-byte blocks (ISO/IEC
//! 9797-1, padding method 2: one bit, then zeros). Short values are then one full block each, and as
//! many of them as the processor has lanes are hashed by one pass of its vector units. What comes out
//! does not depend on how many stand together.

use blake3::IncrementCounter;
use blake3::platform::{MAX_SIMD_DEGREE, Platform, words_from_le_bytes_32};

/// Bytes of a BLAKE3 block.
const BLOCK: usize = 64;
/// The first byte of the padding.
const MARK: u8 = 0x80;

/// Domain flags of a keyed hash of one block: BLAKE3 paper, section 2.2, table 3.
const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;
const KEYED_HASH: u8 = 1 << 4;

/// Values waiting to be hashed, and the hashes so far.
pub(crate) struct Lanes<'k> {
    key: &'k [u8; 32],
    platform: Platform,
    lanes: [[u8; BLOCK]; MAX_SIMD_DEGREE],
    filled: usize,
    hashes: Vec<[u8; 32]>,
}

impl<'k> Lanes<'k> {
    pub(crate) fn new(key: &'k [u8; 32]) -> Self {
        Self {
            key,
            platform: Platform::detect(),
            lanes: [[0; BLOCK]; MAX_SIMD_DEGREE],
            filled: 0,
            hashes: Vec::new(),
        }
    }

    /// Adds a value: its hash is the next one.
    #[inline]
    pub(crate) fn push(&mut self, value: &[u8]) {
        let Some(lane) = self.lanes.get_mut(self.filled) else { return };
        if fill(lane, [], value) {
            self.filled();
        } else {
            self.push_long(value);
        }
    }

    /// Adds a byte and a value, as one value.
    #[inline]
    pub(crate) fn push_after(&mut self, byte: u8, value: &[u8]) {
        let Some(lane) = self.lanes.get_mut(self.filled) else { return };
        if fill(lane, [byte], value) {
            self.filled();
        } else {
            self.push_long(&[&[byte], value].concat());
        }
    }

    #[inline]
    fn filled(&mut self) {
        self.filled += 1;
        if self.filled == MAX_SIMD_DEGREE {
            self.flush();
        }
    }

    #[cold]
    fn push_long(&mut self, value: &[u8]) {
        self.flush();
        self.hashes.push(hash_long(self.key, value));
    }

    /// The hashes of all values since the last call, in their order.
    pub(crate) fn finish(&mut self) -> &[[u8; 32]] {
        self.flush();
        &self.hashes
    }

    /// Forgets the hashes.
    pub(crate) fn clear(&mut self) {
        self.filled = 0;
        self.hashes.clear();
    }

    fn flush(&mut self) {
        let filled = self.lanes.get(..self.filled).unwrap_or_default();
        if filled.is_empty() {
            return;
        }
        let mut inputs = [&[0; BLOCK]; MAX_SIMD_DEGREE];
        for (input, lane) in inputs.iter_mut().zip(filled) {
            *input = lane;
        }
        let start = self.hashes.len();
        self.hashes.resize(start + filled.len(), [0; 32]);
        let out = self.hashes.get_mut(start..).unwrap_or_default().as_flattened_mut();
        self.platform.hash_many(
            inputs.get(..filled.len()).unwrap_or_default(),
            &words_from_le_bytes_32(self.key),
            0,
            IncrementCounter::No,
            KEYED_HASH,
            CHUNK_START,
            CHUNK_END | ROOT,
            out,
        );
        self.filled = 0;
    }
}

/// Makes a block of some bytes, a value and its padding; false if they do not fit. Copies are of fixed sizes,
/// and overlap where a value is no multiple of them: each is an instruction or two.
#[inline]
fn fill<const N: usize>(lane: &mut [u8; BLOCK], before: [u8; N], value: &[u8]) -> bool {
    *lane = [0; BLOCK];
    let Some((start, lane)) = lane.split_first_chunk_mut::<N>() else { return false };
    *start = before;
    let length = value.len();
    let Some(mark) = lane.get_mut(length) else { return false };
    *mark = MARK;
    if let (Some(first), Some(last)) = (value.first_chunk::<16>(), value.last_chunk::<16>()) {
        copy(lane, 0, first);
        for at in [16, 32] {
            if let Some(chunk) = value.get(at..).and_then(<[u8]>::first_chunk::<16>) {
                copy(lane, at, chunk);
            }
        }
        copy(lane, length - 16, last);
    } else if let (Some(first), Some(last)) = (value.first_chunk::<8>(), value.last_chunk::<8>()) {
        copy(lane, 0, first);
        copy(lane, length - 8, last);
    } else if let (Some(first), Some(last)) = (value.first_chunk::<4>(), value.last_chunk::<4>()) {
        copy(lane, 0, first);
        copy(lane, length - 4, last);
    } else {
        lane.iter_mut().zip(value).for_each(|(target, byte)| *target = *byte);
    }
    true
}

#[inline]
fn copy<const N: usize>(lane: &mut [u8], at: usize, chunk: &[u8; N]) {
    if let Some(target) = lane.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<N>) {
        *target = *chunk;
    }
}

/// The hash of a value that does not fit one block together with its padding.
#[cold]
fn hash_long(key: &[u8; 32], value: &[u8]) -> [u8; 32] {
    const ZEROS: [u8; BLOCK] = [0; BLOCK];
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(value).update(&[MARK]);
    let over = (value.len() + 1) % BLOCK;
    if over > 0 {
        hasher.update(ZEROS.get(over..).unwrap_or_default());
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = *b"a key that protects nothing here";

    /// What the crate's own, documented function gives for the padded value.
    fn expected(value: &[u8]) -> [u8; 32] {
        let mut padded = value.to_vec();
        padded.push(MARK);
        padded.resize(padded.len().next_multiple_of(BLOCK), 0);
        *blake3::keyed_hash(&KEY, &padded).as_bytes()
    }

    #[test]
    fn hashes_are_those_of_the_documented_function_however_many_stand_together() {
        let values: Vec<Vec<u8>> =
            (0_u8..200).map(|length| (0..length).map(|byte| byte ^ length).collect()).collect();
        for together in [1, 2, 3, 15, 16, 17, 40, 200] {
            let mut lanes = Lanes::new(&KEY);
            for group in values.chunks(together) {
                lanes.clear();
                group.iter().for_each(|value| lanes.push(value));
                let wanted: Vec<[u8; 32]> = group.iter().map(|value| expected(value)).collect();
                assert_eq!(lanes.finish(), wanted);
                lanes.clear();
                for (first, rest) in group.iter().filter_map(|value| value.split_first()) {
                    lanes.push_after(*first, rest);
                }
                let not_empty = group.iter().filter(|value| !value.is_empty());
                let wanted: Vec<[u8; 32]> = not_empty.map(|value| expected(value)).collect();
                assert_eq!(lanes.finish(), wanted);
            }
        }
    }

    #[test]
    fn every_platform_gives_the_same() {
        let mut fast = Lanes::new(&KEY);
        let mut portable = Lanes { platform: Platform::Portable, ..Lanes::new(&KEY) };
        for value in 0..100_u32 {
            fast.push(&value.to_le_bytes());
            portable.push(&value.to_le_bytes());
        }
        assert_eq!(fast.finish(), portable.finish());
    }
}
