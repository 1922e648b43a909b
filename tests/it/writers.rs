//! Two runs at once: of two that write the same snapshot one commits, the other says so, nothing is lost.
//!
//! ```text
//!  run ──chunks──▶ put manifest 2 ──▶ committed            exit 0
//!  run ──chunks──▶ put manifest 2 ──▶ E0620, or reuses it  exit 6, or 0
//! ```

use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Dice, Ended, Project};
use crate::people;

const ROWS: usize = 400;
const CHUNK_ROWS: usize = 60;

/// What one run says of one export.
struct Outcome {
    export: String,
    status: String,
    snapshot: Option<u64>,
    codes: Vec<String>,
}

fn outcomes(ended: &Ended) -> Vec<Outcome> {
    let report = ended.json();
    let exports = report["exports"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    exports
        .iter()
        .map(|export| Outcome {
            export: text(&export["export"]),
            status: text(&export["status"]),
            snapshot: export["snapshot"].as_u64(),
            codes: export["codes"].as_array().unwrap().iter().map(text).collect(),
        })
        .collect()
}

/// Fails unless the run did all it was asked for, or was beaten and said so.
fn assert_committed_or_beaten(ended: &Ended) {
    let outcomes = outcomes(ended);
    let beaten = outcomes.iter().any(|outcome| outcome.status == "failed");
    assert_eq!(ended.status, Some(if beaten { 6 } else { 0 }), "{ended}");
    for outcome in outcomes {
        match outcome.status.as_str() {
            "failed" => assert_eq!(outcome.codes, ["E0620"], "{ended}"),
            "committed" | "reused" => assert!(outcome.codes.is_empty(), "{ended}"),
            other => panic!("{other}\n{ended}"),
        }
    }
}

/// Which of the runs committed the newest snapshot of an export. Fails unless versions follow each other
/// and each was committed once.
fn committed(runs: &[Ended], export: &str, before: u64) -> Vec<(u64, usize)> {
    let mut found = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        for outcome in outcomes(run) {
            if outcome.export == export && outcome.status == "committed" {
                found.push((outcome.snapshot.unwrap(), index));
            }
        }
    }
    found.sort_unstable();
    let versions: Vec<u64> = found.iter().map(|(version, _)| *version).collect();
    let expected: Vec<u64> = (1..=versions.len() as u64).map(|more| before + more).collect();
    assert_eq!(versions, expected, "of `{export}`");
    found
}

fn at_once(projects: &[&Project]) -> Vec<Ended> {
    let started: Vec<_> =
        projects.iter().map(|project| project.start(&["run", "--format", "json"])).collect();
    started.into_iter().map(crate::harness::Started::wait).collect()
}

/// The newest snapshot, as `show` and `verify` need no word about it: its number of manifests.
fn versions(project: &Project) -> u64 {
    let report = project.run(&["verify", "--format", "json"]).success().json();
    let exports = report["exports"].as_array().unwrap();
    let counts: Vec<u64> = exports.iter().map(|one| one["snapshots"].as_u64().unwrap()).collect();
    assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{report}");
    counts[0]
}

#[test]
fn of_two_runs_of_one_folder_one_commits_each_snapshot() {
    let project = people::project(ROWS, CHUNK_ROWS);
    let mut beaten = 0;
    for round in 0..10 {
        people::source(&project, round, ROWS + round as usize);
        if round % 2 == 1 {
            // Both find no database, and both make it.
            std::fs::remove_file(project.path(people::DATABASE)).unwrap();
        }
        let before = versions(&project);
        let runs = at_once(&[&project, &project]);
        runs.iter().for_each(assert_committed_or_beaten);
        for export in people::EXPORTS {
            let committed = committed(&runs, export, before);
            assert_eq!(committed.len(), 1, "`{export}` in round {round}: {runs:?}");
            let rows = people::rows(&project, export);
            assert_eq!(rows.len(), ROWS + round as usize);
            assert!(rows.iter().all(|row| row["edition"] == round), "round {round}");
        }
        assert_eq!(versions(&project), before + 1);
        let loaded = people::loaded(&project);
        assert!(loaded == people::rows(&project, "people"), "round {round}: {runs:?}");
        beaten += runs.iter().filter(|run| run.status == Some(6)).count();
    }
    assert!(beaten > 0, "no two runs ever met");
}

#[test]
fn of_two_machines_with_one_store_none_undoes_the_other() {
    let mut projects = vec![people::project(ROWS, CHUNK_ROWS)];
    let store = projects[0].path("target/store");
    let url = format!("file://{}", store.to_str().unwrap());
    projects[0].replace("profiles.yml", "file://target/store", &url);
    projects.push(projects[0].duplicate());
    let mut beaten = 0;
    for round in 0..6 {
        // Their sources differ, so each has something to commit.
        let edition = |machine: u64| 2 * round + machine;
        people::source(&projects[0], edition(0), ROWS);
        people::source(&projects[1], edition(1), ROWS);
        let before = versions(&projects[0]);
        let runs = at_once(&[&projects[0], &projects[1]]);
        runs.iter().for_each(assert_committed_or_beaten);
        for export in people::EXPORTS {
            let committed = committed(&runs, export, before);
            let (_, newest) = committed.last().unwrap();
            let rows = people::rows(&projects[0], export);
            assert_eq!(rows.len(), ROWS);
            let expected = edition(*newest as u64);
            assert!(rows.iter().all(|row| row["edition"] == expected), "round {round}: {runs:?}");
        }
        beaten += runs.iter().filter(|run| run.status == Some(6)).count();
        // Whoever was beaten runs again, and publishes on top.
        projects[1].run(&["run"]).success();
        projects[0].run(&["run"]).success();
        for export in people::EXPORTS {
            let rows = people::rows(&projects[1], export);
            assert!(rows.iter().all(|row| row["edition"] == edition(0)), "round {round}");
        }
        // The machines are level again: both exports have the same number of snapshots.
        while versions_differ(&projects[0]) {
            people::source(&projects[0], edition(0), ROWS);
            projects[0].run(&["run", "--select", behind(&projects[0])]).success();
        }
    }
    assert!(beaten > 0, "no two runs ever met");
}

fn counts(project: &Project) -> Vec<u64> {
    let report = project.run(&["verify", "--format", "json"]).success().json();
    let exports = report["exports"].as_array().unwrap();
    exports.iter().map(|one| one["snapshots"].as_u64().unwrap()).collect()
}

fn versions_differ(project: &Project) -> bool {
    let counts = counts(project);
    counts[0] != counts[1]
}

fn behind(project: &Project) -> &'static str {
    let counts = counts(project);
    people::EXPORTS[usize::from(counts[0] > counts[1])]
}

#[test]
fn what_two_killed_runs_left_is_told_apart_by_a_retry() {
    let project = people::project(3_000, 100);
    project.run(&["run"]).success();
    let mut dice = Dice::new(7);
    for round in 1..=5 {
        people::source(&project, round, 3_000);
        let before = people::chunks(&project).len();
        let runs = [project.start(&["run"]), project.start(&["run"])];
        let enough = before + 5 + usize::try_from(dice.below(30)).unwrap();
        while people::chunks(&project).len() < enough {
            thread::sleep(Duration::from_millis(1));
        }
        for run in runs {
            run.kill();
        }
        let retried = project.run(&["retry"]);
        if retried.status == Some(3) {
            // They had finished already.
            project.run(&["run"]).success();
        } else {
            retried.success();
        }
        for export in people::EXPORTS {
            let rows = people::rows(&project, export);
            let figures: Vec<u64> =
                rows.iter().map(|row| row["figure"].as_u64().unwrap()).collect();
            let expected: Vec<u64> = (1..=3_000).map(|row| row * (round + 1)).collect();
            assert!(figures == expected, "`{export}`, round {round}: rows lost or doubled");
        }
        project.run(&["verify"]).success();
    }
}
