//! `uuid`: a keyed permutation of UUIDs; the version and variant stay.
//!
//! ```text
//!  UUID ─┬─ version and variant, 6 bits ── tweak ─────┬─▶ UUID
//!        └─ the other 122 bits ── FF1, radix 2 ───────┘
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray};
use arrow::buffer::Buffer;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::otherwise::{Misfits, Otherwise};
use super::params;
use super::token::{UUID_FIXED, uuid};
use crate::error::{BindError, MaskError};
use crate::feistel::{Direction, Lane, Permutation};
use crate::forms::{Counted, is_text, logical, map_read, over_values_counted};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Bytes of a UUID.
const BYTES: i32 = 16;
/// Half of the bits that are free.
const HALF_BITS: u32 = 61;
/// Bytes of the tweak: it has six bits.
const TWEAK_BYTES: usize = 1;
/// Bits below the tweak.
const BELOW_TWEAK: u32 = u128::BITS - 8;

/// A keyed permutation of UUIDs.
pub(super) struct Uuid;

/// Parameters of `uuid`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// What becomes of a text that is no UUID.
    #[serde(default)]
    otherwise: Otherwise,
}

impl Function for Uuid {
    fn name(&self) -> &'static str {
        "uuid"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every UUID becomes another of the same version, by key, and no two become the \
                      same.",
            privacy: "The version remains, and which rows held equal values; the time and node of \
                      versions 1, 6 and 7 are gone. Whoever holds the key can \
                      restore every value.",
            nulls: "Null stays null, empty stays empty. What is no UUID (RFC 9562, 32 digits in five \
                    groups, all letters of one case) is an error, or what `otherwise` says.",
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
                    "4013ce71-bde9-18ea-a901-635ecf00c393",
                    "6192c8ec-dbe8-4adc-8cf9-ce87d5b6984c",
                    "6192C8EC-DBE8-4ADC-8CF9-CE87D5B6984C",
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
        let Params { otherwise } = params::parse(self, params, context)?;
        let permutation = Arc::new(Permutation::of(&params::key(self, context)?, 2, TWEAK_BYTES));
        let (input, misfits) = (context.input.clone(), otherwise.bound(context)?);
        Ok(Box::new(Bound { input, permutation, misfits, direction: Direction::Mask }))
    }
}

/// A UUID as what is permuted: the free bits, and the fixed ones as the tweak.
#[inline]
fn taken_apart(bits: u128) -> Lane {
    // 48 bits, 12 and 62, around 4 and 2 that are fixed.
    let (high, middle, low) = (bits >> 80, bits >> 64 & 0xfff, bits & (u128::MAX >> 66));
    let fixed = bits & UUID_FIXED;
    let tweak = (fixed >> 74 | fixed >> 62) & 0x3f;
    let value = high << 74 | middle << 62 | low;
    let (first, second) = ((value >> HALF_BITS) as u64, value as u64 & (u64::MAX >> 3));
    Lane { length: 2 * HALF_BITS as usize, first, second, tweak: tweak << BELOW_TWEAK }
}

/// The way back.
#[inline]
fn put_together(lane: Lane) -> u128 {
    let value = u128::from(lane.first) << HALF_BITS | u128::from(lane.second);
    let tweak = lane.tweak >> BELOW_TWEAK;
    let (high, middle, low) = (value >> 74, value >> 62 & 0xfff, value & (u128::MAX >> 66));
    let (version, variant) = (tweak >> 2 & 0xf, tweak & 0b11);
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

#[derive(Clone)]
struct Bound {
    input: DataType,
    permutation: Arc<Permutation>,
    misfits: Misfits,
    direction: Direction,
}

impl Bound {
    fn permute(&self, numbers: &mut [Lane]) {
        self.permutation.permute(numbers, self.direction);
    }

    fn text(&self, values: &ArrayRef) -> Result<Counted, MaskError> {
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
            |text, out| self.misfits.write(text, out),
        )
    }

    fn binary(&self, values: &ArrayRef) -> Result<ArrayRef, MaskError> {
        let column = values.as_fixed_size_binary();
        let mut numbers: Vec<Lane> = column
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
        let all_fit = self.misfits.all_fit();
        Properties {
            deterministic: true,
            reversible: all_fit,
            uniqueness: if all_fit { Uniqueness::Bijective } else { Uniqueness::Lossy },
            preserves: Preserves {
                length: all_fit,
                format: all_fit,
                null: true,
                ..Preserves::default()
            },
            // A permutation may leave a value where it is; of 2^122, one does on average.
            may_return_input: false,
        }
    }

    fn inverse(&self) -> Option<Box<dyn Mask>> {
        let direction = self.direction.reversed();
        self.misfits
            .all_fit()
            .then(|| -> Box<dyn Mask> { Box::new(Self { direction, ..self.clone() }) })
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Ok(self.apply_counted(column, others)?.0)
    }

    fn apply_counted(
        &self,
        column: &ArrayRef,
        _others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        self.misfits.settle(over_values_counted(&self.input, column, |values| {
            if is_text(values.data_type()) {
                self.text(values)
            } else {
                Ok((self.binary(values)?, Vec::new()))
            }
        })?)
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
            assert!(apart.first >> HALF_BITS == 0 && apart.second >> HALF_BITS == 0);
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
