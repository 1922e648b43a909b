//! Addresses in a text: of mail, of the web, and of machines.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::super::email::is_local;
use super::words;

/// Longest scheme of an address of the web that is looked for.
const SCHEME_BYTES_MAX: usize = 16;

/// Words before four numbers that make them a version.
const VERSIONS: &[&str] = &["v", "ver", "version", "release", "build", "rev", "firmware"];

/// The e-mail address around an `@`.
pub(super) fn email(text: &str, at: usize) -> Option<Range<usize>> {
    let local = text
        .get(..at)?
        .char_indices()
        .rev()
        .take_while(|(_, character)| is_in_local(*character))
        .last()
        .map(|(start, _)| start)?;
    let written = text.get(local..at)?;
    let start = local + (written.len() - written.trim_start_matches(['.', '\'']).len());
    let rest = text.get(at + 1..)?;
    let length = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '.')));
    let mut domain = rest.get(..length.unwrap_or(rest.len()))?;
    // The last label is a name: what follows it is another sentence.
    while let Some((head, top)) = domain.rsplit_once('.') {
        let is_top = top.starts_with("xn--")
            || (top.chars().count() >= 2 && top.chars().all(char::is_alphabetic));
        if is_top && !head.is_empty() && !head.contains("..") {
            let found = start..at + 1 + domain.len();
            return is_local(text.get(start..at)?).then_some(found);
        }
        domain = head;
    }
    None
}

fn is_in_local(character: char) -> bool {
    character.is_alphanumeric()
        || matches!(character, '.' | '_' | '%' | '+' | '-' | '\'' | '&' | '~' | '\u{301}')
}

/// The address of the web whose scheme ends at this colon.
pub(super) fn url(text: &str, colon: usize) -> Option<Range<usize>> {
    let rest = text.get(colon..)?.strip_prefix("://")?;
    let bytes = text.as_bytes().get(..colon)?;
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-');
    let scheme = bytes.iter().rev().take_while(|byte| is_scheme(byte)).count();
    let start = colon - scheme.min(SCHEME_BYTES_MAX);
    if !bytes.get(start..)?.iter().any(u8::is_ascii_alphabetic) {
        return None;
    }
    let length = url_length(rest);
    (length > 0).then(|| start..colon + 3 + length)
}

/// The address that begins with `www.`, where one of its first three letters stands here.
pub(super) fn www(text: &str, near: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let start = (near.saturating_sub(2)..=near).find(|start| {
        bytes.get(*start..*start + 4).is_some_and(|w| w.eq_ignore_ascii_case(b"www."))
    })?;
    let before = text.get(..start)?.chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || c == '.') {
        return None;
    }
    let length = url_length(text.get(start + 4..)?);
    (length > 0).then(|| start..start + 4 + length)
}

/// Bytes of an address of the web from here; not those of the sentence it stands in.
fn url_length(text: &str) -> usize {
    let is_end = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(
                c,
                '<' | '>' | '"' | '`' | '{' | '}' | '|' | '^' | '»' | '”' | '“' | '、' | '。'
            )
    };
    let mut address = text.get(..text.find(is_end).unwrap_or(text.len())).unwrap_or_default();
    // Looked for once: what is cut off holds none of them.
    let (round, square) = (address.contains('('), address.contains('['));
    while let Some(last) = address.chars().next_back() {
        let closes = match last {
            ')' => !round,
            ']' => !square,
            _ => matches!(last, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '’' | '…'),
        };
        if !closes {
            break;
        }
        address = address.get(..address.len() - last.len_utf8()).unwrap_or_default();
    }
    address.len()
}

/// The IPv4 address whose first digit stands here; no version of a program.
pub(super) fn ipv4(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    let length = rest.bytes().take(16).take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let address = rest.get(..length)?.trim_end_matches('.');
    address.parse::<Ipv4Addr>().ok()?;
    let after = rest.as_bytes().get(address.len()..)?;
    let before = text.as_bytes().get(..start)?;
    let goes_on = after.first().is_some_and(u8::is_ascii_alphanumeric);
    let joined = before.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
    let head = words::just_before(text, start).trim_end_matches([' ', ':', '=']);
    let word = head.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let version = VERSIONS.iter().any(|version| version.eq_ignore_ascii_case(word));
    (!goes_on && !joined && !version).then(|| start..start + address.len())
}

/// The IPv6 address around this place. It has a digit: words of C++ have none.
pub(super) fn ipv6(text: &str, near: usize) -> Option<Range<usize>> {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let found = around(text, near, is_part)?;
    let address = text.get(found.clone())?.trim_end_matches('.');
    let address = match address.strip_suffix(':') {
        Some(head) if !head.ends_with(':') => head,
        _ => address,
    };
    address.parse::<Ipv6Addr>().ok()?;
    let has_digit = address.bytes().any(|byte| byte.is_ascii_digit());
    has_digit.then(|| found.start..found.start + address.len())
}

/// The MAC address around this place: six pairs, or three groups of four with dots.
pub(super) fn mac(text: &str, near: usize) -> Option<Range<usize>> {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'-' | b'.');
    let found = around(text, near, is_part)?;
    let written = text.get(found.clone())?.trim_end_matches(['.', ':', '-']);
    let groups = match written.len() {
        17 => 3,
        14 => 5,
        _ => return None,
    };
    let separator = *written.as_bytes().get(groups - 1)?;
    let fits = written.bytes().enumerate().all(|(place, byte)| match place % groups {
        last if last == groups - 1 => byte == separator,
        _ => byte.is_ascii_hexdigit(),
    });
    let fits = fits && (separator == b'.') == (groups == 5) && !separator.is_ascii_hexdigit();
    fits.then(|| found.start..found.start + written.len())
}

/// The UUID around this place.
pub(super) fn uuid(text: &str, near: usize) -> Option<Range<usize>> {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let found = around(text, near, is_part)?;
    let written = text.get(found.clone())?;
    let fits = written.len() == 36
        && written.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    fits.then_some(found)
}

/// The run of such bytes around a place, if no letter or digit stands beside it.
fn around(text: &str, near: usize, is_part: impl Fn(&u8) -> bool) -> Option<Range<usize>> {
    const LONGEST: usize = 48;
    let bytes = text.as_bytes();
    let before = bytes.get(..near)?.iter().rev().take(LONGEST).take_while(|b| is_part(b)).count();
    let after = bytes.get(near..)?.iter().take(LONGEST).take_while(|b| is_part(b)).count();
    let found = near - before..near + after;
    let joined =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    let beside = joined(bytes.get(..found.start)?.last()) || joined(bytes.get(found.end));
    (!beside).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found when every place is looked at.
    fn found(find: fn(&str, usize) -> Option<Range<usize>>, text: &str) -> Option<&str> {
        let places = text.char_indices().map(|(place, _)| place);
        places.into_iter().find_map(|place| find(text, place)).and_then(|found| text.get(found))
    }

    fn at_sign(text: &str, place: usize) -> Option<Range<usize>> {
        text.get(place..)?.starts_with('@').then(|| email(text, place)).flatten()
    }

    #[test]
    fn addresses_of_mail() {
        for (text, address) in [
            ("write to ada.l+x@mail.lovelace.org.", Some("ada.l+x@mail.lovelace.org")),
            ("<ada@lovelace.org>", Some("ada@lovelace.org")),
            ("'ada@lovelace.org'", Some("ada@lovelace.org")),
            ("mailto:ada@lovelace.org?subject=x", Some("ada@lovelace.org")),
            ("Zoë@müller.de,", Some("Zoë@müller.de")),
            ("ada@lovelace.org.Then", Some("ada@lovelace.org.Then")),
            ("ada@lovelace.org.5", Some("ada@lovelace.org")),
            ("東京@例え.テスト", Some("東京@例え.テスト")),
            ("meet @ 5.30", None),
            ("@ada.lovelace", None),
            ("ada@localhost", None),
            ("3 @ 1.50", None),
        ] {
            assert_eq!(found(at_sign, text), address, "{text}");
        }
    }

    #[test]
    fn addresses_of_the_web() {
        for (text, address) in [
            ("see https://a.org/x?y=1.", Some("https://a.org/x?y=1")),
            ("(http://a.org/b_(c))", Some("http://a.org/b_(c))")),
            ("(http://a.org/b)", Some("http://a.org/b")),
            ("ftp://ada:secret@a.org,", Some("ftp://ada:secret@a.org")),
            ("a: // b", None),
            ("x://", None),
        ] {
            assert_eq!(found(url, text), address, "{text}");
        }
        for (text, address) in [
            ("see Www.lovelace.org/notes!", Some("Www.lovelace.org/notes")),
            ("owwww.", None),
            ("www. what", None),
        ] {
            assert_eq!(found(www, text), address, "{text}");
        }
    }

    #[test]
    fn addresses_of_machines() {
        for (text, address) in [
            ("from 192.0.2.17.", Some("192.0.2.17")),
            ("192.0.2.17:8080", Some("192.0.2.17")),
            ("version 1.2.3.4", None),
            ("v1.2.3.4", None),
            ("10.0.19045.3693", None),
            ("1.2.3.4.5", None),
            ("300.1.1.1", None),
        ] {
            assert_eq!(found(ipv4, text), address, "{text}");
        }
        for (text, address) in [
            ("at 2001:db8::1, then", Some("2001:db8::1")),
            ("[fe80::1]:80", Some("fe80::1")),
            ("::ffff:192.0.2.1.", Some("::ffff:192.0.2.1")),
            ("12:30:45", None),
            ("std::vec", None),
            ("ab::cd", None),
            ("1:1", None),
        ] {
            assert_eq!(found(ipv6, text), address, "{text}");
        }
        for (text, address) in [
            ("00:1b:21:AA:bb:0c.", Some("00:1b:21:AA:bb:0c")),
            ("00-1B-21-AA-BB-0C", Some("00-1B-21-AA-BB-0C")),
            ("001b.21aa.bb0c", Some("001b.21aa.bb0c")),
            ("00:1b:21-aa:bb:0c", None),
            ("00:1b:21:aa:bb", None),
        ] {
            assert_eq!(found(mac, text), address, "{text}");
        }
        let id = "123e4567-e89b-12d3-a456-426614174000";
        assert_eq!(found(uuid, &format!("id={id};")), Some(id));
        assert_eq!(found(uuid, &format!("id={id}0")), None);
    }
}
