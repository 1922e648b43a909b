//! From parameters as JSON to a function's own `Params`, with errors that say
//! which parameter, what is wrong, and what would be right.

use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::fitting;
use crate::canonical::has_text;
use crate::error::{BindError, BindErrorKind, escape};
use crate::function::{BindContext, Function};
use crate::key::LinkageKey;

/// Longest text a mask may be told to write, so that a column cannot be blown up.
pub(super) const TEXT_BYTES_MAX: usize = 1_000;

/// Most characters a mask may be told to keep at one end.
pub(super) const ENDS_MAX: u32 = 1_000;

/// Whether this is one character as a reader sees it (UAX 29), of a sane size.
pub(super) fn is_one_grapheme(text: &str) -> bool {
    text.len() <= 64 && text.graphemes(true).count() == 1
}

/// The schema of a function's parameters.
pub(super) fn schema<P: JsonSchema>() -> Schema {
    schemars::schema_for!(P)
}

/// Checks that the column's type is accepted, then parses the parameters: unknown
/// and missing ones first, by the schema, then their types, by serde.
pub(super) fn parse<P: DeserializeOwned + JsonSchema>(
    function: &dyn Function,
    params: &Value,
    context: &BindContext<'_>,
) -> Result<P, BindError> {
    if !function.accepts(context.input) {
        return Err(BindError::whole(BindErrorKind::TypeNotAccepted {
            function: function.name(),
            input: context.input.clone(),
            fitting: fitting(context.input),
        }));
    }
    let empty = Map::new();
    let given = match params {
        Value::Null => &empty,
        Value::Object(given) => given,
        _ => {
            return Err(BindError::whole(BindErrorKind::WrongType {
                message: "parameters are a mapping of names to values".into(),
            }));
        }
    };
    check_names(&schema::<P>(), given)?;
    // A borrowed map cannot be deserialised with paths; parameters are small.
    serde_path_to_error::deserialize(Value::Object(given.clone())).map_err(|error| {
        let path = pointer(error.path());
        let kind = BindErrorKind::WrongType { message: error.into_inner().to_string() };
        BindError { path, kind: Box::new(kind), hint: None }
    })
}

/// The key of a keyed function, or the error that it is missing.
pub(super) fn key(
    function: &dyn Function,
    context: &BindContext<'_>,
) -> Result<LinkageKey, BindError> {
    context
        .key
        .cloned()
        .ok_or_else(|| BindError::whole(BindErrorKind::KeyMissing { function: function.name() }))
}

fn check_names(schema: &Schema, given: &Map<String, Value>) -> Result<(), BindError> {
    let mut valid: Vec<String> = schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default();
    valid.sort();
    if let Some(name) = given.keys().find(|name| !valid.contains(name)) {
        let nearest = nearest(name, valid.iter().map(String::as_str));
        let kind = BindErrorKind::UnknownParameter { name: name.clone(), nearest, valid };
        return Err(BindError::at(name, kind));
    }
    let required = schema.get("required").and_then(Value::as_array);
    let missing = required
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find(|name| !given.contains_key(*name));
    match missing {
        Some(name) => {
            Err(BindError::whole(BindErrorKind::MissingParameter { name: name.to_owned() }))
        }
        None => Ok(()),
    }
}

/// Checks that the table has this column and that rows can be keyed by it.
pub(super) fn check_column(
    parameter: &str,
    name: &str,
    context: &BindContext<'_>,
) -> Result<(), BindError> {
    match (context.columns)(name) {
        None => {
            let kind = BindErrorKind::UnknownColumn { name: name.to_owned() };
            Err(BindError::at(parameter, kind))
        }
        Some(found) if !has_text(&found) => {
            let kind = BindErrorKind::ColumnType { name: name.to_owned(), found };
            Err(BindError::at(parameter, kind))
        }
        Some(_) => Ok(()),
    }
}

/// The closest of `valid`, if it is close enough to be what was meant.
pub(super) fn nearest<'a>(name: &str, valid: impl Iterator<Item = &'a str>) -> Option<String> {
    let scored = valid.map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    let (score, candidate) = scored.max_by(|left, right| left.0.total_cmp(&right.0))?;
    (score >= 0.75).then(|| candidate.to_owned())
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path.iter() {
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => escape(key),
            Segment::Enum { variant } => escape(variant),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&part);
    }
    pointer
}
