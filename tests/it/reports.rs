//! What commands say of the past, as golden files: `history`, `report`, `retention plan`, the versions of a row. What
//! differs from run to run is written as what it is: `[time]`, `[id]`, `[number]`.

use crate::bank::{Bank, HISTORY};
use crate::golden::{assert_golden, settled};
use crate::harness::Project;

/// Digits of an id, at least.
const ID_DIGITS: usize = 16;

/// Letters that draw how something went over time.
const BARS: &str = "▁▂▃▄▅▆▇█";

/// Words that stand for what differs from run to run.
fn steady(text: &str) -> String {
    let mut found = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let word: &str = rest
            .split(|letter: char| !(letter.is_ascii_alphanumeric() || "-:.T+".contains(letter)))
            .next()
            .unwrap_or_default();
        if word.is_empty() {
            if !BARS.contains(letter) {
                found.push(letter);
            } else if !found.ends_with("[bars]") {
                found.push_str("[bars]");
            }
            rest = &rest[letter.len_utf8()..];
            continue;
        }
        found.push_str(&kind(word));
        rest = &rest[word.len()..];
    }
    // A day and a time apart, and the two as one word, are a moment.
    let found = found.replace("[day] [time]", "[time]").replace("[day]", "[time]");
    let found = found.replace("[time] to [time]", "[time]");
    let lines = found.lines().map(|line| match line.split_once("\"bytes\": ") {
        Some((before, _)) => format!("{before}\"bytes\": [size],\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

fn kind(word: &str) -> String {
    let (body, end) = match word.strip_suffix('.') {
        Some(body) => (body, "."),
        None => (word, ""),
    };
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = body.split('-').collect();
    let is_day = parts.len() == 3 && parts[0].len() == 4 && digits(parts[0]) && digits(parts[1]);
    let kind = match body {
        _ if body.len() >= ID_DIGITS && hex(body) => "[id]",
        _ if is_day && body.contains('T') => "[time]",
        _ if is_day => "[day]",
        _ if body.split(':').count() == 3 && body.split(':').all(digits) => "[time]",
        _ if body.split('.').count() == 2 && body.split('.').all(digits) => "[number]",
        _ => return word.to_owned(),
    };
    format!("{kind}{end}")
}

fn told(project: &Project, name: &str, arguments: &[&str], ends: i32) {
    let ended = project.run(arguments).status(ends);
    assert_golden(&format!("past/{name}"), &settled(&steady(&ended.stdout)));
}

/// A bank with a past: runs, one that failed, and somebody who looked. One account is not left to chance.
pub(crate) fn bank() -> Bank {
    let mut bank = Bank::new(41, HISTORY);
    bank.project.set("USER", "ada");
    // What a key decides is nothing for a golden file.
    bank.project.replace("policies/masking.yml", "mask: first_name", "mask: redact");
    let policy =
        "retention:\n  - {name: uat, snapshots: {keep: 5}, grace: 7d, basis: a contract}\n";
    bank.project.write("policies/retention.yml", policy);
    bank.project.replace(
        "exports/bank.yml",
        "{name: accounts,",
        "{name: accounts, retention: uat,",
    );
    for (city, amount) in [("Leiden", Some(3)), ("Delft", Some(3)), ("Delft", None)] {
        bank.change();
        bank.accounts.insert(1, ("north", "somebody".to_owned(), city.to_owned(), amount));
        bank.write();
        bank.run();
    }
    let text = bank.project.read("data/accounts.csv");
    bank.project.write("data/accounts.csv", format!("{text}north,1,Eve,Rome,9\n"));
    bank.project.run(&["run", "--force", "--select", "accounts"]).status(1);
    bank.project.run(&["show", "accounts", "--limit", "1"]).success();
    bank.project.replace("policies/retention.yml", "keep: 5", "keep: 1");
    bank
}

#[test]
fn what_was_done_is_told_as_it_was_looked_at_once() {
    let Bank { project, .. } = bank();
    told(&project, "history.txt", &["history"], 0);
    told(&project, "history_failed.txt", &["history", "--status", "failed", "--user", "ada"], 0);
    told(&project, "retention_plan.txt", &["retention", "plan"], 0);
    told(&project, "retention_plan.json", &["retention", "plan", "--format", "json"], 0);
    told(&project, "verify_audit.txt", &["verify", "--audit"], 0);
    let key = "SELECT account_id AS id FROM book WHERE city = 'Delft' AND version = 2";
    let key = project.query(key)[0]["id"].as_str().unwrap().to_owned();
    let rows = ["history", "rows", "book", "--tenant", "north", "--key", &key];
    told(&project, "rows.txt", &rows, 0);
    told(&project, "rows.json", &[&rows[..], &["--format", "json"]].concat(), 0);
    told(
        &project,
        "records.txt",
        &[
            "query",
            "SELECT script_type, status, count(*) AS n \
        FROM engine.operations GROUP BY 1, 2 ORDER BY 1, 2",
        ],
        0,
    );
}
