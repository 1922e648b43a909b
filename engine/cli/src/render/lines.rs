//! NDJSON on stderr (`--log-format json`): one object on each line.
//!
//! ```text
//!  {"timestamp": "2026-01-31T10:00:00.000Z", "level": "INFO",  "target": "engine::run", "event": "chunk_written", …}
//!  {"timestamp": "…",                        "level": "ERROR", "target": "engine::diagnostic", "code": "E0401", …}
//! ```
//!
//! `timestamp`, `level` and `target` stand on every line; the rest depends on `target`.

use chrono::SecondsFormat;
use engine_runtime::diagnostic::{self, Diagnostic};
use engine_runtime::event::Event;
use engine_runtime::project::{Location, SourceMap};
use serde_json::{Map, Value, json};

/// How grave a line is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Level {
    /// Something was refused or failed.
    Error,
    /// Something should be looked at.
    Warning,
    /// Something happened.
    Info,
}

/// The line for an event of a run.
pub(crate) fn event(event: &Event) -> String {
    let level = match event {
        Event::ExportFailed { .. } => Level::Error,
        _ => Level::Info,
    };
    line(level, "engine::run", serde_json::to_value(event).unwrap_or_default())
}

/// The line for a finding.
pub(crate) fn diagnostic(diagnostic: &Diagnostic, files: Option<&SourceMap>) -> String {
    let level = match diagnostic.level {
        diagnostic::Level::Error => Level::Error,
        diagnostic::Level::Warning => Level::Warning,
    };
    line(level, "engine::diagnostic", finding(diagnostic, files))
}

/// The line for a sentence.
pub(crate) fn message(level: Level, text: &str) -> String {
    line(level, "engine", json!({ "message": text }))
}

/// A finding as an object: code, message, help, and its places by path, line and column (from 1).
pub(crate) fn finding(diagnostic: &Diagnostic, files: Option<&SourceMap>) -> Value {
    let mut object = Map::new();
    object.insert("code".to_owned(), json!(diagnostic.code.id));
    object.insert("title".to_owned(), json!(diagnostic.code.title));
    object.insert("message".to_owned(), json!(diagnostic.message));
    if let Some((at, label)) = &diagnostic.at {
        object.insert("at".to_owned(), place(*at, label, files));
    }
    if !diagnostic.related.is_empty() {
        let related = diagnostic.related.iter().map(|(at, label)| place(*at, label, files));
        object.insert("related".to_owned(), related.collect());
    }
    if let Some(help) = &diagnostic.help {
        object.insert("help".to_owned(), json!(help));
    }
    Value::Object(object)
}

fn place(at: Location, label: &str, files: Option<&SourceMap>) -> Value {
    let Some(file) = files.and_then(|files| files.get(at.file)) else {
        return json!({ "label": label });
    };
    let (line, column) = file.line_column(at.start);
    let (end_line, end_column) = file.line_column(at.end);
    json!({
        "path": file.path, "line": line, "column": column,
        "end_line": end_line, "end_column": end_column, "label": label,
    })
}

fn line(level: Level, target: &str, fields: Value) -> String {
    let timestamp = engine_runtime::clock::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let level = match level {
        Level::Error => "ERROR",
        Level::Warning => "WARN",
        Level::Info => "INFO",
    };
    let mut object = Map::new();
    object.insert("timestamp".to_owned(), json!(timestamp));
    object.insert("level".to_owned(), json!(level));
    object.insert("target".to_owned(), json!(target));
    if let Value::Object(fields) = fields {
        object.extend(fields);
    }
    Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_with_the_common_keys_first() {
        let written = Event::RowsWritten { export: "a\nb".to_owned(), rows: 3 };
        let text = event(&written);
        assert!(!text.contains('\n'));
        let value: Value = serde_json::from_str(&text).unwrap();
        let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["timestamp", "level", "target", "event", "export", "rows"]);
        assert_eq!(value["rows"], 3);
    }
}
