//! `noise`: every number moves by a keyed, bounded step.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::canonical::{for_each, map_drawn};
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{decode, logical, only, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::numbers::{Number, map_numbers};
use crate::properties::{Preserves, Properties, Uniqueness};

/// More digits than a double keeps of most numbers.
const DECIMALS_MAX: u32 = 12;

/// 2^-53: a 53-bit integer times this is a double in [0, 1).
const UNIT: f64 = 1.0 / 9_007_199_254_740_992.0;

/// A bounded step.
pub(super) struct Noise;

/// Parameters of `noise`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Largest step either way, in the column's unit. One of `amount` and `ratio` is required.
    amount: Option<f64>,
    /// Largest step as a part of the number: above 0, at most 1. Zero stays zero in floats.
    ratio: Option<f64>,
    /// Least number that may come out.
    min: Option<f64>,
    /// Greatest number that may come out.
    max: Option<f64>,
    /// Rounds floats to so many decimals: 0 to 12.
    decimals: Option<u32>,
    /// Column of the same row that is keyed along, so that equal numbers of different entities
    /// move differently.
    per: Option<String>,
}

impl Function for Noise {
    fn name(&self) -> &'static str {
        "noise"
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
            summary: "Every number moves by a keyed step, uniform within the given bounds; \
                      integers and decimals always move.",
            privacy: "Every number remains to within the step; equal numbers stay equal (per \
                      entity, with `per`). This is not differential privacy.",
            nulls: "Null stays null. NaN, infinities and numbers without an entity become null.",
            examples: vec![
                example(
                    r#"{"amount": 500, "min": 0}"#,
                    DataType::Decimal128(10, 2),
                    &["52000.00", "100.00", "52000.00"],
                    &[],
                    &["51747.30", "509.32", "51747.30"],
                ),
                example(
                    r#"{"ratio": 0.1, "decimals": 1, "per": "id"}"#,
                    DataType::Float64,
                    &["71.5", "71.5"],
                    &[("id", &["1", "2"])],
                    &["78.6", "65.1"],
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
        Number::of(input).is_some()
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let given: Params = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let number = Number::of(context.input).unwrap_or(Number::Float);
        let step = step(number, given.amount, given.ratio)?;
        let range = range(number, given.min, given.max)?;
        let round = rounding(number, given.decimals)?;
        if let Some(name) = &given.per {
            params::check_column("per", name, context)?;
        }
        let per = given.per.into_iter().collect();
        Ok(Box::new(Bound { input: context.input.clone(), key, step, range, round, per }))
    }
}

fn step(number: Number, amount: Option<f64>, ratio: Option<f64>) -> Result<Step, BindError> {
    match (amount, ratio) {
        (Some(amount), None) if number == Number::Float => {
            if amount.is_finite() && amount > 0.0 {
                Ok(Step::Amount(amount))
            } else {
                Err(BindError::out_of_range("amount", "a number above 0"))
            }
        }
        (Some(amount), None) => match number.units(amount) {
            Some(units) if units >= 1 => Ok(Step::Units(units)),
            _ => Err(BindError::out_of_range(
                "amount",
                "a number above 0, at least one unit of the column's type",
            )),
        },
        (None, Some(ratio)) if ratio > 0.0 && ratio <= 1.0 => Ok(Step::Ratio(ratio)),
        (None, Some(_)) => Err(BindError::out_of_range("ratio", "a number above 0 and at most 1")),
        (Some(_), Some(_)) => {
            Err(BindError::out_of_range("ratio", "either `amount` or `ratio`, not both"))
        }
        (None, None) => {
            let kind = BindErrorKind::MissingParameter { name: "amount".to_owned() };
            Err(BindError::whole(kind).hinted("or give `ratio`"))
        }
    }
}

fn range(number: Number, min: Option<f64>, max: Option<f64>) -> Result<Range, BindError> {
    let least = min.unwrap_or(f64::NEG_INFINITY);
    let greatest = max.unwrap_or(f64::INFINITY);
    if least >= greatest || least.is_nan() || greatest.is_nan() {
        return Err(BindError::out_of_range("min", "a number below `max`"));
    }
    let Number::Units { min: type_min, max: type_max, .. } = number else {
        return Ok(Range { units: (0, 0), floats: (least, greatest) });
    };
    let bound = |name, given: Option<f64>, other| match given {
        None => Ok(other),
        Some(given) => {
            number.units(given).filter(|units| (type_min..=type_max).contains(units)).ok_or_else(
                || BindError::out_of_range(name, "a number that the column's type can hold"),
            )
        }
    };
    let units = (bound("min", min, type_min)?, bound("max", max, type_max)?);
    if units.0 >= units.1 {
        return Err(BindError::out_of_range("min", "a number below `max`"));
    }
    Ok(Range { units, floats: (least, greatest) })
}

fn rounding(number: Number, decimals: Option<u32>) -> Result<Option<f64>, BindError> {
    match (number, decimals) {
        (_, None) => Ok(None),
        (Number::Units { .. }, Some(_)) => {
            Err(BindError::out_of_range("decimals", "decimals only for columns of floats"))
        }
        (Number::Float, Some(decimals)) if decimals <= DECIMALS_MAX => {
            Ok(Some((0..decimals).fold(1.0, |power, _| power * 10.0)))
        }
        (Number::Float, Some(_)) => {
            Err(BindError::out_of_range("decimals", "a number from 0 to 12"))
        }
    }
}

#[derive(Clone, Copy)]
enum Step {
    Amount(f64),
    Units(i128),
    Ratio(f64),
}

struct Range {
    units: (i128, i128),
    floats: (f64, f64),
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    step: Step,
    range: Range,
    /// 10 to the number of decimals floats are rounded to.
    round: Option<f64>,
    /// The entity column, if any.
    per: Vec<String>,
}

/// Two words of a value's stream: how far, and which way.
pub(super) type Words = [u64; 2];

pub(super) fn words(mut draw: Draw<'_>) -> Words {
    [draw.next_u64(), draw.next_u64()]
}

impl Bound {
    /// A whole step from 1 to the largest, up or down; taken the other way if it would leave
    /// the range, and to the farther bound if it would leave it both ways. A number outside
    /// the range goes to the bound next to it if the step does not bring it inside.
    fn units(&self, value: i128, [far, way]: Words) -> Option<i128> {
        let (min, max) = self.range.units;
        let largest = match self.step {
            Step::Units(largest) => largest,
            Step::Ratio(ratio) => ((value.unsigned_abs() as f64 * ratio) as i128).max(1),
            Step::Amount(_) => return None,
        };
        let largest = u64::try_from(largest).unwrap_or(u64::MAX);
        let step = i128::from(((u128::from(far) * u128::from(largest)) >> 64) as u64) + 1;
        let step = if way & 1 == 0 { step } else { -step };
        let inside = |moved: &i128| (min..=max).contains(moved);
        let there = value.checked_add(step).filter(inside);
        let back = || value.checked_sub(step).filter(inside);
        let bound = || match value {
            below if below < min => min,
            above if above > max => max,
            _ if max.saturating_sub(value) >= value.saturating_sub(min) => max,
            _ => min,
        };
        Some(there.or_else(back).unwrap_or_else(bound))
    }

    /// The same for floats, where the step is uniform over the reals in the bounds.
    fn float(&self, value: f64, [far, way]: Words) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        let (min, max) = self.range.floats;
        let largest = match self.step {
            Step::Amount(largest) => largest,
            Step::Ratio(ratio) => value.abs() * ratio,
            Step::Units(_) => return None,
        };
        let size = (far >> 11) as f64 * UNIT * largest;
        let step = if way & 1 == 0 { size } else { -size };
        let round = |moved: f64| match self.round {
            Some(power) if (moved * power).is_finite() => (moved * power).round() / power,
            _ => moved,
        };
        let inside = |moved: &f64| (min..=max).contains(moved);
        let there = Some(round(value + step)).filter(inside);
        let back = || Some(round(value - step)).filter(inside);
        let bound = || match value {
            below if below < min => min,
            above if above > max => max,
            _ if max - value >= value - min => max,
            _ => min,
        };
        Some(there.or_else(back).unwrap_or_else(bound)).filter(|moved| moved.is_finite())
    }

    fn moved(&self, plain: &ArrayRef, words: &[Option<Words>]) -> Result<ArrayRef, MaskError> {
        let word = |row: usize| words.get(row).copied().flatten();
        map_numbers(
            plain,
            |row, value| self.units(value, word(row)?),
            |row, value| self.float(value, word(row)?),
        )
    }
}

/// The words of each row, keyed by its entity's hash and its value.
pub(super) fn words_per(
    key: &LinkageKey,
    plain: &ArrayRef,
    entities: &ArrayRef,
) -> Result<Vec<Option<Words>>, MaskError> {
    let entities = map_drawn(entities, key, |entity| *entity.bytes())?;
    let mut lanes = key.lanes();
    let mut both = Vec::with_capacity(plain.len());
    let mut keyed = Vec::with_capacity(96);
    for_each(plain.as_ref(), |row, value| {
        let entity = entities.get(row).copied().flatten();
        both.push(entity.is_some() && value.is_some());
        if let Some((entity, value)) = entity.zip(value) {
            keyed.clear();
            keyed.extend_from_slice(&entity);
            keyed.extend_from_slice(value);
            lanes.push(&keyed);
        }
        Ok(())
    })?;
    let mut hashes = lanes.finish().iter();
    let words = |both| if both { hashes.next().map(|hash| words(key.draw(*hash))) } else { None };
    Ok(both.into_iter().map(words).collect())
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
            // A float may be too large for the step to show, too small to survive rounding, or 0.
            may_return_input: Number::of(&self.input) == Some(Number::Float),
        }
    }

    fn inputs(&self) -> &[String] {
        &self.per
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        if self.per.is_empty() {
            return over_values(&self.input, column, |values| {
                let words = map_drawn(values, &self.key, words)?;
                self.moved(values, &words)
            });
        }
        let plain = decode(&self.input, column)?;
        let words = words_per(&self.key, &plain, only(others, column)?)?;
        self.moved(&plain, &words)
    }
}
