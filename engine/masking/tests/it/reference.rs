//! The committed reference of the catalogue is what the functions say of themselves, with the
//! properties they declare when bound. `ENGINE_REWRITE=1` rewrites it.

use std::fmt::Write as _;
use std::path::PathBuf;

use arrow::datatypes::DataType;
use engine_masking::{Function, Uniqueness, all};
use serde_json::{Value, json};

use crate::bound::bind;

/// What a page was made from, and how to make it again.
const ORIGIN: &str = "<!-- Generated from engine/masking/src/functions; ENGINE_REWRITE=1 cargo test -p engine-masking rewrites it. -->";

#[test]
#[expect(clippy::disallowed_methods, reason = "a test that compares committed files")]
fn the_reference_is_current() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let pages = all()
        .map(|function| (folder.join(format!("masks/{}.md", function.name())), describe(function)));
    for (path, generated) in pages.chain([(folder.join("masks.md"), table())]) {
        if std::env::var_os("ENGINE_REWRITE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == generated, "{} is stale: run with ENGINE_REWRITE=1", path.display());
    }
}

/// All functions with the properties that their first examples declare.
fn table() -> String {
    let mut page = format!(
        "# Masking functions\n\n{ORIGIN}\n\n\
         | function | keyed | can be restored | distinct values | preserves | gives |\n|---|---|---|---|---|---|\n",
    );
    for function in sorted() {
        let doc = function.doc();
        let mask = bound(function);
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
        let restored = if properties.reversible { "yes" } else { "no" };
        let name = function.name();
        let uniqueness = uniqueness(properties.uniqueness);
        writeln!(
            page,
            "| [`{name}`](masks/{name}.md) | {keyed} | {restored} | {uniqueness} | {} | {} |",
            kept.join(", "),
            doc.summary
        )
        .unwrap();
    }
    page
}

/// Every function, by name.
fn sorted() -> Vec<&'static dyn Function> {
    let mut functions: Vec<_> = all().collect();
    functions.sort_by_key(|function| function.name());
    functions
}

/// The mask of the first example; of a function that has none, by a column of the row.
fn bound(function: &'static dyn Function) -> Box<dyn engine_masking::Mask> {
    match function.doc().examples.first() {
        Some(example) => {
            let params = serde_json::from_str(example.params).unwrap();
            bind(function, &params, &example.input_type).unwrap()
        }
        None => bind(function, &json!({"by": ["id"]}), &DataType::Utf8).unwrap(),
    }
}

fn uniqueness(declared: Uniqueness) -> String {
    match declared {
        Uniqueness::Bijective => "stay distinct".to_owned(),
        Uniqueness::Injective { bits } => format!("stay distinct ({bits} bits)"),
        Uniqueness::Lossy => "may fall together".to_owned(),
    }
}

/// The page of one function.
fn describe(function: &dyn Function) -> String {
    let mut page = String::new();
    let doc = function.doc();
    write!(
        page,
        "# {}\n\n{ORIGIN}\n\n{}\n\nA reader can still learn: {}\n\nNull and empty: {}\n",
        function.name(),
        doc.summary,
        doc.privacy,
        doc.nulls
    )
    .unwrap();
    parameters(function, &mut page);
    if doc.examples.is_empty() {
        return page;
    }
    page.push_str(
        "\n## Examples\n\nMasked with a published test key under linkage `example`, and checked by a test.\n",
    );
    page.push_str("\n| parameters | type | value | masked |\n|---|---|---|---|\n");
    for example in &doc.examples {
        for (input, output) in example.input.iter().zip(example.output) {
            let kind = type_name(&example.input_type);
            writeln!(page, "| `{}` | {kind} | `{input}` | `{output}` |", example.params).unwrap();
        }
    }
    page
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
