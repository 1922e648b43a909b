//! `datetime_shift`: every timestamp of one entity moves by the same keyed time.
//!
//! ```text
//!  entity ── keyed ──▶ shift in [-most, -1] ∪ [1, most] steps ──┐
//!  timestamp ───────────────────────────────────────────────────┴─▶ timestamp + shift
//! ```

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::calendar::{move_ticks, ticks_per_day};
use crate::canonical::map_drawn;
use crate::error::{BindError, MaskError};
use crate::forms::{became_null, decode, logical, only};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::properties::{Preserves, Properties, Uniqueness};

/// A hundred years.
const DAYS_MAX: u32 = 36_525;

/// Timestamps of one entity move together.
pub(super) struct DatetimeShift;

/// Parameters of `datetime_shift`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Largest shift, in days, either way: 1 to 36525.
    days: u32,
    /// What the shift is a whole number of. `week` keeps the day of the week and the time of day,
    /// `day` the time of day, in UTC.
    #[serde(default)]
    step: Step,
    /// Column of the same row that says whose timestamp it is.
    per: String,
}

/// What a shift is a whole number of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// Seconds.
    #[default]
    Second,
    /// Minutes.
    Minute,
    /// Hours.
    Hour,
    /// Days of 24 hours.
    Day,
    /// Seven days.
    Week,
}

impl Step {
    const fn seconds(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
        }
    }
}

impl Function for DatetimeShift {
    fn name(&self) -> &'static str {
        "datetime_shift"
    }

    fn doc(&self) -> Doc {
        let timestamp = DataType::Timestamp(arrow::datatypes::TimeUnit::Second, None);
        let example = |params, input, others, output| Example {
            params,
            input_type: timestamp.clone(),
            input,
            others,
            output,
        };
        Doc {
            summary: "All timestamps of one entity move by the same keyed time, never by none; \
                      intervals within an entity stay exact.",
            privacy: "The time between two timestamps of one entity remains, and so does every one \
                      to within `days`. One known timestamp of an entity gives away its others.",
            nulls: "Null stays null. A timestamp without an entity, and one that would leave the \
                    type's range, become null and are counted. PostgreSQL's infinities stay.",
            examples: vec![
                example(
                    r#"{"days": 30, "per": "customer_id"}"#,
                    &["2024-02-28T08:15:00", "2024-02-28T08:15:01", "2024-02-28T08:15:00"],
                    &[("customer_id", &["17", "17", "18"])],
                    &["2024-03-24T00:16:56", "2024-03-24T00:16:57", "2024-03-13T07:50:21"],
                ),
                example(
                    r#"{"days": 70, "step": "week", "per": "customer_id"}"#,
                    &["2024-02-28T08:15:00"],
                    &[("customer_id", &["17"])],
                    &["2024-05-01T08:15:00"],
                ),
            ],
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
        matches!(logical(input), DataType::Timestamp(..))
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { days, step, per } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(BindError::out_of_range("days", "a number from 1 to 36525"));
        }
        // At most 36525 days of 86400 seconds.
        let most = i64::from(days).saturating_mul(86_400) / step.seconds();
        if most == 0 {
            return Err(BindError::out_of_range("days", "at least one `step`: 7 days for `week`"));
        }
        params::check_column("per", &per, context)?;
        let ticks_per_second = ticks_per_day(context.input).unwrap_or(86_400) / 86_400;
        let ticks_per_step = ticks_per_second.saturating_mul(step.seconds());
        let input = context.input.clone();
        Ok(Box::new(Bound { input, key, most, ticks_per_step, per: [per] }))
    }
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    /// Steps of the largest shift.
    most: i64,
    ticks_per_step: i64,
    per: [String; 1],
}

impl Bound {
    /// The shift of an entity, in ticks: uniform over [-most, most] steps without 0.
    fn shift(&self, mut entity: Draw<'_>) -> i64 {
        let drawn = entity.below(self.most.unsigned_abs().saturating_mul(2)).cast_signed();
        let steps = if drawn < self.most { drawn - self.most } else { drawn - self.most + 1 };
        // At most 36525 days of 8.64e13 ns: far below 2^63.
        steps.saturating_mul(self.ticks_per_step)
    }
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
            preserves: Preserves { order: true, null: true, ..Preserves::default() },
            may_return_input: false,
        }
    }

    fn inputs(&self) -> &[String] {
        &self.per
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Ok(self.apply_counted(column, others)?.0)
    }

    fn apply_counted(
        &self,
        column: &ArrayRef,
        others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        let plain = decode(&self.input, column)?;
        let shifts = map_drawn(only(others, column)?, &self.key, |entity| self.shift(entity))?;
        let most = self.most.saturating_mul(self.ticks_per_step);
        let shifted = move_ticks(&plain, most, |row| shifts.get(row).copied().flatten())?;
        Ok(became_null(&plain, shifted))
    }
}
