//! Tests on data: they look at the rows while these pass by, hold back what fails, and name rows by keyed
//! handles only.

use serde_json::Value;

use crate::harness::Project;

const ENGINE: &str = "name: shop\nedition: 2026\n";
const PROFILES: &str = "targets:\n  dev:\n    store: file://target/store\n    keys: {provider: environment, env: ENGINE_TEST_KEY}\n    connections:\n      shop: {type: csv, url: data}\n";

/// What orders may refer to.
const PEOPLE: &str =
    "      - name: people\n        columns:\n          - {name: name, type: string, class: pii}\n";

/// A project with a table of orders; `columns` and `table` are more YAML of the table, `export` of the
/// export.
fn project(columns: &str, table: &str, export: &str) -> Project {
    let sources = format!(
        "sources:\n  - name: shop\n    connection: shop\n    tables:\n      - name: orders\n        key: [id]\n{table}        columns:\n          - {{name: id, type: int64, class: public}}\n{columns}{PEOPLE}"
    );
    let project = Project::of(&[
        ("engine.yml", ENGINE),
        ("profiles.yml", PROFILES),
        ("sources/shop.yml", &sources),
        (
            "policies/masking.yml",
            "classes:\n  pii: {sensitive: true}\n  public: {sensitive: false}\nmasking:\n  rules:\n    - {name: people, match: {class: pii}, mask: token}\n    - {name: rest, match: {class: public}, keep: {owner: \"@dpo\", reason: a test}}\n",
        ),
        (
            "exports/orders.yml",
            &format!("exports:\n  - name: orders\n    from: source('shop', 'orders')\n{export}"),
        ),
    ]);
    project.run(&["keys", "init"]).success();
    project
}

fn rows(project: &Project, header: &str, rows: impl Iterator<Item = String>) {
    let rows: String = rows.map(|row| row + "\n").collect();
    project.write("data/orders.csv", format!("{header}\n{rows}"));
}

#[test]
fn a_test_of_rows_names_them_by_handles_that_queries_find() {
    let columns = "          - {name: total, type: int64, class: public, tests: [{range: {min: 0, severity: warn}}]}\n";
    let project = project(columns, "", "");
    rows(
        &project,
        "id,total",
        (0..50).map(|id| format!("{id},{}", if id == 33 { -7 } else { id })),
    );
    let run = project.run(&["run"]).success();
    assert!(run.stderr.contains("E0805") && run.stderr.contains("1 warning"), "{}", run.stderr);
    let handle = handles(&run.stderr).remove(0);
    let sql = format!("select id from orders where row_handle('orders', id) = '{handle}'");
    assert_eq!(project.query(&sql), [serde_json::json!({ "id": 33 })]);
    assert!(!run.stderr.contains("-7"), "no value is shown");
    // The same, on what was committed; a warning fails nothing.
    let tested = project.run(&["test"]).success();
    assert_eq!(handles(&tested.stderr), [handle]);
    assert!(project.run(&["run", "--quiet", "--force"]).success().stderr.is_empty());
}

/// Words of 16 hexadecimal digits.
fn handles(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_ascii_hexdigit());
    words.filter(|word| word.len() == 16).map(str::to_owned).collect()
}

#[test]
fn an_error_publishes_nothing_and_test_says_the_same_of_what_is_there() {
    let cases: &[(&str, &str, &str, &str, i32)] = &[
        ("tests: [{row_count: {min: 3, max: 9}}]", "", "row_count", "it has 10 rows", 1),
        ("tests: [{expression: {sql: \"total < 9\"}}]", "", "expression", "fails for 1 row", 1),
        (
            "",
            "tests: [{l_diversity: {columns: [half], sensitive: city, l: 2}}]",
            "l_diversity",
            "1 group has fewer",
            4,
        ),
        (
            "",
            "tests: [{k_anonymity: {columns: [city], k: 5}}]",
            "k_anonymity",
            "1 group is smaller",
            4,
        ),
        (
            "",
            "tests: [{freshness: {column: day, max_age: 1d}}]",
            "freshness",
            "the newest value of `day` is not of the last 1 day",
            1,
        ),
        ("", "tests: [{unique: {column: half}}]", "unique", "fails for 2 values", 1),
    ];
    for (table, export, kind, words, exit) in cases {
        let columns = "          - {name: total, type: int64, class: public}\n          - {name: half, type: int64, class: public}\n          - {name: city, type: string, class: pii}\n          - {name: day, type: date, class: public}\n";
        let line = |text: &str, indent: usize| {
            if text.is_empty() { String::new() } else { format!("{:indent$}{text}\n", "") }
        };
        let project = project(columns, &line(table, 8), &line(export, 4));
        let row = |id: i64| {
            format!("{id},{id},{},{},2020-01-31", id / 5, if id < 6 { "Rome" } else { "Oslo" })
        };
        rows(&project, "id,total,half,city,day", (0..10).map(row));
        let run = project.run(&["run"]).status(*exit);
        assert!(run.stderr.contains(words), "{kind}: {}", run.stderr);
        assert!(run.stderr.contains("nothing was published"), "{}", run.stderr);
        project.run(&["show", "orders"]).status(69);
        // Where it only warns, the snapshot is there, and a later `engine test` says the same.
        let (file, text) = if table.is_empty() {
            ("exports/orders.yml", export)
        } else {
            ("sources/shop.yml", table)
        };
        let warned = text.replace("}}]", ", severity: warn}}]");
        project.replace(file, text, &warned);
        let run = project.run(&["run"]).success();
        assert!(run.stderr.contains(words), "{kind}: {}", run.stderr);
        project.replace(file, &warned, text);
        let tested = project.run(&["test", "--format", "json"]).status(1);
        let found = tested.json();
        assert_eq!(found["exports"][0]["tests"][0]["kind"], Value::from(*kind));
        assert_eq!(found["exports"][0]["tests"][0]["status"], "failed");
        assert!(tested.stderr.contains(words), "{kind}: {}", tested.stderr);
    }
}

#[test]
fn a_value_that_can_be_read_in_what_it_was_masked_to_is_a_leak() {
    let columns = "          - {name: name, type: string, class: pii, tests: [leak]}\n";
    let project = project(columns, "", "");
    rows(&project, "id,name", (0..2_000).map(|id| format!("{id},name {id}")));
    project.run(&["run"]).success();
    let rule = "{name: people, match: {class: pii}, mask: token}";
    // A dictionary of one name that somebody really has.
    project.write("lookups/names.csv", "name 77\nnobody at all\n");
    let composed = "{name: people, match: {class: pii}, mask: full_name, params: {lookup: names}}";
    project.replace("policies/masking.yml", rule, composed);
    let run = project.run(&["run"]).status(4);
    assert!(run.stderr.contains("E0818"), "{}", run.stderr);
    assert!(run.stderr.contains("1 value of `name` can be read"), "{}", run.stderr);
    assert!(!run.stderr.contains("name 77"), "{}", run.stderr);
    project.replace("sources/shop.yml", "tests: [leak]", "tests: [{leak: {severity: warn}}]");
    let run = project.run(&["run"]).success();
    let handle = handles(&run.stderr).remove(0);
    let sql =
        format!("select distinct name from orders where row_handle('orders', name) = '{handle}'");
    assert_eq!(project.query(&sql), [serde_json::json!({ "name": "name 77" })]);
    let tested = project.run(&["test"]).success();
    assert_eq!(handles(&tested.stderr), [handle]);
}

#[test]
fn columns_that_refer_are_asked_before_they_are_masked() {
    let columns = "          - {name: person, type: string, class: pii, tests: [{relationships: {to: \"source('shop', 'people')\", field: name}}]}\n";
    let project = project(columns, "", "");
    project.write("data/people.csv", "name\nAda\nGrace\n");
    rows(
        &project,
        "id,person",
        ["1,Ada", "2,Grace", "3,", "4,Alan", "5,Alan"].into_iter().map(str::to_owned),
    );
    let run = project.run(&["run"]).status(1);
    assert!(run.stderr.contains("relationships(person) fails for 2 rows"), "{}", run.stderr);
    rows(&project, "id,person", ["1,Ada", "2,Grace", "3,"].into_iter().map(str::to_owned));
    project.run(&["run"]).success();
    project.run(&["test"]).success();
    project.write("data/people.csv", "name\nAda\n");
    let tested = project.run(&["test"]).status(1);
    assert!(tested.stderr.contains("fails for 1 row"), "{}", tested.stderr);
}

/// The digests of more values than memory may hold go to disk and come back, and leave nothing there.
#[test]
fn more_values_than_memory_holds_are_compared_all_the_same() {
    let columns = "          - {name: name, type: string, class: pii, tests: [leak, unique]}\n";
    let project = project(columns, "", "");
    rows(&project, "id,name", (0..300_000).map(|id| format!("{id},name {id}")));
    project.run(&["run", "--memory", "24MiB"]).success();
    rows(&project, "id,name", (0..300_001).map(|id| format!("{id},name {}", id % 300_000)));
    let run = project.run(&["run", "--memory", "24MiB"]).status(1);
    assert!(run.stderr.contains("unique(name) fails for 1 value"), "{}", run.stderr);
    let left = std::fs::read_dir(project.path("target/spill")).unwrap().count();
    assert_eq!(left, 0, "the files have no name");
}

#[test]
fn a_run_that_is_taken_up_again_tests_all_rows() {
    let columns = "          - {name: total, type: int64, class: public, tests: [{range: {min: 0}}, unique]}\n";
    let project = project(
        columns,
        "        tests: [{row_count: {min: 60000}}]\n",
        "    chunk: {rows: 1000}\n",
    );
    rows(&project, "id,total", (0..60_000).map(|id| format!("{id},{id}")));
    let started = project.start(&["run"]);
    while !project.path("target/runs").exists() && !project.path("target/store").exists() {
        std::thread::yield_now();
    }
    std::thread::sleep(std::time::Duration::from_millis(150));
    started.kill();
    let retried = project.run(&["retry"]);
    assert!(matches!(retried.status, Some(0 | 3)), "{}", retried.stderr);
    project.run(&["test"]).success();
}

/// Time passes though nothing changes: a snapshot that stays is asked again whether it is fresh, and
/// whether what it refers to is still there.
#[test]
fn a_snapshot_that_stays_is_asked_again_what_may_have_changed() {
    let columns = "          - {name: day, type: timestamp, class: public, tests: [{freshness: {max_age: 5s}}]}\n          - {name: person, type: string, class: pii, tests: [{relationships: {to: \"source('shop', 'people')\", field: name}}]}\n";
    let project = project(columns, "", "");
    let now = chrono_now();
    rows(&project, "id,day,person", [format!("1,{now},Ada")].into_iter());
    project.write("data/people.csv", "name\nAda\n");
    project.run(&["run"]).success();
    std::thread::sleep(std::time::Duration::from_secs(7));
    project.run(&["run"]).status(1).says("E0805").says("is not of the last 5 seconds");
    rows(&project, "id,day,person", ["1,9999-12-31T00:00:00,Ada".to_owned()].into_iter());
    project.run(&["run"]).status(1).says("is not of the last 5 seconds");
    project.replace("sources/shop.yml", ", tests: [{freshness: {max_age: 5s}}]", "");
    project.run(&["run"]).success();
    project.write("data/people.csv", "name\nGrace\n");
    project.run(&["run"]).status(1).says("relationships(person)");
}

/// The present moment in UTC, as CSV holds it.
fn chrono_now() -> String {
    let ended =
        std::process::Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S"]).output().unwrap();
    String::from_utf8(ended.stdout).unwrap().trim().to_owned()
}

#[test]
fn what_is_no_number_is_within_no_bounds() {
    let columns =
        "          - {name: total, type: float64, class: public, tests: [{range: {min: 0}}]}\n";
    let project = project(columns, "", "");
    rows(&project, "id,total", ["1,1.5", "2,NaN"].into_iter().map(str::to_owned));
    project.run(&["run"]).status(1).says("fails for 1 row");
}

/// A group that nobody may be alone in does not vanish because a model passes it on; where the model sums
/// groups up, the plan says that it is not asked.
#[test]
fn groups_of_a_table_are_looked_at_through_models() {
    let columns = "          - {name: city, type: string, class: public}\n";
    let project = project(columns, "        tests: [{k_anonymity: {columns: [city], k: 2}}]\n", "");
    rows(&project, "id,city", ["1,Rome", "2,Rome", "3,Oslo"].into_iter().map(str::to_owned));
    project.write("models/towns.sql", "SELECT city AS town FROM {{ source('shop', 'orders') }}\n");
    project.write("exports/orders.yml", "exports:\n  - {name: towns, from: ref('towns')}\n");
    project.run(&["run"]).status(4).says("E0806").says("k_anonymity(town)");
    project.write(
        "models/towns.sql",
        "SELECT city AS town, count(*) AS n FROM {{ source('shop', 'orders') }} GROUP BY city\n",
    );
    project.run(&["run"]).success();
    let plan = project.run(&["plan"]).success().stdout;
    assert!(
        plan.contains("not tested, because what is published differs: k_anonymity(town; 2)"),
        "{plan}"
    );
}
