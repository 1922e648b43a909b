//! `first_name`: a first name of the locale, chosen by key.

use super::composed::WordFunction;
use super::parts::{Part, parts};
use crate::dictionaries::{Gender, Locale, Piece};

/// Every value becomes a first name of the locale, chosen by key.
pub(super) struct FirstName;

impl WordFunction for FirstName {
    const NAME: &'static str = "first_name";
    const SUMMARY: &'static str = "Every value becomes a first name of the locale, chosen by key.";
    const INPUT: &'static [&'static str] = &["Ada", "Grace", "Ada"];
    const OUTPUT: &'static [&'static str] = &["Annamae", "Myra", "Annamae"];
    const GERMAN: &'static [&'static str] = &["Günther", "Frank", "Günther"];
    const GENDERED: Option<(&'static str, &'static [&'static str])> =
        Some((r#"{"gender": "sex"}"#, &["Anabel", "Nicolas", "Anabel"]));

    fn parts(locale: &'static Locale, gender: Gender) -> Vec<Part> {
        parts(locale, &[Piece::First], gender)
    }
}
