//! A small project that has what tests of stores need: several chunks, sealed and modular ones, a load.
//!
//! ```text
//!  data/people.csv ─▶ people    sealed, loaded into target/masked.sqlite (replace)
//!                  └▶ contacts  modular
//! ```
//!
//! The source comes in editions. Every row carries the number of its edition, and the figures of one
//! edition differ from those of another, so rows of two editions cannot be taken for one.

use std::fmt::Write;

use rusqlite::types::Value as Cell;
use serde_json::{Map, Value};

use crate::harness::{KEY_VARIABLE, Project};

/// The exports.
pub(crate) const EXPORTS: [&str; 2] = ["people", "contacts"];

/// The loaded database, in the project's folder.
pub(crate) const DATABASE: &str = "target/masked.sqlite";

const ENGINE: &str = "name: people\nedition: 2026\n";

const SOURCES: &str = "\
sources:
  - name: crm
    connection: crm
    tables:
      - name: people
        key: [person_id]
        columns:
          - {name: person_id, type: int64, class: id.person}
          - {name: first_name, type: string, class: pii.first_name}
          - {name: email, type: string, class: pii.email}
          - {name: edition, type: int64, class: public}
          - {name: figure, type: int64, class: public}
";

const POLICIES: &str = "\
classes:
  id: {sensitive: true}
  pii: {sensitive: true}
  public: {sensitive: false}
masking:
  rules:
    - {name: ids, match: {class: id}, mask: token, linkage: person}
    - {name: first_names, match: {class: pii.first_name}, mask: first_name}
    - {name: emails, match: {class: pii.email}, mask: email}
    - {name: open, match: {class: public}, keep: {owner: '@tests', reason: names nobody}}
";

/// A project with its keyring and this many rows of edition 0, `chunk_rows` to a chunk.
pub(crate) fn project(rows: usize, chunk_rows: usize) -> Project {
    let profiles = format!(
        "default: dev\ntargets:\n  dev:\n    store: file://target/store\n    \
         keys: {{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}\n    \
         connections:\n      crm: {{type: csv, url: data}}\n      \
         masked: {{type: sqlite, path: {DATABASE}}}\n"
    );
    let exports = format!(
        "exports:\n  - name: people\n    from: source('crm', 'people')\n    \
         chunk: {{rows: {chunk_rows}}}\n    \
         load: [{{connection: masked, table: people, mode: replace}}]\n  - name: contacts\n    \
         from: source('crm', 'people')\n    encryption: modular\n    \
         chunk: {{rows: {chunk_rows}}}\n"
    );
    let project = Project::of(&[
        ("engine.yml", ENGINE),
        ("profiles.yml", &profiles),
        ("sources/crm.yml", SOURCES),
        ("policies/masking.yml", POLICIES),
        ("exports/people.yml", &exports),
    ]);
    source(&project, 0, rows);
    project.run(&["keys", "init"]).success();
    project
}

/// Writes an edition of the source.
pub(crate) fn source(project: &Project, edition: u64, rows: usize) {
    let mut text = String::from("person_id,first_name,email,edition,figure\n");
    for row in 0..rows {
        let figure = (row as u64 + 1) * (edition + 1);
        writeln!(text, "{row},Ada{row},ada.{row}@lovelace.example,{edition},{figure}").unwrap();
    }
    project.write("data/people.csv", text);
}

/// All rows of an export, in the order of their figures.
pub(crate) fn rows(project: &Project, export: &str) -> Vec<Value> {
    project.query(&format!("select * from {export} order by figure"))
}

/// The rows of the loaded table, as another program sees them, in the order of their figures.
pub(crate) fn loaded(project: &Project) -> Vec<Value> {
    let database = rusqlite::Connection::open(project.path(DATABASE)).unwrap();
    let mut statement = database.prepare("select * from people order by figure").unwrap();
    let names: Vec<String> = statement.column_names().map(ToOwned::to_owned).collect();
    let rows = statement.query_map([], |row| {
        let mut object = Map::new();
        for (index, name) in names.iter().enumerate() {
            let value = match row.get(index)? {
                Cell::Null => Value::Null,
                Cell::Integer(number) => number.into(),
                Cell::Real(number) => number.into(),
                Cell::Text(text) => text.into(),
                Cell::Blob(_) => panic!("no column of the project is binary"),
            };
            object.insert(name.clone(), value);
        }
        Ok(Value::Object(object))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// The chunk files of the store, as paths in the project's folder.
pub(crate) fn chunks(project: &Project) -> Vec<String> {
    objects(project, "/chunks/")
}

/// The manifests of the store, as paths in the project's folder.
pub(crate) fn manifests(project: &Project) -> Vec<String> {
    objects(project, "/manifests/")
}

fn objects(project: &Project, folder: &str) -> Vec<String> {
    let files = crate::harness::files_below(&project.path("target/store/exports"));
    let paths = files.iter().map(|file| file.strip_prefix(project.root()).unwrap());
    let names = paths.map(|path| path.to_str().unwrap().to_owned());
    // A name with `#` is an upload that was never finished; no reader sees it.
    names.filter(|name| name.contains(folder) && !name.contains('#')).collect()
}
