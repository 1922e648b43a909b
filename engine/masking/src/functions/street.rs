//! `street`: a street and house number of the locale, chosen by key.

use super::composed::WordFunction;
use crate::dictionaries::{Locale, Piece};

/// Every value becomes a made-up street with a house number, in the locale's order.
pub(super) struct Street;

impl WordFunction for Street {
    const NAME: &'static str = "street";
    const SUMMARY: &'static str =
        "Every value becomes a made-up street with a house number, in the locale's order.";
    const INPUT: &'static [&'static str] = &["12 Church Lane", "7 Mill Road"];
    const OUTPUT: &'static [&'static str] = &["811 Cole Fields", "3134 Emmerich Haven"];
    const GERMAN: &'static [&'static str] = &["Schustergang 50", "Zimmermanngang 73"];

    fn pattern(locale: &'static Locale) -> Vec<Piece> {
        locale.street.to_vec()
    }
}
