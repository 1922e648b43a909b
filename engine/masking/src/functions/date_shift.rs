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

use super::params;
use crate::calendar::{map_ticks, ticks_per_day};
use crate::canonical::map_drawn;
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::feistel::Direction;
use crate::forms::{decode, logical, only};
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
    /// Moves all dates of the column by one shift: one known date then gives away all others.
    #[serde(default)]
    whole_column: bool,
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
                    type's range, become null.",
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
        let Params { days, per, whole_column } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(BindError::out_of_range("days", "a number from 1 to 36525"));
        }
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
            days,
            ticks_per_day,
            per,
            direction,
        }))
    }
}

#[derive(Clone)]
struct Bound {
    input: DataType,
    key: LinkageKey,
    days: u32,
    ticks_per_day: i64,
    /// The entity column; none for a whole-column shift.
    per: Vec<String>,
    direction: Direction,
}

impl Bound {
    /// The shift of an entity, in ticks: uniform over [-days, days] without 0.
    fn shift(&self, mut entity: Draw<'_>) -> i64 {
        let days = i64::from(self.days);
        let drawn = entity.below(2 * u64::from(self.days)) as i64;
        let shift = if drawn < days { drawn - days } else { drawn - days + 1 };
        // At most 36525 days of 8.64e13 ns: far below 2^63.
        let ticks = shift.saturating_mul(self.ticks_per_day);
        if self.direction == Direction::Mask { ticks } else { -ticks }
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        logical(&self.input).clone()
    }

    fn properties(&self) -> Properties {
        let whole_column = self.per.is_empty();
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
        let plain = decode(&self.input, column)?;
        if self.per.is_empty() {
            let shift = self.shift(self.key.prf(b""));
            return map_ticks(&plain, |_, ticks| ticks.checked_add(shift));
        }
        let shifts = map_drawn(only(others, column)?, &self.key, |entity| self.shift(entity))?;
        map_ticks(&plain, |row, ticks| ticks.checked_add(shifts.get(row).copied().flatten()?))
    }
}
