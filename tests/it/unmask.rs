//! Reversible columns, restored for whoever holds the key, and on record.

use serde_json::{Value, json};

use crate::harness::{KEY_VARIABLE, Project};

const ROWS: &str = "\
id,card,account,name,ref
1,4111111111111111,120,Ada,17000001
2,5500005555555559,999999,Grace,17000002
3,,5,Konrad,17000003
";

/// Cards by FF1 with the account as tweak, accounts by FF1 of numbers, names one way, references by AES-SIV.
fn project() -> Project {
    let project = Project::of(&[
        ("engine.yml", "name: unmask\nedition: 2026\n"),
        (
            "profiles.yml",
            &format!(
                "default: dev\ntargets:\n  dev:\n    store: file://target/store\n    \
                 keys: {{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}\n    \
                 connections: {{crm: {{type: csv, url: data}}}}\n"
            ),
        ),
        (
            "sources/crm.yml",
            "sources:\n  - name: crm\n    connection: crm\n    tables:\n      - name: people\n        \
             read: {path: people.csv}\n        columns:\n          \
             - {name: id, type: int64, class: open}\n          \
             - {name: card, type: string, class: pii.card}\n          \
             - {name: account, type: int64, class: pii.account}\n          \
             - {name: name, type: string, class: pii.name}\n          \
             - {name: ref, type: string, class: pii.ref}\n",
        ),
        (
            "policies/masking.yml",
            "classes: {pii: {sensitive: true}, open: {sensitive: false}}\nmasking:\n  rules:\n    \
             - {name: ids, match: {class: open}, keep: {owner: \"@dpo\", reason: numbers of rows}}\n    \
             - {name: cards, match: {class: pii.card}, mask: ff1, params: {per: account}}\n    \
             - {name: accounts, match: {class: pii.account}, mask: ff1_number, params: {min: 0, max: 9999999}}\n    \
             - {name: names, match: {class: pii.name}, mask: token}\n    \
             - {name: refs, match: {class: pii.ref}, mask: aes_siv}\n",
        ),
        ("exports/people.yml", "exports: [{name: people, from: \"source('crm', 'people')\"}]\n"),
        ("data/people.csv", ROWS),
    ]);
    project.run(&["keys", "init"]).success();
    project.run(&["run"]).success();
    project
}

fn rows(project: &Project, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["unmask", "people", "--format", "json"], arguments].concat();
    project.run(&arguments).success().rows()
}

#[test]
fn whoever_holds_the_key_gets_the_values_back() {
    let project = project();
    let published = project.query("select * from people order by id");
    assert_ne!(published[0]["card"], "4111111111111111");
    let restored = rows(&project, &[]);
    assert_eq!(restored.len(), 3);
    for (row, line) in restored.iter().zip(ROWS.lines().skip(1)) {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(row["id"].to_string(), fields[0]);
        assert_eq!(row["card"].as_str().unwrap_or_default(), fields[1]);
        assert_eq!(row["account"].to_string(), fields[2]);
        assert_eq!(row["ref"], fields[4]);
    }
    assert_eq!(restored[0]["name"], published[0]["name"], "what is one-way stays");
    // One column, of one row.
    let card = published[1]["card"].as_str().unwrap();
    let one = rows(&project, &["--column", "account", "--where", &format!("card = '{card}'")]);
    assert_eq!(one.len(), 1);
    assert_eq!((&one[0]["account"], &one[0]["card"]), (&json!(999_999), &json!(card)));
}

#[test]
fn it_is_on_record_and_refused_in_ci() {
    let mut project = project();
    rows(&project, &["--column", "card"]);
    let events = project.query("select kind, objects from engine.events");
    let told: Vec<String> = events.iter().map(ToString::to_string).collect();
    let unmasking = told.iter().find(|event| event.contains("unmasking")).unwrap();
    assert!(unmasking.contains("people.card"), "{unmasking}");

    project.set("CI", "true");
    let refused = project.run(&["unmask", "people"]).status(77).says("E0713");
    assert!(!refused.stdout.contains("4111111111111111"));
    let events = project.query("select kind from engine.events");
    let count = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
    assert_eq!((count("unmasking"), count("refusal")), (2, 1), "{events:?}");
    assert_eq!(rows(&project, &["--in-ci"]).len(), 3);
    // Another machine's key restores nothing.
    project.set(KEY_VARIABLE, &"ab".repeat(32));
    let refused = project.run(&["unmask", "people", "--in-ci"]).status(77);
    assert!(!refused.stdout.contains("4111111111111111"), "{}", refused.stdout);
}

#[test]
fn what_is_one_way_is_said() {
    let project = project();
    let one_way = project.run(&["unmask", "people", "--column", "name"]).status(64).says("E0714");
    assert!(one_way.stderr.contains("mask `token` cannot be turned back"), "{}", one_way.stderr);
    project.run(&["unmask", "people", "--column", "crad"]).status(64).says("did you mean `card`?");
    // A condition is one expression: rows cannot be made up to be restored.
    let made_up = "false union all select id, 'x', account, name, ref from people --";
    project.run(&["unmask", "people", "--where", made_up]).status(64).says("E0905");
    project.run(&["unmask", "peopel"]).says("did you mean `people`?");
    project.replace(
        "policies/masking.yml",
        "mask: ff1, params: {per: account}",
        "mask: ff1, when: id > 1",
    );
    project.run(&["run"]).success();
    let forked = project.run(&["unmask", "people", "--column", "card"]);
    forked.status(64).says("its mask has a condition");
}
