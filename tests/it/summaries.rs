//! Summaries of run records: reports come from them, and say the same as without; what does not fit its records is
//! passed over; whatever was interrupted, nothing is lost and nothing is counted twice.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::harness::{Project, files_below};

fn files(project: &Project, ending: &str) -> Vec<PathBuf> {
    let mut files = files_below(&project.path("target/store/runs"));
    files.retain(|file| file.to_string_lossy().ends_with(ending));
    files.sort();
    files
}

fn summaries(project: &Project) -> Vec<PathBuf> {
    files(project, ".summary.enc")
}

fn records(project: &Project) -> Vec<PathBuf> {
    files(project, ".ndjson.enc")
}

fn age(file: &Path, days: u64) {
    let file = File::options().write(true).open(file).unwrap();
    let then = SystemTime::now() - Duration::from_secs(days * 86_400);
    file.set_modified(then).unwrap();
}

/// A project with operations of an earlier month, summed up, and some of today.
fn project() -> Project {
    let project = crate::people::project(20, 10);
    project.run(&["run", "--quiet"]).success();
    for _ in 0..6 {
        project.run(&["show", "people"]).success();
    }
    records(&project).iter().for_each(|file| age(file, 40));
    project.run(&["run", "--quiet"]).success();
    assert!(!summaries(&project).is_empty(), "{:?}", records(&project));
    project.run(&["show", "people"]).success();
    project
}

/// What the report says, without the moment it is made at and what was verified when; and the latter.
fn told(project: &Project) -> (Value, Value) {
    let mut report = project.run(&["report", "--format", "json"]).success().json();
    let object = report.as_object_mut().unwrap();
    for part in ["made", "since", "checks"] {
        object.remove(part);
    }
    report["health"].as_object_mut().unwrap().remove("store");
    let audit = report["health"].as_object_mut().unwrap().remove("audit").unwrap();
    (report, audit)
}

fn history(project: &Project) -> Value {
    project.run(&["history", "--format", "json", "--limit", "1000"]).success().json()
}

fn place(copy: &Project, project: &Project, file: &Path) -> PathBuf {
    copy.path("").join(file.strip_prefix(project.root()).unwrap())
}

#[test]
fn the_report_is_the_same_with_summaries_and_without() {
    let project = project();
    let (with, audit) = told(&project);
    let earlier = audit["earlier"].as_array().unwrap();
    assert!(!earlier.is_empty() && audit["fault_count"] == 0, "{audit}");
    assert_eq!(earlier[0]["first"], 1, "{audit}");
    let text = project.run(&["report"]).success().stdout;
    assert!(text.contains("when they were summed up"), "{text}");
    let history_with = history(&project);
    assert_eq!(history_with.as_array().unwrap().len(), 10);
    let copy = project.duplicate();
    for summary in summaries(&project) {
        fs::remove_file(place(&copy, &project, &summary)).unwrap();
    }
    let (without, audit_without) = told(&copy);
    assert_eq!(with, without);
    assert_eq!(audit["records"], audit_without["records"]);
    assert!(audit_without["earlier"].is_null(), "{audit_without}");
    assert_eq!(history(&copy), history_with);
    project.run(&["verify", "--audit"]).success();
}

#[test]
fn a_summary_that_does_not_fit_its_records_is_not_used() {
    let project = project();
    let history_before = history(&project);
    let whole = project.duplicate();
    // It cannot be opened.
    for summary in summaries(&project) {
        let mut bytes = fs::read(&summary).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(place(&whole, &project, &summary), bytes).unwrap();
    }
    assert_eq!(history(&whole), history_before);
    assert!(told(&whole).1["earlier"].is_null());
    // One in the place of another.
    let summary = &summaries(&project)[0];
    let moved = project.duplicate();
    let other =
        place(&moved, &project, summary).with_file_name("0000000001-0000000999.summary.enc");
    fs::rename(place(&moved, &project, summary), other).unwrap();
    assert_eq!(history(&moved), history_before);
    // A file of records is gone: its records are not told of as if they were there.
    let gone = project.duplicate();
    let folder = summary.parent().unwrap();
    let file = records(&project).into_iter().find(|file| file.starts_with(folder)).unwrap();
    fs::remove_file(place(&gone, &project, &file)).unwrap();
    let (_, audit) = told(&gone);
    assert!(audit["fault_count"].as_u64().unwrap() > 0, "{audit}");
    gone.run(&["verify", "--audit"]).status(1).says("E1013");
    // No head is known of what is summed up.
    let headless = project.duplicate();
    for head in files(&project, "head.json") {
        fs::remove_file(place(&headless, &project, &head)).unwrap();
    }
    assert!(told(&headless).1["fault_count"].as_u64().unwrap() > 0);
    // Changed in its length's bounds: told of as it was verified, and found by who reads it.
    let changed = project.duplicate();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(place(&changed, &project, &file), bytes).unwrap();
    assert_eq!(history(&changed), history_before);
    assert_ne!(changed.run(&["verify", "--audit"]).status, Some(0));
}

#[test]
fn what_an_interrupted_compaction_leaves_is_counted_once() {
    let project = crate::people::project(20, 10);
    project.run(&["run", "--quiet"]).success();
    for _ in 0..35 {
        project.run(&["show", "people"]).success();
    }
    let small = project.duplicate();
    project.run(&["run", "--quiet"]).success();
    let expected = history(&project).as_array().unwrap().len();
    assert!(records(&project).len() < 5, "{:?}", records(&project));
    // Everything was written and nothing removed; some was removed.
    for left in [usize::MAX, 20] {
        let copy = project.duplicate();
        for file in records(&small).iter().rev().take(left) {
            let to = place(&copy, &small, file);
            fs::copy(file, to).unwrap();
        }
        assert_eq!(history(&copy).as_array().unwrap().len(), expected, "{left}");
        copy.run(&["verify", "--audit"]).success();
        for more in 1..=2 {
            copy.run(&["run", "--quiet"]).success();
            let told = history(&copy).as_array().unwrap().len();
            assert_eq!(told, expected + 1 + more, "verify and the runs, {left}");
        }
        assert!(records(&copy).len() < 12, "{left}: {:?}", records(&copy));
        copy.run(&["verify", "--audit"]).success();
    }
}

#[test]
fn summaries_go_with_the_records_they_were_made_from() {
    let project = project();
    let folder = summaries(&project)[0].parent().unwrap().to_owned();
    for file in records(&project).iter().filter(|file| file.starts_with(&folder)) {
        fs::remove_file(file).unwrap();
    }
    project.run(&["run", "--quiet"]).success();
    assert!(!summaries(&project).iter().any(|summary| summary.starts_with(&folder)));
}

#[test]
fn killed_at_any_moment_all_is_told() {
    let project = crate::people::project(20, 10);
    project.run(&["run", "--quiet"]).success();
    for _ in 0..35 {
        project.run(&["show", "people"]).success();
    }
    let mut runs = 1;
    for attempt in 0..12_u64 {
        records(&project).iter().for_each(|file| age(file, 40));
        let started = project.start(&["run", "--quiet"]);
        sleep(Duration::from_millis(20 + attempt * 17));
        started.kill();
        let told = history(&project);
        let now = told.as_array().unwrap().iter().filter(|one| one["script_type"] == "run").count();
        assert!(now == runs || now == runs + 1, "{attempt}: {runs} and {now}");
        runs = now;
        assert_eq!(told.as_array().unwrap().len(), 1 + 35 + runs, "{attempt}");
    }
    project.run(&["run", "--quiet"]).success();
    let (with, _) = told(&project);
    summaries(&project).iter().for_each(|summary| fs::remove_file(summary).unwrap());
    assert_eq!(told(&project).0, with);
    project.run(&["verify", "--audit"]).success();
}

#[test]
fn records_are_tables_of_queries() {
    let project = project();
    let query = |sql: &str| project.query(sql);
    let counted = query(
        "SELECT script_type, status, count(*) AS n FROM engine.operations WHERE status <> 'started' \
         GROUP BY script_type, status ORDER BY script_type, status",
    );
    let expected = serde_json::json!([
        {"script_type": "keys_init", "status": "success", "n": 1},
        {"script_type": "run", "status": "success", "n": 2},
        {"script_type": "show", "status": "success", "n": 7},
    ]);
    assert_eq!(Value::Array(counted), expected);
    // The query before is over, and this one is not.
    let hubs = query(
        "SELECT count(*) AS hubs FROM engine.script_execution_h h WHERE EXISTS \
         (SELECT 1 FROM engine.script_execution_s s WHERE s.execution = h.execution AND s.sequence = 0)",
    );
    assert_eq!(hubs[0]["hubs"], 12);
    let nodes = query("SELECT name, rows FROM engine.nodes WHERE rows > 0 ORDER BY name LIMIT 1");
    assert_eq!(nodes[0]["name"], "export.contacts");
    let events = query("SELECT kind, user FROM engine.events");
    assert_eq!(events[0]["kind"], "key_use");
    let about = query(
        "SELECT count(*) AS n FROM engine.operations WHERE array_has(objects, 'export:people')",
    );
    assert!(about[0]["n"].as_u64().unwrap() >= 9, "{about:?}");
    project.run(&["query", "SELECT 1 FROM engine.secrets"]).status(64);
}
