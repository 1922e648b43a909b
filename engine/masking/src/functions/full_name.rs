//! `full_name`: a person's whole name of the locale, chosen by key.

use super::composed::WordFunction;
use crate::dictionaries::{Locale, Piece};

/// Every value becomes a first and a last name of the locale, in its order, chosen by key.
pub(super) struct FullName;

impl WordFunction for FullName {
    const NAME: &'static str = "full_name";
    const SUMMARY: &'static str =
        "Every value becomes a first and a last name of the locale, in its order, chosen by key.";
    const INPUT: &'static [&'static str] = &["Ada Lovelace", "Grace Hopper"];
    const OUTPUT: &'static [&'static str] = &["Gavin West", "Danyka Christiansen"];
    const GERMAN: &'static [&'static str] = &["Elke Arnold", "Helga Müller"];

    fn pattern(locale: &'static Locale) -> Vec<Piece> {
        locale.full.to_vec()
    }
}
