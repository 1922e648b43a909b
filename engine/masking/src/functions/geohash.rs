//! `geohash`: the first characters of a geohash, the larger cell around a place.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::error::{BindError, MaskError};
use crate::forms::{Fit, is_text, map_read, over_values_counted};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Characters of the longest geohash: a cell of 4 cm.
const LENGTH_MAX: u8 = 12;

/// The larger cell.
pub(super) struct Geohash;

/// Parameters of `geohash`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Characters kept, 1 to 11: 3 give a cell of at most 156 km, 4 of 39 km, 5 of 4.9 km, 6 of
    /// 1.2 km.
    keep: u8,
}

impl Function for Geohash {
    fn name(&self) -> &'static str {
        "geohash"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every geohash becomes that of the larger cell around it: its first characters.",
            privacy: "The larger cell remains; one where few people live still singles them out.",
            nulls: "Null stays null, empty stays empty. What is no geohash of at most 12 characters, \
                    and one that has no more than are kept, becomes null and is counted.",
            examples: vec![Example {
                params: r#"{"keep": 4}"#,
                input_type: DataType::Utf8,
                input: &["u33dc0cppjp8", "U33DC0", "u33d", "not a place"],
                others: &[],
                output: &["u33d", "U33D", "", ""],
            }],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn approximates(&self) -> bool {
        true
    }

    fn keyed(&self) -> bool {
        false
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { keep } = params::parse(self, params, context)?;
        if !(1..LENGTH_MAX).contains(&keep) {
            return Err(BindError::out_of_range("keep", "a number from 1 to 11"));
        }
        Ok(Box::new(Bound { input: context.input.clone(), keep: usize::from(keep) }))
    }
}

/// Digits and letters without a, i, l and o.
#[inline]
fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
        || byte.is_ascii_alphabetic()
            && !matches!(byte.to_ascii_lowercase(), b'a' | b'i' | b'l' | b'o')
}

struct Bound {
    input: DataType,
    keep: usize,
}

impl Bound {
    /// The characters kept, zeros after them.
    #[inline]
    fn read(&self, text: &str) -> Option<([u8; LENGTH_MAX as usize], ())> {
        let length = text.len();
        let fits = length > self.keep && length <= usize::from(LENGTH_MAX);
        if !fits || !text.bytes().all(is_digit) {
            return None;
        }
        let mut kept = [0; LENGTH_MAX as usize];
        kept.iter_mut().zip(text.bytes().take(self.keep)).for_each(|(kept, byte)| *kept = byte);
        Some((kept, ()))
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
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves { prefix: true, order: true, null: true, ..Preserves::default() },
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
            map_read(
                values,
                |text| self.read(text),
                |_| {},
                |kept, (), out| out.extend(kept.iter().take(self.keep)),
                |_, _| Fit::Null,
            )
        })
    }
}
