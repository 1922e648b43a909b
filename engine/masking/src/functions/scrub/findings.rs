//! What is found in texts, and which of two findings that overlap stays.
//!
//! ```text
//!  text ─ triggers ─▶ recognisers ─▶ findings ─▶ the longest of those that overlap
//!                                                what only the others cover is redacted
//! ```

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use super::super::national_id::Country;
use super::dates::{self, Slashes};
use super::names::Part;
use super::{Kind, machines, numbers, phones, triggers};

/// What replaces a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A fixed text: part of something that another finding covers the rest of.
    Nothing,
    /// The mask of that place, given what was found.
    Text(usize),
    /// The mask of that place, given the value of its column.
    Column(usize, Part),
    /// The mask of that place, given the entry of its dictionary.
    Entry(usize, usize),
}

/// A part of a row's text that is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) row: usize,
    pub(super) place: Range<usize>,
    pub(super) by: By,
}

/// What is looked for by its form.
pub(super) struct Forms {
    /// The place of each kind's mask, and of each country's; none for what is not looked for.
    pub(super) masks: [Option<usize>; Kind::COUNT],
    pub(super) countries: Vec<Country>,
    /// Whether the rule names the countries.
    pub(super) named: bool,
    pub(super) slashes: Slashes,
}

/// Digits in a row that could be a phone number.
const PHONE_DIGITS_MIN: usize = 5;

impl Forms {
    /// Adds what stands in a row's text at or after `first`.
    pub(super) fn find(&self, row: usize, text: &str, first: usize, found: &mut Vec<Finding>) {
        let begin = found.len();
        // Of two `w` the first is needed, too.
        let (mut digits, mut from) = (0, first.saturating_sub(1));
        while let Some(place) = triggers::next(text.as_bytes(), from) {
            if let Some(end) = clock_at(text.as_bytes(), place) {
                from = end;
                continue;
            }
            let run = digits_at(text, place);
            digits += run;
            from = place + run.max(1);
            if let Some((range, by)) = self.at(text, place, run) {
                from = from.max(range.end);
                add(found, begin, Finding { row, place: range, by });
            }
        }
        if digits >= PHONE_DIGITS_MIN
            && let Some(mask) = self.mask(Kind::Phone)
        {
            phones(row, text, mask, begin, found);
        }
    }

    fn mask(&self, kind: Kind) -> Option<usize> {
        self.masks.get(kind as usize).copied().flatten()
    }

    /// The longest finding at this place, of two as long the first one.
    fn at(&self, text: &str, place: usize, run: usize) -> Option<(Range<usize>, By)> {
        let bytes = text.as_bytes();
        let mut best = None;
        let mut offer = |kind: Kind, find: &dyn Fn() -> Option<Range<usize>>| {
            if let Some(mask) = self.mask(kind)
                && let Some(range) = find()
            {
                longer(&mut best, range, By::Text(mask));
            }
        };
        match bytes.get(place) {
            Some(b'@') => offer(Kind::Email, &|| machines::email(text, place)),
            Some(b':') if bytes.get(place..place + 3) == Some(b"://") => {
                offer(Kind::Url, &|| machines::url(text, place));
            }
            Some(b':') if is_inside(bytes, place) => {
                offer(Kind::Ip, &|| machines::ipv6(text, place));
                offer(Kind::Mac, &|| machines::mac(text, place));
            }
            Some(b':') => {}
            Some(b'w' | b'W') => offer(Kind::Url, &|| machines::www(text, place)),
            _ if is_alone(bytes, place, run) => {
                if run == 4 {
                    offer(Kind::Date, &|| {
                        dates::named(text, place).map(|(start, _)| start..place + run)
                    });
                }
            }
            _ => return self.number_at(text, place, run),
        }
        best
    }

    /// The longest finding whose first run of digits stands here.
    fn number_at(&self, text: &str, place: usize, run: usize) -> Option<(Range<usize>, By)> {
        let bytes = text.as_bytes();
        let before = bytes.get(..place)?;
        let letters = before.iter().rev().take(8).take_while(|b| b.is_ascii_alphanumeric()).count();
        let word = place - letters;
        let next = bytes.get(place + run).copied().unwrap_or_default();
        let rest = bytes.get(place..)?;
        let after = rest.iter().find(|byte| !byte.is_ascii_alphanumeric());
        let beside = [after, bytes.get(..word)?.last()];
        let stands = |separator: u8| beside.contains(&Some(&separator));
        let mut best = None;
        let mut offer = |kind: Kind, find: &dyn Fn() -> Option<Range<usize>>| {
            if let Some(mask) = self.mask(kind)
                && let Some(range) = find()
            {
                longer(&mut best, range, By::Text(mask));
            }
        };
        offer(Kind::Card, &|| numbers::payment_card(text, place));
        offer(Kind::Iban, &|| numbers::account(text, word));
        if run <= 3 && next == b'.' {
            offer(Kind::Ip, &|| machines::ipv4(text, place));
        }
        if stands(b':') {
            offer(Kind::Ip, &|| machines::ipv6(text, place));
        }
        if stands(b':') || stands(b'-') || stands(b'.') {
            offer(Kind::Mac, &|| machines::mac(text, place));
        }
        if stands(b'-') {
            offer(Kind::Uuid, &|| machines::uuid(text, place));
        }
        if run == 9 || (run == 3 && next == b'-') {
            offer(Kind::Ssn, &|| numbers::social_security(text, place));
        }
        offer(Kind::Date, &|| {
            let begins = !before.last().is_some_and(u8::is_ascii_alphanumeric)
                && !matches!(before, [.., digit, b'.' | b'-' | b'/'] if digit.is_ascii_digit());
            let found = begins.then(|| dates::numeric(text, place, self.slashes)).flatten();
            let by_name = || dates::named(text, place).map(|(start, _)| start..place + 4);
            found.map(|(end, _)| place..end).or_else(by_name)
        });
        // `+49 30 901820` is no number of a person from its second group on.
        if before.ends_with(b"+") {
            offer(Kind::Phone, &|| phones::phone(text, place, text.len()));
        }
        // Everything above is surer than a number of a person that looks like it.
        if let Some(mask) = self.mask(Kind::NationalId).filter(|_| best.is_none()) {
            // A letter and a hyphen may stand before the digits.
            let earlier = match before.get(..word) {
                Some([.., letter, b'-']) if letter.is_ascii_alphabetic() => Some(word - 2),
                _ => None,
            };
            let found = earlier
                .into_iter()
                .chain([word])
                .find_map(|start| numbers::national(text, start, &self.countries, self.named));
            best = found.map(|(range, whose)| (range, By::Text(mask + whose)));
        }
        best
    }
}

fn longer(best: &mut Option<(Range<usize>, By)>, range: Range<usize>, by: By) {
    if best.as_ref().is_none_or(|(known, _)| range.len() > known.len()) {
        *best = Some((range, by));
    }
}

/// Digits from this place.
fn digits_at(text: &str, place: usize) -> usize {
    let rest = text.as_bytes().get(place..).unwrap_or_default();
    rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Where a time of day that begins here ends: `13:05` or `13:05:00`.
fn clock_at(text: &[u8], place: usize) -> Option<usize> {
    let rest = text.get(place..)?;
    let is_pair = |from: usize| {
        rest.get(from) == Some(&b':')
            && rest.get(from + 1..from + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_digit))
    };
    let hours = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=2).contains(&hours) || !is_pair(hours) {
        return None;
    }
    let minutes = hours + 3;
    let length = if is_pair(minutes) { minutes + 3 } else { minutes };
    let joins = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'-'))
    };
    let alone = !joins(rest.get(length)) && !joins(text.get(..place)?.last());
    alone.then_some(place + length)
}

/// Whether a colon stands inside of something, not at the end of a word.
fn is_inside(text: &[u8], colon: usize) -> bool {
    let is_part =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit() || *byte == b':');
    is_part(text.get(colon + 1)) || text.get(..colon).and_then(<[u8]>::last) == Some(&b':')
}

/// Whether these few digits stand for themselves: most numbers in notes do.
fn is_alone(text: &[u8], place: usize, run: usize) -> bool {
    let joins = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/' | b':' | b'+' | 0x80..)
    };
    let before = text.get(..place).and_then(<[u8]>::last);
    // A point or comma at the end of a sentence joins nothing.
    let after = match text.get(place + run..).unwrap_or_default() {
        [b'.' | b':' | b'-' | b'/', next, ..] => next.is_ascii_alphanumeric() || *next == b':',
        [b' ', next, ..] => next.is_ascii_digit(),
        [byte, _, ..] => joins(byte),
        _ => false,
    };
    run <= 5 && !after && !before.is_some_and(joins)
}

/// Adds the phone numbers that stand outside of what has been found.
fn phones(row: usize, text: &str, mask: usize, begin: usize, found: &mut Vec<Finding>) {
    let others = found.len();
    let (mut from, mut next) = (0, begin);
    let bytes = text.as_bytes();
    while let Some(digit) =
        bytes.get(from..).and_then(|rest| rest.iter().position(u8::is_ascii_digit))
    {
        let place = from + digit;
        while found.get(next..others).and_then(<[_]>::first).is_some_and(|f| f.place.end <= place) {
            next += 1;
        }
        let barrier = found.get(next..others).and_then(<[_]>::first).map(|f| f.place.clone());
        if let Some(barrier) = &barrier
            && barrier.contains(&place)
        {
            from = barrier.end;
            continue;
        }
        let limit = barrier.map_or(text.len(), |barrier| barrier.start);
        from = place + digits_at(text, place).max(1);
        if let Some(range) = phones::phone(text, place, limit) {
            from = from.max(range.end);
            found.push(Finding { row, place: range, by: By::Text(mask) });
        }
    }
    if found.len() > others {
        resolve(found, begin);
    }
}

/// Adds a finding of the row that begins at `begin`, after those that stand before it.
fn add(found: &mut Vec<Finding>, begin: usize, finding: Finding) {
    let known = found.get(begin..).unwrap_or_default().iter().rev();
    let overlapped = known.take_while(|known| known.place.end > finding.place.start).count();
    found.push(finding);
    if overlapped > 0 {
        resolve(found, found.len() - 1 - overlapped);
    }
}

/// Orders the findings of a row, and lets the longest of those that overlap stay, the first of two as
/// long. What only another one covers is redacted.
pub(super) fn resolve(found: &mut Vec<Finding>, begin: usize) {
    let mut all: Vec<Finding> = found.drain(begin..).collect();
    // A stable order: whole before part, a column before a dictionary, as they were found.
    all.sort_by_key(|finding| (Reverse(finding.place.len()), finding.place.start));
    let mut kept: BTreeMap<usize, Finding> = BTreeMap::new();
    for finding in all {
        for place in uncovered(&finding.place, &kept) {
            let by = if place == finding.place { finding.by } else { By::Nothing };
            kept.insert(place.start, Finding { row: finding.row, place, by });
        }
    }
    found.extend(kept.into_values());
}

/// What of a range no finding covers; they do not overlap, and are ordered by where they begin.
fn uncovered(range: &Range<usize>, kept: &BTreeMap<usize, Finding>) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let before = kept.range(..range.start).next_back();
    let mut from = before.map_or(range.start, |(_, other)| range.start.max(other.place.end));
    for (start, other) in kept.range(range.clone()) {
        if from < *start {
            pieces.push(from..*start);
        }
        from = from.max(other.place.end);
    }
    if from < range.end {
        pieces.push(from..range.end);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_stays_and_nothing_is_left_uncovered() {
        let finding = |place: Range<usize>, mask| Finding { row: 0, place, by: By::Text(mask) };
        let mut found =
            vec![finding(0..5, 1), finding(3..12, 2), finding(4..6, 3), finding(12..14, 4)];
        resolve(&mut found, 0);
        let nothing = Finding { row: 0, place: 0..3, by: By::Nothing };
        assert_eq!(found, [nothing, finding(3..12, 2), finding(12..14, 4)]);
        let mut found = vec![finding(0..4, 1), finding(2..6, 2)];
        resolve(&mut found, 0);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], finding(0..4, 1));
    }

    #[test]
    fn times_of_day() {
        for (text, end) in [
            ("13:05, then", Some(5)),
            ("9:05:00", Some(7)),
            ("13:05:00:1b:2c:3d", None),
            ("13:5", None),
            ("13:05pm", None),
            ("113:05", None),
        ] {
            assert_eq!(clock_at(text.as_bytes(), 0), end, "{text}");
        }
        assert_eq!(clock_at(b"::13:05", 2), None);
    }

    #[test]
    fn numbers_that_stand_alone() {
        for (text, alone) in [
            ("order 12345.", true),
            ("12 apples", true),
            ("in 2024, then", true),
            ("at 5", true),
            ("123456", false),
            ("1.5", false),
            ("12 34", false),
            ("A12", false),
        ] {
            let place = text.find(|c: char| c.is_ascii_digit()).unwrap();
            assert_eq!(is_alone(text.as_bytes(), place, digits_at(text, place)), alone, "{text}");
        }
    }
}
