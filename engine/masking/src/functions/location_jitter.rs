//! `location_jitter`: places move by a keyed way of bounded length, latitude and longitude together.
//!
//! ```text
//!  latitude ─┬─ keyed ─▶ bearing and distance ─▶ the place there ─┬─▶ latitude  (rule of that column)
//!  longitude ┘           on the sphere                            └─▶ longitude (rule of the other)
//! ```
//!
//! Both rules read both columns raw: under one linkage they draw the same way.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::canonical::{for_each, map_drawn};
use crate::error::{BindError, MaskError};
use crate::forms::{became_null, decode, logical};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::numbers::{Number, map_numbers};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Mean radius of the earth: IUGG, `R1`.
const EARTH_METERS: f64 = 6_371_008.8;
/// A thousand kilometres.
const RADIUS_MAX: f64 = 1_000_000.0;
/// 2^-53: a 53-bit integer times this is a double in [0, 1).
const UNIT: f64 = 1.0 / 9_007_199_254_740_992.0;

/// A place near by.
pub(super) struct LocationJitter;

/// Parameters of `location_jitter`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// What the masked column holds, in degrees.
    part: Part,
    /// Column of the same row that holds the other part. Its own rule names this column, the same linkage
    /// and the same distances, so that both move together.
    with: String,
    /// Farthest a place moves, in metres: above 0, at most 1000000.
    radius_meters: f64,
    /// Least a place moves, in metres: below `radius_meters`.
    #[serde(default)]
    least_meters: f64,
    /// Column of the same row that is keyed along, so that one place of different entities moves
    /// differently.
    per: Option<String>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Part {
    /// -90 to 90.
    Latitude,
    /// -180 to 180.
    Longitude,
}

impl Function for LocationJitter {
    fn name(&self) -> &'static str {
        "location_jitter"
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
            summary: "Every place moves to a keyed one within a radius, evenly spread over its area; \
                      latitude and longitude move together.",
            privacy: "The place remains to within the radius, and equal places stay equal (per \
                      entity, with `per`): where few people live, or one lives long, it singles out.",
            nulls: "Null stays null. A place that lacks its other part or its entity, or is none \
                    (latitude beyond 90 degrees, longitude beyond 180), becomes null and is counted.",
            examples: vec![
                example(
                    r#"{"part": "latitude", "with": "longitude", "radius_meters": 500}"#,
                    DataType::Float64,
                    &["48.8584", "-90"],
                    &[("longitude", &["2.2945", "0"])],
                    &["48.86055168903315", "-89.99553786685212"],
                ),
                example(
                    r#"{"part": "longitude", "with": "latitude", "radius_meters": 500, "least_meters": 100}"#,
                    DataType::Decimal128(9, 6),
                    &["2.294500", "180.000000"],
                    &[("latitude", &["48.8584", "-16.5"])],
                    &["2.289098", "179.998718"],
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
        !logical(input).is_integer() && Number::of(input).is_some()
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let given: Params = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let (least, most) = (given.least_meters, given.radius_meters);
        if !(most > 0.0 && most <= RADIUS_MAX) {
            let expected = "metres above 0, at most 1000000";
            return Err(BindError::out_of_range("radius_meters", expected));
        }
        if !(0.0..most).contains(&least) {
            let expected = "metres from 0, below `radius_meters`";
            return Err(BindError::out_of_range("least_meters", expected));
        }
        params::check_column("with", &given.with, context)?;
        if let Some(name) = &given.per {
            params::check_column("per", name, context)?;
        }
        let area = |meters: f64| {
            let sine = libm::sin(meters / EARTH_METERS / 2.0);
            sine * sine
        };
        Ok(Box::new(Bound {
            input: context.input.clone(),
            number: Number::of(context.input).unwrap_or(Number::Float),
            key,
            part: given.part,
            areas: (area(least), area(most)),
            others: [given.with].into_iter().chain(given.per).collect(),
        }))
    }
}

/// Degrees north and east.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    latitude: f64,
    longitude: f64,
}

impl Place {
    fn is_one(self) -> bool {
        self.latitude.abs() <= 90.0 && self.longitude.abs() <= 180.0
    }

    /// What the place is keyed by.
    fn bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let (first, last) = bytes.split_at_mut(8);
        // -0 becomes 0.
        first.copy_from_slice(&(self.latitude + 0.0).to_le_bytes());
        last.copy_from_slice(&(self.longitude + 0.0).to_le_bytes());
        bytes
    }

    /// The place in a direction: `area` is the square of the sine of half the angle in between, which is
    /// as evenly spread as the area of the cap around a place; `bearing` is a part of the circle.
    fn moved(self, area: f64, bearing: f64) -> Self {
        let (latitude, longitude) = (self.latitude.to_radians(), self.longitude.to_radians());
        let (north, cos_latitude) = (libm::sin(latitude), libm::cos(latitude));
        let (sin_longitude, cos_longitude) = (libm::sin(longitude), libm::cos(longitude));
        let (cos_angle, sin_angle) = (1.0 - 2.0 * area, 2.0 * libm::sqrt(area * (1.0 - area)));
        let bearing = bearing * std::f64::consts::TAU;
        // How far north and east, in the plane that touches the sphere there.
        let (up, right) = (libm::cos(bearing) * sin_angle, libm::sin(bearing) * sin_angle);
        let out = cos_latitude * cos_angle - north * up;
        let x = out * cos_longitude - right * sin_longitude;
        let y = out * sin_longitude + right * cos_longitude;
        let z = north * cos_angle + cos_latitude * up;
        Self {
            latitude: libm::atan2(z, libm::sqrt(x * x + y * y)).to_degrees(),
            longitude: libm::atan2(y, x).to_degrees(),
        }
    }
}

struct Bound {
    input: DataType,
    number: Number,
    key: LinkageKey,
    part: Part,
    /// Least and greatest square of the sine of half the angle a place moves by.
    areas: (f64, f64),
    /// The other part, and the entity, if any.
    others: Vec<String>,
}

impl Bound {
    fn moved(&self, place: Place, mut draw: Draw<'_>) -> f64 {
        let mut part = || (draw.next_u64() >> 11) as f64 * UNIT;
        let (least, most) = self.areas;
        let area = least + part() * (most - least);
        let place = place.moved(area, part());
        match self.part {
            Part::Latitude => place.latitude,
            Part::Longitude => place.longitude,
        }
    }

    /// The places of the rows; none where a row has none.
    fn places(&self, plain: &ArrayRef, other: &ArrayRef) -> Result<Vec<Option<Place>>, MaskError> {
        let (own, other) = (degrees(plain)?, degrees(&decode(other.data_type(), other)?)?);
        let place = |(own, other): (Option<f64>, Option<f64>)| {
            let (own, other) = (own?, other?);
            let place = match self.part {
                Part::Latitude => Place { latitude: own, longitude: other },
                Part::Longitude => Place { latitude: other, longitude: own },
            };
            Some(place).filter(|place| place.is_one())
        };
        Ok(own.into_iter().zip(other).map(place).collect())
    }

    /// What each row becomes.
    fn all(
        &self,
        places: &[Option<Place>],
        entities: Option<&[Option<[u8; 32]>]>,
    ) -> Vec<Option<f64>> {
        let mut lanes = self.key.lanes();
        let mut rows = Vec::with_capacity(places.len());
        for (row, place) in places.iter().enumerate() {
            let entity = match entities {
                None => Some([0; 32]),
                Some(entities) => entities.get(row).copied().flatten(),
            };
            let place = place.zip(entity);
            if let Some((place, entity)) = place {
                let mut keyed = [0; 48];
                let parts = place.bytes().into_iter().chain(entity);
                keyed.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
                lanes.push(&keyed);
            }
            rows.push(place.map(|(place, _)| place));
        }
        let mut hashes = lanes.finish().iter();
        let moved = |place: Option<Place>| {
            place.and_then(|place| Some(self.moved(place, self.key.draw(*hashes.next()?))))
        };
        rows.into_iter().map(moved).collect()
    }
}

/// The numbers of a column, whatever it holds them as.
fn degrees(column: &ArrayRef) -> Result<Vec<Option<f64>>, MaskError> {
    let mut degrees = Vec::with_capacity(column.len());
    for_each(column.as_ref(), |_, text| {
        let text = text.and_then(|text| std::str::from_utf8(text).ok());
        degrees.push(text.and_then(|text| text.parse().ok()));
        Ok(())
    })?;
    Ok(degrees)
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
            preserves: Preserves { null: true, ..Preserves::default() },
            // A short way may be lost in rounding, and a way due north leaves the longitude.
            may_return_input: true,
        }
    }

    fn inputs(&self) -> &[String] {
        &self.others
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
        if let Some(other) = others.iter().find(|other| other.len() != column.len()) {
            return Err(MaskError::UnequalLengths { expected: column.len(), found: other.len() });
        }
        let (other, entities) = match others {
            [other] if self.others.len() == 1 => (other, None),
            [other, per] if self.others.len() == 2 => {
                (other, Some(map_drawn(per, &self.key, |entity| *entity.bytes())?))
            }
            _ => {
                let (expected, found) = (self.others.len(), others.len());
                return Err(MaskError::UnexpectedInputs { expected, found });
            }
        };
        let moved = self.all(&self.places(&plain, other)?, entities.as_deref());
        let moved = |row: usize| moved.get(row).copied().flatten();
        let Number::Units { min, max, .. } = self.number else {
            let masked = map_numbers(&plain, |_, _| None, |row, _| moved(row))?;
            return Ok(became_null(&plain, masked));
        };
        let units = |row| {
            let units = self.number.units(moved(row)?)?;
            (min..=max).contains(&units).then_some(units)
        };
        let masked = map_numbers(&plain, |row, _| units(row), |_, _| None)?;
        Ok(became_null(&plain, masked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Metres between two places, by the haversine formula.
    fn between(one: Place, other: Place) -> f64 {
        let half = |left: f64, right: f64| ((right - left).to_radians() / 2.0).sin().powi(2);
        let across = one.latitude.to_radians().cos() * other.latitude.to_radians().cos();
        let square =
            half(one.latitude, other.latitude) + across * half(one.longitude, other.longitude);
        2.0 * EARTH_METERS * square.sqrt().asin()
    }

    #[test]
    fn a_place_moves_as_far_as_asked_for_poles_and_antimeridian_included() {
        let area = |meters: f64| (meters / EARTH_METERS / 2.0).sin().powi(2);
        for (latitude, longitude) in [
            (0.0, 0.0),
            (48.8584, 2.2945),
            (90.0, 0.0),
            (-90.0, 17.0),
            (16.5, 180.0),
            (-16.5, -180.0),
            (89.9999, 100.0),
        ] {
            let place = Place { latitude, longitude };
            for meters in [1.0, 500.0, 100_000.0] {
                for step in 0..16 {
                    let moved = place.moved(area(meters), f64::from(step) / 16.0);
                    assert!(moved.is_one(), "{moved:?}");
                    let found = between(place, moved);
                    assert!(
                        (found - meters).abs() < 0.001 + meters * 1e-6,
                        "{place:?} {meters}: {found}"
                    );
                }
            }
        }
        // A quarter of the circle is east, none north: 1852 m are a minute of arc, nearly.
        let moved = Place { latitude: 0.0, longitude: 10.0 }.moved(area(1_852.0), 0.25);
        assert!(moved.latitude.abs() < 1e-9 && (moved.longitude - 10.0 - 1.0 / 60.0).abs() < 1e-4);
        let moved = Place { latitude: 10.0, longitude: 10.0 }.moved(area(1_852.0), 0.0);
        assert!(
            (moved.longitude - 10.0).abs() < 1e-9
                && (moved.latitude - 10.0 - 1.0 / 60.0).abs() < 1e-4
        );
    }
}
