//! The same project and key give the same masked values, however the work is cut: by jobs, batches and
//! files, plain or dictionary-encoded, from any kind of source, into any store, on any day.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use crate::golden::lines;
use crate::harness::{KEY_VARIABLE, Project, files_below};
use crate::python;

/// Rows; odd, so that no batch size divides them.
const ROWS: usize = 1_501;

/// Files that the rows are spread over.
const FILES: usize = 4;

/// Column, type, and the rule's mask. `number` is kept: it says which row is which.
const COLUMNS: [(&str, &str, &str); 17] = [
    ("person", "int64", "token, linkage: person"),
    ("code", "string", "token, params: {format: base32, length: 20}"),
    ("email", "string", "email"),
    ("first_name", "string", "first_name"),
    ("last_name", "string", "last_name"),
    ("full_name", "string", "full_name"),
    ("street", "string", "street"),
    ("city", "string", "city"),
    ("company", "string", "company"),
    ("phone", "string", "phone"),
    ("born", "date", "date_shift, linkage: person, params: {days: 40, per: person}"),
    ("seen", "timestamp", "date_shift, linkage: person, params: {days: 40, per: person}"),
    ("balance", "decimal(18,2)", "noise, params: {ratio: 0.1}"),
    ("score", "int64", "bucket, params: {width: 10}"),
    ("postcode", "string", "truncate, params: {keep: 2}"),
    ("card", "string", "partial, params: {keep_last: 4}"),
    ("note", "string", "redact"),
];

/// A value of a row, `None` for null. Values come back, so that dictionaries are worth having.
fn value(column: &str, row: usize) -> Option<String> {
    let entity = row * 37 % 211;
    if column != "person" && column != "number" && (row + column.len()).is_multiple_of(13) {
        return None;
    }
    Some(match column {
        "number" => row.to_string(),
        "person" => (40_000 + entity).to_string(),
        "code" => format!("K-{entity:05}"),
        "email" => format!("person.{entity}@mail{}.example", entity % 7),
        "first_name" => format!("Zoë{}", entity % 50),
        "last_name" => format!("Müller-{}", entity % 90),
        "full_name" => format!("Zoë{} Müller-{}", entity % 50, entity % 90),
        "street" => format!("Hauptstraße {entity}"),
        "city" => format!("Ort {}", entity % 30),
        "company" => format!("Firma {}", entity % 20),
        "phone" => format!("+49 30 {:07}", entity * 7919),
        "born" => {
            format!("19{:02}-{:02}-{:02}", entity % 90 + 10, entity % 12 + 1, entity % 28 + 1)
        }
        "seen" => format!("2024-{:02}-{:02} 0{}:30:15", row % 12 + 1, row % 28 + 1, row % 10),
        "balance" => format!("{}.{:02}", row * 13 % 9973, row % 100),
        "score" => (row % 997).to_string(),
        "postcode" => format!("{:05}", entity * 411),
        "card" => format!("4000 1234 {entity:04} {:04}", entity % 77),
        "note" => format!("Notiz ☎ {entity}"),
        other => panic!("no column {other}"),
    })
}

/// The project with its sources in every form; `profiles.yml` chooses.
static ORIGINAL: LazyLock<Project> = LazyLock::new(|| {
    let mut sources = String::from(
        "sources:\n  - name: crm\n    connection: crm\n    tables:\n      - name: people\n        \
         read: {path: \"FORM\"}\n        columns:\n          \
         - {name: number, type: int64, class: open}\n",
    );
    let mut policies = String::from(
        "classes: {pii: {sensitive: true}, open: {sensitive: false}}\nmasking:\n  rules:\n    \
         - {name: open, match: {class: open}, keep: {owner: '@tests', reason: names nobody}}\n",
    );
    for (name, column_type, mask) in COLUMNS {
        let column = format!("{{name: {name}, type: \"{column_type}\", class: pii.{name}}}");
        writeln!(sources, "          - {column}").unwrap();
        let rule = format!("{{name: {name}, match: {{class: pii.{name}}}, mask: {mask}}}");
        writeln!(policies, "    - {rule}").unwrap();
    }
    let project = Project::of(&[
        ("engine.yml", "name: steady\nedition: 2026\n"),
        ("sources/crm.yml", &sources),
        ("policies/masking.yml", &policies),
        ("exports/people.yml", EXPORTS),
        ("models/totals.sql", TOTALS),
        ("models/totals.yml", TOTALS_COLUMNS),
    ]);
    profile(&project, "parquet");
    let types: Vec<String> =
        COLUMNS.iter().map(|(name, kind, _)| format!("{name}={kind}")).collect();
    let types = format!("number=int64;{}", types.join(";"));
    for file in 0..FILES {
        project.write(&format!("data/people-{file}.csv"), csv(file));
        let path =
            |end: &str| project.path(&format!("data/people-{file}{end}")).display().to_string();
        let all =
            [path(".csv"), types.clone(), path(".plain.parquet"), path(".dictionary.parquet")];
        let arrow = path(".arrow");
        let all: Vec<&str> = all.iter().chain([&arrow]).map(String::as_str).collect();
        python::run("tests/python/columnar.py", &all);
    }
    project.run(&["keys", "init"]).success();
    project
});

const EXPORTS: &str = "\
exports:
  - {name: people, from: \"source('crm', 'people')\", chunk: {rows: 400}}
  - {name: totals, from: \"ref('totals')\"}
";

const TOTALS: &str = "\
select person, max(number) as number, max(seen) as seen, max(email) as email
from {{ source('crm', 'people') }} group by person
";

const TOTALS_COLUMNS: &str = "\
models:
  - name: totals
    columns:
      - {name: person, class: pii.person}
      - {name: number, class: open}
      - {name: seen, class: pii.seen}
      - {name: email, class: pii.email}
";

fn csv(file: usize) -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, ..)| *name).collect();
    let mut text = format!("number,{}\n", names.join(","));
    for row in (file..ROWS).step_by(FILES) {
        let field = |name| value(name, row).unwrap_or_default();
        let fields: Vec<String> = names.iter().map(|name| field(name)).collect();
        writeln!(text, "{row},{}", fields.join(",")).unwrap();
    }
    text
}

fn profile(project: &Project, kind: &str) {
    project.write(
        "profiles.yml",
        format!(
            "default: dev\ntargets:\n  dev:\n    store: file://target/store\n    \
             keys: {{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}\n    \
             connections: {{crm: {{type: {kind}, url: data}}}}\n"
        ),
    );
}

/// A copy that reads files of this form with this connector.
fn reading(kind: &str, files: &str) -> Project {
    let project = ORIGINAL.duplicate();
    profile(&project, kind);
    project.replace("sources/crm.yml", "FORM", files);
    project
}

/// What a run publishes.
fn published(project: &Project, options: &[&str]) -> String {
    project.run(&[&["run"], options].concat()).success();
    let people = project.query("select * from people order by number");
    assert_eq!(people.len(), ROWS);
    let totals = project.query("select * from totals order by number");
    assert_eq!(totals.len(), 211);
    lines(&people) + &lines(&totals)
}

static EXPECTED: LazyLock<String> =
    LazyLock::new(|| published(&reading("parquet", "*.plain.parquet"), &[]));

#[track_caller]
fn assert_expected(how: &str, found: &str) {
    for (old, new) in EXPECTED.lines().zip(found.lines()) {
        assert!(old == new, "{how}\n  {old}\n  {new}");
    }
    assert_eq!(EXPECTED.lines().count(), found.lines().count(), "{how}");
}

#[test]
fn jobs_and_batches_change_no_value() {
    for jobs in ["1", "8"] {
        for batch_rows in ["1", "7", "8192"] {
            let project = reading("parquet", "*.plain.parquet");
            let options = ["--jobs", jobs, "--batch-rows", batch_rows];
            assert_expected(&format!("{options:?}"), &published(&project, &options));
        }
    }
}

#[test]
fn the_form_of_the_source_changes_no_value() {
    for (kind, files) in
        [("parquet", "*.dictionary.parquet"), ("arrow", "*.arrow"), ("csv", "*.csv")]
    {
        for jobs in ["1", "8"] {
            let found = published(&reading(kind, files), &["--jobs", jobs]);
            assert_expected(files, &found);
        }
    }
}

#[test]
fn each_mask_did_something() {
    let rows: Vec<serde_json::Value> =
        EXPECTED.lines().take(ROWS).map(|line| serde_json::from_str(line).unwrap()).collect();
    for (name, ..) in COLUMNS {
        let changed = rows.iter().enumerate().filter(|(row, masked)| {
            let before = value(name, *row);
            let after = &masked[name];
            assert_eq!(before.is_none(), after.is_null(), "{name} of row {row}");
            let text = after.as_str().map_or_else(|| after.to_string(), str::to_owned);
            before.is_some_and(|before| before != text)
        });
        assert!(changed.count() > ROWS / 2, "{name} is hardly masked");
    }
}

#[test]
fn another_key_gives_other_values() {
    let project = reading("parquet", "*.plain.parquet");
    std::fs::remove_file(project.path("keyring.json")).unwrap();
    project.run(&["keys", "init"]).success();
    let found = published(&project, &[]);
    let same = EXPECTED.lines().zip(found.lines()).filter(|(old, new)| old == new);
    assert_eq!(same.count(), 0);
}

/// Bytes of every file below a folder, by path.
fn contents(project: &Project, folder: &str) -> BTreeMap<String, String> {
    let root = project.path(folder);
    let files = files_below(&root);
    let name = |file: &std::path::PathBuf| file.strip_prefix(&root).unwrap().display().to_string();
    files.iter().map(|file| (name(file), std::fs::read_to_string(file).unwrap())).collect()
}

#[test]
fn compiling_and_planning_twice_gives_the_same_bytes() {
    for project in [Project::copy_of("examples/chinook"), reading("csv", "*.csv")] {
        let artifacts = |project: &Project, more: &[&str]| {
            std::fs::remove_dir_all(project.path("target")).ok();
            project.run(&[&["compile"], more].concat()).success();
            project.run(&[&["plan"], more].concat()).success();
            let mut all = contents(project, "target/compiled");
            assert!(all.len() >= 3, "{:?}", all.keys());
            all.insert("plan.json".to_owned(), project.read("target/plan.json"));
            all
        };
        let first = artifacts(&project, &[]);
        assert_eq!(artifacts(&project, &[]), first);
        // In another folder, and saying everything there is to say.
        assert_eq!(artifacts(&project.duplicate(), &["--verbose"]), first);
        // A changed policy is another plan.
        project.replace("policies/masking.yml", "reason: ", "reason: now ");
        assert_ne!(artifacts(&project, &[]), first);
    }
}

#[test]
fn a_plan_after_a_run_is_steady_too() {
    let project = reading("csv", "*.csv");
    project.run(&["run"]).success();
    let plans: Vec<String> = (0..2)
        .map(|_| {
            project.run(&["plan"]).success();
            project.read("target/plan.json")
        })
        .collect();
    assert_eq!(plans[0], plans[1]);
}
