//! Parts of a value that a mask lets through on somebody's word: members of JSON, fields of structs, elements.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::change::{Change, Section};
use super::document::{PlannedColumn, PlannedExport, PlannedTreatment};

/// A part that is kept: where, by whom, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    place: String,
    owner: String,
    reason: String,
}

/// A line for every part that a column's mask keeps, and did not keep `before`: its owner answers for it.
pub(super) fn changes(
    export: &PlannedExport,
    column: &PlannedColumn,
    before: Option<&Map<String, Value>>,
) -> Vec<Change> {
    let PlannedTreatment::Masked { rule, params, .. } = &column.treatment else {
        return Vec::new();
    };
    let was = before.map(kept).unwrap_or_default();
    let line = |part: &Kept| {
        let Kept { place, owner, reason } = part;
        let words = format!("`{place}` inside of it is readable, kept by rule {rule}: {reason}");
        let change = Change::new(Section::Privacy, "readable_part", &export.name, words);
        let change = change.of(&column.name).between(None, Some(place.clone())).widening(true);
        Change { owner: Some(owner.clone()), ..change }
    };
    kept(params).difference(&was).map(line).collect()
}

fn kept(params: &Map<String, Value>) -> BTreeSet<Kept> {
    let mut found = BTreeSet::new();
    look("every element", &Value::Object(params.clone()), &mut found);
    found
}

/// `place` is the nearest name above: a path, a field, or what stands for elements.
fn look(place: &str, value: &Value, found: &mut BTreeSet<Kept>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| look(place, item, found)),
        Value::Object(entries) => {
            let path = entries.get("path").and_then(Value::as_str).unwrap_or(place);
            let text = |word: &Value, key: &str| {
                word.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            if let Some(word @ Value::Object(_)) = entries.get("keep") {
                let (owner, reason) = (text(word, "owner"), text(word, "reason"));
                found.insert(Kept { place: path.to_owned(), owner, reason });
            }
            for (name, value) in entries.iter().filter(|(name, _)| *name != "keep") {
                // What holds parameters names no part of the value.
                let inner = if name == "params" || name == "fields" { path } else { name };
                look(inner, value, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn places(params: &Value) -> Vec<(String, String)> {
        let params = params.as_object().unwrap();
        kept(params).into_iter().map(|part| (part.place, part.owner)).collect()
    }

    #[test]
    fn parts_are_found_at_any_depth() {
        let pair = |place: &str, owner: &str| (place.to_owned(), owner.to_owned());
        let json = json!({"paths": [
            {"path": "$.id", "keep": {"owner": "@a", "reason": "r"}},
            {"path": "$.mail", "mask": "email"},
        ]});
        assert_eq!(places(&json), [pair("$.id", "@a")]);
        let nested = json!({"mask": "fields", "params": {"fields": {
            "plan": {"keep": {"owner": "@b", "reason": "r"}},
            "tags": {"mask": "elements", "params": {"keep": {"owner": "@c", "reason": "r"}}},
        }}});
        assert_eq!(places(&nested), [pair("plan", "@b"), pair("tags", "@c")]);
        let elements = json!({"keep": {"owner": "@d", "reason": "r"}});
        assert_eq!(places(&elements), [pair("every element", "@d")]);
        assert_eq!(places(&json!({"keep": 2, "fill": "*"})), []);
    }
}
