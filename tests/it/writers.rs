//! Two runs at once: one is at work and the other says so, or one commits a snapshot and the other does not;
//! nothing is lost.
//!
//! ```text
//!  run ──lock──▶ chunks ──▶ put manifest 2 ──▶ committed                exit 0
//!  run ──lock──▶ E0621                                                  exit 6
//!  run ─ no lock seen ▶ chunks ──▶ put manifest 2 ──▶ E0620, or reused   exit 6, or 0
//! ```

use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Dice, Ended, Project, Started};
use crate::people;

const ROWS: usize = 400;
const CHUNK_ROWS: usize = 60;
/// Rows that take long enough to be killed in the middle: 60 chunks.
const KILLED_ROWS: usize = 12_000;

/// What one run says of one export.
struct Outcome {
    export: String,
    status: String,
    snapshot: Option<u64>,
    codes: Vec<String>,
}

/// What a run says of its exports; nothing when it was not let in.
fn outcomes(ended: &Ended) -> Vec<Outcome> {
    if ended.stdout.is_empty() {
        return Vec::new();
    }
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
    if outcomes.is_empty() {
        assert!(ended.status == Some(6) && ended.stderr.contains("E0621"), "{ended}");
    }
    let beaten = outcomes.is_empty() || outcomes.iter().any(|outcome| outcome.status == "failed");
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

/// Whether the second of two runs sees that the first has the locks.
#[derive(Clone, Copy, PartialEq)]
enum Locks {
    Seen,
    /// As when somebody removed them, or two machines see different ones.
    Unseen,
}

/// Starts two runs.
fn start(first: &Project, second: &Project, locks: Locks) -> [Started; 2] {
    let files = ["target/store/run.lock", "target/run.lock"].map(|lock| first.path(lock));
    for file in &files {
        std::fs::remove_file(file).ok();
    }
    let mut run = first.start(&["run", "--format", "json"]);
    if locks == Locks::Unseen {
        while !files.iter().all(|file| file.exists()) && !run.has_ended() {
            thread::sleep(Duration::from_millis(1));
        }
        for file in &files {
            std::fs::remove_file(file).ok();
        }
    }
    [run, second.start(&["run", "--format", "json"])]
}

/// The newest snapshot of each export. Fails unless the store is clean.
fn newest(project: &Project) -> [u64; 2] {
    let report = project.run(&["verify", "--format", "json"]).success().json();
    [0, 1].map(|index| report["exports"][index]["snapshots"].as_u64().unwrap())
}

#[test]
fn of_two_runs_of_one_folder_one_commits_each_snapshot() {
    one_commits_each_snapshot(Locks::Seen);
}

#[test]
fn of_two_runs_that_see_no_lock_one_commits_each_snapshot() {
    one_commits_each_snapshot(Locks::Unseen);
}

fn one_commits_each_snapshot(locks: Locks) {
    let project = people::project(ROWS, CHUNK_ROWS);
    let mut beaten = 0;
    for round in 0..10 {
        people::source(&project, round, ROWS + round as usize);
        if round % 2 == 1 {
            // Both find no database, and both make it.
            std::fs::remove_file(project.path(people::DATABASE)).unwrap();
        }
        let before = newest(&project);
        let runs = start(&project, &project, locks).map(Started::wait);
        runs.iter().for_each(assert_committed_or_beaten);
        for (export, before) in people::EXPORTS.into_iter().zip(before) {
            let committed = committed(&runs, export, before);
            assert_eq!(committed.len(), 1, "`{export}` in round {round}: {runs:?}");
            let rows = people::rows(&project, export);
            assert_eq!(rows.len(), ROWS + round as usize);
            assert!(rows.iter().all(|row| row["edition"] == round), "round {round}");
        }
        assert_eq!(newest(&project), before.map(|version| version + 1));
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
        let before = newest(&projects[0]);
        let runs = start(&projects[0], &projects[1], Locks::Unseen).map(Started::wait);
        runs.iter().for_each(assert_committed_or_beaten);
        for (export, before) in people::EXPORTS.into_iter().zip(before) {
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
    }
    assert!(beaten > 0, "no two runs ever met");
}

#[test]
fn what_two_killed_runs_left_can_be_taken_up() {
    let project = people::project(KILLED_ROWS, 200);
    project.run(&["run"]).success();
    let mut dice = Dice::new(7);
    for round in 1..=5 {
        people::source(&project, round, KILLED_ROWS);
        // One of them is in the middle of the first of its two exports then.
        let enough = people::chunks(&project).len() + 10 + usize::try_from(dice.below(30)).unwrap();
        let mut runs = start(&project, &project, Locks::Seen);
        while people::chunks(&project).len() < enough && !runs.iter_mut().all(Started::has_ended) {
            thread::sleep(Duration::from_millis(1));
        }
        let mut ended = runs.map(|run| run.kill().status);
        ended.sort_unstable();
        assert_eq!(ended, [None, Some(6)], "round {round}: one killed, one not let in");
        project.run(&["retry"]).success();
        for export in people::EXPORTS {
            let rows = people::rows(&project, export);
            let figures: Vec<u64> =
                rows.iter().map(|row| row["figure"].as_u64().unwrap()).collect();
            let expected: Vec<u64> =
                (1..=KILLED_ROWS as u64).map(|row| row * (round + 1)).collect();
            assert!(figures == expected, "`{export}`, round {round}: rows lost or doubled");
        }
        project.run(&["verify"]).success();
    }
}
