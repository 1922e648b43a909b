//! `choice`: a keyed choice from a list.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, UInt32Array};
use arrow::compute::{CastOptions, cast_with_options, take};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params::{self, TEXT_BYTES_MAX};
use crate::canonical::{has_text, map_drawn};
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{is_text, logical, map_text_keyed, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::lanes::Lanes;
use crate::normal::{Normal, normalize};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Most values of a list: more belong into a lookup.
const VALUES_MAX: usize = 10_000;

/// A keyed choice.
pub(super) struct Choice;

/// Parameters of `choice`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// What is chosen from: 1 to 10000 texts, numbers or booleans that read as the column's type.
    values: Vec<Value>,
    /// How often each is chosen, in parts of their sum: whole numbers, not all 0. Alike if absent.
    weights: Option<Vec<u32>>,
    /// Done to text before it is keyed, so that spellings map alike.
    #[serde(default)]
    normalize: Vec<Normal>,
}

impl Function for Choice {
    fn name(&self) -> &'static str {
        "choice"
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
            summary: "Every value becomes one of the given values, chosen by key, by weight if \
                      weights are given.",
            privacy: "Rows with equal values get equal choices; what else they held is gone. A value \
                      may be chosen for itself.",
            nulls: "Null stays null, empty text stays empty.",
            examples: vec![
                example(
                    r#"{"values": ["gold", "silver", "bronze"]}"#,
                    DataType::Utf8,
                    &["platinum", "gold", "none", "platinum"],
                    &["silver", "bronze", "gold", "silver"],
                ),
                example(
                    r#"{"values": [10, 20], "weights": [9, 1]}"#,
                    DataType::Int32,
                    &["1", "2", "3"],
                    &["10", "10", "10"],
                ),
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
        let Params { values, weights, normalize } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let ends = ends(values.len(), weights)?;
        let (values, longest) = read(&values, logical(context.input))?;
        Ok(Box::new(Bound { input: context.input.clone(), key, values, longest, ends, normalize }))
    }
}

/// The values as the column's type, and the length of the longest as text.
fn read(values: &[Value], plain: &DataType) -> Result<(ArrayRef, usize), BindError> {
    let mut texts = Vec::with_capacity(values.len());
    for value in values {
        texts.push(match value {
            Value::String(text) if text.len() <= TEXT_BYTES_MAX => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            _ => {
                let message =
                    "expected texts of at most 1000 bytes, numbers or booleans".to_owned();
                return Err(BindError::at("values", BindErrorKind::WrongType { message }));
            }
        });
    }
    let longest = texts.iter().map(String::len).max().unwrap_or_default();
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let texts: ArrayRef = Arc::new(StringArray::from(texts));
    let plain_text = if is_text(plain) { &DataType::Utf8 } else { plain };
    match cast_with_options(&texts, plain_text, &strict) {
        Ok(values) if values.null_count() == 0 => Ok((values, longest)),
        _ => Err(BindError::out_of_range("values", format!("values that read as {plain}"))),
    }
}

/// For each value, the sum of weights up to it and its own.
fn ends(values: usize, weights: Option<Vec<u32>>) -> Result<Vec<u64>, BindError> {
    if !(1..=VALUES_MAX).contains(&values) {
        return Err(BindError::out_of_range("values", "a list of 1 to 10000 values"));
    }
    let weights = weights.unwrap_or_else(|| vec![1; values]);
    if weights.len() != values {
        let expected = format!("as many weights as there are values: {values}");
        return Err(BindError::out_of_range("weights", expected));
    }
    let mut sum = 0_u64;
    let ends: Vec<u64> = weights
        .into_iter()
        .map(|weight| {
            // At most 10000 times 2^32.
            sum = sum.saturating_add(u64::from(weight));
            sum
        })
        .collect();
    if sum == 0 {
        return Err(BindError::out_of_range("weights", "weights that are not all 0"));
    }
    Ok(ends)
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    /// The values, plain.
    values: ArrayRef,
    /// Bytes of the longest value as text.
    longest: usize,
    /// The sum of weights up to each value and its own.
    ends: Vec<u64>,
    normalize: Vec<Normal>,
}

impl Bound {
    #[inline]
    fn pick(&self, mut draw: Draw<'_>) -> u32 {
        let drawn = draw.below(self.ends.last().copied().unwrap_or_default());
        // At most 10000 values.
        self.ends.partition_point(|end| *end <= drawn) as u32
    }

    fn chosen(&self, rows: &ArrayRef) -> Result<ArrayRef, MaskError> {
        let bytes_max = i32::MAX as usize;
        if rows.len().saturating_mul(self.longest) > bytes_max {
            return Err(MaskError::BatchTooLarge { bytes_max });
        }
        let picked: UInt32Array =
            map_drawn(rows, &self.key, |draw| self.pick(draw))?.into_iter().collect();
        take(&self.values, &picked, None)
            .map_err(|_| MaskError::Kernel { operation: "take the chosen values" })
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
            may_return_input: true,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |rows| {
            let Some(texts) = self.values.as_string_opt::<i32>().filter(|_| is_text(&self.input))
            else {
                return self.chosen(rows);
            };
            let hash = |value: &str, lanes: &mut Lanes<'_>| {
                lanes.push(normalize(&self.normalize, value).as_bytes());
            };
            map_text_keyed(rows, &self.key, hash, |_, (), draw, out| {
                let picked = self.pick(draw) as usize;
                if picked < texts.len() {
                    out.extend_from_slice(texts.value(picked).as_bytes());
                }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_nothing_is_never_chosen() {
        let ends = ends(4, Some(vec![0, 2, 0, 1])).unwrap();
        let place = |drawn: u64| ends.partition_point(|end| *end <= drawn);
        assert_eq!([place(0), place(1), place(2)], [1, 1, 3]);
    }
}
