//! Tests that YAML declares: what each form becomes, and what its mistakes say.

use engine_project::{
    ColumnTest, Declared, LoadOptions, Project, Relation, Severity, TableTest, canonical,
};
use serde_json::json;

use crate::folder::load_with;

/// A file beside the base project with every form of a test.
pub(crate) const TESTED: (&str, &str) = (
    "exports/tested.yml",
    r#"sources:
  - name: shop
    connection: crm
    tables:
      - name: orders
        columns:
          - name: id
            tests:
              - not_null
              - unique: {severity: error}
              - leak
              - leak: {}
              - not_null:
                  severity: warn
          - name: placed
            tests:
              - freshness: {max_age: 48h}
              - range: {min: 1, max: x, severity: warn}
              - regex: {pattern: a+, severity: warn}
          - name: state
            tests:
              - accepted_values: {values: [a, 1, true], severity: warn}
              - relationships:
                  to: source('crm', 'customers')
                  field: country
                  severity: warn
        tests:
          - row_count: {min: 1}
          - row_count: {max: 9, severity: warn}
          - row_count: {min: 0, max: 0}
          - expression: {sql: total >= 0, severity: warn}
          - k_anonymity: {columns: [state], k: 5, severity: warn}
          - l_diversity: {columns: [state, placed], sensitive: id, l: 2}
models:
  - name: summary
    tests:
      - expression: {sql: total > 0}
      - not_null: {column: total, severity: warn}
exports:
  - name: orders
    from: source('shop', 'orders')
    tests:
      - unique: {column: id}
      - leak: {column: id, severity: warn}
      - accepted_values: {column: state, values: [a]}
      - relationships:
          to: ref('profile')
          column: state
          field: country
      - range: {column: placed, min: 1}
      - regex: {column: state, pattern: b, severity: error}
      - freshness: {column: placed, max_age: 2w, severity: warn}
"#,
);

fn tested() -> Project {
    load_with(&[TESTED], &LoadOptions::default()).unwrap()
}

/// Tests with their severities, without their places.
fn plain<T: Clone>(tests: &[Declared<T>]) -> Vec<(T, Severity)> {
    tests.iter().map(|declared| (declared.test.clone(), declared.severity)).collect()
}

/// Tables' tests in their canonical form, which has no places in it.
fn canonical_tests(value: &serde_json::Value) -> Vec<String> {
    let tests = value["tests"].as_array().unwrap();
    tests.iter().map(ToString::to_string).collect()
}

#[test]
fn tests_of_columns() {
    let project = tested();
    let orders = project.table("shop", "orders").unwrap();
    let of = |column: &str| plain(&orders.column(column).unwrap().tests);
    assert_eq!(
        of("id"),
        [
            (ColumnTest::NotNull, Severity::Error),
            (ColumnTest::Unique, Severity::Error),
            (ColumnTest::Leak, Severity::Error),
            (ColumnTest::Leak, Severity::Error),
            (ColumnTest::NotNull, Severity::Warn),
        ]
    );
    let range = ColumnTest::Range { min: Some(json!(1)), max: Some(json!("x")) };
    assert_eq!(
        of("placed"),
        [
            (ColumnTest::Freshness { max_age_seconds: 172_800 }, Severity::Error),
            (range, Severity::Warn),
            (ColumnTest::Regex { pattern: "a+".to_owned() }, Severity::Warn),
        ]
    );
    let to = Relation::Table { source: "crm".to_owned(), table: "customers".to_owned() };
    let field = "country".to_owned();
    assert_eq!(
        of("state"),
        [
            (
                ColumnTest::AcceptedValues { values: vec![json!("a"), json!(1), json!(true)] },
                Severity::Warn
            ),
            (ColumnTest::Relationships { to, field }, Severity::Warn),
        ]
    );
}

#[test]
fn tests_of_tables_models_and_exports() {
    let project = tested();
    let orders = project.table("shop", "orders").unwrap();
    assert_eq!(
        canonical_tests(&canonical::table("shop", orders)),
        [
            r#"{"of":{"arguments":{"max":null,"min":1},"test":"row_count"},"severity":"error"}"#,
            r#"{"of":{"arguments":{"max":9,"min":null},"test":"row_count"},"severity":"warn"}"#,
            r#"{"of":{"arguments":{"max":0,"min":0},"test":"row_count"},"severity":"error"}"#,
            r#"{"of":{"arguments":{"sql":"total >= 0"},"test":"expression"},"severity":"warn"}"#,
            r#"{"of":{"arguments":{"columns":["state"],"k":5},"test":"k_anonymity"},"severity":"warn"}"#,
            r#"{"of":{"arguments":{"columns":["state","placed"],"l":2,"sensitive":"id"},"test":"l_diversity"},"severity":"error"}"#,
        ]
    );
    let summary = project.model("summary").unwrap();
    assert_eq!(
        canonical_tests(&canonical::model(summary)),
        [
            r#"{"of":{"arguments":{"sql":"total > 0"},"test":"expression"},"severity":"error"}"#,
            r#"{"of":{"column":"total","of":{"arguments":{},"test":"not_null"}},"severity":"warn"}"#,
        ]
    );
    assert_eq!(project.model("profile").unwrap().tests, []);
    let export = project.export("orders").unwrap();
    assert_eq!(
        canonical_tests(&canonical::export(export)),
        [
            r#"{"of":{"column":"id","of":{"arguments":{},"test":"unique"}},"severity":"error"}"#,
            r#"{"of":{"column":"id","of":{"arguments":{},"test":"leak"}},"severity":"warn"}"#,
            r#"{"of":{"column":"state","of":{"arguments":{"values":["a"]},"test":"accepted_values"}},"severity":"error"}"#,
            r#"{"of":{"column":"state","of":{"arguments":{"field":"country","to":"\"models\".\"profile\""},"test":"relationships"}},"severity":"error"}"#,
            r#"{"of":{"column":"placed","of":{"arguments":{"max":null,"min":1},"test":"range"}},"severity":"error"}"#,
            r#"{"of":{"column":"state","of":{"arguments":{"pattern":"b"},"test":"regex"}},"severity":"error"}"#,
            r#"{"of":{"column":"placed","of":{"arguments":{"max_age_seconds":1209600},"test":"freshness"}},"severity":"warn"}"#,
        ]
    );
}

#[test]
fn tests_know_their_names_columns_and_places() {
    let project = tested();
    let tests = &project.table("shop", "orders").unwrap().tests;
    let columns = |test: &TableTest| {
        let columns: Vec<&str> = test.columns().map(|column| column.value.as_str()).collect();
        format!("{}({})", test.name(), columns.join(", "))
    };
    let shown: Vec<String> = tests[2..].iter().map(|declared| columns(&declared.test)).collect();
    assert_eq!(
        shown,
        ["row_count()", "expression()", "k_anonymity(state)", "l_diversity(state, placed, id)"]
    );
    let leak = &project.export("orders").unwrap().tests[1];
    assert_eq!(columns(&leak.test), "leak(id)");
    assert_eq!(project.files.describe(leak.at), "exports/tested.yml:44:9");
}

/// The problems of the tested file with one piece replaced, each as `line:column: marked: message`.
fn problems(from: &str, to: &str) -> String {
    let (path, text) = TESTED;
    assert!(text.contains(from), "{from}");
    let changed = text.replacen(from, to, 1);
    let problems = load_with(&[(path, &changed)], &LoadOptions::default()).unwrap_err();
    let shown = problems.problems.iter().map(|problem| {
        let at = problem.at.unwrap();
        let marked = &changed[at.start as usize..at.end as usize];
        let place = problems.files.describe(at).replace("exports/tested.yml:", "");
        format!("{place}: {marked}: {}", problem.kind.message())
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[test]
fn mistakes_in_arguments_say_what_would_be_right() {
    for (from, to, message) in [
        (
            "48h",
            "48",
            "17:38: 48: sources[shop].tables[orders].columns[placed].tests[0].freshness.max_age should be text, but is a whole number",
        ),
        (
            "48h",
            "48 hours",
            "17:38: 48 hours: freshness.max_age should be a whole number and a unit, such as 90s, 30m, 48h, 7d or 2w",
        ),
        (
            "2w",
            "0w",
            "52:46: 0w: freshness.max_age should be more than nothing, such as 90s, 30m, 48h, 7d or 2w",
        ),
        (
            "2w",
            "99999999999999999999w",
            "52:46: 99999999999999999999w: freshness.max_age should be at most 366000d",
        ),
        (
            "{min: 0, max: 0}",
            "{min: 1, max: 0}",
            "30:24: {min: 1, max: 0}: row_count should be a mapping with a least number of rows not above the greatest",
        ),
        (
            "{min: 0, max: 0}",
            "{severity: warn}",
            "30:24: {severity: warn}: row_count should be a mapping with `min`, `max` or both",
        ),
        (
            "{min: 0, max: 0}",
            "{min: ~}",
            "30:30: ~: sources[shop].tables[orders].tests[2].row_count.min should be a whole number, but is nothing",
        ),
        (
            "{column: placed, min: 1}",
            "{column: placed}",
            "50:16: {column: placed}: range should be a mapping with `min`, `max` or both",
        ),
        (
            "l: 2",
            "l: 1",
            "33:71: 1: sources[shop].tables[orders].tests[5].l_diversity.l should be at least 2",
        ),
        (
            "columns: [state, placed]",
            "columns: []",
            "33:36: []: sources[shop].tables[orders].tests[5].l_diversity.columns should be a list of at least 1",
        ),
        (
            "severity: error}\n              - leak",
            "severity: warning}\n              - leak",
            "10:36: warning: sources[shop].tables[orders].columns[id].tests[1].unique.severity should be `error` or `warn`",
        ),
        (
            "{sql: total > 0}",
            "total > 0",
            "37:21: total > 0: models[summary].tests[0].expression should be a mapping, but is text",
        ),
        (
            "- leak: {}",
            "- leak:",
            "12:17: leak: sources[shop].tables[orders].columns[id].tests[3].leak should be a mapping, but is nothing",
        ),
    ] {
        assert_eq!(problems(from, to), message);
    }
}

#[test]
fn names_in_tests_exist() {
    for (from, to, message) in [
        (
            "source('crm', 'customers')",
            "source('crm', 'customer')",
            "23:17: relationships:\n                  to: source('crm', 'customer')\n                  field: country\n                  severity: warn: source `crm` has no table `customer`",
        ),
        (
            "ref('profile')",
            "ref('profil')",
            "46:9: relationships:\n          to: ref('profil')\n          column: state\n          field: country: there is no model `profil`",
        ),
        (
            "- not_null: {column: total, severity: warn}",
            "- relationships: {column: total, to: ref('gone'), field: x}",
            "38:9: relationships: {column: total, to: ref('gone'), field: x}: there is no model `gone`",
        ),
        (
            "- row_count: {min: 1}",
            "- relationships: {column: id, to: \"source('gone', 'x')\", field: x}",
            "28:13: relationships: {column: id, to: \"source('gone', 'x')\", field: x}: there is no source `gone`",
        ),
        ("sensitive: id", "sensitive: ids", "33:64: ids: table `orders` has no column `ids`"),
        (
            "{column: id, severity: warn}",
            "{column: ids, severity: warn}",
            "44:24: ids: table `shop.orders` has no column `ids`",
        ),
    ] {
        assert_eq!(problems(from, to), message);
    }
}

#[test]
fn mistakes_are_reported_together() {
    let (path, text) = TESTED;
    let changed = text.replace("48h", "48x").replace("2w", "2x").replace("max: 0", "max: -0");
    let changed = changed.replace("{min: 0,", "{min: 4,").replace("ref('profile')", "profile");
    let problems = load_with(&[(path, &changed)], &LoadOptions::default()).unwrap_err();
    let places = problems.problems.iter().map(|problem| problem.at.unwrap());
    let places: Vec<String> = places.map(|at| problems.files.describe(at)).collect();
    assert_eq!(places, ["17:38", "30:24", "47:15", "52:46"].map(|at| format!("{path}:{at}")));
}

#[test]
fn severity_is_part_of_the_canonical_form_and_its_default_is_not_written() {
    let of = |from: &str, to: &str| {
        let (path, text) = TESTED;
        let project =
            load_with(&[(path, &text.replacen(from, to, 1))], &LoadOptions::default()).unwrap();
        canonical::export(project.export("orders").unwrap()).to_string()
    };
    let base = of("", "");
    assert_eq!(of("pattern: b, severity: error", "pattern: b"), base);
    assert_ne!(of("pattern: b, severity: error", "pattern: b, severity: warn"), base);
    assert_eq!(of("2w", "14d"), base);
}
