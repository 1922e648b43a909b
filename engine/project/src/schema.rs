//! JSON Schemas (draft 2020-12) of the files, from the raw structs.
//!
//! ```text
//!  raw struct ──schemars──▶ schema ─┬─▶ shape check of rendered files
//!                                   └─ every value may be a template ─▶ published: editors, shape check before rendering
//! ```

use std::sync::LazyLock;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value as Json, json};

use crate::raw::{RawProfiles, RawRoot, RawSections};

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// `engine.yml`
    Root,
    /// `profiles.yml`
    Profiles,
    /// Any other.
    Sections,
}

/// The published schemas by kind: `engine`, `profiles` and `project`.
#[must_use]
pub fn all() -> Vec<(&'static str, Json)> {
    let kinds = [
        ("engine", FileKind::Root),
        ("profiles", FileKind::Profiles),
        ("project", FileKind::Sections),
    ];
    kinds.map(|(name, kind)| (name, published(kind))).to_vec()
}

/// The schema of a rendered file.
pub(crate) fn rendered(kind: FileKind) -> &'static Json {
    static ROOT: LazyLock<Json> = LazyLock::new(generate::<RawRoot>);
    static PROFILES: LazyLock<Json> = LazyLock::new(generate::<RawProfiles>);
    static SECTIONS: LazyLock<Json> = LazyLock::new(generate::<RawSections>);
    match kind {
        FileKind::Root => &ROOT,
        FileKind::Profiles => &PROFILES,
        FileKind::Sections => &SECTIONS,
    }
}

/// The schema of a file as it is written, where any value below the top may be a template.
fn published(kind: FileKind) -> Json {
    let mut schema = rendered(kind).clone();
    if let Some(definitions) = schema.get_mut("$defs").and_then(Json::as_object_mut) {
        definitions.values_mut().for_each(allow_templates_below);
    }
    allow_templates_below(&mut schema);
    if let Some(schema) = schema.as_object_mut() {
        schema
            .insert(String::from("$comment"), json!("Generated from the Rust types; do not edit."));
    }
    schema
}

fn generate<T: JsonSchema>() -> Json {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}

/// Lets every value below this one be text with `{{`, `{%` or `{#` in it.
fn allow_templates_below(schema: &mut Json) {
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut) {
        properties.values_mut().for_each(allow_templates);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(below) = schema.get_mut(key) {
            allow_templates(below);
        }
    }
    for key in ["anyOf", "oneOf"] {
        let branches = schema.get_mut(key).and_then(Json::as_array_mut);
        branches.into_iter().flatten().for_each(allow_templates_below);
    }
}

fn allow_templates(schema: &mut Json) {
    allow_templates_below(schema);
    let Some(object) =
        schema.as_object_mut().filter(|object| !object.is_empty() && !takes_any_text(object))
    else {
        return;
    };
    let mut wrapped = Map::new();
    // Editors show these for the key, and look for them outside of anyOf.
    for key in ["description", "default"] {
        if let Some(value) = object.shift_remove(key) {
            wrapped.insert(key.to_owned(), value);
        }
    }
    let template = json!({"type": "string", "pattern": "\\{[\\{%#]"});
    wrapped.insert(String::from("anyOf"), json!([Json::Object(std::mem::take(object)), template]));
    *schema = Json::Object(wrapped);
}

fn takes_any_text(schema: &Map<String, Json>) -> bool {
    let text = match schema.get("type") {
        Some(Json::String(name)) => name == "string",
        Some(Json::Array(names)) => names.iter().any(|name| name == "string"),
        _ => false,
    };
    text && !schema.contains_key("enum") && !schema.contains_key("const")
}
