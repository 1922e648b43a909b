//! `clip`: numbers beyond a bound become the bound.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use super::range::Range;
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{newly_null, over_values_counted};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::numbers::{Number, map_numbers};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Numbers within bounds.
pub(super) struct Clip;

/// Parameters of `clip`: at least one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Least number that comes out.
    min: Option<f64>,
    /// Greatest number that comes out.
    max: Option<f64>,
}

impl Function for Clip {
    fn name(&self) -> &'static str {
        "clip"
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
            summary: "Every number beyond a bound becomes the bound; the others stay as they are.",
            privacy: "Every number within the bounds remains: only the rare ones beyond are hidden.",
            nulls: "Null stays null. NaN becomes null and is counted.",
            examples: vec![
                example(
                    r#"{"min": 0, "max": 250000}"#,
                    DataType::Decimal128(10, 2),
                    &["52000.00", "1900000.00", "-4.00"],
                    &["52000.00", "250000.00", "0.00"],
                ),
                example(r#"{"max": 90}"#, DataType::Int16, &["17", "101"], &["17", "90"]),
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
        let Params { min, max } = params::parse(self, params, context)?;
        if min.is_none() && max.is_none() {
            let kind = BindErrorKind::MissingParameter { name: "max".to_owned() };
            return Err(BindError::whole(kind).hinted("give `max`, `min` or both"));
        }
        let number = Number::of(context.input).unwrap_or(Number::Float);
        let range = Range::new(number, min, max)?;
        Ok(Box::new(Bound { input: context.input.clone(), range }))
    }
}

struct Bound {
    input: DataType,
    range: Range,
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
        let Range { units, floats } = self.range;
        over_values_counted(&self.input, column, |values| {
            let clipped = map_numbers(
                values,
                |_, value| Some(value.max(units.0).min(units.1)),
                // NaN is told apart first: `max` and `min` would drop it for the bound.
                |_, value| (!value.is_nan()).then(|| value.max(floats.0).min(floats.1)),
            )?;
            Ok(newly_null(values, clipped))
        })
    }
}
