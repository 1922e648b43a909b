//! `ff1_number`: a reversible permutation of the numbers of a range.
//!
//! ```text
//!  number - min ──▶ bits ── FF1, radix 2 ──▶ bits ──▶ + min
//!                    ▲                        │
//!                    └── again while outside ─┘
//! ```

use std::cell::Cell;
use std::sync::Arc;

use super::domain::{self, SmallDomain};
use super::otherwise::{Misfits, Otherwise};
use super::params;
use super::range::Range;
use crate::error::{BindError, MaskError};
use crate::feistel::{Direction, Lane, Permutation};
use crate::forms::{Counted, over_values_counted};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::numbers::{self, Number, for_each_number, map_numbers};
use crate::properties::{Preserves, Properties, Uniqueness};
use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Numbers of a range, permuted.
pub(super) struct Ff1Number;

/// Parameters of `ff1_number`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Least number of the range, exact up to 2^53; the least of the column's type when left out.
    min: Option<f64>,
    /// Greatest number of the range, exact up to 2^53; the greatest of the column's type when left out.
    max: Option<f64>,
    /// What becomes of a number outside the range.
    #[serde(default)]
    otherwise: Otherwise,
    /// Allows a range of 100 to 999999 numbers: who answers for it, and why.
    allow_small_domain: Option<SmallDomain>,
}

impl Function for Ff1Number {
    fn name(&self) -> &'static str {
        "ff1_number"
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
            summary: "Every number of a range becomes another number of it (FF1 of NIST SP \
                      800-38G); no two become the same, and the key restores them.",
            privacy: "That a number lies in the range, and which rows held equal numbers, \
                      remains. Whoever holds the key can restore every number.",
            nulls: "Null stays null. A number outside the range is an error, or null with \
                    `otherwise`.",
            examples: vec![
                example(
                    r#"{"min": 10000000, "max": 99999999}"#,
                    DataType::Int64,
                    &["10000000", "10000001", "73190022"],
                    &["24336788", "67363434", "68460850"],
                ),
                example(
                    r#"{"min": 0, "max": 99999.99, "otherwise": "null"}"#,
                    DataType::Decimal128(10, 2),
                    &["52000.00", "0.01", "-1.00"],
                    &["19544.49", "8239.86", ""],
                ),
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        matches!(Number::of(input), Some(Number::Units { .. }))
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let given: Params = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let number = Number::of(context.input).unwrap_or(Number::Float);
        let (min, max) = Range::new(number, given.min, given.max)?.units;
        // Two numbers of 127 bits are less than 2^128 apart.
        let greatest = max.abs_diff(min);
        let least = domain::least(given.allow_small_domain.as_ref())?;
        if greatest < least - 1 {
            let expected = format!("a range of at least {least} numbers");
            return Err(BindError::out_of_range("max", expected).hinted(
                "a smaller range can be listed by whoever sees enough of it; \
                 `allow_small_domain` with an owner and a reason allows 100 numbers and more",
            ));
        }
        let length = (u128::BITS - greatest.leading_zeros()) as usize;
        let permutation = Arc::new(Permutation::of(&key, 2, 0));
        let (input, misfits) = (context.input.clone(), given.otherwise.bound(context)?);
        let direction = Direction::Mask;
        Ok(Box::new(Bound { input, permutation, min, max, length, misfits, direction }))
    }
}

#[derive(Clone)]
struct Bound {
    input: DataType,
    permutation: Arc<Permutation>,
    min: i128,
    max: i128,
    /// Bits of the greatest number, counted from the least.
    length: usize,
    misfits: Misfits,
    direction: Direction,
}

impl Bound {
    /// The number counted from the least, if it is in the range.
    #[inline]
    fn offset(&self, value: i128) -> Option<u128> {
        (self.min..=self.max).contains(&value).then(|| value.abs_diff(self.min))
    }

    /// Bits of the second half of a lane.
    #[inline]
    fn second_bits(&self) -> usize {
        self.length - self.length / 2
    }

    #[inline]
    fn lane(&self, offset: u128) -> Lane {
        let bits = self.second_bits();
        let second = offset & ((1 << bits) - 1);
        let (first, second) = ((offset >> bits) as u64, second as u64);
        Lane { length: self.length, first, second, tweak: 0 }
    }

    #[inline]
    fn number(&self, lane: &Lane) -> u128 {
        u128::from(lane.first) << self.second_bits() | u128::from(lane.second)
    }

    /// Permutes every lane until it is inside the range: cycle walking, Black and Rogaway, "Ciphers with
    /// Arbitrary Finite Domains", 2002, section 3. The range has more than half of the numbers of its
    /// bits, so that two steps are enough on average.
    fn walk(&self, lanes: &mut [Lane]) {
        self.permutation.permute(lanes, self.direction);
        let greatest = self.max.abs_diff(self.min);
        let outside = |lane: &Lane| self.number(lane) > greatest;
        let mut places: Vec<usize> = (0..lanes.len()).collect();
        let mut walking = Vec::new();
        loop {
            places.retain(|place| lanes.get(*place).is_some_and(outside));
            if places.is_empty() {
                return;
            }
            walking.clear();
            walking.extend(places.iter().filter_map(|place| lanes.get(*place)).copied());
            self.permutation.permute(&mut walking, self.direction);
            for (place, lane) in places.iter().zip(&walking) {
                if let Some(slot) = lanes.get_mut(*place) {
                    *slot = *lane;
                }
            }
        }
    }

    fn masked(&self, column: &ArrayRef) -> Result<Counted, MaskError> {
        let (mut lanes, mut unfit, mut row) = (Vec::with_capacity(column.len()), Vec::new(), 0);
        for_each_number(column, |value| {
            if let Some(numbers::Value::Units(value)) = value {
                match self.offset(value) {
                    Some(offset) => lanes.push(self.lane(offset)),
                    None => unfit.push(row),
                }
            }
            row += 1;
            Ok(())
        })?;
        self.walk(&mut lanes);
        // Rows come in the same order again.
        let next = Cell::new(0);
        let masked = map_numbers(
            column,
            |_, value| {
                self.offset(value)?;
                let lane = lanes.get(next.replace(next.get() + 1))?;
                Some(self.min.wrapping_add_unsigned(self.number(lane)))
            },
            |_, _| None,
        )?;
        Ok((masked, unfit))
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        self.input.clone()
    }

    fn properties(&self) -> Properties {
        let all_fit = self.misfits.all_fit();
        Properties {
            deterministic: true,
            reversible: all_fit,
            uniqueness: if all_fit { Uniqueness::Bijective } else { Uniqueness::Lossy },
            preserves: Preserves { null: true, format: true, ..Preserves::default() },
            // A permutation may leave a number where it is.
            may_return_input: true,
        }
    }

    fn inverse(&self) -> Option<Box<dyn Mask>> {
        let direction = self.direction.reversed();
        self.misfits
            .all_fit()
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
