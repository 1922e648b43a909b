//! The audit as flat rows: NDJSON and CSV, one row per record, for a SIEM.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::super::{
    chain::Line,
    fold::Scope,
    hex::{ExecutionId, Mac},
    instant,
    record::{Event, Execution, Node, Object, Record, Status},
};

/// The columns, in their order. Later ones are only ever added at the end.
pub const COLUMNS: [&str; 32] = [
    "time",
    "record",
    "class",
    "tenant",
    "execution",
    "script_name",
    "script_type",
    "sequence",
    "status",
    "event",
    "user",
    "host",
    "commit",
    "plan",
    "sql",
    "objects",
    "duration_us",
    "rows_read",
    "rows_masked",
    "rows_written",
    "bytes_written",
    "bytes_freed",
    "error_code",
    "error_message",
    "nodes",
    "closed_by",
    "metadata",
    "writer",
    "chain_class",
    "position",
    "prev",
    "mac",
];

/// Rows as NDJSON: one object per line, without the columns that have nothing to say.
///
/// A row is a status or an event; the hub's columns, user and host stand in each status. What has
/// no hub among `lines` is left out unless the scope is everything, since it may be anybody's. Of one
/// tenant, rows have neither position nor predecessor: these would say how much others did in between.
#[must_use]
pub fn ndjson(lines: &[Line], scope: &Scope) -> String {
    let mut out = String::new();
    for row in rows(lines, scope) {
        let mut object = Map::new();
        for (name, value) in COLUMNS.iter().zip(row.cells()) {
            if let Some(value) = value {
                object.insert((*name).to_owned(), value);
            }
        }
        out.push_str(&Value::Object(object).to_string());
        out.push('\n');
    }
    out
}

/// Rows as CSV (RFC 4180): a header, every cell quoted, lines end with CR LF; what has nothing to say
/// is an empty cell.
///
/// A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, their full-width forms, a tab or a line
/// break for a formula, quoted or not. Such a cell gets an apostrophe in front (OWASP, CSV Injection):
/// who needs the exact text takes NDJSON. Lists are cells of JSON.
#[must_use]
pub fn csv(lines: &[Line], scope: &Scope) -> String {
    let mut out = String::new();
    push_csv(&mut out, COLUMNS.iter().map(|name| (*name).to_owned()));
    for row in rows(lines, scope) {
        let cells = row.cells();
        let text = |cell: Option<Value>| match cell {
            None => String::new(),
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
        };
        push_csv(&mut out, cells.into_iter().map(text));
    }
    out
}

fn push_csv(out: &mut String, cells: impl Iterator<Item = String>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push('"');
        if cell.starts_with(FORMULA) {
            out.push('\'');
        }
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    }
    out.push_str("\r\n");
}

/// What a spreadsheet may take for the beginning of a formula.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

struct Row<'a> {
    line: &'a Line,
    hub: Option<&'a Execution>,
    asker: Asker<'a>,
    /// Its position and predecessor in its chain, where all of the chain may be seen.
    place: Option<(u64, Mac)>,
}

/// Who asked for an execution, and where. Mostly its first status alone says so, and a row has to be
/// understood by itself.
#[derive(Clone, Copy, Default)]
struct Asker<'a> {
    user: Option<&'a String>,
    host: Option<&'a String>,
}

fn askers(lines: &[Line]) -> HashMap<ExecutionId, Asker<'_>> {
    let mut askers: HashMap<ExecutionId, Asker<'_>> = HashMap::new();
    for line in lines {
        if let Record::Status(status) = line.record() {
            let asker = askers.entry(status.execution).or_default();
            asker.user = asker.user.or(status.user.as_ref());
            asker.host = asker.host.or(status.host.as_ref());
        }
    }
    askers
}

fn rows<'a>(lines: &'a [Line], scope: &Scope) -> Vec<Row<'a>> {
    let hub = |line: &'a Line| match line.record() {
        Record::Execution(hub) => Some((hub.id, hub)),
        Record::Status(_) | Record::Event(_) => None,
    };
    let hubs: HashMap<ExecutionId, &Execution> = lines.iter().filter_map(hub).collect();
    let askers = askers(lines);
    let row = |line: &'a Line| {
        let asker = askers.get(&line.record().execution()).copied().unwrap_or_default();
        let hub = hubs.get(&line.record().execution()).copied();
        let is_inside = match line.record() {
            Record::Execution(_) => false,
            Record::Status(_) => {
                hub.map_or(*scope == Scope::All, |hub| scope.holds(hub.tenant.as_deref()))
            }
            Record::Event(event) => scope.holds(event.tenant.as_deref()),
        };
        // A hub of another tenant says nothing about an event of this one.
        let hub = hub.filter(|hub| scope.holds(hub.tenant.as_deref()));
        let place = (*scope == Scope::All).then(|| (line.place().position, line.prev()));
        is_inside.then_some(Row { line, hub, asker, place })
    };
    lines.iter().filter_map(row).collect()
}

impl Row<'_> {
    /// In the order of [`COLUMNS`].
    fn cells(&self) -> Vec<Option<Value>> {
        let place = self.line.place();
        let mut cells = match self.line.record() {
            Record::Status(status) => status_cells(status, self.hub, self.asker),
            Record::Event(event) => event_cells(event, self.hub),
            Record::Execution(_) => Vec::new(),
        };
        cells.extend([
            word(&place.chain.writer.to_string()),
            word(place.chain.class.word()),
            self.place.map(|(position, _)| position.into()),
            self.place.and_then(|(_, prev)| word(&prev.to_string())),
            word(&place.mac.to_string()),
        ]);
        cells
    }
}

fn status_cells(status: &Status, hub: Option<&Execution>, asker: Asker<'_>) -> Vec<Option<Value>> {
    let volume = status.volume;
    let node = |node: &Node| {
        let Node { name, duration_us, rows } = node;
        json!({"name": name, "duration_us": duration_us, "rows": rows})
    };
    vec![
        word(&instant::text(&status.time)),
        word("status"),
        word(status.class.word()),
        optional(hub.and_then(|hub| hub.tenant.as_ref())),
        word(&status.execution.to_string()),
        optional(hub.map(|hub| &hub.script_name)),
        hub.and_then(|hub| word(hub.script_type.word())),
        Some(status.sequence.into()),
        word(status.status.word()),
        None,
        optional(status.user.as_ref().or(asker.user)),
        optional(status.host.as_ref().or(asker.host)),
        optional(status.commit.as_ref()),
        optional(status.plan.as_ref()),
        optional(status.sql.as_ref()),
        objects(&status.objects),
        status.duration_us.map(Value::from),
        volume.map(|volume| volume.rows_read.into()),
        volume.map(|volume| volume.rows_masked.into()),
        volume.map(|volume| volume.rows_written.into()),
        volume.map(|volume| volume.bytes_written.into()),
        volume.map(|volume| volume.bytes_freed.into()),
        status.error.as_ref().and_then(|error| word(&error.code)),
        status.error.as_ref().and_then(|error| word(error.message.text())),
        list(status.nodes.iter().map(node).collect()),
        status.closed_by.and_then(|by| word(&by.to_string())),
        metadata(&status.metadata),
    ]
}

fn event_cells(event: &Event, hub: Option<&Execution>) -> Vec<Option<Value>> {
    let mut cells = vec![
        word(&instant::text(&event.time)),
        word("event"),
        word("security"),
        optional(event.tenant.as_ref()),
        word(&event.execution.to_string()),
        optional(hub.map(|hub| &hub.script_name)),
        hub.and_then(|hub| word(hub.script_type.word())),
        None,
        None,
        word(event.kind.word()),
        word(&event.user),
        optional(event.host.as_ref()),
        None,
        None,
        None,
        objects(&event.objects),
    ];
    // Nothing from `duration_us` to `closed_by`.
    cells.extend(std::iter::repeat_n(None, 10));
    cells.push(metadata(&event.metadata));
    cells
}

fn word(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| Value::from(text))
}

fn optional(text: Option<&String>) -> Option<Value> {
    text.and_then(|text| word(text))
}

fn objects(objects: &[Object]) -> Option<Value> {
    let shown = |object: &Object| format!("{}:{}", object.kind.word(), object.name).into();
    list(objects.iter().map(shown).collect())
}

fn list(items: Vec<Value>) -> Option<Value> {
    (!items.is_empty()).then_some(Value::Array(items))
}

/// As JSON text within the cell: keys are anybody's, and are no columns.
fn metadata(metadata: &BTreeMap<String, String>) -> Option<Value> {
    let pairs = metadata.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
    let object: Map<String, Value> = pairs.collect();
    (!object.is_empty()).then(|| Value::from(Value::Object(object).to_string()))
}
