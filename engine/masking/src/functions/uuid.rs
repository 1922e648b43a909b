//! `uuid`: a keyed permutation of UUIDs; the version and variant stay.
//!
//! ```text
//!  UUID ─┬─ version and variant, 6 bits ── tweak ─────┬─▶ UUID
//!        └─ the other 122 bits ── keyed permutation ──┘
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray};
use arrow::buffer::Buffer;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use super::token::{UUID_FIXED, uuid};
use crate::error::{BindError, MaskError};
use crate::forms::{is_text, logical, map_read, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::permutation::{Permutation, Tweaked};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Bytes of a UUID.
const BYTES: i32 = 16;
/// Half of the bits that are free.
const HALF_BITS: u32 = 61;

/// A keyed permutation of UUIDs.
pub(super) struct Uuid;

/// `uuid` has no parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {}

impl Function for Uuid {
    fn name(&self) -> &'static str {
        "uuid"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every UUID becomes another of the same version, by key, and no two become the \
                      same.",
            privacy: "The version remains, and which rows held equal values; the time and node of \
                      versions 1, 6 and 7 are gone. Whoever holds the key can compute the value.",
            nulls: "Null stays null, empty stays empty. What is no UUID (RFC 9562, 32 digits in five \
                    groups, all letters of one case) becomes null.",
            examples: vec![Example {
                params: "{}",
                input_type: DataType::Utf8,
                input: &[
                    "c232ab00-9414-11ec-b3c8-9f6bdeced846",
                    "919108f7-52d1-4320-9bac-f847db4148a8",
                    "919108F7-52D1-4320-9BAC-F847DB4148A8",
                ],
                others: &[],
                output: &[
                    "531e6a0c-84a5-13cd-9b9a-b846309aee7f",
                    "9c9c7301-6ac9-4cc9-8ba6-0ada8b7a0ae7",
                    "9C9C7301-6AC9-4CC9-8BA6-0ADA8B7A0AE7",
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
        is_text(input) || matches!(logical(input), DataType::FixedSizeBinary(BYTES))
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params {} = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let permutation = Permutation::new(&key.secret("aes"), HALF_BITS);
        Ok(Box::new(Bound { input: context.input.clone(), permutation }))
    }
}

/// A UUID as what is permuted: the free bits, and the fixed ones as the tweak.
#[inline]
fn taken_apart(bits: u128) -> Tweaked {
    // 48 bits, 12 and 62, around 4 and 2 that are fixed.
    let (high, middle, low) = (bits >> 80, bits >> 64 & 0xfff, bits & (u128::MAX >> 66));
    let fixed = bits & UUID_FIXED;
    let tweak = (fixed >> 74 | fixed >> 62) as u64 & 0x3f;
    Tweaked { tweak, value: high << 74 | middle << 62 | low }
}

/// The way back.
#[inline]
fn put_together(Tweaked { tweak, value }: Tweaked) -> u128 {
    let (high, middle, low) = (value >> 74, value >> 62 & 0xfff, value & (u128::MAX >> 66));
    let (version, variant) = (u128::from(tweak >> 2 & 0xf), u128::from(tweak & 0b11));
    high << 80 | version << 76 | middle << 64 | variant << 62 | low
}

/// A UUID as text, and whether its letters are capitals.
#[inline]
fn read(text: &str) -> Option<(u128, bool)> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let (mut bits, mut small, mut capital) = (0_u128, false, false);
    for (place, byte) in text.iter().enumerate() {
        if matches!(place, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => {
                small = true;
                byte - b'a' + 10
            }
            b'A'..=b'F' => {
                capital = true;
                byte - b'A' + 10
            }
            _ => return None,
        };
        bits = bits << 4 | u128::from(digit);
    }
    // Of mixed case: one spelling of many, and not the only one to give its result.
    (!(small && capital)).then_some((bits, capital))
}

struct Bound {
    input: DataType,
    permutation: Permutation,
}

impl Bound {
    fn permute(&self, numbers: &mut [Tweaked]) {
        self.permutation.permute(numbers);
    }

    fn text(&self, values: &ArrayRef) -> Result<ArrayRef, MaskError> {
        let read = |text: &str| read(text).map(|(bits, capital)| (taken_apart(bits), capital));
        map_read(
            values,
            read,
            |numbers| self.permute(numbers),
            |number, capital, out| {
                let start = out.len();
                uuid(put_together(number), out);
                if capital && let Some(written) = out.get_mut(start..) {
                    written.make_ascii_uppercase();
                }
            },
        )
    }

    fn binary(&self, values: &ArrayRef) -> Result<ArrayRef, MaskError> {
        let column = values.as_fixed_size_binary();
        let mut numbers: Vec<Tweaked> = column
            .iter()
            .map(|value| value.and_then(|value| value.try_into().ok()))
            .map(|value| taken_apart(value.map_or(0, u128::from_be_bytes)))
            .collect();
        self.permute(&mut numbers);
        let mut bytes = Vec::with_capacity(numbers.len() * 16);
        for (row, number) in numbers.into_iter().enumerate() {
            let value = if column.is_null(row) { 0 } else { put_together(number) };
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        let nulls = column.nulls().cloned();
        FixedSizeBinaryArray::try_new(BYTES, Buffer::from_vec(bytes), nulls)
            .map(|masked| Arc::new(masked) as ArrayRef)
            .map_err(|_| MaskError::Kernel { operation: "assemble masked UUIDs" })
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        self.input.clone()
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Bijective,
            preserves: Preserves { length: true, format: true, null: true, ..Preserves::default() },
            // A permutation may leave a value where it is; of 2^122, one does on average.
            may_return_input: false,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |values| {
            if is_text(values.data_type()) { self.text(values) } else { self.binary(values) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_apart_is_undone() {
        for bits in [0, 1, u128::MAX, UUID_FIXED, !UUID_FIXED, 0x0123_4567_89ab_cdef << 32] {
            assert_eq!(put_together(taken_apart(bits)), bits);
        }
        for bit in 0..128 {
            let apart = taken_apart(1 << bit);
            assert_eq!(put_together(apart), 1 << bit);
            assert_eq!(apart.tweak != 0, (1 << bit) & UUID_FIXED != 0);
            assert!(apart.value >> 122 == 0);
        }
    }

    #[test]
    fn what_is_a_uuid() {
        // RFC 9562, appendix A.3.
        let bits = 0x9191_08f7_52d1_4320_9bac_f847_db41_48a8;
        assert_eq!(read("919108f7-52d1-4320-9bac-f847db4148a8"), Some((bits, false)));
        assert_eq!(read("919108F7-52D1-4320-9BAC-F847DB4148A8"), Some((bits, true)));
        for text in [
            "919108F7-52d1-4320-9bac-f847db4148a8",
            "919108f752d143209bacf847db4148a8",
            "919108f7-52d1-4320-9bac-f847db4148a",
            "919108f7-52d1-4320-9bac_f847db4148a8",
            "919108f7-52d1-4320-9bac-f847db4148ag",
            "{919108f7-52d1-4320-9bac-f847db4148a8}",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
