//! What executions say of privacy, day by day in a report.

use chrono::TimeDelta;
use engine_tracking::runs::{
    Folded, Operation, Privacy, Scope, ScriptType,
    report::{Health, Report, Store, Verdict},
    statistics::Window,
};

use crate::invented::{moment, operation};

fn run(number: u64, day: i64, privacy: Option<Privacy>) -> Operation {
    let at = moment("2026-11-20T04:00:00Z") + TimeDelta::days(day);
    let minutes = TimeDelta::minutes(i64::try_from(number).unwrap());
    Operation { privacy, ..operation(number, "uat", ScriptType::RUN, at + minutes) }
}

fn report(operations: Vec<Operation>) -> Report {
    let folded = Folded { operations, ..Folded::default() };
    let since = moment("2026-11-20T00:00:00Z");
    let window = Window { since, now: since + TimeDelta::days(5) };
    let health = Health {
        store: Store::Unreachable,
        keys: Vec::new(),
        retention_overdue: Some(0),
        audit: None,
        coverage: Vec::new(),
        findings: Vec::new(),
    };
    Report::new("acme", &Scope::All, &folded, window, health)
}

fn verdict(report: &Report) -> (Verdict, &str) {
    let check = report.checks.iter().find(|check| check.name == "Coverage").unwrap();
    (check.verdict, &check.words)
}

#[test]
fn the_last_execution_of_a_day_says_what_is_covered_and_findings_add_up() {
    let of = |masked, kept, unclassified, critical, other| {
        Some(Privacy { masked, kept, unclassified, critical, other, open: 7 })
    };
    let refused = Some(Privacy { critical: 3, ..Privacy::default() });
    let report = report(vec![
        run(1, -1, of(1, 1, 9, 9, 9)),
        run(2, 0, of(5, 1, 2, 0, 1)),
        run(3, 0, of(6, 2, 0, 1, 2)),
        run(4, 0, None),
        run(5, 2, refused),
    ]);
    let coverage: Vec<_> = report.health.coverage.iter().collect();
    let [day] = coverage.as_slice() else { panic!("{coverage:?}") };
    assert_eq!((day.day.as_str(), day.sensitive, day.covered), ("2026-11-20", 8, 8));
    let findings: Vec<(&str, u64, u64)> = report
        .health
        .findings
        .iter()
        .map(|day| (day.day.as_str(), day.critical, day.other))
        .collect();
    assert_eq!(findings, [("2026-11-20", 1, 3), ("2026-11-22", 3, 0)]);
    assert_eq!(verdict(&report), (Verdict::Well, "all 8 sensitive columns"));
}

#[test]
fn a_column_that_nobody_answers_for_is_bad() {
    let privacy = Privacy { masked: 5, unclassified: 1, ..Privacy::default() };
    assert_eq!(verdict(&report(vec![run(1, 0, Some(privacy))])), (Verdict::Bad, "5 of 6 columns"));
}

#[test]
fn where_nothing_is_said_nothing_is_known() {
    let report = report(vec![run(1, 0, None)]);
    assert!(report.health.coverage.is_empty() && report.health.findings.is_empty());
    assert_eq!(verdict(&report).0, Verdict::Unknown);
}
