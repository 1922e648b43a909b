//! `city`: a town of the locale, chosen by key.

use arrow::datatypes::DataType;
use serde_json::Value;

use super::composed::{self, NULLS};
use super::params;
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};

/// Every value becomes a made-up town of the locale.
pub(super) struct City;

impl Function for City {
    fn name(&self) -> &'static str {
        "city"
    }

    fn doc(&self) -> Doc {
        let example = |params, output| Example {
            params,
            input_type: DataType::Utf8,
            input: &["London", "Paris"],
            others: &[],
            output,
        };
        Doc {
            summary: "Every value becomes a made-up town of the locale.",
            privacy: "Only which rows held equal values remains. Never gives the value itself.",
            nulls: NULLS,
            examples: vec![
                example("{}", &["West Swiftberg", "South Parkerville"]),
                example(r#"{"locale": "de"}"#, &["Krügerkirchen", "Möllering"]),
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
        composed::bind(self, params, context, |locale| locale.city.to_vec())
    }
}
