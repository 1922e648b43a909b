//! Every command that touches data is on record: what it was, how it went; killed ones, too. What is taken out of
//! the records or changed in them shows.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Project, files_below};

fn operations(project: &Project, more: &[&str]) -> Vec<Value> {
    let arguments = [&["history", "--format", "json", "--limit", "1000"], more].concat();
    project.run(&arguments).success().json().as_array().unwrap().clone()
}

/// Commands and how they ended, the oldest first.
fn told(project: &Project, more: &[&str]) -> Vec<String> {
    let line = |operation: &Value| {
        let text = |field: &str| operation[field].as_str().unwrap().to_owned();
        let code = operation["error"]["code"].as_str().map(|code| format!(" {code}"));
        format!("{} {}{}", text("script_type"), text("status"), code.unwrap_or_default())
    };
    let mut lines: Vec<String> = operations(project, more).iter().map(line).collect();
    lines.reverse();
    lines
}

fn record_files(project: &Project) -> Vec<PathBuf> {
    let mut files = files_below(&project.path("target/store/runs"));
    files.retain(|file| file.to_string_lossy().ends_with(".ndjson.enc"));
    files.sort();
    files
}

#[test]
fn every_command_that_touches_data_is_on_record() {
    let mut project = crate::people::project(20, 10);
    project.set("USER", "ada");
    project.run(&["run", "--quiet"]).success();
    project
        .run(&["query", "select count(*) from people where email = 'grace@hopper.example'"])
        .success();
    project.run(&["query", "select nothing from people"]).status(64);
    project.run(&["show", "people"]).success();
    project.run(&["test"]).success();
    project.run(&["load", "people", "--to", "masked"]).success();
    project.run(&["verify"]).success();
    project.run(&["retention", "apply"]).success();
    project.set("USER", "grace");
    project.run(&["run", "--select", "people", "--force"]).success();
    let expected = [
        "keys_init success",
        "run success",
        "query success",
        "query failed E0905",
        "show success",
        "test success",
        "load success",
        "verify success",
        "retention_apply success",
        "run success",
    ];
    assert_eq!(told(&project, &[]), expected);
    assert_eq!(told(&project, &["--user", "grace"]), ["run success"]);
    assert_eq!(told(&project, &["--status", "failed"]), ["query failed E0905"]);
    let about = ["run", "query", "show", "load", "verify", "run"];
    let about = about.map(|command| format!("{command} success"));
    assert_eq!(told(&project, &["--export", "people"]), about);
    assert_eq!(told(&project, &["--since", "2999-01-01"]), [""; 0]);
    let run = operations(&project, &["--user", "grace"]).remove(0);
    let volume = &run["volume"];
    assert_eq!(volume["rows_written"], 20, "{run}");
    assert_eq!((&volume["rows_read"], &volume["rows_masked"]), (&20.into(), &20.into()), "{run}");
    assert!(volume["bytes_written"].as_u64().unwrap() > 0, "{run}");
    assert_eq!(run["objects"], serde_json::json!([{"kind": "export", "name": "people"}]), "{run}");
    assert_eq!(run["nodes"][0]["name"], "export.people", "{run}");
    assert_eq!(run["nodes"][0]["rows"], 20, "{run}");
    assert!(run["nodes"][0]["duration_us"].as_u64().unwrap() > 0, "{run}");
    assert!(run["plan"].is_string() && run["sql"].is_string(), "{run}");
    assert_eq!(run["privacy"]["masked"], 3, "{run}");
    assert_eq!(run["privacy"]["kept"], 2, "{run}");
    let read = |at: usize| operations(&project, &[])[at]["volume"]["rows_read"].clone();
    assert_eq!((read(7), read(5)), (0.into(), 10.into()), "no row is of her; the first ten");
    assert!(run["duration_us"].as_u64().unwrap() > 0, "{run}");
    let shown = project.run(&["history"]).success().stdout;
    assert!(shown.contains("failed (E0905)"), "{shown}");
    // What somebody typed may hold a value, and is not recorded.
    let all = project.run(&["history", "--format", "json"]).success().stdout;
    assert!(!all.contains("hopper") && !all.contains("nothing"), "{all}");
    project.run(&["verify", "--audit"]).success();
}

#[test]
fn a_killed_run_is_closed_by_the_next_one() {
    let project = crate::people::project(20_000, 100);
    let before = record_files(&project).len();
    let started = project.start(&["run", "--quiet"]);
    while record_files(&project).len() == before {
        sleep(Duration::from_millis(5));
    }
    started.kill();
    project.run(&["run", "--quiet"]).success();
    assert_eq!(told(&project, &[]), ["keys_init success", "run failed E0813", "run success"]);
    project.run(&["verify", "--audit"]).success();
}

#[test]
fn what_is_removed_or_changed_shows() {
    let project = crate::people::project(20, 10);
    project.run(&["run", "--quiet"]).success();
    for _ in 0..3 {
        project.run(&["show", "people"]).success();
    }
    let files = record_files(&project);
    let execution: Vec<&PathBuf> =
        files.iter().filter(|file| file.to_string_lossy().contains("/execution/")).collect();
    assert!(execution.len() >= 6, "{execution:?}");
    let place = |copy: &Project, file: &PathBuf| {
        copy.path("").join(file.strip_prefix(project.root()).unwrap())
    };
    // From the middle, and from the end.
    for gone in [execution[2], execution[execution.len() - 1]] {
        let copy = project.duplicate();
        fs::remove_file(place(&copy, gone)).unwrap();
        copy.run(&["verify"]).success();
        copy.run(&["verify", "--audit"]).status(1).says("E1013");
    }
    // One in another's place.
    let copy = project.duplicate();
    fs::copy(execution[1], place(&copy, execution[2])).unwrap();
    assert_ne!(copy.run(&["verify", "--audit"]).status, Some(0));
    // A flipped byte.
    let copy = project.duplicate();
    let mut bytes = fs::read(execution[1]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(place(&copy, execution[1]), bytes).unwrap();
    assert_ne!(copy.run(&["verify", "--audit"]).status, Some(0));
}

#[test]
fn commands_at_the_same_time_are_all_on_record() {
    let project = crate::people::project(20, 10);
    project.run(&["run", "--quiet"]).success();
    let started: Vec<_> = (0..12).map(|_| project.start(&["show", "people"])).collect();
    for command in started {
        command.wait().success();
    }
    assert_eq!(told(&project, &[]).len(), 14);
    let ids: BTreeSet<String> =
        operations(&project, &[]).iter().map(|one| one["id"].to_string()).collect();
    assert_eq!(ids.len(), 14);
    project.run(&["verify", "--audit"]).success();
}

#[test]
fn many_small_files_become_few() {
    let project = crate::people::project(20, 10);
    project.run(&["run", "--quiet"]).success();
    for _ in 0..40 {
        project.run(&["show", "people"]).success();
    }
    assert!(record_files(&project).len() > 80);
    project.run(&["run", "--quiet"]).success();
    assert!(record_files(&project).len() < 5, "{:?}", record_files(&project));
    assert_eq!(told(&project, &[]).len(), 43);
    project.run(&["show", "people"]).success();
    project.run(&["verify", "--audit"]).success();
}

/// One report in every form; none holds what somebody typed, and the page needs nothing of a network.
#[test]
fn a_report_comes_in_every_form() {
    let mut project = crate::people::project(20, 10);
    project.set("USER", "=ada");
    project.run(&["run", "--quiet"]).success();
    project
        .run(&["query", "select nothing from people where email = 'grace@hopper.example'"])
        .status(64);
    let forms = ["html", "md", "json", "csv", "ndjson", "prom"];
    let mut arguments = vec!["report".to_owned()];
    for form in forms {
        arguments.extend(["--report".to_owned(), format!("{form}=out/report.{form}")]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let shown = project.run(&arguments).success().stdout;
    let read = |form: &str| project.read(&format!("out/report.{form}"));
    for (form, text) in forms.map(|form| (form, read(form))) {
        assert!(text.contains("E0905") || form == "prom", "{form}: {text}");
        assert!(!text.contains("hopper"), "{form}: {text}");
    }
    assert!(shown.contains("E0905"), "{shown}");
    let page = read("html");
    assert!(page.contains("default-src 'none'") && !page.contains("<script"), "{page}");
    assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
    assert!(read("csv").contains("'=ada"), "no formula: {}", read("csv"));
    assert!(read("prom").contains("# TYPE"), "{}", read("prom"));
    let report: Value = serde_json::from_str(&read("json")).unwrap();
    assert_eq!(report["health"]["audit"]["fault_count"], 0, "{report}");
}
