//! Numbers with check digits in a text: cards, bank accounts, and persons' numbers.
//!
//! ```text
//!  order 17, card 4111 1111 1111 1111, valid 12/29
//!                 └──┘    ┆    ┆    ┆   a number may end where a group ends; the longest that
//!                 └───────┘    ┆    ┆   passes its check is found
//!                 └─────────────────┘
//! ```

use std::ops::Range;

use super::super::card;
use super::super::iban;
use super::super::identifier::{Id, holds};
use super::super::national_id::Country;
use super::super::ssn;
use super::words::{self, PERSONS};

/// Groups a number is looked for in.
const GROUPS_MAX: usize = 12;

/// Where a number that begins at one place could end: ends of groups, and how many characters
/// that count stand before.
struct Ends {
    ends: [(usize, usize); GROUPS_MAX],
    length: usize,
}

impl Ends {
    /// Groups of such bytes from `start`, with one separator between two of them.
    fn of(text: &[u8], start: usize, counts: fn(&u8) -> bool, count_max: usize) -> Self {
        let mut found = Self { ends: [(0, 0); GROUPS_MAX], length: 0 };
        let (mut place, mut count) = (start, 0);
        while let Some(rest) = text.get(place..) {
            let group = rest.iter().take(count_max + 1).take_while(|byte| counts(byte)).count();
            place += group;
            count += group;
            let Some(free) = found.ends.get_mut(found.length) else { break };
            if group == 0 || count > count_max {
                break;
            }
            let after = text.get(place..).unwrap_or_default();
            if after.first().is_some_and(u8::is_ascii_alphanumeric) {
                break;
            }
            *free = (place, count);
            found.length += 1;
            match separator(after) {
                0 => break,
                bytes => place += bytes,
            }
        }
        found
    }

    /// The longest first.
    fn longest_first(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.ends.iter().take(self.length).rev().copied()
    }
}

/// Bytes of the separator that stands here; 0 if there is none.
pub(super) fn separator(rest: &[u8]) -> usize {
    match rest {
        [b' ' | b'-' | b'.' | b'/' | b'+', ..] => 1,
        [0xc2, 0xa0, ..] => 2,
        // The narrow space and the hyphen that do not break a line.
        [0xe2, 0x80, 0xaf | 0x91, ..] => 3,
        _ => 0,
    }
}

/// Whether a number may begin here: no letter or digit stands before it.
pub(super) fn begins(text: &str, start: usize) -> bool {
    let before = text.as_bytes().get(..start).and_then(<[u8]>::last);
    !before.is_some_and(u8::is_ascii_alphanumeric)
}

/// The payment card whose first digit stands here. Its issuer is one there is (ISO/IEC 7812-1).
pub(super) fn payment_card(text: &str, start: usize) -> Option<Range<usize>> {
    if !begins(text, start) || !matches!(text.as_bytes().get(start), Some(b'2'..=b'6')) {
        return None;
    }
    let ends = Ends::of(text.as_bytes(), start, u8::is_ascii_digit, 19);
    let is_card = |end: usize| {
        let id = Id::read(text.get(start..end).unwrap_or_default());
        is_issued(id.bytes()) && card::passes(id.bytes())
    };
    let (end, _) = ends.longest_first().find(|(end, count)| *count >= 12 && is_card(*end))?;
    Some(start..end)
}

/// Whether a network issues cards of that beginning and length.
fn is_issued(digits: &[u8]) -> bool {
    let length = digits.len();
    match digits {
        [b'4', ..] => matches!(length, 13 | 16 | 19),
        [b'3', b'4' | b'7', ..] => length == 15,
        [b'3', b'0' | b'6' | b'8' | b'9', ..] => (14..=19).contains(&length),
        [b'3', b'5', ..] => (16..=19).contains(&length),
        [b'5', b'1'..=b'5', ..] | [b'2', b'2'..=b'7', ..] => length == 16,
        [b'5', b'0' | b'6'..=b'8', ..] | [b'6', ..] => (12..=19).contains(&length),
        _ => false,
    }
}

/// The IBAN whose country stands here.
pub(super) fn account(text: &str, start: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let [one, two, check @ ..] = bytes.get(start..start + 4)? else { return None };
    let fits = [one, two].into_iter().all(u8::is_ascii_alphabetic)
        && check.iter().all(u8::is_ascii_digit)
        && begins(text, start);
    if !fits {
        return None;
    }
    let ends = Ends::of(bytes, start, u8::is_ascii_alphanumeric, 34);
    let is_account = |end| iban::passes(Id::read(text.get(start..end).unwrap_or_default()).bytes());
    let (end, _) = ends.longest_first().find(|(end, count)| *count >= 15 && is_account(*end))?;
    Some(start..end)
}

/// The social security number of the United States whose first digit stands here: written with
/// hyphens, or after a word that says so.
pub(super) fn social_security(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = text.as_bytes().get(start..)?;
    let hyphens = matches!(rest, [_, _, _, b'-', _, _, b'-', ..]);
    let end = start + if hyphens { 11 } else { 9 };
    let written = text.get(start..end)?;
    let digits = written.bytes().filter(u8::is_ascii_digit).count();
    let goes_on = text.as_bytes().get(end..)?.first().is_some_and(u8::is_ascii_alphanumeric);
    let fits = digits == 9
        && !goes_on
        && begins(text, start)
        && holds(&&ssn::RULE, &Id::read(written))
        && (hyphens || words::stand_before(text, start, PERSONS));
    fits.then_some(start..end)
}

/// The national number of one of the countries that begins here, and whose it is by its place in
/// the list. Numbers with one check digit and nothing else to know them by are found if the countries
/// were `named`, or by how they are written, or after a word that says what they are.
pub(super) fn national(
    text: &str,
    start: usize,
    countries: &[Country],
    named: bool,
) -> Option<(Range<usize>, usize)> {
    if !begins(text, start) {
        return None;
    }
    let ends = Ends::of(text.as_bytes(), start, u8::is_ascii_alphanumeric, 16);
    for (end, _) in ends.longest_first().filter(|(_, count)| *count >= 8) {
        let written = text.get(start..end)?;
        if written.bytes().filter(u8::is_ascii_digit).count() < 7 {
            continue;
        }
        let id = Id::read(written);
        let certain = |spaced: bool| {
            named
                || (written.contains(['-', '/']) && !spaced)
                || words::stand_before(text, start, PERSONS)
        };
        let spaced = written.contains([' ', '\u{a0}', '\u{202f}']);
        let whose = countries.iter().position(|country| {
            let is_like = country.is_distinct() && (!spaced || country.is_spaced());
            holds(&country.rule(), &id) && (is_like || certain(spaced))
        });
        if let Some(whose) = whose {
            return Some((start..end, whose));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(find: impl Fn(&str, usize) -> Option<Range<usize>>, text: &str) -> Option<&str> {
        let places = text.char_indices().map(|(place, _)| place);
        places.into_iter().find_map(|place| find(text, place)).and_then(|found| text.get(found))
    }

    #[test]
    fn cards() {
        for (text, card) in [
            ("card 4111 1111 1111 1111 12/29", Some("4111 1111 1111 1111")),
            ("17 5555-5555-5555-4444.", Some("5555-5555-5555-4444")),
            ("(378282246310005)", Some("378282246310005")),
            ("4111\u{a0}1111\u{a0}1111\u{a0}1111", Some("4111\u{a0}1111\u{a0}1111\u{a0}1111")),
            ("4111 1111 1111 1112", None),
            ("x4111111111111111", None),
            ("41111111111111110", None),
            ("1700000000004", None),
        ] {
            assert_eq!(found(payment_card, text), card, "{text}");
        }
    }

    #[test]
    fn accounts() {
        for (text, number) in [
            ("IBAN GB82 WEST 1234 5698 7654 32, please", Some("GB82 WEST 1234 5698 7654 32")),
            ("to de89370400440532013000 today", Some("de89370400440532013000")),
            ("GB82 WEST 1234 5698 7654 33", None),
            ("DE89370400440532013000X", None),
        ] {
            assert_eq!(found(account, text), number, "{text}");
        }
    }

    #[test]
    fn persons() {
        let all = |text: &str, start: usize| national(text, start, &Country::ALL, false);
        let find = |text: &str, start: usize| all(text, start).map(|(found, _)| found);
        for (text, number) in [
            ("DNI 54362315-K", Some("54362315-K")),
            ("NIE X-2482300-W.", Some("X-2482300-W")),
            ("niss 85.07.30-033 28 ok", Some("85.07.30-033 28")),
            ("2 95 10 99 126 111 93", Some("2 95 10 99 126 111 93")),
            ("RCCMNL83S18D969H", Some("RCCMNL83S18D969H")),
            ("880320-0016", Some("880320-0016")),
            ("PESEL: 44051401359", Some("44051401359")),
            ("order 44051401359", None),
            ("from 12345678 Z on", None),
            ("DNI 12345678 Z", Some("12345678 Z")),
            ("order 111222333", None),
            ("BSN 111222333", Some("111222333")),
        ] {
            assert_eq!(found(find, text), number, "{text}");
        }
        let named = |text: &str, start: usize| {
            national(text, start, &[Country::Nl], true).map(|(found, _)| found)
        };
        assert_eq!(found(named, "order 111222333"), Some("111222333"));
        for (text, number) in [
            ("536-90-4399", Some("536-90-4399")),
            ("ssn 536904399", Some("536904399")),
            ("536904399", None),
            ("666-90-4399", None),
        ] {
            assert_eq!(found(social_security, text), number, "{text}");
        }
    }
}
