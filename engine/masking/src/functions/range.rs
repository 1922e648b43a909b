//! A range of numbers, as `min` and `max` of a function's parameters.

use crate::error::BindError;
use crate::numbers::Number;

/// A range of a column's numbers: in units or floats, as the column has them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    /// The least and the greatest number in units; both 0 for floats.
    pub(super) units: (i128, i128),
    /// The same as floats.
    pub(super) floats: (f64, f64),
}

impl Range {
    /// The range of these parameters; an end that is left out is that of the type.
    pub(super) fn new(
        number: Number,
        min: Option<f64>,
        max: Option<f64>,
    ) -> Result<Self, BindError> {
        let floats = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
        let units = match number {
            Number::Float => (0, 0),
            Number::Units { min: least, max: greatest, .. } => {
                let end = |name, given: Option<f64>, other| {
                    given.map_or(Ok(other), |given| units(number, name, given))
                };
                (end("min", min, least)?, end("max", max, greatest)?)
            }
        };
        // Two floats may be one unit.
        if floats.0 < floats.1 && (number == Number::Float || units.0 < units.1) {
            return Ok(Self { units, floats });
        }
        Err(BindError::out_of_range("min", "a number below `max`"))
    }
}

/// A parameter in units of the column's type.
pub(super) fn units(number: Number, name: &str, given: f64) -> Result<i128, BindError> {
    let units = number.units(given).filter(|units| match number {
        Number::Units { min, max, .. } => (min..=max).contains(units),
        Number::Float => false,
    });
    let refused = || BindError::out_of_range(name, "a number that the column's type can hold");
    units.ok_or_else(refused)
}
