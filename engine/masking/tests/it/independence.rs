//! What one linkage shows says nothing about another: every keyed function, on the same values under two
//! linkages, by fixed keys, so that the result is fixed, too.
//!
//! ```text
//!  value ─┬─ linkage one ───▶ trace ─┐
//!         └─ linkage other ─▶ trace ─┴─▶ table of pairs of traces ─▶ chi-squared: as if independent?
//! ```
//!
//! A trace is what the key decides: characters of a text in each place, how far a number or time moved,
//! and the last bits of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use engine_masking::{ALL, EXAMPLE_MASTER, Function, find};
use serde_json::{Value, json};

use crate::bound::{bind_with, texts};

const ROWS: usize = 4_000;

/// Most kinds of a trace that are told apart; the rarer ones count as one.
const KINDS_MAX: usize = 12;

/// Traces of one function: of each row, in several ways.
type Traces = Vec<Vec<i64>>;

/// A column of distinct values that the function is for, and its parameters.
fn sample(function: &str) -> (ArrayRef, Value) {
    let text = |of: &dyn Fn(usize) -> String| -> ArrayRef {
        Arc::new((0..ROWS).map(|row| Some(of(row))).collect::<StringArray>())
    };
    let typed =
        |data_type: &DataType, of: &dyn Fn(usize) -> String| cast(&text(of), data_type).unwrap();
    let digits = |row: usize, length: usize| {
        let number = row as u128 * 7_919_131_071_133_101_171 % 10_u128.pow(length as u32);
        format!("{number:0length$}")
    };
    let number = |row: usize| (row * 7).to_string();
    let time = DataType::Timestamp(TimeUnit::Second, None);
    match function {
        "bucket" | "number" => (typed(&DataType::Int64, &number), json!({"min": 0, "max": 999})),
        "choice" => (text(&number), json!({"values": ["a", "b", "c", "d"]})),
        "date_shift" => (
            typed(&DataType::Date32, &|_| "2024-02-29".to_owned()),
            json!({"days": 365, "per": "id"}),
        ),
        "datetime_shift" => {
            let column = typed(&time, &|_| "2024-02-29T00:00:00".to_owned());
            (column, json!({"days": 365, "per": "id"}))
        }
        "ff1" => (text(&|row| digits(row, 12)), json!({})),
        "ff1_number" => (typed(&DataType::Int64, &number), json!({"min": 0, "max": 9_999_999})),
        "flip" => {
            let params = json!({"probability": 0.5, "per": "id"});
            (typed(&DataType::Boolean, &|_| "true".to_owned()), params)
        }
        "ip" => (text(&|row| addresses(row)), json!({})),
        "location_jitter" => {
            let params = json!({"part": "latitude", "with": "id", "radius_meters": 1000});
            (typed(&DataType::Float64, &|row| format!("48.{row}")), params)
        }
        "mac" => {
            (text(&|row| format!("00:1b:44:{:02x}:{:02x}:07", row / 256, row % 256)), json!({}))
        }
        "national_id" => (text(&|row| digits(row, 8) + "X"), json!({"country": "es"})),
        "noise" => (typed(&DataType::Int64, &number), json!({"amount": 1000})),
        "rank_preserving" => {
            (typed(&DataType::Int64, &number), json!({"min": 0, "max": 30_000, "out_max": 900_000}))
        }
        "time_noise" => {
            let column = typed(&time, &|_| "2024-02-29T00:00:00".to_owned());
            (column, json!({"seconds": 3600, "per": "id"}))
        }
        "uuid" => (text(&|row| format!("{row:08x}-52d1-4320-9bac-f847db4148a8")), json!({})),
        "card" | "imei" | "isbn" | "isin" | "ssn" | "vat" | "vin" | "iban" => {
            (text(&|row| digits(row, 12)), json!({}))
        }
        "phone" => (text(&|row| format!("+49 30 {}", digits(row, 7))), json!({})),
        "email" | "scrub" => (text(&|row| format!("ada{row}@lovelace.org")), json!({})),
        "user_agent" => {
            let agent = |row| {
                format!(
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like \
                     Gecko) Chrome/{row}.0.0.0 Safari/537.36"
                )
            };
            (text(&agent), json!({}))
        }
        "json" => {
            let paths = json!({"paths": [{"path": "$.id", "mask": "token"}]});
            (text(&|row| format!("{{\"id\": \"{row}\"}}")), paths)
        }
        _ => (text(&|row| format!("value {row:04}")), example_params(function)),
    }
}

/// Addresses that share few bits.
fn addresses(row: usize) -> String {
    std::net::Ipv4Addr::from_bits((row as u32).wrapping_mul(2_654_435_761)).to_string()
}

/// The parameters of the first example that takes text.
fn example_params(function: &str) -> Value {
    let examples = find(function).unwrap().doc().examples;
    let of_text = examples.iter().find(|example| example.input_type == DataType::Utf8);
    of_text.map_or(Value::Null, |example| serde_json::from_str(example.params).unwrap())
}

/// What the key decided about each row.
fn traces(function: &dyn Function, linkage: &str) -> Traces {
    let (column, params) = sample(function.name());
    let mask = bind_with(function, &params, column.data_type(), &EXAMPLE_MASTER, linkage)
        .unwrap_or_else(|error| panic!("{}: {error}", function.name()));
    let ids: ArrayRef =
        Arc::new((0..ROWS).map(|id| Some(format!("{}", id % 90))).collect::<StringArray>());
    let ids: ArrayRef = if function.name() == "location_jitter" {
        ids
    } else {
        Arc::new((0..ROWS).map(|id| Some(id.to_string())).collect::<StringArray>())
    };
    let masked = mask.apply(&column, &vec![ids; mask.inputs().len()]).unwrap();
    match masked.data_type() {
        // What addresses share stays shared under every key: the last bits are each one's own.
        _ if function.name() == "ip" => {
            let last = |text: &Option<String>| -> i64 {
                text.as_ref().unwrap().rsplit('.').next().unwrap().parse().unwrap()
            };
            vec![texts(&masked).iter().map(|text| last(text) & 7).collect()]
        }
        // What is drawn is the version, which stands in the middle.
        _ if function.name() == "user_agent" => {
            let version = |text: &Option<String>| -> i64 {
                let version = text.as_ref().unwrap().split("Chrome/").nth(1).unwrap();
                version.split('.').next().unwrap().parse().unwrap()
            };
            vec![texts(&masked).iter().map(version).collect()]
        }
        text if text.is_string() => by_place(&texts(&masked)),
        DataType::Boolean => {
            vec![masked.as_boolean().iter().map(|value| value.unwrap().into()).collect()]
        }
        DataType::Float64 => {
            let ways = masked.as_primitive::<Float64Type>().values().iter();
            let before = column.as_primitive::<Float64Type>().values().iter();
            vec![
                ways.zip(before)
                    .map(|(after, before)| ((after - before) * 1e5) as i64 / 200)
                    .collect(),
            ]
        }
        _ => {
            let number = |column: &ArrayRef| -> Vec<i64> {
                let whole = match column.data_type() {
                    DataType::Date32 => cast(column, &DataType::Int32).unwrap(),
                    _ => Arc::clone(column),
                };
                let whole = cast(&whole, &DataType::Int64).unwrap();
                whole.as_primitive::<Int64Type>().values().to_vec()
            };
            let (before, after) = (number(&column), number(&masked));
            let ways: Vec<i64> =
                after.iter().zip(&before).map(|(after, before)| after - before).collect();
            let widest = ways.iter().map(|way| way.abs()).max().unwrap_or(1);
            let ways = ways.iter().map(|way| way * 5 / widest.max(1)).collect();
            let bits = after.iter().map(|after| after & 7).collect();
            // Where a number went says where it came from if it went anywhere, or kept its rank.
            let anywhere = matches!(function.name(), "number" | "ff1_number" | "rank_preserving");
            if anywhere { vec![bits] } else { vec![ways, bits] }
        }
    }
}

/// The characters of texts, place by place from the start and from the end.
fn by_place(texts: &[Option<String>]) -> Traces {
    let characters: Vec<Vec<char>> =
        texts.iter().map(|text| text.as_deref().unwrap_or_default().chars().collect()).collect();
    let at = |place: usize, from_end: bool| -> Vec<i64> {
        let of = |text: &Vec<char>| {
            let index = if from_end { text.len().checked_sub(place + 1) } else { Some(place) };
            index.and_then(|index| text.get(index)).map_or(-1, |found| i64::from(u32::from(*found)))
        };
        characters.iter().map(of).collect()
    };
    (0..12).flat_map(|place| [at(place, false), at(place, true)]).collect()
}

/// The most frequent kinds by number, and 0 for all others.
fn kinds(trace: &[i64]) -> Vec<usize> {
    let mut counts = BTreeMap::new();
    trace.iter().for_each(|kind| *counts.entry(*kind).or_insert(0_usize) += 1);
    let mut frequent: Vec<(usize, i64)> =
        counts.into_iter().map(|(kind, rows)| (rows, kind)).collect();
    frequent.sort_unstable_by(|left, right| right.cmp(left));
    frequent.truncate(KINDS_MAX - 1);
    // A cell of a table in which few rows are expected says nothing by chi-square.
    let is_rare = |rows: usize| rows * 40 < trace.len();
    frequent.retain(|(rows, _)| !is_rare(*rows));
    let rest = trace.len() - frequent.iter().map(|(rows, _)| rows).sum::<usize>();
    let others = if is_rare(rest) { frequent.len() } else { 0 };
    let number = |kind: &i64| {
        frequent.iter().position(|(_, frequent)| frequent == kind).map_or(others, |place| place + 1)
    };
    trace.iter().map(number).collect()
}

/// How many standard deviations chi-squared of the table of pairs is above what independent traces give;
/// none if one of them is always the same.
fn dependence(one: &[i64], other: &[i64]) -> Option<f64> {
    let (one, other) = (kinds(one), kinds(other));
    let margin = |kinds: &[usize]| {
        let mut rows = BTreeMap::new();
        kinds.iter().for_each(|kind| *rows.entry(*kind).or_insert(0_usize) += 1);
        rows
    };
    let (rows, columns) = (margin(&one), margin(&other));
    let mut pairs = BTreeMap::new();
    one.iter().zip(&other).for_each(|pair| *pairs.entry(pair).or_insert(0_usize) += 1);
    let freedom = (rows.len() - 1) * (columns.len() - 1);
    if freedom == 0 {
        return None;
    }
    let mut chi = 0.0;
    for (row, row_total) in &rows {
        for (column, column_total) in &columns {
            let expected = (row_total * column_total) as f64 / one.len() as f64;
            let found = pairs.get(&(row, column)).copied().unwrap_or_default() as f64;
            chi += (found - expected).powi(2) / expected;
        }
    }
    Some((chi - freedom as f64) / (2.0 * freedom as f64).sqrt())
}

#[test]
fn outputs_under_two_linkages_are_independent() {
    let mut wrong = Vec::new();
    // These hand each part to another function, with that one's key.
    let of_others = ["elements", "fields", "map"];
    let keyed = ALL.iter().filter(|function| function.keyed());
    for function in keyed.filter(|function| !of_others.contains(&function.name())) {
        let (one, other) = (traces(*function, "one"), traces(*function, "other"));
        let mut seen = 0;
        for (place, (one, other)) in one.iter().zip(&other).enumerate() {
            if let Some(deviations) = dependence(one, other) {
                seen += 1;
                // Of a thousand tables, one passes six by chance in a thousand million.
                if deviations > 7.0 {
                    wrong.push(format!("{} {place}: {deviations}", function.name()));
                }
            }
        }
        assert!(seen > 0, "{} leaves no trace of its key", function.name());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_test_finds_what_depends() {
    let even: Vec<i64> = (0..4_000).map(|row| row % 7).collect();
    let turned: Vec<i64> = even.iter().map(|kind| (kind * 3 + 1) % 7).collect();
    assert!(dependence(&even, &turned).unwrap() > 100.0);
    // Equal in one row of three.
    let token = find("token").unwrap();
    let (one, other) = (traces(token, "one").remove(1), traces(token, "other").remove(1));
    assert_ne!(one, other);
    let leaking: Vec<i64> = one
        .iter()
        .zip(&other)
        .enumerate()
        .map(|(row, (one, other))| if row % 3 == 0 { *one } else { *other })
        .collect();
    assert!(dependence(&one, &leaking).unwrap() > 7.0);
    assert!(one.iter().collect::<BTreeSet<_>>().len() > 1);
}
