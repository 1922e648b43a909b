//! `company`: a company of the locale, chosen by key.

use super::composed::WordFunction;
use super::parts::{Part, parts};
use crate::dictionaries::{Gender, Locale};

/// Every value becomes a made-up company of the locale.
pub(super) struct Company;

impl WordFunction for Company {
    const NAME: &'static str = "company";
    const SUMMARY: &'static str = "Every value becomes a made-up company of the locale.";
    const INPUT: &'static [&'static str] = &["Initech", "Acme Ltd"];
    const OUTPUT: &'static [&'static str] = &["Kling & Tillman LLC", "Lindgren & Glover Inc"];
    const GERMAN: &'static [&'static str] = &["Walter & Schulte Stiftung", "Möller & Schröder KG"];

    fn parts(locale: &'static Locale, _gender: Gender) -> Vec<Part> {
        parts(locale, locale.company, Gender::Any)
    }
}
