//! What a plan says of a change: what can be read that could not be before, whatever it is compared with.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::golden::{assert_golden, settled};
use crate::harness::{Project, copy};

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

/// The same plan for every platform, compared with what was committed; the XML and JSON are read back.
#[test]
fn a_plan_is_reported_to_platforms() {
    let mut project = chinook();
    project.run(&["plan", "--out", "before.json"]).success();
    changed(&project);
    let kinds = ["md", "json", "sarif", "junit", "github"];
    let reports: Vec<String> = kinds.iter().map(|kind| format!("{kind}=out/plan.{kind}")).collect();
    let mut arguments = vec!["plan", "--base", "before.json", "--quiet"];
    for report in &reports {
        arguments.extend(["--report", report]);
    }
    project.run(&arguments).success();
    for kind in kinds.iter().filter(|kind| **kind != "json") {
        assert_golden(
            &format!("chinook/report/plan.{kind}"),
            &project.read(&format!("out/plan.{kind}")),
        );
    }
    assert_eq!(project.read("out/plan.json"), project.read("target/plan.json"));
    let sarif: Value = serde_json::from_str(&project.read("out/plan.sarif")).unwrap();
    let widening = sarif["runs"][0]["results"].as_array().unwrap().len();
    assert!(widening > 5, "{sarif:#}");
    let xml = "import sys, xml.etree.ElementTree as tree\n\
               suite = tree.parse(sys.argv[1]).getroot()[0]\n\
               failed = suite.findall('testcase/failure')\n\
               assert len(suite) == int(suite.get('tests')), len(suite)\n\
               assert len(failed) == int(suite.get('failures')) == int(sys.argv[2]), len(failed)\n";
    let ended = Command::new("python3")
        .args(["-c", xml])
        .arg(project.path("out/plan.junit"))
        .arg(widening.to_string())
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    // The project as a folder of a repository.
    let inner = Project::empty();
    copy(project.root(), &inner.path("teams/shop"), &[]);
    inner.write(".git/HEAD", "ref: refs/heads/main\n");
    let sarif =
        ["plan", "--project-dir", "teams/shop", "--base", "teams/shop/before.json", "--quiet"];
    inner.run(&[&sarif[..], &["--report", "github=annotations"]].concat()).success();
    let annotations = inner.read("annotations");
    assert!(annotations.contains("file=teams/shop/policies/masking.yml,line="), "{annotations}");
    project.write("summary", "Of another step.\n");
    let summary = project.path("summary").display().to_string();
    project.set("GITHUB_STEP_SUMMARY", &summary);
    let github = ["plan", "--base", "before.json", "--quiet", "--report", "github=annotations"];
    project.run(&github).success();
    let summary = project.read("summary");
    let comment = project.read("out/plan.md");
    assert_eq!(summary, format!("Of another step.\n{comment}"), "the summary of the step");
    project.run(&["plan", "--report", "pdf=x"]).status(64).says("formats there are");
}

/// A comment that is too long is cut where it can be, and says so.
#[test]
fn a_comment_stays_below_the_limit_of_the_platforms() {
    let columns = |count: usize| {
        (0..count)
            .map(|at| format!("          - {{name: column_{at}, type: string, class: public}}\n"))
            .collect::<String>()
    };
    let project = Project::of(&[
        ("engine.yml", "name: wide\nedition: 2026\n"),
        (
            "profiles.yml",
            "default: dev\ntargets:\n  dev:\n    store: file://target/store\n    keys: {provider: \
             environment, keyring: keyring.json, env: K}\n    connections: {crm: {type: csv, url: data}}\n",
        ),
        (
            "sources/crm.yml",
            &format!(
                "sources:\n  - name: crm\n    connection: crm\n    tables:\n      - name: wide\n        \
                 columns:\n{}",
                columns(1_000)
            ),
        ),
        (
            "policies/p.yml",
            "classes: {public: {sensitive: false}}\nmasking:\n  rules:\n    - {name: open, match: {class: \
             public}, keep: {owner: '@x', reason: names nobody}}\nexports: [{name: wide, from: \
             \"source('crm', 'wide')\"}]\n",
        ),
    ]);
    let kept = "keep: {owner: '@x', reason: names nobody}";
    project.replace("policies/p.yml", kept, "mask: redact");
    project.run(&["plan", "--out", "masked.json"]).success();
    project.replace("policies/p.yml", "mask: redact", kept);
    project.run(&["plan", "--base", "masked.json", "--report", "md=plan.md"]).success();
    let comment = project.read("plan.md");
    let length = comment.chars().count();
    assert!(length <= 60_000 && length > 50_000, "{length} characters");
    assert!(comment.contains("**1000 changes widen") && comment.contains("more than fits"));
}

/// Not only masks decide about what can be read.
#[test]
fn other_rows_other_sources_and_other_owners_are_widenings_too() {
    let project = chinook();
    let model = |column: &str| {
        let sql = format!(
            "SELECT {column} AS place, count(*) AS n FROM {{{{ source('chinook', 'Customer') }}}} GROUP BY \
             {column}\n"
        );
        project.write("models/by_city.sql", sql);
    };
    model("Country");
    project.write(
        "models/by_city.yml",
        "masking:\n  rules:\n    - {name: places, match: {column: by_city.place}, keep: {owner: \"@dpo\", \
         reason: coarse}}\nexports:\n  - name: by_city\n    from: ref('by_city')\n    where: n > 3\n    \
         tests: [{not_null: {column: place}}]\n",
    );
    project.own("dpo");
    project.run(&["plan", "--out", "before.json"]).success();
    model("City");
    let tests = "    where: n > 3\n    tests: [{not_null: {column: place}}]\n";
    project.replace("models/by_city.yml", tests, "");
    project.own("stranger");
    let plan = project.run(&["plan", "--base", "before.json", "--format", "json"]).success().json();
    let changes = plan["changes"].as_array().unwrap().iter();
    let widens: BTreeSet<&str> = changes
        .filter(|change| change["widens"] == true)
        .map(|change| change["kind"].as_str().unwrap())
        .collect();
    let expected = ["filter", "indirect", "other_source", "owner_key", "test_removed"];
    assert_eq!(widens.into_iter().collect::<Vec<_>>(), expected);
}

/// Each rule of the example, dropped or weakened: refused, or on the plan.
#[test]
fn no_rule_can_be_weakened_unseen() {
    let project = Project::copy_of("examples/chinook");
    let shown = project.run(&["test", "--mutate-policy"]).success().stdout;
    assert_golden("chinook/mutate_policy.txt", &shown);
    let found = project.run(&["test", "--mutate-policy", "--format", "json"]).success().json();
    let mutations = found["mutations"].as_array().unwrap();
    assert!(mutations.iter().all(|one| one["outcome"] != "missed"));
    let seen = mutations.iter().filter(|one| one["outcome"] != "no_effect").count();
    assert!(seen > 40, "{seen} of {} changes have an effect", mutations.len());
}
