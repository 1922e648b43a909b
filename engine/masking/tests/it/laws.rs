//! What single functions promise beyond what all of them do.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, Int8Array, StringArray,
    UInt8Array,
};
use arrow::compute::{DatePart, cast, date_part};
use arrow::datatypes::{DataType, Int32Type, TimeUnit};
use engine_masking::{MaskError, Uniqueness, find, unchanged_rows};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::arrays::text;
use crate::bound::{bind, column, texts};

pub(crate) fn apply(function: &str, params: &Value, column: &ArrayRef) -> ArrayRef {
    let mask = bind(find(function).unwrap(), params, column.data_type()).unwrap();
    mask.apply(column, &[]).unwrap()
}

fn masked_text(function: &str, params: &Value, values: Vec<String>) -> Vec<String> {
    let column: ArrayRef = Arc::new(StringArray::from(values));
    texts(&apply(function, params, &column)).into_iter().map(Option::unwrap).collect()
}

#[test]
fn a_word_of_the_list_never_stays_itself() {
    let words = ["one", "two", "three"].map(str::to_owned).to_vec();
    let masked = masked_text("first_name", &json!({"lookup": "words"}), words.clone());
    assert!(
        masked.iter().zip(&words).all(|(after, before)| after != before && words.contains(after))
    );
}

#[test]
fn no_short_number_stays_itself() {
    for params in [json!({}), json!({"keep_country": false})] {
        let numbers: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
        let masked = masked_text("phone", &params, numbers.clone());
        for (after, before) in masked.iter().zip(&numbers) {
            assert!(after != before && after.len() == before.len(), "{before} gives {after}");
        }
    }
}

#[test]
fn noise_moves_every_integer_and_stays_in_its_range() {
    let signed: ArrayRef = Arc::new((i8::MIN..=i8::MAX).map(Some).collect::<Int8Array>());
    let unsigned: ArrayRef = Arc::new((u8::MIN..=u8::MAX).map(Some).collect::<UInt8Array>());
    for column in [signed, unsigned] {
        for params in [
            json!({"amount": 1}),
            json!({"amount": 1000}),
            json!({"ratio": 1}),
            json!({"ratio": 0.001}),
            json!({"amount": 50, "min": 10, "max": 11}),
        ] {
            let masked = apply("noise", &params, &column);
            assert_eq!(masked.null_count(), 0, "{params}");
            assert_eq!(unchanged_rows(&column, &masked), Ok(0), "{params}");
            if params.get("min").is_some() {
                let numbers = texts(&masked).into_iter().flatten();
                assert!(
                    numbers
                        .collect::<Vec<_>>()
                        .iter()
                        .all(|number| number == "10" || number == "11")
                );
            }
        }
    }
}

#[test]
fn numbers_that_are_none_become_null() {
    let column =
        column(&DataType::Float64, &[Some("NaN"), Some("inf"), Some("-inf"), Some("1"), Some("5")]);
    for (function, params) in [
        ("bucket", json!({"width": 1})),
        ("noise", json!({"amount": 1})),
        ("truncate", json!({"multiple": 1})),
    ] {
        assert_eq!(apply(function, &params, &column).null_count(), 3, "{function}");
    }
    let coded = apply("bucket", &json!({"edges": [0, 5]}), &column);
    let text = |value: &str| Some(value.to_owned());
    assert_eq!(texts(&coded), [None, text("5.0"), text("0.0"), text("0.0"), text("5.0")]);
}

#[test]
fn a_date_without_its_entity_becomes_null() {
    let params = json!({"days": 10, "per": "id"});
    let mask = bind(find("date_shift").unwrap(), &params, &DataType::Date32).unwrap();
    let dates = column(&DataType::Date32, &[Some("2024-02-29"), Some("2024-02-29")]);
    let ids: ArrayRef = Arc::new(StringArray::from(vec![None, Some("1")]));
    let masked = mask.apply(&dates, &[ids]).unwrap();
    assert!(masked.is_null(0) && masked.is_valid(1));
}

#[test]
fn tokens_declare_their_bits() {
    let uniqueness = |params| {
        let mask = bind(find("token").unwrap(), &params, &DataType::Utf8).unwrap();
        mask.properties().uniqueness
    };
    assert_eq!(uniqueness(json!({})), Uniqueness::Injective { bits: 128 });
    assert_eq!(uniqueness(json!({"format": "base32"})), Uniqueness::Injective { bits: 130 });
    assert_eq!(uniqueness(json!({"length": 16})), Uniqueness::Injective { bits: 64 });
}

#[test]
fn a_uuid_is_one_value_as_text_and_as_bytes() {
    let bits = [0x9191_08f7_52d1_4320_9bac_f847_db41_48a8_u128, 0, u128::MAX];
    let bytes: ArrayRef = Arc::new(
        FixedSizeBinaryArray::try_from_iter(bits.iter().map(|bits| bits.to_be_bytes())).unwrap(),
    );
    let text = |bytes: &[u8]| {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    };
    let of = |column: &ArrayRef| -> Vec<String> {
        column.as_fixed_size_binary().iter().map(|value| text(value.unwrap())).collect()
    };
    let masked = of(&apply("uuid", &json!({}), &bytes));
    assert_eq!(masked, masked_text("uuid", &json!({}), of(&bytes)));
    assert!(masked[0][14..15] == *"4", "the version stays");
}

#[test]
fn what_does_not_fit_is_refused_or_goes_where_it_is_said_to() {
    for (function, value) in [
        ("uuid", "919108f752d143209bacf847db4148a8"),
        ("mac", "00:1b:44:11:3a"),
        ("ip", "10.0.0.0/8"),
        ("ip", "010.0.0.1"),
        ("ip", "fe80::1%eth0"),
    ] {
        let column: ArrayRef = Arc::new(StringArray::from(vec![Some(value), Some(""), None]));
        let bound =
            |params: Value| bind(find(function).unwrap(), &params, &DataType::Utf8).unwrap();
        let refused = bound(json!({})).apply(&column, &[]).err();
        assert_eq!(refused, Some(MaskError::DoesNotFit { count: 1 }), "{function} {value}");
        let token = texts(&apply("token", &json!({}), &column)).remove(0);
        for (otherwise, expected) in
            [("null", None), ("redact", Some("[redacted]".to_owned())), ("token", token)]
        {
            let mask = bound(json!({"otherwise": otherwise}));
            assert!(mask.inverse().is_none(), "{function} {otherwise}");
            let (masked, unfit) = mask.apply_counted(&column, &[]).unwrap();
            assert_eq!(texts(&masked), [expected, Some(String::new()), None], "{function} {value}");
            assert_eq!(unfit, 1, "{function} {otherwise}");
        }
    }
}

#[test]
fn rows_that_fail_a_check_are_counted_and_not_entries() {
    let values = StringArray::from(vec!["4111111111111111", "4111111111111112", "no card"]);
    let keys = arrow::array::Int32Array::from(vec![Some(1), Some(0), Some(1), None, Some(1)]);
    let column: ArrayRef = Arc::new(arrow::array::DictionaryArray::new(keys, Arc::new(values)));
    let card = bind(find("card").unwrap(), &json!({}), column.data_type()).unwrap();
    assert_eq!(card.apply_counted(&column, &[]).unwrap().1, 3);
    let plain = cast(&column, &DataType::Utf8).unwrap();
    let card = bind(find("card").unwrap(), &json!({}), &DataType::Utf8).unwrap();
    assert_eq!(card.apply_counted(&plain, &[]).unwrap().1, 3);
    for (function, params) in [("zip3", json!({})), ("geohash", json!({"keep": 2}))] {
        let mask = bind(find(function).unwrap(), &params, &DataType::Utf8).unwrap();
        let column: ArrayRef = Arc::new(StringArray::from(vec!["no place", "", "94110"]));
        assert_eq!(mask.apply_counted(&column, &[]).unwrap().1, 1, "{function}");
    }
}

#[test]
fn a_number_rounded_beyond_its_type_becomes_null() {
    let column =
        column(&DataType::Decimal128(4, 2), &[Some("99.49"), Some("99.50"), Some("-99.5")]);
    let masked = texts(&apply("round", &json!({"decimals": 0}), &column));
    assert_eq!(masked, [Some("99.00".to_owned()), None, None]);
    let column: ArrayRef = Arc::new(Int8Array::from(vec![124, 125, -125]));
    let masked = texts(&apply("round", &json!({"decimals": -1}), &column));
    assert_eq!(masked, [Some("120".to_owned()), None, None]);
}

#[test]
fn a_move_of_a_time_of_day_goes_on_past_midnight() {
    let column = cast(
        &arrow::array::Int32Array::from((0..86_400).collect::<Vec<i32>>()),
        &DataType::Time32(TimeUnit::Second),
    )
    .unwrap();
    let masked = apply("time_noise", &json!({"seconds": 600}), &column);
    let times = masked.as_primitive::<arrow::datatypes::Time32SecondType>();
    assert_eq!(times.null_count(), 0);
    for (before, after) in (0..).zip(times.values()) {
        assert!((0..86_400).contains(after));
        let moved = (after - before).rem_euclid(86_400);
        assert!((1..=600).contains(&moved) || (85_800..86_400).contains(&moved), "{moved}");
    }
}

#[test]
fn no_two_devices_of_a_vendor_become_one() {
    let addresses: Vec<String> = (0..1 << 16)
        .map(|device| format!("00:1b:44:00:{:02x}:{:02x}", device >> 8, device & 255))
        .collect();
    for params in [json!({}), json!({"keep_vendor": true})] {
        let masked = masked_text("mac", &params, addresses.clone());
        let distinct: std::collections::BTreeSet<&String> = masked.iter().collect();
        assert_eq!(distinct.len(), addresses.len(), "{params}");
        let kept = masked.iter().filter(|after| after.starts_with("00:1b:44:")).count();
        assert_eq!(kept == masked.len(), params.get("keep_vendor").is_some());
    }
}

#[test]
fn as_many_are_turned_round_as_asked_for() {
    let params = json!({"probability": 0.2, "per": "id"});
    let mask = bind(find("flip").unwrap(), &params, &DataType::Boolean).unwrap();
    let column: ArrayRef = Arc::new(BooleanArray::from(vec![true; 10_000]));
    let ids: ArrayRef =
        Arc::new((0..10_000).map(|id| Some(id.to_string())).collect::<StringArray>());
    let flipped = 10_000 - mask.apply(&column, &[ids]).unwrap().as_boolean().true_count();
    // Five standard deviations of 40.
    assert!((1_800..2_200).contains(&flipped), "{flipped}");
}

/// A character no generated text holds.
const LOCK: char = '\u{1f512}';

/// Bits two addresses begin with alike.
fn shared(left: u128, right: u128, bits: u32) -> u32 {
    (left ^ right).leading_zeros().saturating_sub(128 - bits).min(bits)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn partial_shows_no_more_than_it_hides(value in text().prop_filter("no lock", |text| !text.contains(LOCK)), first in 0..5_u32, last in 0..5_u32) {
        let params = json!({"keep_first": first, "keep_last": last, "with": LOCK.to_string()});
        let masked = masked_text("partial", &params, vec![value.clone()]).remove(0);
        let hidden = masked.matches(LOCK).count();
        let shown = masked.replace(LOCK, "");
        let start = masked.split(LOCK).next().unwrap_or_default();
        prop_assert!(value.is_empty() || hidden > 0);
        prop_assert!(shown.is_empty() || hidden >= (first + last) as usize);
        prop_assert!(value.starts_with(start));
    }

    #[test]
    fn an_identifier_maps_alike_however_it_is_written(digits in "[0-9]{8,20}", function in 0..8_usize) {
        let functions = ["card", "iban", "imei", "isbn", "isin", "ssn", "vat", "vin"];
        let written = [
            digits.clone(),
            digits.chars().map(|digit| format!("{digit} ")).collect(),
            format!("{}-{}", &digits[..4], &digits[4..]),
        ];
        let masked = masked_text(functions[function], &json!({}), written.to_vec());
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        for (after, before) in masked.iter().zip(&written) {
            prop_assert_eq!(digits(after), digits(&masked[0]));
            // A check character may be X.
            let is_digit = |digit: char| digit.is_ascii_digit() || digit == 'X';
            let layout = |text: &str| text.replace(is_digit, "9");
            prop_assert_eq!(layout(after), layout(before));
        }
    }

    #[test]
    fn addresses_keep_the_network_they_share_and_no_more(one in any::<u128>(), bits in 0..128_u32, four in any::<u32>(), few in 0..32_u32) {
        for algorithm in ["ipcrypt_pfx", "crypto_pan"] {
            let params = json!({"algorithm": algorithm});
            let six = |bits: u128| std::net::Ipv6Addr::from_bits(bits).to_string();
            let other = one ^ 1 << bits;
            let masked = masked_text("ip", &params, vec![six(one), six(other)]);
            let of = |text: &str| text.parse::<std::net::Ipv6Addr>().unwrap().to_bits();
            prop_assert_eq!(shared(of(&masked[0]), of(&masked[1]), 128), 127 - bits);
            let short = |bits: u32| std::net::Ipv4Addr::from_bits(bits).to_string();
            let masked = masked_text("ip", &params, vec![short(four), short(four ^ 1 << few)]);
            let of = |text: &str| u128::from(text.parse::<std::net::Ipv4Addr>().unwrap().to_bits());
            prop_assert_eq!(shared(of(&masked[0]), of(&masked[1]), 32), 31 - few);
        }
    }

    #[test]
    fn a_right_card_number_stays_right(payload in "[1-9][0-9]{11,17}") {
        // Luhn's rule once more, digit by digit.
        let check = |number: &str| {
            let counted = number.bytes().rev().enumerate().map(|(place, digit)| {
                let digit = u32::from(digit - b'0') * if place % 2 == 0 { 1 } else { 2 };
                digit / 10 + digit % 10
            });
            counted.sum::<u32>() % 10
        };
        let number = (0..10).map(|digit| format!("{payload}{digit}")).find(|number| check(number) == 0);
        let number = number.unwrap();
        for params in [json!({}), json!({"keep_issuer": true, "keep_last_four": true})] {
            let masked = masked_text("card", &params, vec![number.clone()]).remove(0);
            prop_assert!(masked != number && masked.len() == number.len() && check(&masked) == 0);
        }
    }

    #[test]
    fn a_rounded_number_is_near_and_a_clipped_one_inside(value in any::<i32>(), multiple in 2..10_000_i64) {
        let column: ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![i64::from(value)]));
        let of = |masked: &ArrayRef| masked.as_primitive::<arrow::datatypes::Int64Type>().value(0);
        let rounded = of(&apply("round", &json!({"multiple": multiple}), &column));
        prop_assert!(rounded % multiple == 0 && (rounded - i64::from(value)).abs() * 2 <= multiple);
        let clipped = of(&apply("clip", &json!({"min": -multiple, "max": multiple}), &column));
        prop_assert_eq!(clipped, i64::from(value).clamp(-multiple, multiple));
    }

    #[test]
    fn intervals_of_one_entity_stay_exact(seconds in proptest::collection::vec(-60_000_000_000..60_000_000_000_i64, 1..20), zone in any::<bool>(), weeks in any::<bool>()) {
        let input = DataType::Timestamp(TimeUnit::Second, zone.then(|| "+05:30".into()));
        let params = json!({"days": 30, "step": if weeks { "week" } else { "second" }, "per": "id"});
        let mask = bind(find("datetime_shift").unwrap(), &params, &input).unwrap();
        let column = cast(&arrow::array::Int64Array::from(seconds.clone()), &input).unwrap();
        let same: ArrayRef = Arc::new(StringArray::from(vec!["17"; seconds.len()]));
        let masked = mask.apply(&column, &[same]).unwrap();
        let masked = masked.as_primitive::<arrow::datatypes::TimestampSecondType>();
        let shift = masked.value(0) - seconds[0];
        prop_assert!(shift != 0 && shift.abs() <= 30 * 86_400 && (!weeks || shift % (7 * 86_400) == 0));
        prop_assert!(masked.values().iter().zip(&seconds).all(|(after, before)| after - before == shift));
    }

    #[test]
    fn ranks_stay_and_strict_ones_come_back(values in proptest::collection::vec(-1000..=1000_i64, 2..60)) {
        let column: ArrayRef = Arc::new(arrow::array::Int64Array::from(values.clone()));
        let numbers = |column: &ArrayRef| column.as_primitive::<arrow::datatypes::Int64Type>().values().to_vec();
        for (params, strict) in [
            (json!({"min": -1000, "max": 1000}), false),
            (json!({"min": -1000, "max": 1000, "out_min": 5, "out_max": 9}), false),
            (json!({"min": -1000, "max": 1000, "out_min": 1, "out_max": 4002}), true),
        ] {
            let mask = bind(find("rank_preserving").unwrap(), &params, &DataType::Int64).unwrap();
            prop_assert_eq!(mask.properties().uniqueness == Uniqueness::Bijective, strict);
            let masked = mask.apply(&column, &[]).unwrap();
            let mut pairs: Vec<(i64, i64)> = values.iter().copied().zip(numbers(&masked)).collect();
            pairs.sort_unstable();
            prop_assert!(pairs.windows(2).all(|pair| pair[0].1 <= pair[1].1));
            if strict {
                prop_assert!(pairs.windows(2).all(|pair| (pair[0].0 == pair[1].0) == (pair[0].1 == pair[1].1)));
                prop_assert_eq!(&mask.inverse().unwrap().apply(&masked, &[]).unwrap(), &column);
            } else {
                prop_assert!(mask.inverse().is_none());
            }
        }
    }

    #[test]
    fn floats_and_dates_keep_their_ranks(mut values in proptest::collection::vec(-1e6..1e6_f64, 2..40), days in proptest::collection::vec(-20_000..20_000_i32, 2..40)) {
        values.sort_by(f64::total_cmp);
        let column: ArrayRef = Arc::new(arrow::array::Float64Array::from(values));
        let masked = apply("rank_preserving", &json!({"min": -1e6, "max": 1e6}), &column);
        prop_assert!(masked.as_primitive::<arrow::datatypes::Float64Type>().values().is_sorted());
        let mut days = days;
        days.sort_unstable();
        let column: ArrayRef = Arc::new(arrow::array::Date32Array::from(days));
        let masked = apply("rank_preserving", &json!({"min": "1900-01-01", "max": "2030-01-01"}), &column);
        prop_assert!(masked.as_primitive::<arrow::datatypes::Date32Type>().values().is_sorted());
    }

    #[test]
    fn an_age_is_what_the_calendar_says(day in -40_000..19_000_i32) {
        let column: ArrayRef = Arc::new(arrow::array::Date32Array::from(vec![day]));
        let age = apply("age", &json!({"reference": "2024-02-29", "cap": 120}), &column);
        let age = age.as_primitive::<Int32Type>().value(0);
        let birth = chrono::NaiveDate::from_epoch_days(day).unwrap();
        let reference = chrono::NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        let expected = reference.years_since(birth).unwrap().min(120);
        prop_assert_eq!(age.unsigned_abs(), expected);
    }

    #[test]
    fn a_truncated_text_is_a_beginning_or_nothing(value in text(), keep in 1..6_u32) {
        let masked = masked_text("truncate", &json!({"keep": keep}), vec![value.clone()]).remove(0);
        prop_assert!(value.starts_with(&masked) && (value.is_empty() || masked.len() < value.len()));
    }

    #[test]
    fn what_is_cut_off_a_date_is_what_arrow_says(seconds in -60_000_000_000..60_000_000_000_i64) {
        let input = DataType::Timestamp(TimeUnit::Second, None);
        let column = cast(&arrow::array::Int64Array::from(vec![seconds]), &input).unwrap();
        let part = |column: &ArrayRef, part: DatePart| {
            date_part(column, part).unwrap().as_primitive::<Int32Type>().value(0)
        };
        use DatePart::{Day, DayOfWeekMonday0, Hour, Minute, Month, Quarter, Second, Week, Year, YearISO};
        let units: [(&str, &[DatePart], &[DatePart]); 6] = [
            ("year", &[Year], &[Hour, Minute, Second]),
            ("quarter", &[Year, Quarter], &[Hour, Minute, Second]),
            ("month", &[Year, Month], &[Hour, Minute, Second]),
            ("week", &[YearISO, Week], &[DayOfWeekMonday0, Hour, Minute, Second]),
            ("day", &[Year, Month, Day], &[Hour, Minute, Second]),
            ("minute", &[Year, Month, Day, Hour, Minute], &[Second]),
        ];
        for (unit, same, zero) in units {
            let cut = apply("truncate", &json!({"unit": unit}), &column);
            for kept in same {
                prop_assert_eq!(part(&cut, *kept), part(&column, *kept), "{} of {}", kept, unit);
            }
            for gone in zero {
                prop_assert_eq!(part(&cut, *gone), 0, "{} of {}", gone, unit);
            }
            if matches!(unit, "year" | "quarter" | "month") {
                prop_assert_eq!(part(&cut, Day), 1);
            }
        }
    }
}
