//! Dates and times: infinities, years before the first, zones, and days of the week.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimeUnit, TimestampSecondType};
use engine_masking::{MaskError, Uniqueness, find, unchanged_rows};
use serde_json::{Value, json};

use crate::bound::{bind, bind_with, column, texts};
use crate::laws::apply;

#[test]
fn a_date_that_would_leave_the_type_is_refused_or_becomes_null() {
    let dates = vec![i32::MIN + 1, i32::MAX - 1, 0];
    let column: ArrayRef = Arc::new(Date32Array::from(dates));
    for linkage in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let bound = |params: Value| {
            let function = find("date_shift").unwrap();
            bind_with(function, &params, &DataType::Date32, &[3; 32], linkage).unwrap()
        };
        let refused = bound(json!({"days": 10, "whole_column": true}));
        assert_eq!(refused.properties().uniqueness, Uniqueness::Bijective);
        assert_eq!(refused.apply(&column, &[]).err(), Some(MaskError::DoesNotFit { count: 1 }));
        let nulled = bound(json!({"days": 10, "whole_column": true, "otherwise": "null"}));
        assert!(!nulled.properties().reversible && nulled.inverse().is_none());
        let (masked, unfit) = nulled.apply_counted(&column, &[]).unwrap();
        assert_eq!((masked.null_count(), unfit), (1, 1), "one of the two ends is left");
        assert!(masked.is_valid(2));
    }
}

/// PostgreSQL's infinities, and the numbers next to them.
const EDGES: [i64; 5] = [i64::MIN, i64::MIN + 1, 0, i64::MAX - 1, i64::MAX];

#[test]
fn infinities_stay_and_nothing_becomes_one() {
    let shift = json!({"days": 30, "per": "id"});
    let cases = [
        ("date_shift", shift.clone()),
        ("datetime_shift", shift),
        ("time_noise", json!({"seconds": 60, "per": "id"})),
        ("truncate", json!({"unit": "century"})),
        ("truncate", json!({"unit": "year"})),
        ("truncate", json!({"unit": "week"})),
        ("truncate", json!({"unit": "day"})),
        ("truncate", json!({"unit": "hour"})),
    ];
    let units =
        [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond];
    let zones = [None, Some("+05:30".into()), Some("America/New_York".into())];
    for input in
        units.into_iter().flat_map(|unit| zones.clone().map(|zone| DataType::Timestamp(unit, zone)))
    {
        let column = cast(&Int64Array::from(EDGES.to_vec()), &input).unwrap();
        for (function, params) in &cases {
            let mask = bind(find(function).unwrap(), params, &input).unwrap();
            for entity in 0..20 {
                let ids: ArrayRef = Arc::new(StringArray::from(vec![entity.to_string(); 5]));
                let masked = mask.apply(&column, &vec![ids; mask.inputs().len()]).unwrap();
                let ticks = cast(&masked, &DataType::Int64).unwrap();
                let ticks = ticks.as_primitive::<Int64Type>();
                assert_eq!((ticks.value(0), ticks.value(4)), (i64::MIN, i64::MAX), "{function}");
                assert!(ticks.is_valid(0) && ticks.is_valid(4));
                for row in [1, 3].into_iter().filter(|row| ticks.is_valid(*row)) {
                    assert!(!matches!(ticks.value(row), i64::MIN | i64::MAX), "{function}");
                }
                assert!(
                    mask.properties().may_return_input || unchanged_rows(&column, &masked) == Ok(0)
                );
            }
        }
    }
    let ends: ArrayRef = Arc::new(Date32Array::from(vec![i32::MIN, i32::MAX]));
    for params in [json!({"unit": "week"}), json!({"unit": "decade"})] {
        assert_eq!(&apply("truncate", &params, &ends), &ends);
    }
    assert_eq!(unchanged_rows(&ends, &ends), Ok(0), "an infinity is no value to hide");
    let ages = apply("age", &json!({"reference": "2024-01-01"}), &ends);
    assert_eq!(ages.null_count(), 2);
}

#[test]
fn dates_before_year_one_and_beyond_what_chrono_knows_are_cut() {
    let column = column(&DataType::Date32, &[Some("0000-02-29"), Some("-0001-12-31")]);
    let masked = texts(&apply("truncate", &json!({"unit": "year"}), &column));
    assert_eq!(masked, [Some("0000-01-01".to_owned()), Some("-0001-01-01".to_owned())]);
    // 400 years have as many days and weeks as any other.
    let era = 146_097;
    let beyond: ArrayRef =
        Arc::new(Date32Array::from(vec![19_782 + era * 14_000, 19_782 - era * 14_000]));
    let cut = apply("truncate", &json!({"unit": "month"}), &beyond);
    let first = cut.as_primitive::<Date32Type>();
    assert_eq!(first.value(0), 19_754 + era * 14_000, "2024-02-01, 14000 eras later");
    assert_eq!(first.value(1), 19_754 - era * 14_000);
}

#[test]
fn a_day_is_that_of_the_zone() {
    let cut = |unit: &str, zone: &str, values: &[&str]| -> Vec<String> {
        let utc = DataType::Timestamp(TimeUnit::Second, Some("+00:00".into()));
        let rows: Vec<Option<&str>> = values.iter().copied().map(Some).collect();
        // Arrow itself knows zones by name only if it is built so.
        let shown = |column: &ArrayRef, zone: &str| -> ArrayRef {
            let plain = column.as_primitive::<TimestampSecondType>().clone();
            Arc::new(plain.with_timezone(zone))
        };
        let column = shown(&column(&utc, &rows), zone);
        let masked = apply("truncate", &json!({"unit": unit}), &column);
        texts(&shown(&masked, "+00:00")).into_iter().flatten().collect()
    };
    assert_eq!(cut("day", "+05:30", &["2024-02-29T00:10:00+05:30"]), ["2024-02-28T18:30:00Z"]);
    assert_eq!(cut("hour", "+05:30", &["2024-02-29T00:10:00+05:30"]), ["2024-02-28T18:30:00Z"]);
    assert_eq!(cut("month", "-08:00", &["2024-03-01T05:00:00Z"]), ["2024-02-01T08:00:00Z"]);
    // As `date_trunc` of PostgreSQL has it: summer time began at 2:00 on 31 March, and ended at 3:00 on
    // 27 October, so that 2:30 was twice.
    let berlin = "Europe/Berlin";
    assert_eq!(cut("day", berlin, &["2024-03-31T10:00:00+02:00"]), ["2024-03-30T23:00:00Z"]);
    assert_eq!(cut("month", berlin, &["2024-10-30T10:00:00+01:00"]), ["2024-09-30T22:00:00Z"]);
    assert_eq!(
        cut("hour", berlin, &["2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00"]),
        ["2024-10-27T00:00:00Z", "2024-10-27T01:00:00Z"]
    );
    // No midnight: the clock went from 24:00 to 1:00.
    assert_eq!(
        cut("day", "America/Sao_Paulo", &["2018-11-04T10:00:00-02:00"]),
        ["2018-11-04T03:00:00Z"]
    );
}

#[test]
fn times_of_day_are_cut_and_shifts_may_keep_the_day_of_the_week() {
    let input = DataType::Time64(TimeUnit::Microsecond);
    let column = column(&input, &[Some("08:15:42.123456")]);
    for (unit, expected) in [
        ("hour", "08:00:00"),
        ("minute", "08:15:00"),
        ("second", "08:15:42"),
        ("millisecond", "08:15:42.123"),
    ] {
        assert_eq!(
            texts(&apply("truncate", &json!({"unit": unit}), &column)),
            [Some(expected.to_owned())]
        );
    }
    let dates: ArrayRef = Arc::new(Date32Array::from(vec![0; 1000]));
    let params = json!({"days": 30, "step": "week", "per": "id"});
    let mask = bind(find("date_shift").unwrap(), &params, &DataType::Date32).unwrap();
    let ids: ArrayRef = Arc::new((0..1000).map(|id| Some(id.to_string())).collect::<StringArray>());
    let masked = mask.apply(&dates, &[ids]).unwrap();
    let shifts: BTreeSet<i32> =
        masked.as_primitive::<Date32Type>().values().iter().copied().collect();
    assert_eq!(shifts, [-28, -21, -14, -7, 7, 14, 21, 28].into());
}
