//! Rows that expire by their own age: only the chunks that hold any are written again, runs publish and load none,
//! and killed anywhere the next attempt ends where an uninterrupted one does.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::harness::{Dice, KEY_VARIABLE, Project, files_below};

/// Longer than the spans of these policies.
const LATER: Duration = Duration::from_millis(1_100);
const KILLS: u64 = 100;
const ROWS: usize = 40;
const OLD: &str = "2001-02-03";
const NEW: &str = "2199-02-03";

const SOURCES: &str = "\
sources:
  - name: crm
    connection: crm
    tables:
      - name: orders
        key: [id]
        columns:
          - {name: id, type: int64, class: public}
          - {name: region, type: string, class: public}
          - {name: ended, type: date, class: public}
          - {name: note, type: string, class: public}
";

const POLICIES: &str = "\
classes:
  public: {sensitive: false}
masking:
  rules:
    - {name: open, match: {class: public}, keep: {owner: '@tests', reason: names nobody}}
";

/// Two exports of the same rows, sealed and modular, ten rows to a chunk, under this policy.
fn project(policy: &str, ended: impl Fn(usize) -> Option<String>) -> Project {
    let profiles = format!(
        "default: dev\ntargets:\n  dev:\n    store: file://target/store\n    \
         keys: {{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}\n    \
         connections:\n      crm: {{type: csv, url: data}}\n      \
         out: {{type: sqlite, path: target/out.sqlite}}\n"
    );
    let exports = "exports:\n  - name: orders\n    from: source('crm', 'orders')\n    \
                   chunk: {rows: 10}\n    retention: rows\n    \
                   load: [{connection: out, table: orders, mode: replace}]\n  - name: modular\n    \
                   from: source('crm', 'orders')\n    encryption: modular\n    \
                   chunk: {rows: 10}\n    retention: rows\n";
    let retention = format!("retention:\n  - {{name: rows, {policy}}}\n");
    let project = Project::of(&[
        ("engine.yml", "name: orders\nedition: 2026\n"),
        ("profiles.yml", &profiles),
        ("sources/crm.yml", SOURCES),
        ("policies/masking.yml", POLICIES),
        ("policies/retention.yml", &retention),
        ("exports/orders.yml", exports),
    ]);
    source(&project, ended);
    project.run(&["keys", "init"]).success();
    project
}

fn source(project: &Project, ended: impl Fn(usize) -> Option<String>) {
    let row = |row: usize| {
        let region = ["north", "south"][row % 2];
        format!("{row},{region},{},note {row}\n", ended(row).unwrap_or_default())
    };
    let rows: String = (0..ROWS).map(row).collect();
    project.write("data/orders.csv", format!("id,region,ended,note\n{rows}"));
}

/// Of the second chunk every other row is old, of the third all, and one row of the first has no date.
fn mixed(row: usize) -> Option<String> {
    match row {
        3 => None,
        10..20 if row % 2 == 1 => Some(OLD.to_owned()),
        20..30 => Some(OLD.to_owned()),
        _ => Some(NEW.to_owned()),
    }
}

fn is_kept(row: &usize) -> bool {
    mixed(*row).as_deref() != Some(OLD)
}

/// The ids of an export's rows in the order in which they are read.
fn ids(project: &Project, export: &str) -> Vec<usize> {
    let rows = project.query(&format!("select id from {export}"));
    rows.iter().map(|row| usize::try_from(row["id"].as_u64().unwrap()).unwrap()).collect()
}

fn expected() -> Vec<usize> {
    (0..ROWS).filter(is_kept).collect()
}

fn loaded(project: &Project) -> Vec<usize> {
    let database = rusqlite::Connection::open(project.path("target/out.sqlite")).unwrap();
    let mut statement = database.prepare("select id from orders order by id").unwrap();
    let rows = statement.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    rows.map(|row| usize::try_from(row.unwrap()).unwrap()).collect()
}

/// Chunks and manifests of the store, by their paths in it.
fn held(project: &Project) -> BTreeSet<String> {
    let store = project.path("target/store");
    let relative = |path: PathBuf| path.strip_prefix(&store).unwrap().display().to_string();
    let all = files_below(&store.join("exports")).into_iter().map(relative);
    // A name with `#` is an upload that was never finished; no reader sees it.
    all.filter(|path| !path.contains("/tombstones/") && !path.contains('#')).collect()
}

fn chunks(project: &Project) -> BTreeSet<String> {
    held(project).into_iter().filter(|path| path.contains("/chunks/")).collect()
}

fn apply(project: &Project) -> Value {
    project.run(&["retention", "apply", "--format", "json"]).success().json()
}

/// Everything published under a policy that lets every row be, and then one that does not.
fn published(grace: &str) -> Project {
    let policy = format!("rows: {{older_than: 900y, by: ended}}, grace: {grace}");
    let project = project(&policy, mixed);
    project.run(&["run", "--quiet"]).success();
    assert_eq!(ids(&project, "orders").len(), ROWS);
    project.replace("policies/retention.yml", "900y", "5y");
    project
}

#[test]
fn only_chunks_that_hold_expired_rows_are_written_again() {
    let project = published("1s");
    let before = chunks(&project);
    assert_eq!(before.len(), 8, "four of each export");
    let plan = project.run(&["retention", "plan"]).success();
    plan.prints(
        "rows older than 5y by ended: 15 rows in 2 chunks go now; 1 row without ended stay",
    );
    let report = apply(&project);
    assert_eq!(report["exports"][0]["rows"]["rows"], 15, "{report}");
    for export in ["orders", "modular"] {
        assert_eq!(ids(&project, export), expected(), "in their order");
    }
    let after = chunks(&project);
    let new: Vec<&String> = after.difference(&before).collect();
    assert_eq!(new.len(), 2, "one chunk of each export was written again: {new:?}");
    assert!(after.is_superset(&before), "the snapshots before are deleted softly");
    project.run(&["verify"]).success();
    sleep(LATER);
    let report = apply(&project);
    assert_eq!(report["exports"][0]["destroy"]["snapshots"], 1, "{report}");
    assert_eq!(report["exports"][0]["destroy"]["chunks"], 2, "{report}");
    assert_eq!(chunks(&project).len(), 6, "three of each export");
    assert_eq!(ids(&project, "orders"), expected());
    project.run(&["verify"]).success();
    let settled = held(&project);
    apply(&project);
    assert_eq!(held(&project), settled, "once is enough");
    // The snapshot says what made it: a run finds nothing new, but for the changed policy.
    project.run(&["run"]).success().prints("committed");
    project.run(&["run"]).success().prints("unchanged");
    assert_eq!(ids(&project, "modular"), expected());
    project.run(&["verify"]).success();
}

#[test]
fn a_run_publishes_and_loads_no_expired_row() {
    let project = project("rows: {older_than: 5y, by: ended}, grace: 1h", mixed);
    project.run(&["run"]).success();
    for export in ["orders", "modular"] {
        assert_eq!(ids(&project, export), expected());
    }
    assert_eq!(loaded(&project), expected());
    let plan = project.run(&["retention", "plan"]).success();
    plan.prints("0 rows in 0 chunks go now; 1 row without ended stay; runs publish none");
    // What was left out comes back with a policy that wants it, and goes with one that does not.
    project.replace("policies/retention.yml", "5y", "900y");
    project.run(&["plan"]).success().prints("expiry");
    project.run(&["run"]).success();
    assert_eq!(loaded(&project).len(), ROWS);
    let hold = "legal_hold: {owner: \"@legal\", reason: case 7}, rows:";
    project.replace("policies/retention.yml", "rows: {older_than: 900y", "rows: {older_than: 5y");
    project.replace("policies/retention.yml", "rows:", hold);
    project.run(&["run"]).success();
    assert_eq!(loaded(&project).len(), ROWS, "nothing goes while a hold is in force");
}

/// Nothing changed but the time: the snapshot stays without the rows that expired, and is loaded without them.
#[test]
fn a_snapshot_that_stays_is_loaded_without_rows_that_expired_since() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let soon = now + 12;
    let text = |second: u64| {
        let output = std::process::Command::new("date");
        let mut output = output;
        let at = format!("@{second}");
        let output = output.args(["-u", "-d", &at, "+%Y-%m-%dT%H:%M:%S"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let ended = |row: usize| Some(text(if row < 4 { soon } else { soon + 86_400 }));
    let project = project("rows: {older_than: 1s, by: ended}, grace: 1h", ended);
    project.replace("sources/crm.yml", "ended, type: date", "ended, type: timestamp");
    project.run(&["run"]).success();
    assert_eq!(loaded(&project).len(), ROWS);
    let before = chunks(&project);
    let wait =
        (soon + 2).saturating_sub(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    sleep(Duration::from_secs(wait));
    project.run(&["run"]).success();
    assert_eq!(loaded(&project), (4..ROWS).collect::<Vec<_>>());
    assert_eq!(ids(&project, "modular"), (4..ROWS).collect::<Vec<_>>());
    assert_eq!(chunks(&project).difference(&before).count(), 2, "one chunk of each export");
    project.run(&["run"]).success().prints("unchanged");
    project.run(&["verify"]).success();
}

/// Without some of its rows somebody may stand alone in a group: then nothing is published.
#[test]
fn tests_of_groups_are_made_again_on_what_is_left() {
    let project = published("1h");
    let test = "retention: rows\n    tests: [{k_anonymity: {columns: [region], k: 16}}]\n    load";
    project.replace("exports/orders.yml", "retention: rows\n    load", test);
    project.replace("policies/retention.yml", "5y", "900y");
    project.run(&["run"]).success();
    project.replace("policies/retention.yml", "900y", "5y");
    // 5 odd rows of the second chunk and 5 of the third are of the south.
    project.run(&["retention", "apply", "orders"]).status(4).says("E0806");
    assert_eq!(ids(&project, "orders").len(), ROWS, "for somebody to decide about");
    project.run(&["retention", "apply", "modular"]).success();
    project.replace("exports/orders.yml", "k: 16", "k: 10");
    project.run(&["retention", "apply", "orders"]).success();
    assert_eq!(ids(&project, "orders"), expected());
    project.run(&["test"]).success();
}

#[test]
fn killed_anywhere_rows_go_and_nothing_else() {
    let ready = published("1h");
    let whole = ready.duplicate();
    apply(&whole);
    let mut dice = Dice::new(11);
    let mut interrupted = 0;
    for _ in 0..KILLS {
        let project = ready.duplicate();
        let started = project.start(&["retention", "apply"]);
        sleep(Duration::from_micros(dice.below(90_000)));
        let ended = started.kill();
        interrupted += u64::from(ended.status != Some(0));
        // What readers see is whole at every moment, with the rows or without them.
        project.run(&["verify", "--quiet"]).success();
        let seen = ids(&project, "orders");
        assert!(seen == expected() || seen.len() == ROWS, "{seen:?}");
        apply(&project);
        for export in ["orders", "modular"] {
            assert_eq!(ids(&project, export), expected());
        }
        project.run(&["verify", "--quiet"]).success();
    }
    assert!(interrupted > KILLS / 10, "only {interrupted} of {KILLS} were interrupted");
}
