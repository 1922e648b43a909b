//! How long snapshots are kept: by number and age, softly first, for ever under a legal hold; and nothing else
//! in the store is touched. Killed anywhere, the next attempt ends where an uninterrupted one does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::harness::{Dice, Project, files_below};

/// Longer than the spans of these policies.
const LATER: Duration = Duration::from_millis(1_100);
const KILLS: u64 = 100;

/// People with a policy; more snapshots come by [`publish`].
fn project(policy: &str) -> Project {
    let project = crate::people::project(40, 10);
    project.write("policies/retention.yml", format!("retention:\n  - {{name: uat, {policy}}}\n"));
    project.replace("exports/people.yml", "name: people", "name: people\n    retention: uat");
    project
}

fn publish(project: &Project, snapshots: usize) {
    for _ in 0..snapshots {
        project.run(&["run", "--force", "--quiet", "--select", "people"]).success();
    }
}

/// Chunks and manifests of the store, by their paths in it.
fn held(project: &Project) -> BTreeSet<String> {
    let store = project.path("target/store");
    let relative = |path: PathBuf| path.strip_prefix(&store).unwrap().display().to_string();
    let all = files_below(&store.join("exports")).into_iter().map(relative);
    all.filter(|path| !path.contains("/tombstones/")).collect()
}

fn manifests(project: &Project) -> Vec<u64> {
    let version = |path: &String| {
        let name = path.split("/manifests/").nth(1)?;
        name.trim_end_matches(".json.enc").parse().ok()
    };
    held(project).iter().filter_map(version).collect()
}

fn apply(project: &Project) -> Value {
    let report = project.run(&["retention", "apply", "--format", "json"]).success().json();
    report["exports"][0].clone()
}

#[test]
fn the_newest_snapshots_stay_and_the_chain_still_holds() {
    let project = project("snapshots: {keep: 2}, grace: 1h, basis: a contract");
    publish(&project, 5);
    let planned = project.run(&["retention", "plan"]).success();
    planned.prints("policy uat, a contract");
    assert_eq!(manifests(&project), [1, 2, 3, 4, 5], "deleted softly only");
    project.replace("policies/retention.yml", "1h", "1s");
    sleep(LATER);
    let report = apply(&project);
    assert_eq!(report["destroy"]["snapshots"], 3, "{report}");
    assert_eq!(report["destroy"]["rows"], 120, "{report}");
    assert_eq!(manifests(&project), [4, 5]);
    assert_eq!(held(&project).len(), 2 * (1 + 4), "two manifests of four chunks");
    assert!(apply(&project)["destroy"]["snapshots"] == 0, "once is enough");
    project.run(&["verify"]).success();
    assert_eq!(project.query("SELECT * FROM people").len(), 40);
    let deletions = files_below(&project.path("target/store/audit"));
    assert_eq!(deletions.len(), 1, "on record");
    // The chain is bridged by the tombstone's digest: another first manifest is none.
    publish(&project, 1);
    project.run(&["verify"]).success();
}

#[test]
fn the_newest_goes_by_age_and_readers_see_it_no_more() {
    let project = project("snapshots: {max_age: 1s}, grace: 1s");
    publish(&project, 1);
    sleep(LATER);
    let plan = project.run(&["plan"]).success();
    plan.prints("the newest among them");
    assert_eq!(apply(&project)["newest_goes"], true);
    project.run(&["show", "people"]).status(69).says("E0615");
    project.run(&["query", "SELECT * FROM people"]).status(64);
    assert_eq!(manifests(&project), [1], "in its grace");
    sleep(LATER);
    apply(&project);
    assert!(held(&project).is_empty(), "{:?}", held(&project));
    project.run(&["verify"]).success();
    // A version is used once.
    publish(&project, 1);
    assert_eq!(manifests(&project), [2]);
    project.run(&["verify"]).success();
    assert_eq!(project.query("SELECT * FROM people").len(), 40);
}

#[test]
fn a_legal_hold_beats_the_policy_and_brings_back_what_was_deleted_softly() {
    let project = project("snapshots: {max_age: 1s}, grace: 1s");
    publish(&project, 2);
    sleep(LATER);
    apply(&project);
    project.run(&["show", "people"]).status(69);
    let hold = "legal_hold: {owner: \"@legal\", reason: case 7}, ";
    project.replace("policies/retention.yml", "snapshots:", &format!("{hold}snapshots:"));
    sleep(LATER);
    let report = apply(&project);
    assert_eq!(
        (&report["restored"], &report["held"]["snapshots"]),
        (&2.into(), &2.into()),
        "{report}"
    );
    project.run(&["show", "people"]).success();
    assert_eq!(manifests(&project), [1, 2]);
    // An expired hold holds nothing.
    project.replace(
        "policies/retention.yml",
        "reason: case 7",
        "reason: case 7, until: 2020-01-01",
    );
    apply(&project);
    sleep(LATER);
    apply(&project);
    assert!(manifests(&project).is_empty());
}

/// A run does not call unchanged what retention would then take from readers: it writes it again.
#[test]
fn a_snapshot_that_is_too_old_is_written_again_though_nothing_changed() {
    let project = project("snapshots: {max_age: 1s}, grace: 1h");
    let run = ["run", "--select", "people"];
    project.run(&run).success().prints("committed");
    sleep(LATER);
    project.run(&run).success().prints("committed");
    assert_eq!(project.query("SELECT * FROM people").len(), 40);
}

/// Without its policy an export keeps all it has, and what was deleted softly comes back.
#[test]
fn a_policy_that_is_taken_away_brings_back_what_was_deleted_softly() {
    let project = project("snapshots: {max_age: 1s}, grace: 1h");
    publish(&project, 1);
    sleep(LATER);
    apply(&project);
    project.run(&["show", "people"]).status(69);
    project.replace("exports/people.yml", "    retention: uat\n", "");
    project.run(&["retention", "plan"]).success().prints("live again: 1 snapshot");
    project.run(&["retention", "apply"]).success();
    project.run(&["show", "people"]).success();
}

/// A reviewed plan holds for the policies it was made with.
#[test]
fn a_plan_is_stale_when_a_policy_changed() {
    let project = project("snapshots: {keep: 50}, grace: 1s");
    publish(&project, 3);
    project.run(&["plan", "--out", "plan.json"]).success();
    project.run(&["run", "--plan", "plan.json"]).success();
    project.run(&["plan", "--out", "plan.json"]).success();
    project.replace("policies/retention.yml", "keep: 50", "keep: 1");
    project.run(&["run", "--plan", "plan.json"]).status(5);
    let mut left = manifests(&project);
    left.sort_unstable();
    assert_eq!(left, [1, 1, 2, 3], "of both exports");
}

/// A reader beside writers sees a snapshot, whichever.
#[test]
fn readers_see_a_snapshot_at_every_moment() {
    let project = project("snapshots: {keep: 1}, grace: 1s");
    publish(&project, 2);
    let writer = project.start(&["run", "--force", "--quiet", "--select", "people"]);
    for _ in 0..10 {
        project.run(&["show", "people", "--limit", "1"]).success();
    }
    writer.wait().success();
}

/// Files that are no chunk or manifest by their name, in every folder of the store, are there afterwards.
#[test]
fn nothing_of_others_is_deleted() {
    let project = project("snapshots: {max_age: 1s}, grace: 1s");
    publish(&project, 2);
    let store = project.path("target/store");
    let mut folders: Vec<PathBuf> =
        files_below(&store).iter().map(|file| file.parent().unwrap().to_owned()).collect();
    folders.sort();
    folders.dedup();
    let names = ["README", "x.parquet.enc", "0000000001.json", ".hidden", "0123.parquet.enc.bak"];
    let mut foreign = Vec::new();
    for folder in &folders {
        for name in names {
            fs::write(folder.join(name), name).unwrap();
            foreign.push(folder.join(name));
        }
    }
    for _ in 0..2 {
        sleep(LATER);
        apply(&project);
    }
    let left: BTreeSet<PathBuf> = files_below(&store.join("exports")).into_iter().collect();
    assert!(
        left.iter()
            .all(|path| foreign.contains(path) || path.to_string_lossy().contains("/tombstones/"))
    );
    assert!(foreign.iter().all(|path| path.exists()));
}

/// What killed runs left is collected a day after it was written, when its grace is over.
#[test]
fn chunks_that_no_snapshot_names_are_collected() {
    let project = project("snapshots: {keep: 9}, grace: 1s");
    publish(&project, 1);
    let chunk = held(&project).into_iter().find(|path| path.contains("/chunks/")).unwrap();
    let chunk = project.path("target/store").join(chunk);
    let leave = |name: &str, age: Duration| -> PathBuf {
        let left = chunk.with_file_name(format!("{name}.parquet.enc"));
        fs::copy(&chunk, &left).unwrap();
        let file = fs::File::options().write(true).open(&left).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
        left
    };
    let old = leave("00112233445566778899aabbccddeeff", Duration::from_secs(25 * 3_600));
    let new = leave("ffeeddccbbaa99887766554433221100", Duration::from_secs(60));
    apply(&project);
    assert!(old.exists(), "in its grace");
    sleep(LATER);
    apply(&project);
    assert!(!old.exists() && new.exists() && chunk.exists());
    project.run(&["verify"]).success();
}

#[test]
fn a_clock_that_contradicts_the_store_deletes_nothing() {
    let project = project("snapshots: {max_age: 1s}, grace: 1s");
    publish(&project, 1);
    sleep(LATER);
    for path in held(&project).iter().filter(|path| path.contains("/chunks/")) {
        let file = fs::File::options().write(true).open(project.path("target/store").join(path));
        file.unwrap().set_modified(SystemTime::now() + Duration::from_secs(3 * 3_600)).unwrap();
    }
    project.run(&["retention", "apply"]).status(4).says("E1012");
    assert!(!project.path("target/store/exports").join("tombstones").exists());
    project.run(&["show", "people"]).success();
    project.run(&["retention", "apply", "--trust-clock"]).success();
    project.run(&["show", "people"]).status(69);
}

/// A project with everything deleted softly and every grace over.
fn ready() -> Project {
    let project = project("snapshots: {keep: 1}, grace: 1s");
    publish(&project, 6);
    sleep(LATER);
    project
}

#[test]
fn killed_anywhere_the_next_attempt_ends_where_an_uninterrupted_one_does() {
    let ready = ready();
    let whole = ready.duplicate();
    apply(&whole);
    let expected = held(&whole);
    assert_eq!(expected.len(), 5, "one manifest and its four chunks: {expected:?}");
    let mut dice = Dice::new(7);
    let mut interrupted = 0;
    for _ in 0..KILLS {
        let project = ready.duplicate();
        let started = project.start(&["retention", "apply"]);
        sleep(Duration::from_micros(dice.below(60_000)));
        let ended = started.kill();
        interrupted += u64::from(held(&project) != expected && ended.status != Some(0));
        // What readers see is whole at every moment.
        project.run(&["verify", "--quiet"]).success();
        apply(&project);
        assert_eq!(held(&project), expected);
        project.run(&["verify", "--quiet"]).success();
    }
    assert!(interrupted > KILLS / 10, "only {interrupted} of {KILLS} were interrupted");
}

/// Retention's own paths stay below the store.
#[test]
fn only_the_store_has_other_files_afterwards() {
    let ready = ready();
    let outside = |project: &Project| -> BTreeSet<PathBuf> {
        let relative = |path: &Path| path.strip_prefix(project.root()).unwrap().to_owned();
        let all = files_below(project.root());
        all.iter()
            .map(|path| relative(path))
            .filter(|path| !path.starts_with("target/store"))
            .collect()
    };
    let before = outside(&ready);
    apply(&ready);
    assert_eq!(outside(&ready), before);
}

/// What goes is copied first, sealed as it is; the copy is a store of its own that nothing is deleted from.
#[test]
fn what_goes_is_in_the_cold_store_first() {
    let project = project("snapshots: {keep: 1}, grace: 1s, cold: 'file://cold'");
    publish(&project, 3);
    let before = held(&project);
    sleep(LATER);
    apply(&project);
    let after = held(&project);
    let cold = project.path("cold/people/dev");
    let gone: Vec<&String> = before.difference(&after).collect();
    assert_eq!(gone.len(), 2 * (1 + 4));
    let copies: BTreeSet<String> = files_below(&cold)
        .iter()
        .map(|path| path.strip_prefix(&cold).unwrap().display().to_string())
        .collect();
    assert_eq!(copies.iter().collect::<Vec<_>>(), gone);
    // What is back in its place, from the copy, is what was there.
    for path in &gone {
        fs::copy(cold.join(path), project.path("target/store").join(path)).unwrap();
    }
    apply(&project);
    assert_eq!(files_below(&cold).len(), gone.len(), "nothing is deleted there");
    // Another file of a name that is taken is no copy.
    publish(&project, 1);
    let now = held(&project);
    let next = now.iter().find(|path| path.ends_with("/0000000003.json.enc")).unwrap();
    fs::write(cold.join(next), "another").unwrap();
    sleep(LATER);
    project.run(&["retention", "apply"]).status(69).says("E0602");
    assert!(project.path("target/store").join(next).exists());
    fs::remove_file(cold.join(next)).unwrap();
    apply(&project);
    assert!(!project.path("target/store").join(next).exists());
    project.run(&["verify"]).success();
}

/// A copy that is what would be destroyed is none.
#[test]
fn the_cold_store_is_another_place() {
    let project = project("snapshots: {keep: 1}, grace: 1s, cold: 'file://target/store/cold'");
    publish(&project, 2);
    sleep(LATER);
    project.run(&["retention", "apply"]).status(69).says("E0602");
    assert_eq!(manifests(&project), [1, 2]);
}

/// Who takes tombstones away does not bring back what was deleted softly.
#[test]
fn tombstones_that_are_gone_are_noticed() {
    let project = project("snapshots: {max_age: 1s}, grace: 1h");
    publish(&project, 1);
    sleep(LATER);
    apply(&project);
    project.run(&["show", "people"]).status(69).says("E0615");
    let store = project.path("target/store/exports");
    for path in files_below(&store) {
        if path.to_string_lossy().contains("/tombstones/") {
            fs::remove_file(path).unwrap();
        }
    }
    project.run(&["show", "people"]).status(1).says("E0617");
    project.run(&["verify", "people"]).status(1).says("E0617");
    project.run(&["run", "--select", "people"]).status(1).says("E0617");
}

/// Uploads of killed runs to a local store lie beside chunks under names of their own.
#[test]
fn unfinished_uploads_are_collected() {
    let project = project("snapshots: {keep: 9}, grace: 1s");
    publish(&project, 1);
    let chunk = held(&project).into_iter().find(|path| path.contains("/chunks/")).unwrap();
    let chunk = project.path("target/store").join(chunk);
    let leave = |name: &str, age: u64| -> PathBuf {
        let left = chunk.with_file_name(name);
        fs::write(&left, "half").unwrap();
        let file = fs::File::options().write(true).open(&left).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        left
    };
    let old = leave("00112233445566778899aabbccddeeff.parquet.enc#1", 25 * 3_600);
    let new = leave("00112233445566778899aabbccddeeff.parquet.enc#2", 60);
    let foreign = leave("notes#1", 25 * 3_600);
    apply(&project);
    assert!(!old.exists() && new.exists() && foreign.exists());
}

/// Snapshots of an export that the project no longer has are told of, and reached by its name.
#[test]
fn former_exports_are_reached_by_their_names() {
    let project = project("snapshots: {keep: 1, max_age: 1s}, grace: 1s");
    project.run(&["run", "--quiet"]).success();
    project.replace("exports/people.yml", "name: contacts", "name: others");
    project.run(&["retention", "plan"]).success().prints("of no export of this project");
    let held_before = held(&project).len();
    project.replace(
        "policies/retention.yml",
        "name: uat,",
        "name: uat, former_exports: [contacts],",
    );
    sleep(LATER);
    let plan = project.run(&["retention", "plan"]).success();
    plan.prints("contacts: policy uat");
    apply(&project);
    sleep(LATER);
    apply(&project);
    assert_eq!(held_before, 2 * (1 + 4));
    assert!(held(&project).is_empty(), "{:?}", held(&project));
}

/// The beginning of a chain of records goes, and the rest can still be told to be whole.
#[test]
fn run_records_go_by_their_class() {
    let project = project("records: {executions: 1s, compliance: 7y}, grace: 1s");
    project.write("policies/tracking.yml", "tracking:\n  runs: {retention: uat}\n");
    publish(&project, 3);
    let runs = || files_below(&project.path("target/store/runs"));
    let of_class = |class: &str| {
        let within = format!("/{class}/");
        runs().iter().filter(|path| path.to_string_lossy().contains(&within)).count()
    };
    let (executions, security) = (of_class("execution"), of_class("security"));
    sleep(3 * LATER);
    let planned = project.run(&["retention", "plan", "--format", "json"]).success().json();
    let due = planned["records"][0]["records"].as_u64().unwrap();
    assert!(due > 6, "{planned}");
    project.run(&["retention", "apply"]).success();
    assert!(of_class("execution") < executions, "{executions}");
    assert_eq!(of_class("security"), security, "no age is said of these");
    assert!(runs().iter().any(|path| path.ends_with("execution/anchor.json")));
    project.run(&["verify", "--audit"]).success();
    let shown = project.run(&["history", "--format", "json"]).success().json();
    publish(&project, 1);
    project.run(&["verify", "--audit"]).success();
    assert!(!shown.to_string().is_empty());
    // What is not the beginning is missed.
    let files = runs();
    let mut lines: Vec<&PathBuf> = files
        .iter()
        .filter(|path| path.to_string_lossy().contains("/execution/"))
        .filter(|path| path.to_string_lossy().ends_with(".ndjson.enc"))
        .collect();
    lines.sort();
    fs::remove_file(lines[1]).unwrap();
    project.run(&["verify", "--audit"]).status(1).says("E1013");
}

/// A hold on the policy keeps records, too; and policies that say nothing of what names them are refused.
#[test]
fn records_are_held_and_need_a_rule() {
    let hold = "legal_hold: {owner: \"@legal\", reason: case 7}";
    let project = project(&format!("records: {{executions: 1s}}, grace: 1s, {hold}"));
    project.write("policies/tracking.yml", "tracking:\n  runs: {retention: uat}\n");
    publish(&project, 1);
    let before = files_below(&project.path("target/store/runs")).len();
    sleep(3 * LATER);
    project.run(&["retention", "apply"]).success();
    assert!(files_below(&project.path("target/store/runs")).len() >= before);
    project.replace("policies/retention.yml", "records: {executions: 1s}", "snapshots: {keep: 2}");
    project.run(&["compile"]).status(65).says("E1011");
}
