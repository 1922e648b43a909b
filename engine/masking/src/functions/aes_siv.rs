//! `aes_siv`: every text becomes a token that the key can open again.
//!
//! ```text
//!  text ── AES-SIV (RFC 5297), key of the linkage ──▶ tag ‖ ciphertext ── base64url ──▶ token
//! ```

use std::sync::Arc;

use aes_siv::KeyInit;
use aes_siv::siv::Aes256Siv;
use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use base64ct::{Base64UrlUnpadded, Encoding};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::params;
use crate::error::{BindError, MaskError};
use crate::feistel::Direction;
use crate::forms::{is_text, map_text, over_values_that_fit};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Associated data: none. Linkage, function and version are in the key.
const NO_HEADERS: [&[u8]; 0] = [];

/// Bytes of the tag: RFC 5297, section 2.6.
const TAG_BYTES: usize = 16;

/// A token that can be opened.
pub(super) struct AesSiv;

/// `aes_siv` has no parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {}

impl Function for AesSiv {
    fn name(&self) -> &'static str {
        "aes_siv"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every text becomes a token (AES-SIV of RFC 5297 in base64url), which the key \
                      opens again; no two become the same.",
            privacy: "The length in bytes, and which rows held equal values, remains. Whoever \
                      holds the key can restore every value.",
            nulls: "Null stays null, empty stays empty.",
            examples: vec![Example {
                params: "{}",
                input_type: DataType::Utf8,
                input: &["Ada Lovelace", "Ada Lovelacf", "Ada Lovelace"],
                others: &[],
                output: &[
                    "mykI2IqEPAR_8-wg0v3L423Rqebd0HivIw0u5w",
                    "pwRVi-r23n7nhomS93rc6kXrCVDQCohpm1sjew",
                    "mykI2IqEPAR_8-wg0v3L423Rqebd0HivIw0u5w",
                ],
            }],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params {} = params::parse(self, params, context)?;
        let key = Arc::new(params::key(self, context)?.siv_key());
        Ok(Box::new(Bound { input: context.input.clone(), key, direction: Direction::Mask }))
    }
}

#[derive(Clone)]
struct Bound {
    input: DataType,
    key: Arc<Zeroizing<[u8; 64]>>,
    direction: Direction,
}

/// Appends the token of a text; false if it is beyond what AES-SIV takes.
fn seal(siv: &mut Aes256Siv, text: &[u8], buffer: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
    buffer.clear();
    buffer.extend_from_slice(text);
    if siv.encrypt_in_place(NO_HEADERS, buffer).is_err() {
        return false;
    }
    let start = out.len();
    out.resize(start + Base64UrlUnpadded::encoded_len(buffer), 0);
    out.get_mut(start..).is_some_and(|place| Base64UrlUnpadded::encode(buffer, place).is_ok())
}

/// Appends the text of a token; false if it is none of this key.
fn open(siv: &mut Aes256Siv, token: &[u8], buffer: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
    buffer.clear();
    buffer.resize(token.len(), 0);
    let Ok(length) = Base64UrlUnpadded::decode(token, buffer).map(<[u8]>::len) else {
        return false;
    };
    buffer.truncate(length);
    if length < TAG_BYTES || siv.decrypt_in_place(NO_HEADERS, buffer).is_err() {
        return false;
    }
    out.extend_from_slice(buffer);
    true
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        self.input.clone()
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: true,
            uniqueness: Uniqueness::Bijective,
            preserves: Preserves { null: true, ..Preserves::default() },
            may_return_input: false,
        }
    }

    fn inverse(&self) -> Option<Box<dyn Mask>> {
        Some(Box::new(Self { direction: self.direction.reversed(), ..self.clone() }))
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values_that_fit(&self.input, column, |values| {
            let mut siv = Aes256Siv::new((&**self.key).into());
            let mut buffer = Vec::new();
            let mut unfit = 0;
            let masked = map_text(values, |value, out| {
                let write = if self.direction == Direction::Mask { seal } else { open };
                unfit += usize::from(!write(&mut siv, value.as_bytes(), &mut buffer, out));
            })?;
            if unfit > 0 { Err(MaskError::DoesNotFit { count: unfit }) } else { Ok(masked) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes_siv::siv::Aes128Siv;

    #[test]
    fn rfc_5297_a_1() {
        let mut key = [0_u8; 32];
        for (place, byte) in key.iter_mut().zip((0xf0..=0xff).rev().chain(0xf0..=0xff)) {
            *place = byte;
        }
        let header: Vec<u8> = (0x10..=0x27).collect();
        let plain: Vec<u8> = (1..=14).map(|number| number * 0x11).collect();
        let expected = [
            0x85, 0x63, 0x2d, 0x07, 0xc6, 0xe8, 0xf3, 0x7f, 0x95, 0x0a, 0xcd, 0x32, 0x0a, 0x2e,
            0xcc, 0x93, 0x40, 0xc0, 0x2b, 0x96, 0x90, 0xc4, 0xdc, 0x04, 0xda, 0xef, 0x7f, 0x6a,
            0xfe, 0x5c,
        ];
        let mut siv = Aes128Siv::new((&key).into());
        let mut buffer = plain.clone();
        siv.encrypt_in_place([&header], &mut buffer).unwrap();
        assert_eq!(buffer, expected);
        siv.decrypt_in_place([&header], &mut buffer).unwrap();
        assert_eq!(buffer, plain);
    }

    #[test]
    fn a_token_of_another_key_or_with_a_flaw_is_not_opened() {
        let mut siv = Aes256Siv::new((&[7; 64]).into());
        let (mut buffer, mut token, mut text) = (Vec::new(), Vec::new(), Vec::new());
        assert!(seal(&mut siv, b"Ada", &mut buffer, &mut token));
        assert!(open(&mut siv, &token, &mut buffer, &mut text));
        assert_eq!(text, b"Ada");
        assert!(!open(&mut Aes256Siv::new((&[8; 64]).into()), &token, &mut buffer, &mut text));
        for flaw in 0..token.len() {
            let mut flawed = token.clone();
            flawed[flaw] = if flawed[flaw] == b'A' { b'B' } else { b'A' };
            assert!(!open(&mut siv, &flawed, &mut buffer, &mut text));
            assert!(!open(&mut siv, &token[..flaw], &mut buffer, &mut text));
        }
        assert_eq!(text, b"Ada");
    }
}
