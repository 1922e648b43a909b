//! The examples in the functions' documentation say what really comes out.

use engine_masking::{ALL, find};

use crate::bound::{bind, column, others, texts};

#[test]
fn every_example_gives_what_it_says() {
    let mut wrong = Vec::new();
    for function in ALL {
        let doc = function.doc();
        assert!(!doc.examples.is_empty(), "{} has no example", function.name());
        for (number, example) in doc.examples.iter().enumerate() {
            let params = serde_json::from_str(example.params).unwrap();
            let mask = bind(*function, &params, &example.input_type)
                .unwrap_or_else(|error| panic!("{} {number}: {error}", function.name()));
            let rows: Vec<Option<&str>> = example.input.iter().copied().map(Some).collect();
            let others = others(mask.as_ref(), example.others);
            let masked = mask.apply(&column(&example.input_type, &rows), &others).unwrap();
            let found: Vec<String> =
                texts(&masked).into_iter().map(Option::unwrap_or_default).collect();
            if found != example.output {
                wrong.push(format!("{} {number}: {found:?}", function.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "examples give something else:\n{}", wrong.join("\n"));
}

#[test]
fn the_catalogue_is_sorted_documented_and_found_by_name() {
    assert!(ALL.is_sorted_by_key(|function| function.name()));
    for function in ALL {
        let doc = function.doc();
        for text in [doc.summary, doc.privacy, doc.nulls] {
            assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", function.name());
        }
        assert_eq!(
            find(function.name()).map(engine_masking::Function::name),
            Some(function.name())
        );
    }
    assert!(find("no_such").is_none());
}
