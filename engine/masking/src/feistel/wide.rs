//! FF1 of numbers of any size: numerals in, numerals out, one number at a time.

use aes::cipher::{Block, BlockCipherEncrypt, consts::U16};

use super::{Direction, ROUNDS, first_block};

/// Permutes the number that these numerals spell, in place. Fewer than two stay as they are.
pub(crate) fn permute_wide<C: BlockCipherEncrypt<BlockSize = U16>>(
    cipher: &C,
    radix: u32,
    tweak: &[u8],
    numerals: &mut [u16],
    direction: Direction,
) {
    let length = numerals.len();
    if length < 2 {
        return;
    }
    let (first, second) = numerals.split_at_mut(length / 2);
    let half = Half::new(radix, second.len());
    let mut kept = first.to_vec();
    let mut keyed = second.to_vec();
    if direction == Direction::Restore {
        std::mem::swap(&mut kept, &mut keyed);
    }
    let start = encrypted(cipher, first_block(radix, length, tweak.len()));
    for step in 0..ROUNDS {
        let round = if direction == Direction::Mask { step } else { ROUNDS - 1 - step };
        let mut stream = half.stream(cipher, start, tweak, round as u8, &keyed);
        half.combine(&mut kept, &mut stream, direction);
        std::mem::swap(&mut kept, &mut keyed);
    }
    if direction == Direction::Restore {
        std::mem::swap(&mut kept, &mut keyed);
    }
    for (place, numeral) in numerals.iter_mut().zip(kept.into_iter().chain(keyed)) {
        *place = numeral;
    }
}

/// The sizes of section 6.1, steps 3 and 4.
struct Half {
    radix: u32,
    /// Bytes of the greatest number of the longer half.
    number_bytes: usize,
    /// Bytes of the pseudo-random number that is added.
    read_bytes: usize,
}

impl Half {
    fn new(radix: u32, numerals: usize) -> Self {
        // Two bytes for every numeral of up to 16 bits are enough.
        let mut bytes = vec![0; numerals * 2];
        let greatest = vec![(radix - 1) as u16; numerals];
        number(&greatest, radix, &mut bytes);
        let number_bytes = bytes.iter().skip_while(|byte| **byte == 0).count();
        Self { radix, number_bytes, read_bytes: 4 * number_bytes.div_ceil(4) + 4 }
    }

    /// Step 6, i to iii: the bytes `S` of one round.
    fn stream<C: BlockCipherEncrypt<BlockSize = U16>>(
        &self,
        cipher: &C,
        start: u128,
        tweak: &[u8],
        round: u8,
        keyed: &[u16],
    ) -> Vec<u8> {
        let mut q = tweak.to_vec();
        let end = (tweak.len() + 1 + self.number_bytes).next_multiple_of(16);
        q.resize(end - self.number_bytes - 1, 0);
        q.push(round);
        q.resize(end, 0);
        if let Some(place) = q.get_mut(end - self.number_bytes..) {
            number(keyed, self.radix, place);
        }
        let chunks = q.chunks_exact(16).filter_map(|chunk| <[u8; 16]>::try_from(chunk).ok());
        let r = chunks.fold(start, |state, chunk| {
            encrypted(cipher, (state ^ u128::from_be_bytes(chunk)).to_be_bytes())
        });
        let blocks = (0_u128..).map(|block| match block {
            0 => r,
            block => encrypted(cipher, (r ^ block).to_be_bytes()),
        });
        blocks.flat_map(u128::to_be_bytes).take(self.read_bytes).collect()
    }

    /// Step 6, iv to vii: adds the number `S`, or takes it away, numeral by numeral from the last.
    fn combine(&self, kept: &mut [u16], stream: &mut [u8], direction: Direction) {
        let radix = self.radix;
        let mut carry = 0;
        for numeral in kept.iter_mut().rev() {
            let added = divide(stream, radix) + carry;
            let value = u32::from(*numeral);
            let (next, over) = match direction {
                Direction::Mask if value + added >= radix => (value + added - radix, 1),
                Direction::Mask => (value + added, 0),
                Direction::Restore if value < added => (value + radix - added, 1),
                Direction::Restore => (value - added, 0),
            };
            *numeral = next as u16;
            carry = over;
        }
    }
}

fn encrypted<C: BlockCipherEncrypt<BlockSize = U16>>(cipher: &C, block: [u8; 16]) -> u128 {
    let mut block: Block<C> = block.into();
    cipher.encrypt_block(&mut block);
    u128::from_be_bytes(block.into())
}

/// Writes the number that the numerals spell, big end first.
fn number(numerals: &[u16], radix: u32, bytes: &mut [u8]) {
    bytes.fill(0);
    for numeral in numerals {
        let mut carry = u32::from(*numeral);
        for byte in bytes.iter_mut().rev() {
            let sum = u32::from(*byte) * radix + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
    }
}

/// Divides a number, big end first, in place, and gives the rest.
fn divide(bytes: &mut [u8], radix: u32) -> u32 {
    let mut rest = 0;
    for byte in bytes {
        let part = rest << 8 | u32::from(*byte);
        *byte = (part / radix) as u8;
        rest = part % radix;
    }
    rest
}
