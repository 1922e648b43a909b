//! `sentence`: some words as a sentence, chosen by key.

use super::composed::WordFunction;
use super::parts::{Part, parts};
use crate::dictionaries::{Gender, Locale, Piece};

/// Every value becomes four to nine words of the locale, as a sentence without meaning.
pub(super) struct Sentence;

impl WordFunction for Sentence {
    const NAME: &'static str = "sentence";
    const SUMMARY: &'static str =
        "Every value becomes four to nine words of the locale, as a sentence without meaning.";
    const INPUT: &'static [&'static str] = &["Call me at noon.", "Paid in cash."];
    const OUTPUT: &'static [&'static str] = &[
        "Number call whether inside somebody before somebody nearly congress.",
        "Time simple likely close house course personal suddenly war.",
    ];
    const GERMAN: &'static [&'static str] = &[
        "Mögen daran wollen immer stein bleiben stein mich dürfen.",
        "Was spiel kurz dorf hinein einigen oder unten wirklich.",
    ];

    fn parts(locale: &'static Locale, _gender: Gender) -> Vec<Part> {
        parts(locale, &[Piece::Sentence], Gender::Any)
    }
}
