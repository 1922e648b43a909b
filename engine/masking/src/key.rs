//! The key of one pseudonym space, and the pseudo-random function over it.
//!
//! ```text
//!  master key ─┐
//!  version     ├─ BLAKE3 derive_key ─▶ LinkageKey ── keyed_hash(padded bytes) ─▶ 256 bits
//!  linkage     │   (length-prefixed)
//!  function    │
//!  ABI version ┘
//! ```
//!
//! Every (version, linkage, function, ABI version) has a key of its own, so what
//! one column shows says nothing about another linkage or another function.

use std::fmt;

use zeroize::Zeroizing;

use crate::lanes::Lanes;

/// Context string of the derivation; BLAKE3 paper, section 2.4 (`derive_key`).
const CONTEXT: &str = "engine 2026 masking v1";

/// Context string of secrets for other algorithms than BLAKE3.
const SECRET_CONTEXT: &str = "engine 2026 masking secret v1";

/// The master key of every published example and vector: the bytes 0 to 31.
/// Never a key for data.
pub const EXAMPLE_MASTER: [u8; 32] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31,
];

/// Key of one function in one linkage: 32 bytes, wiped on drop, never printed.
#[derive(Clone)]
pub struct LinkageKey(Zeroizing<[u8; 32]>);

impl LinkageKey {
    /// Derives the key of `function` (at ABI version `abi`) in `linkage` from a
    /// masking master key and its version. Fields are length-prefixed: no two
    /// different tuples give the same derivation input.
    #[must_use]
    pub fn derive(
        master: &[u8; 32],
        version: u32,
        linkage: &str,
        function: &str,
        abi: u32,
    ) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        for field in [
            &master[..],
            &version.to_le_bytes(),
            linkage.as_bytes(),
            function.as_bytes(),
            &abi.to_le_bytes(),
        ] {
            // usize is at most 64 bits wide on every target Rust supports.
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
        Self(Zeroizing::new(*hasher.finalize().as_bytes()))
    }

    /// A secret for another algorithm, which `label` names; apart from the hash of every value.
    pub(crate) fn secret<const BYTES: usize>(&self, label: &str) -> Zeroizing<[u8; BYTES]> {
        let mut hasher = blake3::Hasher::new_derive_key(SECRET_CONTEXT);
        let mut secret = Zeroizing::new([0; BYTES]);
        hasher.update(&self.0[..]).update(label.as_bytes()).finalize_xof().fill(&mut *secret);
        secret
    }

    /// Hashes many values together.
    pub(crate) fn lanes(&self) -> Lanes<'_> {
        Lanes::new(&self.0)
    }

    /// The stream of one value; of many, see [`LinkageKey::lanes`].
    pub(crate) fn prf(&self, value: &[u8]) -> Draw<'_> {
        let mut lanes = self.lanes();
        lanes.push(value);
        self.draw(*lanes.finish().first().unwrap_or(&[0; 32]))
    }

    /// The stream that begins with a value's hash.
    #[inline]
    pub(crate) fn draw(&self, block: [u8; 32]) -> Draw<'_> {
        Draw { key: self, block, next: 0, blocks: 0 }
    }
}

impl fmt::Debug for LinkageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkageKey([redacted])")
    }
}

/// The pseudo-random stream of one value: its 32-byte hash first, then
/// `keyed_hash(previous block ‖ "next" ‖ count)` for as long as it is read. That input
/// has 44 bytes, and a padded value whole blocks: neither can be taken for the other.
pub(crate) struct Draw<'a> {
    key: &'a LinkageKey,
    block: [u8; 32],
    next: usize,
    blocks: u64,
}

impl Draw<'_> {
    /// The first block: 256 bits.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.block
    }

    /// The next 64 bits.
    #[inline]
    pub(crate) fn next_u64(&mut self) -> u64 {
        if self.next + 8 > self.block.len() {
            self.refill();
        }
        let word = self.block.get(self.next..self.next + 8).and_then(|bytes| bytes.try_into().ok());
        self.next += 8;
        u64::from_le_bytes(word.unwrap_or_default())
    }

    /// A number below `bound` (at least 1 is assumed; 0 gives 0), by the high half
    /// of a 64 × 64 bit product. The bias is below `bound / 2^64`: Lemire, "Fast
    /// Random Integer Generation in an Interval", 2019, section 3.
    #[inline]
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        (wide >> 64) as u64
    }

    fn refill(&mut self) {
        let mut input = [0_u8; 44];
        let parts = [&self.block[..], b"next", &self.blocks.to_le_bytes()];
        for (target, byte) in input.iter_mut().zip(parts.into_iter().flatten()) {
            *target = *byte;
        }
        self.block = *blake3::keyed_hash(&self.key.0, &input).as_bytes();
        self.blocks = self.blocks.wrapping_add(1);
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(key: &LinkageKey) -> [u8; 32] {
        *key.prf(b"value").bytes()
    }

    #[test]
    fn every_field_separates() {
        let base = first(&LinkageKey::derive(&EXAMPLE_MASTER, 1, "customer", "token", 1));
        let others = [
            LinkageKey::derive(&[7; 32], 1, "customer", "token", 1),
            LinkageKey::derive(&EXAMPLE_MASTER, 2, "customer", "token", 1),
            LinkageKey::derive(&EXAMPLE_MASTER, 1, "order", "token", 1),
            LinkageKey::derive(&EXAMPLE_MASTER, 1, "customer", "email", 1),
            LinkageKey::derive(&EXAMPLE_MASTER, 1, "customer", "token", 2),
            LinkageKey::derive(&EXAMPLE_MASTER, 1, "customert", "oken", 1),
        ];
        for other in &others {
            assert_ne!(base, first(other));
        }
    }

    #[test]
    fn derivation_is_what_the_blake3_crate_says() {
        let mut material = Vec::new();
        for field in [&EXAMPLE_MASTER[..], &1_u32.to_le_bytes(), b"l", b"f", &3_u32.to_le_bytes()] {
            material.extend_from_slice(&(field.len() as u64).to_le_bytes());
            material.extend_from_slice(field);
        }
        let key = blake3::derive_key(CONTEXT, &material);
        let mut padded = [0; 64];
        padded[..6].copy_from_slice(b"value\x80");
        let expected = *blake3::keyed_hash(&key, &padded).as_bytes();
        assert_eq!(first(&LinkageKey::derive(&EXAMPLE_MASTER, 1, "l", "f", 3)), expected);
    }

    #[test]
    fn debug_shows_nothing() {
        let key = LinkageKey::derive(&EXAMPLE_MASTER, 1, "l", "f", 1);
        assert_eq!(format!("{key:?}"), "LinkageKey([redacted])");
    }

    #[test]
    fn draws_go_on_past_one_block_and_stay_below_their_bound() {
        let key = LinkageKey::derive(&EXAMPLE_MASTER, 1, "l", "f", 1);
        let mut draw = key.prf(b"value");
        let words: std::collections::BTreeSet<u64> = (0..100).map(|_| draw.next_u64()).collect();
        assert_eq!(words.len(), 100);
        assert!((0..1000).all(|_| draw.below(7) < 7));
        assert_eq!(draw.below(0), 0);
    }
}
