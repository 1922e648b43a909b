//! The published vectors of the mapping: `tests/vectors/masking/v<ABI version>/<function>.json`.
//!
//! A difference means that data masked before and after would no longer match: the function's ABI
//! version is raised, and a file of that version begun. `ENGINE_REWRITE=1` writes them.

use std::path::Path;

use arrow::datatypes::{DataType, TimeUnit};
use engine_masking::{ALL, EXAMPLE_MASTER, Function};
use serde_json::{Value, json};

use crate::bound::{LINKAGE, bind, column, others, texts};

const TEXTS: &[Option<&str>] = &[
    Some("Ada"),
    None,
    Some(""),
    Some("a"),
    Some("ada@lovelace.org"),
    Some("+49 30 901820"),
    Some("10117 Berlin"),
    Some("  Zoë 🇩🇪 "),
    Some("a value that is longer than one 64-byte block of the hash function it is given to"),
    Some("東京都"),
];
const NUMBERS: &[Option<&str>] =
    &[Some("0"), None, Some("1"), Some("-1"), Some("99"), Some("100"), Some("-127")];
const DATES: &[Option<&str>] =
    &[Some("1970-01-01"), None, Some("1969-12-31"), Some("2024-02-29"), Some("1900-03-01")];
const ENTITIES: &[&str] = &["1", "2", "1", "", "5", "6", "7", "8", "9", "10"];

fn cases(function: &dyn Function) -> Vec<Value> {
    let doc = function.doc();
    let mut cases: Vec<Value> = doc
        .examples
        .iter()
        .map(|example| {
            let rows: Vec<Option<&str>> = example.input.iter().copied().map(Some).collect();
            case(function, example.params, &example.input_type, &rows, example.others)
        })
        .collect();
    let types = [
        (DataType::Utf8, TEXTS),
        (DataType::Int64, NUMBERS),
        (DataType::Decimal128(9, 3), NUMBERS),
        (DataType::Float64, NUMBERS),
        (DataType::Date32, DATES),
        (DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())), DATES),
    ];
    for (input_type, rows) in types {
        let params = extra_params(function.name(), &input_type);
        for params in params {
            let entities = &ENTITIES[..rows.len()];
            cases.push(case(function, params, &input_type, rows, &[("id", entities)]));
        }
    }
    cases
}

fn extra_params(function: &str, input: &DataType) -> &'static [&'static str] {
    match (function, input) {
        ("ff1", DataType::Utf8) => &[
            r#"{"passthrough":"+ ","keep_first":2,"otherwise":"redact"}"#,
            r#"{"alphabet":"lower","tweak":"column_name","otherwise":"token","allow_small_domain":{"owner":"a","reason":"b"}}"#,
            r#"{"alphabet":"lower_alphanumeric","passthrough":" -@.","per":"id","otherwise":"null"}"#,
            r#"{"characters":"東京都道府県市区町村","otherwise":"null","allow_small_domain":{"owner":"a","reason":"b"}}"#,
        ],
        ("ff1_number", DataType::Int64 | DataType::Decimal128(..)) => &[
            "{}",
            r#"{"min":-127,"max":99,"otherwise":"null","allow_small_domain":{"owner":"a","reason":"b"}}"#,
        ],
        ("token", _) => &[
            "{}",
            r#"{"format":"base32","length":51}"#,
            r#"{"format":"base64url","length":42}"#,
            r#"{"format":"uuid"}"#,
        ],
        ("hash", _) => &["{}", r#"{"algorithm":"hmac_sha256","format":"base64url"}"#],
        ("number", DataType::Int64 | DataType::Decimal128(..) | DataType::Utf8) => {
            &[r#"{"min":-1000,"max":1000}"#]
        }
        ("choice", DataType::Int64 | DataType::Utf8) => {
            &[r#"{"values":[1,2,3],"weights":[1,5,2]}"#]
        }
        ("uuid" | "mac" | "ip", DataType::Utf8) => &[r#"{"otherwise":"token"}"#],
        ("scrub", DataType::Utf8) => &["{}"],
        ("url" | "zip3", DataType::Utf8) => &["{}"],
        ("geohash", DataType::Utf8) => &[r#"{"keep":2}"#],
        ("default", _) => &["{}"],
        ("partial", DataType::Utf8) => &[
            r#"{"keep_first":1,"min_hidden":2}"#,
            r#"{"kind":"name"}"#,
            r#"{"kind":"id"}"#,
            r#"{"kind":"phone","with":"•"}"#,
        ],
        ("aes_siv", DataType::Utf8) => &["{}", r#"{"per":"id"}"#],
        ("email", DataType::Utf8) => {
            &["{}", r#"{"map_domains":{"lovelace.org":"a.example"},"local":"a.{token}_b"}"#]
        }
        ("phone", DataType::Utf8) => &["{}", r#"{"region":"DE","keep_area":true,"format":"e164"}"#],
        ("redact" | "user_agent", DataType::Utf8) => &["{}"],
        ("card" | "iban" | "imei" | "isbn" | "isin" | "ssn" | "vat" | "vin", DataType::Utf8) => {
            &["{}"]
        }
        ("national_id", DataType::Utf8) => &[r#"{"country":"es"}"#],
        _ => chosen_params(function, input),
    }
}

/// Of the functions that choose from words.
fn chosen_params(function: &str, input: &DataType) -> &'static [&'static str] {
    match (function, input) {
        ("first_name" | "last_name" | "full_name", DataType::Utf8) => &[
            "{}",
            r#"{"locale":"fr"}"#,
            r#"{"locale":"ja"}"#,
            r#"{"lookup":"words"}"#,
            r#"{"locale":"ru","gender":"id"}"#,
        ],
        ("city" | "company" | "street" | "job" | "sentence" | "word", DataType::Utf8) => &[
            "{}",
            r#"{"locale":"fr"}"#,
            r#"{"locale":"nl"}"#,
            r#"{"locale":"zh"}"#,
            r#"{"locale":"ko"}"#,
        ],
        ("postcode", DataType::Utf8) => {
            &[r#"{"locale":"en_GB"}"#, r#"{"locale":"nl"}"#, r#"{"locale":"fa"}"#]
        }
        ("country", DataType::Utf8) => &["{}", r#"{"form":"alpha2"}"#],
        ("lookup", DataType::Utf8) => &[r#"{"lookup":"words","weighted":true}"#],
        ("user_name", DataType::Utf8) => &[r#"{"locale":"zh"}"#, r#"{"unique":true}"#],
        ("person", DataType::Utf8) => &[
            r#"{"part":"gender","per":"id"}"#,
            r#"{"part":"full_name","per":"id","locale":"ru"}"#,
            r#"{"part":"full_name","per":"id","locale":"ru","gender":"id"}"#,
            r#"{"part":"user_name","per":"id","locale":"ko"}"#,
            r#"{"part":"user_name","per":"id","unique":true}"#,
            r#"{"part":"email","per":"id","domain":"masked.invalid","normalize":["trim"]}"#,
        ],
        ("address", DataType::Utf8) => &[
            r#"{"part":"street","per":"id","locale":"es"}"#,
            r#"{"part":"city","per":"id","locale":"es"}"#,
            r#"{"part":"postcode","per":"id","locale":"es"}"#,
            r#"{"part":"region","per":"id","locale":"es"}"#,
            r#"{"part":"country","per":"id","locale":"es"}"#,
        ],
        _ => extra_params_of_numbers_and_times(function, input),
    }
}

fn extra_params_of_numbers_and_times(function: &str, input: &DataType) -> &'static [&'static str] {
    match (function, input) {
        ("date_shift", DataType::Date32 | DataType::Timestamp(..)) => &[
            r#"{"days":1000,"per":"id"}"#,
            r#"{"days":7,"whole_column":true}"#,
            r#"{"days":70,"step":"week","per":"id"}"#,
        ],
        ("noise", DataType::Int64 | DataType::Decimal128(..) | DataType::Float64) => &[
            r#"{"amount":5}"#,
            r#"{"ratio":0.5,"per":"id","min":-50,"max":50}"#,
            r#"{"amount":5,"distribution":"laplace"}"#,
            r#"{"ratio":0.5,"distribution":"gaussian","per":"id"}"#,
        ],
        ("location_jitter", DataType::Decimal128(..) | DataType::Float64) => &[
            r#"{"part":"latitude","with":"id","radius_meters":1000}"#,
            r#"{"part":"longitude","with":"id","radius_meters":1000,"least_meters":500,"per":"id"}"#,
        ],
        ("rank_preserving", DataType::Int64 | DataType::Decimal128(..) | DataType::Float64) => &[
            r#"{"min":-100,"max":100,"otherwise":"null"}"#,
            r#"{"min":-1000,"max":1000,"out_min":0,"out_max":90000}"#,
        ],
        ("rank_preserving", DataType::Date32) => &[r#"{"min":"1900-01-01","max":"2024-12-31"}"#],
        ("round", DataType::Int64 | DataType::Float64) => &[r#"{"multiple":7}"#],
        ("clip", DataType::Int64 | DataType::Float64) => &[r#"{"min":-1,"max":50}"#],
        ("age", DataType::Date32 | DataType::Timestamp(..)) => {
            &[r#"{"reference":"2024-02-28","cap":60}"#]
        }
        ("datetime_shift", DataType::Timestamp(..)) => {
            &[r#"{"days":7,"per":"id"}"#, r#"{"days":70,"step":"week","per":"id"}"#]
        }
        ("time_noise", DataType::Timestamp(..)) => {
            &[r#"{"seconds":60}"#, r#"{"seconds":60,"per":"id"}"#]
        }
        ("bucket", DataType::Int64 | DataType::Decimal128(..) | DataType::Float64) => {
            &[r#"{"width":7,"origin":3}"#]
        }
        ("truncate", DataType::Timestamp(..)) => {
            &[r#"{"unit":"week"}"#, r#"{"unit":"hour"}"#, r#"{"unit":"century"}"#]
        }
        ("truncate", DataType::Utf8) => &[r#"{"keep":2}"#],
        _ => &[],
    }
}

fn case(
    function: &dyn Function,
    params: &str,
    input_type: &DataType,
    rows: &[Option<&str>],
    named: &[(&str, &[&str])],
) -> Value {
    let params: Value = serde_json::from_str(params).unwrap();
    let mask = bind(function, &params, input_type).unwrap();
    let columns = others(mask.as_ref(), named);
    let masked = mask.apply(&column(input_type, rows), &columns).unwrap();
    let mut case = json!({"params": params, "type": input_type.to_string(), "input": rows});
    if !mask.inputs().is_empty() {
        case["others"] =
            named.iter().map(|(name, rows)| ((*name).to_owned(), json!(rows))).collect();
    }
    case["output_type"] = json!(masked.data_type().to_string());
    case["output"] = json!(texts(&masked));
    case
}

/// The vectors of one function.
fn current(function: &dyn Function) -> Value {
    let master: String = EXAMPLE_MASTER.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut about = "Columns are written as text. The key is the function's own, derived from the master key, its version, the linkage, the function's name and its ABI version. The lookup `words` is one, two, three.".to_owned();
    if function.name() == "lookup" {
        about.push_str(" In its file `two` stands a second time, at the end.");
    }
    json!({
        "about": about,
        "key": {"master": master, "version": 1, "linkage": LINKAGE},
        "function": function.name(),
        "abi": function.abi(),
        "cases": cases(function),
    })
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test's own fixtures, and the switch to rewrite them"
)]
fn the_mapping_is_the_published_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/masking");
    for function in ALL {
        let path = folder.join(format!("v{}/{}.json", function.abi(), function.name()));
        let text = serde_json::to_string_pretty(&current(*function)).unwrap() + "\n";
        if std::env::var("ENGINE_REWRITE").is_ok_and(|value| value == "1") {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(published == text, "{} is not what the function gives", path.display());
    }
}
