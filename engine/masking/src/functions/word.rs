//! `word`: a word, chosen by key.

use super::composed::WordFunction;
use super::parts::{Part, parts};
use crate::dictionaries::{Gender, List, Locale, Piece};

/// Every value becomes a word of the locale, chosen by key; of Latin where it has none.
pub(super) struct Word;

impl WordFunction for Word {
    const NAME: &'static str = "word";
    const SUMMARY: &'static str =
        "Every value becomes a word of the locale, chosen by key; of Latin where it has none.";
    const INPUT: &'static [&'static str] = &["secret", "budget"];
    const OUTPUT: &'static [&'static str] = &["quite", "american"];
    const GERMAN: &'static [&'static str] = &["schenken", "auch"];

    fn parts(locale: &'static Locale, _gender: Gender) -> Vec<Part> {
        parts(locale, &[Piece::Pick(List::Sections(&["word"]))], Gender::Any)
    }
}
