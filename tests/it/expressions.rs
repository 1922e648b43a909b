//! Rules with conditions, columns that are expressions, and columns that are left out.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::harness::{KEY_VARIABLE, Project};

const SOURCES: &str = "\
sources:
  - name: crm
    connection: crm
    tables:
      - name: people
        key: [id]
        read: {path: people.csv}
        columns:
          - {name: id, type: int64, class: number}
          - {name: email, type: string, class: pii.email}
          - {name: city, type: string, class: public}
          - {name: country, type: string, class: public}
          - {name: born, type: date, class: pii.born}
          - {name: salary, type: int64, class: pii.salary}
";

const CLASSES: &str = "\
classes:
  pii: {sensitive: true}
  number: {sensitive: true}
  public: {sensitive: false}
";

const ROWS: &str = "\
id,email,city,country,born,salary
1,ada@lovelace.org,London,GB,1815-12-10,100
2,grace@hopper.mil,New York,US,1906-12-09,200
3,konrad@zuse.de,Berlin,DE,1910-06-22,
4,emmy@noether.de,Erlangen,,1882-03-23,400
";

/// A project whose rules are these, besides one for numbers and one for what is public.
fn project(rules: &str) -> Project {
    let project = Project::of(&[
        ("engine.yml", "name: expressions\nedition: 2026\n"),
        (
            "profiles.yml",
            &format!(
                "default: dev\ntargets:\n  dev:\n    store: file://target/store\n    \
                 keys: {{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}\n    \
                 connections: {{crm: {{type: csv, url: data}}}}\n"
            ),
        ),
        ("sources/crm.yml", SOURCES),
        ("exports/people.yml", "exports: [{name: people, from: \"source('crm', 'people')\"}]\n"),
        ("data/people.csv", ROWS),
    ]);
    rewrite(&project, rules);
    project.run(&["keys", "init"]).success();
    project
}

fn rewrite(project: &Project, rules: &str) {
    let given = "  - {name: numbers, match: {class: number}, mask: token}\n  \
                 - {name: open, match: {class: public}, keep: {owner: \"@dpo\", reason: public}}\n";
    project.write("policies/masking.yml", format!("{CLASSES}masking:\n  rules:\n{given}{rules}"));
}

/// The values of a column, in the order of the source.
fn column(project: &Project, name: &str) -> Vec<Value> {
    let rows = project.query(&format!("select \"{name}\" as value from people"));
    rows.into_iter().map(|row| row["value"].clone()).collect()
}

const REST: &str = "  - {name: rest, match: {class: pii}, mask: \"null\"}\n";

#[test]
fn a_rule_with_a_condition_masks_where_it_holds() {
    let rule = |otherwise: &str| {
        format!(
            "  - {{name: mails, match: {{class: pii.email}}, mask: email, when: \"country = 'DE'\"\
             {otherwise}}}\n{REST}"
        )
    };
    let project = project(&rule(""));
    project.run(&["run"]).success();
    // False and null are both "otherwise", and that is redacted when nothing is said.
    let masked = column(&project, "email");
    assert_eq!(masked[0], "[redacted]");
    assert_eq!(masked[1], "[redacted]");
    assert!(masked[2].as_str().unwrap().ends_with("@example.com"), "{masked:?}");
    assert_ne!(masked[2], "konrad@zuse.de");
    assert_eq!(masked[3], "[redacted]");
    let compiled = project.run(&["compile"]).success();
    let sql = project.read("target/compiled/exports/people.sql");
    assert!(sql.contains("CASE WHEN country = 'DE' THEN mask_email("), "{sql}{}", compiled.stdout);
    assert!(sql.contains("masked by rule mails where its condition holds, else redact"), "{sql}");

    // Another mask, and the plan says so.
    rewrite(&project, &rule(", otherwise: {mask: token, linkage: others}"));
    let plan = project.run(&["plan"]).success().stdout;
    assert!(plan.contains("email where country = 'DE', else token"), "{plan}");
    assert!(plan.contains("is masked under another condition"), "{plan}");
    project.run(&["run"]).success();
    assert_eq!(column(&project, "email")[0].as_str().unwrap().len(), 32);

    // Let through on somebody's word: the plan counts it as readable.
    let kept = ", otherwise: {keep: {owner: \"@dpo\", reason: agreed}}";
    rewrite(&project, &rule(kept));
    let plan = project.run(&["plan", "--format", "json"]).success().json();
    let changes = plan["changes"].as_array().unwrap();
    let widened: Vec<&Value> = changes.iter().filter(|one| one["widens"] == json!(true)).collect();
    assert_eq!(widened.len(), 1, "{changes:?}");
    assert!(widened.iter().all(|one| one["owner"] == "@dpo"), "{widened:?}");
    project.run(&["run"]).success();
    assert_eq!(column(&project, "email")[0], "ada@lovelace.org");
}

#[test]
fn a_condition_on_a_sensitive_column_is_told() {
    let rule = "  - {name: mails, match: {class: pii.email}, mask: email, when: salary > 150}\n";
    let project = project(&format!("{rule}{REST}"));
    let plan = project.run(&["plan", "--format", "json"]).success().json();
    let used = &plan["exports"][0]["indirect"];
    assert_eq!(used[0]["column"], "crm.people.salary", "{used}");
    assert_eq!(used[0]["how"], json!(["condition of a mask"]), "{used}");
    // A class that denies such use stops it.
    let denied = format!("{CLASSES}  pii.salary: {{sensitive: true, indirect: deny}}\nmasking:\n");
    let policies = project.read("policies/masking.yml");
    project
        .write("policies/masking.yml", policies.replace(&format!("{CLASSES}masking:\n"), &denied));
    let refused = project.run(&["compile"]);
    assert!(refused.stderr.contains("E0422"), "{}", refused.stderr);
}

#[test]
fn a_condition_makes_a_mask_lossy_and_both_ways_end_in_one_type() {
    let project = project(
        "  - {name: ids, match: {column: crm.people.id}, mask: token, when: country = 'DE'}\n  \
         - {name: rest, match: {class: pii}, mask: \"null\"}\n",
    );
    let refused = project.run(&["compile"]);
    assert!(refused.stderr.contains("E0414"), "{}", refused.stderr);
    let rule = "  - {name: pay, match: {class: pii.salary}, mask: token, when: country = 'DE', \
                otherwise: {mask: round, params: {multiple: 10}}}\n";
    rewrite(&project, &format!("{rule}{REST}"));
    let refused = project.run(&["compile"]);
    assert!(refused.stderr.contains("gives int64, and `token` gives string"), "{}", refused.stderr);
}

#[test]
fn a_column_may_be_left_out() {
    let project =
        project(&format!("  - {{name: gone, match: {{class: pii.born}}, mask: drop}}\n{REST}"));
    project.run(&["run"]).success();
    let rows = project.query("select * from people");
    let names: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "email", "city", "country", "salary"]);
    let plan = project.run(&["plan", "--format", "json"]).success().json();
    assert_eq!(plan["exports"][0]["left_out"], json!(["born"]));
    // To learn that a column is left out is to learn nothing of it.
    let explained = project.run(&["explain", "people"]).success().stdout;
    assert!(explained.contains("nothing: the column is left out"), "{explained}");
}

#[test]
fn an_expression_reads_public_columns_and_published_ones() {
    let place = "  - {name: place, match: {class: pii.email}, mask: sql, params: {expression: \
                 \"upper(city) || ', ' || masked.id\"}}\n";
    let project = project(&format!("{place}{REST}"));
    project.run(&["run"]).success();
    let ids = column(&project, "id");
    let made = column(&project, "email");
    assert_eq!(made[0].as_str().unwrap(), format!("LONDON, {}", ids[0].as_str().unwrap()));
    let plan = project.run(&["plan", "--format", "json"]).success().json();
    let email = &plan["exports"][0]["columns"][1];
    assert_eq!(email["treatment"]["masked"]["function"], "sql", "{email}");
    let sources: Vec<&str> = email["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["column"].as_str().unwrap())
        .collect();
    assert_eq!(sources, ["crm.people.city", "crm.people.id"]);
}

#[test]
fn an_expression_over_a_sensitive_column_needs_somebodys_word() {
    let year = |word: &str| {
        format!(
            "  - {{name: years, match: {{class: pii.born}}, mask: sql, params: {{expression: \
             \"extract(year FROM born)\"{word}}}}}\n{REST}"
        )
    };
    let project = project(&year(""));
    let refused = project.run(&["compile"]);
    assert!(refused.stderr.contains("E0424"), "{}", refused.stderr);
    rewrite(&project, &year(", declassify: {owner: \"@dpo\", reason: years are coarse}"));
    let plan = project.run(&["plan"]).success().stdout;
    assert!(
        plan.contains("OPEN by rule years (EXTRACT(YEAR FROM born)), @dpo: years are coarse"),
        "{plan}"
    );
    project.run(&["run"]).success();
    assert_eq!(column(&project, "born")[0], 1815);
    // Nor by way of another column that is made of published ones, or one that is not published.
    let chain = "  - {name: one, match: {class: pii.email}, mask: sql, params: {expression: \
                 masked.born}}\n  - {name: two, match: {class: pii.born}, mask: sql, params: \
                 {expression: masked.city}}\n  - {name: pay, match: {class: pii.salary}, mask: drop}\n";
    rewrite(&project, chain);
    let refused = project.run(&["compile"]);
    assert!(refused.stderr.contains("no published column `born` to read"), "{}", refused.stderr);
}

/// A thousand people of four countries, and what they earn.
fn earners(project: &Project) {
    let mut csv = String::from("id,email,city,country,born,salary\n");
    for id in 0..1_000 {
        let country = ["DE", "FR", "GB", ""][id % 4];
        let salary = if id % 10 == 0 { String::new() } else { (id * 7).to_string() };
        writeln!(csv, "{id},{id}@example.org,Town,{country},1980-01-01,{salary}").unwrap();
    }
    project.write("data/people.csv", csv);
}

#[test]
fn a_column_may_be_dealt_out_among_its_rows() {
    let shuffle = |within: &str| {
        format!(
            "  - {{name: pay, match: {{class: pii.salary}}, mask: shuffle, params: {{by: [id]{within}}}}}\n{REST}"
        )
    };
    let project = project(&shuffle(", within: [country]"));
    earners(&project);
    project.run(&["run"]).success();
    let sums = "select country, count(salary) as n, sum(salary) as sum from people group by country \
                order by country";
    let of_groups = |rows: &[Value]| rows.iter().map(|row| row["n"].as_u64().unwrap()).sum::<u64>();
    let groups = project.query(sums);
    assert_eq!(of_groups(&groups), 900);
    let expected = |remainder: usize| -> usize {
        (0..1_000).filter(|id| id % 4 == remainder && id % 10 > 0).map(|id| id * 7).sum()
    };
    let sum = |row: &Value| row["sum"].as_u64().unwrap() as usize;
    let got: BTreeSet<usize> = groups.iter().map(sum).collect();
    assert_eq!(got, (0..4).map(expected).collect(), "{groups:?}");
    // However it is cut into batches and streams, the same row gets the same value.
    let all = "select id, salary from people order by id";
    let once = project.query(all);
    let stayed = once.iter().filter(|row| row["salary"].is_null()).count();
    assert_eq!(stayed, 100);
    for extra in [["--jobs", "1"], ["--batch-rows", "17"]] {
        project.run(&[&["run", "--force"], &extra[..]].concat()).success();
        assert_eq!(project.query(all), once, "{extra:?}");
    }
    let plan = project.run(&["plan", "--format", "json"]).success().json();
    let shows = &plan["exports"][0]["columns"][5]["treatment"]["masked"]["shows"];
    assert!(shows.as_array().unwrap().contains(&json!("about the value")), "{shows}");
    // What does not identify a row decides nothing.
    rewrite(&project, &shuffle("").replace("by: [id]", "by: [country]"));
    let refused = project.run(&["run"]).status(1).says("rows are not told apart");
    assert!(refused.stderr.contains("E0803"), "{}", refused.stderr);
    rewrite(&project, &shuffle("").replace("params", "when: id > 1, params"));
    project.run(&["compile"]).says("mask `shuffle` takes no condition");
}

#[test]
fn a_column_that_does_not_fit_into_memory_is_not_dealt_out() {
    let rule = "  - {name: pay, match: {class: pii.salary}, mask: shuffle, params: {by: [id]}}\n";
    let project = project(&format!("{rule}{REST}"));
    let mut csv = String::from("id,email,city,country,born,salary\n");
    for id in 0..400_000 {
        writeln!(csv, "{id},,,,,{id}").unwrap();
    }
    project.write("data/people.csv", csv);
    project.run(&["run", "--memory", "16MiB"]).says("E0801");
    project.run(&["run", "--memory", "512MiB"]).success();
}

#[test]
fn values_that_a_mask_is_not_for_are_told() {
    let cards = "  - {name: cards, match: {class: pii.email}, mask: card}\n";
    let project = project(&format!("{cards}{REST}"));
    project.write(
        "data/people.csv",
        ROWS.replace("ada@lovelace.org", "4111 1111 1111 1111").replace("konrad@zuse.de", ""),
    );
    let run = project.run(&["run"]).success().says("E0819");
    assert!(
        run.stderr.contains("`people.email`: 2 of 3 values are not what mask `card` is for"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("hopper"), "{}", run.stderr);
}

#[test]
fn nothing_raw_comes_in_by_the_back_door() {
    let refused = |rules: &str, words: &str| {
        let project = project(&format!("{rules}{REST}"));
        project.run(&["compile"]).status(65).says(words);
    };
    // A template reads published columns, and in `otherwise` there are none yet.
    refused(
        "  - {name: mails, match: {class: pii.email}, mask: token, when: country = 'DE', otherwise: \
         {mask: template, params: {template: \"{{ salary }}\"}}}\n",
        "cannot stand in `otherwise`",
    );
    // A pseudonym space belongs to its rule.
    refused(
        "  - {name: mails, match: {class: pii.email}, mask: sql, params: {expression: \"mask_token(city, \
         '{}')\"}}\n",
        "calls a mask by itself",
    );
    refused(
        "  - {name: mails, match: {class: pii.email}, mask: token, when: \"mask_token(city, '{}') = 'a'\"}\n",
        "calls a mask by itself",
    );
    refused(
        "  - {name: gone, match: {class: pii.born}, mask: drop}\n  - {name: mails, match: {class: \
         pii.email}, mask: template, params: {template: \"{{ born }}\"}}\n",
        "no published column `born` to read",
    );
    // A column of the source whose name looks like that of a published one.
    let sql =
        "  - {name: mails, match: {class: pii.email}, mask: sql, params: {expression: city}}\n";
    let project = project(&format!("{sql}{REST}"));
    project.replace("sources/crm.yml", "{name: born,", "{name: masked.born,");
    project.replace("data/people.csv", "country,born", "country,masked.born");
    project.run(&["compile"]).status(65).says("a column is named `masked.born`");
}

#[test]
fn an_expression_that_somebody_answers_for_is_in_the_plan() {
    let rule = |expression: &str| {
        format!(
            "  - {{name: pay, match: {{class: pii.salary}}, mask: sql, params: {{expression: \
             {expression}, declassify: {{owner: \"@dpo\", reason: rounded}}}}}}\n{REST}"
        )
    };
    let project = project(&rule("salary - salary % 100"));
    project.run(&["run"]).success();
    rewrite(&project, &rule("salary"));
    let plan = project.run(&["plan", "--format", "json"]).success().json();
    let changes = plan["changes"].as_array().unwrap();
    let other = changes.iter().find(|change| change["kind"] == "other_expression").unwrap();
    assert_eq!((&other["widens"], &other["owner"]), (&json!(true), &json!("@dpo")));
    assert_eq!(
        (&other["before"], &other["after"]),
        (&json!("salary - salary % 100"), &json!("salary"))
    );
}

#[test]
fn columns_that_are_dealt_out_under_one_linkage_stay_apart_and_tenants_do_too() {
    let shuffle = "  - {name: pay, match: {class: pii.salary}, linkage: pay, mask: shuffle, params: {by: \
                   [id]}}\n  - {name: towns, match: {column: crm.people.email}, linkage: pay, mask: \
                   shuffle, params: {by: [id]}}\n";
    let project = project(&format!("{shuffle}{REST}"));
    earners(&project);
    project.run(&["run"]).success();
    let rows = project.query("select email, salary from people");
    let number = |row: &Value| row["email"].as_str().unwrap().split('@').next().unwrap().to_owned();
    let together = rows.iter().filter(|row| {
        let salary = row["salary"].as_u64().map(|salary| (salary / 7).to_string());
        salary == Some(number(row))
    });
    assert!(together.count() < 10, "what stood together is still together");
    let distinct: BTreeSet<String> = rows.iter().map(number).collect();
    assert_eq!(distinct.len(), 1_000);
    project.replace(
        "exports/people.yml",
        "source('crm', 'people')\"",
        "source('crm', 'people')\", tenant: country",
    );
    project.run(&["compile"]).status(65).says("would be dealt out among all tenants");
}
