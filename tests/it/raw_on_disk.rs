//! No raw value reaches a disk, however much a model has to hold: there are no temporary files, and too
//! little memory is an error that says what to raise.
//!
//! ```text
//!  engine run ──┬─▶ files of the project, the store, TMPDIR ──┐
//!               └─▶ /proc/<id>/fd: unlinked files as well ────┴─▶ searched, again and again while it runs
//! ```

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::harness::{KEY_VARIABLE, Project, Started, files_below};
use crate::search::Needles;

/// Rows of the source: enough that sorting them takes a while and megabytes.
const ROWS: usize = 60_000;

/// Each so many rows, one is looked for.
const LOOKED_FOR: usize = 100;

/// Models that must hold many rows at once, by name.
const MODELS: [(&str, &str); 5] = [
    ("sorted", "select note, account from T order by note limit 55000"),
    ("joined", "select a.note, b.account from T a join T b on a.note = b.note"),
    ("grouped", "select note, max(account) as account from T group by note"),
    ("ranked", "select note, rank() over (order by note) as account from T"),
    ("distinct_rows", "select distinct note, account from T"),
];

fn note(row: usize) -> String {
    format!("Roher Wert {:09} einer Zeile", row * 7_919 % 100_000_007)
}

struct Held {
    project: Project,
    temporary: TempDir,
    needles: Needles,
}

impl Held {
    fn new() -> Self {
        let mut models = String::from("models:\n");
        let mut exports = String::from("exports:\n");
        let mut project = Project::of(&[
            ("engine.yml", "name: held\nedition: 2026\n"),
            (
                "sources/crm.yml",
                "sources:\n  - {name: crm, connection: crm, tables: [{name: people, columns: [\
                 {name: account, type: int64, class: pii}, {name: note, type: string, class: pii}]}]}\n",
            ),
            (
                "policies/masking.yml",
                "classes: {pii: {sensitive: true}}\nmasking:\n  rules: [{name: all, match: {class: pii}, mask: token}]\n",
            ),
        ]);
        project.write(
            "profiles.yml",
            format!(
                "default: dev\ntargets:\n  dev:\n    store: file://target/store\n    \
                 keys: {{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}\n    \
                 connections: {{crm: {{type: csv, url: data}}, masked: {{type: sqlite, path: target/masked.sqlite}}}}\n"
            ),
        );
        for (name, sql) in MODELS {
            let sql = sql.replace('T', "{{ source('crm', 'people') }}");
            project.write(&format!("models/{name}.sql"), sql);
            let columns = "[{name: note, class: pii}, {name: account, class: pii}]";
            writeln!(models, "  - {{name: {name}, columns: {columns}}}").unwrap();
            let load = format!("[{{connection: masked, table: {name}}}]");
            writeln!(exports, "  - {{name: {name}, from: ref('{name}'), load: {load}}}").unwrap();
        }
        project.write("models/models.yml", models);
        project.write("exports/exports.yml", exports);
        let mut rows = String::from("account,note\n");
        for row in 0..ROWS {
            writeln!(rows, "{row},{}", note(row)).unwrap();
        }
        project.write("data/people.csv", rows);
        let temporary = tempfile::tempdir().unwrap();
        project.set("TMPDIR", temporary.path().to_str().unwrap());
        project.run(&["keys", "init"]).success();
        let needles = Needles::new((0..ROWS).step_by(LOOKED_FOR).map(note));
        assert_eq!(needles.count(), ROWS / LOOKED_FOR);
        Self { project, temporary, needles }
    }

    /// Looks at all that is on disk until the run ends; gives the names of what was seen.
    fn watch(&self, started: &mut Started) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut looks = 0;
        while !started.has_ended() {
            self.look(started.id(), &mut seen);
            looks += 1;
            std::thread::sleep(Duration::from_millis(3));
        }
        assert!(looks > 20, "the run was looked at {looks} times only");
        seen
    }

    fn look(&self, process: u32, seen: &mut BTreeSet<String>) {
        let source = self.project.path("data");
        for file in files_below(self.project.root()) {
            if !file.starts_with(&source) {
                self.search(&file, &file);
                seen.insert(file.display().to_string());
            }
        }
        let left = files_below(self.temporary.path());
        assert!(left.is_empty(), "temporary files: {left:?}");
        // Files that have no name any more are open all the same.
        let Ok(open) = std::fs::read_dir(format!("/proc/{process}/fd")) else { return };
        for entry in open {
            let Ok(entry) = entry else { continue };
            let Ok(target) = std::fs::read_link(entry.path()) else { continue };
            // What is no file has a name like `pipe:[4711]`; the kernel's own files, which the allocator
            // looks at, are on no disk.
            let kernel = ["/dev", "/proc", "/sys"].iter().any(|of| target.starts_with(of));
            if target.is_absolute() && !kernel && !target.starts_with(&source) {
                self.search(&entry.path(), &target);
                seen.insert(target.display().to_string());
            }
        }
    }

    fn search(&self, file: &Path, shown: &Path) {
        // It may be gone by now; what it held was looked at while it was there.
        let Ok(bytes) = std::fs::read(file) else { return };
        if let Some(value) = self.needles.found_in(&bytes) {
            panic!("{} holds {value:?}", shown.display());
        }
    }
}

#[test]
fn big_sorts_and_joins_touch_no_disk_in_clear() {
    let held = Held::new();
    let mut started = held.project.start(&["run", "--memory", "512MiB"]);
    let seen = held.watch(&mut started);
    started.wait().success();
    // What had to be seen was seen, so the look-out works.
    for part in [".parquet.enc", "masked.sqlite"] {
        assert!(seen.iter().any(|name| name.contains(part)), "no {part}: {seen:?}");
    }
    let own = held.project.root().display().to_string();
    let elsewhere: Vec<&String> = seen.iter().filter(|name| !name.starts_with(&own)).collect();
    assert!(elsewhere.is_empty(), "files outside the project: {elsewhere:?}");
    let source = std::fs::read(held.project.path("data/people.csv")).unwrap();
    assert!(held.needles.found_in(&source).is_some());
}

#[test]
fn too_little_memory_says_what_to_raise_and_leaves_nothing() {
    let held = Held::new();
    let mut started = held.project.start(&["run", "--memory", "1MiB"]);
    let mut seen = BTreeSet::new();
    while !started.has_ended() {
        held.look(started.id(), &mut seen);
    }
    let ended = started.wait().status(1).says("raise `--memory`");
    for (name, _) in MODELS {
        assert!(ended.stderr.contains(&format!("{name}: failed (E0801)")), "{name}: {ended}");
    }
    let chunks = files_below(&held.project.path("target/store/exports"));
    let committed = chunks.iter().filter(|file| file.to_string_lossy().contains("/manifests/"));
    assert_eq!(committed.count(), 0, "{chunks:?}");
    held.look(0, &mut seen);
    // With what it asks for, the next run needs no help.
    held.project.run(&["run", "--memory", "512MiB"]).success();
}
