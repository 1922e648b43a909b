//! `noise`: every number moves by a keyed, bounded step.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use super::range::Range;
use crate::canonical::{for_each, map_drawn};
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{became_null, decode, logical, newly_null, only, over_values_counted};
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
    /// Size of the steps either way, in the column's unit: the largest for `uniform`, the mean for
    /// `laplace` (its scale), the standard deviation for `gaussian`. One of `amount` and `ratio` is
    /// required.
    amount: Option<f64>,
    /// The same as a part of the number: above 0, at most 1. Zero stays zero in floats.
    ratio: Option<f64>,
    /// How long steps are.
    #[serde(default)]
    distribution: Distribution,
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

/// How long steps are; as many go up as down. Steps of integers and decimals are rounded up to whole units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Distribution {
    /// All lengths up to the largest are as likely.
    #[default]
    Uniform,
    /// Double exponential: long steps are ever rarer, and have no bound.
    Laplace,
    /// Normal: as above, and rarer still.
    Gaussian,
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
            summary: "Every number moves by a keyed step, uniform within bounds, Laplacian or \
                      Gaussian; integers and decimals always move.",
            privacy: "Every number remains to within the step, or about its size; equal numbers stay equal (per \
                      entity, with `per`). This is not differential privacy.",
            nulls: "Null stays null. NaN, infinities and numbers without an entity become null \
                    and are counted.",
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
                example(
                    r#"{"amount": 1000, "distribution": "laplace"}"#,
                    DataType::Int64,
                    &["52000", "52001", "52002"],
                    &[],
                    &["51317", "51568", "52553"],
                ),
                example(
                    r#"{"amount": 2.5, "distribution": "gaussian", "decimals": 2}"#,
                    DataType::Float64,
                    &["71.5", "71.6", "71.7"],
                    &[],
                    &["73.34", "69.55", "76.64"],
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
        let range = Range::new(number, given.min, given.max)?;
        let round = rounding(number, given.decimals)?;
        if let Some(name) = &given.per {
            params::check_column("per", name, context)?;
        }
        let per = given.per.into_iter().collect();
        let (input, distribution) = (context.input.clone(), given.distribution);
        Ok(Box::new(Bound { input, key, step, distribution, range, round, per }))
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

struct Bound {
    input: DataType,
    key: LinkageKey,
    step: Step,
    distribution: Distribution,
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
    /// The length of a step whose size is 1; the last bit of `way` says which way it goes. The functions
    /// are those of libm, which give the same bits everywhere.
    #[inline]
    fn size(&self, far: u64, way: u64) -> f64 {
        let part = |word: u64| (word >> 11) as f64 * UNIT;
        // From 2^-53 to 1.
        let exponential = || -libm::log(part(far) + UNIT);
        match self.distribution {
            Distribution::Uniform => part(far),
            Distribution::Laplace => exponential(),
            // Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958: a quarter of
            // the circle, for the way is drawn apart.
            Distribution::Gaussian => {
                let angle = part(way) * std::f64::consts::FRAC_PI_2;
                libm::sqrt(2.0 * exponential()) * libm::cos(angle)
            }
        }
    }

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
        let step = match self.distribution {
            Distribution::Uniform => {
                let largest = u64::try_from(largest).unwrap_or(u64::MAX);
                i128::from(((u128::from(far) * u128::from(largest)) >> 64) as u64) + 1
            }
            // `as` saturates; rounded up, an exponential length is a geometric one.
            _ => (libm::ceil(self.size(far, way) * largest as f64) as i128).max(1),
        };
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
        let size = self.size(far, way) * largest;
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
                Ok(newly_null(values, self.moved(values, &words)?))
            });
        }
        let plain = decode(&self.input, column)?;
        let words = words_per(&self.key, &plain, only(others, column)?)?;
        Ok(became_null(&plain, self.moved(&plain, &words)?))
    }
}
