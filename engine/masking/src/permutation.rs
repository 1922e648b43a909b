//! A keyed permutation of the numbers of an even count of bits.
//!
//! ```text
//!  left ─────────⊕──────▶ right'      ten rounds of a balanced Feistel network; the round function is
//!                ▲                     the low half of AES-128 over
//!                AES                     round (1) ‖ half's bits (1) ‖ tweak (6) ‖ right (8)
//!                │                       big-endian, bytes
//!  right ────────┴──────▶ left'
//! ```
//!
//! Ten rounds are those of NIST SP 800-38G's FF1, whose structure this is. The rounds of eight numbers
//! run side by side, so that AES instructions do not wait for each other. Key and tweak tell
//! permutations apart; a tweak has 48 bits.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};

/// Rounds of the network.
const ROUNDS: u8 = 10;
/// Numbers permuted side by side.
const TOGETHER: usize = 8;

/// Permutations of numbers of `2 * half_bits` bits, one per tweak.
pub(crate) struct Permutation {
    cipher: Aes128,
    half_bits: u32,
}

/// A number to be permuted, and what chooses the permutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tweaked {
    /// At most 48 bits.
    pub(crate) tweak: u64,
    /// The number.
    pub(crate) value: u128,
}

impl Permutation {
    /// Permutations under a key. `half_bits` is from 1 to 64.
    pub(crate) fn new(key: &[u8; 32], half_bits: u32) -> Self {
        let first = key.first_chunk().copied().unwrap_or_default();
        Self { cipher: Aes128::new(&Array::from(first)), half_bits: half_bits.clamp(1, 64) }
    }

    fn mask(&self) -> u64 {
        u64::MAX >> (64 - self.half_bits)
    }

    /// Permutes every number in place.
    pub(crate) fn permute(&self, numbers: &mut [Tweaked]) {
        for together in numbers.chunks_mut(TOGETHER) {
            self.permute_together(together);
        }
    }

    fn permute_together(&self, numbers: &mut [Tweaked]) {
        let mask = self.mask();
        let mut halves = [(0_u64, 0_u64); TOGETHER];
        let mut blocks = [Array::from([0_u8; 16]); TOGETHER];
        for (halves, number) in halves.iter_mut().zip(numbers.iter()) {
            // Both are masked: nothing is lost.
            *halves = ((number.value >> self.half_bits) as u64 & mask, number.value as u64 & mask);
        }
        for round in 0..ROUNDS {
            let start = u64::from(round) << 56 | u64::from(self.half_bits) << 48;
            for ((block, halves), number) in blocks.iter_mut().zip(&halves).zip(numbers.iter()) {
                let high = u128::from(start | number.tweak & (u64::MAX >> 16));
                *block = Array::from((high << 64 | u128::from(halves.1)).to_be_bytes());
            }
            self.cipher.encrypt_blocks(&mut blocks);
            for (block, halves) in blocks.iter().zip(&mut halves) {
                let drawn = u128::from_be_bytes((*block).into()) as u64 & mask;
                *halves = (halves.1, halves.0 ^ drawn);
            }
        }
        for (number, halves) in numbers.iter_mut().zip(halves) {
            number.value = u128::from(halves.0) << self.half_bits | u128::from(halves.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn all(permutation: &Permutation, tweak: u64, count: u128) -> Vec<u128> {
        let mut numbers: Vec<Tweaked> = (0..count).map(|value| Tweaked { tweak, value }).collect();
        permutation.permute(&mut numbers);
        numbers.into_iter().map(|number| number.value).collect()
    }

    #[test]
    fn every_number_comes_out_once() {
        for half_bits in [1, 2, 5, 8] {
            let count = 1 << (2 * half_bits);
            let permutation = Permutation::new(&[7; 32], half_bits);
            let permuted = all(&permutation, 3, count);
            let distinct: BTreeSet<u128> = permuted.iter().copied().collect();
            assert_eq!(distinct.len(), permuted.len(), "{half_bits}");
            assert!(distinct.iter().all(|value| *value < count), "{half_bits}");
        }
    }

    #[test]
    fn keys_and_tweaks_tell_permutations_apart() {
        let base = all(&Permutation::new(&[7; 32], 8), 3, 1 << 16);
        for other in [
            all(&Permutation::new(&[8; 32], 8), 3, 1 << 16),
            all(&Permutation::new(&[7; 32], 8), 4, 1 << 16),
        ] {
            let same = base.iter().zip(&other).filter(|(left, right)| left == right).count();
            assert!(same < 20, "{same}");
        }
    }

    #[test]
    fn many_are_permuted_as_one_is() {
        let permutation = Permutation::new(&[7; 32], 61);
        let many = all(&permutation, 1, 21);
        for (value, permuted) in (0..).zip(many) {
            let mut one = [Tweaked { tweak: 1, value }];
            permutation.permute(&mut one);
            assert_eq!(one, [Tweaked { tweak: 1, value: permuted }]);
        }
    }

    #[test]
    fn a_changed_bit_changes_half_of_the_bits() {
        let permutation = Permutation::new(&[7; 32], 61);
        let mut flips = 0;
        for bit in 0..122 {
            let mut pair = [Tweaked::default(), Tweaked { tweak: 0, value: 1 << bit }];
            permutation.permute(&mut pair);
            flips += (pair[0].value ^ pair[1].value).count_ones();
        }
        // 122 times 61 on average, with a deviation of 61.
        assert!((7_100..7_800).contains(&flips), "{flips}");
    }
}
