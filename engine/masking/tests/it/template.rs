//! What a template can reach, and what it may cost.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use engine_masking::{BindErrorKind, MaskError, find};
use serde_json::{Value, json};

use crate::bound::{bind, texts};

fn rendered(template: &str, others: &[ArrayRef]) -> (Vec<Option<String>>, u64) {
    let params = json!({"template": template});
    let mask = bind(find("template").unwrap(), &params, &DataType::Utf8).unwrap();
    assert!(mask.reads_masked());
    let column: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("b"), Some(""), None]));
    let (masked, unfit) = mask.apply_counted(&column, others).unwrap();
    (texts(&masked), unfit)
}

fn names(rows: [Option<&str>; 4]) -> ArrayRef {
    Arc::new(StringArray::from(rows.to_vec()))
}

fn refused(params: &Value) -> engine_masking::BindError {
    bind(find("template").unwrap(), params, &DataType::Utf8).err().unwrap()
}

#[test]
fn a_null_can_be_tested_but_not_written() {
    let name = || names([Some("Ada"), None, Some("Grace"), Some("Rosa")]);
    let text = |text: &str| Some(text.to_owned());
    let (rows, unfit) = rendered("{{ name }}!", &[name()]);
    assert_eq!((rows, unfit), (vec![text("Ada!"), None, text(""), None], 1));
    let template = "{% if name is none %}nobody{% else %}{{ name | upper }}{% endif %}";
    assert_eq!(
        rendered(template, &[name()]),
        (vec![text("ADA"), text("nobody"), text(""), None], 0)
    );
}

#[test]
fn columns_of_any_type_are_text() {
    let columns: [ArrayRef; 4] = [
        Arc::new(Int64Array::from(vec![7, 8, 9, 10])),
        Arc::new(Float64Array::from(vec![1.0, 1.5, 0.0, 0.0])),
        Arc::new(BooleanArray::from(vec![true, false, true, true])),
        cast(
            &names([Some("x"), Some("x"), None, None]),
            &DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8View)),
        )
        .unwrap(),
    ];
    let (rows, _) = rendered("{{ a }} {{ b }} {{ c }} {{ d }}", &columns);
    assert_eq!(rows[..2], [Some("7 1 true x".to_owned()), Some("8 1.5 false x".to_owned())]);
}

#[test]
fn work_and_space_are_bounded() {
    let name = || names([Some("Ada"), Some("Ada"), None, None]);
    for template in [
        "{% for i in range(100000) %}{% for j in range(100000) %}{{ name }}{% endfor %}{% endfor %}",
        "{{ name * 100000000 }}",
        "{{ name * 5000 }}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}{{ name }}",
        "{{ name.no_such }}",
        "{{ name[7] }}",
        "{{ name | no_such }}",
    ] {
        let params = json!({"template": template});
        if bind(find("template").unwrap(), &params, &DataType::Utf8).is_ok() {
            assert_eq!(
                rendered(template, &[name()]),
                (vec![None, None, Some(String::new()), None], 2),
                "{template}"
            );
        }
    }
}

#[test]
fn what_a_template_cannot_reach() {
    for template in [
        "{{ name",
        "{% include 'x' %}{{ name }}",
        "{% import 'x' as y %}{{ name }}",
        "{% extends 'x' %}",
        "no name",
        "{{ column }}",
    ] {
        assert_eq!(refused(&json!({"template": template})).path, "/template", "{template}");
    }
    assert_eq!(refused(&json!({"template": "{{ a }}", "columns": {"b": "c"}})).path, "/columns");
    // Functions that are none are taken for columns: no clock, no chance.
    for name in ["now", "debug", "random", "lipsum"] {
        let params = json!({"template": format!("{{{{ {name}() }}}}")});
        let mask = bind(find("template").unwrap(), &params, &DataType::Utf8).unwrap();
        assert_eq!(mask.inputs(), [name]);
    }
    let error = refused(&json!({"template": "{{ name }} {{ name"}));
    assert!(matches!(*error.kind, BindErrorKind::WrongType { .. }), "{error}");
    let number = bind(find("template").unwrap(), &json!({"template": "{{ a }}"}), &DataType::Int32);
    assert!(matches!(*number.err().unwrap().kind, BindErrorKind::TypeNotAccepted { .. }));
}

#[test]
fn columns_come_in_the_order_of_their_names() {
    let params = json!({"template": "{{ b }}{{ a }}{{ b }}", "columns": {"a": "first name"}});
    let mask = bind(find("template").unwrap(), &params, &DataType::Utf8).unwrap();
    assert_eq!(mask.inputs(), ["first name", "b"]);
    let column: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    assert_eq!(
        mask.apply(&column, std::slice::from_ref(&column)).err(),
        Some(MaskError::UnexpectedInputs { expected: 2, found: 1 })
    );
}
