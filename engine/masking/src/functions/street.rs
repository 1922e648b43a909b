//! `street`: a street and house number of the locale, chosen by key.

use arrow::datatypes::DataType;
use serde_json::Value;

use super::composed::{self, NULLS};
use super::params;
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};

/// Every value becomes a made-up street with a house number, in the locale's order.
pub(super) struct Street;

impl Function for Street {
    fn name(&self) -> &'static str {
        "street"
    }

    fn doc(&self) -> Doc {
        let example = |params, output| Example {
            params,
            input_type: DataType::Utf8,
            input: &["12 Church Lane", "7 Mill Road"],
            others: &[],
            output,
        };
        Doc {
            summary: "Every value becomes a made-up street with a house number, in the locale's order.",
            privacy: "Only which rows held equal values remains. Never gives the value itself.",
            nulls: NULLS,
            examples: vec![
                example("{}", &["811 Cole Fields", "3134 Emmerich Haven"]),
                example(r#"{"locale": "de"}"#, &["Schustergang 50", "Zimmermanngang 73"]),
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<composed::Params>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        composed::bind(self, params, context, |locale| locale.street.to_vec())
    }
}
