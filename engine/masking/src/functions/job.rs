//! `job`: an occupation, chosen by key.

use super::composed::WordFunction;
use super::parts::{Part, parts};
use crate::dictionaries::{Gender, List, Locale, Piece};

/// Every value becomes an occupation of the locale, chosen by key.
pub(super) struct Job;

impl WordFunction for Job {
    const NAME: &'static str = "job";
    const SUMMARY: &'static str = "Every value becomes an occupation of the locale, chosen by key.";
    const INPUT: &'static [&'static str] = &["Nurse", "Engineer"];
    const OUTPUT: &'static [&'static str] = &["Chartered accountant", "Pensions consultant"];
    const GERMAN: &'static [&'static str] = &["Bäcker", "Psychologe"];

    fn parts(locale: &'static Locale, _gender: Gender) -> Vec<Part> {
        parts(locale, &[Piece::Pick(List::Sections(&["job"]))], Gender::Any)
    }
}
