//! `time_noise`: every timestamp and time of day moves by a keyed, bounded time of its own.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, TimeUnit};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::noise::{Words, words, words_per};
use super::params;
use crate::calendar::{SECONDS_PER_DAY, map_ticks, ticks_per_second};
use crate::canonical::map_drawn;
use crate::error::{BindError, MaskError};
use crate::forms::{became_null, decode, logical, newly_null, only, over_values_counted};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::LinkageKey;
use crate::properties::{Preserves, Properties, Uniqueness};

/// Thirty days; for more there is `datetime_shift`.
const SECONDS_MAX: u32 = 30 * 86_400;

/// A bounded time either way.
pub(super) struct TimeNoise;

/// Parameters of `time_noise`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Largest move, in seconds, either way: 1 to 2592000 (30 days), below a day for times of day.
    seconds: u32,
    /// Column of the same row that is keyed along, so that equal times of different entities move
    /// differently.
    per: Option<String>,
}

impl Function for TimeNoise {
    fn name(&self) -> &'static str {
        "time_noise"
    }

    fn doc(&self) -> Doc {
        let example = |params, input_type, input, others, output| Example {
            params,
            input_type,
            input,
            others,
            output,
        };
        Doc {
            summary: "Every timestamp and time of day moves by a keyed time of its own, uniform \
                      within the given bound and never none; times of day go on past midnight.",
            privacy: "Every time remains to within the bound; equal times stay equal (per entity, \
                      with `per`). Order and intervals below the bound do not remain.",
            nulls: "Null stays null. A time without an entity, and one that is or would be outside \
                    the type's range, becomes null and is counted. PostgreSQL's infinities stay.",
            examples: vec![
                example(
                    r#"{"seconds": 3600, "per": "id"}"#,
                    DataType::Timestamp(TimeUnit::Second, None),
                    &["2024-02-28T08:15:00", "2024-02-28T08:15:00"],
                    &[("id", &["1", "2"])],
                    &["2024-02-28T09:07:16", "2024-02-28T07:24:12"],
                ),
                example(
                    r#"{"seconds": 900}"#,
                    DataType::Time32(TimeUnit::Second),
                    &["08:15:00", "23:59:30"],
                    &[],
                    &["08:00:14", "23:46:32"],
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
        ticks_per_second(input).is_some()
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { seconds, per } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let plain = logical(context.input);
        if !(1..=SECONDS_MAX).contains(&seconds) {
            return Err(BindError::out_of_range("seconds", "a number from 1 to 2592000"));
        }
        // By a whole day, a time of day would come back to itself.
        let of_day = !matches!(plain, DataType::Timestamp(..));
        if of_day && i64::from(seconds) >= SECONDS_PER_DAY {
            return Err(BindError::out_of_range("seconds", "a number from 1 to 86399"));
        }
        if let Some(name) = &per {
            params::check_column("per", name, context)?;
        }
        let ticks_per_second = ticks_per_second(plain).unwrap_or(1);
        // At most 2.6e6 seconds of 1e9 ticks.
        let most = i64::from(seconds).saturating_mul(ticks_per_second);
        let day = of_day.then(|| ticks_per_second.saturating_mul(SECONDS_PER_DAY));
        let input = context.input.clone();
        Ok(Box::new(Bound { input, key, most, day, per: per.into_iter().collect() }))
    }
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    /// Ticks of the largest move.
    most: i64,
    /// Ticks of a day, for times of day.
    day: Option<i64>,
    /// The entity column, if any.
    per: Vec<String>,
}

impl Bound {
    /// From 1 to `most` ticks, up or down.
    fn moved(&self, ticks: i64, [far, way]: Words) -> Option<i64> {
        let drawn = (u128::from(far) * u128::from(self.most.unsigned_abs())) >> 64;
        // Below `most`.
        let step = i64::try_from(drawn).ok()?.checked_add(1)?;
        let moved = ticks.checked_add(if way & 1 == 0 { step } else { -step })?;
        match self.day {
            Some(day) if !(0..day).contains(&ticks) => None,
            Some(day) => Some(moved.rem_euclid(day)),
            None => Some(moved),
        }
    }

    fn all(&self, plain: &ArrayRef, words: &[Option<Words>]) -> Result<ArrayRef, MaskError> {
        map_ticks(plain, |row, ticks| self.moved(ticks, words.get(row).copied().flatten()?))
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        if self.per.is_empty() { self.input.clone() } else { logical(&self.input).clone() }
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves { null: true, ..Preserves::default() },
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
        if self.per.is_empty() {
            return over_values_counted(&self.input, column, |values| {
                let words = map_drawn(values, &self.key, words)?;
                Ok(newly_null(values, self.all(values, &words)?))
            });
        }
        let plain = decode(&self.input, column)?;
        let words = words_per(&self.key, &plain, only(others, column)?)?;
        Ok(became_null(&plain, self.all(&plain, &words)?))
    }
}
