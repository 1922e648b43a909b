//! Check digits of identifiers: each gives what makes an identifier right, from the rest of it.
//!
//! Text is ASCII digits and capital letters. What is neither counts as 0: callers look at the
//! shape first.

/// The value of a digit (0 to 9) or of a letter (A is 10, Z is 35).
#[inline]
pub(crate) fn value_of(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        _ => 0,
    }
}

/// The last digit of a number, as text.
#[inline]
pub(crate) fn digit_of(value: u32) -> u8 {
    b'0' + (value % 10) as u8
}

/// The number that digits write, of at most 19 digits.
#[inline]
pub(crate) fn number_of(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number: u64, digit| {
        number.wrapping_mul(10).wrapping_add(u64::from(value_of(*digit)))
    })
}

/// The sum of values, each times its weight.
#[inline]
pub(crate) fn weighted(text: &[u8], weights: &[u32]) -> u32 {
    text.iter().zip(weights).map(|(byte, weight)| value_of(*byte) * weight).sum()
}

/// The sum over digits that Luhn's check digit brings to a multiple of ten: ISO/IEC 7812-1,
/// annex B. Every second digit counts twice (its digits added up), from the last but one.
#[inline]
pub(crate) fn luhn_sum(digits: &[u8]) -> u32 {
    const TWICE: [u32; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let pairs = digits.rchunks(2);
    pairs
        .map(|pair| match pair {
            [double, single] => {
                value_of(*single) + TWICE.get(value_of(*double) as usize).unwrap_or(&0)
            }
            _ => pair.iter().map(|single| value_of(*single)).sum(),
        })
        .sum()
}

/// Luhn's check digit of the digits before it.
#[inline]
pub(crate) fn luhn(payload: &[u8]) -> u32 {
    const TWICE: [u32; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let sum: u32 = payload
        .rchunks(2)
        .map(|pair| match pair {
            [single, double] => {
                value_of(*single) + TWICE.get(value_of(*double) as usize).unwrap_or(&0)
            }
            [double] => *TWICE.get(value_of(*double) as usize).unwrap_or(&0),
            _ => 0,
        })
        .sum();
    (10 - sum % 10) % 10
}

/// The remainder by 97 of a text with letters read as 10 to 35: ISO 7064, MOD 97-10.
#[inline]
pub(crate) fn mod_97(text: impl IntoIterator<Item = u8>) -> u32 {
    text.into_iter().fold(0, |remainder, byte| {
        let value = value_of(byte);
        (remainder * if value < 10 { 10 } else { 100 } + value) % 97
    })
}

/// The check digit of digits: ISO 7064, MOD 11,10.
#[inline]
pub(crate) fn mod_11_10(digits: &[u8]) -> u32 {
    let product = digits.iter().fold(10, |product, digit| {
        let sum = (product + value_of(*digit)) % 10;
        (if sum == 0 { 10 } else { sum } * 2) % 11
    });
    (11 - product) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_is_that_of_the_published_examples() {
        // ISO/IEC 7812-1 as quoted by Wikipedia; Visa's, Mastercard's and American Express' test numbers.
        for number in ["17893729974", "4111111111111111", "5555555555554444", "378282246310005"] {
            let (payload, check) = number.as_bytes().split_at(number.len() - 1);
            assert_eq!(luhn(payload), value_of(check[0]), "{number}");
            assert_eq!(luhn_sum(number.as_bytes()) % 10, 0, "{number}");
        }
        assert_ne!(luhn_sum(b"4111111111111112") % 10, 0);
    }

    #[test]
    fn mod_97_is_that_of_iso_7064() {
        // ISO 13616-1: GB82 WEST 1234 5698 7654 32 is rearranged and leaves 1.
        assert_eq!(mod_97(*b"WEST12345698765432GB82"), 1);
        // ISO 7064, MOD 97-10: the check of 794 is 44.
        assert_eq!(98 - mod_97(*b"79400"), 44);
    }

    #[test]
    fn mod_11_10_is_that_of_iso_7064() {
        // ISO 7064, MOD 11,10: the check of 0794 is 5; the German tax office's example.
        assert_eq!(mod_11_10(b"0794"), 5);
        assert_eq!(mod_11_10(b"3657426180"), 9);
    }

    #[test]
    fn sums() {
        assert_eq!(weighted(b"12A", &[1, 2, 3]), 35);
        assert_eq!(number_of(b"00123"), 123);
        assert_eq!(digit_of(17), b'7');
    }
}
