//! Retention of histories: versions that were superseded long ago go, keys of which nothing stays go as a whole, links
//! go with the versions that refer, and what held since the border is answered as before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bank::{Bank, CURRENT, HISTORY, by_key};
use crate::harness::{Dice, Project, files_below};

const KILLS: u64 = 25;
/// Between the loads that go and those that stay.
const GAP: Duration = Duration::from_secs(20);

const TRACKING: &str = "\
tracking:
  history:
    - {name: book, of: export('accounts'), key: [account_id], tenant: branch, retention: old,
       references: [{name: city, columns: [city], to: places}]}
    - {name: places, of: export('towns'), key: [city], tenant: branch}
retention:
  - {name: old, versions: {superseded_for: 900y}, grace: 1h, basis: 'art. 5 (1) e'}
";

/// A table of the towns that accounts refer to, before the other tables.
const TOWNS: &str = "    tables:
      - name: towns
        key: [branch, city]
        columns:
          - {name: branch, type: string, class: public}
          - {name: city, type: string, class: public}
";

/// All versions, by key, in their order.
type Versions = BTreeMap<String, Vec<Value>>;

fn versions(project: &Project) -> Versions {
    let sql = "SELECT hash_key, version, is_deleted, city, amount, owner, \
               CAST(load_date AS BIGINT) AS load_date, CAST(load_end_date AS BIGINT) AS ended \
               FROM book ORDER BY hash_key, version";
    let mut versions = Versions::new();
    for row in project.query(sql) {
        versions.entry(row["hash_key"].to_string()).or_default().push(row);
    }
    versions
}

/// What stays of versions when those go that were superseded before the border, and what closed them.
fn staying(versions: &Versions, border: i64) -> Versions {
    let mut kept = versions.clone();
    for versions in kept.values_mut() {
        let is_over = |version: &Value| version["ended"].as_i64().is_some_and(|end| end < border);
        let last = versions.iter().rposition(|one| one["is_deleted"] == false && is_over(one));
        versions.drain(..last.map_or(0, |last| last + 1));
        if last.is_some() && versions.first().is_some_and(|one| one["is_deleted"] == true) {
            versions.remove(0);
        }
    }
    kept.retain(|_, versions| !versions.is_empty());
    kept
}

/// The hash keys of a table.
fn keys(project: &Project, sql: &str) -> BTreeSet<String> {
    project.query(sql).iter().map(|row| row["hash_key"].to_string()).collect()
}

/// Each key with a town that it was linked with.
fn links(project: &Project) -> BTreeSet<(String, String)> {
    let sql = "SELECT l.hash_key, t.city FROM book_l l JOIN places_h t \
               ON t.hash_key = l.referenced_hash_key";
    let rows = project.query(sql);
    let links = rows.iter().map(|row| (row["hash_key"].to_string(), row["city"].to_string()));
    links.collect()
}

/// The links of all versions.
fn referring(versions: &Versions) -> BTreeSet<(String, String)> {
    let rows =
        versions.iter().flat_map(|(key, versions)| versions.iter().map(move |row| (key, row)));
    let rows = rows.filter(|(_, row)| row["is_deleted"] == false && !row["city"].is_null());
    rows.map(|(key, row)| (key.clone(), row["city"].to_string())).collect()
}

fn chunks(project: &Project) -> BTreeSet<PathBuf> {
    let all = files_below(&project.path("target/store/exports")).into_iter();
    all.filter(|path| path.to_string_lossy().ends_with(".parquet.enc")).collect()
}

fn apply(project: &Project) -> Value {
    project.run(&["retention", "apply", "--format", "json"]).success().json()
}

fn of_book(report: &Value) -> &Value {
    let of_all = report["exports"].as_array().unwrap().iter();
    of_all.clone().find(|one| one["export"] == "book").unwrap_or_else(|| panic!("{report}"))
}

/// A history of two times, some seconds apart, and the moment of the second.
fn recorded(seed: u64) -> (Bank, Instant, String) {
    let mut bank = Bank::new(seed, HISTORY);
    let towns = "exports:\n  - {name: towns, from: \"source('bank', 'towns')\"}\n";
    bank.project.replace("exports/bank.yml", "exports:\n", towns);
    bank.project.replace("sources/bank.yml", "    tables:\n", TOWNS);
    let towns = (0..5).map(|city| format!("north,city {city}\nsouth,city {city}\n"));
    let towns: String = towns.collect();
    bank.project.write("data/towns.csv", format!("branch,city\n{towns}"));
    bank.project.write("policies/tracking.yml", TRACKING);
    for _ in 0..4 {
        bank.run();
        bank.change();
    }
    bank.accounts.remove(&1);
    bank.write();
    bank.run();
    sleep(GAP);
    let between = Instant::now();
    bank.change();
    bank.run();
    let second = bank.loaded();
    bank.change();
    bank.run();
    (bank, between, second)
}

/// Lets versions go that were superseded before the middle of the gap, whenever this is. Gives the rule.
fn expire(project: &Project, between: Instant) -> String {
    let span = between.elapsed() + GAP / 2;
    let span = format!("superseded_for: {}s", span.as_secs());
    project.replace("policies/tracking.yml", "superseded_for: 900y", &span);
    span
}

/// The first load date behind the gap: no version that ended since goes.
fn border(versions: &Versions) -> i64 {
    let dates: BTreeSet<i64> =
        versions.values().flatten().map(|row| row["load_date"].as_i64().unwrap()).collect();
    let dates: Vec<i64> = dates.into_iter().collect();
    let gaps = dates.windows(2).max_by_key(|pair| pair[1] - pair[0]).unwrap();
    gaps[1]
}

#[test]
fn versions_go_when_their_time_is_over_and_what_held_since_stays() {
    let (mut bank, between, second) = recorded(3);
    let project = &bank.project;
    let before = versions(project);
    let expected = staying(&before, border(&before));
    let gone = before.values().map(Vec::len).sum::<usize>()
        - expected.values().map(Vec::len).sum::<usize>();
    let keys_gone = before.len() - expected.len();
    assert!(gone > 5 && keys_gone > 0, "{gone} versions, {keys_gone} keys");
    let as_of = |moment: &str| {
        let rows = project.run(&["query", "--format", "json", "--as-of", moment, CURRENT]);
        let rows = rows.success().json();
        by_key(rows.as_array().unwrap().clone())
    };
    let (then, now) = (as_of(&second), by_key(project.query(CURRENT)));
    let files = chunks(project);

    let rule = expire(project, between);
    let due = project.run(&["retention", "plan"]).success();
    due.prints(&format!("{gone} versions")).prints(&format!("with them {keys_gone} key"));
    project.run(&["plan"]).success().prints("history book: policy old");
    assert_eq!(versions(project), before, "a plan changes nothing");
    let report = apply(project);
    assert_eq!(of_book(&report)["history"]["versions"], gone, "{report}");
    assert_eq!(of_book(&report)["history"]["keys"], keys_gone, "{report}");

    assert_eq!(versions(project), expected);
    let hub: BTreeSet<String> = expected.keys().cloned().collect();
    assert_eq!(keys(project, "SELECT hash_key FROM book_h"), hub);
    assert_eq!(links(project), referring(&expected));
    assert_eq!(as_of(&second), then, "what held since the border is what it was");
    assert_eq!(by_key(project.query(CURRENT)), now);
    let long_ago = project.run(&["query", "--as-of", "2001-01-01", CURRENT]);
    long_ago.status(64).says("E1023").says("history `book` begins at");
    project.run(&["verify"]).success();
    project.run(&["verify", "--audit"]).success();

    // What readers may still have open goes when the grace is over.
    assert!(chunks(project).is_superset(&files));
    project.replace("policies/tracking.yml", "grace: 1h", "grace: 1s");
    // The border moves with the time.
    project.replace("policies/tracking.yml", &rule, "superseded_for: 900y");
    sleep(Duration::from_millis(1_100));
    apply(project);
    assert!(!chunks(project).is_superset(&files), "chunks with old versions are destroyed");
    assert_eq!(versions(project), expected);
    project.run(&["verify"]).success();
    let again = apply(project);
    assert_eq!(of_book(&again)["history"]["versions"], 0, "{again}");

    // The history goes on.
    bank.change();
    bank.run();
    let next = versions(&bank.project);
    assert!(next.values().map(Vec::len).sum::<usize>() > expected.values().map(Vec::len).sum());
    assert_eq!(bank.project.query(CURRENT).len(), bank.accounts.len());
    bank.project.run(&["verify"]).success();
}

#[test]
fn a_run_lets_versions_go_and_a_hold_keeps_them() {
    let (bank, between, _) = recorded(4);
    let project = &bank.project;
    let before = versions(project);
    let hold = "legal_hold: {owner: '@legal', reason: case 7}, grace:";
    project.replace("policies/tracking.yml", "grace:", hold);
    expire(project, between);
    bank.run();
    assert_eq!(versions(project), before, "nothing goes while a hold is in force");
    project.replace("policies/tracking.yml", hold, "grace:");
    project.run(&["run"]).success().says("history book: policy old, art. 5 (1) e");
    assert_eq!(versions(project), staying(&before, border(&before)));
    // Without the policy what is deleted softly is there again; rows that went stay away.
    project.replace("policies/tracking.yml", "retention: old,", "");
    apply(project);
    assert_eq!(versions(project), staying(&before, border(&before)));
    project.run(&["verify"]).success();
}

#[test]
fn killed_anywhere_versions_go_and_nothing_else() {
    let (bank, between, _) = recorded(5);
    let before = versions(&bank.project);
    let expected = staying(&before, border(&before));
    let mut dice = Dice::new(13);
    let mut interrupted = 0;
    for _ in 0..KILLS {
        let project = bank.project.duplicate();
        // The border moves with the time.
        expire(&project, between);
        let started = project.start(&["retention", "apply"]);
        sleep(Duration::from_micros(dice.below(150_000)));
        interrupted += u64::from(started.kill().status != Some(0));
        let seen = versions(&project);
        assert!(seen == before || seen == expected, "all of it or nothing");
        apply(&project);
        assert_eq!(versions(&project), expected);
        assert_eq!(links(&project), referring(&expected));
        project.run(&["verify", "--quiet"]).success();
    }
    assert!(interrupted > KILLS / 10, "only {interrupted} of {KILLS} were interrupted");
}

#[test]
fn rows_expire_from_export_and_history_alike() {
    let tracking = "tracking:\n  history:\n    - {name: book, of: export('accounts'), \
                    key: [account_id], retention: rows}\n\
                    retention:\n  - {name: rows, rows: {older_than: 900y, by: opened}, grace: 1h}\n";
    let bank = Bank::new(6, HISTORY);
    let project = &bank.project;
    project.write("policies/tracking.yml", tracking);
    project.replace(
        "sources/bank.yml",
        "          - {name: amount,",
        "          - {name: opened, type: date, class: public}\n          - {name: amount,",
    );
    project.replace(
        "exports/bank.yml",
        "from: \"source('bank', 'accounts')\"}",
        "from: \"source('bank', 'accounts')\", retention: rows}",
    );
    let write = |opened: [&str; 4]| {
        let rows = opened.iter().enumerate();
        let rows: String =
            rows.map(|(id, opened)| format!("north,{id},owner {id},city,{opened},1\n")).collect();
        project.write(
            "data/accounts.csv",
            format!("branch,account_id,owner,city,opened,amount\n{rows}"),
        );
    };
    write(["2001-02-03", "2001-02-03", "2199-02-03", "2199-02-03"]);
    bank.run();
    write(["2001-02-03", "2199-02-03", "2199-02-03", "2001-02-03"]);
    bank.run();
    let count = |table: &str| project.query(&format!("SELECT 1 FROM {table}")).len();
    assert_eq!((count("accounts"), count("book_h"), count("book_s")), (4, 4, 6));
    project.replace("policies/tracking.yml", "900y", "5y");
    // The first is gone altogether, of the second its first version, of the fourth all: its newest is over.
    let records = || files_below(&project.path("target/store/audit")).len();
    let before = records();
    project.run(&["retention", "apply"]).success();
    assert_eq!((count("accounts"), count("book_h"), count("book_s")), (2, 2, 2));
    assert_eq!(records() - before, 2, "what went of the export, and what went of its history");
    // A run finds nothing that is not there already.
    bank.run();
    assert_eq!((count("accounts"), count("book_h"), count("book_s")), (2, 2, 2));
    project.run(&["verify"]).success();
    // The history's own dates tell nothing of the age of a row.
    project.replace(
        "policies/tracking.yml",
        "older_than: 5y, by: opened",
        "older_than: 1s, by: load_date",
    );
    let applied = project.run(&["retention", "apply"]);
    applied.prints("it has no such column to tell by");
    assert_eq!((count("book_h"), count("book_s")), (2, 2));
}
