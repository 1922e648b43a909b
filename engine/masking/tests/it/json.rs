//! What `json` keeps of JSON text, and that it keeps nothing else.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use engine_masking::find;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::arrays;
use crate::bound::{bind, bind_with, texts};

fn masked_with_count(params: &Value, rows: &[&str]) -> (Vec<Option<String>>, u64) {
    let column: ArrayRef = Arc::new(StringArray::from(rows.to_vec()));
    let mask = bind(find("json").unwrap(), params, &DataType::Utf8).unwrap();
    let (masked, counted) = mask.apply_counted(&column, &[]).unwrap();
    (texts(&masked), counted)
}

fn masked(params: &Value, row: &str) -> Option<String> {
    masked_with_count(params, &[row]).0.remove(0)
}

fn keep(paths: &[&str]) -> Value {
    let keep = json!({"owner": "a", "reason": "b"});
    let paths: Vec<Value> = paths.iter().map(|path| json!({"path": path, "keep": keep})).collect();
    json!({"paths": paths})
}

#[test]
fn order_numbers_and_text_stay_as_they_were() {
    let row = r#"{"z": 1.50, "a": [12345678901234567890123, -0.0, 1E+2], "é": "\u00e9\n\"🇩🇪"}"#;
    let expected = r#"{"z":1.50,"a":[12345678901234567890123,-0.0,1E+2],"é":"é\n\"🇩🇪"}"#;
    assert_eq!(masked(&keep(&["$"]), row).unwrap(), expected);
    assert_eq!(masked(&keep(&["$.a[1]", "$.z"]), row).unwrap(), r#"{"z":1.50,"a":[-0.0]}"#);
}

/// RFC 9535, section 1.5, figure 1 and table 2.
#[test]
fn the_paths_of_the_standard_name_what_it_says() {
    let book = |author: &str, price: &str| format!(r#"{{"author":"{author}","price":{price}}}"#);
    let books = [book("Rees", "8.95"), book("Waugh", "12.99"), book("Melville", "8.99")].join(",");
    let store = format!(r#"{{"store":{{"book":[{books}],"bicycle":{{"price":399}}}}}}"#);
    for (path, expected) in [
        (
            "$.store.book[*].author",
            r#"{"store":{"book":[{"author":"Rees"},{"author":"Waugh"},{"author":"Melville"}]}}"#,
        ),
        (
            "$..author",
            r#"{"store":{"book":[{"author":"Rees"},{"author":"Waugh"},{"author":"Melville"}]}}"#,
        ),
        (
            "$.store..price",
            r#"{"store":{"book":[{"price":8.95},{"price":12.99},{"price":8.99}],"bicycle":{"price":399}}}"#,
        ),
        ("$..book[2].author", r#"{"store":{"book":[{"author":"Melville"}]}}"#),
        ("$..book[-1]", r#"{"store":{"book":[{"author":"Melville","price":8.99}]}}"#),
        ("$..book[0,1].price", r#"{"store":{"book":[{"price":8.95},{"price":12.99}]}}"#),
        ("$..book[:1].price", r#"{"store":{"book":[{"price":8.95}]}}"#),
        (
            "$..book[?@.price<10].author",
            r#"{"store":{"book":[{"author":"Rees"},{"author":"Melville"}]}}"#,
        ),
    ] {
        assert_eq!(masked(&keep(&[path]), &store).as_deref(), Some(expected), "{path}");
    }
    assert_eq!(masked(&keep(&["$..*"]), &store).unwrap(), store);
    assert_eq!(masked(&keep(&["$..book[5]", "$.nothing"]), &store), None);
}

#[test]
fn a_mask_wins_over_what_is_kept_around_it() {
    let keep = json!({"owner": "a", "reason": "b"});
    for paths in [
        json!([{"path": "$.a", "keep": keep}, {"path": "$.a.b", "mask": "redact"}]),
        json!([{"path": "$.a.b", "mask": "redact"}, {"path": "$..*", "keep": keep}]),
        json!([{"path": "$.a.*", "keep": keep}, {"path": "$.a.b", "mask": "redact"}, {"path": "$.a.b", "mask": "token"}]),
    ] {
        let found = masked(&json!({"paths": paths}), r#"{"a":{"b":"x","c":1}}"#);
        assert_eq!(found.as_deref(), Some(r#"{"a":{"b":"[redacted]","c":1}}"#), "{paths}");
    }
}

#[test]
fn what_is_not_what_the_path_says_is_denied_and_counted() {
    let rows = [
        r#"{"n":17,"id":1}"#,
        r#"{"n":"17","id":2}"#,
        r#"{"n":{"deep":17},"id":3}"#,
        r#"{"n":null,"id":4}"#,
        r#"{"n":1.5,"id":5}"#,
        "",
        "17",
        "{",
        r#"{"n":1,"n":2}"#,
    ];
    let with = |otherwise: &str| {
        let keep = json!({"owner": "a", "reason": "b"});
        let paths = json!([
            {"path": "$.n", "type": "integer", "mask": "truncate", "params": {"multiple": 10}},
            {"path": "$.id", "keep": keep},
        ]);
        let (masked, counted) =
            masked_with_count(&json!({"paths": paths, "otherwise": otherwise}), &rows);
        assert_eq!(counted, 5, "two of another type, one object, two that are no JSON");
        masked.into_iter().map(|row| row.unwrap_or("-".to_owned())).collect::<Vec<_>>()
    };
    let [same, none] = [r#"{"n":10,"id":1}"#, "-"];
    let null = r#"{"n":null,"id":4}"#;
    assert_eq!(
        with("remove"),
        [same, r#"{"id":2}"#, r#"{"id":3}"#, null, r#"{"id":5}"#, "", none, none, none]
    );
    let redacted = |id: u8| format!(r#"{{"n":"[redacted]","id":{id}}}"#);
    assert_eq!(
        with("redact"),
        [same, &redacted(2), &redacted(3), null, &redacted(5), "", none, none, none]
    );
    let nulled = |id: u8| format!(r#"{{"n":null,"id":{id}}}"#);
    assert_eq!(
        with("null"),
        [same, &nulled(2), &nulled(3), null, &nulled(5), "", none, none, none]
    );
}

#[test]
fn what_a_mask_gives_stands_in_json() {
    for (params, row, expected) in [
        (json!({"mask": "constant", "params": {"value": "a\"b"}}), r#"["x"]"#, r#"["a\"b"]"#),
        (json!({"mask": "null"}), r#"["x"]"#, "[null]"),
        (json!({"mask": "clip", "type": "number", "params": {"max": 1.5}}), "[2]", "[1.5]"),
        (
            json!({"mask": "constant", "type": "boolean", "params": {"value": true}}),
            "[false]",
            "[true]",
        ),
        (json!({"mask": "truncate", "params": {"keep": 2}}), "[12.50]", r#"["12"]"#),
    ] {
        let mut part = params.clone();
        part["path"] = json!("$[*]");
        assert_eq!(masked(&json!({"paths": [part]}), row).as_deref(), Some(expected), "{params}");
    }
}

#[test]
fn paths_that_are_none_are_refused_at_their_place() {
    for path in ["", "a", "$.", "$[", "$..a..b", "$[?match(@, 'a')]"] {
        let params = keep(&["$.fine", path]);
        let error = bind(find("json").unwrap(), &params, &DataType::Utf8);
        let error = error.err().unwrap_or_else(|| panic!("{path} is taken"));
        assert_eq!(error.path, "/paths/1/path", "{path}: {error}");
    }
    let error = bind(find("json").unwrap(), &keep(&[]), &DataType::Utf8).err().unwrap();
    assert_eq!(error.path, "/paths");
    let wrong = json!({"paths": [{"path": "$.a", "mask": "token", "params": {"length": 1}}]});
    let error = bind(find("json").unwrap(), &wrong, &DataType::Utf8).err().unwrap();
    assert_eq!(error.path, "/paths/0/params/length");
}

/// All text in a value, its names too.
fn all_text(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(elements) => elements.iter().for_each(|element| all_text(element, into)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            into.push(name.clone());
            all_text(member, into);
        }),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_whole_is_the_same_value(value in arrays::json()) {
        prop_assert_eq!(masked(&keep(&["$"]), &value.to_string()), Some(value.to_string()));
    }

    #[test]
    fn nothing_is_left_of_what_no_path_names(value in arrays::json()) {
        let marked = |text: &str| format!("{text}\u{1f512}");
        fn mark(value: &Value, marked: &dyn Fn(&str) -> String) -> Value {
            match value {
                Value::String(text) => marked(text).into(),
                Value::Array(all) => all.iter().map(|element| mark(element, marked)).collect(),
                Value::Object(all) => {
                    all.iter().map(|(name, member)| (marked(name), mark(member, marked))).collect()
                }
                other => other.clone(),
            }
        }
        let row = json!({"secret": mark(&value, &marked), "open": {"a": 1, "secret": mark(&value, &marked)}});
        let found = masked(&keep(&["$.open.a"]), &row.to_string());
        prop_assert_eq!(found.as_deref(), Some(r#"{"open":{"a":1}}"#));
        for otherwise in ["redact", "null"] {
            let mut params = keep(&["$.open.a"]);
            params["otherwise"] = otherwise.into();
            let found = masked(&params, &row.to_string()).unwrap();
            prop_assert!(!found.contains('\u{1f512}'), "{}", found);
        }
    }

    #[test]
    fn a_value_in_json_is_masked_as_one_in_a_column(values in proptest::collection::vec(arrays::text(), 1..12)) {
        for (function, params) in [("token", json!({})), ("email", json!({})), ("phone", json!({})), ("first_name", json!({}))] {
            let plain: ArrayRef = Arc::new(StringArray::from(values.clone()));
            let master = engine_masking::EXAMPLE_MASTER;
            let mask = bind_with(find(function).unwrap(), &params, &DataType::Utf8, &master, "customer").unwrap();
            let expected = texts(&mask.apply(&plain, &[]).unwrap());
            let path = |path: &str| json!({"path": path, "mask": function, "params": params, "linkage": "customer"});
            let params = json!({"paths": [path("$.all[*]"), path("$.one")]});
            let one = json!({"one": values[0], "all": values}).to_string();
            let found = masked(&params, &one).unwrap();
            let found: Value = serde_json::from_str(&found).unwrap();
            prop_assert_eq!(&found["all"], &json!(expected));
            prop_assert_eq!(&found["one"], &json!(expected[0]));
            let mut names = Vec::new();
            all_text(&found, &mut names);
            prop_assert_eq!(names.len(), values.len() + 3);
        }
    }
}
