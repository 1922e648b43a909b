//! `postcode`: a postcode of the locale's country, chosen by key.

use super::composed::WordFunction;
use super::parts::{Part, parts};
use crate::dictionaries::{Gender, Locale, Piece};

/// Every value becomes a postcode in the form of the locale's country, of the area of one of its towns.
pub(super) struct Postcode;

impl WordFunction for Postcode {
    const NAME: &'static str = "postcode";
    const SUMMARY: &'static str = "Every value becomes a postcode in the form of the locale's country, of the area of one of its towns.";
    const INPUT: &'static [&'static str] = &["10117", "SW1A 1AA"];
    const OUTPUT: &'static [&'static str] = &["97240", "63102"];
    const GERMAN: &'static [&'static str] = &["14440", "76102"];

    fn parts(locale: &'static Locale, _gender: Gender) -> Vec<Part> {
        parts(locale, &[Piece::Postcode], Gender::Any)
    }
}
