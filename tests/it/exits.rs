//! Every exit code that is documented, with the least that brings it about.
//!
//! ```text
//!  docs/reference/cli.md ──▶ 0 1 2 … 143
//!  SCENARIOS             ──▶ 0 1 2 … 143, but for 70
//! ```

use std::collections::BTreeSet;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::harness::{Ended, KEY, KEY_VARIABLE, Project, Started};
use crate::{people, repository};

/// Needs a defect, which nobody can ask for: tests of `engine/cli/src/panic.rs` make a thread panic.
const DEFECT: i32 = 70;

/// An exit code, the code on stderr if there is one, and the story that ends so.
type Scenario = (i32, Option<&'static str>, fn() -> Ended);

const SCENARIOS: [Scenario; 14] = [
    (0, None, everything_is_done),
    (1, Some("E0805"), a_test_fails),
    (2, None, a_plan_has_changes),
    (3, Some("E0810"), nothing_is_selected),
    (4, Some("E0806"), a_gate_refuses),
    (5, Some("E0807"), a_plan_is_stale),
    (6, Some("E0621"), another_run_is_at_work),
    (64, Some("E0907"), a_command_is_unknown),
    (65, Some("E0410"), a_mask_is_unknown),
    (69, Some("E0503"), a_source_is_gone),
    (77, Some("E0708"), a_key_is_wrong),
    (130, Some("E0813"), an_interrupt),
    (143, Some("E0813"), a_termination),
    // The same again, once nothing is left to do.
    (0, None, nothing_is_left_to_do),
];

#[test]
fn every_scenario_ends_as_it_is_documented() {
    for (status, code, scenario) in SCENARIOS {
        let ended = scenario().status(status);
        let says = |text: &str| ended.stderr.lines().any(|line| line.starts_with(text));
        match code {
            Some(code) => assert!(says(code), "{code} is expected: {ended}"),
            None => assert!(!says("E0"), "{ended}"),
        }
    }
}

#[test]
fn every_documented_exit_code_has_a_scenario() {
    let mut played: BTreeSet<i32> = SCENARIOS.iter().map(|(status, ..)| *status).collect();
    assert!(played.insert(DEFECT), "{DEFECT} cannot be provoked");
    assert_eq!(played, documented());
}

/// The numbers of the table of exit codes: those of its lines, and 143, which stands beside 130.
fn documented() -> BTreeSet<i32> {
    let page = repository::root().join("docs/reference/cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("\nExit codes:\n").unwrap();
    let (table, _) = table.split_once("\n```").unwrap();
    let words = table.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter_map(|word| word.parse().ok()).collect()
}

/// Two exports of 100 rows.
fn project() -> Project {
    people::project(100, 20)
}

/// The same with a test of the first export.
fn tested(test: &str) -> Project {
    let project = project();
    let from = "  - name: people\n    from: source('crm', 'people')\n";
    project.replace("exports/people.yml", from, &format!("{from}    tests: [{test}]\n"));
    project
}

/// A run that nobody waits for the end of, once it has the locks and reads.
fn endless() -> (Project, Started) {
    let project = project();
    let joins: String = ('b'..='g')
        .map(|name| format!(" cross join {{{{ source('crm', 'people') }}}} {name}"))
        .collect();
    let sql = format!("select count(*) as n from {{{{ source('crm', 'people') }}}} a{joins}\n");
    project.write("models/endless.sql", sql);
    project.write(
        "models/endless.yml",
        "models: [{name: endless, columns: [{name: n, class: public}]}]\n\
         exports: [{name: endless, from: ref('endless')}]\n",
    );
    let mut run = project.start(&["run", "--select", "endless"]);
    // A run takes both locks before it begins its journal.
    while !project.path("target/run_results.json").exists() && !run.has_ended() {
        thread::sleep(Duration::from_millis(10));
    }
    (project, run)
}

fn everything_is_done() -> Ended {
    project().run(&["run"])
}

fn nothing_is_left_to_do() -> Ended {
    let project = project();
    project.run(&["run"]).success();
    project.run(&["plan", "--detailed-exitcode"])
}

fn a_test_fails() -> Ended {
    tested("{row_count: {min: 101}}").run(&["run"])
}

fn a_plan_has_changes() -> Ended {
    project().run(&["plan", "--detailed-exitcode"])
}

fn nothing_is_selected() -> Ended {
    project().run(&["run", "--select", "nobody"])
}

fn a_gate_refuses() -> Ended {
    tested("{k_anonymity: {columns: [edition], k: 101}}").run(&["run"])
}

fn a_plan_is_stale() -> Ended {
    let project = project();
    project.run(&["plan", "--out", "reviewed.json"]).success();
    project.replace("policies/masking.yml", "mask: email", "mask: redact");
    project.run(&["run", "--plan", "reviewed.json"])
}

fn another_run_is_at_work() -> Ended {
    let (project, run) = endless();
    let second = project.run(&["run"]);
    run.kill();
    second
}

fn a_command_is_unknown() -> Ended {
    project().run(&["rnu"])
}

fn a_mask_is_unknown() -> Ended {
    let project = project();
    project.replace("policies/masking.yml", "mask: email", "mask: e_mail");
    project.run(&["run"])
}

fn a_source_is_gone() -> Ended {
    let project = project();
    std::fs::remove_file(project.path("data/people.csv")).unwrap();
    project.run(&["run"])
}

fn a_key_is_wrong() -> Ended {
    let mut project = project();
    project.set(KEY_VARIABLE, &KEY.replace("00", "ff"));
    project.run(&["run"])
}

fn an_interrupt() -> Ended {
    signalled("-INT")
}

fn a_termination() -> Ended {
    signalled("-TERM")
}

fn signalled(signal: &str) -> Ended {
    let (_project, run) = endless();
    let told = Command::new("kill").args([signal, &run.id().to_string()]).status().unwrap();
    assert!(told.success(), "the run ended by itself");
    run.wait()
}
