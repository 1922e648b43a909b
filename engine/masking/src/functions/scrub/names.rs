//! Names in a text: those that other columns of the row hold, and those of dictionaries.
//!
//! ```text
//!  column   Ada King Lovelace      whole, and its first, last and other words
//!  text     met ADA at Ms Lovelace's    whole words, small and capital letters alike
//! ```

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

/// Fewest characters of a value, and of a word of one, that are looked for.
const VALUE_MIN: usize = 2;
const PART_MIN: usize = 3;

/// Which of a value's words was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    First,
    Last,
    /// One between.
    Other(usize),
}

impl Part {
    /// The same part of a pseudonym.
    pub(super) fn of(self, pseudonym: &str) -> &str {
        let mut words = pseudonym.split_whitespace();
        let word = match self {
            Self::Whole => return pseudonym,
            Self::First => words.next(),
            Self::Last => words.next_back(),
            Self::Other(place) => {
                let count = words.clone().count();
                words.nth(place.min(count.saturating_sub(1)))
            }
        };
        word.unwrap_or(pseudonym)
    }
}

/// Every place where the value or a word of it stands.
pub(super) fn of_value(text: &str, value: &str, mut found: impl FnMut(Range<usize>, Part)) {
    let value = value.trim();
    if value.chars().nth(VALUE_MIN - 1).is_none() {
        return;
    }
    everywhere(text, value, |place| found(place, Part::Whole));
    let count = value.split_whitespace().count();
    if count < 2 {
        return;
    }
    for (place, word) in value.split_whitespace().enumerate() {
        let part = match place {
            0 => Part::First,
            last if last + 1 == count => Part::Last,
            other => Part::Other(other),
        };
        // Particles (`van`, `de`) are small; initials are words of other texts.
        let says = word.chars().nth(PART_MIN - 1).is_some() || !word.is_ascii();
        if says && !word.starts_with(char::is_lowercase) {
            everywhere(text, word.trim_matches([',', '.', ';']), |place| found(place, part));
        }
    }
}

/// Every place where these words stand as whole words, in small or capital letters.
fn everywhere(text: &str, words: &str, mut found: impl FnMut(Range<usize>)) {
    let Some(first) = words.chars().next() else { return };
    let mut from = 0;
    while let Some(start) = next_letter(text, first, from) {
        from = start
            + text.get(start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        if let Some(length) = begins(text.get(start..).unwrap_or_default(), words)
            && is_whole(text, &(start..start + length))
        {
            from = start + length;
            found(start..from);
        }
    }
}

/// Where the letter stands next, in either case.
fn next_letter(text: &str, letter: char, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    if let Ok(byte) = u8::try_from(letter)
        && byte.is_ascii()
    {
        let (small, capital) = (byte.to_ascii_lowercase(), byte.to_ascii_uppercase());
        let place = rest.bytes().position(|other| other == small || other == capital);
        return place.map(|place| from + place);
    }
    if rest.is_ascii() {
        return None;
    }
    let same = |other: char| other == letter || other.to_lowercase().eq(letter.to_lowercase());
    rest.char_indices().find(|(_, other)| same(*other)).map(|(place, _)| from + place)
}

/// How much of the text these words are, if it begins with them.
fn begins(text: &str, words: &str) -> Option<usize> {
    if let Some(same) = text.get(..words.len())
        && same.eq_ignore_ascii_case(words)
    {
        return Some(words.len());
    }
    let mut wanted = words.chars().flat_map(char::to_lowercase);
    for (place, letter) in text.char_indices() {
        for small in letter.to_lowercase() {
            match wanted.next() {
                None => return Some(place),
                Some(letter) if letter == small => {}
                Some(_) => return None,
            }
        }
    }
    wanted.next().is_none().then_some(text.len())
}

/// Whether no letter or digit joins what was found with what stands beside it.
fn is_whole(text: &str, found: &Range<usize>) -> bool {
    let inside = text.get(found.clone()).unwrap_or_default();
    let before = text.get(..found.start).and_then(|head| head.chars().next_back());
    let after = text.get(found.end..).and_then(|tail| tail.chars().next());
    let joins = |one: Option<char>, other: Option<char>| match (one, other) {
        (Some(one), Some(other)) => {
            is_letter(one) && is_letter(other) && !is_unspaced(one) && !is_unspaced(other)
        }
        _ => false,
    };
    // A mark belongs to the letter before it.
    let marked = after.is_some_and(|after| matches!(after, '\u{300}'..='\u{36f}'));
    !marked && !joins(before, inside.chars().next()) && !joins(inside.chars().next_back(), after)
}

fn is_letter(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '\u{300}'..='\u{36f}')
}

/// Whether the script writes no spaces between words: Thai to Myanmar, Khmer, Chinese, Japanese, and
/// Korean, whose particles follow names.
fn is_unspaced(character: char) -> bool {
    matches!(character, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// A dictionary: many words at once.
pub(super) struct Dictionary {
    entries: Vec<String>,
    finder: AhoCorasick,
}

impl Dictionary {
    /// None if the entries are too many to be looked for.
    pub(super) fn of(entries: &[String]) -> Option<Self> {
        let says = |entry: &&String| entry.trim().chars().nth(VALUE_MIN - 1).is_some();
        let entries: Vec<String> =
            entries.iter().filter(says).map(|entry| entry.trim().to_owned()).collect();
        let small = entries.iter().map(|entry| lowered(entry).0);
        let finder = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(small).ok()?;
        Some(Self { entries, finder })
    }

    pub(super) fn entry(&self, number: usize) -> &str {
        self.entries.get(number).map_or("", String::as_str)
    }

    /// Every place where an entry stands, and its number.
    pub(super) fn find(&self, text: &str, mut found: impl FnMut(Range<usize>, usize)) {
        if text.is_ascii() {
            for hit in self.finder.find_overlapping_iter(text) {
                if is_whole(text, &hit.range()) {
                    found(hit.range(), hit.pattern().as_usize());
                }
            }
            return;
        }
        let (small, places) = lowered(text);
        for hit in self.finder.find_overlapping_iter(&small) {
            let place = |place: usize| places.get(place).copied().unwrap_or(text.len());
            let range = place(hit.start())..place(hit.end());
            if is_whole(text, &range) {
                found(range, hit.pattern().as_usize());
            }
        }
    }
}

/// The text in small letters, and where each of its bytes comes from: where its letter begins.
fn lowered(text: &str) -> (String, Vec<usize>) {
    let mut small = String::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len());
    for (place, letter) in text.char_indices() {
        small.extend(letter.to_lowercase());
        places.resize(small.len(), place);
    }
    (small, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, value: &str) -> Vec<(String, Part)> {
        let mut all = Vec::new();
        of_value(text, value, |place, part| all.push((text[place].to_owned(), part)));
        all
    }

    #[test]
    fn whole_words_in_either_case() {
        for (text, value, expected) in [
            ("Met ADA and ada's Adam", "Ada", &["ADA", "ada"][..]),
            ("ÉMILE, émile; Émilee", "Émile", &["ÉMILE", "émile"]),
            ("İpek, zoe\u{308}", "zoe", &[]),
            ("田中さんに電話", "田中", &["田中"]),
            ("김철수가 왔다", "김철수", &["김철수"]),
            ("x_Ada_y Ada2", "Ada", &["Ada"]),
            ("𐐀da 𐐨DA", "𐐀da", &["𐐀da", "𐐨DA"]),
            ("A b", "A", &[]),
            ("", "Ada", &[]),
        ] {
            let words: Vec<String> = found(text, value).into_iter().map(|(word, _)| word).collect();
            assert_eq!(words, expected, "{text}");
        }
    }

    #[test]
    fn parts_of_a_name() {
        let name = "Ada King van Lovelace";
        assert_eq!(found("lovelace", name), [("lovelace".to_owned(), Part::Last)]);
        assert_eq!(found("ada the king", name).len(), 2);
        assert_eq!(found("a van", name), []);
        assert_eq!(Part::Last.of("Myra Ann Schmidt"), "Schmidt");
        assert_eq!(Part::Other(1).of("Myra Schmidt"), "Schmidt");
        assert_eq!(Part::First.of("Myra"), "Myra");
        assert_eq!(Part::Whole.of("Myra Schmidt"), "Myra Schmidt");
    }

    #[test]
    fn dictionaries() {
        let entries = ["Project Aurora", "Aurora", "ÖBB", "x"].map(str::to_owned);
        let dictionary = Dictionary::of(&entries).unwrap();
        let found = |text: &str| {
            let mut all = Vec::new();
            dictionary.find(text, |place, entry| all.push((text[place].to_owned(), entry)));
            all
        };
        let pair = |text: &str, entry| (text.to_owned(), entry);
        assert_eq!(found("PROJECT aurora"), [pair("PROJECT aurora", 0), pair("aurora", 1)]);
        assert_eq!(found("mit der öbb, İ ÖBB!"), [pair("öbb", 2), pair("ÖBB", 2)]);
        assert_eq!(found("auroras x"), []);
    }
}
