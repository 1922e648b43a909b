//! `last_name`: a last name of the locale, chosen by key.

use super::composed::WordFunction;
use super::parts::{Part, parts};
use crate::dictionaries::{Gender, Locale, Piece};

/// Every value becomes a last name of the locale, chosen by key.
pub(super) struct LastName;

impl WordFunction for LastName {
    const NAME: &'static str = "last_name";
    const SUMMARY: &'static str = "Every value becomes a last name of the locale, chosen by key.";
    const INPUT: &'static [&'static str] = &["Weber", "Lovelace", "Weber"];
    const OUTPUT: &'static [&'static str] = &["Hagenes", "Ziemann"];
    const GERMAN: &'static [&'static str] = &["Zimmermann", "Götz"];
    const GENDERED: Option<(&'static str, &'static [&'static str])> =
        Some((r#"{"locale": "cs", "gender": "sex"}"#, &["Jánská", "Žiga", "Jánská"]));

    fn parts(locale: &'static Locale, gender: Gender) -> Vec<Part> {
        parts(locale, &[Piece::Last], gender)
    }
}
