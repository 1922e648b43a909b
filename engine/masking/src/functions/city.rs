//! `city`: a town of the locale, chosen by key.

use super::composed::WordFunction;
use super::parts::{Part, parts};
use crate::dictionaries::{Gender, Locale};

/// Every value becomes a town of the locale, made up where it has words for that.
pub(super) struct City;

impl WordFunction for City {
    const NAME: &'static str = "city";
    const SUMMARY: &'static str =
        "Every value becomes a town of the locale, made up where it has words for that.";
    const INPUT: &'static [&'static str] = &["London", "Paris"];
    const OUTPUT: &'static [&'static str] = &["West Swiftberg", "South Parkerville"];
    const GERMAN: &'static [&'static str] = &["Krügerkirchen", "Möllering"];

    fn parts(locale: &'static Locale, _gender: Gender) -> Vec<Part> {
        parts(locale, locale.city, Gender::Any)
    }
}
