//! What a recipient opens without the engine: sealed chunks with Tink, modular ones with pyarrow and with
//! DuckDB, by the key that was exported; and the rows are those that a query gives.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{KEY_VARIABLE, Project, files_below};
use crate::python;

/// Rows of the source, in chunks of [`CHUNK_ROWS`].
const ROWS: usize = 2_500;
const CHUNK_ROWS: usize = 1_000;

struct Shared {
    project: Project,
    key: String,
    run: String,
}

impl Shared {
    /// A project with one sealed and one modular export of the same rows, run, and its key exported.
    fn new() -> Self {
        let project = Project::of(&[
            ("engine.yml", "name: given\nedition: 2026\n"),
            ("sources/crm.yml", SOURCES),
            ("policies/masking.yml", POLICIES),
        ]);
        project.write(
            "profiles.yml",
            format!(
                "default: dev\ntargets:\n  dev:\n    store: file://target/store\n    \
                 keys: {{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}\n    \
                 connections: {{crm: {{type: csv, url: data}}}}\n"
            ),
        );
        let export = |name: &str, encryption: &str| {
            format!(
                "  - {{name: {name}, from: \"source('crm', 'people')\", encryption: {encryption}, \
                 chunk: {{rows: {CHUNK_ROWS}}}}}\n"
            )
        };
        let exports = export("sealed_people", "sealed") + &export("modular_people", "modular");
        project.write("exports/people.yml", format!("exports:\n{exports}"));
        project.write("data/people.csv", csv());
        project.run(&["keys", "init"]).success();
        let run = project.run(&["run", "--format", "json"]).success().json();
        project.run(&["keys", "export", "--to", "data.key"]).success();
        let key = project.read("data.key").trim().to_owned();
        Self { project, key, run: run["run"].as_str().unwrap().to_owned() }
    }

    /// The chunks with this ending, as paths of this machine.
    fn chunks(&self, ending: &str) -> Vec<PathBuf> {
        let mut files = files_below(&self.project.path("target/store/exports"));
        files.retain(|file| file.to_string_lossy().ends_with(ending));
        assert_eq!(files.len(), ROWS.div_ceil(CHUNK_ROWS), "{ending}: {files:?}");
        files
    }

    /// All rows of an export by a query, in the order of their numbers.
    fn queried(&self, export: &str) -> Vec<Value> {
        let rows = self.project.query(&format!("select * from {export} order by number"));
        assert_eq!(rows.len(), ROWS);
        rows
    }

    /// What a library reads of the modular chunks.
    fn read(&self, mode: &str, library: &str) -> String {
        let chunks = self.chunks(".parquet");
        let chunks: Vec<String> = chunks.iter().map(|file| file.display().to_string()).collect();
        let fixed = [mode, &self.key, "given", "modular_people", &self.run, library];
        let all: Vec<&str> = fixed.into_iter().chain(chunks.iter().map(String::as_str)).collect();
        python::run("tests/python/read_chunks.py", &all)
    }
}

const SOURCES: &str = "\
sources:
  - name: crm
    connection: crm
    tables:
      - name: people
        columns:
          - {name: number, type: int64, class: open}
          - {name: person, type: int64, class: pii.id}
          - {name: email, type: string, class: pii.email}
          - {name: born, type: date, class: pii.date}
          - {name: seen, type: timestamp, class: pii.date}
          - {name: paid, type: \"decimal(10,2)\", class: open}
          - {name: share, type: float64, class: open}
          - {name: active, type: bool, class: open}
";

const POLICIES: &str = "\
classes: {pii: {sensitive: true}, open: {sensitive: false}}
masking:
  rules:
    - {name: ids, match: {class: pii.id}, mask: token, linkage: person}
    - {name: emails, match: {class: pii.email}, mask: email}
    - {name: dates, match: {class: pii.date}, mask: date_shift, linkage: person, params: {days: 9, per: person}}
    - {name: figures, match: {class: open}, keep: {owner: '@tests', reason: names nobody}}
";

fn csv() -> String {
    let mut text = String::from("number,person,email,born,seen,paid,share,active\n");
    for row in 0..ROWS {
        let person = row % 300;
        let email = if row % 11 == 0 { String::new() } else { format!("p{person}@mail.example") };
        text.push_str(&format!(
            "{row},{person},{email},19{:02}-0{}-1{},2024-0{}-2{} 1{}:0{}:30,{}.{:02},{}.5,{}\n",
            person % 90 + 10,
            row % 9 + 1,
            row % 9,
            row % 9 + 1,
            row % 8,
            row % 9,
            row % 9,
            row * 3,
            row % 100,
            row % 7,
            row % 2 == 0,
        ));
    }
    text
}

fn sorted(lines: &str) -> Vec<Value> {
    let mut rows: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    rows.sort_by_key(|row| row["number"].as_u64());
    rows
}

#[test]
fn pyarrow_and_duckdb_read_modular_chunks_as_a_query_does() {
    let shared = Shared::new();
    let expected = shared.queried("modular_people");
    for library in ["pyarrow", "duckdb"] {
        let found = sorted(&shared.read("modular", library));
        assert_eq!(found.len(), expected.len(), "{library}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{library}");
        }
        let refusal = shared.read("wrong", library);
        assert!(refusal.starts_with("refused: "), "{library} with another key: {refusal:?}");
    }
    // The two exports mask alike: encryption is no part of a mask.
    assert_eq!(shared.queried("sealed_people"), expected);
}

#[test]
fn modular_chunks_show_nothing_without_the_key() {
    let shared = Shared::new();
    for chunk in shared.chunks(".parquet") {
        let bytes = std::fs::read(&chunk).unwrap();
        assert!(bytes.starts_with(b"PARE") && bytes.ends_with(b"PARE"), "the footer is encrypted");
        for name in ["number", "person", "email", "engine.context", "example.com"] {
            let shows = bytes.windows(name.len()).any(|window| window == name.as_bytes());
            assert!(!shows, "{name} is to be read in {}", chunk.display());
        }
    }
}

/// A recipient's script with the key on its stdin: its exit and what it printed.
fn recipient(script: &str, arguments: &[&str], key: &str) -> (bool, String) {
    let words = python::words(&format!("examples/open_with_python/{script}"), arguments);
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(key.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let all = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(all).unwrap())
}

/// E-mail addresses that a recipient's script printed, of ten rows.
fn emails(shown: &str) -> BTreeSet<String> {
    let parts = shown.split('\'').filter(|part| part.ends_with("@example.com"));
    parts.map(str::to_owned).collect()
}

#[test]
fn recipients_open_chunks_with_the_examples() {
    let shared = Shared::new();
    let rows = shared.queried("sealed_people");
    let all: BTreeSet<String> =
        rows.iter().filter_map(|row| row["email"].as_str().map(str::to_owned)).collect();
    for (ending, script, export, more) in [
        (".parquet.enc", "open_chunk.py", "sealed_people", vec![]),
        (".parquet", "open_modular.py", "modular_people", vec![shared.run.as_str()]),
    ] {
        let chunks = shared.chunks(ending);
        for chunk in &chunks {
            let path = chunk.to_str().unwrap();
            let arguments = [vec![path, "given", export], more.clone()].concat();
            let (opened, shown) = recipient(script, &arguments, &shared.key);
            assert!(opened, "{script}: {shown}");
            let found = emails(&shown);
            assert!(found.len() >= 8 && found.is_subset(&all), "{script}: {shown}");
            // Under another name, for another export, or with another key, it does not open.
            let renamed = shared.project.path(chunks[0].file_name().unwrap().to_str().unwrap());
            if *chunk != chunks[0] {
                std::fs::copy(chunk, &renamed).unwrap();
                let arguments = [vec![renamed.to_str().unwrap(), "given", export], more.clone()];
                assert!(
                    !recipient(script, &arguments.concat(), &shared.key).0,
                    "{script}, renamed"
                );
            }
            let elsewhere = [vec![path, "given", "other"], more.clone()].concat();
            assert!(!recipient(script, &elsewhere, &shared.key).0, "{script}, another export");
            let first = if shared.key.starts_with("00") { "01" } else { "00" };
            let other_key = format!("{first}{}", &shared.key[2..]);
            assert!(!recipient(script, &arguments, &other_key).0, "{script}, another key");
        }
    }
}
