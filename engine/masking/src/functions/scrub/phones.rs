//! Phone numbers in a text: by their structure, and by the words before them.
//!
//! ```text
//!  +49 (0)30 901820   0049 30 901820     international: no more is needed
//!  (415) 555-0132     030 901820         national, as it is written in North America, or with a
//!                                        trunk 0 and a separator
//!  tel 901820                            anything else: after a word that says so
//! ```

use std::ops::Range;

use super::dates::{self, Slashes};
use super::numbers::{begins, separator};
use super::words::{self, PHONES};

/// ITU-T E.164: most digits of an international number, and a little more for a trunk 0.
const DIGITS_MAX: usize = 16;
/// Fewest digits of an international number, of one with a trunk 0, of any other.
const INTERNATIONAL_MIN: usize = 8;
const TRUNK_MIN: usize = 9;
const DIGITS_MIN: usize = 5;
/// Groups of digits of one number.
const GROUPS_MAX: usize = 10;

/// A group of digits.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    start: usize,
    end: usize,
}

impl Group {
    fn length(self) -> usize {
        self.end - self.start
    }
}

/// The phone number whose first digit stands here, and which ends before `limit`.
pub(super) fn phone(text: &str, first: usize, limit: usize) -> Option<Range<usize>> {
    if !begins(text, first) || joins(text, first) {
        return None;
    }
    let bytes = text.as_bytes();
    let (groups, length) = groups(text, first, limit);
    let start = opening(bytes, first);
    let mut found = groups.get(..length)?;
    while let Some((last, before)) = found.split_last() {
        let digits: usize = found.iter().map(|group| group.length()).sum();
        let alone = bytes.get(last.end).is_some_and(u8::is_ascii_alphanumeric);
        // `+49 30 901820 17 times`: a short group after a long one is another number.
        let apart = last.length() <= 2
            && before.last().is_some_and(|long| {
                long.length() >= 5 && bytes.get(long.end..last.start) == Some(b" ")
            });
        if !alone && !apart && digits <= DIGITS_MAX && is_phone(text, start, found, digits) {
            let closes = text.get(first..last.end)?.contains(')');
            let start =
                if closes { start } else { start + usize::from(bytes.get(start) == Some(&b'(')) };
            return Some(start..last.end);
        }
        found = before;
    }
    None
}

/// Whether the digit belongs to a number with a decimal point or a unit before it: `1.5`, `#12`, `€5`.
fn joins(text: &str, first: usize) -> bool {
    let before = text.as_bytes().get(..first).unwrap_or_default();
    match before {
        [.., digit, b'.' | b',' | b':'] => digit.is_ascii_digit(),
        [.., b'#' | b'$' | b'_'] => true,
        _ => false,
    }
}

/// The bracket and the plus before the first digit.
fn opening(text: &[u8], first: usize) -> usize {
    let before = text.get(..first).unwrap_or_default();
    match before {
        [.., b'(', b'+'] => first - 2,
        [.., b'+' | b'('] => first - 1,
        _ => first,
    }
}

/// The groups of digits that could be one number; a date that follows is none of them.
fn groups(text: &str, first: usize, limit: usize) -> ([Group; GROUPS_MAX], usize) {
    let mut groups = [Group::default(); GROUPS_MAX];
    let (mut place, mut digits, mut length) = (first, 0, 0);
    while let Some(free) = groups.get_mut(length) {
        let rest = text.as_bytes().get(place..limit).unwrap_or_default();
        let group = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        digits += group;
        let is_date = || dates::numeric(text, place, Slashes::DayFirst).is_some();
        if group == 0 || digits > DIGITS_MAX || (length > 0 && is_date()) {
            break;
        }
        *free = Group { start: place, end: place + group };
        length += 1;
        place += group;
        place += between(text.as_bytes().get(place..limit).unwrap_or_default());
    }
    (groups, length)
}

/// Bytes of what stands between two groups: one separator, or one and a bracket.
fn between(rest: &[u8]) -> usize {
    match rest {
        [b' ', b'(', ..] | [b')', b' ' | b'-' | b'/', ..] | [b'-' | b'/', b'(', ..] => 2,
        [b' ', b'-' | b'/' | b'.', b' ', ..] => 3,
        [b'(' | b')', ..] => 1,
        [b'+', ..] => 0,
        _ => separator(rest),
    }
}

fn is_phone(text: &str, start: usize, groups: &[Group], digits: usize) -> bool {
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return false };
    let written = text.get(start..last.end).unwrap_or_default();
    let number = written.trim_start_matches(['(', '+']).as_bytes();
    if written.trim_start_matches('(').starts_with('+') {
        return digits >= INTERNATIONAL_MIN && !number.starts_with(b"0");
    }
    if number.starts_with(b"00") && matches!(number.get(2), Some(b'1'..=b'9')) {
        return digits > INTERNATIONAL_MIN + 2;
    }
    // Decimals, and dates that the calendar does not have.
    let points = written.contains('.') && first.length() < 3;
    let trunk = number.starts_with(b"0")
        && matches!(number.get(1), Some(b'1'..=b'9'))
        && groups.len() >= 2
        && (TRUNK_MIN..=12).contains(&digits)
        && !points;
    if trunk || is_north_american(text, start, groups) {
        return true;
    }
    (DIGITS_MIN..=15).contains(&digits)
        && !written.contains('.')
        && words::stand_before(text, start, PHONES)
}

/// Three, three and four digits, the first of both parts 2 to 9 (NANP), with a bracket, hyphens or points;
/// a 1 may stand before.
fn is_north_american(text: &str, start: usize, groups: &[Group]) -> bool {
    let digit = |group: &Group| text.as_bytes().get(group.start).copied().unwrap_or_default();
    let parts = match groups {
        [one, parts @ ..] if one.length() == 1 && digit(one) == b'1' => parts,
        parts => parts,
    };
    let [area, exchange, line] = parts else { return false };
    let lengths = [area.length(), exchange.length(), line.length()];
    let written = text.get(start..line.end).unwrap_or_default();
    lengths == [3, 3, 4]
        && [area, exchange].into_iter().all(|part| digit(part) >= b'2')
        && written.contains(['(', '-', '.', '\u{2011}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let is_first = |place: &usize| text.as_bytes()[*place].is_ascii_digit();
        let mut places = text.char_indices().map(|(place, _)| place).filter(is_first);
        places.find_map(|place| phone(text, place, text.len())).and_then(|found| text.get(found))
    }

    #[test]
    fn numbers_by_structure_and_by_words() {
        for (text, number) in [
            ("reach me: +49 (0)30 901820.", Some("+49 (0)30 901820")),
            ("+49 30 901820 17 times", Some("+49 30 901820")),
            ("+49 30 901820 2024-01-05", Some("+49 30 901820")),
            ("+33 6 12 34 56 78", Some("+33 6 12 34 56 78")),
            ("(+1) 415 555 0132", Some("(+1) 415 555 0132")),
            ("0049-30-901820", Some("0049-30-901820")),
            ("(415) 555-0132 (home)", Some("(415) 555-0132")),
            ("1-415-555-0132", Some("1-415-555-0132")),
            ("415.555.0132", Some("415.555.0132")),
            ("(030 901820)", Some("030 901820")),
            ("06 12 34 56 78", Some("06 12 34 56 78")),
            ("tel 901820", Some("901820")),
            ("電話番号は9018205", Some("9018205")),
            ("call me at 5550132 now", Some("5550132")),
            ("order 901820", None),
            ("call about order 901820", None),
            ("0.123456789", None),
            ("10.0.19045.3693", None),
            ("1700000000", None),
            ("13:05:00", None),
            ("#0301234567", None),
            ("+1500000", None),
            ("x030 901820", None),
        ] {
            assert_eq!(found(text), number, "{text}");
        }
    }
}
