//! `full_name`: a person's whole name of the locale, chosen by key.

use super::composed::WordFunction;
use super::parts::{Part, full_name};
use crate::dictionaries::{Gender, Locale};

/// Every value becomes a first and a last name of the locale, in its order, chosen by key.
pub(super) struct FullName;

impl WordFunction for FullName {
    const NAME: &'static str = "full_name";
    const SUMMARY: &'static str =
        "Every value becomes a first and a last name of the locale, in its order, chosen by key.";
    const INPUT: &'static [&'static str] = &["Ada Lovelace", "Grace Hopper", "Ada Lovelace"];
    const OUTPUT: &'static [&'static str] = &["Gavin West", "Danyka Christiansen", "Gavin West"];
    const GERMAN: &'static [&'static str] = &["Elke Arnold", "Helga Müller"];
    const GENDERED: Option<(&'static str, &'static [&'static str])> =
        Some((r#"{"gender": "sex"}"#, &["Gladys West", "Darryl Christiansen", "Gladys West"]));

    fn parts(locale: &'static Locale, gender: Gender) -> Vec<Part> {
        full_name(locale, gender)
    }
}
