//! Which rule wins, and why the others lose.

use engine_project::{
    ColumnFacts, ColumnType, Decision, LoadOptions, Project, Relation, WhyLost, decide,
};

use crate::folder::{BASE, load_with};

/// A project with these rules instead of the base ones.
fn with_rules(rules: &str) -> Project {
    let (_, text) = BASE.iter().find(|(path, _)| *path == "policies/masking.yml").unwrap();
    let (head, _) = text.split_once("  rules:\n").unwrap();
    load_with(
        &[("policies/masking.yml", &format!("{head}  rules:\n{rules}"))],
        &LoadOptions::default(),
    )
    .unwrap()
}

fn decided<'p>(project: &'p Project, column: &str, class: &str) -> Decision<'p> {
    let relation = Relation::Table { source: "crm".to_owned(), table: "customers".to_owned() };
    let facts = ColumnFacts {
        relation: &relation,
        column,
        class: Some(class),
        column_type: Some(ColumnType::String),
    };
    decide(&project.rules, &facts)
}

fn names(decision: &Decision<'_>) -> Vec<(String, Option<WhyLost>)> {
    let winner = decision.winner.iter().map(|rule| (rule.name.value.clone(), None));
    winner
        .chain(decision.losers.iter().map(|(rule, why)| (rule.name.value.clone(), Some(*why))))
        .collect()
}

#[test]
fn the_more_specific_rule_wins() {
    let project = with_rules(
        "    - {name: by_type, match: {type: string}, mask: a}
    - {name: by_root, match: {class: pii}, mask: b}
    - {name: by_class, match: {class: pii.email}, mask: c}
    - {name: by_class_and_type, match: {class: pii.email, type: string}, mask: d}
    - {name: by_pattern, match: {column: \"crm.*.*\"}, mask: e}
    - {name: by_longer_pattern, match: {column: crm.cust*.email}, mask: f}
    - {name: by_column, match: {column: crm.customers.email}, mask: g}
    - {name: other, match: {class: quasi}, mask: h}
",
    );
    let expected = [
        ("by_column", None),
        ("by_longer_pattern", Some(WhyLost::ExactColumnWins)),
        ("by_pattern", Some(WhyLost::ExactColumnWins)),
        ("by_class_and_type", Some(WhyLost::ExactColumnWins)),
        ("by_class", Some(WhyLost::ExactColumnWins)),
        ("by_root", Some(WhyLost::ExactColumnWins)),
        ("by_type", Some(WhyLost::ExactColumnWins)),
    ];
    let expected = expected.map(|(name, why)| (name.to_owned(), why)).to_vec();
    assert_eq!(names(&decided(&project, "email", "pii.email")), expected);
    assert_eq!(names(&decided(&project, "phone", "pii.phone"))[0].0, "by_pattern");
}

#[test]
fn every_reason_to_lose_is_told() {
    let lost = |first: &str, second: &str| {
        let project = with_rules(&format!(
            "    - {{name: first, {first}}}\n    - {{name: second, {second}}}\n"
        ));
        names(&decided(&project, "mail", "pii.mail"))[1].clone()
    };
    let cases = [
        (
            "match: {class: pii}, mask: a",
            "match: {column: crm.customers.*}, mask: b",
            "first",
            WhyLost::ColumnPatternWins,
        ),
        (
            "match: {column: crm.*.*}, mask: a",
            "match: {column: crm.customers.*}, mask: b",
            "first",
            WhyLost::LongerPatternWins,
        ),
        (
            "match: {class: pii.mail}, mask: a",
            "match: {class: pii}, mask: b",
            "second",
            WhyLost::DeeperClassWins,
        ),
        (
            "match: {class: pii, type: string}, mask: a",
            "match: {class: pii}, mask: b",
            "second",
            WhyLost::TypeWins,
        ),
        (
            "match: {class: pii}, mask: a, linkage: l",
            "match: {class: pii}, mask: a, linkage: l",
            "second",
            WhyLost::DeclaredLater,
        ),
        // No declared column has this class, so the project loads all the same.
        (
            "match: {class: pii.mail}, mask: a, linkage: l",
            "match: {class: pii.mail}, mask: a, params: {x: 1}, linkage: l",
            "second",
            WhyLost::Ambiguous,
        ),
        (
            "match: {class: pii.mail}, mask: a",
            "match: {class: pii.mail}, keep: {owner: o, reason: r}",
            "second",
            WhyLost::Ambiguous,
        ),
        // Each rule is a linkage of its own unless it names one.
        (
            "match: {class: pii.mail}, mask: a",
            "match: {class: pii.mail}, mask: a",
            "second",
            WhyLost::Ambiguous,
        ),
    ];
    for (first, second, loser, why) in cases {
        assert_eq!(lost(first, second), (loser.to_owned(), Some(why)), "{first} / {second}");
    }
}
