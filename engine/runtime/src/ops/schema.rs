//! `schema`: the JSON Schemas of the project's files, for editors.

use serde_json::Value;

use crate::codes::commands;
use crate::diagnostic::{Diagnostic, Outcome};

/// Every kind of file with its schema.
pub fn all() -> Vec<(&'static str, Value)> {
    engine_project::schema::all()
}

/// The schema as it is written to a file: two spaces, a newline at the end.
pub fn text(schema: &Value) -> String {
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema of one kind of file.
///
/// # Errors
/// There is no such kind.
pub fn schema(kind: &str) -> Outcome<Value> {
    let all = all();
    let kinds: Vec<&str> = all.iter().map(|(kind, _)| *kind).collect();
    let help = format!("the kinds are: {}", kinds.join(", "));
    let found = all.into_iter().find(|(known, _)| *known == kind);
    found.map(|(_, schema)| schema).ok_or_else(|| {
        let message = format!("there is no schema for `{kind}`");
        Diagnostic::new(&commands::UNKNOWN_SCHEMA, message).help(help).into()
    })
}
