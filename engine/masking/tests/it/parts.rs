//! Masks made of masks: their parts are masked as columns are.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, Int64Array, ListArray, StringArray,
    StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, Int64Type};
use engine_masking::{BindErrorKind, MaskError, find};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::arrays::text;
use crate::bound::{LINKAGE, bind, bind_with, column, texts};

fn masked(function: &str, params: &Value, column: &ArrayRef) -> ArrayRef {
    let mask = bind(find(function).unwrap(), params, column.data_type()).unwrap();
    mask.apply(column, &[]).unwrap()
}

/// What the function gives for a column of its own.
fn plain(function: &str, params: &Value, linkage: &str, column: &ArrayRef) -> ArrayRef {
    let master = engine_masking::EXAMPLE_MASTER;
    let mask = bind_with(find(function).unwrap(), params, column.data_type(), &master, linkage);
    mask.unwrap().apply(column, &[]).unwrap()
}

/// Lists of 0, 1, 2, 0, … of the values; every fourth is null, whatever it holds.
fn lists(values: &ArrayRef) -> ArrayRef {
    let mut lengths = Vec::new();
    let mut left = values.len();
    while left > 0 {
        let length = (lengths.len() % 3).min(left);
        lengths.push(length);
        left -= length;
    }
    let nulls: NullBuffer = (0..lengths.len()).map(|row| row % 4 != 3).collect();
    let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
    Arc::new(ListArray::new(item, offsets, Arc::clone(values), Some(nulls)))
}

fn pair(one: ArrayRef, two: ArrayRef, nulls: Option<NullBuffer>) -> ArrayRef {
    let fields = Fields::from(vec![
        Field::new("one", one.data_type().clone(), true),
        Field::new("two", two.data_type().clone(), true),
    ]);
    Arc::new(StructArray::new(fields, vec![one, two], nulls))
}

const KEEP: &str = r#"{"owner": "a", "reason": "b"}"#;

fn keep() -> Value {
    serde_json::from_str(KEEP).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_are_masked_as_columns_are(values in proptest::collection::vec(proptest::option::of(text()), 0..20), offset in 0..3_usize) {
        let column: ArrayRef = Arc::new(StringArray::from(values));
        for (function, params) in [
            ("token", json!({})),
            ("email", json!({"keep_domain": true})),
            ("phone", json!({})),
            ("card", json!({"keep_issuer": true})),
            ("first_name", json!({})),
            ("partial", json!({})),
        ] {
            for linkage in [LINKAGE, "other"] {
                let expected = plain(function, &params, linkage, &column);
                let part = json!({"mask": function, "params": params, "linkage": linkage});
                let all = lists(&column);
                let all = all.slice(offset.min(all.len()), all.len() - offset.min(all.len()));
                let found = masked("elements", &part, &all);
                prop_assert_eq!(texts(&found), texts(&with_values(&all, &expected)));
                let both = pair(Arc::clone(&column), Arc::clone(&column), None);
                let found = masked("fields", &json!({"fields": {"two": part}}), &both);
                prop_assert_eq!(found.as_struct().num_columns(), 1);
                prop_assert_eq!(texts(found.as_struct().column(0)), texts(&expected));
            }
        }
    }
}

/// The lists with other values.
fn with_values(lists: &ArrayRef, values: &ArrayRef) -> ArrayRef {
    let lists = lists.as_list::<i32>();
    let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
    Arc::new(ListArray::new(item, offsets, Arc::clone(values), nulls))
}

#[test]
fn the_row_of_a_part_is_the_row_it_stands_in() {
    let params = json!({"mask": "noise", "params": {"amount": 1000, "per": "id"}});
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![0; 9]));
    let lists = lists(&numbers);
    let mask = bind(find("elements").unwrap(), &params, lists.data_type()).unwrap();
    assert_eq!(mask.inputs(), ["id"]);
    let ids = ["a", "b", "c", "d", "b", "a", "g", "b", "c"];
    let ids: ArrayRef = Arc::new(StringArray::from(ids[..lists.len()].to_vec()));
    let noisy = mask.apply(&lists, &[Arc::clone(&ids)]).unwrap();
    let flat = bind(find("noise").unwrap(), &params["params"], &DataType::Int64).unwrap();
    let flat = flat.apply(&numbers.slice(0, ids.len()), &[ids]).unwrap();
    let flat = flat.as_primitive::<Int64Type>();
    for row in 0..noisy.len() {
        if noisy.is_valid(row) {
            let elements = noisy.as_list::<i32>().value(row);
            let elements = elements.as_primitive::<Int64Type>();
            assert!(elements.values().iter().all(|noisy| *noisy == flat.value(row)), "{row}");
        }
    }
    assert_eq!(
        mask.apply(&lists, &[]).err(),
        Some(MaskError::UnexpectedInputs { expected: 1, found: 0 })
    );
}

fn holds(data: &arrow::array::ArrayData, bytes: &[u8]) -> bool {
    let found = |buffer: &[u8]| buffer.windows(bytes.len()).any(|window| window == bytes);
    data.buffers().iter().any(|buffer| found(buffer))
        || data.child_data().iter().any(|child| holds(child, bytes))
}

#[test]
fn what_is_kept_carries_nothing_along() {
    const SECRET: i32 = 0x7365_6372;
    let text = || StringArray::from(vec!["open", "secret behind a null, and long", "open"]);
    let numbers = Int32Array::new(vec![1, SECRET, 2].into(), Some(vec![true, false, true].into()));
    let dictionary = DictionaryArray::new(Int32Array::from(vec![0, 1, 0]), Arc::new(text()));
    let view = arrow::compute::cast(&text(), &DataType::Utf8View).unwrap();
    let nulls = || Some(NullBuffer::from(vec![true, false, true]));
    let columns: [ArrayRef; 4] = [Arc::new(text()), Arc::new(numbers), Arc::new(dictionary), view];
    for column in columns {
        let both = pair(Arc::clone(&column), Arc::clone(&column), nulls());
        let kept = masked("fields", &json!({"fields": {"one": {"keep": keep()}}}), &both);
        assert_eq!(kept.as_struct().num_columns(), 1, "the other is left out");
        assert!(!holds(&kept.to_data(), b"secret"), "{}", column.data_type());
        assert!(!holds(&kept.to_data(), &SECRET.to_le_bytes()), "{}", column.data_type());
        let slice = kept.as_struct().column(0);
        assert!(slice.is_valid(0) && slice.is_null(1) && slice.is_valid(2));
    }
}

#[test]
fn what_does_not_fit_is_counted_with_its_parts() {
    let ids: ArrayRef =
        Arc::new(StringArray::from(vec!["4111111111111111", "no card", "also none"]));
    let alone = bind(find("card").unwrap(), &Value::Null, &DataType::Utf8).unwrap();
    let (_, expected) = alone.apply_counted(&ids, &[]).unwrap();
    let both = pair(Arc::clone(&ids), ids, None);
    let params = json!({"fields": {"one": {"mask": "card"}, "two": {"mask": "card"}}});
    let mask = bind(find("fields").unwrap(), &params, both.data_type()).unwrap();
    assert_eq!(mask.apply_counted(&both, &[]).unwrap().1, 2 * expected);
}

#[test]
fn a_key_that_is_masked_to_null_is_an_error() {
    let entry = r#"{"not an address": "a"}"#;
    let input = crate::arrays::map();
    let map = column(&input, &[Some(entry), None]);
    let mask = bind(find("map").unwrap(), &json!({"keys": {"mask": "uuid"}}), &input).unwrap();
    assert_eq!(mask.apply(&map, &[]).err(), Some(MaskError::DoesNotFit { count: 1 }));
}

#[test]
fn errors_name_the_part() {
    let both =
        pair(Arc::new(StringArray::from(vec!["a"])), Arc::new(Int32Array::from(vec![1])), None);
    let list = DataType::new_list(DataType::Utf8, true);
    let deep = (0..8)
        .fold(json!({"mask": "token"}), |inner, _| json!({"mask": "elements", "params": inner}));
    for (function, params, input, path) in [
        ("fields", json!({"fields": {"tow": {"mask": "token"}}}), both.data_type(), "/fields/tow"),
        ("fields", json!({"fields": {}}), both.data_type(), "/fields"),
        ("fields", json!({"fields": {"one": {}}}), both.data_type(), "/fields/one"),
        (
            "fields",
            json!({"fields": {"one": {"mask": "tokn"}}}),
            both.data_type(),
            "/fields/one/mask",
        ),
        (
            "fields",
            json!({"fields": {"one": {"mask": "token", "params": {"length": 1}}}}),
            both.data_type(),
            "/fields/one/params/length",
        ),
        ("fields", json!({"fields": {"two": {"mask": "email"}}}), both.data_type(), "/fields/two"),
        (
            "fields",
            json!({"fields": {"one": {"mask": "token", "keep": keep()}}}),
            both.data_type(),
            "/fields/one",
        ),
        (
            "fields",
            json!({"fields": {"one": {"keep": {"owner": "a", "reason": " "}}}}),
            both.data_type(),
            "/fields/one/keep",
        ),
        (
            "fields",
            json!({"fields": {"one": {"keep": {"owner": "a"}}}}),
            both.data_type(),
            "/fields/one/keep",
        ),
        (
            "fields",
            json!({"fields": {"one": {"keep": keep(), "linkage": "x"}}}),
            both.data_type(),
            "/fields/one",
        ),
        ("elements", json!({}), &list, ""),
        ("elements", json!({"mask": "noise", "params": {"amount": 1}}), &list, ""),
        ("elements", deep, &list, ""),
        (
            "elements",
            json!({"mask": "template", "params": {"template": "{{ a }}"}}),
            &list,
            "/mask",
        ),
    ] {
        let error = bind(find(function).unwrap(), &params, input).err().unwrap();
        assert_eq!(error.path, path, "{function} {params}: {error}");
    }
    let nested = DataType::new_list(list.clone(), true);
    let error = bind(find("elements").unwrap(), &json!({"keep": keep()}), &nested).err().unwrap();
    assert!(error.hint.unwrap().contains("`elements`"));
    let unknown = json!({"mask": "emial"});
    let error = bind(find("elements").unwrap(), &unknown, &list).err().unwrap();
    assert!(matches!(*error.kind, BindErrorKind::WrongType { .. }));
    assert!(error.to_string().contains("did you mean `email`?"), "{error}");
}
