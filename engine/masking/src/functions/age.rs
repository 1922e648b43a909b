//! `age`: a date becomes the age in whole years at a fixed day, with a cap.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array};
use arrow::datatypes::{DataType, Int64Type};
use chrono::{Datelike, NaiveDate};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::calendar::{Civil, is_infinite, ticks_of, ticks_per_day};
use crate::error::{BindError, MaskError};
use crate::forms::{decode, logical};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Ages of 90 and more are one category: 45 CFR 164.514(b)(2)(i)(C).
const CAP: i32 = 90;
/// The greatest cap: more would hide nobody.
const CAP_MAX: i32 = 120;

/// The age at a fixed day.
pub(super) struct Age;

/// Parameters of `age`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The day ages are taken at, as in `2024-01-01`.
    reference: String,
    /// The greatest age that comes out, and stands for all above it: 1 to 120. The default, 90, is
    /// HIPAA's category of all over 89.
    #[serde(default = "cap")]
    cap: i32,
}

fn cap() -> i32 {
    CAP
}

impl Function for Age {
    fn name(&self) -> &'static str {
        "age"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every date of birth becomes the age in whole years at a given day, with a cap, \
                      as a 32-bit integer.",
            privacy: "The age remains, and with it the year of birth to within one year.",
            nulls: "Null stays null. A date after the given day, and an infinite one, becomes null.",
            examples: vec![Example {
                params: r#"{"reference": "2024-03-01"}"#,
                input_type: DataType::Date32,
                input: &["1984-03-01", "1984-03-02", "2004-02-29", "1901-01-01", "2024-03-02"],
                others: &[],
                output: &["40", "39", "20", "90", ""],
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
        false
    }

    fn accepts(&self, input: &DataType) -> bool {
        ticks_per_day(input).is_some()
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { reference, cap } = params::parse(self, params, context)?;
        let Ok(reference) = reference.parse::<NaiveDate>() else {
            return Err(BindError::out_of_range("reference", "a day, as in `2024-01-01`"));
        };
        if !(1..=CAP_MAX).contains(&cap) {
            return Err(BindError::out_of_range("cap", "a number from 1 to 120"));
        }
        let ticks_per_day = ticks_per_day(context.input).unwrap_or(1);
        let reference = Civil {
            year: reference.year().into(),
            month: reference.month().into(),
            day: reference.day().into(),
        };
        Ok(Box::new(Bound { input: context.input.clone(), reference, cap, ticks_per_day }))
    }
}

struct Bound {
    input: DataType,
    reference: Civil,
    cap: i32,
    ticks_per_day: i64,
}

impl Bound {
    /// Whole years from a day to the reference. Who is born on 29 February is a year older on
    /// 1 March in other years.
    fn age(&self, ticks: i64) -> Option<i32> {
        if is_infinite(logical(&self.input), ticks) {
            return None;
        }
        let birth = Civil::of_day(ticks.div_euclid(self.ticks_per_day))?;
        let day = |date: Civil| (date.month, date.day);
        let passed = i64::from(day(self.reference) < day(birth));
        let age = (self.reference.year - birth.year - passed).min(self.cap.into());
        // At most the cap.
        (birth <= self.reference).then_some(age as i32)
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        DataType::Int32
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves { null: true, ..Preserves::default() },
            // A date beyond the calendar is written as its number, as ages are.
            may_return_input: false,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        let ticks = ticks_of(&decode(&self.input, column)?)?;
        let ticks = ticks.as_primitive::<Int64Type>();
        let ages: Int32Array = ticks.iter().map(|ticks| self.age(ticks?)).collect();
        Ok(Arc::new(ages))
    }
}
