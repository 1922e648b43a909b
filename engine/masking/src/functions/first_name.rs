//! `first_name`: a first name of the locale, chosen by key.

use super::composed::WordFunction;
use crate::dictionaries::{Locale, Piece};

/// Every value becomes a first name of the locale, chosen by key.
pub(super) struct FirstName;

impl WordFunction for FirstName {
    const NAME: &'static str = "first_name";
    const SUMMARY: &'static str = "Every value becomes a first name of the locale, chosen by key.";
    const INPUT: &'static [&'static str] = &["Ada", "Grace", "Ada"];
    const OUTPUT: &'static [&'static str] = &["Annamae", "Myra", "Annamae"];
    const GERMAN: &'static [&'static str] = &["Günther", "Frank", "Günther"];

    fn pattern(locale: &'static Locale) -> Vec<Piece> {
        vec![Piece::Pick(locale.first)]
    }
}
