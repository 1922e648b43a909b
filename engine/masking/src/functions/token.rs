//! `token`: a keyed pseudonym of fixed length.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params::{self, TEXT_BYTES_MAX};
use crate::canonical::{has_text, map_to_text};
use crate::error::{BindError, MaskError};
use crate::forms::{is_text, map_text_keyed, over_values, text_of};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::lanes::Lanes;
use crate::normal::{Normal, normalize};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Fewer bits than this would let tokens of a large table collide by chance.
const BITS_MIN: u32 = 64;

/// Characters of a UUID, and the bits of one that are free.
const UUID_LENGTH: u32 = 36;
const UUID_BITS: u32 = 122;

/// A keyed pseudonym.
pub(super) struct Token;

/// Parameters of `token`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Characters of the token.
    #[serde(default)]
    format: Format,
    /// Number of characters: 16 to 64 (default 32) in hex, 13 to 51 (default 26) in base32, 11 to 42
    /// (default 22) in base64url; none for uuid.
    length: Option<u32>,
    /// Written before the token; at most 1000 bytes.
    #[serde(default)]
    prefix: String,
    /// Done to text before it is keyed, so that spellings map alike.
    #[serde(default)]
    normalize: Vec<Normal>,
}

/// The alphabet of a token.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// `0`–`9`, `a`–`f`: 4 bits each.
    #[default]
    Hex,
    /// `a`–`z`, `2`–`7` (RFC 4648, section 6, lower case, no padding): 5 bits each.
    Base32,
    /// `A`–`Z`, `a`–`z`, `0`–`9`, `-`, `_` (RFC 4648, section 5, no padding): 6 bits each.
    Base64url,
    /// A UUID of version 8 (RFC 9562, section 5.8): 122 bits.
    Uuid,
}

impl Format {
    /// Bits of one character; none if the form has one length only.
    const fn bits(self) -> Option<u32> {
        match self {
            Self::Hex => Some(4),
            Self::Base32 => Some(5),
            Self::Base64url => Some(6),
            Self::Uuid => None,
        }
    }

    /// The length of a token: as asked for, else enough for 128 bits.
    fn length(self, asked: Option<u32>) -> Result<u32, BindError> {
        let Some(bits) = self.bits() else {
            let refused = BindError::out_of_range("length", "no length: a UUID has 36 characters");
            return if asked.is_some() { Err(refused) } else { Ok(UUID_LENGTH) };
        };
        // 256 bits is all a hash has.
        let (least, most) = (BITS_MIN.div_ceil(bits), 256 / bits);
        let length = asked.unwrap_or(128_u32.div_ceil(bits));
        if (least..=most).contains(&length) {
            return Ok(length);
        }
        let expected = format!("a length from {least} to {most} characters");
        Err(BindError::out_of_range("length", expected).hinted(format!(
            "{least} characters carry {BITS_MIN} bits, so that tokens do not collide by chance"
        )))
    }
}

impl Function for Token {
    fn name(&self) -> &'static str {
        "token"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every value becomes a keyed pseudonym of fixed length, as text.",
            privacy: "Only which rows held equal values remains; without the key no guess can be \
                      checked.",
            nulls: "Null stays null, empty stays empty.",
            examples: vec![
                Example {
                    params: "{}",
                    input_type: DataType::Int64,
                    input: &["17", "18", "17"],
                    others: &[],
                    output: &[
                        "086968cba04a8f04cd268b4e3042b5d3",
                        "03d76528123ecb35f3cef166943f5de6",
                        "086968cba04a8f04cd268b4e3042b5d3",
                    ],
                },
                Example {
                    params: r#"{"format": "base32", "length": 16, "prefix": "cus_", "normalize": ["trim", "casefold"]}"#,
                    input_type: DataType::Utf8,
                    input: &["A-17", " a-17 "],
                    others: &[],
                    output: &["cus_dh6mb2bemyi6mgyd", "cus_dh6mb2bemyi6mgyd"],
                },
                Example {
                    params: r#"{"format": "base64url"}"#,
                    input_type: DataType::Utf8,
                    input: &["A-17"],
                    others: &[],
                    output: &["mhMJcoJ3qM3xkp0AxvZ87p"],
                },
                Example {
                    params: r#"{"format": "uuid"}"#,
                    input_type: DataType::Utf8,
                    input: &["A-17"],
                    others: &[],
                    output: &["9a130972-8277-88cd-b192-9d00c6f67cee"],
                },
                Example {
                    params: r#"{"length": 16}"#,
                    input_type: DataType::Date32,
                    input: &["2024-02-29"],
                    others: &[],
                    output: &["6e58b3c5091bd493"],
                },
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        has_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { format, length, prefix, normalize } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let length = format.length(length)?;
        if prefix.len() > TEXT_BYTES_MAX {
            return Err(BindError::out_of_range("prefix", "a text of at most 1000 bytes"));
        }
        let input = context.input.clone();
        Ok(Box::new(Bound { input, key, format, length: length as usize, prefix, normalize }))
    }
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    format: Format,
    length: usize,
    prefix: String,
    normalize: Vec<Normal>,
}

impl Bound {
    #[inline]
    fn write(&self, draw: &Draw<'_>, out: &mut Vec<u8>) {
        if !self.prefix.is_empty() {
            out.extend_from_slice(self.prefix.as_bytes());
        }
        match self.format {
            Format::Hex => hex(draw.bytes(), self.length, out),
            Format::Base32 => base32(draw.bytes(), self.length, out),
            Format::Base64url => base64url(draw.bytes(), self.length, out),
            Format::Uuid => {
                let bits =
                    draw.bytes().first_chunk().map_or(0, |first| u128::from_be_bytes(*first));
                uuid(bits & !UUID_FIXED | UUID_VERSION_8, out);
            }
        }
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        text_of(&self.input)
    }

    fn properties(&self) -> Properties {
        // At most 64 characters.
        let bits =
            self.format.bits().map_or(UUID_BITS, |bits| bits.saturating_mul(self.length as u32));
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Injective { bits },
            preserves: Preserves { null: true, ..Preserves::default() },
            may_return_input: false,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |values| {
            pseudonyms(values, &self.key, &self.normalize, |draw, out| self.write(&draw, out))
        })
    }
}

/// Maps a plain column to text by the hash of each value, text after normalisation.
pub(super) fn pseudonyms(
    values: &ArrayRef,
    key: &LinkageKey,
    steps: &[Normal],
    mut write: impl FnMut(Draw<'_>, &mut Vec<u8>),
) -> Result<ArrayRef, MaskError> {
    if is_text(values.data_type()) && steps.is_empty() {
        let hash = |value: &str, lanes: &mut Lanes<'_>| lanes.push(value.as_bytes());
        return map_text_keyed(values, key, hash, |_, (), draw, out| write(draw, out));
    }
    if is_text(values.data_type()) {
        let hash = |value: &str, lanes: &mut Lanes<'_>| {
            lanes.push(normalize(steps, value).as_bytes());
        };
        return map_text_keyed(values, key, hash, |_, (), draw, out| write(draw, out));
    }
    map_to_text(values, key, write)
}

/// The first `length` hex digits of a hash.
#[inline]
pub(super) fn hex(hash: &[u8; 32], length: usize, out: &mut Vec<u8>) {
    if let (32, Some(half)) = (length, hash.first_chunk::<16>()) {
        out.extend_from_slice(digits(half).as_flattened());
        return;
    }
    let text = digits(hash);
    let text = text.as_flattened();
    out.extend_from_slice(text.get(..length).unwrap_or(text));
}

/// The two hex digits of each byte: without a table, so that many are made at once.
#[inline]
fn digits<const N: usize>(bytes: &[u8; N]) -> [[u8; 2]; N] {
    let digit = |four: u8| four + b'0' + (u8::from(four > 9) * (b'a' - b'0' - 10));
    let mut digits = [[0; 2]; N];
    for (digits, byte) in digits.iter_mut().zip(bytes) {
        *digits = [digit(byte >> 4), digit(byte & 15)];
    }
    digits
}

/// The first `length` base32 characters of `bytes`: RFC 4648, section 6, in lower case.
#[inline]
pub(super) fn base32(bytes: &[u8], length: usize, out: &mut Vec<u8>) {
    characters::<5, 8>(b"abcdefghijklmnopqrstuvwxyz234567", bytes, length, out);
}

/// The first `length` base64 characters of `bytes`: RFC 4648, section 5, without padding.
#[inline]
pub(super) fn base64url(bytes: &[u8], length: usize, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    characters::<6, 4>(DIGITS, bytes, length, out);
}

/// Characters of `BITS` bits each, of which `GROUP` are whole bytes. The first bits come first; zeros follow
/// the last byte.
#[inline]
fn characters<const BITS: usize, const GROUP: usize>(
    digits: &[u8],
    bytes: &[u8],
    length: usize,
    out: &mut Vec<u8>,
) {
    let end = out.len() + length;
    for bytes in bytes.chunks(BITS * GROUP / 8) {
        if out.len() >= end {
            break;
        }
        let mut pool = [0; 8];
        pool.iter_mut().zip(bytes).for_each(|(pooled, byte)| *pooled = *byte);
        let pool = u64::from_be_bytes(pool);
        let mut text = [0; GROUP];
        for (place, character) in (1..).zip(&mut text) {
            let digit = pool >> (64 - BITS * place) & ((1 << BITS) - 1);
            *character = digits.get(digit as usize).copied().unwrap_or_default();
        }
        out.extend_from_slice(&text);
    }
    out.truncate(end);
}

/// The bits of a UUID that say its version and variant: RFC 9562, section 4.
pub(super) const UUID_FIXED: u128 = (0xf << 76) | (0b11 << 62);
/// Version 8, variant 10.
const UUID_VERSION_8: u128 = (8 << 76) | (0b10 << 62);

/// A UUID as text: RFC 9562, section 4, in lower case.
#[inline]
pub(super) fn uuid(value: u128, out: &mut Vec<u8>) {
    let text = digits(&value.to_be_bytes());
    let mut rest = text.as_flattened();
    for (group, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if group > 0 {
            out.push(b'-');
        }
        let (now, later) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        out.extend_from_slice(now);
        rest = later;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphabets_are_those_of_rfc_4648() {
        let mut out = Vec::new();
        base32(b"foobar", 9, &mut out);
        assert_eq!(out, b"mzxw6ytbo");
        out.clear();
        base32(b"foobar", 16, &mut out);
        assert_eq!(out, b"mzxw6ytboiaaaaaa");
        out.clear();
        let mut hash = [0xaf; 32];
        hash[..6].copy_from_slice(b"foobar");
        hex(&hash, 15, &mut out);
        assert_eq!(out, b"666f6f626172afa");
        for length in [32, 64] {
            out.clear();
            hex(&hash, length, &mut out);
            let digits = format!("666f6f626172{}", "af".repeat(26));
            assert_eq!(out, &digits.as_bytes()[..length]);
        }
        out.clear();
        base64url(b"foob", 6, &mut out);
        base64url(&[0xfb, 0xff], 3, &mut out);
        assert_eq!(out, b"Zm9vYg-_8");
        out.clear();
        // RFC 9562, appendix A.1.
        uuid(0xc232_ab00_9414_11ec_b3c8_9f6b_dece_d846, &mut out);
        assert_eq!(out, b"c232ab00-9414-11ec-b3c8-9f6bdeced846");
    }
}
