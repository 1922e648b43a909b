//! A project whose every sensitive value is a canary: 1,000 in each column, each unlike all others, from
//! five kinds of source, with more in the passphrase and the connections' settings.
//!
//! ```text
//!  people ──┬─▶ csv ──────┐
//!           ├─▶ jsonl     │
//!           ├─▶ parquet   ├─▶ one sealed export each ─▶ SQLite
//!           ├─▶ arrow     │
//!           └─▶ sqlite ───┘
//! ```

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::harness::{Ended, KEY, KEY_VARIABLE, Project, files_below};
use crate::python;
use crate::search::Needles;

/// Rows, and so canaries of each column.
pub(crate) const ROWS: u64 = 1000;

/// The kinds of source; the exports have the same names.
pub(crate) const KINDS: [&str; 5] = ["arrow", "csv", "jsonl", "parquet", "sqlite"];

/// The passphrase of the target `dev`.
pub(crate) const PASSPHRASE: &str = "Kanarie-Passphrase-7Qx!4711";

/// Another passphrase, which opens nothing; a canary as well, wherever it is put.
pub(crate) const WRONG: &str = "Kanarie-Passphrase-9Zw?0815";

/// The columns and their declared types.
const COLUMNS: [(&str, &str); 8] = [
    ("account", "int64"),
    ("name", "string"),
    ("email", "string"),
    ("phone", "string"),
    ("note", "string"),
    ("balance", "decimal(18,2)"),
    ("born", "date"),
    ("seen", "timestamp"),
];

/// Connections' settings that come from the environment, and what they are.
const SETTINGS: [(&str, &str); 5] = [
    ("FILES_URL", "data/kanarie-ablage-83aa"),
    ("DATABASE_PATH", "data/kanarie-ablage-83aa/kanarie-datenbank-51c2.sqlite"),
    ("MASKED_PATH", "named/kanarie-ziel-99b0.sqlite"),
    ("STORE_URL", "file://named/kanarie-lager-2d10"),
    ("KEYRING_PATH", "named/kanarie-ring-64f7.json"),
];

/// The folder of everything whose name is a canary already.
const NAMED: &str = "named";

/// A value of a row: the canary of a column.
fn canary(column: &str, row: u64) -> String {
    // Spread, so that no canary is a part of another, and none looks like a count or a size.
    let mark = (row + 1) * 7_654_321 % 9_999_991;
    match column {
        "account" => format!("{}", 5_310_000_000_000_000 + mark * 1009),
        "name" => format!("Kanarie{mark:07}gelb"),
        "email" => format!("kanarie.{mark:07}@vogel{mark:07}.example"),
        "phone" => format!("+49 4711 {mark:07}{row:04}"),
        "note" => format!("Singt um {mark:07} Uhr, \"laut\"; ruht nie"),
        "balance" => format!("{}.{:02}", 70_000_000_000 + mark * 101, row % 100),
        "born" => format!("{}-{:02}-{:02}", 1620 + row / 12, 1 + row % 12, 2 + row % 26),
        "seen" => format!(
            "{}-{:02}-{:02} {:02}:17:{:02}",
            1720 + row / 24,
            1 + row % 12,
            3 + row % 24,
            1 + row % 22,
            row % 60
        ),
        other => panic!("no column {other}"),
    }
}

/// The project, the folder for its temporary files, and what is looked for.
pub(crate) struct Planted {
    pub(crate) project: Project,
    temporary: TempDir,
}

/// Everything that must not be seen, in every form it might be.
pub(crate) static NEEDLES: LazyLock<Needles> = LazyLock::new(|| {
    let mut forms = Vec::new();
    for (column, _) in COLUMNS {
        for row in 0..ROWS {
            let value = canary(column, row);
            if column == "account" {
                let number: i64 = value.parse().unwrap();
                forms.push((number.to_le_bytes().to_vec(), format!("{column} in binary")));
            }
            add_forms(column, &value, &mut forms);
        }
    }
    for (name, value) in [("passphrase", PASSPHRASE), ("wrong", WRONG), ("key", KEY)] {
        add_forms(name, value, &mut forms);
    }
    for (name, value) in SETTINGS {
        // The folders are named by the tests themselves; the last part is the canary.
        add_forms(name, value.rsplit('/').next().unwrap(), &mut forms);
    }
    let needles = Needles::named(forms);
    assert!(needles.count() > 60_000, "{} needles", needles.count());
    needles
});

fn add_forms(name: &str, value: &str, forms: &mut Vec<(Vec<u8>, String)>) {
    let mut texts = vec![value.to_owned(), value.replace(' ', "T"), value.replace('"', "\\\"")];
    texts.push(value.replace(' ', ""));
    texts.extend([value.to_lowercase(), value.to_uppercase()]);
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    texts.extend([hex.to_uppercase(), hex]);
    texts.extend(base64(value.as_bytes()));
    forms.extend(texts.into_iter().map(|text| (text.into_bytes(), format!("{name} {value}"))));
    let wide = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    forms.push((wide, format!("{name} {value} in UTF-16")));
}

/// What stands in base64 wherever these bytes begin inside of it: the digits that no neighbour changes.
fn base64(bytes: &[u8]) -> [String; 3] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    [0, 1, 2].map(|before| {
        let bits = (0..bytes.len() * 8).map(|bit| bytes[bit / 8] >> (7 - bit % 8) & 1);
        let bits: Vec<u8> = bits.skip((6 - before * 8 % 6) % 6).collect();
        let digit = |six: &[u8]| six.iter().fold(0, |value, bit| value << 1 | usize::from(*bit));
        bits.chunks_exact(6).map(|six| char::from(DIGITS[digit(six)])).collect()
    })
}

/// The project as it was made, of which every test gets a copy.
static ORIGINAL: LazyLock<Project> = LazyLock::new(|| {
    let mut project = Project::of(&[
        ("engine.yml", "name: planted\nedition: 2026\n"),
        ("profiles.yml", &profiles()),
        ("policies/masking.yml", POLICIES),
        ("exports/people.yml", &exports()),
    ]);
    for kind in KINDS {
        project.write(&format!("sources/{kind}.yml"), source(kind));
    }
    let files = SETTINGS[0].1;
    project.write(&format!("{files}/people.csv"), csv());
    project.write(&format!("{files}/people.jsonl"), json_lines());
    let path = |name: &str| project.path(&format!("{files}/{name}")).display().to_string();
    let types: Vec<String> = COLUMNS.iter().map(|(name, kind)| format!("{name}={kind}")).collect();
    let outputs =
        [path("people.csv"), types.join(";"), path("people.parquet"), path("people.arrow")];
    python::run("tests/python/columnar.py", &outputs.each_ref().map(String::as_str));
    sqlite(&project.path(SETTINGS[1].1));
    std::fs::create_dir_all(project.path(NAMED)).unwrap();
    project.set("KANARIE_PASSPHRASE", PASSPHRASE);
    for (name, value) in SETTINGS {
        project.set(name, value);
    }
    project.run(&["keys", "init"]).success();
    project.run(&["keys", "init", "--target", "fast"]).success();
    project
});

impl Planted {
    /// A project of its own, with a folder of its own for temporary files.
    pub(crate) fn new() -> Self {
        let mut project = ORIGINAL.duplicate();
        let temporary = tempfile::tempdir().unwrap();
        project.set("TMPDIR", temporary.path().to_str().unwrap());
        Self { project, temporary }
    }

    /// The path of a source's file.
    pub(crate) fn source(&self, kind: &str) -> PathBuf {
        let name = match kind {
            "sqlite" => SETTINGS[1].1.to_owned(),
            kind => format!("{}/people.{kind}", SETTINGS[0].1),
        };
        self.project.path(&name)
    }

    /// The database that is loaded.
    pub(crate) fn masked(&self) -> PathBuf {
        self.project.path(SETTINGS[2].1)
    }

    /// Runs a command in both ways of showing things, and looks for canaries after each. It must end
    /// with `status` each time, and name `code`, so that it is known to have failed as it should.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &[&str], status: i32, code: &str) {
        for format in ["human", "json"] {
            let shown = ["--format", format, "--log-format", format, "--verbose"];
            let ended = self.project.run(&[arguments, &shown].concat()).status(status);
            assert!(ended.stderr.contains(code), "{code} is not named: {ended}");
            self.check(&ended);
        }
    }

    /// The same, with whatever status but success.
    #[track_caller]
    pub(crate) fn fails_with(&self, arguments: &[&str], code: &str) {
        let status = self.project.run(arguments).status.expect("it ends by itself");
        assert_ne!(status, 0, "{arguments:?}");
        self.fails(arguments, status, code);
    }

    /// Looks for canaries in what a command said and in all that it left.
    #[track_caller]
    pub(crate) fn check(&self, ended: &Ended) {
        NEEDLES.assert_absent(&format!("stdout of {}", ended.command), ended.stdout.as_bytes());
        NEEDLES.assert_absent(&format!("stderr of {}", ended.command), ended.stderr.as_bytes());
        self.check_files();
    }

    /// Looks for canaries in every file but the sources themselves.
    #[track_caller]
    pub(crate) fn check_files(&self) {
        for entry in std::fs::read_dir(self.project.root()).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(".env") {
                // Written by the tests.
            } else if path.is_file() {
                NEEDLES.assert_absent(&path.display().to_string(), &std::fs::read(&path).unwrap());
            } else if !path.ends_with("data") && !path.ends_with(NAMED) {
                NEEDLES.assert_absent_below(&path);
            }
        }
        for file in files_below(&self.project.path(NAMED)) {
            NEEDLES.assert_absent(&file.display().to_string(), &std::fs::read(&file).unwrap());
        }
        let left = files_below(self.temporary.path());
        assert!(left.is_empty(), "temporary files are left: {left:?}");
    }
}

fn profiles() -> String {
    let setting = |variable: &str| format!("\"{{{{ env_var('{variable}') }}}}\"");
    let ring = setting("KEYRING_PATH");
    let passphrase = format!("{{provider: passphrase, keyring: {ring}, env: KANARIE_PASSPHRASE}}");
    let key = format!("{{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}");
    let mut text = String::from("default: dev\ntargets:\n");
    for (target, store, keys) in
        [("dev", setting("STORE_URL"), passphrase), ("fast", "file://target/store".to_owned(), key)]
    {
        write!(text, "  {target}:\n    store: {store}\n    keys: {keys}\n    connections:\n")
            .unwrap();
        for kind in ["arrow", "csv", "jsonl", "parquet"] {
            let url = setting("FILES_URL");
            writeln!(text, "      {kind}: {{type: {kind}, url: {url}}}").unwrap();
        }
        for (name, variable) in [("sqlite", "DATABASE_PATH"), ("masked", "MASKED_PATH")] {
            let path = setting(variable);
            writeln!(text, "      {name}: {{type: sqlite, path: {path}}}").unwrap();
        }
    }
    text
}

fn source(kind: &str) -> String {
    let mut text = format!("sources:\n  - name: {kind}\n    connection: {kind}\n    tables:\n");
    text.push_str("      - name: people\n        columns:\n");
    for (name, column_type) in COLUMNS {
        let column = format!("{{name: {name}, type: \"{column_type}\", class: pii.{name}}}");
        writeln!(text, "          - {column}").unwrap();
    }
    text
}

fn exports() -> String {
    let mut text = String::from("exports:\n");
    for kind in KINDS {
        write!(text, "  - name: {kind}\n    from: source('{kind}', 'people')\n").unwrap();
        let load = format!("{{connection: masked, table: {kind}, mode: replace}}");
        writeln!(text, "    chunk: {{rows: 300}}\n    load: [{load}]").unwrap();
    }
    text
}

const POLICIES: &str = "\
classes:
  pii: {sensitive: true}
  open: {sensitive: false}
masking:
  rules:
    - {name: accounts, match: {class: pii.account}, mask: token, linkage: person}
    - {name: names, match: {class: pii.name}, mask: last_name}
    - {name: emails, match: {class: pii.email}, mask: email}
    - {name: phones, match: {class: pii.phone}, mask: phone}
    - {name: notes, match: {class: pii.note}, mask: redact}
    - {name: balances, match: {class: pii.balance}, mask: truncate, params: {multiple: 1000000000}}
    - {name: births, match: {class: pii.born}, mask: truncate, params: {unit: year}}
    - {name: moments, match: {class: pii.seen}, mask: truncate, params: {unit: year}}
    - {name: figures, match: {class: open}, keep: {owner: '@tests', reason: names nobody}}
";

fn csv() -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let mut text = names.join(",");
    for row in 0..ROWS {
        let quoted = |name: &&str| format!("\"{}\"", canary(name, row).replace('"', "\"\""));
        let fields: Vec<String> = names.iter().map(quoted).collect();
        write!(text, "\n{}", fields.join(",")).unwrap();
    }
    text.push('\n');
    text
}

fn json_lines() -> String {
    let mut text = String::new();
    for row in 0..ROWS {
        let field = |(name, _): &(&str, &str)| {
            let value = canary(name, row);
            let value = match *name {
                "account" => value,
                _ => serde_json::Value::String(value).to_string(),
            };
            format!("\"{name}\":{value}")
        };
        let fields: Vec<String> = COLUMNS.iter().map(field).collect();
        writeln!(text, "{{{}}}", fields.join(",")).unwrap();
    }
    text
}

fn sqlite(path: &Path) {
    let mut database = rusqlite::Connection::open(path).unwrap();
    let columns = "account INTEGER, name TEXT, email TEXT, phone TEXT, note TEXT, balance TEXT, \
                   born TEXT, seen TEXT";
    database.execute_batch(&format!("create table people ({columns})")).unwrap();
    let writing = database.transaction().unwrap();
    for row in 0..ROWS {
        let values = COLUMNS.map(|(name, _)| canary(name, row));
        let sql = "insert into people values (?, ?, ?, ?, ?, ?, ?, ?)";
        writing.execute(sql, rusqlite::params_from_iter(values)).unwrap();
    }
    writing.commit().unwrap();
}

#[test]
fn canaries_are_distinct_and_the_search_finds_them() {
    for (column, _) in COLUMNS {
        let values: std::collections::BTreeSet<String> =
            (0..ROWS).map(|row| canary(column, row)).collect();
        assert_eq!(values.len() as u64, ROWS, "{column}");
    }
    let planted = Planted::new();
    for kind in KINDS {
        let bytes = std::fs::read(planted.source(kind)).unwrap();
        assert!(NEEDLES.found_in(&bytes).is_some(), "{kind}");
    }
    // RFC 4648, of the text alone and behind one and two other bytes.
    let whole = ["S2FuYXJpZTAwMDFnZWxi", "eEthbmFyaWUwMDAxZ2VsYg==", "eHhLYW5hcmllMDAwMWdlbGI="];
    for (part, whole) in base64(b"Kanarie0001gelb").iter().zip(whole) {
        assert!(part.len() >= 18 && whole.contains(part), "{part}");
    }
}
