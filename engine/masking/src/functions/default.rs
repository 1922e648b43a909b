//! `default`: one fixed value per type.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, Int32Array, Int64Array,
    StringArray, UInt32Array,
};
use arrow::buffer::ScalarBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::canonical::has_text;
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{logical, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// One fixed value per type.
pub(super) struct Default;

/// `default` has no parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {}

impl Function for Default {
    fn name(&self) -> &'static str {
        "default"
    }

    fn doc(&self) -> Doc {
        let example = |input_type, input, output| Example {
            params: "{}",
            input_type,
            input,
            others: &[],
            output,
        };
        Doc {
            summary: "Every value becomes the fixed value of its type: 0, false, empty text, empty \
                      or zero bytes, 1970-01-01, 00:00:00.",
            privacy: "Only whether there was a value remains.",
            nulls: "Null stays null, empty stays empty.",
            examples: vec![
                example(DataType::Int32, &["17", "-4"], &["0", "0"]),
                example(DataType::Utf8, &["Weber"], &[""]),
                example(DataType::Boolean, &["true"], &["false"]),
                example(DataType::Date32, &["1984-05-17"], &["1970-01-01"]),
                example(DataType::Decimal128(7, 2), &["12.50"], &["0.00"]),
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
        let Params {} = params::parse(self, params, context)?;
        let Some(value) = default_of(logical(context.input)) else {
            let message = format!("{} has no default", context.input);
            return Err(BindError::whole(BindErrorKind::WrongType { message }));
        };
        Ok(Box::new(Bound { input: context.input.clone(), value }))
    }
}

/// One row: the default of a plain type.
fn default_of(plain: &DataType) -> Option<ArrayRef> {
    use DataType as T;
    let seed: ArrayRef = match plain {
        T::Utf8 | T::LargeUtf8 | T::Utf8View => Arc::new(StringArray::from(vec![""])),
        T::Binary | T::LargeBinary | T::BinaryView => Arc::new(BinaryArray::from(vec![&b""[..]])),
        T::FixedSizeBinary(width) => {
            let zeros = vec![0_u8; usize::try_from(*width).ok()?];
            Arc::new(FixedSizeBinaryArray::try_from_iter([zeros].into_iter()).ok()?)
        }
        T::Boolean => Arc::new(BooleanArray::from(vec![false])),
        T::Date32 | T::Time32(_) => Arc::new(Int32Array::from(vec![0])),
        _ => Arc::new(Int64Array::from(vec![0])),
    };
    let value = if seed.data_type() == plain { seed } else { cast(&seed, plain).ok()? };
    (value.null_count() == 0).then_some(value)
}

struct Bound {
    input: DataType,
    /// One row: the default of the plain type.
    value: ArrayRef,
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
            let refused = MaskError::Kernel { operation: "repeat the default" };
            let first = ScalarBuffer::from(vec![0_u32; values.len()]);
            let rows =
                UInt32Array::try_new(first, values.logical_nulls()).map_err(|_| refused.clone())?;
            take(&self.value, &rows, None).map_err(|_| refused)
        })
    }
}
