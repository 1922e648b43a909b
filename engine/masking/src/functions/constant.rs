//! `constant`: one fixed value, of the column's own type.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, UInt32Array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::{CastOptions, cast_with_options, take};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params::{self, TEXT_BYTES_MAX};
use crate::canonical::has_text;
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{check_type, logical};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// One fixed value.
pub(super) struct Constant;

/// Parameters of `constant`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The value: a text, number or boolean that reads as the column's type; dates and times
    /// as ISO 8601 text. At most 1000 bytes.
    value: Value,
}

impl Function for Constant {
    fn name(&self) -> &'static str {
        "constant"
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
            summary: "Every value becomes the same given value; the column keeps its type.",
            privacy: "Only whether there was a value remains.",
            nulls: "Null stays null; empty becomes the constant, too.",
            examples: vec![
                example(r#"{"value": 0}"#, DataType::Int32, &["17", "-4"], &["0", "0"]),
                example(
                    r#"{"value": "1970-01-01"}"#,
                    DataType::Date32,
                    &["1984-05-17"],
                    &["1970-01-01"],
                ),
                example(r#"{"value": "n/a"}"#, DataType::Utf8, &["Weber"], &["n/a"]),
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn hides_all(&self) -> bool {
        true
    }

    fn keyed(&self) -> bool {
        false
    }

    fn accepts(&self, input: &DataType) -> bool {
        has_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { value } = params::parse(self, params, context)?;
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            _ => {
                let message = "expected a text, a number or a boolean".to_owned();
                return Err(BindError::at("value", BindErrorKind::WrongType { message })
                    .hinted("for no value at all, use the mask `null`"));
            }
        };
        if text.len() > TEXT_BYTES_MAX {
            return Err(BindError::out_of_range("value", "a text of at most 1000 bytes"));
        }
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        let column: ArrayRef = Arc::new(StringArray::from(vec![text.as_str()]));
        let value = cast_with_options(&column, logical(context.input), &strict)
            .and_then(|value| cast_with_options(&value, context.input, &strict));
        match value {
            Ok(value) if value.len() == 1 && value.logical_null_count() == 0 => {
                Ok(Box::new(Bound { value, text_bytes: text.len() }))
            }
            _ => {
                let expected = format!("a value that reads as {}", logical(context.input));
                Err(BindError::out_of_range("value", expected))
            }
        }
    }
}

struct Bound {
    /// One row: the constant.
    value: ArrayRef,
    text_bytes: usize,
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        self.value.data_type().clone()
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
        check_type(self.value.data_type(), column)?;
        let bytes_max = i32::MAX as usize;
        if column.len().saturating_mul(self.text_bytes) > bytes_max {
            return Err(MaskError::BatchTooLarge { bytes_max });
        }
        let first = ScalarBuffer::from(vec![0_u32; column.len()]);
        let rows = UInt32Array::try_new(first, column.logical_nulls())
            .map_err(|_| MaskError::Kernel { operation: "repeat the constant" })?;
        take(&self.value, &rows, None)
            .map_err(|_| MaskError::Kernel { operation: "repeat the constant" })
    }
}
