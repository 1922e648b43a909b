//! `bucket`: numbers become the lower bound, or the label, of the range they fall in.
//!
//! ```text
//!  width 10            … | 20–29 | 30–39 | …            31 ─▶ 30
//!  edges 18, 30, 65    <18 | 18–29 | 30–64 | 65+        31 ─▶ 30,  12 ─▶ 18 (or a label)
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::params::{self, TEXT_BYTES_MAX};
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{TextBuilder, over_values, text_of};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::numbers::{Number, Value, for_each_number, map_numbers, remainder};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Most edges a rule may list.
const EDGES_MAX: usize = 1_000;

/// Ranges instead of numbers.
pub(super) struct Bucket;

/// Parameters of `bucket`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Width of equal ranges, above 0. One of `width` and `edges` is required.
    width: Option<f64>,
    /// With `width`: a number where a range begins; 0 if absent.
    origin: Option<f64>,
    /// Lower bounds of the ranges, ascending; at most 1000. Numbers below the first are counted
    /// to the first range.
    edges: Option<Vec<f64>>,
    /// With `edges`: texts to write instead of numbers, one more than edges; the first is for
    /// numbers below the first edge.
    labels: Option<Vec<String>>,
}

impl Function for Bucket {
    fn name(&self) -> &'static str {
        "bucket"
    }

    fn doc(&self) -> Doc {
        let example = |params, input, output| Example {
            params,
            input_type: DataType::Int32,
            input,
            others: &[],
            output,
        };
        Doc {
            summary: "Every number becomes the lower bound of its range, or the range's label.",
            privacy: "The range remains; a range that few rows fall in still singles them out.",
            nulls: "Null stays null. NaN, an infinity outside all ranges, and a bound that the \
                    type cannot hold, become null.",
            examples: vec![
                example(r#"{"width": 10}"#, &["31", "39", "-1"], &["30", "30", "-10"]),
                example(
                    r#"{"edges": [18, 30, 65]}"#,
                    &["12", "30", "31", "99"],
                    &["18", "30", "30", "65"],
                ),
                example(
                    r#"{"edges": [18, 65], "labels": ["minor", "adult", "senior"]}"#,
                    &["12", "31", "65"],
                    &["minor", "adult", "senior"],
                ),
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        false
    }

    fn accepts(&self, input: &DataType) -> bool {
        Number::of(input).is_some()
    }

    fn bind(&self, params: &Json, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let given: Params = params::parse(self, params, context)?;
        let number = Number::of(context.input).unwrap_or(Number::Float);
        let ranges = match (given.width, given.edges) {
            (Some(width), None) => {
                if given.labels.is_some() {
                    return Err(BindError::out_of_range("labels", "labels only with `edges`"));
                }
                equal_ranges(number, width, given.origin.unwrap_or(0.0))?
            }
            (None, Some(edges)) => {
                if given.origin.is_some() {
                    return Err(BindError::out_of_range("origin", "an origin only with `width`"));
                }
                edged_ranges(number, &edges)?
            }
            (Some(_), Some(_)) => {
                let expected = "either `width` or `edges`, not both";
                return Err(BindError::out_of_range("edges", expected));
            }
            (None, None) => {
                let kind = BindErrorKind::MissingParameter { name: "width".to_owned() };
                return Err(BindError::whole(kind).hinted("or give `edges`"));
            }
        };
        if let Some(labels) = &given.labels {
            check_labels(labels, ranges.count())?;
        }
        Ok(Box::new(Bound { input: context.input.clone(), number, ranges, labels: given.labels }))
    }
}

fn equal_ranges(number: Number, width: f64, origin: f64) -> Result<Ranges, BindError> {
    if !(width.is_finite() && width > 0.0) {
        return Err(BindError::out_of_range("width", "a number above 0"));
    }
    if !origin.is_finite() {
        return Err(BindError::out_of_range("origin", "a finite number"));
    }
    if number == Number::Float {
        return Ok(Ranges::EqualFloats { width, origin });
    }
    let width = number.units(width).filter(|width| *width >= 1);
    let origin = number.units(origin);
    match (width, origin) {
        (None, _) => Err(BindError::out_of_range("width", NOT_IN_TYPE)),
        (_, None) => Err(BindError::out_of_range("origin", NOT_IN_TYPE)),
        (Some(width), Some(origin)) => Ok(Ranges::EqualUnits { width, origin }),
    }
}

const NOT_IN_TYPE: &str = "a number that the column's type can hold";

fn edged_ranges(number: Number, edges: &[f64]) -> Result<Ranges, BindError> {
    let ascending = edges.is_sorted_by(|left, right| left < right);
    if edges.is_empty() || edges.len() > EDGES_MAX || !ascending {
        return Err(BindError::out_of_range("edges", "1 to 1000 ascending numbers"));
    }
    let Number::Units { min, max, .. } = number else {
        return match edges.iter().all(|edge| edge.is_finite()) {
            true => Ok(Ranges::EdgedFloats(edges.to_vec())),
            false => Err(BindError::out_of_range("edges", "finite numbers")),
        };
    };
    let units: Option<Vec<i128>> = edges
        .iter()
        .map(|edge| number.units(*edge).filter(|edge| (min..=max).contains(edge)))
        .collect();
    match units {
        Some(units) if units.is_sorted_by(|left, right| left < right) => {
            Ok(Ranges::EdgedUnits(units))
        }
        _ => Err(BindError::out_of_range("edges", "numbers that the column's type can hold")),
    }
}

fn check_labels(labels: &[String], count: Option<usize>) -> Result<(), BindError> {
    if count != Some(labels.len()) {
        let expected = "one label more than edges: the first is for numbers below the first edge";
        return Err(BindError::out_of_range("labels", expected));
    }
    if labels.iter().any(|label| label.len() > TEXT_BYTES_MAX) {
        return Err(BindError::out_of_range("labels", "labels of at most 1000 bytes"));
    }
    Ok(())
}

enum Ranges {
    EqualUnits { width: i128, origin: i128 },
    EqualFloats { width: f64, origin: f64 },
    EdgedUnits(Vec<i128>),
    EdgedFloats(Vec<f64>),
}

impl Ranges {
    /// Ranges, with the open one below the first edge; none if there is no end of them.
    fn count(&self) -> Option<usize> {
        match self {
            Self::EdgedUnits(edges) => Some(edges.len() + 1),
            Self::EdgedFloats(edges) => Some(edges.len() + 1),
            _ => None,
        }
    }

    fn units(&self, value: i128) -> Option<i128> {
        match self {
            Self::EqualUnits { width, origin } => {
                let over = remainder(value.checked_sub(*origin)?, *width)?;
                value.checked_sub(if over < 0 { over + width } else { over })
            }
            Self::EdgedUnits(edges) => {
                let above = edges.partition_point(|edge| *edge <= value);
                edges.get(above.saturating_sub(1)).copied()
            }
            _ => None,
        }
    }

    fn float(&self, value: f64) -> Option<f64> {
        match self {
            Self::EqualFloats { width, origin } => {
                let lower = ((value - origin) / width).floor() * width + origin;
                // Rounding may put the bound above the value: then it is the next one's.
                Some(if lower > value { lower - width } else { lower })
            }
            Self::EdgedFloats(edges) if !value.is_nan() => {
                let above = edges.partition_point(|edge| *edge <= value);
                edges.get(above.saturating_sub(1)).copied()
            }
            _ => None,
        }
    }

    /// Which range: 0 is below the first edge.
    fn index(&self, value: Value) -> Option<usize> {
        match (self, value) {
            (Self::EdgedUnits(edges), Value::Units(value)) => {
                Some(edges.partition_point(|edge| *edge <= value))
            }
            (Self::EdgedFloats(edges), Value::Float(value)) if !value.is_nan() => {
                Some(edges.partition_point(|edge| *edge <= value))
            }
            _ => None,
        }
    }
}

struct Bound {
    input: DataType,
    number: Number,
    ranges: Ranges,
    labels: Option<Vec<String>>,
}

impl Bound {
    fn bounds(&self, values: &ArrayRef) -> Result<ArrayRef, MaskError> {
        let fits = |value: &i128| match self.number {
            Number::Units { min, max, .. } => (min..=max).contains(value),
            Number::Float => false,
        };
        map_numbers(
            values,
            |_, value| self.ranges.units(value).filter(fits),
            |_, value| self.ranges.float(value),
        )
    }

    fn labelled(&self, values: &ArrayRef, labels: &[String]) -> Result<ArrayRef, MaskError> {
        let mut text = TextBuilder::<i32>::with_rows(values.len());
        let mut known = arrow::array::BooleanBufferBuilder::new(values.len());
        for_each_number(values, |value| {
            let label = value.and_then(|value| labels.get(self.ranges.index(value)?));
            known.append(label.is_some());
            text.bytes().extend_from_slice(label.map_or("", |label| label).as_bytes());
            text.end_row()
        })?;
        Ok(Arc::new(text.finish(Some(known.finish().into()))?))
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        if self.labels.is_some() { text_of(&self.input) } else { self.input.clone() }
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves {
                order: self.labels.is_none(),
                null: true,
                ..Preserves::default()
            },
            may_return_input: true,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |values| match &self.labels {
            Some(labels) => self.labelled(values, labels),
            None => self.bounds(values),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_float_lies_in_its_range(value in -1e9..1e9_f64, width in 1e-3..1e6_f64, origin in -1e3..1e3_f64) {
            let lower = Ranges::EqualFloats { width, origin }.float(value).unwrap();
            prop_assert!(lower <= value && value - lower <= width * 1.000_001 + 1e-6);
        }

        #[test]
        fn units_lie_in_their_range(value in any::<i64>(), width in 1..i64::MAX, origin in any::<i64>()) {
            let (value, width, origin) = (value.into(), width.into(), origin.into());
            let lower = Ranges::EqualUnits { width, origin }.units(value).unwrap();
            prop_assert!(lower <= value && value - lower < width);
            prop_assert_eq!((lower - origin) % width, 0);
        }
    }
}
