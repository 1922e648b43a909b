//! FF1 of NIST SP 800-38G (2016), section 6.1: a keyed permutation of the numbers of `n` numerals.
//!
//! ```text
//!  A ‖ B          u = n / 2 and n - u numerals, as two numbers below 2^64
//!  ten times      R = AES(AES(P) ⊕ Q),  Q = tweak ‖ 0… ‖ round ‖ B
//!                 A, B = B, A + R mod radix^u (or radix^v)
//! ```
//!
//! Many numbers go through one round together, so that a processor with AES instructions has as many
//! blocks under way as it can. `AES(P)` depends on the length only and is computed once. Numbers whose
//! halves do not fit 64 bits, or tweaks that do not fit the one block, take the way of [`wide`].

mod wide;

use aes::Aes256;
use aes::cipher::{Block, BlockCipherEncrypt, KeyInit, consts::U16};

use crate::key::LinkageKey;

pub(crate) use wide::permute_wide;

/// Bytes of a tweak: so many that `Q` stays one block beside 8 bytes of number and 1 of the round.
pub(crate) const TWEAK_BYTES: usize = 7;

/// Rounds: section 6.1, step 4.
const ROUNDS: u32 = 10;

/// Blocks encrypted in one call.
const TOGETHER: usize = 64;

/// To the masked value, or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Mask,
    Restore,
}

impl Direction {
    pub(crate) fn reversed(self) -> Self {
        match self {
            Self::Mask => Self::Restore,
            Self::Restore => Self::Mask,
        }
    }
}

/// A modulus up to 2^64, and how numbers are reduced by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Modulus {
    modulus: u128,
    way: Way,
}

/// How numbers are reduced.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// By a power of two: the last so many bits stay.
    Bits(u32),
    /// By less than 2^32: two products with the inverse.
    Inverse(u64),
    /// By anything else.
    Division,
}

impl Modulus {
    pub(crate) fn new(modulus: u128) -> Self {
        match Self::without_inverse(modulus) {
            Self { way: Way::Division, .. } if (2..1 << 32).contains(&modulus) => {
                Self { modulus, way: Way::Inverse(u64::MAX / modulus as u64) }
            }
            other => other,
        }
    }

    fn without_inverse(modulus: u128) -> Self {
        let bits = modulus.is_power_of_two().then(|| modulus.trailing_zeros());
        Self { modulus, way: bits.map_or(Way::Division, Way::Bits) }
    }

    /// Quotient and remainder. With `i = (2^64 - 1) / m`, rounded down, `x i / 2^64` is less than 1 below
    /// `x / m`, so that the quotient is short by at most 1.
    #[inline]
    pub(crate) fn divide(self, x: u64) -> (u64, u64) {
        let inverse = match self.way {
            Way::Bits(bits) => {
                return ((u128::from(x) >> bits) as u64, x & (self.modulus - 1) as u64);
            }
            Way::Division => {
                let quotient = (u128::from(x)).checked_div(self.modulus).unwrap_or_default();
                return (quotient as u64, (u128::from(x) - quotient * self.modulus) as u64);
            }
            Way::Inverse(inverse) => inverse,
        };
        let modulus = self.modulus as u64;
        let quotient = ((u128::from(x) * u128::from(inverse)) >> 64) as u64;
        let rest = x.wrapping_sub(quotient.wrapping_mul(modulus));
        if rest >= modulus { (quotient + 1, rest - modulus) } else { (quotient, rest) }
    }

    /// A half after a round. `read` is what `R` is read as: below 2^96, or below 2^64 where there is an inverse.
    #[inline]
    fn next(self, half: u64, read: u128, direction: Direction) -> u64 {
        match self.way {
            Way::Bits(_) => {
                let read = read as u64;
                let sum = match direction {
                    Direction::Mask => half.wrapping_add(read),
                    Direction::Restore => half.wrapping_sub(read),
                };
                return sum & (self.modulus - 1) as u64;
            }
            // All of it is below 2^32 then, and 64 bits do.
            Way::Inverse(_) => {
                let (modulus, y) = (self.modulus as u64, self.divide(read as u64).1);
                let sum = match direction {
                    Direction::Mask => half + y,
                    Direction::Restore => half + modulus - y,
                };
                return if sum >= modulus { sum - modulus } else { sum };
            }
            Way::Division => {}
        }
        let y = read.checked_rem(self.modulus).unwrap_or_default();
        let sum = match direction {
            Direction::Mask => u128::from(half) + y,
            Direction::Restore => u128::from(half) + self.modulus - y,
        };
        (if sum >= self.modulus { sum - self.modulus } else { sum }) as u64
    }
}

/// What all numbers of one length share.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// `AES(P)`.
    start: u128,
    /// `radix^u` and `radix^v`.
    halves: [Modulus; 2],
    /// Bits of the number in `Q`, below the round.
    number_bits: u32,
    /// Bits of `R` that are not read.
    unread_bits: u32,
}

/// A number of `n` numerals on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lane {
    /// The number of numerals.
    pub(crate) length: usize,
    /// The first `n / 2` numerals.
    pub(crate) first: u64,
    /// The others.
    pub(crate) second: u64,
    /// The tweak, at the high end.
    pub(crate) tweak: u128,
}

/// FF1 of one radix under one key.
pub(crate) struct Ff1<C> {
    cipher: C,
    radix: u32,
    tweak_bytes: usize,
    /// By length; a length that has none is too short or takes the wide way.
    shapes: Vec<Option<Shape>>,
    blocks_together: usize,
}

/// FF1 with AES-256, as masks use it.
pub(crate) type Permutation = Ff1<Aes256>;

impl Permutation {
    /// The permutation under a linkage's key, with tweaks of [`TWEAK_BYTES`] or none.
    pub(crate) fn of(key: &LinkageKey, radix: u32, tweak_bytes: usize) -> Self {
        Self::new(Aes256::new((&*key.secret("aes-256")).into()), radix, tweak_bytes)
    }
}

impl<C: BlockCipherEncrypt<BlockSize = U16>> Ff1<C> {
    /// The permutation of numbers of `radix`, 2 to 65536.
    pub(crate) fn new(cipher: C, radix: u32, tweak_bytes: usize) -> Self {
        let mut shapes = vec![None, None];
        while let Some(shape) = shape(&cipher, radix, shapes.len(), tweak_bytes) {
            shapes.push(Some(shape));
        }
        Self { cipher, radix, tweak_bytes, shapes, blocks_together: TOGETHER }
    }

    pub(crate) fn radix(&self) -> u32 {
        self.radix
    }

    pub(crate) fn tweak_bytes(&self) -> usize {
        self.tweak_bytes
    }

    /// The cipher, for the wide way.
    pub(crate) fn cipher(&self) -> &C {
        &self.cipher
    }

    /// Whether numbers of this length can be a [`Lane`].
    #[inline]
    pub(crate) fn fits(&self, length: usize) -> bool {
        matches!(self.shapes.get(length), Some(Some(_)))
    }

    /// Permutes every lane. A lane whose length does not [fit](Self::fits) stays as it is.
    pub(crate) fn permute(&self, lanes: &mut [Lane], direction: Direction) {
        let mut shapes = Vec::with_capacity(self.blocks_together);
        let mut blocks = vec![Block::<C>::default(); self.blocks_together];
        for lanes in lanes.chunks_mut(self.blocks_together) {
            shapes.clear();
            shapes.extend(lanes.iter().map(|lane| self.shapes.get(lane.length).copied().flatten()));
            let Some(blocks) = blocks.get_mut(..lanes.len()) else { continue };
            match direction {
                Direction::Mask => {
                    (0..ROUNDS)
                        .for_each(|round| self.round(round, lanes, &shapes, blocks, direction));
                }
                Direction::Restore => {
                    lanes.iter_mut().for_each(Lane::swap);
                    for round in (0..ROUNDS).rev() {
                        self.round(round, lanes, &shapes, blocks, direction);
                    }
                    lanes.iter_mut().for_each(Lane::swap);
                }
            }
        }
    }

    /// One round of every lane: what is keyed stands second, before and after in the other place.
    #[inline]
    fn round(
        &self,
        round: u32,
        lanes: &mut [Lane],
        shapes: &[Option<Shape>],
        blocks: &mut [Block<C>],
        direction: Direction,
    ) {
        for ((lane, shape), block) in lanes.iter().zip(shapes).zip(blocks.iter_mut()) {
            let Some(shape) = shape else { continue };
            // The number's bits are 8 to 56, or 64: the round is in either half, never across both.
            let counter = u64::from(round).checked_shl(shape.number_bits);
            let counter = counter.map_or_else(|| u128::from(round) << 64, u128::from);
            let q = lane.tweak | counter | u128::from(lane.second);
            *block = (shape.start ^ q).to_be_bytes().into();
        }
        self.cipher.encrypt_blocks(blocks);
        for ((lane, shape), block) in lanes.iter_mut().zip(shapes).zip(blocks.iter()) {
            let Some(Shape { halves: [even, odd], unread_bits, .. }) = shape else { continue };
            let modulus = if round.is_multiple_of(2) { even } else { odd };
            let result = u128::from_be_bytes((*block).into());
            // Where there is an inverse, eight bytes are read.
            let read = if matches!(modulus.way, Way::Inverse(_)) {
                result >> 64
            } else {
                result >> unread_bits
            };
            let next = modulus.next(lane.first, read, direction);
            lane.first = lane.second;
            lane.second = next;
        }
    }
}

impl Lane {
    fn swap(&mut self) {
        std::mem::swap(&mut self.first, &mut self.second);
    }
}

/// Section 6.1, steps 1 to 5; none if the halves do not fit 64 bits, or `Q` one block.
fn shape<C: BlockCipherEncrypt<BlockSize = U16>>(
    cipher: &C,
    radix: u32,
    length: usize,
    tweak_bytes: usize,
) -> Option<Shape> {
    let u = length / 2;
    let power = |exponent: usize| u128::from(radix).checked_pow(u32::try_from(exponent).ok()?);
    let halves = [power(u)?, power(length - u)?];
    let greatest = u64::try_from(halves.last()?.checked_sub(1)?).ok()?;
    let number_bytes = (u64::BITS - greatest.leading_zeros()).div_ceil(8);
    if tweak_bytes + 1 + number_bytes as usize > 16 {
        return None;
    }
    let read_bytes = 4 * number_bytes.div_ceil(4) + 4;
    // What is read must fit 64 bits for the inverse to serve.
    let modulus = if read_bytes == 8 { Modulus::new } else { Modulus::without_inverse };
    let mut block: Block<C> = first_block(radix, length, tweak_bytes).into();
    cipher.encrypt_block(&mut block);
    Some(Shape {
        start: u128::from_be_bytes(block.into()),
        halves: halves.map(modulus),
        number_bits: 8 * number_bytes,
        unread_bits: 128 - 8 * read_bytes,
    })
}

/// The block `P`: section 6.1, step 5.
fn first_block(radix: u32, length: usize, tweak_bytes: usize) -> [u8; 16] {
    let [_, r0, r1, r2] = radix.to_be_bytes();
    // Lengths and tweaks are far below 2^32.
    let [n0, n1, n2, n3] = (length as u32).to_be_bytes();
    let [t0, t1, t2, t3] = (tweak_bytes as u32).to_be_bytes();
    let u = (length / 2) as u8;
    [1, 2, 1, r0, r1, r2, ROUNDS as u8, u, n0, n1, n2, n3, t0, t1, t2, t3]
}

#[cfg(test)]
mod tests;
