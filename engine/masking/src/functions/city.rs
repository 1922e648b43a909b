//! `city`: a town of the locale, chosen by key.

use super::composed::WordFunction;
use crate::dictionaries::{Locale, Piece};

/// Every value becomes a made-up town of the locale.
pub(super) struct City;

impl WordFunction for City {
    const NAME: &'static str = "city";
    const SUMMARY: &'static str = "Every value becomes a made-up town of the locale.";
    const INPUT: &'static [&'static str] = &["London", "Paris"];
    const OUTPUT: &'static [&'static str] = &["West Swiftberg", "South Parkerville"];
    const GERMAN: &'static [&'static str] = &["Krügerkirchen", "Möllering"];

    fn pattern(locale: &'static Locale) -> Vec<Piece> {
        locale.city.to_vec()
    }
}
