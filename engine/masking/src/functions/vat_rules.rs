//! VAT numbers of member states, without the letters of the country: shapes and check digits, as in
//! the European Commission's "VIES: algorithms" and the states' own publications.

use super::identifier::{Rule, is_like, part, part_mut, set, set_last};
use super::national_rules::{HR, NL as BSN, PT};
use crate::check_digits::{digit_of, luhn, luhn_sum, mod_11_10, mod_97, number_of, weighted};

/// The rule of the country with these letters.
pub(super) fn rule_of(letters: &[u8; 2]) -> Option<&'static Rule> {
    Some(match letters {
        b"AT" => &AT,
        b"BE" => &BE,
        b"DE" => &DE,
        b"DK" => &DK,
        b"EE" => &EE,
        b"EL" => &EL,
        b"FI" => &FI,
        b"FR" => &FR,
        b"HR" => &HR,
        b"IT" => &IT,
        b"LU" => &LU,
        b"NL" => &NL,
        b"PL" => &PL,
        b"PT" => &PT,
        b"SE" => &SE,
        b"SI" => &SI,
        _ => return None,
    })
}

/// Austria: U, seven digits, and 6 less Luhn's sum.
static AT: Rule = Rule {
    fits: |id| is_like(id, b"u99999999"),
    replace: |id, keyed| keyed.replace(part_mut(id, 1, 8)),
    seal: |id| set_last(id, |rest| Some(digit_of((16 - luhn_sum(part(rest, 1, 8)) % 10) % 10))),
};

/// Belgium: 97 less the remainder by 97.
static BE: Rule = Rule {
    fits: |id| is_like(id, b"9999999999") && matches!(id.first(), Some(b'0' | b'1')),
    replace: |id, keyed| {
        set(id, 0, keyed.one_of(b"01"));
        // Numbers that begin with 00 or 01 are not given out.
        set(id, 1, keyed.one_of(b"23456789"));
        keyed.replace(part_mut(id, 2, 8));
    },
    seal: |id| {
        put(97 - number_of(part(id, 0, 8)) % 97, part_mut(id, 8, 10));
        true
    },
};

/// Germany: ISO 7064, MOD 11,10.
static DE: Rule = Rule {
    fits: |id| is_like(id, b"999999999") && !id.starts_with(b"0"),
    replace: |id, keyed| {
        set(id, 0, keyed.one_of(b"123456789"));
        keyed.replace(part_mut(id, 1, 8));
    },
    seal: |id| set_last(id, |rest| Some(digit_of(mod_11_10(rest)))),
};

/// Denmark: modulus 11; a remainder of 1 has no digit.
static DK: Rule = Rule {
    fits: |id| is_like(id, b"99999999") && !id.starts_with(b"0"),
    replace: |id, keyed| {
        set(id, 0, keyed.one_of(b"123456789"));
        keyed.replace(part_mut(id, 1, 7));
    },
    seal: |id| set_last(id, |rest| mod_11(weighted(rest, &[2, 7, 6, 5, 4, 3, 2]))),
};

/// Estonia: weights 3, 7 and 1, modulo 10.
static EE: Rule = Rule {
    fits: |id| is_like(id, b"999999999"),
    replace: |id, keyed| keyed.replace(part_mut(id, 0, 8)),
    seal: |id| {
        set_last(id, |rest| {
            Some(digit_of((10 - weighted(rest, &[3, 7, 1, 3, 7, 1, 3, 7]) % 10) % 10))
        })
    },
};

/// Greece: powers of two modulo 11, 0 for 10.
static EL: Rule = Rule {
    fits: |id| is_like(id, b"999999999"),
    replace: |id, keyed| keyed.replace(part_mut(id, 0, 8)),
    seal: |id| {
        set_last(id, |rest| {
            Some(digit_of(weighted(rest, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10))
        })
    },
};

/// Finland: modulus 11; a remainder of 1 has no digit.
static FI: Rule = Rule {
    fits: |id| is_like(id, b"99999999"),
    replace: |id, keyed| keyed.replace(part_mut(id, 0, 7)),
    seal: |id| set_last(id, |rest| mod_11(weighted(rest, &[7, 9, 10, 5, 8, 4, 2]))),
};

/// France: the company's number (SIREN) with Luhn's digit, and a key before it. Monaco's numbers,
/// and keys with letters, fail the check.
static FR: Rule = Rule {
    fits: |id| is_like(id, b"99999999999") && part(id, 2, 5) != b"000",
    replace: |id, keyed| keyed.replace(part_mut(id, 2, 10)),
    seal: |id| {
        set_last(id, |rest| Some(digit_of(luhn(part(rest, 2, 10)))));
        put((number_of(part(id, 2, 11)) * 100 + 12) % 97, part_mut(id, 0, 2));
        true
    },
};

/// Italy: seven digits, the office (001 to 100, or one of four others), and Luhn's digit.
static IT: Rule = Rule {
    fits: |id| {
        let office = number_of(part(id, 7, 10));
        is_like(id, b"99999999999")
            && part(id, 0, 7) != b"0000000"
            && matches!(office, 1..=100 | 120 | 121 | 888 | 999)
    },
    replace: |id, keyed| {
        keyed.replace(part_mut(id, 0, 7));
        keyed.number(1, 100, part_mut(id, 7, 10));
    },
    seal: |id| set_last(id, |rest| Some(digit_of(luhn(rest)))),
};

/// Luxembourg: the remainder by 89.
static LU: Rule = Rule {
    fits: |id| is_like(id, b"99999999"),
    replace: |id, keyed| keyed.replace(part_mut(id, 0, 6)),
    seal: |id| {
        put(number_of(part(id, 0, 6)) % 89, part_mut(id, 6, 8));
        true
    },
};

/// Netherlands: a number with the eleven test, B and two digits; or, since 2020, all of it by ISO
/// 7064, MOD 97-10. The first kind is given.
static NL: Rule = Rule {
    fits: |id| is_like(id, b"999999999b99") && !id.starts_with(b"000") && part(id, 10, 12) != b"00",
    replace: |id, keyed| {
        (BSN.replace)(part_mut(id, 0, 9), keyed);
        keyed.number(1, 99, part_mut(id, 10, 12));
    },
    seal: |id| {
        let since_2020 = mod_97(b"NL".iter().chain(id.iter()).copied()) == 1;
        since_2020 || (BSN.seal)(part_mut(id, 0, 9))
    },
};

/// Poland, NIP: modulus 11; a remainder of 10 has no digit.
static PL: Rule = Rule {
    fits: |id| is_like(id, b"9999999999") && !id.starts_with(b"0"),
    replace: |id, keyed| {
        set(id, 0, keyed.one_of(b"123456789"));
        keyed.replace(part_mut(id, 1, 9));
    },
    seal: |id| {
        set_last(id, |rest| {
            let remainder = weighted(rest, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11;
            (remainder < 10).then(|| digit_of(remainder))
        })
    },
};

/// Sweden: an organisation's number with Luhn's digit, and 01.
static SE: Rule = Rule {
    fits: |id| is_like(id, b"999999999901") && !id.starts_with(b"0"),
    replace: |id, keyed| {
        set(id, 0, keyed.one_of(b"56789"));
        keyed.replace(part_mut(id, 1, 9));
        // Told from a person's number by this digit.
        set(id, 2, keyed.one_of(b"23456789"));
    },
    seal: |id| {
        let check = digit_of(luhn(part(id, 0, 9)));
        set(id, 9, check);
        true
    },
};

/// Slovenia: modulus 11, 0 for 10; 11 has no digit.
static SI: Rule = Rule {
    fits: |id| is_like(id, b"99999999") && !id.starts_with(b"0"),
    replace: |id, keyed| {
        set(id, 0, keyed.one_of(b"123456789"));
        keyed.replace(part_mut(id, 1, 7));
    },
    seal: |id| {
        set_last(id, |rest| match 11 - weighted(rest, &[8, 7, 6, 5, 4, 3, 2]) % 11 {
            11 => None,
            check => Some(digit_of(check)),
        })
    },
};

/// What brings a sum to a multiple of 11; 10 is no digit.
fn mod_11(sum: u32) -> Option<u8> {
    let check = (11 - sum % 11) % 11;
    (check < 10).then(|| digit_of(check))
}

/// Writes a number of two digits.
fn put(number: u64, digits: &mut [u8]) {
    // Each below 10.
    if let [tens, units] = digits {
        *tens = digit_of((number / 10) as u32);
        *units = digit_of((number % 10) as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::identifier::tests::{check, check_single_errors, passes};

    /// Examples of python-stdnum's documentation, which quotes the authorities'.
    const PUBLISHED: &[(&[u8; 2], &str)] = &[
        (b"AT", "U13585627"),
        (b"BE", "0428759497"),
        (b"DE", "136695976"),
        (b"DK", "13585628"),
        (b"EE", "100 931 558"),
        (b"EL", "094259216"),
        (b"FI", "20774740"),
        (b"FR", "40 303 265 045"),
        (b"HR", "33392005961"),
        (b"IT", "00743110157"),
        (b"LU", "150 274 42"),
        (b"NL", "004495445B01"),
        (b"PL", "8567346215"),
        (b"PT", "501 964 843"),
        (b"SE", "556188840401"),
        (b"SI", "50223054"),
    ];

    #[test]
    fn published_numbers() {
        for (letters, number) in PUBLISHED {
            check(rule_of(letters).unwrap(), &[*number]);
        }
        check(&NL, &["002455799B11"]);
        for (letters, number) in [(b"DE", "136695976"), (b"DK", "13585628"), (b"AT", "U13585627")] {
            check_single_errors(&rule_of(letters).unwrap(), number);
        }
        assert!(!passes(&&NL, "123456789B90") && !passes(&&LU, "15027443"));
    }
}
