//! The committed reference of the catalogue is what the functions say of themselves, with the
//! properties they declare when bound. `ENGINE_REWRITE=1` rewrites it.

use std::fmt::Write as _;
use std::path::PathBuf;

use arrow::datatypes::DataType;
use engine_masking::{ALL, Example, Function, Uniqueness};
use serde_json::Value;

use crate::bound::bind;

#[test]
#[expect(clippy::disallowed_methods, reason = "a test that compares a committed file")]
fn the_reference_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/masks.md");
    let generated = page();
    if std::env::var_os("ENGINE_REWRITE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "docs/reference/masks.md is stale: run with ENGINE_REWRITE=1");
}

fn page() -> String {
    let mut page = String::from(
        "# Masking functions\n\n<!-- Generated from engine/masking/src/functions; ENGINE_REWRITE=1 cargo test -p engine-masking rewrites it. -->\n\n\
         Examples are masked with a published test key under linkage `example`, and checked by a test.\n\n\
         | function | keyed | distinct values | preserves | gives |\n|---|---|---|---|---|\n",
    );
    for function in ALL {
        let doc = function.doc();
        let example = doc.examples.first().unwrap();
        let mask = bound(*function, example);
        let properties = mask.properties();
        let preserves = properties.preserves;
        let kept = [
            ("length", preserves.length),
            ("format", preserves.format),
            ("prefix", preserves.prefix),
            ("order", preserves.order),
            ("null", preserves.null),
        ];
        let kept: Vec<&str> =
            kept.iter().filter(|(_, holds)| *holds).map(|(name, _)| *name).collect();
        let keyed = if function.keyed() { "yes" } else { "no" };
        let name = function.name();
        let uniqueness = uniqueness(properties.uniqueness);
        writeln!(
            page,
            "| [`{name}`](#{name}) | {keyed} | {uniqueness} | {} | {} |",
            kept.join(", "),
            doc.summary
        )
        .unwrap();
    }
    for function in ALL {
        describe(*function, &mut page);
    }
    page
}

fn bound(function: &'static dyn Function, example: &Example) -> Box<dyn engine_masking::Mask> {
    let params = serde_json::from_str(example.params).unwrap();
    bind(function, &params, &example.input_type).unwrap()
}

fn uniqueness(declared: Uniqueness) -> String {
    match declared {
        Uniqueness::Bijective => "stay distinct".to_owned(),
        Uniqueness::Injective { bits } => format!("stay distinct ({bits} bits)"),
        Uniqueness::Lossy => "may fall together".to_owned(),
    }
}

fn describe(function: &dyn Function, page: &mut String) {
    let doc = function.doc();
    write!(
        page,
        "\n## {}\n\n{}\n\nA reader can still learn: {}\n\nNull and empty: {}\n",
        function.name(),
        doc.summary,
        doc.privacy,
        doc.nulls
    )
    .unwrap();
    parameters(function, page);
    page.push_str("\n| parameters | type | value | masked |\n|---|---|---|---|\n");
    for example in &doc.examples {
        for (input, output) in example.input.iter().zip(example.output) {
            let kind = type_name(&example.input_type);
            writeln!(page, "| `{}` | {kind} | `{input}` | `{output}` |", example.params).unwrap();
        }
    }
}

fn parameters(function: &dyn Function, page: &mut String) {
    let schema = function.params_schema();
    let properties = schema.get("properties").and_then(Value::as_object);
    let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
        page.push_str("\nNo parameters.\n");
        return;
    };
    page.push_str("\n| parameter | meaning |\n|---|---|\n");
    for (name, property) in properties {
        let text = property.get("description").and_then(Value::as_str).unwrap_or_default();
        writeln!(page, "| `{name}` | {} |", text.replace('\n', " ")).unwrap();
    }
}

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}
