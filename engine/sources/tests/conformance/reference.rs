//! The committed reference of connectors is what their schemas say. `ENGINE_REWRITE=1` rewrites it.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;

use crate::kinds::ALL;

#[test]
#[expect(clippy::disallowed_methods, reason = "a test that compares a committed file")]
fn the_reference_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/connectors.md");
    let generated = page();
    if std::env::var_os("ENGINE_REWRITE").is_some() {
        std::fs::write(&path, &generated).expect("written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "connectors.md is stale: run with ENGINE_REWRITE=1");
}

fn page() -> String {
    let mut page = String::from(
        "# Connectors\n\n<!-- Generated from engine/sources/src/kinds; ENGINE_REWRITE=1 cargo test \
         -p engine-sources rewrites it. -->\n\n\
         A connection stands in `profiles.yml`, under `connections` of a target; its parameters stand \
         beside `type`. What it says of reading can be overridden for one table, under `read`. A \
         secret is given by reference: `{{ env_var('NAME') }}`.\n",
    );
    for connector in ALL {
        write!(page, "\n## {}\n\n{}\n", connector.kind(), connector.summary()).expect("text");
        let connection = connector.connection_schema().to_value();
        let table = connector.table_schema().to_value();
        parameters("of the connection", &connection, &Value::Null, &mut page);
        parameters("of `read`, besides those of the connection", &table, &connection, &mut page);
    }
    page
}

/// The parameters that are not among those of `known`.
fn parameters(of: &str, schema: &Value, known: &Value, page: &mut String) {
    let mut lines = Vec::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if !known["properties"][name].is_null() {
            continue;
        }
        lines.push((name.clone(), described(property)));
        for (inner, property) in property["properties"].as_object().into_iter().flatten() {
            lines.push((format!("{name}.{inner}"), described(property)));
        }
    }
    if lines.is_empty() {
        return;
    }
    writeln!(page, "\n| parameter {of} | meaning |\n|---|---|").expect("text");
    for (name, text) in lines {
        writeln!(page, "| `{name}` | {text} |").expect("text");
    }
}

fn described(property: &Value) -> String {
    let text = property["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
