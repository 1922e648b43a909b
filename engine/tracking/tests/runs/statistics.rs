//! What a week of executions amounts to.

use std::time::Instant;

use chrono::TimeDelta;
use engine_tracking::runs::{
    Operation, Record, Scope, ScriptType, State,
    chain::{Known, Line, Writer, heads, read, verify},
    fold,
    statistics::{Direction, Statistics, Window, statistics},
};

use crate::invented::{mac, moment, operation, week, whole, writer};

const NOW: &str = "2026-11-23T00:00:00Z";

fn window() -> Window {
    Window { since: moment("2026-11-16T00:00:00Z"), now: moment(NOW) }
}

fn of(operations: &[Operation]) -> Statistics {
    statistics(operations, window())
}

#[test]
fn nothing_amounts_to_nothing() {
    let nothing = of(&[]);
    assert_eq!((nothing.success_rate, nothing.median_us), (None, None));
    assert_eq!(nothing.days.len(), 8);
    assert!(nothing.scripts.is_empty() && nothing.errors.is_empty());
}

#[test]
fn a_week_is_counted() {
    let week = of(&week());
    let counts = week.counts;
    assert_eq!((counts.total, counts.success, counts.failed), (168, 163, 4));
    assert_eq!((counts.crashed, counts.live), (1, 1));
    assert_eq!(week.success_rate, Some(0.976));
    let names: Vec<_> =
        week.scripts.iter().map(|one| (one.script_type.word(), one.script_name.as_str())).collect();
    let load = ("load", "crm → warehouse");
    let apply = ("retention_apply", "crm → warehouse");
    assert_eq!(names, [load, apply, ("run", "uat"), ("test", "tests")]);
    let codes: Vec<_> =
        week.error_codes.iter().map(|one| (one.code.as_deref().unwrap(), one.count)).collect();
    assert_eq!(codes, [("E0512", 2), ("E0800", 1), ("E0801", 1)]);
    assert_eq!(week.errors[0].code.as_deref(), Some("E0800"));
    assert_eq!(week.slowest_nodes[0].name, "export.customers");
    assert_eq!(week.slowest_nodes[0].runs, 168);
}

#[test]
fn the_one_strange_duration_is_found() {
    let week = of(&week());
    let [strange] = week.anomalies.as_slice() else { panic!("{:?}", week.anomalies) };
    assert_eq!((strange.script_name.as_str(), strange.duration_us), ("uat", 700_000_000));
    assert!(strange.score > 50.0);
    assert!((90_000_000..100_000_000).contains(&strange.usual_us));
}

#[test]
fn what_gets_slower_is_told_from_what_stays() {
    let week = of(&week());
    let direction = |index: usize| week.scripts[index].trend.unwrap().direction;
    assert_eq!((direction(0), direction(2)), (Direction::Slower, Direction::Steady));
    assert_eq!(week.scripts[1].trend, None);
}

#[test]
fn days_are_whole_and_their_sums_are_those_of_the_week() {
    let operations = week();
    let days = of(&operations).days;
    assert_eq!(
        days.iter().map(|day| day.total).collect::<Vec<_>>(),
        [24, 24, 24, 24, 24, 24, 24, 0]
    );
    assert_eq!(days[0].day, "2026-11-16");
    let read: u64 = operations.iter().map(|one| one.volume.rows_read).sum();
    assert_eq!(days.iter().map(|day| day.rows_read).sum::<u64>(), read);
    let written: u64 = operations.iter().map(|one| one.volume.bytes_written).sum();
    assert_eq!(days[7].growth_bytes, i64::try_from(written).unwrap() - 1_900_000_000);
}

#[test]
fn what_lies_before_the_window_is_history_only() {
    let all = week();
    let since = moment("2026-11-22T00:00:00Z");
    let day = statistics(&all, Window { since, now: moment(NOW) });
    assert_eq!(day.counts.total, 24);
    assert_eq!(day.days.len(), 2);
    // The strange one was hour 150, within this day; its history is the week's.
    assert_eq!(day.anomalies.len(), 1);
    assert_eq!(day.scripts[1].baseline.unwrap().samples, 55);
    let without_history = statistics(&all[148..153], Window { since, now: moment(NOW) });
    assert_eq!(without_history.anomalies, []);
}

#[test]
fn a_script_without_executions_in_the_window_is_not_listed() {
    let old = operation(1, "old", ScriptType::RUN, moment("2026-01-01T00:00:00Z"));
    let statistics = of(&[old]);
    assert!(statistics.scripts.is_empty());
    assert_eq!(statistics.counts.total, 0);
}

#[test]
fn what_started_in_the_future_has_lasted_no_time() {
    let mut ahead = operation(1, "uat", ScriptType::RUN, moment("2027-01-01T00:00:00Z"));
    ahead.status = State::Running;
    let statistics = of(&[ahead]);
    assert_eq!(statistics.live[0].elapsed_us, 0);
    assert_eq!(statistics.counts.live, 1);
}

#[test]
fn order_of_executions_does_not_matter() {
    let mut backwards = week();
    backwards.reverse();
    assert_eq!(of(&backwards), of(&week()));
}

#[test]
fn a_window_of_all_time_lists_the_last_400_days() {
    let window = Window { since: moment("0001-01-01T00:00:00Z"), now: moment(NOW) };
    let days = statistics(&week(), window).days;
    assert_eq!(days.len(), 400);
    assert_eq!(days[399].day, "2026-11-23");
}

/// Prints what a hundred thousand executions cost: `cargo test --release -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn what_a_hundred_thousand_executions_cost() {
    let timed = |what: &str, begun: Instant| println!("{what:<34} {:>9.1?}", begun.elapsed());
    let first = moment("2026-01-01T00:00:00Z");
    let count = 100_000_u64;
    let records: Vec<Record> = (0..count)
        .flat_map(|run| whole(run, first + TimeDelta::seconds(i64::try_from(run * 200).unwrap())))
        .collect();
    let mut writer = Writer::new(writer(1), &[]);
    let begun = Instant::now();
    let lines: Vec<Line> =
        records.iter().map(|record| writer.append(record.clone(), &mac).unwrap()).collect();
    timed("append 300,000 records", begun);
    let begun = Instant::now();
    let bytes: Vec<u8> = lines.iter().flat_map(|line| line.to_bytes().unwrap()).collect();
    timed("write them", begun);
    let begun = Instant::now();
    let (lines, _) = read(&bytes);
    timed(&format!("read {} MiB", bytes.len() >> 20), begun);
    let begun = Instant::now();
    assert_eq!(verify(&lines, Known { heads: &heads(&lines), anchors: &[] }, &mac), []);
    timed("verify", begun);
    for _ in 0..2 {
        let begun = Instant::now();
        let folded = fold(lines.iter().map(Line::record), &Scope::All);
        timed("fold", begun);
        drop(folded);
    }
    let folded = fold(lines.iter().map(Line::record), &Scope::All);
    let mut operations = folded.operations;
    for (index, operation) in operations.iter_mut().enumerate() {
        operation.status = if index % 50 == 0 { State::Failed } else { State::Success };
        operation.script_name = format!("export {}", index % 300);
        operation.nodes.push(operation.nodes[0].clone());
        operation.nodes.push(operation.nodes[0].clone());
        operation.nodes[2].name = format!("node {}", index % 1000);
    }
    let now = first + TimeDelta::days(240);
    for window in [Window { since: first, now }, Window { since: now - TimeDelta::days(30), now }] {
        for _ in 0..6 {
            let begun = Instant::now();
            let statistics = statistics(&operations, window);
            timed(&format!("statistics of {}", statistics.counts.total), begun);
        }
    }
}
