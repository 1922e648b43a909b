//! `lookup`: an entry of a lookup of the project, chosen by key.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::composed::{self, Composed};
use super::params;
use super::parts::{Entries, Part, distinct};
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::normal::Normal;

/// Every value becomes an entry of a lookup, chosen by key.
pub(super) struct Lookup;

/// Parameters of `lookup`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// A lookup of the project: the first fields of `lookups/NAME.csv`, which has no header.
    lookup: String,
    /// Chooses an entry that stands there several times as many times as often. Otherwise all are as likely.
    #[serde(default)]
    weighted: bool,
    /// Done to the text before it is keyed, so that spellings map alike.
    #[serde(default)]
    normalize: Vec<Normal>,
}

impl Function for Lookup {
    fn name(&self) -> &'static str {
        "lookup"
    }

    fn doc(&self) -> Doc {
        let example = |params, output| Example {
            params,
            input_type: DataType::Utf8,
            input: &["gold", "silver", "one", "tin", "lead", "zinc"],
            others: &[],
            output,
        };
        Doc {
            summary: "Every value becomes an entry of a lookup of the project, chosen by key; of entries that stand \
                      there several times, as often if so asked.",
            privacy: "Only which rows held equal values remains. Never gives the value itself.",
            nulls: "Null stays null, empty stays empty.",
            examples: vec![
                example(
                    r#"{"lookup": "words"}"#,
                    &["one", "one", "two", "three", "three", "three"],
                ),
                example(
                    r#"{"lookup": "words", "weighted": true}"#,
                    &["two", "one", "three", "two", "two", "two"],
                ),
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { lookup, weighted, normalize } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let entries = composed::lookup(&lookup, context)?.iter().map(String::as_str);
        let entries: Entries = if weighted {
            entries.filter(|entry| !entry.is_empty()).map(Box::from).collect()
        } else {
            distinct(entries)
        };
        if entries.iter().collect::<BTreeSet<_>>().len() < 2 {
            let expected = "a lookup of at least two different entries";
            return Err(BindError::out_of_range("lookup", expected));
        }
        let parts = vec![Part::Pick(entries)];
        Ok(Box::new(Composed::new(context.input.clone(), key, parts, normalize)))
    }
}
