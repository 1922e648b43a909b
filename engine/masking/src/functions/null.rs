//! `null`: nothing at all.

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::error::{BindError, MaskError};
use crate::forms::check_type;
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Every value becomes null.
pub(super) struct Null;

/// `null` has no parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {}

impl Function for Null {
    fn name(&self) -> &'static str {
        "null"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every value becomes null; the column keeps its type.",
            privacy: "Nothing of a value remains, not even whether there was one.",
            nulls: "All rows are null.",
            examples: vec![Example {
                params: "{}",
                input_type: DataType::Int64,
                input: &["1", "2"],
                others: &[],
                output: &["", ""],
            }],
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

    fn accepts(&self, _input: &DataType) -> bool {
        true
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params {} = params::parse(self, params, context)?;
        Ok(Box::new(Bound { input: context.input.clone() }))
    }
}

struct Bound {
    input: DataType,
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
            preserves: Preserves::default(),
            may_return_input: false,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        check_type(&self.input, column)?;
        Ok(new_null_array(&self.input, column.len()))
    }
}
