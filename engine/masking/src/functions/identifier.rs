//! Identifiers with check digits: what all functions for them share.
//!
//! ```text
//!  4111 1111 1111 1111 ─▶ 4111111111111111 ─ hash ─▶ keyed digits ─▶ check digit ─▶ same layout
//!                          fails its check ─ hash ─▶ keyed characters of the same classes
//! ```
//!
//! What is hashed is the identifier without its separators, letters in capitals: an identifier
//! maps alike however it is written.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use serde_json::Value;

use super::params;
use crate::check_digits::digit_of;
use crate::error::{BindError, MaskError};
use crate::forms::{Fit, map_text_keyed_counted, over_values_counted};
use crate::function::{BindContext, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::lanes::Lanes;
use crate::properties::{Preserves, Properties, Uniqueness};

/// Most characters of an identifier: a little more than the longest IBAN has.
const LENGTH_MAX: usize = 40;

/// Draws before a value is masked by shape. Every scheme accepts most draws.
const DRAWS_MAX: u32 = 64;

/// What null and other values give, for every function of this kind.
pub(super) const NULLS: &str = "Null stays null, empty stays empty. A value that fails the check is counted and masked by shape: \
     digits become digits and letters letters, keyed, separators stay, other signs become `*`; its \
     check is not made right.";

/// The rule of one kind of identifier.
pub(super) trait Scheme: Send + Sync {
    /// Whether the characters (digits and capital letters) are such an identifier, its check aside.
    fn fits(&self, id: &[u8]) -> bool;

    /// Replaces what is not kept.
    fn replace(&self, id: &mut [u8], keyed: &mut Keyed<'_>);

    /// Makes the check right; does nothing to an identifier that is right. False if no check
    /// character exists for it.
    fn seal(&self, id: &mut [u8]) -> bool;
}

/// A [`Scheme`] without parameters.
pub(super) struct Rule {
    pub(super) fits: fn(&[u8]) -> bool,
    pub(super) replace: fn(&mut [u8], &mut Keyed<'_>),
    pub(super) seal: fn(&mut [u8]) -> bool,
}

impl Scheme for &Rule {
    fn fits(&self, id: &[u8]) -> bool {
        (self.fits)(id)
    }

    fn replace(&self, id: &mut [u8], keyed: &mut Keyed<'_>) {
        (self.replace)(id, keyed);
    }

    fn seal(&self, id: &mut [u8]) -> bool {
        (self.seal)(id)
    }
}

/// Whether an identifier passes its official check.
pub(super) fn holds(scheme: &impl Scheme, id: &Id) -> bool {
    let mut sealed = *id;
    scheme.fits(id.bytes()) && scheme.seal(sealed.bytes_mut()) && sealed == *id
}

/// The mask of a scheme, after the parameters have been read.
pub(super) fn bound(
    function: &dyn Function,
    context: &BindContext<'_>,
    scheme: impl Scheme + 'static,
    prefix: Prefix,
) -> Result<Box<dyn Mask>, BindError> {
    let key = params::key(function, context)?;
    Ok(Box::new(Bound { input: context.input.clone(), key, scheme, prefix }))
}

/// Binds a function that has no parameters.
pub(super) fn bound_plain(
    function: &dyn Function,
    given: &Value,
    context: &BindContext<'_>,
    rule: &'static Rule,
    prefix: Prefix,
) -> Result<Box<dyn Mask>, BindError> {
    let NoParams {} = params::parse(function, given, context)?;
    bound(function, context, rule, prefix)
}

/// Nothing can be set.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoParams {}

/// Whether first characters that tell something stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// They stay.
    Kept,
    /// They are replaced.
    Hidden,
}

struct Bound<S> {
    input: DataType,
    key: LinkageKey,
    scheme: S,
    prefix: Prefix,
}

impl<S: Scheme> Bound<S> {
    fn write(&self, value: &str, id: &Id, draw: Draw<'_>, out: &mut Vec<u8>) -> Fit {
        let mut keyed = Keyed::of(draw);
        let right = holds(&self.scheme, id);
        if right {
            for _ in 0..DRAWS_MAX {
                let mut drawn = *id;
                self.scheme.replace(drawn.bytes_mut(), &mut keyed);
                let sealed = self.scheme.seal(drawn.bytes_mut());
                if sealed && drawn != *id && self.scheme.fits(drawn.bytes()) {
                    lay_out(value, drawn.bytes(), out);
                    return Fit::Right;
                }
            }
        }
        by_shape(value, &mut keyed, out);
        if right { Fit::Right } else { Fit::Replaced }
    }
}

impl<S: Scheme> Mask for Bound<S> {
    fn output(&self) -> DataType {
        self.input.clone()
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            // Values that fail the check can be of any length, so that no bound holds for all.
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves {
                format: true,
                prefix: self.prefix == Prefix::Kept,
                null: true,
                ..Preserves::default()
            },
            may_return_input: false,
        }
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Ok(self.apply_counted(column, others)?.0)
    }

    fn apply_counted(
        &self,
        column: &ArrayRef,
        _others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        over_values_counted(&self.input, column, |values| {
            let hash = |value: &str, lanes: &mut Lanes<'_>| {
                let id = Id::read(value);
                lanes.push(if id.length == 0 { value.as_bytes() } else { id.bytes() });
                id
            };
            map_text_keyed_counted(values, &self.key, hash, |value, id, draw, out| {
                self.write(value, &id, draw, out)
            })
        })
    }
}

/// The characters of an identifier without separators; none of a text that cannot be one.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Id {
    characters: [u8; LENGTH_MAX],
    length: usize,
}

impl Id {
    pub(super) fn read(value: &str) -> Self {
        const NONE: Id = Id { characters: [0; LENGTH_MAX], length: 0 };
        let mut id = NONE;
        for character in value.chars() {
            match u8::try_from(character) {
                Ok(byte) if byte.is_ascii_alphanumeric() => {
                    let Some(free) = id.characters.get_mut(id.length) else { return NONE };
                    *free = byte.to_ascii_uppercase();
                    id.length += 1;
                }
                _ if is_separator(character) => {}
                _ => return NONE,
            }
        }
        id
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.characters.get(..self.length).unwrap_or_default()
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self.characters.get_mut(..self.length).unwrap_or_default()
    }
}

/// Whether a character may stand between the characters of an identifier.
fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '-' | '.' | '/' | '_' | ':' | ',' | '+' | '(' | ')')
        || matches!(character, '\u{a0}' | '\u{202f}' | '\u{2010}'..='\u{2013}')
}

/// Writes the characters where those of the value stand, in their case.
fn lay_out(value: &str, id: &[u8], out: &mut Vec<u8>) {
    let mut id = id.iter();
    out.extend(value.bytes().map(|byte| match byte {
        b'0'..=b'9' | b'A'..=b'Z' => id.next().copied().unwrap_or(b'0'),
        b'a'..=b'z' => id.next().copied().unwrap_or(b'0').to_ascii_lowercase(),
        other => other,
    }));
}

/// Writes keyed characters of the same classes in the same places, never the value itself.
fn by_shape(value: &str, keyed: &mut Keyed<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    for character in value.chars() {
        if character.is_numeric() {
            out.push(keyed.digit());
        } else if character.is_alphabetic() {
            let letter = keyed.letter();
            out.push(if character.is_lowercase() { letter.to_ascii_lowercase() } else { letter });
        } else if is_separator(character) {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            out.push(b'*');
        }
    }
    if out.get(start..) != Some(value.as_bytes()) {
        return;
    }
    match out.iter_mut().skip(start).rfind(|byte| byte.is_ascii_alphanumeric()) {
        Some(last) => {
            *last = match *last {
                b'9' => b'0',
                b'Z' => b'A',
                b'z' => b'a',
                other => other + 1,
            }
        }
        // Separators only, or stars.
        None => {
            out.truncate(start);
            out.push(b'X');
        }
    }
}

/// Digits and letters of a keyed stream.
pub(super) struct Keyed<'a> {
    draw: Draw<'a>,
    pool: u64,
    /// Bits of the word that may still be used: at least 16 more are there, so that no draw is
    /// biased by more than 2^-16 of its share.
    bits: u32,
}

impl<'a> Keyed<'a> {
    pub(super) fn of(draw: Draw<'a>) -> Self {
        Self { draw, pool: 0, bits: 0 }
    }

    /// A number below `bound`, which is at most 64: the next bits of the word, read as a binary
    /// fraction.
    #[inline]
    fn small(&mut self, bound: u32, bits: u32) -> u32 {
        if self.bits < bits {
            self.pool = self.draw.next_u64();
            self.bits = 48;
        }
        let wide = u128::from(self.pool) * u128::from(bound);
        self.pool = wide as u64;
        self.bits -= bits;
        (wide >> 64) as u32
    }

    /// A number below `bound`.
    #[inline]
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        // Less than `bound`, which is a u32.
        self.draw.below(u64::from(bound)) as u32
    }

    /// `0` to `9`.
    #[inline]
    pub(super) fn digit(&mut self) -> u8 {
        digit_of(self.small(10, 4))
    }

    /// `A` to `Z`.
    #[inline]
    pub(super) fn letter(&mut self) -> u8 {
        b'A' + self.small(26, 6) as u8
    }

    /// One of these characters, of at most 64.
    #[inline]
    pub(super) fn one_of(&mut self, characters: &[u8]) -> u8 {
        // At most 64.
        let which = self.small(characters.len() as u32, 6);
        characters.get(which as usize).copied().unwrap_or(b'0')
    }

    /// Replaces each character by one of its class.
    #[inline]
    pub(super) fn replace(&mut self, characters: &mut [u8]) {
        for character in characters {
            *character = if character.is_ascii_digit() { self.digit() } else { self.letter() };
        }
    }

    /// Writes a number from `least` to `most` in decimal digits, with zeros in front.
    pub(super) fn number(&mut self, least: u32, most: u32, digits: &mut [u8]) {
        let mut number = least + self.below(most - least + 1);
        for digit in digits.iter_mut().rev() {
            *digit = digit_of(number);
            number /= 10;
        }
    }
}

/// Whether the text has this shape: `9` stands for a digit, `A` for a letter, `*` for either, all
/// else for itself in small letters (`u` is U).
pub(super) fn is_like(id: &[u8], shape: &[u8]) -> bool {
    let fits = |(byte, class): (&u8, &u8)| match class {
        b'9' => byte.is_ascii_digit(),
        b'A' => byte.is_ascii_uppercase(),
        b'*' => byte.is_ascii_alphanumeric(),
        own => *byte == own.to_ascii_uppercase(),
    };
    id.len() == shape.len() && id.iter().zip(shape).all(fits)
}

/// Whether all are digits.
pub(super) fn are_digits(id: &[u8]) -> bool {
    id.iter().all(u8::is_ascii_digit)
}

/// A part of an identifier; empty if it is shorter.
pub(super) fn part(id: &[u8], from: usize, to: usize) -> &[u8] {
    id.get(from..to).unwrap_or_default()
}

/// A part to be written; empty if the identifier is shorter.
pub(super) fn part_mut(id: &mut [u8], from: usize, to: usize) -> &mut [u8] {
    id.get_mut(from..to).unwrap_or_default()
}

/// Sets one character.
pub(super) fn set(id: &mut [u8], place: usize, character: u8) {
    if let Some(old) = id.get_mut(place) {
        *old = character;
    }
}

/// Sets the last character to what `check` says of those before it, if it says one.
pub(super) fn set_last(id: &mut [u8], check: impl FnOnce(&[u8]) -> Option<u8>) -> bool {
    let Some((last, rest)) = id.split_last_mut() else { return false };
    let Some(check) = check(rest) else { return false };
    *last = check;
    true
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::key::EXAMPLE_MASTER;
    use std::collections::BTreeSet;

    /// Whether a text passes the check.
    pub(in super::super) fn passes(scheme: &impl Scheme, text: &str) -> bool {
        holds(scheme, &Id::read(text))
    }

    /// The published numbers pass; a thousand outputs for each differ from it, keep its layout, and pass.
    pub(in super::super) fn check<S: Scheme>(scheme: S, published: &[&str]) {
        for text in published {
            assert!(passes(&scheme, text), "{text}");
        }
        let key = LinkageKey::derive(&EXAMPLE_MASTER, 1, "example", "test", 1);
        let bound = Bound { input: DataType::Utf8, key, scheme, prefix: Prefix::Hidden };
        for text in published {
            let mut outputs = BTreeSet::new();
            for seed in 0..1_000_u32 {
                let mut out = Vec::new();
                bound.write(text, &Id::read(text), bound.key.prf(&seed.to_le_bytes()), &mut out);
                let out = String::from_utf8(out).unwrap();
                assert!(out != *text && passes(&bound.scheme, &out), "{text}: {out}");
                let places = |text: &str| -> Vec<bool> { text.chars().map(is_separator).collect() };
                assert_eq!(places(&out), places(text), "{text}: {out}");
                outputs.insert(out);
            }
            assert!(outputs.len() > 900, "{text}: {} distinct", outputs.len());
        }
    }

    /// Changing one digit of a right number makes it wrong.
    pub(in super::super) fn check_single_errors<S: Scheme>(scheme: &S, text: &str) {
        for (place, byte) in text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
            for digit in (b'0'..=b'9').filter(|digit| *digit != byte) {
                let mut wrong = text.as_bytes().to_vec();
                wrong[place] = digit;
                let wrong = String::from_utf8(wrong).unwrap();
                assert!(!passes(scheme, &wrong), "{wrong}");
            }
        }
    }

    #[test]
    fn shapes_stay_and_values_do_not() {
        let key = LinkageKey::derive(&EXAMPLE_MASTER, 1, "example", "test", 1);
        for value in ["5", "a", "-", "***", "Zoë 17", "🔒", "٣", "x-1/y", "9\u{301}"] {
            let mut keyed = Keyed::of(key.prf(value.as_bytes()));
            let mut out = Vec::new();
            by_shape(value, &mut keyed, &mut out);
            assert_ne!(out, value.as_bytes());
        }
        assert_eq!(Id::read("de-12 x").bytes(), b"DE12X");
        assert_eq!(Id::read(&"1".repeat(41)).length, 0);
        assert_eq!(Id::read("12é").length, 0);
    }
}
