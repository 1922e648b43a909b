//! `shuffle`: the column's own values, dealt out anew among its rows.

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::error::BindError;
use crate::function::{BindContext, Doc, Function, Mask};
use crate::shuffle::Undealt;

/// Most columns that may identify a row, or its group.
const COLUMNS_MAX: usize = 16;

/// A keyed permutation of a column.
pub(super) struct Shuffle;

/// Parameters of `shuffle`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Columns of the same row that tell it from all others, 1 to 16 of them: by them, and the key, it is decided
    /// which value a row gets.
    by: Vec<String>,
    /// Columns of the same row, at most 16, whose values stay with the shuffled one: values change places only among rows that
    /// are equal in all of them.
    #[serde(default)]
    within: Vec<String>,
}

impl Function for Shuffle {
    fn name(&self) -> &'static str {
        "shuffle"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every value stays in the column, at another row: a keyed permutation of the whole export, \
                      or within groups.",
            privacy: "All values are published, and how often each occurs (with `within`, in each group); which \
                      row a value belongs to is hidden as far as there are enough different ones.",
            nulls: "Null and empty values change places as others do.",
            examples: Vec::new(),
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn approximates(&self) -> bool {
        true
    }

    /// Columns of one linkage are dealt out apart: what stood together in a row does not stay so.
    fn reads_name(&self, _params: &Value) -> bool {
        true
    }

    fn accepts(&self, _: &DataType) -> bool {
        true
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let given: Params = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        if given.by.is_empty() || given.by.len() > COLUMNS_MAX {
            return Err(BindError::out_of_range("by", "1 to 16 columns"));
        }
        if given.within.len() > COLUMNS_MAX {
            return Err(BindError::out_of_range("within", "at most 16 columns"));
        }
        for (parameter, names) in [("by", &given.by), ("within", &given.within)] {
            for name in names {
                params::check_column(parameter, name, context)?;
            }
        }
        let ids = given.by.len();
        let inputs = given.by.into_iter().chain(given.within).collect();
        let column = context.name.unwrap_or_default().to_owned();
        Ok(Box::new(Undealt { input: context.input.clone(), column, inputs, ids, key }))
    }
}
