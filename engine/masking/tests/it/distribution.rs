//! Keyed choices are even: chi-squared at fixed keys, so that the result is fixed too.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type};
use engine_masking::find;
use serde_json::json;

use crate::bound::bind;

const ROWS: usize = 60_000;

/// Chi-squared over `kinds` equally likely kinds must stay within five standard deviations of
/// its mean: mean = degrees of freedom, variance = twice that.
pub(crate) fn assert_even<K: Ord>(found: impl Iterator<Item = K>, kinds: usize) {
    let mut counts = BTreeMap::new();
    let mut rows = 0_usize;
    for kind in found {
        *counts.entry(kind).or_insert(0_usize) += 1;
        rows += 1;
    }
    assert_eq!(counts.len(), kinds, "every kind occurs, and no other");
    let expected = rows as f64 / kinds as f64;
    let chi: f64 = counts.values().map(|count| (*count as f64 - expected).powi(2) / expected).sum();
    let freedom = (kinds - 1) as f64;
    assert!((chi - freedom).abs() < 5.0 * (2.0 * freedom).sqrt(), "chi-squared {chi} of {freedom}");
}

fn rows() -> ArrayRef {
    Arc::new((0..ROWS).map(|row| Some(format!("value {row}"))).collect::<StringArray>())
}

#[test]
fn words_are_equally_likely() {
    let first = bind(find("first_name").unwrap(), &json!({}), &DataType::Utf8).unwrap();
    let masked = first.apply(&rows(), &[]).unwrap();
    assert_even(masked.as_string::<i32>().iter(), 3_007);
    let lookup = bind(find("city").unwrap(), &json!({"lookup": "words"}), &DataType::Utf8).unwrap();
    let masked = lookup.apply(&rows(), &[]).unwrap();
    assert_even(masked.as_string::<i32>().iter(), 3);
}

#[test]
fn shifts_are_equally_likely_and_never_zero() {
    let params = json!({"days": 30, "per": "id"});
    let mask = bind(find("date_shift").unwrap(), &params, &DataType::Date32).unwrap();
    let column: ArrayRef = Arc::new(Date32Array::from(vec![0; ROWS]));
    let masked = mask.apply(&column, &[rows()]).unwrap();
    let shifts = || masked.as_primitive::<Date32Type>().values().iter().copied();
    assert!(shifts().all(|shift| shift != 0 && shift.abs() <= 30));
    assert_even(shifts(), 60);
}

#[test]
fn steps_are_equally_likely_and_never_zero() {
    let params = json!({"amount": 20, "per": "id"});
    let mask = bind(find("noise").unwrap(), &params, &DataType::Int64).unwrap();
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1_000; ROWS]));
    let masked = mask.apply(&column, &[rows()]).unwrap();
    let steps = || masked.as_primitive::<Int64Type>().values().iter().map(|value| value - 1_000);
    assert!(steps().all(|step| step != 0 && step.abs() <= 20));
    assert_even(steps(), 40);
}

#[test]
fn characters_of_pseudonyms_are_equally_likely_in_every_place() {
    let uuids = (0..ROWS).map(|row| Some(format!("{row:08x}-52d1-4320-9bac-f847db4148a8")));
    let uuids: ArrayRef = Arc::new(uuids.collect::<StringArray>());
    let macs = (0..ROWS).map(|row| Some(format!("001b44{row:06x}")));
    let macs: ArrayRef = Arc::new(macs.collect::<StringArray>());
    let digits: ArrayRef =
        Arc::new((0..ROWS).map(|row| Some(format!("{row:012}"))).collect::<StringArray>());
    // The second digit of a MAC address says what kind it is, the 15th and 20th character of a UUID its
    // version and variant.
    for (function, params, column, places, kinds) in [
        ("token", json!({}), rows(), (0..32).collect::<Vec<usize>>(), 16),
        ("token", json!({"format": "base32"}), rows(), (0..26).collect(), 32),
        ("uuid", json!({}), uuids, vec![0, 1, 7, 9, 12, 15, 17, 20, 24, 35], 16),
        ("mac", json!({}), macs, vec![0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 16),
        ("ff1", json!({}), digits, (0..12).collect(), 10),
    ] {
        let mask = bind(find(function).unwrap(), &params, &DataType::Utf8).unwrap();
        let masked = mask.apply(&column, &[]).unwrap();
        for place in places {
            let texts = masked.as_string::<i32>().iter();
            assert_even(texts.map(|text| text.unwrap().as_bytes()[place]), kinds);
        }
    }
}

#[test]
fn numbers_of_a_range_are_equally_likely() {
    let column: ArrayRef = Arc::new((1_000..).take(ROWS).map(Some).collect::<Int64Array>());
    let mask = bind(find("number").unwrap(), &json!({"min": -3, "max": 99}), &DataType::Int64);
    let masked = mask.unwrap().apply(&column, &[]).unwrap();
    assert_even(masked.as_primitive::<Int64Type>().values().iter(), 103);
}

/// Kolmogorov's distance of a sample from a distribution must stay below what one in a million samples
/// passes: 2.7 / √n.
fn assert_distributed(mut sample: Vec<f64>, distribution: impl Fn(f64) -> f64) {
    sample.sort_by(f64::total_cmp);
    let rows = sample.len() as f64;
    let places = sample.iter().zip(0_u32..).map(|(value, place)| {
        let (expected, place) = (distribution(*value), f64::from(place));
        (expected - place / rows).abs().max((place + 1.0) / rows - expected)
    });
    let distance = places.fold(0.0, f64::max);
    assert!(distance < 2.7 / rows.sqrt(), "{distance}");
}

fn laplace(value: f64) -> f64 {
    if value < 0.0 { value.exp() / 2.0 } else { 1.0 - (-value).exp() / 2.0 }
}

fn gaussian(value: f64) -> f64 {
    (1.0 + libm::erf(value / std::f64::consts::SQRT_2)) / 2.0
}

/// Steps of size 1 of floats, and steps of integers in units of their size.
fn steps(distribution: &str) -> [Vec<f64>; 2] {
    let params = |amount: f64| json!({"amount": amount, "distribution": distribution, "per": "id"});
    let noise = find("noise").unwrap();
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![0.0; ROWS]));
    let mask = bind(noise, &params(1.0), &DataType::Float64).unwrap();
    let masked = mask.apply(&floats, &[rows()]).unwrap();
    let small = masked.as_primitive::<Float64Type>().values().to_vec();
    let whole: ArrayRef = Arc::new(Int64Array::from(vec![0; ROWS]));
    let mask = bind(noise, &params(1e6), &DataType::Int64).unwrap();
    let masked = mask.apply(&whole, &[rows()]).unwrap();
    let large = masked.as_primitive::<Int64Type>().values().iter().map(|step| *step as f64 / 1e6);
    [small, large.collect()]
}

#[test]
fn steps_are_distributed_as_they_are_said_to_be() {
    let moments = |sample: &[f64]| {
        let rows = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / rows;
        (mean, sample.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / rows)
    };
    for sample in steps("uniform") {
        assert_distributed(sample, |value| (value + 1.0) / 2.0);
    }
    // Five standard deviations: of a mean √(variance / n), of a variance √((kurtosis - 1) / n) of it.
    for (distribution, cumulative, variance, kurtosis) in
        [("laplace", laplace as fn(f64) -> f64, 2.0, 6.0), ("gaussian", gaussian, 1.0, 3.0)]
    {
        for sample in steps(distribution) {
            let rows = sample.len() as f64;
            let (mean, spread) = moments(&sample);
            assert!(mean.abs() < 5.0 * f64::sqrt(variance / rows), "{distribution}: {mean}");
            let far = 5.0 * variance * f64::sqrt((kurtosis - 1.0) / rows);
            assert!((spread - variance).abs() < far, "{distribution}: {spread}");
            assert_distributed(sample, cumulative);
        }
    }
}

#[test]
fn places_are_spread_evenly_over_the_area_and_both_columns_move_as_one() {
    let (radius, least) = (1_000.0, 200.0);
    let of = |part: &str, with: &str| {
        let params = json!({"part": part, "with": with, "radius_meters": radius, "least_meters": least, "per": "id"});
        bind(find("location_jitter").unwrap(), &params, &DataType::Float64).unwrap()
    };
    let column = |degrees: f64| -> ArrayRef { Arc::new(Float64Array::from(vec![degrees; ROWS])) };
    let (latitude, longitude) = (60.0, 179.999);
    let (north, east) = (column(latitude), column(longitude));
    let masked = [
        of("latitude", "longitude").apply(&north, &[Arc::clone(&east), rows()]).unwrap(),
        of("longitude", "latitude").apply(&east, &[north, rows()]).unwrap(),
    ];
    let [norths, easts] =
        masked.map(|column| column.as_primitive::<Float64Type>().values().to_vec());
    let meters_per_degree = 6_371_008.8_f64.to_radians();
    let ways = norths.iter().zip(&easts).map(|(north, east)| {
        let east = (east - longitude + 540.0).rem_euclid(360.0) - 180.0;
        // On the small circle: the chord is shorter than the way by less than a part in a million.
        let east = east * north.to_radians().cos().sqrt() * latitude.to_radians().cos().sqrt();
        ((north - latitude) * meters_per_degree, east * meters_per_degree)
    });
    let ways: Vec<(f64, f64)> = ways.collect();
    let far: Vec<f64> = ways.iter().map(|(north, east)| north.hypot(*east)).collect();
    assert!(far.iter().all(|far| (least - 0.01..radius + 0.01).contains(far)));
    let area = |far: f64| (far.powi(2) - least.powi(2)) / (radius.powi(2) - least.powi(2));
    assert_distributed(far, |far| area(far).clamp(0.0, 1.0));
    let bearings =
        ways.iter().map(|(north, east)| east.atan2(*north) / std::f64::consts::TAU + 0.5);
    assert_distributed(bearings.collect(), |part| part);
}

#[test]
fn digits_are_equally_likely_in_every_place() {
    let mask = bind(find("phone").unwrap(), &json!({}), &DataType::Utf8).unwrap();
    let numbers = (0..ROWS).map(|row| Some(format!("+49 {:015}", row + 100_000_000_000_000)));
    let column: ArrayRef = Arc::new(numbers.collect::<StringArray>());
    let masked = mask.apply(&column, &[]).unwrap();
    let place = |place: usize| {
        masked.as_string::<i32>().iter().map(move |text| text.unwrap().as_bytes()[place])
    };
    assert_even(place(4), 8);
    for later in 5..19 {
        assert_even(place(later), 10);
    }
}
