//! National identity numbers: their shapes, and the published rules of their check characters.
//!
//! Where a number holds a date of birth, one with a day up to 28 is drawn: it exists in every
//! month.

use super::identifier::{Keyed, Rule, are_digits, is_like, part, part_mut, set, set_last};
use crate::check_digits::{digit_of, luhn, mod_11_10, number_of, value_of, weighted};

/// Belgium: 97 less the remainder by 97, after a 2 for those born since 2000 (Royal Decree of
/// 3 April 1984).
pub(super) static BE: Rule = Rule {
    fits: |id| is_like(id, b"99999999999") && is_date(part(id, 4, 6), part(id, 2, 4)),
    replace: |id, keyed| {
        // Of the last century: the check says so, without the 2.
        year_month_day(keyed, id);
        keyed.number(1, 997, part_mut(id, 6, 9));
        let check = 97 - number_of(part(id, 0, 9)) % 97;
        put(check as u32, part_mut(id, 9, 11));
    },
    seal: |id| {
        let number = number_of(part(id, 0, 9));
        let check = 97 - number % 97;
        let since_2000 = 97 - (2_000_000_000 + number) % 97;
        if number_of(part(id, 9, 11)) != since_2000 {
            put(check as u32, part_mut(id, 9, 11));
        }
        true
    },
};

/// Brazil, CPF: two digits by modulus 11 (Receita Federal, Instrução Normativa 1548/2015).
pub(super) static BR: Rule = Rule {
    fits: |id| is_like(id, b"99999999999") && part(id, 0, 9) != b"000000000",
    replace: |id, keyed| keyed.replace(part_mut(id, 0, 9)),
    seal: |id| {
        const WEIGHTS: [u32; 10] = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2];
        let check = |rest: &[u8], weights: &[u32]| {
            let remainder = weighted(rest, weights) % 11;
            digit_of(if remainder < 2 { 0 } else { 11 - remainder })
        };
        let first = check(part(id, 0, 9), WEIGHTS.get(1..).unwrap_or_default());
        set(id, 9, first);
        set_last(id, |rest| Some(check(rest, &WEIGHTS)))
    },
};

/// Switzerland: 756, nine digits, and an EAN-13's digit (eCH-0044).
pub(super) static CH: Rule = Rule {
    fits: |id| is_like(id, b"7569999999999"),
    replace: |id, keyed| keyed.replace(part_mut(id, 3, 12)),
    seal: |id| {
        set_last(id, |rest| {
            let sum = weighted(rest, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
            Some(digit_of((10 - sum % 10) % 10))
        })
    },
};

/// Chile: modulus 11 with weights 2 to 7 from the right, K for 10 (Registro Civil).
pub(super) static CL: Rule = Rule {
    fits: |id| {
        let last = id.last().copied().unwrap_or_default();
        let body = part(id, 0, id.len().saturating_sub(1));
        matches!(id.len(), 8 | 9)
            && are_digits(body)
            && !body.starts_with(b"0")
            && (last.is_ascii_digit() || last == b'K')
    },
    replace: |id, keyed| {
        let end = id.len().saturating_sub(1);
        keyed.replace(part_mut(id, 0, end));
        if id.len() == 9 {
            set(id, 0, keyed.one_of(b"12"));
        }
    },
    seal: |id| {
        set_last(id, |rest| {
            let sum: u32 = rest
                .iter()
                .rev()
                .zip((2..=7).cycle())
                .map(|(digit, weight)| value_of(*digit) * weight)
                .sum();
            Some(match 11 - sum % 11 {
                11 => b'0',
                10 => b'K',
                digit => digit_of(digit),
            })
        })
    },
};

/// Germany: ten digits of which one stands twice or three times (not three in a row), and ISO
/// 7064, MOD 11,10 (Bundeszentralamt für Steuern, since 2016).
pub(super) static DE: Rule = Rule {
    fits: |id| {
        let body = part(id, 0, 10);
        let mut counts = [0_u32; 10];
        for digit in body {
            if let Some(count) = counts.get_mut(value_of(*digit) as usize) {
                *count += 1;
            }
        }
        let many = counts.iter().filter(|count| **count > 1).count();
        let in_a_row =
            body.windows(3).any(|three| three.iter().all(|digit| Some(digit) == three.first()));
        is_like(id, b"99999999999")
            && !id.starts_with(b"0")
            && many == 1
            && counts.iter().all(|count| *count < 4)
            && !in_a_row
    },
    replace: |id, keyed| {
        let mut digits = *b"0123456789";
        for place in 0..digits.len() {
            // At most 9.
            let with = place + keyed.below((digits.len() - place) as u32) as usize;
            digits.swap(place, with);
        }
        // One digit takes the place of another. The digits stand at random: so do these two.
        let [first, .., last] = &mut digits;
        *last = *first;
        let last = keyed.below(9) as usize + 1;
        digits.swap(last, 9);
        part_mut(id, 0, 10).copy_from_slice(&digits);
    },
    seal: |id| set_last(id, |rest| Some(digit_of(mod_11_10(rest)))),
};

/// Spain: a letter by the remainder by 23, a NIE's X, Y and Z counting 0, 1 and 2 (Real Decreto
/// 1553/2005; Orden INT/2058/2008).
pub(super) static ES: Rule = Rule {
    fits: |id| {
        is_like(id, b"99999999A")
            || (is_like(id, b"A9999999A") && matches!(id.first(), Some(b'X'..=b'Z')))
    },
    replace: |id, keyed| match id {
        [first, rest @ ..] if first.is_ascii_uppercase() => {
            *first = keyed.one_of(b"XYZ");
            keyed.replace(part_mut(rest, 0, 7));
        }
        _ => keyed.replace(part_mut(id, 0, 8)),
    },
    seal: |id| {
        set_last(id, |rest| {
            const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
            let first = rest.first().copied().unwrap_or_default();
            let kind = u64::from(first.saturating_sub(b'X'));
            let number = if first.is_ascii_digit() {
                number_of(rest)
            } else {
                kind * 10_000_000 + number_of(part(rest, 1, 8))
            };
            LETTERS.get((number % 23) as usize).copied()
        })
    },
};

/// Finland: a date, a number from 002 to 899, and one of 31 characters (Digital and Population
/// Data Services Agency). The sign of the century is a separator if it is no letter.
pub(super) static FI: Rule = Rule {
    fits: |id| {
        let serial = part(id, id.len().saturating_sub(4), id.len().saturating_sub(1));
        let century =
            is_like(id, b"999999A999*") && matches!(id.get(6), Some(b'A'..=b'F' | b'U'..=b'Y'));
        (is_like(id, b"999999999*") || century)
            && is_date(part(id, 0, 2), part(id, 2, 4))
            && (2..=899).contains(&number_of(serial))
    },
    replace: |id, keyed| {
        let length = id.len();
        keyed.number(1, 28, part_mut(id, 0, 2));
        keyed.number(1, 12, part_mut(id, 2, 4));
        // With a letter from A to F the year is of this century.
        let years = if length == 11 { 23 } else { 99 };
        keyed.number(0, years, part_mut(id, 4, 6));
        keyed.number(2, 899, part_mut(id, length.saturating_sub(4), length.saturating_sub(1)));
    },
    seal: |id| {
        set_last(id, |rest| {
            const CHARACTERS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
            let serial = number_of(part(rest, rest.len().saturating_sub(3), rest.len()));
            let number = number_of(part(rest, 0, 6)) * 1_000 + serial;
            CHARACTERS.get((number % 31) as usize).copied()
        })
    },
};

/// France: 97 less the remainder by 97, with 19 for 2A and 18 for 2B (INSEE).
pub(super) static FR: Rule = Rule {
    fits: |id| {
        let shape = is_like(id, b"999999999999999")
            || is_like(id, b"999992a99999999")
            || is_like(id, b"999992b99999999");
        // Months beyond 12 are given where the month is unknown.
        shape && matches!(id.first(), Some(b'1' | b'2' | b'3' | b'4' | b'7' | b'8'))
    },
    replace: |id, keyed| {
        set(id, 0, keyed.one_of(b"12"));
        keyed.number(0, 99, part_mut(id, 1, 3));
        keyed.number(1, 12, part_mut(id, 3, 5));
        if part(id, 6, 7).iter().all(u8::is_ascii_digit) {
            keyed.number(21, 95, part_mut(id, 5, 7));
        } else {
            set(id, 6, keyed.one_of(b"AB"));
        }
        keyed.number(1, 899, part_mut(id, 7, 10));
        keyed.number(1, 999, part_mut(id, 10, 13));
    },
    seal: |id| {
        let mut number = [b'0'; 13];
        number.copy_from_slice(id.first_chunk::<13>().unwrap_or(&[b'0'; 13]));
        match part(&number, 5, 7) {
            b"2A" => part_mut(&mut number, 5, 7).copy_from_slice(b"19"),
            b"2B" => part_mut(&mut number, 5, 7).copy_from_slice(b"18"),
            _ => {}
        }
        put((97 - number_of(&number) % 97) as u32, part_mut(id, 13, 15));
        true
    },
};

/// Croatia: ISO 7064, MOD 11,10 (Zakon o osobnom identifikacijskom broju).
pub(super) static HR: Rule = Rule {
    fits: |id| is_like(id, b"99999999999"),
    replace: |id, keyed| keyed.replace(part_mut(id, 0, 10)),
    seal: |id| set_last(id, |rest| Some(digit_of(mod_11_10(rest)))),
};

/// Italy: a letter by the remainder by 26, places counted from one having values of their own if
/// odd (Decreto Ministeriale of 23 December 1976). Digits written as letters, to tell namesakes
/// apart, are known but not given.
pub(super) static IT: Rule = Rule {
    fits: |id| {
        const DIGITS: [usize; 7] = [6, 7, 9, 10, 12, 13, 14];
        let mut plain = [0_u8; 16];
        if id.len() != plain.len() {
            return false;
        }
        plain.copy_from_slice(id);
        for place in DIGITS {
            let digit = plain
                .get(place)
                .and_then(|byte| b"LMNPQRSTUV".iter().position(|letter| letter == byte));
            if let Some(digit) = digit {
                // At most 9.
                set(&mut plain, place, b'0' + digit as u8);
            }
        }
        let month = plain.get(8).is_some_and(|month| MONTHS.contains(month));
        // 40 is added to a woman's day.
        let day = number_of(part(&plain, 9, 11));
        is_like(&plain, b"AAAAAA99A99A999A") && month && matches!(day, 1..=31 | 41..=71)
    },
    replace: |id, keyed| {
        for byte in part_mut(id, 0, 6) {
            *byte = keyed.one_of(b"BCDFGLMNPRSTVZ");
        }
        keyed.number(0, 99, part_mut(id, 6, 8));
        set(id, 8, keyed.one_of(MONTHS));
        let sex = 40 * keyed.below(2);
        keyed.number(1 + sex, 28 + sex, part_mut(id, 9, 11));
        set(id, 11, keyed.one_of(b"ABCDEFGHIL"));
        keyed.number(1, 999, part_mut(id, 12, 15));
    },
    seal: |id| {
        set_last(id, |rest| {
            // Values of 0 to 9, and of A to J; then of K to Z.
            const ODD: [u32; 26] = [
                1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22,
                25, 24, 23,
            ];
            let values = rest.iter().map(|byte| match byte {
                b'A'..=b'Z' => byte - b'A',
                digit => digit.wrapping_sub(b'0'),
            });
            let sum: u32 = values
                .enumerate()
                .map(|(place, value)| match place % 2 {
                    0 => ODD.get(usize::from(value)).copied().unwrap_or_default(),
                    _ => u32::from(value),
                })
                .sum();
            // At most 25.
            Some(b'A' + (sum % 26) as u8)
        })
    },
};

/// Letters of the months in Italy.
const MONTHS: &[u8] = b"ABCDEHLMPRST";

/// Netherlands: the eleven test (Logisch Ontwerp BSN); a remainder of 10 has no digit.
pub(super) static NL: Rule = Rule {
    fits: |id| is_like(id, b"999999999") && !id.starts_with(b"000"),
    replace: |id, keyed| keyed.replace(part_mut(id, 0, 8)),
    seal: |id| set_last(id, |rest| remainder_digit(weighted(rest, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11)),
};

/// Norway: a date, a number, and two digits by modulus 11 (Skatteetaten). Numbers up to 499 are
/// those of the twentieth century.
pub(super) static NO: Rule = Rule {
    fits: |id| is_like(id, b"99999999999") && is_date(part(id, 0, 2), part(id, 2, 4)),
    replace: |id, keyed| {
        keyed.number(1, 28, part_mut(id, 0, 2));
        keyed.number(1, 12, part_mut(id, 2, 4));
        keyed.number(0, 99, part_mut(id, 4, 6));
        keyed.number(0, 499, part_mut(id, 6, 9));
    },
    seal: |id| {
        let check = |sum: u32| remainder_digit((11 - sum % 11) % 11);
        let Some(first) = check(weighted(part(id, 0, 9), &[3, 7, 6, 1, 8, 9, 4, 5, 2])) else {
            return false;
        };
        set(id, 9, first);
        set_last(id, |rest| check(weighted(rest, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2])))
    },
};

/// Poland: weights 1, 3, 7 and 9 modulo 10 (Ustawa o ewidencji ludności); the month tells the
/// century.
pub(super) static PL: Rule = Rule {
    fits: |id| {
        let month = number_of(part(id, 2, 4)) % 20;
        is_like(id, b"99999999999")
            && (1..=12).contains(&month)
            && (1..=31).contains(&number_of(part(id, 4, 6)))
    },
    replace: |id, keyed| {
        year_month_day(keyed, id);
        keyed.replace(part_mut(id, 6, 10));
    },
    seal: |id| {
        set_last(id, |rest| {
            let sum = weighted(rest, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
            Some(digit_of((10 - sum % 10) % 10))
        })
    },
};

/// Portugal: modulus 11, 0 for 10 (Autoridade Tributária).
pub(super) static PT: Rule = Rule {
    fits: |id| is_like(id, b"999999999") && !id.starts_with(b"0"),
    replace: |id, keyed| {
        set(id, 0, keyed.one_of(b"123"));
        keyed.replace(part_mut(id, 1, 8));
    },
    seal: |id| {
        set_last(id, |rest| {
            let check = 11 - weighted(rest, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
            Some(if check > 9 { b'0' } else { digit_of(check) })
        })
    },
};

/// Sweden: a date, three digits, and Luhn's digit over those and two digits of the year
/// (Skatteverket, SKV 704).
pub(super) static SE: Rule = Rule {
    fits: |id| {
        let short = without_century(id);
        let century = id.len() == 10 || id.starts_with(b"19") || id.starts_with(b"20");
        let date = is_date(part(short, 4, 6), part(short, 2, 4));
        is_like(short, b"9999999999") && matches!(id.len(), 10 | 12) && century && date
    },
    replace: |id, keyed| {
        let start = id.len().saturating_sub(10);
        part_mut(id, 0, start).copy_from_slice(part(b"19", 0, start));
        let short = id.get_mut(start..).unwrap_or_default();
        year_month_day(keyed, short);
        keyed.replace(part_mut(short, 6, 9));
    },
    seal: |id| {
        set_last(id, |rest| {
            Some(digit_of(luhn(part(rest, rest.len().saturating_sub(9), rest.len()))))
        })
    },
};

/// South Africa: a date, four digits, citizenship, and Luhn's digit (Department of Home Affairs).
pub(super) static ZA: Rule = Rule {
    fits: |id| {
        is_like(id, b"9999999999999")
            && is_date(part(id, 4, 6), part(id, 2, 4))
            && matches!(id.get(10), Some(b'0'..=b'2'))
    },
    replace: |id, keyed| {
        year_month_day(keyed, id);
        keyed.replace(part_mut(id, 6, 10));
        set(id, 10, keyed.one_of(b"01"));
        set(id, 11, b'8');
    },
    seal: |id| set_last(id, |rest| Some(digit_of(luhn(rest)))),
};

/// The last ten characters.
fn without_century(id: &[u8]) -> &[u8] {
    part(id, id.len().saturating_sub(10), id.len())
}

/// Draws two digits each of year, month and day, for the first six characters.
fn year_month_day(keyed: &mut Keyed<'_>, id: &mut [u8]) {
    keyed.number(0, 99, part_mut(id, 0, 2));
    keyed.number(1, 12, part_mut(id, 2, 4));
    keyed.number(1, 28, part_mut(id, 4, 6));
}

/// Whether the month has this day, in a leap year.
fn is_date(day: &[u8], month: &[u8]) -> bool {
    let days = match number_of(month) {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&number_of(day))
}

/// A remainder by 11 as a digit; 10 has none.
fn remainder_digit(remainder: u32) -> Option<u8> {
    (remainder < 10).then(|| digit_of(remainder))
}

/// Writes a number of two digits.
fn put(number: u32, digits: &mut [u8]) {
    if let [tens, units] = digits {
        *tens = digit_of(number / 10);
        *units = digit_of(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::identifier::tests::{check, check_single_errors, passes};

    /// Examples of python-stdnum's documentation, which quotes the authorities'.
    const PUBLISHED: &[(&Rule, &[&str])] = &[
        (&BE, &["85.07.30-033 28"]),
        (&BR, &["390.533.447-05"]),
        (&CH, &["756.9217.0769.85"]),
        (&CL, &["76.086.428-5", "12531909-2"]),
        (&DE, &["36 574 261 809"]),
        (&ES, &["54362315-K", "X-2482300W"]),
        (&FI, &["131052-308T", "131052A308T"]),
        (&FR, &["2 95 10 99 126 111 93", "253072B07300470"]),
        (&HR, &["33392005961"]),
        (&IT, &["RCCMNL83S18D969H"]),
        (&NL, &["1112.22.333"]),
        (&NO, &["151086 95088"]),
        (&PL, &["44051401359"]),
        (&PT, &["501 964 843"]),
        (&SE, &["880320-0016", "18880320-0016", "19880320-0016"]),
        (&ZA, &["7503305044089"]),
    ];

    #[test]
    fn published_numbers() {
        for (rule, numbers) in PUBLISHED {
            let numbers: Vec<&str> =
                numbers.iter().copied().filter(|number| !number.starts_with("18")).collect();
            check(*rule, &numbers);
        }
        assert!(!passes(&&SE, "18880320-0016") && !passes(&&NL, "000000000"));
    }

    #[test]
    fn one_wrong_digit_is_seen() {
        for (rule, number) in [
            (&CH, "7569217076985"),
            (&DE, "36574261809"),
            (&ES, "54362315K"),
            (&FI, "131052-308T"),
            (&HR, "33392005961"),
            (&NL, "111222333"),
            (&NO, "15108695088"),
            (&PL, "44051401359"),
            (&SE, "880320-0016"),
            (&ZA, "7503305044089"),
        ] {
            check_single_errors(&rule, number);
        }
    }
}
