//! Columns of sources that got another name: what a plan takes for the same column, and by what.

use std::fmt::Write;

use crate::harness::{KEY_VARIABLE, Project};
use crate::python;

const POLICIES: &str = "\
classes: {pii: {sensitive: true}}
masking: {rules: [{name: all, match: {class: pii}, mask: token}]}
";

/// People with an address each, and a note here and there.
fn project(statistics: bool) -> Project {
    let project = Project::of(&[
        ("engine.yml", "name: renames\nedition: 2026\n"),
        (
            "profiles.yml",
            &format!(
                "default: dev\ntargets:\n  dev:\n    store: file://target/store\n    \
                 keys: {{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}\n    \
                 connections: {{crm: {{type: parquet, url: data}}}}\n"
            ),
        ),
        ("policies/masking.yml", POLICIES),
        ("exports/people.yml", "exports: [{name: people, from: \"source('crm', 'people')\"}]\n"),
    ]);
    columns(&project, statistics, ["id", "mail", "note"], |row| {
        (format!("somebody.{row}@example.org"), note(row))
    });
    project.run(&["keys", "init"]).success();
    project
}

fn note(row: usize) -> String {
    if row.is_multiple_of(10) { format!("called on day {row}") } else { String::new() }
}

/// Writes the source and its description.
fn columns(
    project: &Project,
    statistics: bool,
    names: [&str; 3],
    texts: impl Fn(usize) -> (String, String),
) {
    let mut csv = format!("{}\n", names.join(","));
    for row in 0..500 {
        let (second, third) = texts(row);
        writeln!(csv, "{row},{second},{third}").unwrap();
    }
    project.write("data/people.csv", csv);
    let path = |end: &str| project.path(&format!("data/people{end}")).display().to_string();
    let types = format!("{}=int64;{}=string;{}=string", names[0], names[1], names[2]);
    let all = [path(".csv"), types, path(".parquet"), path(".other.parquet"), path(".arrow")];
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    python::run("tests/python/columnar.py", &all);
    let column = |name| format!("{{name: {name}, class: pii}}");
    project.write(
        "sources/crm.yml",
        format!(
            "sources:\n  - name: crm\n    connection: crm\n    statistics: {statistics}\n    \
             tables: [{{name: people, read: {{path: people.parquet}}, columns: [{}]}}]\n",
            names.map(column).join(", ")
        ),
    );
}

/// Old and new names, and why they are taken for the same column.
fn renamed(project: &Project) -> Vec<[String; 3]> {
    let plan = project.run(&["plan", "--format", "json"]).success().json();
    let changes = plan["changes"].as_array().unwrap().iter();
    let renamed = changes.filter(|change| change["kind"] == "renamed");
    let text = |of: &serde_json::Value| of.as_str().unwrap().to_owned();
    renamed.map(|change| ["before", "after", "reason"].map(|field| text(&change[field]))).collect()
}

/// Both columns get another name and change places.
fn swapped(project: &Project, statistics: bool) {
    columns(project, statistics, ["id", "remark", "address"], |row| {
        (note(row), format!("someone.{row}@example.org"))
    });
}

#[test]
fn a_column_that_moved_is_recognised_by_what_the_catalog_says_of_its_contents() {
    let project = project(true);
    project.run(&["run"]).success();
    swapped(&project, true);
    let reason = "same type, class and contents at another place: likely renamed";
    assert_eq!(renamed(&project), [["note", "remark", reason], ["mail", "address", reason]]);
    let shown = project.run(&["plan"]).success().stdout;
    assert!(!shown.contains("column_removed"), "{shown}");
}

/// Without leave nothing is asked, and the place is all there is.
#[test]
fn contents_are_not_looked_at_without_leave() {
    let project = project(false);
    project.run(&["run"]).success();
    swapped(&project, false);
    let reason = "same place, type and class: likely renamed";
    assert_eq!(renamed(&project), [["mail", "remark", reason], ["note", "address", reason]]);
    assert!(!project.read("target/plan.json").contains("statistics"));
}

/// What a catalog says changes with each row, so it must not make a plan stale.
#[test]
fn statistics_are_not_bound_by_the_digest() {
    let project = project(true);
    let digest = |project: &Project| {
        let plan = project.run(&["plan", "--format", "json"]).success().json();
        assert_eq!(plan["beside"]["statistics"]["crm.people"]["id"]["rows"], 500, "{plan}");
        (plan["digest"].clone(), plan["beside"]["statistics"].clone())
    };
    let before = digest(&project);
    columns(&project, true, ["id", "mail", "note"], |row| (format!("{row}"), note(row)));
    let after = digest(&project);
    assert_eq!(before.0, after.0);
    assert_ne!(before.1, after.1);
}
