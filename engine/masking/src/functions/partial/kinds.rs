//! What `partial` shows of a value of a known kind.
//!
//! ```text
//!  name      Ada Lovelace                  A** L*******
//!  address   Main Street 5, 10117 Berlin   **** ****** *, ***** Berlin
//!  email     ada@lovelace.org              a***@l***.org
//!  phone     +49 (0)30 901820              +** (*)** **1820
//!  card      4111 1111 1111 1111           **** **** **** 1111
//!  id        RCCMNL83S18D969H              ************969H
//!  url       https://lovelace.org/notes    https://***.org/***
//!  postcode  SW1A 1AA                      SW1A ***
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use unicode_segmentation::UnicodeSegmentation;

use super::super::email::{is_domain, is_local};
use super::super::url;

/// Covers of what may not show its length.
const COVERS: usize = 3;

/// What the values are, which says what of them is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// The first character of each word of two or more.
    Name,
    /// What stands after the last comma, without words that hold a digit; nothing without a comma.
    Address,
    /// First characters of the local part and of the domain, and the top-level domain.
    Email,
    /// The last four digits of ten or more, three of eight, two of six.
    Phone,
    /// The last four digits of 12 to 19: less than PCI DSS allows.
    Card,
    /// The last four characters of eight or more.
    Id,
    /// A well-known scheme and the top-level domain.
    Url,
    /// The outward part: before the space, before the last three characters of a British one
    /// written without, else the first two characters.
    Postcode,
}

impl Kind {
    /// Whether what comes out is as long as what went in.
    pub(super) fn keeps_length(self) -> bool {
        !matches!(self, Self::Email | Self::Url)
    }

    /// Whether first characters may be shown.
    pub(super) fn shows_prefix(self) -> bool {
        matches!(self, Self::Name | Self::Email | Self::Url | Self::Postcode)
    }

    /// Appends what is shown of the value; `with` stands for each covered character.
    pub(super) fn write(self, value: &str, with: &str, out: &mut Vec<u8>) {
        let out = &mut Cover { with, out };
        match is_plain(value) {
            true => self.cover(value, bytes(value), out),
            false => self.cover(value, value.graphemes(true), out),
        }
    }

    fn cover<'v>(
        self,
        value: &'v str,
        characters: impl Iterator<Item = &'v str> + Clone,
        out: &mut Cover<'_>,
    ) {
        match self {
            Self::Name => name(characters, out),
            Self::Address => address(value, out),
            Self::Email => email(value, out),
            Self::Url => address_of_the_web(value, out),
            Self::Phone => {
                let digits = characters.clone().filter(|unit| is_digit(unit)).count();
                let last = match digits {
                    10.. => 4,
                    8.. => 3,
                    6.. => 2,
                    _ => 0,
                };
                shown(characters, is_digit, digits - last..digits, out);
            }
            Self::Card => {
                let digits = characters.clone().filter(|unit| is_digit(unit)).count();
                let is_card = (12..=19).contains(&digits)
                    && characters.clone().all(|unit| is_digit(unit) || is_separator(unit));
                let last = if is_card { 4 } else { 0 };
                shown(characters, is_digit, digits - last..digits, out);
            }
            Self::Id => {
                let counted = characters.clone().filter(|unit| !is_separator(unit)).count();
                let last = if counted >= 8 { 4 } else { 0 };
                shown(characters, |unit| !is_separator(unit), counted - last..counted, out);
            }
            Self::Postcode => {
                let counted = characters.clone().filter(|unit| !is_separator(unit)).count();
                let first = outward(value, characters.clone(), counted);
                shown(characters, |unit| !is_separator(unit), 0..first, out);
            }
        }
    }
}

/// Whether every byte is a character of its own: in ASCII, but for CR LF.
fn is_plain(value: &str) -> bool {
    value.is_ascii() && !value.contains('\r')
}

/// The characters of plain text.
fn bytes(value: &str) -> impl Iterator<Item = &str> + Clone {
    (0..value.len()).filter_map(|place| value.get(place..=place))
}

/// Where covers are written.
struct Cover<'a> {
    with: &'a str,
    out: &'a mut Vec<u8>,
}

impl Cover<'_> {
    #[inline]
    fn show(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    #[inline]
    fn hide(&mut self) {
        self.out.extend_from_slice(self.with.as_bytes());
    }

    fn hide_whole(&mut self) {
        (0..COVERS).for_each(|_| self.hide());
    }
}

/// Shows separators and, of the characters that count, those of these numbers; covers all if there
/// are none.
fn shown<'v>(
    characters: impl Iterator<Item = &'v str>,
    counts: impl Fn(&str) -> bool,
    numbers: std::ops::Range<usize>,
    out: &mut Cover<'_>,
) {
    let mut number = 0;
    for unit in characters {
        let counted = counts(unit);
        if !numbers.is_empty()
            && (if counted { numbers.contains(&number) } else { is_separator(unit) })
        {
            out.show(unit);
        } else {
            out.hide();
        }
        number += usize::from(counted);
    }
}

fn name<'v>(characters: impl Iterator<Item = &'v str>, out: &mut Cover<'_>) {
    let mut characters = characters.peekable();
    let mut inside = false;
    while let Some(unit) = characters.next() {
        if is_separator(unit) {
            out.show(unit);
            inside = false;
            continue;
        }
        let goes_on = characters.peek().is_some_and(|next| !is_separator(next));
        if !inside && goes_on {
            out.show(unit);
        } else {
            out.hide();
        }
        inside = true;
    }
}

fn address(value: &str, out: &mut Cover<'_>) {
    let (head, tail) = value.rsplit_once(',').unwrap_or((value, ""));
    let has_digit = |word: &&str| word.contains(char::is_numeric);
    let length = |word: &str| match is_plain(word) {
        true => word.bytes().filter(|byte| !is_sign(*byte)).count(),
        false => word.graphemes(true).filter(|unit| !is_separator(unit)).count(),
    };
    let visible: usize = tail.split(' ').filter(|word| !has_digit(word)).map(length).sum();
    let visible = visible > 0 && visible * 2 <= length(value);
    let cover = |text: &str, out: &mut Cover<'_>| {
        let write = |unit| if visible && is_separator(unit) { out.show(unit) } else { out.hide() };
        match is_plain(text) {
            true => bytes(text).for_each(write),
            false => text.graphemes(true).for_each(write),
        }
    };
    cover(head, out);
    if head.len() == value.len() {
        return;
    }
    if visible {
        out.show(",");
    } else {
        out.hide();
    }
    for (place, word) in tail.split(' ').enumerate() {
        if place > 0 {
            if visible { out.show(" ") } else { out.hide() }
        }
        if visible && !has_digit(&word) { out.show(word) } else { cover(word, out) }
    }
}

fn email(value: &str, out: &mut Cover<'_>) {
    let parts = value
        .rsplit_once('@')
        .filter(|(local, domain)| is_local(local) && is_domain(domain))
        .and_then(|(local, domain)| Some((local, domain.rsplit_once('.')?)));
    let Some((local, (domain, top))) = parts else { return out.hide_whole() };
    for (part, end) in [(local, "@"), (domain, ".")] {
        let mut units = part.graphemes(true);
        if let (Some(first), Some(_)) = (units.next(), units.next()) {
            out.show(first);
        }
        out.hide_whole();
        out.show(end);
    }
    out.show(top);
}

fn address_of_the_web(value: &str, out: &mut Cover<'_>) {
    let (Some(scheme), host) = url::read(value) else { return out.hide_whole() };
    out.show(scheme);
    out.show("://");
    out.hide_whole();
    if let Some((_, top)) = host.and_then(|host| host.rsplit_once('.')) {
        out.show(".");
        out.show(top);
    }
    let rest = value.split_once("://").map_or("", |(_, rest)| rest);
    if rest.split_once(['/', '?', '#', '\\']).is_some_and(|(_, path)| !path.is_empty()) {
        out.show("/");
        out.hide_whole();
    }
}

/// Characters of a postcode's outward part, of so many; 0 if it is none.
fn outward<'v>(
    value: &str,
    characters: impl Iterator<Item = &'v str> + Clone,
    counted: usize,
) -> usize {
    if !(4..=9).contains(&counted)
        || !characters.clone().all(|unit| is_separator(unit) || is_alphanumeric(unit))
    {
        return 0;
    }
    let first = characters.clone().position(|unit| unit == " ").unwrap_or(0);
    if (2..=4).contains(&first) && counted >= first + 2 {
        return characters.take(first).filter(|unit| !is_separator(unit)).count();
    }
    let british = (5..=7).contains(&counted)
        && matches!(value.as_bytes(), [first, .., digit, one, two]
            if first.is_ascii_alphabetic() && digit.is_ascii_digit()
                && one.is_ascii_alphabetic() && two.is_ascii_alphabetic());
    if british { counted - 3 } else { 2 }
}

#[inline]
fn is_digit(unit: &str) -> bool {
    matches!(unit.as_bytes(), [b'0'..=b'9'])
}

#[inline]
fn is_alphanumeric(unit: &str) -> bool {
    matches!(unit.as_bytes(), [one] if one.is_ascii_alphanumeric())
}

#[inline]
fn is_sign(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'-' | b'.' | b',' | b'/' | b'\'' | b'(' | b')' | b'+' | b'_' | b':' | b';'
    )
}

/// Whether a character stands between others and says nothing itself.
#[inline]
fn is_separator(unit: &str) -> bool {
    match unit.as_bytes() {
        [one] => is_sign(*one),
        _ => matches!(unit, "\u{a0}" | "\u{202f}" | "\u{2011}" | "\u{2019}" | "\u{3000}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(kind: Kind, value: &str) -> String {
        let mut out = Vec::new();
        kind.write(value, "*", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_kind_shows_what_it_says() {
        for (kind, value, expected) in [
            (Kind::Name, "Ada Lovelace", "A** L*******"),
            (Kind::Name, "Anne-Marie d'Arc", "A***-M**** *'A**"),
            (Kind::Name, "Zoe\u{308} 👩🏽‍🚀👩🏽‍🚀", "Z** 👩🏽‍🚀*"),
            (Kind::Name, "李明 X", "李* *"),
            (Kind::Address, "Main Street 5, 10117 Berlin", "**** ****** *, ***** Berlin"),
            (Kind::Address, "10 Downing St, London SW1A 2AA", "** ******* **, London **** ***"),
            (Kind::Address, "Main Street 5", "*************"),
            (Kind::Address, "A 5, Frankfurt", "**************"),
            (Kind::Email, "ada@lovelace.org", "a***@l***.org"),
            (Kind::Email, "a@b.co.uk", "***@b***.uk"),
            (Kind::Email, "𝒜da@x.org", "𝒜***@***.org"),
            (Kind::Email, "not an address", "***"),
            (Kind::Phone, "+49 (0)30 901820", "+** (*)** **1820"),
            (Kind::Phone, "901820", "****20"),
            (Kind::Phone, "55501", "*****"),
            (Kind::Phone, "12345678 x🔒", "*****678 **"),
            (Kind::Card, "4111 1111 1111 1111", "**** **** **** 1111"),
            (Kind::Card, "4111-1111-111", "*************"),
            (Kind::Id, "RCCMNL83S18D969H", "************969H"),
            (Kind::Id, "756.9217.0769.85", "***.****.**69.85"),
            (Kind::Id, "1234567", "*******"),
            (Kind::Id, "🇩🇪🇩🇪🇩🇪🇩🇪🇫🇷🇫🇷🇫🇷é", "****🇫🇷🇫🇷🇫🇷é"),
            (Kind::Url, "HTTPS://u:p@lovelace.org/notes?x", "https://***.org/***"),
            (Kind::Url, "http://192.0.2.1/", "http://***"),
            (Kind::Url, "ada lovelace", "***"),
            (Kind::Postcode, "SW1A 1AA", "SW1A ***"),
            (Kind::Postcode, "SW1A1AA", "SW1A***"),
            (Kind::Postcode, "10117", "10***"),
            (Kind::Postcode, "94103-1234", "94***-****"),
            (Kind::Postcode, "1012 AB", "1012 **"),
            (Kind::Postcode, "123", "***"),
            (Kind::Postcode, "10117 Berlin", "************"),
        ] {
            assert_eq!(masked(kind, value), expected, "{kind:?} {value}");
        }
    }
}
