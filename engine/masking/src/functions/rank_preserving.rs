//! `rank_preserving`: numbers and dates of a range become others in the same order.
//!
//! ```text
//!  [min ········ max]           every range is halved, and its image parted by key, until one
//!   ├──────┬────────┤            number is left; that becomes a keyed number of its own image
//!   ├────┬─┴────────────┤
//!  [out_min ······· out_max]
//! ```
//!
//! The idea is that of Boldyreva, Chenette, Lee and O'Neill, "Order-Preserving Symmetric Encryption",
//! 2009, with plain choices in place of hypergeometric ones.

mod tree;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Int64Type};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use self::tree::Tree;
use super::otherwise::{Misfits, Otherwise};
use super::params;
use super::range::units;
use crate::calendar::{is_infinite, map_ticks, ticks_of, ticks_per_day};
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::feistel::Direction;
use crate::forms::{Counted, logical, over_values_counted};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::numbers::{self, Number, for_each_number, map_numbers};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Steps a range of floats is seen in.
const FLOAT_STEPS: u128 = 1 << 40;

/// Others in the same order.
pub(super) struct RankPreserving;

/// Parameters of `rank_preserving`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Least value: a number (exact up to 2^53), or a date or time as text, in UTC.
    min: Value,
    /// Greatest value.
    max: Value,
    /// Least value that comes out; `min` when left out.
    out_min: Option<Value>,
    /// Greatest value that comes out; `max` when left out. A range twice as long as the values' own, or
    /// longer, keeps them apart, so that they can be restored; in a shorter one, neighbours may fall
    /// together.
    out_max: Option<Value>,
    /// What becomes of a value outside the range.
    #[serde(default)]
    otherwise: Otherwise,
}

impl Function for RankPreserving {
    fn name(&self) -> &'static str {
        "rank_preserving"
    }

    fn doc(&self) -> Doc {
        let example = |params, input_type, input, output| Example {
            params,
            input_type,
            input,
            others: &[],
            output,
        };
        Doc {
            summary: "Numbers and dates of a range become others, by key, in the same order; \
                      distances do not stay.",
            privacy: "The order of all values remains, with it the rank of each, and roughly where \
                      each lies in its range: of what is to spare, each half of a range keeps a \
                      quarter to three quarters. Who knows some values brackets those between. \
                      Whoever holds the key can restore values that are kept apart.",
            nulls: "Null stays null. A value outside the range is an error, or null with \
                    `otherwise`; PostgreSQL's infinite dates stay.",
            examples: vec![
                example(
                    r#"{"min": 0, "max": 10000000}"#,
                    DataType::Decimal128(10, 2),
                    &["52000.00", "52000.01", "61000.00", "9999999.99"],
                    &["14853.57", "14853.57", "16661.83", "9999999.99"],
                ),
                example(
                    r#"{"min": 1, "max": 100000, "out_min": 1000000, "out_max": 9999999}"#,
                    DataType::Int64,
                    &["1", "2", "3", "99999"],
                    &["1000013", "1000504", "1000621", "9999837"],
                ),
                example(
                    r#"{"min": "1900-01-01", "max": "2029-12-31"}"#,
                    DataType::Date32,
                    &["1984-05-17", "1984-05-20", "2024-02-29"],
                    &["2002-03-04", "2002-03-04", "2028-07-16"],
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
        Number::of(input).is_some() || ticks_per_day(input).is_some()
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let given: Params = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let out_min = given.out_min.as_ref().unwrap_or(&given.min);
        let out_max = given.out_max.as_ref().unwrap_or(&given.max);
        let range = |names: [&str; 2], least: &Value, greatest: &Value| {
            let least = bound(context.input, names[0], least)?;
            let greatest = bound(context.input, names[1], greatest)?;
            Span::of(least, greatest).ok_or_else(|| {
                BindError::out_of_range(names[0], format!("less than `{}`", names[1]))
            })
        };
        let from = range(["min", "max"], &given.min, &given.max)?;
        let to = range(["out_min", "out_max"], out_min, out_max)?;
        Ok(Box::new(Bound {
            input: context.input.clone(),
            tree: Arc::new(Tree::new(key, from.steps(), to.steps_out())),
            from,
            to,
            misfits: given.otherwise.bound(context)?,
            direction: Direction::Mask,
        }))
    }
}

/// A bound of a range, as numbers of the column's type are seen.
fn bound(input: &DataType, name: &str, given: &Value) -> Result<numbers::Value, BindError> {
    let refused = || {
        let plain = logical(input);
        BindError::out_of_range(name, format!("a value that a column of {plain} can hold"))
    };
    match (Number::of(input), given) {
        (Some(Number::Float), Value::Number(number)) => {
            let float = number.as_f64().filter(|float| float.abs() <= f64::MAX / 4.0);
            float.map(numbers::Value::Float).ok_or_else(refused)
        }
        (Some(number), Value::Number(given)) => {
            let given = given.as_f64().ok_or_else(refused)?;
            units(number, name, given).map(numbers::Value::Units)
        }
        (None, Value::String(text)) => {
            // Zones by name need not be known to Arrow.
            let plain = match logical(input) {
                DataType::Timestamp(unit, _) => DataType::Timestamp(*unit, Some("+00:00".into())),
                date => date.clone(),
            };
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            let column: ArrayRef = Arc::new(StringArray::from(vec![text.as_str()]));
            let ticks = cast_with_options(&column, &plain, &strict).ok();
            let ticks = ticks.and_then(|column| ticks_of(&column).ok());
            let first = ticks.and_then(|ticks| ticks.as_primitive::<Int64Type>().iter().next());
            match first.flatten() {
                Some(ticks) if !is_infinite(&plain, ticks) => {
                    Ok(numbers::Value::Units(ticks.into()))
                }
                _ => Err(refused()),
            }
        }
        (number, _) => {
            let expected = if number.is_some() { "a number" } else { "a date or time as text" };
            let kind = BindErrorKind::WrongType { message: format!("expected {expected}") };
            Err(BindError::at(name, kind))
        }
    }
}

/// A range of values.
#[derive(Debug, Clone, Copy)]
enum Span {
    Units(i128, i128),
    Floats(f64, f64),
}

impl Span {
    fn of(least: numbers::Value, greatest: numbers::Value) -> Option<Self> {
        match (least, greatest) {
            (numbers::Value::Units(least), numbers::Value::Units(greatest)) => {
                (least < greatest).then_some(Self::Units(least, greatest))
            }
            (numbers::Value::Float(least), numbers::Value::Float(greatest)) => {
                (least < greatest).then_some(Self::Floats(least, greatest))
            }
            _ => None,
        }
    }

    /// How many values are told apart.
    fn steps(self) -> u128 {
        match self {
            // Less than 2^128: a decimal has 38 digits.
            Self::Units(least, greatest) => greatest.abs_diff(least).saturating_add(1),
            Self::Floats(..) => FLOAT_STEPS,
        }
    }

    /// The same for what comes out: floats have more room.
    fn steps_out(self) -> u128 {
        match self {
            Self::Units(..) => self.steps(),
            Self::Floats(..) => 2 * FLOAT_STEPS,
        }
    }

    /// The step of a value; none outside the range.
    #[inline]
    fn step(self, value: numbers::Value) -> Option<u128> {
        match (self, value) {
            (Self::Units(least, greatest), numbers::Value::Units(value)) => {
                (least..=greatest).contains(&value).then(|| value.abs_diff(least))
            }
            (Self::Floats(least, greatest), numbers::Value::Float(value)) => {
                let part = (value - least) / (greatest - least) * FLOAT_STEPS as f64;
                let step = (part as u128).min(FLOAT_STEPS - 1);
                (least..=greatest).contains(&value).then_some(step)
            }
            _ => None,
        }
    }

    #[inline]
    fn unit(self, step: u128) -> Option<i128> {
        match self {
            Self::Units(least, _) => Some(least.wrapping_add_unsigned(step)),
            Self::Floats(..) => None,
        }
    }

    /// The middle of a step.
    #[inline]
    fn float(self, step: u128) -> Option<f64> {
        match self {
            Self::Units(..) => None,
            Self::Floats(least, greatest) => {
                let part = (step as f64 + 0.5) / (2 * FLOAT_STEPS) as f64;
                Some(least + part * (greatest - least))
            }
        }
    }
}

#[derive(Clone)]
struct Bound {
    input: DataType,
    tree: Arc<Tree>,
    from: Span,
    to: Span,
    misfits: Misfits,
    direction: Direction,
}

impl Bound {
    fn is_reversible(&self) -> bool {
        self.misfits.all_fit() && self.tree.is_strict() && matches!(self.from, Span::Units(..))
    }

    fn masked(&self, column: &ArrayRef) -> Result<Counted, MaskError> {
        let (from, to) = match self.direction {
            Direction::Mask => (self.from, self.to),
            Direction::Restore => (self.to, self.from),
        };
        let dates = ticks_per_day(column.data_type()).is_some();
        let (mut steps, mut given) = (Vec::with_capacity(column.len()), Vec::new());
        let mut see = |value: Option<numbers::Value>| {
            given.push(value.is_some());
            steps.push(value.and_then(|value| from.step(value)));
        };
        if dates {
            let ticks = ticks_of(column)?;
            for ticks in ticks.as_primitive::<Int64Type>() {
                let finite = ticks.filter(|ticks| !is_infinite(column.data_type(), *ticks));
                see(finite.map(|ticks| numbers::Value::Units(ticks.into())));
            }
        } else {
            for_each_number(column, |value| {
                see(value);
                Ok(())
            })?;
        }
        self.tree.map(&mut steps, self.direction);
        let unfit = given.iter().zip(&steps).enumerate();
        let unfit = unfit.filter(|(_, (given, step))| **given && step.is_none());
        let unfit = unfit.map(|(row, _)| row).collect();
        let step = |row: usize| steps.get(row).copied().flatten();
        let unit = |row: usize| to.unit(step(row)?);
        let masked = if dates {
            map_ticks(column, |row, _| i64::try_from(unit(row)?).ok())?
        } else {
            map_numbers(column, |row, _| unit(row), |row, _| to.float(step(row)?))?
        };
        Ok((masked, unfit))
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        self.input.clone()
    }

    fn properties(&self) -> Properties {
        let reversible = self.is_reversible();
        Properties {
            deterministic: true,
            reversible,
            uniqueness: if reversible { Uniqueness::Bijective } else { Uniqueness::Lossy },
            preserves: Preserves { order: true, null: true, ..Preserves::default() },
            may_return_input: true,
        }
    }

    fn inverse(&self) -> Option<Box<dyn Mask>> {
        let direction = self.direction.reversed();
        self.is_reversible()
            .then(|| -> Box<dyn Mask> { Box::new(Self { direction, ..self.clone() }) })
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Ok(self.apply_counted(column, others)?.0)
    }

    fn apply_counted(
        &self,
        column: &ArrayRef,
        _others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        self.misfits.settle(over_values_counted(&self.input, column, |values| self.masked(values))?)
    }
}
