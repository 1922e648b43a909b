//! `hash`: a keyed hash of named algorithm, in full length.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use super::params;
use super::token::{base64url, hex, pseudonyms};
use crate::canonical::{for_each, has_text};
use crate::error::{BindError, MaskError};
use crate::forms::{TextBuilder, is_text, map_text, over_values, text_of};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::LinkageKey;
use crate::normal::{Normal, normalize};
use crate::properties::{Preserves, Properties, Uniqueness};

/// A keyed hash.
pub(super) struct Hash;

/// Parameters of `hash`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// What hashes: `blake3` (keyed BLAKE3 of the value, padded to whole 64-byte blocks with 0x80 and
    /// zeros) or `hmac_sha256` (HMAC-SHA-256, RFC 2104, of the value).
    #[serde(default)]
    algorithm: Algorithm,
    /// How the 256 bits are written.
    #[serde(default)]
    format: Format,
    /// Done to text before it is keyed, so that spellings map alike.
    #[serde(default)]
    normalize: Vec<Normal>,
}

/// A keyed hash function.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Algorithm {
    /// BLAKE3 with a key.
    #[default]
    Blake3,
    /// HMAC-SHA-256: RFC 2104, FIPS 180-4.
    HmacSha256,
}

/// How a hash is written.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// 64 characters, `0`–`9`, `a`–`f`.
    #[default]
    Hex,
    /// 43 characters (RFC 4648, section 5, no padding).
    Base64url,
}

impl Format {
    #[inline]
    fn write(self, hash: &[u8; 32], out: &mut Vec<u8>) {
        match self {
            Self::Hex => hex(hash, 64, out),
            Self::Base64url => base64url(hash, 43, out),
        }
    }
}

impl Function for Hash {
    fn name(&self) -> &'static str {
        "hash"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every value becomes its keyed hash, BLAKE3 or HMAC-SHA-256, as text.",
            privacy: "Only which rows held equal values remains; without the key no guess can be \
                      checked. Hashing without a key does not exist.",
            nulls: "Null stays null, empty stays empty.",
            examples: vec![
                Example {
                    params: "{}",
                    input_type: DataType::Utf8,
                    input: &["A-17"],
                    others: &[],
                    output: &["ee1994d9769519ee63079518600fe9455828d21fcc2653953c39bd63762acef7"],
                },
                Example {
                    params: r#"{"algorithm": "hmac_sha256", "format": "base64url"}"#,
                    input_type: DataType::Int64,
                    input: &["17", "18"],
                    others: &[],
                    output: &[
                        "wNWY1tXSFmA6G0YCW3evjAYGwxiTsEE0AYAQ38xPbjk",
                        "-FzMYEm8NDR2O60cQB0TWcMXPXYqUQtoIHtb4CKrWbQ",
                    ],
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
        let Params { algorithm, format, normalize } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let input = context.input.clone();
        let keyed = match algorithm {
            Algorithm::Blake3 => Keyed::Blake3(key),
            Algorithm::HmacSha256 => Keyed::HmacSha256(Box::new(hmac_sha256(&key)?)),
        };
        Ok(Box::new(Bound { input, keyed, format, normalize }))
    }
}

/// HMAC-SHA-256 under the secret that belongs to it.
fn hmac_sha256(key: &LinkageKey) -> Result<Hmac<Sha256>, BindError> {
    // HMAC takes keys of any length: this does not fail.
    Hmac::new_from_slice(&key.secret::<32>("hmac_sha256")[..])
        .map_err(|_| BindError::out_of_range("algorithm", "an algorithm that takes this key"))
}

enum Keyed {
    Blake3(LinkageKey),
    HmacSha256(Box<Hmac<Sha256>>),
}

struct Bound {
    input: DataType,
    keyed: Keyed,
    format: Format,
    normalize: Vec<Normal>,
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        text_of(&self.input)
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Injective { bits: 256 },
            preserves: Preserves { null: true, ..Preserves::default() },
            may_return_input: false,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |values| match &self.keyed {
            Keyed::Blake3(key) => pseudonyms(values, key, &self.normalize, |draw, out| {
                self.format.write(draw.bytes(), out);
            }),
            Keyed::HmacSha256(mac) => map_hashed(values, &self.normalize, |value, out| {
                let hash = mac.as_ref().clone().chain_update(value).finalize().into_bytes();
                self.format.write(&hash.into(), out);
            }),
        })
    }
}

/// Maps the canonical bytes of a plain column's values, text after normalisation, to text.
fn map_hashed(
    values: &ArrayRef,
    steps: &[Normal],
    mut write: impl FnMut(&[u8], &mut Vec<u8>),
) -> Result<ArrayRef, MaskError> {
    if is_text(values.data_type()) {
        return map_text(values, |value, out| write(normalize(steps, value).as_bytes(), out));
    }
    let mut builder = TextBuilder::<i32>::with_rows(values.len());
    for_each(values.as_ref(), |_, value| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            write(value, builder.bytes());
        }
        builder.end_row()
    })?;
    Ok(Arc::new(builder.finish(values.nulls().cloned())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::EXAMPLE_MASTER;
    use arrow::array::{AsArray, StringArray};

    /// RFC 4231, section 4.3 (test case 2).
    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        let bound = Bound {
            input: DataType::Utf8,
            keyed: Keyed::HmacSha256(Box::new(mac)),
            format: Format::Hex,
            normalize: Vec::new(),
        };
        let column: ArrayRef = Arc::new(StringArray::from(vec!["what do ya want for nothing?"]));
        let masked = bound.apply(&column, &[]).unwrap();
        assert_eq!(
            masked.as_string::<i32>().value(0),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn the_secret_of_hmac_is_no_hash_of_a_value() {
        let key = LinkageKey::derive(&EXAMPLE_MASTER, 1, "l", "hash", 1);
        assert_ne!(&key.secret::<32>("hmac_sha256")[..], &key.prf(b"hmac_sha256").bytes()[..]);
        assert_ne!(key.secret::<32>("hmac_sha256"), key.secret("aes"));
    }
}
