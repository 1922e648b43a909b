//! `aes_siv`: every text becomes a token that the key can open again.
//!
//! ```text
//!  text ── AES-SIV (RFC 5297), key of the linkage ──▶ tag ‖ ciphertext ── base64url ──▶ token
//!                ▲
//!  entity of `per` (hashed), as associated data
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

use super::otherwise::{Misfits, Otherwise};
use super::params;
use crate::canonical::map_drawn;
use crate::error::{BindError, MaskError};
use crate::feistel::Direction;
use crate::forms::{
    Counted, Fit, decode, is_text, logical, map_text_counted, only, over_values_counted,
};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::LinkageKey;
use crate::properties::{Preserves, Properties, Uniqueness};

/// Bytes of the tag: RFC 5297, section 2.6.
const TAG_BYTES: usize = 16;

/// A token that can be opened.
pub(super) struct AesSiv;

/// Parameters of `aes_siv`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Column of the same row that is the associated data: a token opens only beside it, unmasked, and
    /// equal values of different entities become different tokens.
    per: Option<String>,
    /// What becomes of a value without an entity.
    #[serde(default)]
    otherwise: Otherwise,
}

impl Function for AesSiv {
    fn name(&self) -> &'static str {
        "aes_siv"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every text becomes a token (AES-SIV of RFC 5297 in base64url), which the key \
                      opens again; no two become the same.",
            privacy: "The length in bytes, and which rows held equal values, remains (of one \
                      entity, with `per`). Whoever holds the key can restore every value.",
            nulls: "Null stays null, empty stays empty. A value without an entity is an error, or what \
                    `otherwise` says.",
            examples: vec![Example {
                params: "{}",
                input_type: DataType::Utf8,
                input: &["Ada Lovelace", "Ada Lovelacf", "Ada Lovelace"],
                others: &[],
                output: &[
                    "4QlitJz4SzPf1OA2Pu6lVSCq8YRz-w_EXlXBvg",
                    "9YaibmjStxRhjrkjO1TRm4usyzacZlQceTlKbA",
                    "4QlitJz4SzPf1OA2Pu6lVSCq8YRz-w_EXlXBvg",
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
        let Params { per, otherwise } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        if let Some(name) = &per {
            params::check_column("per", name, context)?;
        }
        Ok(Box::new(Bound {
            input: context.input.clone(),
            secret: Arc::new(key.secret("aes-siv")),
            key,
            per: per.into_iter().collect(),
            misfits: otherwise.bound(context)?,
            direction: Direction::Mask,
        }))
    }
}

/// The keyed hash of a row's entity; none where it has none.
type Entity = Option<[u8; 32]>;

#[derive(Clone)]
struct Bound {
    input: DataType,
    secret: Arc<Zeroizing<[u8; 64]>>,
    /// Hashes entities.
    key: LinkageKey,
    /// The entity column, if any.
    per: Vec<String>,
    misfits: Misfits,
    direction: Direction,
}

/// Appends the token of a text; false if it is beyond what AES-SIV takes.
fn seal(
    siv: &mut Aes256Siv,
    headers: &[&[u8]],
    text: &[u8],
    buffer: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> bool {
    buffer.clear();
    buffer.extend_from_slice(text);
    if siv.encrypt_in_place(headers, buffer).is_err() {
        return false;
    }
    let start = out.len();
    out.resize(start + Base64UrlUnpadded::encoded_len(buffer), 0);
    out.get_mut(start..).is_some_and(|place| Base64UrlUnpadded::encode(buffer, place).is_ok())
}

/// Appends the text of a token; false if it is none of this key.
fn open(
    siv: &mut Aes256Siv,
    headers: &[&[u8]],
    token: &[u8],
    buffer: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> bool {
    buffer.clear();
    buffer.resize(token.len(), 0);
    let Ok(length) = Base64UrlUnpadded::decode(token, buffer).map(<[u8]>::len) else {
        return false;
    };
    buffer.truncate(length);
    if length < TAG_BYTES || siv.decrypt_in_place(headers, buffer).is_err() {
        return false;
    }
    out.extend_from_slice(buffer);
    true
}

impl Bound {
    fn all(&self, values: &ArrayRef, entities: Option<&[Entity]>) -> Result<Counted, MaskError> {
        let mut siv = Aes256Siv::new((&**self.secret).into());
        let mut buffer = Vec::new();
        let write = if self.direction == Direction::Mask { seal } else { open };
        map_text_counted(values, |row, value, out| {
            let entity = entities.map(|entities| entities.get(row).copied().flatten());
            let written = match &entity {
                None => write(&mut siv, &[], value.as_bytes(), &mut buffer, out),
                Some(Some(entity)) => {
                    write(&mut siv, &[entity], value.as_bytes(), &mut buffer, out)
                }
                Some(None) => false,
            };
            if written { Fit::Right } else { self.misfits.write(value, out) }
        })
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        if self.per.is_empty() { self.input.clone() } else { logical(&self.input).clone() }
    }

    fn properties(&self) -> Properties {
        let all_fit = self.misfits.all_fit();
        Properties {
            deterministic: true,
            reversible: all_fit,
            uniqueness: match (all_fit, self.per.is_empty()) {
                (true, true) => Uniqueness::Bijective,
                // The tag depends on the entity, too.
                (true, false) => Uniqueness::Injective { bits: 8 * TAG_BYTES as u32 },
                (false, _) => Uniqueness::Lossy,
            },
            preserves: Preserves { null: true, ..Preserves::default() },
            may_return_input: false,
        }
    }

    fn inverse(&self) -> Option<Box<dyn Mask>> {
        let direction = self.direction.reversed();
        self.misfits.all_fit().then(|| -> Box<dyn Mask> {
            Box::new(Self { input: self.output(), direction, ..self.clone() })
        })
    }

    fn inputs(&self) -> &[String] {
        &self.per
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Ok(self.apply_counted(column, others)?.0)
    }

    fn apply_counted(
        &self,
        column: &ArrayRef,
        others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        if self.per.is_empty() {
            let masked = over_values_counted(&self.input, column, |values| self.all(values, None))?;
            return self.misfits.settle(masked);
        }
        let plain = decode(&self.input, column)?;
        let entities = map_drawn(only(others, column)?, &self.key, |entity| *entity.bytes())?;
        let (masked, unfit) = self.all(&plain, Some(&entities))?;
        self.misfits.settle((masked, unfit.len() as u64))
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
        assert!(seal(&mut siv, &[], b"Ada", &mut buffer, &mut token));
        assert!(open(&mut siv, &[], &token, &mut buffer, &mut text));
        assert_eq!(text, b"Ada");
        assert!(!open(&mut siv, &[b"17"], &token, &mut buffer, &mut text));
        assert!(!open(&mut Aes256Siv::new((&[8; 64]).into()), &[], &token, &mut buffer, &mut text));
        for flaw in 0..token.len() {
            let mut flawed = token.clone();
            flawed[flaw] = if flawed[flaw] == b'A' { b'B' } else { b'A' };
            assert!(!open(&mut siv, &[], &flawed, &mut buffer, &mut text));
            assert!(!open(&mut siv, &[], &token[..flaw], &mut buffer, &mut text));
        }
        assert_eq!(text, b"Ada");
    }
}
