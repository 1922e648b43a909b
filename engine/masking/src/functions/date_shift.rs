//! `date_shift`: every date of one entity moves by the same keyed number of days.
//!
//! ```text
//!  entity ── keyed ──▶ shift in [-days, -1] ∪ [1, days] ──┐
//!  date ──────────────────────────────────────────────────┴─▶ date + shift
//! ```

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::otherwise::{Misfits, Otherwise};
use super::params;
use crate::calendar::{move_ticks, ticks_per_day};
use crate::canonical::map_drawn;
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::feistel::Direction;
use crate::forms::{became_null, decode, logical, only};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::properties::{Preserves, Properties, Uniqueness};

/// A hundred years.
const DAYS_MAX: u32 = 36_525;

/// Dates of one entity move together.
pub(super) struct DateShift;

/// Parameters of `date_shift`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Largest shift, in days, either way: 1 to 36525.
    days: u32,
    /// Column of the same row that says whose date it is. One of `per` and `whole_column` is
    /// required.
    per: Option<String>,
    /// What a shift is a whole number of: `week` keeps the day of the week.
    #[serde(default)]
    step: Step,
    /// What becomes of a date without an entity, and of one that would leave the type's range. By default
    /// it becomes null, with `whole_column` an error.
    otherwise: Option<Otherwise>,
    /// Moves all dates of the column by one shift: one known date then gives away all others.
    #[serde(default)]
    whole_column: bool,
}

/// What a shift is a whole number of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// Days of 24 hours.
    #[default]
    Day,
    /// Seven days.
    Week,
}

impl Function for DateShift {
    fn name(&self) -> &'static str {
        "date_shift"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "All dates of one entity move by the same keyed number of days, never by \
                      none; times of day stay.",
            privacy: "The time between two dates of one entity remains, and so does every date to \
                      within `days`. One known date of an entity gives away its other dates.",
            nulls: "Null stays null. A date without an entity, and one that would leave the \
                    type's range, become null and are counted, or what `otherwise` says; with \
                    `whole_column` they are an error. PostgreSQL's infinities stay.",
            examples: vec![
                Example {
                    params: r#"{"days": 30, "per": "customer_id"}"#,
                    input_type: DataType::Date32,
                    input: &["1984-05-17", "2024-02-28", "1984-05-17"],
                    others: &[("customer_id", &["17", "17", "18"])],
                    output: &["1984-05-08", "2024-02-19", "1984-06-01"],
                },
                Example {
                    params: r#"{"days": 365, "whole_column": true}"#,
                    input_type: DataType::Date32,
                    input: &["1984-05-17", "1984-05-18"],
                    others: &[],
                    output: &["1984-04-28", "1984-04-29"],
                },
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
        ticks_per_day(input).is_some()
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { days, step, per, whole_column, otherwise } =
            params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(BindError::out_of_range("days", "a number from 1 to 36525"));
        }
        let step_days = if step == Step::Week { 7 } else { 1 };
        if days < step_days {
            return Err(BindError::out_of_range("days", "at least 7 days for a `step` of a week"));
        }
        let by_default = if whole_column { Otherwise::Error } else { Otherwise::Null };
        let misfits = otherwise.unwrap_or(by_default).bound(context)?;
        match (&per, whole_column) {
            (Some(name), false) => params::check_column("per", name, context)?,
            (None, true) => {}
            (Some(_), true) => {
                let expected = "either `per` or `whole_column`, not both";
                return Err(BindError::out_of_range("whole_column", expected));
            }
            (None, false) => {
                let kind = BindErrorKind::MissingParameter { name: "per".to_owned() };
                return Err(BindError::whole(kind).hinted(
                    "name the column that says whose date it is, as in `per: customer_id`; or set \
                     `whole_column: true` to move all dates alike, which protects less",
                ));
            }
        }
        let ticks_per_day = ticks_per_day(context.input).unwrap_or(1);
        let per = per.into_iter().collect();
        let direction = Direction::Mask;
        Ok(Box::new(Bound {
            input: context.input.clone(),
            key,
            most: days / step_days,
            ticks_per_step: ticks_per_day.saturating_mul(step_days.into()),
            per,
            misfits,
            direction,
        }))
    }
}

#[derive(Clone)]
struct Bound {
    input: DataType,
    key: LinkageKey,
    /// Steps of the largest shift.
    most: u32,
    ticks_per_step: i64,
    misfits: Misfits,
    /// The entity column; none for a whole-column shift.
    per: Vec<String>,
    direction: Direction,
}

impl Bound {
    /// The shift of an entity, in ticks: uniform over [-most, most] steps without 0.
    fn shift(&self, mut entity: Draw<'_>) -> i64 {
        let most = i64::from(self.most);
        let drawn = entity.below(2 * u64::from(self.most)) as i64;
        let shift = if drawn < most { drawn - most } else { drawn - most + 1 };
        // At most 36525 days of 8.64e13 ns: far below 2^63.
        let ticks = shift.saturating_mul(self.ticks_per_step);
        if self.direction == Direction::Mask { ticks } else { -ticks }
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        logical(&self.input).clone()
    }

    fn properties(&self) -> Properties {
        let whole_column = self.per.is_empty() && self.misfits.all_fit();
        Properties {
            deterministic: true,
            reversible: whole_column,
            uniqueness: if whole_column { Uniqueness::Bijective } else { Uniqueness::Lossy },
            preserves: Preserves { order: true, null: true, ..Preserves::default() },
            may_return_input: false,
        }
    }

    fn inputs(&self) -> &[String] {
        &self.per
    }

    fn inverse(&self) -> Option<Box<dyn Mask>> {
        self.properties().reversible.then(|| -> Box<dyn Mask> {
            let direction = self.direction.reversed();
            Box::new(Self { input: self.output(), direction, ..self.clone() })
        })
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
        let most = self.ticks_per_step.saturating_mul(self.most.into());
        let shifted = if self.per.is_empty() {
            let shift = self.shift(self.key.prf(b""));
            move_ticks(&plain, most, |_| Some(shift))?
        } else {
            let shifts = map_drawn(only(others, column)?, &self.key, |entity| self.shift(entity))?;
            move_ticks(&plain, most, |row| shifts.get(row).copied().flatten())?
        };
        self.misfits.settle(became_null(&plain, shifted))
    }
}
