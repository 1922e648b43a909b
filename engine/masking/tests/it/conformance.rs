//! What every function keeps on every array.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::compute::{cast, concat};
use arrow::datatypes::DataType;
use engine_masking::{ALL, EXAMPLE_MASTER, Function, Mask, MaskError, find, unchanged_rows};
use proptest::prelude::*;
use serde_json::Value;

use crate::arrays::{Row, array, rows, text, types};
use crate::bound::{LINKAGE, bind, bind_with, column, texts};

/// Parameters besides those of the examples.
const MORE: &[(&str, &str)] = &[
    ("aes_siv", r#"{"per": "id", "otherwise": "token"}"#),
    ("address", r#"{"part": "street", "per": "id"}"#),
    ("address", r#"{"part": "region", "per": "id", "country": "id", "locale": "ja"}"#),
    ("bucket", r#"{"edges": [0.5, 2]}"#),
    ("bucket", r#"{"width": 0.25, "origin": 1}"#),
    ("card", r#"{"keep_issuer": true}"#),
    ("card", r#"{"keep_last_four": true}"#),
    ("choice", r#"{"values": [1, 0, 1]}"#),
    ("choice", r#"{"values": [true]}"#),
    ("clip", r#"{"min": -1, "max": 1}"#),
    ("constant", r#"{"value": "2020-01-01T00:00:00"}"#),
    ("constant", r#"{"value": true}"#),
    ("constant", r#"{"value": 1}"#),
    ("elements", r#"{"mask": "null"}"#),
    ("elements", r#"{"mask": "token", "linkage": "other"}"#),
    ("elements", r#"{"mask": "noise", "params": {"amount": 5, "per": "id"}}"#),
    (
        "elements",
        r#"{"mask": "fields", "params": {"fields": {"city": {"mask": "redact"}, "tags": {"mask": "map", "params": {"keys": {"mask": "token"}, "values": {"mask": "email"}}}}}}"#,
    ),
    ("ff1", r#"{"alphabet": "lower", "passthrough": "@.- ", "otherwise": "redact"}"#),
    (
        "ff1",
        r#"{"alphabet": "lower_alphanumeric", "keep_last": 2, "per": "id", "allow_small_domain": {"owner": "a", "reason": "b"}}"#,
    ),
    ("ff1", r#"{"tweak": "column_name", "otherwise": "token"}"#),
    ("ff1_number", "{}"),
    ("ip", r#"{"otherwise": "redact"}"#),
    ("ff1_number", r#"{"min": 0, "max": 99, "allow_small_domain": {"owner": "a", "reason": "b"}}"#),
    ("fields", r#"{"fields": {"a": {"mask": "token"}}}"#),
    ("fields", r#"{"fields": {"email": {"mask": "partial"}, "plan": {"mask": "null"}}}"#),
    ("first_name", r#"{"lookup": "words", "normalize": ["casefold"]}"#),
    ("full_name", r#"{"locale": "cs", "gender": "id"}"#),
    ("json", r#"{"paths": [{"path": "$..*", "mask": "token", "linkage": "other"}]}"#),
    (
        "json",
        r#"{"paths": [{"path": "$", "mask": "noise", "type": "number", "params": {"amount": 5, "per": "id"}}], "otherwise": "redact"}"#,
    ),
    ("map", r#"{"keys": {"mask": "first_name"}}"#),
    ("noise", r#"{"amount": 1}"#),
    ("noise", r#"{"amount": 1, "per": "id"}"#),
    ("noise", r#"{"ratio": 1, "min": -1, "max": 1}"#),
    ("noise", r#"{"amount": 1e30, "decimals": 12}"#),
    ("noise", r#"{"amount": 3, "distribution": "laplace"}"#),
    ("noise", r#"{"ratio": 0.5, "distribution": "gaussian", "min": 0, "per": "id"}"#),
    (
        "location_jitter",
        r#"{"part": "longitude", "with": "id", "radius_meters": 1000000, "per": "id"}"#,
    ),
    ("number", r#"{"min": 0, "max": 1}"#),
    ("number", r#"{"min": -100, "max": 100}"#),
    ("rank_preserving", r#"{"min": -100, "max": 100}"#),
    ("rank_preserving", r#"{"min": 0, "max": 20, "out_min": 0, "out_max": 90}"#),
    ("rank_preserving", r#"{"min": "1970-01-01T00:00:00", "max": "2100-01-01T00:00:00"}"#),
    ("person", r#"{"part": "last_name", "per": "id", "gender": "id", "locale": "pl"}"#),
    ("person", r#"{"part": "user_name", "per": "id", "unique": true, "normalize": ["casefold"]}"#),
    ("round", r#"{"multiple": 3}"#),
    ("round", r#"{"decimals": 2}"#),
    ("phone", r#"{"keep_country": false}"#),
    ("phone", r#"{"region": "GB", "format": "e164"}"#),
    ("phone", r#"{"region": "US", "keep_area": true}"#),
    ("uuid", r#"{"otherwise": "redact"}"#),
    ("scrub", r#"{"find": ["phone", "date"], "also": ["email"], "countries": ["nl"]}"#),
    ("scrub", r#"{"replace": {"ip": {"mask": "null"}, "email": {"linkage": "other"}}}"#),
    ("template", r#"{"template": "{% if id is none %}-{% else %}{{ id * 3 }}{% endif %}"}"#),
    ("time_noise", r#"{"seconds": 86399}"#),
    ("truncate", r#"{"unit": "week"}"#),
    ("date_shift", r#"{"days": 400, "step": "week", "per": "id"}"#),
    ("truncate", r#"{"unit": "minute"}"#),
    ("truncate", r#"{"unit": "century"}"#),
    ("truncate", r#"{"unit": "millisecond"}"#),
    ("truncate", r#"{"multiple": 0.5}"#),
    ("truncate", r#"{"multiple": 3}"#),
];

/// All parameters to try a function with.
fn params(function: &dyn Function) -> Vec<Value> {
    let examples = function.doc().examples.into_iter().map(|example| example.params);
    let more = MORE.iter().filter(|(name, _)| *name == function.name()).map(|(_, more)| *more);
    let mut all: Vec<Value> =
        examples.chain(more).map(|params| serde_json::from_str(params).unwrap()).collect();
    // The default is to refuse what does not fit; `laws` tests that.
    let schema = function.params_schema();
    let properties = schema.get("properties").and_then(Value::as_object);
    if properties.is_some_and(|properties| properties.contains_key("otherwise")) {
        for params in all.iter_mut().filter(|params| params.get("otherwise").is_none()) {
            params["otherwise"] = "null".into();
        }
    }
    all
}

type Masks = Vec<(String, Box<dyn Mask>)>;

/// Every way a function can be bound to columns of every type.
static MASKS: LazyLock<Vec<(DataType, Masks)>> =
    LazyLock::new(|| types().into_iter().map(|input| (input.clone(), bound(&input))).collect());

/// Every way a function can be bound to columns of a type.
fn masks(input: &DataType) -> &'static Masks {
    let known = MASKS.iter().find(|(known, _)| known == input);
    &known.expect("the type is in the list of types").1
}

fn bound(input: &DataType) -> Masks {
    let mut masks = Vec::new();
    for function in ALL {
        for params in params(*function) {
            match bind(*function, &params, input) {
                Ok(mask) => masks.push((format!("{} {params} on {input}", function.name()), mask)),
                Err(error) => assert!(
                    function.accepts(input) || error.path.is_empty(),
                    "{} does not take {input} and says {error}",
                    function.name()
                ),
            }
            assert!(function.accepts(input) || bind(*function, &params, input).is_err());
        }
    }
    masks
}

fn entities(mask: &dyn Mask, column: &dyn Array) -> Vec<ArrayRef> {
    let ids = || (0..column.len()).map(|row| Some(format!("{}", row % 3))).collect::<StringArray>();
    mask.inputs().iter().map(|_| Arc::new(ids()) as ArrayRef).collect()
}

fn plain(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Dictionary(_, values) => cast(column, values).unwrap(),
        _ => Arc::clone(column),
    }
}

fn check(name: &str, mask: &dyn Mask, column: &ArrayRef, cut: usize) {
    let others = entities(mask, column);
    let masked = mask.apply(column, &others).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(masked.data_type(), &mask.output(), "{name}: declared output");
    assert_eq!(masked.len(), column.len(), "{name}: length");
    let (before, after) = (column.logical_nulls(), plain(&masked).logical_nulls());
    for row in 0..column.len() {
        let null = before.as_ref().is_some_and(|nulls| nulls.is_null(row));
        let masked_null = after.as_ref().is_some_and(|nulls| nulls.is_null(row));
        assert!(!null || masked_null, "{name}: null stays null");
    }
    let (again, unfit) = mask.apply_counted(column, &others).unwrap();
    assert_eq!(plain(&again).as_ref(), plain(&masked).as_ref(), "{name}: deterministic");

    let cut = cut.min(column.len());
    let part = |from: usize, length: usize| {
        let others: Vec<ArrayRef> = others.iter().map(|other| other.slice(from, length)).collect();
        let (masked, unfit) = mask.apply_counted(&column.slice(from, length), &others).unwrap();
        (plain(&masked), unfit)
    };
    let ((head, head_unfit), (tail, tail_unfit)) = (part(0, cut), part(cut, column.len() - cut));
    assert_eq!(head_unfit + tail_unfit, unfit, "{name}: rows that do not fit");
    if !column.data_type().is_nested() {
        let joined = concat(&[&head, &tail]).unwrap();
        assert_eq!(
            joined.as_ref(),
            plain(&masked).as_ref(),
            "{name}: the same however the column is cut"
        );
    }
    if !mask.properties().may_return_input {
        assert_eq!(unchanged_rows(column, &masked), Ok(0), "{name}: a value survives");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_function_keeps_its_promises_on_every_type(rows in rows(), cut in 0..24_usize) {
        for input in types() {
            let column = array(&input, &rows);
            for (name, mask) in masks(&input) {
                check(name, mask.as_ref(), &column, cut);
            }
        }
    }

    #[test]
    fn the_form_of_text_does_not_matter(values in proptest::collection::vec(proptest::option::of(text()), 0..20)) {
        let forms = [
            DataType::LargeUtf8,
            DataType::Utf8View,
            DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
            DataType::Dictionary(Box::new(DataType::UInt64), Box::new(DataType::LargeUtf8)),
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8View)),
        ];
        let column: ArrayRef = Arc::new(StringArray::from(values));
        for (index, (name, mask)) in masks(&DataType::Utf8).iter().enumerate() {
            let others = entities(mask.as_ref(), &column);
            let masked = texts(&mask.apply(&column, &others).unwrap());
            for form in &forms {
                let (_, mask) = &masks(form)[index];
                let column = cast(&column, form).unwrap();
                prop_assert_eq!(&texts(&mask.apply(&column, &others).unwrap()), &masked, "{} as {}", name, form);
            }
        }
    }

    #[test]
    fn integers_and_their_text_get_one_token(values in proptest::collection::vec(any::<i32>(), 1..20)) {
        let token = |column: ArrayRef| {
            let mask = bind(find("token").unwrap(), &Value::Null, column.data_type()).unwrap();
            texts(&mask.apply(&column, &[]).unwrap())
        };
        let column: ArrayRef = Arc::new(Int32Array::from(values));
        let tokens = token(Arc::clone(&column));
        for other in [DataType::Int64, DataType::Utf8, DataType::Decimal128(20, 4), DataType::Float64] {
            prop_assert_eq!(&token(cast(&column, &other).unwrap()), &tokens, "{}", other);
        }
    }

    #[test]
    fn dates_of_one_entity_keep_their_distances(days in proptest::collection::vec(-100_000..100_000_i32, 1..20)) {
        let params = serde_json::json!({"days": 30, "per": "id"});
        let mask = bind(find("date_shift").unwrap(), &params, &DataType::Date32).unwrap();
        let column: ArrayRef = Arc::new(arrow::array::Date32Array::from(days.clone()));
        let same: ArrayRef = Arc::new(StringArray::from(vec!["17"; days.len()]));
        let masked = mask.apply(&column, &[same]).unwrap();
        let masked = masked.as_any().downcast_ref::<arrow::array::Date32Array>().unwrap();
        let shifts: Vec<i32> = masked.values().iter().zip(&days).map(|(after, before)| after - before).collect();
        prop_assert!(shifts.iter().all(|shift| *shift == shifts[0] && *shift != 0 && shift.abs() <= 30));
    }
}

#[test]
fn another_key_or_linkage_gives_other_values() {
    for function in ALL.iter().filter(|function| function.keyed()) {
        let example = &function.doc().examples[0];
        let params = serde_json::from_str(example.params).unwrap();
        let rows: Vec<Option<&str>> =
            example.input.iter().copied().map(Some).cycle().take(30).collect();
        let column = column(&example.input_type, &rows);
        let masked = |master: &[u8; 32], linkage: &str| {
            let mask = bind_with(*function, &params, &example.input_type, master, linkage).unwrap();
            let ids: ArrayRef =
                Arc::new((0..30).map(|id| Some(id.to_string())).collect::<StringArray>());
            let others = vec![ids; mask.inputs().len()];
            texts(&mask.apply(&column, &others).unwrap())
        };
        let base = masked(&EXAMPLE_MASTER, LINKAGE);
        assert_ne!(base, masked(&[9; 32], LINKAGE), "{}: key", function.name());
        assert_ne!(base, masked(&EXAMPLE_MASTER, "other"), "{}: linkage", function.name());
    }
}

#[test]
fn a_column_of_another_type_is_refused() {
    for (name, mask) in masks(&DataType::Utf8) {
        let column: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        let error = mask.apply(&column, &[]).err();
        assert!(matches!(error, Some(MaskError::UnexpectedType { .. })), "{name}: {error:?}");
    }
    let per = serde_json::json!({"days": 30, "per": "id"});
    let mask = bind(find("date_shift").unwrap(), &per, &DataType::Date32).unwrap();
    let column = column(&DataType::Date32, &[Some("2024-02-29")]);
    assert_eq!(
        mask.apply(&column, &[]).err(),
        Some(MaskError::UnexpectedInputs { expected: 1, found: 0 })
    );
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["1", "2"]));
    assert_eq!(
        mask.apply(&column, &[ids]).err(),
        Some(MaskError::UnequalLengths { expected: 1, found: 2 })
    );
}

const CANARY: &str = "CANARY-CANARY-CANARY";

/// Every byte an array holds on to, whether a row shows it or not.
fn holds_canary(data: &arrow::array::ArrayData) -> bool {
    let found = |bytes: &[u8]| bytes.windows(6).any(|window| window == b"CANARY");
    data.buffers().iter().any(|buffer| found(buffer)) || data.child_data().iter().any(holds_canary)
}

#[test]
fn nothing_of_the_input_hides_in_the_buffers_of_the_output() {
    let row = |text: &str| -> Row { Some((1, text.to_owned())) };
    let rows = [row(CANARY), row("open"), None, row(CANARY), row("open")];
    for input in types() {
        let column = array(&input, &rows);
        let sliced = column.slice(1, 2);
        // What a part of a mask keeps stays, of course.
        for (name, mask) in masks(&input).iter().filter(|(name, _)| !name.contains("\"keep\":")) {
            for column in [&column, &sliced] {
                let masked = mask.apply(column, &entities(mask.as_ref(), column)).unwrap();
                // What a text says that is nothing to be recognised stays, where a row shows it.
                let shown = name.starts_with("scrub")
                    && texts(&masked).iter().flatten().any(|text| text.contains(CANARY));
                assert!(shown || !holds_canary(&masked.to_data()), "{name}");
            }
        }
    }
    // Bytes under a null, and a dictionary entry no row uses.
    let values: ArrayRef = Arc::new(StringArray::new(
        arrow::buffer::OffsetBuffer::from_lengths([CANARY.len(), 4]),
        format!("{CANARY}open").into_bytes().into(),
        Some(vec![false, true].into()),
    ));
    let keys = Int32Array::from(vec![1]);
    let unused: ArrayRef = Arc::new(DictionaryArray::new(keys, Arc::clone(&values)));
    for column in [values, unused] {
        for (name, mask) in masks(column.data_type()) {
            let masked = mask.apply(&column, &entities(mask.as_ref(), &column)).unwrap();
            assert!(!holds_canary(&masked.to_data()), "{name}");
        }
    }
}

#[test]
fn a_number_under_a_null_is_cleared() {
    let values = arrow::array::Int64Array::new(vec![41, 42].into(), Some(vec![true, false].into()));
    let column: ArrayRef = Arc::new(values);
    for (name, mask) in masks(&DataType::Int64) {
        let masked = mask.apply(&column, &entities(mask.as_ref(), &column)).unwrap();
        if let Some(masked) = masked.as_any().downcast_ref::<arrow::array::Int64Array>()
            && !name.starts_with("constant")
            && !name.starts_with("choice")
        {
            assert_eq!(masked.values().get(1), Some(&0), "{name}");
        }
    }
}
