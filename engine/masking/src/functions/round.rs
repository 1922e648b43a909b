//! `round`: numbers to the nearest multiple.

use std::ops::RangeInclusive;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{newly_null, over_values_counted};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::numbers::{Number, map_numbers};
use crate::properties::{Preserves, Properties, Uniqueness};

/// More digits than a double keeps of most numbers.
const DECIMALS_MAX: i32 = 12;

/// Numbers to the nearest multiple.
pub(super) struct Round;

/// Parameters of `round`: exactly one of the two.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Decimals kept: -12 to 12; -3 gives thousands.
    decimals: Option<i32>,
    /// The multiple numbers are rounded to; above 0.
    multiple: Option<f64>,
}

impl Function for Round {
    fn name(&self) -> &'static str {
        "round"
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
            summary: "Every number becomes the nearest multiple, the one farther from 0 if two are \
                      as near.",
            privacy: "Every number remains to within half the multiple; one that few rows share \
                      still singles them out.",
            nulls: "Null stays null. NaN, infinities and what leaves the type's range become \
                    null and are counted.",
            examples: vec![
                example(
                    r#"{"decimals": -3}"#,
                    DataType::Int64,
                    &["52499", "52500", "-1500", "7"],
                    &["52000", "53000", "-2000", "0"],
                ),
                example(
                    r#"{"decimals": 0}"#,
                    DataType::Decimal128(7, 2),
                    &["12.50", "-12.49"],
                    &["13.00", "-12.00"],
                ),
                example(
                    r#"{"multiple": 0.25}"#,
                    DataType::Float64,
                    &["1.3", "1.5", "-0.9"],
                    &["1.25", "1.5", "-1.0"],
                ),
            ],
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
        Number::of(input).is_some()
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let given: Params = params::parse(self, params, context)?;
        let number = Number::of(context.input).unwrap_or(Number::Float);
        let step = match (given.decimals, given.multiple) {
            (Some(decimals), None) => by_decimals(number, decimals)?,
            (None, Some(multiple)) => by_multiple(number, multiple)?,
            (Some(_), Some(_)) => {
                let expected = "either `decimals` or `multiple`, not both";
                return Err(BindError::out_of_range("multiple", expected));
            }
            (None, None) => {
                let kind = BindErrorKind::MissingParameter { name: "decimals".to_owned() };
                return Err(BindError::whole(kind).hinted("or give `multiple`"));
            }
        };
        let range = match number {
            Number::Units { min, max, .. } => min..=max,
            Number::Float => 0..=0,
        };
        Ok(Box::new(Bound { input: context.input.clone(), step, range }))
    }
}

fn by_decimals(number: Number, decimals: i32) -> Result<Step, BindError> {
    if !(-DECIMALS_MAX..=DECIMALS_MAX).contains(&decimals) {
        return Err(BindError::out_of_range("decimals", "a number from -12 to 12"));
    }
    let power = 10_i128.pow(decimals.unsigned_abs());
    let Number::Units { units_per_one, .. } = number else {
        // At most 10^12, which a double holds.
        return Ok(if decimals < 0 {
            Step::Multiple(power as f64)
        } else {
            Step::Part(power as f64)
        });
    };
    let units = if decimals < 0 {
        units_per_one.checked_mul(power)
    } else {
        units_per_one.checked_div(power)
    };
    units.filter(|units| *units >= 2).map(Step::Units).ok_or_else(|| {
        BindError::out_of_range("decimals", "fewer decimals than the column's type has")
    })
}

fn by_multiple(number: Number, multiple: f64) -> Result<Step, BindError> {
    match (number, number.units(multiple)) {
        (Number::Float, _) if multiple.is_finite() && multiple > 0.0 => {
            Ok(Step::Multiple(multiple))
        }
        (Number::Units { .. }, Some(units)) if units >= 2 => Ok(Step::Units(units)),
        _ => {
            let expected = "a number above 0, more than one unit of the column's type";
            Err(BindError::out_of_range("multiple", expected))
        }
    }
}

/// What numbers are rounded to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// A multiple of so many units.
    Units(i128),
    /// A multiple of this float.
    Multiple(f64),
    /// A multiple of one part of so many: decimals stay as near as doubles can be.
    Part(f64),
}

impl Step {
    #[inline]
    fn units(self, value: i128) -> Option<i128> {
        let Self::Units(step) = self else { return None };
        let rest = value.checked_rem(step)?;
        let down = value.checked_sub(rest)?;
        // Half of a step or more, without doubling what may be near the end of the type.
        let up = rest.unsigned_abs() >= step.unsigned_abs().div_ceil(2);
        if up { down.checked_add(step.checked_mul(rest.signum())?) } else { Some(down) }
    }

    #[inline]
    fn float(self, value: f64) -> Option<f64> {
        match self {
            Self::Units(_) => None,
            Self::Multiple(multiple) => Some((value / multiple).round() * multiple),
            // A number too large to scale has no decimals.
            Self::Part(parts) if (value * parts).is_finite() => {
                Some((value * parts).round() / parts)
            }
            Self::Part(_) => Some(value),
        }
    }
}

struct Bound {
    input: DataType,
    step: Step,
    /// Units the type can hold: a decimal's precision is less than its bits.
    range: RangeInclusive<i128>,
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
            preserves: Preserves { order: true, null: true, ..Preserves::default() },
            may_return_input: true,
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
            let rounded = map_numbers(
                values,
                |_, value| self.step.units(value).filter(|units| self.range.contains(units)),
                |_, value| self.step.float(value),
            )?;
            Ok(newly_null(values, rounded))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        let tens = [14, 15, -14, -15, 25, 0].map(|value| Step::Units(10).units(value));
        assert_eq!(tens, [10, 20, -10, -20, 30, 0].map(Some));
        let threes = [1, 2, 4, 5, -1, -2].map(|value| Step::Units(3).units(value));
        assert_eq!(threes, [0, 3, 3, 6, 0, -3].map(Some));
        assert_eq!(Step::Units(10).units(i128::MAX), None);
        assert_eq!(Step::Part(100.0).float(0.125), Some(0.13));
        assert_eq!(Step::Part(100.0).float(1e308), Some(1e308));
    }
}
