//! `redact`: one fixed text for every value.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params::{self, TEXT_BYTES_MAX};
use crate::error::{BindError, MaskError};
use crate::forms::{is_text, map_text, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Every text becomes `[redacted]`.
pub(super) struct Redact;

/// Parameters of `redact`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The text written for every value; at most 1000 bytes.
    #[serde(default = "redacted")]
    with: String,
}

fn redacted() -> String {
    "[redacted]".to_owned()
}

impl Function for Redact {
    fn name(&self) -> &'static str {
        "redact"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every text becomes the same fixed text.",
            privacy: "Only whether there was a value, and whether it was empty, remains.",
            nulls: "Null stays null, empty stays empty.",
            examples: vec![
                Example {
                    params: "{}",
                    input_type: DataType::Utf8,
                    input: &["met Ms Weber", "called back"],
                    others: &[],
                    output: &["[redacted]", "[redacted]"],
                },
                Example {
                    params: r#"{"with": "***"}"#,
                    input_type: DataType::Utf8,
                    input: &["met Ms Weber"],
                    others: &[],
                    output: &["***"],
                },
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
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { with } = params::parse(self, params, context)?;
        if with.len() > TEXT_BYTES_MAX {
            return Err(BindError::out_of_range("with", "a text of at most 1000 bytes"));
        }
        Ok(Box::new(Bound { input: context.input.clone(), with }))
    }
}

struct Bound {
    input: DataType,
    with: String,
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
        over_values(&self.input, column, |values| {
            map_text(values, |_, out| out.extend_from_slice(self.with.as_bytes()))
        })
    }
}
