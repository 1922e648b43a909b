//! JSON text read so that nothing of it is lost or ambiguous, and written.
//!
//! Depth is bounded by serde_json's own limit (128), length by a limit of ours.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Longest text that is read.
const BYTES_MAX: usize = 16 << 20;

/// A JSON value, and where its numbers are written.
pub(super) struct Document<'t> {
    pub(super) text: &'t str,
    pub(super) value: Value,
    /// In the order they stand in.
    pub(super) numbers: Vec<Range<usize>>,
}

impl<'t> Document<'t> {
    /// Reads text that is one JSON value (RFC 8259) without a name that stands twice in an object.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        if text.len() > BYTES_MAX {
            return None;
        }
        let Unambiguous(value) = serde_json::from_str(text).ok()?;
        Some(Self { text, value, numbers: numbers(text.as_bytes()) })
    }
}

/// Where the numbers of JSON text stand: outside strings, whatever begins as a number is one.
fn numbers(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut place = 0;
    while let Some(byte) = text.get(place) {
        let rest = text.get(place..).unwrap_or_default();
        let length = match byte {
            b'"' => string_length(rest),
            b'-' | b'0'..=b'9' => {
                let goes_on =
                    |byte: &&u8| matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E' | b'0'..=b'9');
                let length = rest.iter().take_while(goes_on).count();
                found.push(place..place + length);
                length
            }
            _ => 1,
        };
        place += length;
    }
    found
}

/// The length of the string this text begins with, with its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// A value in which no object has two members of one name.
struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values).map(Self)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number too large"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Unambiguous(element)) = elements.next_element()? {
            all.push(element);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some((name, Unambiguous(member))) = members.next_entry::<String, _>()? {
            if all.insert(name, member).is_some() {
                return Err(A::Error::custom("a name that stands twice"));
            }
        }
        Ok(all.into())
    }
}

/// Appends text as a JSON string: RFC 8259, section 7.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => {
                let hex = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[hex(byte >> 4), hex(byte & 15)]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_outside_strings_in_their_order() {
        let text = r#"{"a1": [-1.50e+10, "2 \\", 3, "\" 4"], "5": 123456789012345678901234567890}"#;
        let document = Document::parse(text).unwrap();
        let found: Vec<&str> = document.numbers.iter().map(|place| &text[place.clone()]).collect();
        assert_eq!(found, ["-1.50e+10", "3", "123456789012345678901234567890"]);
    }

    #[test]
    fn what_is_no_json_or_ambiguous_is_refused() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        let bad = [
            "",
            "{",
            "{}x",
            "{'a': 1}",
            "[1,]",
            "NaN",
            "01",
            "1e400",
            r#"{"a":1,"\u0061":2}"#,
            &deep,
        ];
        for text in bad {
            assert!(Document::parse(text).is_none(), "{text}");
        }
        assert!(Document::parse(r#" {"a": {"a": 1}} "#).is_some());
    }

    #[test]
    fn a_written_string_reads_as_the_text() {
        let text: String = ('\0'..'\u{100}').chain("é\u{2028}🇩🇪\u{10ffff}".chars()).collect();
        let mut out = Vec::new();
        write_string(&text, &mut out);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }
}
