//! What values are put together from: words of lists, numbers, postcodes and sentences, each
//! chosen by the next draws of a keyed stream.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use crate::dictionaries::{Gender, List, Locale, Piece};
use crate::key::Draw;

/// Words of a sentence: four to nine.
const SENTENCE_WORDS: (u64, u64) = (4, 9);

/// Letters of postcodes: those that both the Netherlands and the United Kingdom use in any place.
const LETTERS: &[u8] = b"ABEGHJLNPRTWXZ";

/// Digits that an Iranian postcode may have in any place.
const IRANIAN_DIGITS: &[u8] = b"1346789";

/// Words to choose from, each as likely as the others.
pub(super) type Entries = Arc<[Box<str>]>;

/// Entries in their order, without empty ones and repetitions: each is as likely.
pub(super) fn distinct<'a>(entries: impl Iterator<Item = &'a str>) -> Entries {
    let mut seen = HashSet::new();
    entries.filter(|entry| !entry.is_empty() && seen.insert(*entry)).map(Box::from).collect()
}

/// What a list is known by: lists are static, so the places of their texts are names.
type ListKey = (usize, usize, &'static [&'static str]);

/// The distinct words of a locale's list, made once: a project binds thousands of columns to few lists.
pub(super) fn entries(locale: &'static Locale, list: List) -> Entries {
    static MADE: LazyLock<RwLock<HashMap<ListKey, Entries>>> = LazyLock::new(RwLock::default);
    let key = match list {
        List::Words(words) => (words.as_ptr().addr(), words.len(), &[][..]),
        List::Sections(names) => (locale.words().as_ptr().addr(), locale.words().len(), names),
    };
    let made = MADE.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    made.unwrap_or_else(|| {
        // Some words of the crate have a space at their end.
        let made = distinct(locale.list(list).into_iter().map(str::trim));
        let mut all = MADE.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(key).or_insert(made))
    })
}

/// The pieces of a pattern, with their words, for a person of this gender; none where words are missing.
pub(super) fn parts(locale: &'static Locale, pieces: &[Piece], gender: Gender) -> Vec<Part> {
    let part = |piece: &Piece| match piece {
        Piece::Pick(list) => Part::Pick(entries(locale, *list)),
        Piece::First => Part::Pick(entries(locale, locale.first_names(gender))),
        Piece::Last => Part::Pick(entries(locale, locale.last_names(gender))),
        Piece::Town => {
            let places = locale.places();
            Part::Pick(distinct(places.iter().map(|place| place.city)))
        }
        Piece::Postcode => {
            let places = locale.places();
            Part::Postcode(distinct(places.iter().map(|place| place.postcode)))
        }
        Piece::Sentence => {
            let words = entries(locale, List::Sections(&["word"]));
            Part::Sentence { words, space: locale.space, stop: locale.stop }
        }
        Piece::Number(max) => Part::Number(*max),
        Piece::Text(text) => Part::Text(text),
    };
    let parts: Vec<Part> = pieces.iter().map(part).collect();
    if parts.iter().any(Part::is_empty) { Vec::new() } else { parts }
}

/// A person's whole name. Where last names say the gender, and it is not known, first and last name are of
/// one that is drawn.
pub(super) fn full_name(locale: &'static Locale, gender: Gender) -> Vec<Part> {
    if gender == Gender::Any && locale.has_last_names_by_gender() {
        let of = |gender| parts(locale, locale.full, gender);
        return vec![Part::Either([of(Gender::Female), of(Gender::Male)])];
    }
    parts(locale, locale.full, gender)
}

/// A piece of a value, with its words.
pub(super) enum Part {
    Pick(Entries),
    Postcode(Entries),
    Sentence {
        words: Entries,
        space: &'static str,
        stop: &'static str,
    },
    Number(u64),
    Text(&'static str),
    /// One of the two, as likely as the other.
    Either([Vec<Part>; 2]),
}

impl Part {
    fn is_empty(&self) -> bool {
        match self {
            Self::Pick(words) | Self::Postcode(words) | Self::Sentence { words, .. } => {
                words.is_empty()
            }
            Self::Number(_) | Self::Text(_) | Self::Either(_) => false,
        }
    }

    #[inline]
    pub(super) fn write(&self, draw: &mut Draw<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Pick(words) => out.extend_from_slice(picked(words, draw).as_bytes()),
            Self::Postcode(forms) => {
                let form = picked(forms, draw);
                postcode(form, draw.next_u64(), out);
            }
            Self::Sentence { words, space, stop } => sentence(words, space, stop, draw, out),
            Self::Number(max) => {
                let number = draw.below(*max).saturating_add(1);
                out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            }
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Either([left, right]) => {
                let parts = if draw.below(2) == 0 { left } else { right };
                parts.iter().for_each(|part| part.write(draw, out));
            }
        }
    }
}

#[inline]
fn picked<'a>(words: &'a [Box<str>], draw: &mut Draw<'_>) -> &'a str {
    let index = draw.below(words.len() as u64) as usize;
    words.get(index).map_or("", |word| word)
}

/// Writes a postcode of this form. The word is read as a binary fraction, character by character.
pub(super) fn postcode(form: &str, word: u64, out: &mut Vec<u8>) {
    let mut pool = word;
    for byte in form.bytes() {
        let of: &[u8] = match byte {
            b'#' => b"0123456789",
            b'?' => LETTERS,
            b'*' => IRANIAN_DIGITS,
            kept => {
                out.push(kept);
                continue;
            }
        };
        let wide = u128::from(pool) * of.len() as u128;
        pool = wide as u64;
        out.push(of.get((wide >> 64) as usize).copied().unwrap_or(b'1'));
    }
}

/// Writes some words, the first with a capital.
fn sentence(words: &Entries, space: &str, stop: &str, draw: &mut Draw<'_>, out: &mut Vec<u8>) {
    let (least, most) = SENTENCE_WORDS;
    let count = least + draw.below(most - least + 1);
    for number in 0..count {
        let word = picked(words, draw);
        if number > 0 {
            out.extend_from_slice(space.as_bytes());
            out.extend_from_slice(word.as_bytes());
            continue;
        }
        let mut characters = word.chars();
        let mut bytes = [0; 4];
        for upper in characters.next().into_iter().flat_map(char::to_uppercase) {
            out.extend_from_slice(upper.encode_utf8(&mut bytes).as_bytes());
        }
        out.extend_from_slice(characters.as_str().as_bytes());
    }
    out.extend_from_slice(stop.as_bytes());
}
