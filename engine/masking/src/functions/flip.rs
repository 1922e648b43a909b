//! `flip`: a keyed part of the booleans is turned round.
//!
//! ```text
//!  entity ── keyed ──▶ 64 bits, below probability × 2^64? ── yes ──▶ not value
//!                                                         └─ no ───▶ value
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::canonical::map_drawn;
use crate::error::{BindError, MaskError};
use crate::forms::{decode, logical, only};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::LinkageKey;
use crate::properties::{Preserves, Properties, Uniqueness};

/// 2^64.
const WHOLE: f64 = 18_446_744_073_709_551_616.0;

/// Booleans turned round by chance.
pub(super) struct Flip;

/// Parameters of `flip`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// How many of the values are turned round, as a part of all: above 0, at most 0.5, which
    /// leaves nothing of them.
    probability: f64,
    /// Column of the same row that says whose value it is, and decides with the key.
    per: String,
}

impl Function for Flip {
    fn name(&self) -> &'static str {
        "flip"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every boolean is turned round with a given probability, by key and entity.",
            privacy: "No single value can be trusted, while the true share can be estimated: \
                      randomised response, with ln((1 - p) / p) for epsilon. Two columns of one \
                      linkage and entity are turned round together.",
            nulls: "Null stays null. A value without an entity becomes null.",
            examples: vec![Example {
                params: r#"{"probability": 0.4, "per": "id"}"#,
                input_type: DataType::Boolean,
                input: &["true", "true", "false", "false", "true"],
                others: &[("id", &["1", "2", "3", "4", "2"])],
                output: &["false", "true", "false", "false", "true"],
            }],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn approximates(&self) -> bool {
        true
    }

    fn keyed(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        matches!(logical(input), DataType::Boolean)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { probability, per } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        // Below 2^-64 nothing would be turned round.
        if !(1.0 / WHOLE..=0.5).contains(&probability) {
            return Err(BindError::out_of_range("probability", "a number above 0, at most 0.5"));
        }
        params::check_column("per", &per, context)?;
        let below = (probability * WHOLE) as u64;
        Ok(Box::new(Bound { input: context.input.clone(), key, below, per: [per] }))
    }
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    /// The first 64 bits of an entity's stream turn its value round if they are below this.
    below: u64,
    per: [String; 1],
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        logical(&self.input).clone()
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

    fn inputs(&self) -> &[String] {
        &self.per
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        let plain = decode(&self.input, column)?;
        let flips = map_drawn(only(others, column)?, &self.key, |mut entity| {
            entity.next_u64() < self.below
        })?;
        let rows = plain.as_boolean().iter().zip(flips);
        let flipped: BooleanArray = rows.map(|(value, flip)| Some(value? != flip?)).collect();
        Ok(Arc::new(flipped))
    }
}
