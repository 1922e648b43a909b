//! `company`: a company of the locale, chosen by key.

use super::composed::WordFunction;
use crate::dictionaries::{Locale, Piece};

/// Every value becomes a made-up company of the locale.
pub(super) struct Company;

impl WordFunction for Company {
    const NAME: &'static str = "company";
    const SUMMARY: &'static str = "Every value becomes a made-up company of the locale.";
    const INPUT: &'static [&'static str] = &["Initech", "Acme Ltd"];
    const OUTPUT: &'static [&'static str] = &["Kling & Tillman LLC", "Lindgren & Glover Inc"];
    const GERMAN: &'static [&'static str] = &["Walter & Schulte Stiftung", "Möller & Schröder KG"];

    fn pattern(locale: &'static Locale) -> Vec<Piece> {
        locale.company.to_vec()
    }
}
