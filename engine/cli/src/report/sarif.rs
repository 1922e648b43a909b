//! SARIF 2.1.0 (OASIS): one result for each change that widens what can be read or stops a run, at the
//! line that caused it.

use std::collections::BTreeSet;

use engine_runtime::plan::{Change, Plan};
use serde_json::{Value, json};

use super::{marked, place, sentence};

/// Results of a file; GitHub takes 5,000 and shows the first.
const RESULTS_MAX: usize = 5_000;

pub(super) fn text(plan: &Plan) -> String {
    let results: Vec<Value> = marked(plan).take(RESULTS_MAX).map(result).collect();
    let kinds: BTreeSet<&str> = marked(plan).map(|change| change.kind.as_str()).collect();
    let rules: Vec<Value> = kinds
        .into_iter()
        .map(|kind| {
            let words = kind.replace('_', " ");
            json!({"id": kind, "shortDescription": {"text": format!("Plan: {words}")}})
        })
        .collect();
    let sarif = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "engine", "version": plan.engine, "rules": rules}},
            "properties": {"plan": plan.digest, "target": plan.target},
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&sarif).unwrap_or_default() + "\n"
}

fn result(change: &Change) -> Value {
    let mut result = json!({
        "ruleId": change.kind,
        "level": if change.widens { "warning" } else { "note" },
        "message": {"text": sentence(change)},
    });
    if let Some((file, line, column)) = place(change) {
        result["locations"] = json!([{"physicalLocation": {
            "artifactLocation": {"uri": file, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": line, "startColumn": column},
        }}]);
    }
    result
}
