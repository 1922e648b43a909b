//! Notices of operations for webhooks, in the form that Standard Webhooks recommends: type, time, data.

use serde_json::{Map, Value, json};

use super::super::{
    instant,
    record::{Execution, Object, State, Status, Volume},
};

/// A notice of an execution that began or ended: `started` is its first status, `status` the one to tell of.
///
/// Deterministic: equal records give equal notices.
#[must_use]
pub fn notice(project: &str, execution: &Execution, started: &Status, status: &Status) -> Value {
    let mut data = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            data.insert(key.to_owned(), value);
        }
    };
    let text = |text: Option<&String>| text.map(|text| Value::from(text.as_str()));
    put("operation", Some(execution.id.to_string().into()));
    put("project", Some(project.into()));
    put("target", Some(execution.script_name.as_str().into()));
    put("kind", Some(execution.script_type.word().into()));
    put("class", Some(execution.class.word().into()));
    put("status", Some(status.status.word().into()));
    put("user", text(status.user.as_ref().or(started.user.as_ref())));
    put("host", text(status.host.as_ref().or(started.host.as_ref())));
    put("commit", text(status.commit.as_ref().or(started.commit.as_ref())));
    let objects = if status.objects.is_empty() { &started.objects } else { &status.objects };
    put("objects", (!objects.is_empty()).then(|| objects.iter().map(object).collect()));
    put("duration_us", status.duration_us.map(Value::from));
    put("volume", status.volume.map(volume));
    put(
        "error",
        status
            .error
            .as_ref()
            .map(|error| json!({"code": error.code, "message": error.message.text()})),
    );
    put("closed_by", status.closed_by.map(|by| by.to_string().into()));
    json!({
        "type": kind(status.status),
        "timestamp": instant::text(&status.time),
        "data": data,
    })
}

/// The type of a notice: a word that never changes its meaning.
const fn kind(state: State) -> &'static str {
    match state {
        State::Started | State::Running => "operation.started",
        State::Success => "operation.succeeded",
        State::Failed => "operation.failed",
    }
}

fn object(object: &Object) -> Value {
    json!({"kind": object.kind.word(), "name": object.name})
}

fn volume(volume: Volume) -> Value {
    json!({
        "rows_read": volume.rows_read,
        "rows_masked": volume.rows_masked,
        "rows_written": volume.rows_written,
        "bytes_written": volume.bytes_written,
        "bytes_freed": volume.bytes_freed,
    })
}
