//! `number`: a keyed number in a range.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use super::range::Range;
use crate::canonical::map_drawn;
use crate::error::{BindError, MaskError};
use crate::forms::{is_text, map_text_keyed, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::LinkageKey;
use crate::lanes::Lanes;
use crate::normal::{Normal, normalize};
use crate::numbers::{Number, map_numbers};
use crate::properties::{Preserves, Properties, Uniqueness};

/// A keyed number.
pub(super) struct NumberIn;

/// Parameters of `number`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Least number that comes out.
    min: f64,
    /// Greatest number that comes out.
    max: f64,
    /// Done to text before it is keyed, so that spellings map alike.
    #[serde(default)]
    normalize: Vec<Normal>,
}

impl Function for NumberIn {
    fn name(&self) -> &'static str {
        "number"
    }

    fn doc(&self) -> Doc {
        let example = |params, input_type, input, output| Example {
            params,
            input_type,
            input,
            others: &[],
            output,
        };
        Doc {
            summary: "Every value becomes a keyed number in a range, never the number it was: whole \
                      in integers and text, of the column's scale in decimals.",
            privacy: "Only which rows held equal values remains, and not even that for sure: the \
                      smaller the range, the more values share a number.",
            nulls: "Null stays null, empty stays empty. Text that is no number is masked like one.",
            examples: vec![
                example(
                    r#"{"min": 1000, "max": 9999}"#,
                    DataType::Int64,
                    &["17", "18", "17"],
                    &["1510", "1723", "1510"],
                ),
                example(
                    r#"{"min": 0, "max": 100}"#,
                    DataType::Decimal128(7, 2),
                    &["12.50"],
                    &["64.01"],
                ),
                example(r#"{"min": 1, "max": 6}"#, DataType::Utf8, &["4", "four"], &["6", "2"]),
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
        is_text(input) || matches!(Number::of(input), Some(Number::Units { .. }))
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { min, max, normalize } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        // Text is what 64-bit integers are written as.
        let number = Number::of(context.input).or(Number::of(&DataType::Int64));
        let number = number.unwrap_or(Number::Float);
        let (min, max) = Range::new(number, Some(min), Some(max))?.units;
        let others = max.checked_sub(min).and_then(|others| u64::try_from(others).ok());
        match others.filter(|others| *others >= 1) {
            Some(others) => {
                Ok(Box::new(Bound { input: context.input.clone(), key, min, others, normalize }))
            }
            None => {
                let expected = "a number below `max`, by at most 2^64";
                Err(BindError::out_of_range("min", expected))
            }
        }
    }
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    /// The least number, in units.
    min: i128,
    /// How many greater ones there are.
    others: u64,
    normalize: Vec<Normal>,
}

impl Bound {
    /// A number of the range other than the value, each as likely.
    #[inline]
    fn pick(&self, value: Option<i128>, word: u64) -> i128 {
        let others = i128::from(self.others);
        let place = value
            .and_then(|value| value.checked_sub(self.min))
            .filter(|place| (0..=others).contains(place));
        // As many as there are without the value's own place.
        let count = u128::from(self.others) + u128::from(place.is_none());
        // The high half of a product with a number of at most 2^64: fits 64 bits.
        let drawn = i128::from(((u128::from(word) * count) >> 64) as u64);
        let skipped = i128::from(place.is_some_and(|place| drawn >= place));
        self.min.saturating_add(drawn).saturating_add(skipped)
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
            preserves: Preserves { null: true, ..Preserves::default() },
            may_return_input: false,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |values| {
            if is_text(values.data_type()) {
                let hash = |value: &str, lanes: &mut Lanes<'_>| {
                    lanes.push(normalize(&self.normalize, value).as_bytes());
                };
                return map_text_keyed(values, &self.key, hash, |value, (), mut draw, out| {
                    let picked = self.pick(value.parse().ok(), draw.next_u64());
                    out.extend_from_slice(itoa::Buffer::new().format(picked).as_bytes());
                });
            }
            let words = map_drawn(values, &self.key, |mut draw| draw.next_u64())?;
            let pick = |row: usize, value| {
                Some(self.pick(Some(value), words.get(row).copied().flatten()?))
            };
            map_numbers(values, pick, |_, _| None)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::EXAMPLE_MASTER;

    #[test]
    fn every_other_number_of_the_range_is_as_likely() {
        let key = LinkageKey::derive(&EXAMPLE_MASTER, 1, "l", "number", 1);
        let bound = Bound { input: DataType::Int8, key, min: -1, others: 2, normalize: Vec::new() };
        let thirds = [0, u64::MAX / 2, u64::MAX].map(|word| bound.pick(None, word));
        assert_eq!(thirds, [-1, 0, 1]);
        let ends = |value| [0, u64::MAX].map(|word| bound.pick(Some(value), word));
        assert_eq!([ends(-1), ends(0), ends(1), ends(2)], [[0, 1], [-1, 1], [-1, 0], [-1, 1]]);
    }
}
