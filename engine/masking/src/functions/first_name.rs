//! `first_name`: a first name of the locale, chosen by key.

use arrow::datatypes::DataType;
use serde_json::Value;

use super::composed::{self, NULLS};
use super::params;
use crate::dictionaries::Piece;
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};

/// Every value becomes a first name of the locale, chosen by key.
pub(super) struct FirstName;

impl Function for FirstName {
    fn name(&self) -> &'static str {
        "first_name"
    }

    fn doc(&self) -> Doc {
        let example = |params, output| Example {
            params,
            input_type: DataType::Utf8,
            input: &["Ada", "Grace", "Ada"],
            others: &[],
            output,
        };
        Doc {
            summary: "Every value becomes a first name of the locale, chosen by key.",
            privacy: "Only which rows held equal values remains. Never gives the value itself.",
            nulls: NULLS,
            examples: vec![
                example("{}", &["Annamae", "Myra", "Annamae"]),
                example(r#"{"locale": "de"}"#, &["Günther", "Frank", "Günther"]),
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
        composed::bind(self, params, context, |locale| vec![Piece::Pick(locale.first)])
    }
}
