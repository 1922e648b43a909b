//! Keyed choices are even: chi-squared at fixed keys, so that the result is fixed too.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
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
