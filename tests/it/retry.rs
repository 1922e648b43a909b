//! A run that was killed is taken up where it stopped: stored chunks are used again, where they fit.
//!
//! ```text
//!  run ── chunk 1 … chunk 20 ── kill          target/run_results.json: 20 chunks, no end
//!  retry ── chunks 1 … 20 are there ── chunk 21 … 60 ── commit
//! ```

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Ended, Project};
use crate::people;

const JOURNAL: &str = "target/run_results.json";
/// Enough chunks that a run is killed in the middle of them.
const ROWS: usize = 12_000;
const CHUNK_ROWS: usize = 200;
const CHUNKS: usize = ROWS / CHUNK_ROWS;

/// A project before its first run, and what an uninterrupted one gives.
struct Base {
    project: Project,
    people: Vec<Value>,
    contacts: Vec<Value>,
}

fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let project = people::project(ROWS, CHUNK_ROWS);
        let whole = project.duplicate();
        whole.run(&["run"]).success();
        let [people, contacts] = people::EXPORTS.map(|export| people::rows(&whole, export));
        assert_eq!((people.len(), contacts.len()), (ROWS, ROWS));
        Base { project, people, contacts }
    })
}

/// A project whose run was killed in the middle of an export.
fn interrupted(export: &str) -> Project {
    // A machine may be so quick that the run ends before its kill.
    for _ in 0..20 {
        let project = base().project.duplicate();
        let mut run = project.start(&["run"]);
        while stored(&project, export).len() < 5 && !run.has_ended() {
            thread::sleep(Duration::from_micros(200));
        }
        if run.kill().status.is_none() && (5..CHUNKS).contains(&stored(&project, export).len()) {
            return project;
        }
    }
    panic!("no run could be killed in the middle of `{export}`");
}

/// The whole lines of the journal.
fn journal(project: &Project) -> Vec<Value> {
    let text = std::fs::read_to_string(project.path(JOURNAL)).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The ids of an export's chunks that the journal names.
fn stored(project: &Project, export: &str) -> BTreeSet<String> {
    let lines = journal(project);
    let chunks = lines.iter().filter(|line| line["line"] == "chunk" && line["export"] == export);
    chunks.map(|line| line["id"].as_str().unwrap().to_owned()).collect()
}

/// How many chunks a finished run says it took over, by export.
fn resumed(ended: &Ended) -> [usize; 2] {
    let report = ended.json();
    [0, 1].map(|index| {
        let count = report["exports"][index]["resumed_chunks"].as_u64().unwrap();
        usize::try_from(count).unwrap()
    })
}

fn retry(project: &Project) -> Ended {
    project.run(&["retry", "--format", "json"]).success()
}

/// Fails unless both exports hold what an uninterrupted run gives, row by row.
fn assert_whole(project: &Project) {
    let expected = base();
    assert!(people::rows(project, "people") == expected.people, "people differ");
    assert!(people::rows(project, "contacts") == expected.contacts, "contacts differ");
    assert!(people::loaded(project) == expected.people, "the database differs");
    project.run(&["verify"]).success();
}

#[test]
fn chunks_of_a_killed_run_are_used_again() {
    let project = interrupted("people");
    let before = stored(&project, "people");
    let lines = journal(&project);
    assert!(lines.iter().all(|line| line["line"] != "end"), "a killed run has no end");
    let ended = retry(&project);
    assert_eq!(resumed(&ended), [before.len(), 0]);
    let report = ended.json();
    assert_eq!(report["exports"][0]["chunks"], CHUNKS);
    assert_eq!(report["run"], lines[0]["run"], "a retry is another attempt of the same run");
    assert_whole(&project);

    // The journal holds both attempts.
    let after = journal(&project);
    assert_eq!(after[..lines.len()], lines);
    assert_eq!(after[lines.len()]["attempt"], 2);
    assert_eq!(after.last().unwrap()["exit"], 0);
    assert!(stored(&project, "people").is_superset(&before));
    project.run(&["retry"]).status(3).says("finished, nothing is left of it");
}

#[test]
fn modular_chunks_are_used_again_and_committed_exports_stay() {
    let project = interrupted("contacts");
    let before = stored(&project, "contacts");
    let ended = retry(&project);
    assert_eq!(resumed(&ended), [0, before.len()]);
    assert_eq!(ended.json()["exports"][0]["status"], "reused");
    assert_eq!(ended.json()["exports"][0]["snapshot"], 1);
    assert_whole(&project);
}

#[test]
fn a_retry_that_is_killed_can_be_taken_up_too() {
    let project = interrupted("people");
    let first = stored(&project, "people").len();
    let mut attempt = project.start(&["retry"]);
    while stored(&project, "people").len() < first + 3 && !attempt.has_ended() {
        thread::sleep(Duration::from_micros(200));
    }
    let ended = attempt.kill();
    if ended.status.is_none() && stored(&project, "people").len() < CHUNKS {
        let second = stored(&project, "people").len();
        assert_eq!(resumed(&retry(&project))[0], second);
    } else if ended.status.is_none() {
        retry(&project);
    }
    assert_whole(&project);
}

#[test]
fn a_last_line_that_was_cut_costs_one_chunk() {
    let project = interrupted("people");
    let before = stored(&project, "people").len();
    let text = project.read(JOURNAL);
    project.write(JOURNAL, &text[..text.trim_end().len() - 10]);
    let mut attempt = project.start(&["retry"]);
    while journal_bytes(&project) < text.len() && !attempt.has_ended() {
        thread::sleep(Duration::from_micros(200));
    }
    attempt.kill();
    let again = project.run(&["retry", "--format", "json"]);
    if again.status != Some(3) {
        assert!(resumed(&again.success())[0] < before + CHUNKS);
    }
    assert!(journal(&project).iter().filter(|line| line["line"] == "run").count() >= 2);
    assert_whole(&project);
}

fn journal_bytes(project: &Project) -> usize {
    std::fs::read(project.path(JOURNAL)).map_or(0, |bytes| bytes.len())
}

#[test]
fn chunks_of_another_source_are_not_used() {
    let project = interrupted("people");
    people::source(&project, 1, ROWS);
    assert_eq!(resumed(&retry(&project)), [0, 0]);
    for export in people::EXPORTS {
        let rows = people::rows(&project, export);
        assert!(rows.len() == ROWS && rows.iter().all(|row| row["edition"] == 1));
    }
    project.run(&["verify"]).success();
}

#[test]
fn chunks_of_another_definition_are_not_used() {
    let project = interrupted("people");
    project.replace("policies/masking.yml", "mask: email", "mask: redact");
    assert_eq!(resumed(&retry(&project)), [0, 0]);
    let rows = people::rows(&project, "people");
    let plain = &base().people;
    assert_eq!(rows.len(), ROWS);
    assert!(rows.iter().zip(plain).all(|(row, other)| row["email"] != other["email"]));
    project.run(&["verify"]).success();
}

#[test]
fn chunks_that_were_changed_or_removed_are_written_again() {
    for removed in [true, false] {
        let project = interrupted("people");
        let journal = journal(&project);
        let chunks: Vec<&Value> = journal.iter().filter(|line| line["line"] == "chunk").collect();
        let id = chunks[2]["id"].as_str().unwrap();
        let path = people::chunks(&project).into_iter().find(|path| path.contains(id)).unwrap();
        if removed {
            std::fs::remove_file(project.path(&path)).unwrap();
        } else {
            let mut bytes = std::fs::read(project.path(&path)).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            project.write(&path, bytes);
        }
        // Rows come in order: after a gap nothing fits any more.
        assert_eq!(resumed(&retry(&project)), [2, 0]);
        assert_whole(&project);
    }
}

#[test]
fn a_snapshot_that_lost_a_chunk_is_published_again() {
    let project = people::project(60, 20);
    project.run(&["run"]).success();
    let chunk = people::chunks(&project).into_iter().next().unwrap();
    std::fs::remove_file(project.path(&chunk)).unwrap();
    let ended = project.run(&["run", "--format", "json"]).success();
    let json = ended.json();
    let versions: Vec<&Value> =
        json["exports"].as_array().unwrap().iter().map(|export| &export["snapshot"]).collect();
    assert!(versions == [2, 1] || versions == [1, 2], "{json}");
    for export in people::EXPORTS {
        project.run(&["show", export]).success();
    }
    // What is whole is written again when that is asked for.
    let ended = project.run(&["run", "--force", "--select", "contacts", "--format", "json"]);
    assert_eq!(ended.success().json()["exports"][0]["status"], "committed");
}

#[test]
fn there_is_nothing_to_take_up_before_a_run_and_after_a_whole_one() {
    let project = people::project(10, 10);
    project.run(&["retry"]).status(3).says("no run has left a journal here");
    project.run(&["run"]).success();
    project.run(&["retry"]).status(3).says("finished, nothing is left of it");
    let id = journal(&project)[0]["run"].as_str().unwrap().to_owned();
    project.run(&["retry", "--run", "another"]).status(3).says(&format!("the last run was {id}"));
}
