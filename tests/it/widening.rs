//! What a plan says of a change: what can be read that could not be before, whatever it is compared with.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::golden::{assert_golden, settled};
use crate::harness::Project;

/// Chinook with a rule that becomes a `keep`, one with other parameters, and two with
/// another mask.
fn changed(project: &Project) {
    let rules = "policies/masking.yml";
    project.replace(rules, "mask: phone}", "keep: {owner: \"@sales\", reason: we call them}}");
    project.replace(rules, "params: {keep: 2}", "params: {keep: 3}");
    project.replace(rules, "mask: first_name}", "mask: token, linkage: customer}");
    project.replace(rules, "mask: company}", "mask: redact}");
}

fn chinook() -> Project {
    Project::copy_of("examples/chinook")
}

fn git(project: &Project, arguments: &[&str]) {
    let ended = Command::new("git")
        .arg("-C")
        .arg(project.root())
        .args(["-c", "user.name=tests", "-c", "user.email=tests@example.com"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// Kind, node and column of every privacy change.
fn privacy(plan: &Value) -> BTreeSet<(String, String, String, bool)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let changes = plan["changes"].as_array().unwrap().iter();
    changes
        .filter(|change| change["section"] == "privacy")
        .map(|change| {
            let widens = change["widens"].as_bool().unwrap();
            (text(&change["kind"]), text(&change["node"]), text(&change["column"]), widens)
        })
        .collect()
}

#[test]
fn a_plan_says_what_becomes_readable() {
    let project = chinook();
    project.run(&["run"]).success();
    let quiet = project.run(&["plan", "--format", "json"]).success().json();
    assert_eq!(quiet["changes"], serde_json::json!([]), "nothing has changed");
    changed(&project);
    let shown = project.run(&["plan", "--detailed-exitcode"]).status(2).stdout;
    let (changes, _) =
        settled(&shown).split_once("\nalbums:").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_golden("chinook/plan_changed.txt", &changes);
    let plan = project.run(&["plan", "--format", "json"]).success().json();
    let found = privacy(&plan);
    for (kind, column, widens) in
        [("unmasked", "Phone", true), ("unmasked", "Fax", true), ("parameters", "PostalCode", true)]
    {
        let line = (kind.to_owned(), "customers".to_owned(), column.to_owned(), widens);
        assert!(found.contains(&line), "{line:?} is not in {found:#?}");
    }
    let linked = ("linkable".to_owned(), "linkage customer".to_owned(), String::new(), true);
    assert!(found.contains(&linked), "{found:#?}");
}

/// A pull request is compared with what it would be merged into, without keys and without data.
#[test]
fn a_plan_is_compared_with_a_commit_or_another_plan() {
    let project = chinook();
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "--all"]);
    git(&project, &["commit", "--quiet", "--message", "before"]);
    project.run(&["plan", "--out", "before.json"]).success();
    let against =
        |base: &str| project.run(&["plan", "--base", base, "--format", "json"]).success().json();
    assert_eq!(against("HEAD")["changes"], serde_json::json!([]));
    assert_eq!(against("before.json")["changes"], serde_json::json!([]));
    changed(&project);
    let (commit, plan) = (against("HEAD"), against("before.json"));
    assert_eq!(commit["changes"], plan["changes"]);
    let found = privacy(&commit);
    let stronger = ("stronger".to_owned(), "customers".to_owned(), "Company".to_owned(), false);
    let weaker = ("weaker".to_owned(), "customers".to_owned(), "FirstName".to_owned(), true);
    assert!(found.contains(&stronger) && found.contains(&weaker), "{found:#?}");
    // A column whose type is declared otherwise is in the section of schemas.
    let sources = "sources/chinook.yml";
    let text = project.read(sources).replacen("{name: Fax, type: string,", "{name: Fax,", 1);
    project.write(sources, text.replacen("class: pii.city}", "class: pii.street}", 1));
    let changes = against("HEAD")["changes"].as_array().unwrap().clone();
    let class = changes.iter().find(|change| change["kind"] == "class_changed").unwrap();
    assert_eq!((&class["section"], &class["column"]), (&"schema".into(), &"City".into()));
    let refused = project.run(&["plan", "--base", "nowhere"]).status(64);
    assert!(refused.stderr.contains("E0908"), "{}", refused.stderr);
    project.run(&["plan", "--base", "--upload-pack=x"]).status(64);
}

/// A plan that was compared with a commit is for review: a run follows snapshots.
#[test]
fn a_run_takes_a_plan_against_the_store_only() {
    let project = chinook();
    project.run(&["plan", "--out", "first.json"]).success();
    project.run(&["plan", "--base", "first.json", "--out", "second.json"]).success();
    project.run(&["run", "--plan", "second.json"]).status(5).says("E0807");
    let tampered =
        project.read("first.json").replace("\"mask\": \"phone\"", "\"mask\": \"redact\"");
    project.write("tampered.json", tampered.replace("@data-office", "@nobody"));
    project.run(&["run", "--plan", "tampered.json"]).status(5).says("E0807");
    project.run(&["run", "--plan", "first.json"]).success();
}
