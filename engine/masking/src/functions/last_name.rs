//! `last_name`: a last name of the locale, chosen by key.

use super::composed::WordFunction;
use crate::dictionaries::{Locale, Piece};

/// Every value becomes a last name of the locale, chosen by key.
pub(super) struct LastName;

impl WordFunction for LastName {
    const NAME: &'static str = "last_name";
    const SUMMARY: &'static str = "Every value becomes a last name of the locale, chosen by key.";
    const INPUT: &'static [&'static str] = &["Weber", "Lovelace"];
    const OUTPUT: &'static [&'static str] = &["Hagenes", "Ziemann"];
    const GERMAN: &'static [&'static str] = &["Zimmermann", "Götz"];

    fn pattern(locale: &'static Locale) -> Vec<Piece> {
        vec![Piece::Pick(locale.last)]
    }
}
