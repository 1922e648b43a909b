//! NIST's samples, and laws: both ways agree, and every small domain is permuted.

use std::collections::BTreeSet;

use aes::{Aes128, Aes192};
use proptest::prelude::*;

use super::*;
use crate::key::EXAMPLE_MASTER;

/// Key of NIST's samples; AES-128 and AES-192 take its beginning.
const KEY: [u8; 32] = [
    0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c,
    0xef, 0x43, 0x59, 0xd8, 0xd5, 0x80, 0xaa, 0x4f, 0x7f, 0x03, 0x6d, 0x6f, 0x04, 0xfc, 0x6a, 0x94,
];

fn numerals(text: &str) -> Vec<u16> {
    text.chars().map(|character| character.to_digit(36).unwrap() as u16).collect()
}

fn lane(radix: u32, numerals: &[u16], tweak: &[u8]) -> Lane {
    let (first, second) = numerals.split_at(numerals.len() / 2);
    let number = |half: &[u16]| {
        half.iter().fold(0, |sum: u128, numeral| sum * u128::from(radix) + u128::from(*numeral))
            as u64
    };
    let mut bytes = [0; 16];
    bytes[..tweak.len()].copy_from_slice(tweak);
    Lane {
        length: numerals.len(),
        first: number(first),
        second: number(second),
        tweak: u128::from_be_bytes(bytes),
    }
}

/// Checks a number both ways, and through lanes where it fits them. True if it does.
fn check<C: BlockCipherEncrypt<BlockSize = U16>>(
    ff1: &Ff1<C>,
    tweak: &[u8],
    plain: &[u16],
    masked: &[u16],
) -> bool {
    let wide = |numerals: &[u16], direction| {
        let mut numerals = numerals.to_vec();
        permute_wide(ff1.cipher(), ff1.radix(), tweak, &mut numerals, direction);
        numerals
    };
    assert_eq!(wide(plain, Direction::Mask), masked);
    assert_eq!(wide(masked, Direction::Restore), plain);
    if !ff1.fits(plain.len()) {
        return false;
    }
    let [plain, masked] = [plain, masked].map(|numerals| lane(ff1.radix(), numerals, tweak));
    let mut lanes = vec![plain; 65];
    ff1.permute(&mut lanes, Direction::Mask);
    assert_eq!(lanes, vec![masked; 65]);
    ff1.permute(&mut lanes, Direction::Restore);
    assert_eq!(lanes, vec![plain; 65]);
    true
}

/// The samples of one key size: NIST, "Block Cipher Modes of Operation: FF1 Method for Format-Preserving
/// Encryption", samples 1 to 9.
fn samples<C: BlockCipherEncrypt<BlockSize = U16> + KeyInit>(masked: [&str; 3]) {
    let cipher = || C::new_from_slice(&KEY[..C::key_size()]).unwrap();
    let ten: &[u8] = b"9876543210";
    let eleven: &[u8] = b"7777pqrs777";
    let plain = "0123456789abcdefghi";
    for (radix, tweak, length, masked, in_lanes) in [
        (10, &[][..], 10, masked[0], true),
        (10, ten, 10, masked[1], true),
        (36, eleven, 19, masked[2], false),
    ] {
        let ff1 = Ff1::new(cipher(), radix, tweak.len());
        let fitted = check(&ff1, tweak, &numerals(&plain[..length]), &numerals(masked));
        assert_eq!(fitted, in_lanes, "{masked}");
    }
}

#[test]
fn nist_samples_1_to_9() {
    samples::<Aes128>(["2433477484", "6124200773", "a9tv40mll9kdu509eum"]);
    samples::<Aes192>(["2830668132", "2496655549", "xbj3kv35jrawxv32ysr"]);
    samples::<Aes256>(["6657667009", "1001623463", "xs8a0azh2avyalyzuwd"]);
}

fn example(radix: u32, tweak_bytes: usize) -> Permutation {
    let key = LinkageKey::derive(&EXAMPLE_MASTER, 1, "l", "ff1", 1);
    Permutation::of(&key, radix, tweak_bytes)
}

#[test]
fn every_small_domain_is_permuted() {
    for (radix, length) in [(10, 2), (10, 3), (10, 4), (2, 7), (2, 12), (7, 5), (36, 2), (36, 3)] {
        let ff1 = example(radix, 0);
        let half = |exponent: usize| u64::from(radix).pow(exponent as u32);
        let firsts = 0..half(length / 2);
        let all: Vec<Lane> = firsts
            .flat_map(|first| (0..half(length - length / 2)).map(move |second| (first, second)))
            .map(|(first, second)| Lane { length, first, second, tweak: 0 })
            .collect();
        let mut masked = all.clone();
        ff1.permute(&mut masked, Direction::Mask);
        let pairs = |lanes: &[Lane]| -> BTreeSet<(u64, u64)> {
            lanes.iter().map(|lane| (lane.first, lane.second)).collect()
        };
        assert_eq!(pairs(&masked), pairs(&all), "{length} of radix {radix}");
        assert_ne!(masked, all);
    }
}

#[test]
fn lanes_reach_as_far_as_64_bits_a_half() {
    for (radix, longest) in [(2, 128), (10, 38), (16, 32), (62, 20), (65_536, 8)] {
        let ff1 = example(radix, TWEAK_BYTES);
        assert!(ff1.fits(longest) && !ff1.fits(longest + 1) && !ff1.fits(1), "radix {radix}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lanes_and_the_wide_way_agree(
        radix in prop_oneof![Just(2_u32), Just(10), Just(16), Just(62), Just(256), Just(65_536), 2..=65_536_u32],
        seed in proptest::collection::vec(any::<u16>(), 2..140),
        tweak in prop_oneof![Just(vec![]), proptest::collection::vec(any::<u8>(), TWEAK_BYTES)],
    ) {
        let ff1 = example(radix, tweak.len());
        let longest = (3..seed.len()).rev().find(|length| ff1.fits(*length)).unwrap_or(2);
        for length in [seed.len(), longest] {
            let plain: Vec<u16> =
                seed[..length].iter().map(|word| (u32::from(*word) % radix) as u16).collect();
            let mut masked = plain.clone();
            permute_wide(ff1.cipher(), radix, &tweak, &mut masked, Direction::Mask);
            check(&ff1, &tweak, &plain, &masked);
        }
    }

    #[test]
    fn division_by_products_is_division(x: u64, modulus in prop_oneof![2..1_u64 << 32, 2..70_u64, (1_u64 << 32) - 5..1 << 33]) {
        let by = Modulus::new(u128::from(modulus));
        for x in [x, u64::MAX, u64::MAX - x % 100, x / modulus * modulus, (x / modulus * modulus).saturating_sub(1)] {
            prop_assert_eq!(by.divide(x), (x / modulus, x % modulus));
        }
    }
}
