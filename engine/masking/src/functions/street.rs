//! `street`: a street and house number of the locale, chosen by key.

use super::composed::WordFunction;
use super::parts::{Part, parts};
use crate::dictionaries::{Gender, Locale};

/// Every value becomes a made-up street with a house number, in the locale's order.
pub(super) struct Street;

impl WordFunction for Street {
    const NAME: &'static str = "street";
    const SUMMARY: &'static str =
        "Every value becomes a made-up street with a house number, in the locale's order.";
    const INPUT: &'static [&'static str] = &["12 Church Lane", "7 Mill Road"];
    const OUTPUT: &'static [&'static str] = &["811 Cole Fields", "3134 Emmerich Haven"];
    const GERMAN: &'static [&'static str] = &["Schustergang 50", "Zimmermanngang 73"];

    fn parts(locale: &'static Locale, _gender: Gender) -> Vec<Part> {
        parts(locale, locale.street, Gender::Any)
    }
}
