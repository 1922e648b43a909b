//! Records as other systems read them.

use engine_tracking::runs::{
    Event, Failure, Message, Record, Scope, ScriptType, State, Status,
    chain::{Line, Writer},
    export::{
        COLUMNS, ColumnLineage, Dataset, DatasetName, EventType, Gauges, InputField, LineageEvent,
        Masking, NAMES_MAX, Transformation, TransformationType, csv, ndjson, notice, prometheus,
        run_event,
    },
    statistics::{Window, statistics},
};
use serde_json::Value;

use crate::{
    golden::compare,
    invented::{
        decryption, execution, execution_id, export, mac, moment, operation, week, whole, writer,
    },
};

const AT: &str = "2026-11-23T04:00:00Z";

/// What `acme` did, with a text that spreadsheets would run, and what another tenant did.
fn lines() -> Vec<Line> {
    let mut records: Vec<Record> = whole(1, moment(AT)).into();
    records.push(decryption(1, moment(AT)));
    let mut other = execution(2, "=HYPERLINK(\"http://x\",\"y\")", ScriptType::LOAD);
    other.tenant = Some("other, inc.".into());
    let mut status = Status::new(&other, 0, State::Running, moment(AT));
    status.user = Some("@otto".into());
    status.objects = vec![export("a b"), export("c")];
    records.extend([Record::Execution(other), Record::Status(status.into())]);
    let mut writer = Writer::new(writer(1), &[]);
    records.into_iter().map(|record| writer.append(record, &mac).unwrap()).collect()
}

/// A reader of RFC 4180.
fn cells(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut characters = csv.chars().peekable();
    let mut is_quoted = false;
    while let Some(character) = characters.next() {
        match (character, is_quoted) {
            ('"', true) if characters.peek() == Some(&'"') => {
                cell.push('"');
                characters.next();
            }
            ('"', _) => is_quoted = !is_quoted,
            (',', false) => row.push(std::mem::take(&mut cell)),
            ('\r', false) => {}
            ('\n', false) => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            (other, _) => cell.push(other),
        }
    }
    rows
}

#[test]
fn the_audit_is_what_it_was() {
    compare("audit.csv", &csv(&lines(), &Scope::All));
    compare("audit.ndjson", &ndjson(&lines(), &Scope::All));
}

#[test]
fn rows_of_csv_are_those_of_ndjson() {
    let rows = cells(&csv(&lines(), &Scope::All));
    assert_eq!(rows[0], COLUMNS);
    let text = ndjson(&lines(), &Scope::All);
    assert_eq!(rows.len(), 1 + text.lines().count());
    for (row, line) in rows[1..].iter().zip(text.lines()) {
        assert_eq!(row.len(), COLUMNS.len());
        let object: Value = serde_json::from_str(line).unwrap();
        for (name, cell) in COLUMNS.iter().zip(row) {
            let value = match object.get(name) {
                None => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), value, "{name}");
        }
    }
}

#[test]
fn each_row_says_who_and_what() {
    for line in ndjson(&lines(), &Scope::Tenant("acme".into())).lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        let cells = ["tenant", "user", "host", "script_name", "time", "mac"];
        assert!(cells.iter().all(|name| object.get(name).is_some()), "{line}");
        assert_eq!(object["user"], "anna");
    }
}

#[test]
fn no_cell_is_a_formula() {
    let rows = cells(&csv(&lines(), &Scope::All));
    let bad = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    assert!(rows.iter().flatten().all(|cell| !cell.starts_with(bad)));
    assert!(rows.iter().flatten().any(|cell| cell == "'=HYPERLINK(\"http://x\",\"y\")"));
    assert!(rows.iter().flatten().any(|cell| cell == "'@otto"));
}

#[test]
fn a_tenant_exports_its_own() {
    let own = ndjson(&lines(), &Scope::Tenant("acme".into()));
    assert_eq!(own.lines().count(), 3);
    assert!(!own.contains("otto") && !own.contains("other"));
    // Where a row stands in its chain says how much others did.
    assert!(!own.contains("position") && !own.contains("prev"), "{own}");
    let own_csv = cells(&csv(&lines(), &Scope::Tenant("acme".into())));
    assert!(own_csv[1..].iter().all(|row| row[29].is_empty() && row[30].is_empty()));
    assert_eq!((COLUMNS[29], COLUMNS[30]), ("position", "prev"));
    assert_eq!(ndjson(&lines(), &Scope::Tenant("none".into())), "");
    // Without its hub nobody knows whose a status is.
    let statuses: Vec<Line> = lines().into_iter().skip(1).collect();
    assert_eq!(ndjson(&statuses, &Scope::Tenant("acme".into())).lines().count(), 1);
    assert_eq!(ndjson(&statuses, &Scope::All).lines().count(), 4);
}

#[test]
fn an_event_of_one_tenant_says_nothing_of_anothers_execution() {
    let Record::Event(event) = decryption(1, moment(AT)) else { panic!("no event") };
    let foreign = Event { tenant: Some("other".into()), ..event };
    let mut writer = Writer::new(writer(1), &[]);
    let records = whole(1, moment(AT)).into_iter().chain([Record::Event(foreign)]);
    let lines: Vec<Line> = records.map(|record| writer.append(record, &mac).unwrap()).collect();
    let own = ndjson(&lines, &Scope::Tenant("other".into()));
    assert!(own.contains("decryption") && !own.contains("script_name"), "{own}");
}

fn gauges() -> Gauges {
    Gauges {
        now: moment("2026-11-23T00:00:00Z"),
        store_is_up: Some(true),
        keys: vec![("masking".into(), 86_400), ("da\"ta\\\n".into(), -5)],
        retention_overdue: Some(2),
        chain_faults: Some(0),
    }
}

#[test]
fn metrics_are_what_they_were() {
    let window = Window { since: moment("2026-11-16T00:00:00Z"), now: gauges().now };
    compare("metrics.prom", &prometheus(&statistics(&week(), window), &gauges()));
}

#[test]
fn metrics_are_in_the_exposition_format_and_few() {
    let at = moment("2026-11-22T00:00:00Z");
    let many: Vec<_> =
        (0..500).map(|id| operation(id, &format!("s{id}"), ScriptType::RUN, at)).collect();
    let text = prometheus(&statistics(&many, Window { since: at, now: gauges().now }), &gauges());
    let mut typed = "";
    let mut names = std::collections::BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            typed = rest.strip_suffix(" gauge").unwrap();
            assert!(names.insert(typed), "{typed} twice");
        } else if !line.starts_with("# HELP ") {
            let name = line.split(['{', ' ']).next().unwrap();
            assert_eq!(name, typed, "samples stand below their type");
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(text.lines().count() < 40 + NAMES_MAX * 6);
    assert!(text.contains(r#"{key="da\"ta\\\n"} -5"#));
}

fn name(namespace: &str, name: &str) -> DatasetName {
    DatasetName { namespace: namespace.into(), name: name.into() }
}

fn event(event_type: EventType) -> LineageEvent {
    let customers = name("postgres://crm:5432", "crm.public.customers");
    let field = |column: &str, kind, subtype: &str, masking| InputField {
        dataset: customers.clone(),
        column: column.into(),
        transformations: vec![Transformation {
            kind,
            subtype: subtype.into(),
            description: "email".into(),
            masking,
        }],
    };
    let direct = TransformationType::Direct;
    let masked = field("Email", direct, "TRANSFORMATION", Masking::Masked);
    let clear = field("Country", direct, "IDENTITY", Masking::Clear);
    let filter = field("IsActive", TransformationType::Indirect, "FILTER", Masking::Clear);
    LineageEvent {
        event_type,
        time: moment("2026-11-23T04:00:03.25Z"),
        run: execution_id(0x0123_4567_89ab_cdef),
        producer: "https://example.org/engine/0.1.0".into(),
        job_namespace: "warehouse".into(),
        job_name: "export.customers".into(),
        inputs: vec![Dataset {
            name: customers.clone(),
            columns: vec![("Email".into(), "text".into()), ("Country".into(), "text".into())],
            lineage: Vec::new(),
            depends_on: Vec::new(),
            written: None,
        }],
        outputs: vec![Dataset {
            name: name("engine://warehouse", "customers"),
            columns: vec![("email".into(), "Utf8".into()), ("country".into(), "Utf8".into())],
            lineage: vec![
                ColumnLineage { column: "email".into(), inputs: vec![masked] },
                ColumnLineage { column: "country".into(), inputs: vec![clear] },
            ],
            depends_on: vec![filter],
            written: Some((7, 1024)),
        }],
    }
}

#[test]
fn lineage_is_what_it_was() {
    let value = run_event(&event(EventType::Complete));
    compare("lineage.json", &format!("{}\n", serde_json::to_string_pretty(&value).unwrap()));
}

#[test]
fn lineage_marks_what_is_masked() {
    let value = run_event(&event(EventType::Complete));
    let fields = &value["outputs"][0]["facets"]["columnLineage"]["fields"];
    assert_eq!(fields["email"]["inputFields"][0]["transformations"][0]["masking"], true);
    assert_eq!(fields["country"]["inputFields"][0]["transformations"][0]["masking"], false);
    assert_eq!(value["run"]["runId"], "00000000-0000-0000-0123-456789abcdef");
}

#[test]
fn events_say_where_the_run_is() {
    let start = run_event(&event(EventType::Start));
    assert_eq!(start["eventType"], "START");
    assert_eq!(start["run"]["facets"], serde_json::json!({}));
    let message = Message::redacted("test unique failed");
    let failure = Failure { code: "E0801".into(), message };
    let fail = run_event(&event(EventType::Fail(Some(failure))));
    assert_eq!(fail["eventType"], "FAIL");
    let message = &fail["run"]["facets"]["errorMessage"]["message"];
    assert_eq!(message, "E0801: test unique failed");
    for required in ["eventTime", "producer", "schemaURL", "run", "job"] {
        assert!(start.get(required).is_some(), "{required}");
    }
}

#[test]
fn notices_are_what_they_were() {
    let [Record::Execution(hub), Record::Status(started), Record::Status(ended)] =
        whole(1, moment(AT))
    else {
        panic!("an execution and its statuses")
    };
    let notices = [&started, &ended].map(|status| notice("acme", &hub, &started, status));
    let text = serde_json::to_string_pretty(&Value::from(notices.to_vec())).unwrap();
    compare("notices.json", &format!("{text}\n"));
    // Plans, SQL and nodes are for those who have the records.
    assert!(!text.contains("sha256") && !text.contains("export.customers"), "{text}");
}

/// Whatever a facet is of, it names its maker and its schema.
#[test]
fn every_facet_names_its_schema() {
    fn facets(value: &Value, found: &mut Vec<Value>) {
        let Value::Object(object) = value else {
            return value.as_array().into_iter().flatten().for_each(|item| facets(item, found));
        };
        for (key, value) in object {
            if key == "facets" || key == "outputFacets" {
                found.extend(value.as_object().unwrap().values().cloned());
            }
            facets(value, found);
        }
    }
    let mut found = Vec::new();
    facets(&run_event(&event(EventType::Complete)), &mut found);
    assert_eq!(found.len(), 5);
    for facet in found {
        let url = facet["_schemaURL"].as_str().unwrap();
        assert!(url.starts_with("https://openlineage.io/spec/facets/"), "{url}");
        assert!(facet["_producer"].is_string());
    }
}
