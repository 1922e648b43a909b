//! Wrong parameters: what the errors say, and that schema and parser accept the same.

use arrow::datatypes::{DataType, TimeUnit};
use engine_masking::{ALL, BindContext, BindError, BindErrorKind, Function, Lookups, find};
use serde_json::{Value, json};

use crate::bound::{bind, text_columns};

fn refused(function: &str, params: &Value, input: &DataType) -> BindError {
    match bind(find(function).unwrap(), params, input) {
        Ok(_) => panic!("{function} takes {params} for {input}"),
        Err(error) => error,
    }
}

fn accepted_type(function: &dyn Function) -> DataType {
    function.doc().examples[0].input_type.clone()
}

#[test]
fn an_unknown_parameter_is_refused_by_schema_and_parser_with_the_nearest() {
    for function in ALL {
        let schema = function.params_schema();
        assert_eq!(schema.get("additionalProperties"), Some(&json!(false)), "{}", function.name());
        let example = &function.doc().examples[0];
        let mut params: Value = serde_json::from_str(example.params).unwrap();
        params["no_such_parameter"] = json!(1);
        let error = refused(function.name(), &params, &example.input_type);
        assert_eq!(error.path, "/no_such_parameter");
        let BindErrorKind::UnknownParameter { valid, .. } = *error.kind else {
            panic!("{}: {error}", function.name());
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut named: Vec<String> =
            properties.map(|all| all.keys().cloned().collect()).unwrap_or_default();
        named.sort();
        assert_eq!(valid, named);
    }
    let error = refused("partial", &json!({"keep_frist": 1}), &DataType::Utf8);
    assert!(
        error.to_string().starts_with(
            "/keep_frist: unknown parameter `keep_frist`; did you mean `keep_first`? valid: "
        ),
        "{error}"
    );
}

#[test]
fn wrong_types_name_the_parameter() {
    let error = refused("partial", &json!({"keep_first": "two"}), &DataType::Utf8);
    assert_eq!(error.path, "/keep_first");
    assert!(matches!(*error.kind, BindErrorKind::WrongType { .. }), "{error}");
    let error = refused("bucket", &json!({"edges": [1, "x"]}), &DataType::Int32);
    assert_eq!(error.path, "/edges/1");
    let error = refused("token", &json!({"format": "hexa"}), &DataType::Utf8);
    assert_eq!(error.path, "/format");
    assert!(error.to_string().contains("`hex`"), "{error}");
    for params in [json!([]), json!("x"), json!(1)] {
        let error = refused("redact", &params, &DataType::Utf8);
        assert!(matches!(*error.kind, BindErrorKind::WrongType { .. }), "{error}");
    }
}

#[test]
fn limits() {
    let decimal = DataType::Decimal128(4, 2);
    for (function, params, input, path) in [
        ("bucket", json!({"edges": [1, 2], "labels": ["a", "b"]}), &DataType::Int32, "/labels"),
        ("bucket", json!({"edges": [2, 1]}), &DataType::Int32, "/edges"),
        ("bucket", json!({"edges": []}), &DataType::Float64, "/edges"),
        ("bucket", json!({"edges": [1000]}), &DataType::Int8, "/edges"),
        ("bucket", json!({"width": 0}), &DataType::Float64, "/width"),
        ("bucket", json!({"width": 0.5}), &DataType::Int8, "/width"),
        ("bucket", json!({"width": 5, "edges": [1]}), &DataType::Int8, "/edges"),
        ("constant", json!({"value": "x"}), &DataType::Int32, "/value"),
        ("constant", json!({"value": 300}), &DataType::Int8, "/value"),
        ("constant", json!({"value": null}), &DataType::Utf8, "/value"),
        ("date_shift", json!({"days": 0, "per": "id"}), &DataType::Date32, "/days"),
        ("date_shift", json!({"days": 36526, "per": "id"}), &DataType::Date32, "/days"),
        (
            "date_shift",
            json!({"days": 1, "per": "id", "whole_column": true}),
            &DataType::Date32,
            "/whole_column",
        ),
        ("email", json!({"domain": "localhost"}), &DataType::Utf8, "/domain"),
        ("email", json!({"domain": "a b.com"}), &DataType::Utf8, "/domain"),
        (
            "email",
            json!({"local": format!("{}{{token}}", "x".repeat(39))}),
            &DataType::Utf8,
            "/local",
        ),
        ("first_name", json!({"lookup": "words", "locale": "de"}), &DataType::Utf8, "/lookup"),
        ("noise", json!({"amount": 0}), &DataType::Int32, "/amount"),
        ("noise", json!({"amount": 0.001}), &decimal, "/amount"),
        ("noise", json!({"amount": 1, "min": 5, "max": 5}), &DataType::Int32, "/min"),
        ("noise", json!({"amount": 1, "max": 100}), &decimal, "/max"),
        ("noise", json!({"ratio": 2}), &DataType::Int32, "/ratio"),
        ("noise", json!({"amount": 1, "decimals": 1}), &DataType::Int32, "/decimals"),
        ("partial", json!({"with": "**"}), &DataType::Utf8, "/with"),
        ("partial", json!({"with": ""}), &DataType::Utf8, "/with"),
        ("partial", json!({"min_hidden": 0}), &DataType::Utf8, "/min_hidden"),
        ("partial", json!({"keep_first": 4294967295_u32}), &DataType::Utf8, "/keep_first"),
        ("redact", json!({"with": "x".repeat(1001)}), &DataType::Utf8, "/with"),
        ("token", json!({"length": 15}), &DataType::Utf8, "/length"),
        ("token", json!({"format": "base32", "length": 52}), &DataType::Utf8, "/length"),
        ("ff1", json!({"alphabet": "hex", "characters": "ab"}), &DataType::Utf8, "/characters"),
        ("ff1", json!({"characters": "abca"}), &DataType::Utf8, "/characters"),
        ("ff1", json!({"passthrough": "-1"}), &DataType::Utf8, "/passthrough"),
        ("ff1", json!({"keep_last": 1001}), &DataType::Utf8, "/keep_last"),
        (
            "ff1",
            json!({"allow_small_domain": {"owner": "a", "reason": " "}}),
            &DataType::Utf8,
            "/allow_small_domain",
        ),
        ("ff1_number", json!({"min": 2, "max": 1}), &DataType::Int64, "/min"),
        ("ff1_number", json!({"min": 0, "max": 999_998}), &DataType::Int64, "/max"),
        ("ff1_number", json!({"max": 1e30}), &DataType::Int64, "/max"),
        ("ff1_number", json!({}), &DataType::Int8, "/max"),
        (
            "ff1_number",
            json!({"min": 0, "max": 98, "allow_small_domain": {"owner": "a", "reason": "b"}}),
            &DataType::Int8,
            "/max",
        ),
        ("truncate", json!({"unit": "day"}), &DataType::Date32, "/unit"),
        ("truncate", json!({"keep": 0}), &DataType::Utf8, "/keep"),
        ("truncate", json!({"keep": 1, "multiple": 1}), &DataType::Utf8, "/multiple"),
        ("truncate", json!({"multiple": -1}), &DataType::Int32, "/multiple"),
    ] {
        let error = refused(function, &params, input);
        assert_eq!(error.path, path, "{function} {params}: {error}");
    }
}

/// What is refused, and at which parameter.
fn assert_limits(cases: &[(&str, Value, &DataType, &str)]) {
    for (function, params, input, path) in cases {
        let error = refused(function, params, input);
        assert_eq!(&error.path, path, "{function} {params}: {error}");
    }
}

#[test]
fn limits_of_tokens_choices_and_identifiers() {
    let text = &DataType::Utf8;
    let whole = &DataType::Int32;
    assert_limits(&[
        ("choice", json!({"values": []}), text, "/values"),
        ("choice", json!({"values": [null]}), text, "/values"),
        ("choice", json!({"values": [1, "x"]}), whole, "/values"),
        ("choice", json!({"values": [1, 2], "weights": [1]}), whole, "/weights"),
        ("choice", json!({"values": [1, 2], "weights": [0, 0]}), whole, "/weights"),
        ("geohash", json!({"keep": 12}), text, "/keep"),
        ("hash", json!({"algorithm": "md5"}), text, "/algorithm"),
        ("token", json!({"format": "base64url", "length": 10}), text, "/length"),
        ("token", json!({"format": "uuid", "length": 36}), text, "/length"),
        ("url", json!({"host": "localhost"}), text, "/host"),
        ("uuid", json!({"otherwise": "token"}), &DataType::FixedSizeBinary(16), "/otherwise"),
        ("ff1_number", json!({"otherwise": "redact"}), whole, "/otherwise"),
        ("zip3", json!({"also": ["1234"]}), text, "/also"),
    ]);
}

#[test]
fn limits_of_people_and_addresses() {
    let text = &DataType::Utf8;
    assert_limits(&[
        ("address", json!({"part": "city", "per": "id", "form": "alpha2"}), text, "/form"),
        ("address", json!({"part": "country", "per": "id", "country": "c"}), text, "/country"),
        ("address", json!({"part": "town", "per": "id"}), text, "/part"),
        ("address", json!({"part": "city", "per": "id", "locale": "cy"}), text, "/locale"),
        ("country", json!({"form": "alpha2", "locale": "de"}), text, "/locale"),
        ("first_name", json!({"gender": "sex", "lookup": "words"}), text, "/gender"),
        ("first_name", json!({"gender": "sex", "locale": "cy"}), text, "/locale"),
        ("lookup", json!({"lookup": "word"}), text, "/lookup"),
        ("person", json!({"part": "gender", "per": "id", "gender": "sex"}), text, "/gender"),
        ("person", json!({"part": "email", "per": "id", "unique": true}), text, "/unique"),
        ("person", json!({"part": "email", "per": "id", "domain": "localhost"}), text, "/domain"),
        ("person", json!({"part": "gender", "per": "id", "domain": "a.example"}), text, "/domain"),
        ("person", json!({"part": "email", "per": "id", "locale": "cy"}), text, "/locale"),
        ("user_name", json!({"locale": "xx"}), text, "/locale"),
    ]);
    for function in ["address", "person"] {
        let error = refused(function, &json!({"part": "city"}), text);
        assert!(matches!(*error.kind, BindErrorKind::MissingParameter { .. }), "{error}");
    }
}

#[test]
fn limits_of_addresses() {
    let text = &DataType::Utf8;
    assert_limits(&[
        ("email", json!({"map_domains": {"a.org": "b"}}), text, "/map_domains"),
        ("email", json!({"local": "user"}), text, "/local"),
        ("phone", json!({"region": "de"}), text, "/region"),
        ("phone", json!({"format": "rfc3966"}), text, "/format"),
        ("email", json!({"local": "{token}{token}"}), text, "/local"),
        ("email", json!({"local": ".{token}"}), text, "/local"),
        ("email", json!({"local": "User{token}"}), text, "/local"),
    ]);
}

#[test]
fn limits_of_numbers_and_times() {
    let decimal = &DataType::Decimal128(4, 2);
    let date = &DataType::Date32;
    let second = &DataType::Timestamp(TimeUnit::Second, None);
    let time = &DataType::Time32(TimeUnit::Second);
    let nowhere = &DataType::Timestamp(TimeUnit::Second, Some("Mars/Olympus".into()));
    let flag = &DataType::Boolean;
    let (short, whole, float) = (&DataType::Int8, &DataType::Int32, &DataType::Float64);
    assert_limits(&[
        ("age", json!({"reference": "yesterday"}), date, "/reference"),
        ("age", json!({"reference": "2024-01-01", "cap": 0}), date, "/cap"),
        ("clip", json!({"min": 1, "max": 1}), float, "/min"),
        ("clip", json!({"max": 200}), short, "/max"),
        ("datetime_shift", json!({"days": 0, "per": "id"}), second, "/days"),
        ("datetime_shift", json!({"days": 6, "step": "week", "per": "id"}), second, "/days"),
        ("flip", json!({"probability": 0.6, "per": "id"}), flag, "/probability"),
        ("flip", json!({"probability": 0, "per": "id"}), flag, "/probability"),
        ("number", json!({"min": 1, "max": 1}), whole, "/min"),
        ("number", json!({"min": 0, "max": 200}), short, "/max"),
        ("number", json!({"min": 0.5, "max": 2}), &DataType::Utf8, "/min"),
        (
            "location_jitter",
            json!({"part": "latitude", "with": "id", "radius_meters": 0}),
            float,
            "/radius_meters",
        ),
        (
            "location_jitter",
            json!({"part": "latitude", "with": "id", "radius_meters": 9, "least_meters": 9}),
            float,
            "/least_meters",
        ),
        ("noise", json!({"amount": 1, "distribution": "zipf"}), float, "/distribution"),
        ("rank_preserving", json!({"min": 1, "max": 1}), float, "/min"),
        ("rank_preserving", json!({"min": 1, "max": 200}), short, "/max"),
        ("rank_preserving", json!({"min": 1, "max": 9, "out_max": "9"}), short, "/out_max"),
        ("rank_preserving", json!({"min": "2020-01-01", "max": 9}), date, "/max"),
        ("rank_preserving", json!({"min": "soon", "max": "2020-01-01"}), date, "/min"),
        ("round", json!({"decimals": 2}), decimal, "/decimals"),
        ("round", json!({"decimals": 0}), whole, "/decimals"),
        ("round", json!({"decimals": 13}), float, "/decimals"),
        ("round", json!({"multiple": 1}), whole, "/multiple"),
        ("round", json!({"multiple": 5, "decimals": 1}), float, "/multiple"),
        ("date_shift", json!({"days": 6, "step": "week", "per": "id"}), date, "/days"),
        ("truncate", json!({"unit": "day"}), time, "/unit"),
        ("truncate", json!({"unit": "second"}), time, "/unit"),
        ("truncate", json!({"unit": "day"}), nowhere, "/unit"),
        ("time_noise", json!({"seconds": 0}), second, "/seconds"),
        ("time_noise", json!({"seconds": 86400}), time, "/seconds"),
    ]);
}

#[test]
fn limits_of_what_leaves_part_of_a_text() {
    for (function, params, path) in [
        ("partial", json!({"kind": "name", "keep_last": 1}), "/kind"),
        ("scrub", json!({"find": ["mail"]}), "/find/0"),
        ("scrub", json!({"also": ["surname"]}), "/also"),
        ("scrub", json!({"words": ["word"]}), "/words"),
        ("scrub", json!({"countries": ["us"]}), "/countries/0"),
        ("scrub", json!({"replace": {"mail": {}}}), "/replace/mail"),
        ("scrub", json!({"replace": {"ip": {"mask": "scrub"}}}), "/replace/ip/mask"),
        ("scrub", json!({"replace": {"ip": {"mask": "age"}}}), "/replace/ip"),
        (
            "scrub",
            json!({"replace": {"card": {"params": {"keep_issuer": 1}}}}),
            "/replace/card/params/keep_issuer",
        ),
        (
            "scrub",
            json!({"replace": {"date": {"mask": "date_shift", "params": {"days": 0, "per": "id"}}}}),
            "/replace/date/params/days",
        ),
    ] {
        let error = refused(function, &params, &DataType::Utf8);
        assert_eq!(error.path, path, "{function} {params}: {error}");
    }
}

#[test]
fn what_is_missing() {
    let missing = |function, input: &DataType| match *refused(function, &Value::Null, input).kind {
        BindErrorKind::MissingParameter { name } => name,
        other => panic!("{other}"),
    };
    assert_eq!(missing("constant", &DataType::Int32), "value");
    assert_eq!(missing("date_shift", &DataType::Date32), "days");
    assert_eq!(missing("bucket", &DataType::Int32), "width");
    assert_eq!(missing("noise", &DataType::Int32), "amount");
    assert_eq!(missing("truncate", &DataType::Utf8), "keep");
    assert_eq!(missing("truncate", &DataType::Date32), "unit");
    let error = refused("date_shift", &json!({"days": 30}), &DataType::Date32);
    assert!(error.hint.unwrap().contains("per: customer_id"));
}

#[test]
fn a_type_that_does_not_fit_lists_the_functions_that_do() {
    let error = refused("email", &Value::Null, &DataType::Int64);
    let BindErrorKind::TypeNotAccepted { fitting, .. } = &*error.kind else { panic!("{error}") };
    assert_eq!(fitting, &engine_masking::fitting(&DataType::Int64));
    assert!(fitting.is_sorted() && fitting.contains(&"token") && !fitting.contains(&"email"));
    let list = DataType::new_list(DataType::Int8, true);
    assert_eq!(engine_masking::fitting(&list), ["elements", "null"]);
}

#[test]
fn names_that_are_not_there() {
    let error = refused("first_name", &json!({"locale": "dee"}), &DataType::Utf8);
    assert_eq!(error.path, "/locale");
    assert!(error.to_string().contains("did you mean `de`?"), "{error}");
    let error = refused("street", &json!({"locale": "cy"}), &DataType::Utf8);
    assert!(matches!(*error.kind, BindErrorKind::UnknownLocale { .. }), "{error}");
    let error = refused("city", &json!({"lookup": "word"}), &DataType::Utf8);
    assert!(error.to_string().contains("did you mean `words`?"), "{error}");
}

#[test]
fn context_that_is_not_there() {
    let shift = find("date_shift").unwrap();
    let params = json!({"days": 30, "per": "id"});
    let lookups = Lookups::new();
    for function in ALL.iter().filter(|function| function.keyed()) {
        let input = accepted_type(*function);
        let params = serde_json::from_str(function.doc().examples[0].params).unwrap();
        let context = BindContext {
            input: &input,
            key: None,
            locale: None,
            lookups: &lookups,
            columns: &text_columns,
            name: None,
            keys: &|_, _| None,
        };
        let error = function.bind(&params, &context).err().unwrap();
        assert!(matches!(*error.kind, BindErrorKind::KeyMissing { .. }), "{error}");
    }
    let key = crate::bound::key(shift, &[1; 32], "l");
    let bind = |columns: &dyn Fn(&str) -> Option<DataType>| {
        let context = BindContext {
            input: &DataType::Date32,
            key: Some(&key),
            locale: None,
            lookups: &lookups,
            columns,
            name: None,
            keys: &|_, _| None,
        };
        shift.bind(&params, &context).err().map(|error| *error.kind)
    };
    assert!(matches!(bind(&|_| None), Some(BindErrorKind::UnknownColumn { .. })));
    let list = |_: &str| Some(DataType::new_list(DataType::Int8, true));
    assert!(matches!(bind(&list), Some(BindErrorKind::ColumnType { .. })));
    let dictionary = |_: &str| {
        Some(DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8View)))
    };
    assert!(bind(&dictionary).is_none());
}

#[test]
fn a_national_id_names_its_country() {
    let error = refused("national_id", &json!({}), &DataType::Utf8);
    assert!(matches!(*error.kind, BindErrorKind::MissingParameter { .. }), "{error}");
    for function in ["national_id", "vat"] {
        let error = refused(function, &json!({"country": "xx"}), &DataType::Utf8);
        assert_eq!(error.path, "/country");
        assert!(error.to_string().contains("`be`"), "{error}");
    }
    let error = refused("card", &json!({}), &DataType::Int64);
    assert!(matches!(*error.kind, BindErrorKind::TypeNotAccepted { .. }), "{error}");
}
