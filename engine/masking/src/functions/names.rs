//! First and last names by gender, and the user names and e-mail addresses made of them.
//!
//! ```text
//!  Zoë  Müller           first and last name
//!  zoe.muller4711        user name: both in ASCII, and a number
//!  zoe.muller.k3v…       unique: both in ASCII, and 80 bits as base32
//! ```

use std::sync::Arc;

use super::parts::{Entries, entries};
use super::token::base32;
use crate::dictionaries::{Gender, Locale};

/// Characters of base32 that keep user names and addresses apart: 16 × 5 = 80 bits.
const SUFFIX_LENGTH: usize = 16;

/// Bits of those.
pub(super) const SUFFIX_BITS: u32 = 80;

/// Longest part of a user name that a name makes, so that a local part stays within the 64 bytes of RFC 5321,
/// section 4.5.3.1.1.
const FOLDED_MAX: usize = 20;

/// Numbers after a user name: 1 to this.
const NUMBER_MAX: u64 = 9_999;

/// The names of a gender in a locale, each as likely as the others.
pub(super) struct Names {
    pub(super) first: Entries,
    pub(super) last: Entries,
    first_folded: Arc<[Box<str>]>,
    last_folded: Arc<[Box<str>]>,
}

impl Names {
    pub(super) fn new(locale: &'static Locale, gender: Gender) -> Self {
        let first = entries(locale, locale.first_names(gender));
        let last = entries(locale, locale.last_names(gender));
        let (first_folded, last_folded) = (folded_all(&first), folded_all(&last));
        Self { first, last, first_folded, last_folded }
    }

    pub(super) fn first(&self, word: u64) -> &str {
        at(&self.first, word)
    }

    pub(super) fn last(&self, word: u64) -> &str {
        at(&self.last, word)
    }

    /// Writes a user name of the names that these words choose, which a number ends.
    pub(super) fn write_user_name(&self, words: [u64; 3], out: &mut Vec<u8>) {
        let [first, last, number] = words;
        self.write_folded([first, last], out);
        let number = scaled(number, NUMBER_MAX).saturating_add(1);
        out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    /// Writes a user name that 80 bits end.
    pub(super) fn write_unique(&self, words: [u64; 2], bits: &[u8], out: &mut Vec<u8>) {
        self.write_folded(words, out);
        out.push(b'.');
        base32(bits, SUFFIX_LENGTH, out);
    }

    fn write_folded(&self, [first, last]: [u64; 2], out: &mut Vec<u8>) {
        out.extend_from_slice(at(&self.first_folded, first).as_bytes());
        out.push(b'.');
        out.extend_from_slice(at(&self.last_folded, last).as_bytes());
    }
}

/// The entry that a word chooses, as [`crate::key::Draw::below`] does.
fn at(entries: &[Box<str>], word: u64) -> &str {
    entries.get(scaled(word, entries.len() as u64) as usize).map_or("", |entry| entry)
}

/// A number below `bound`, from a uniform word.
fn scaled(word: u64, bound: u64) -> u64 {
    ((u128::from(word) * u128::from(bound)) >> 64) as u64
}

fn folded_all(entries: &[Box<str>]) -> Arc<[Box<str>]> {
    entries.iter().map(|entry| folded(entry).into_boxed_str()).collect()
}

/// A name in lower-case ASCII letters and digits; `x` if nothing of it can be written so.
fn folded(name: &str) -> String {
    let ascii = deunicode::deunicode(name);
    let letters = ascii.chars().filter(char::is_ascii_alphanumeric).take(FOLDED_MAX);
    let folded: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    if folded.is_empty() { "x".to_owned() } else { folded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionaries::LOCALES;

    #[test]
    fn names_of_every_script_are_folded() {
        for (name, expected) in [
            ("Zoë", "zoe"),
            ("O'Connor", "oconnor"),
            ("Žižková", "zizkova"),
            ("Øystein", "oystein"),
            ("Дмитрий", "dmitrii"),
            ("민준", "minjun"),
            ("王", "wang"),
            ("!", "x"),
        ] {
            assert_eq!(folded(name), expected, "{name}");
        }
        for locale in LOCALES {
            for gender in [Gender::Any, Gender::Female, Gender::Male] {
                let names = Names::new(locale, gender);
                for word in names.first_folded.iter().chain(names.last_folded.iter()) {
                    assert!(word.len() <= FOLDED_MAX && &**word != "x", "{}", locale.name);
                }
            }
        }
    }
}
