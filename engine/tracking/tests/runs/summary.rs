//! Summaries: with them and without, however the lines are cut, everything is told alike.

use chrono::TimeDelta;
use engine_tracking::{
    retention::Moment,
    runs::{
        Class, Event, Execution, Filter, Folded, Operation, Overview, Record, Scope, ScriptType,
        State, Status,
        chain::{ChainId, Head, Line, Writer},
        fold,
        report::{EVENTS_MAX, Health, Report, Store},
        statistics::Window,
        summary::{Opened, Summary, SummedFile, Verified, shared},
    },
};
use proptest::prelude::*;

use crate::invented::{decryption, execution, mac, moment, whole, writer};

const AT: &str = "2026-11-20T04:00:00Z";

fn verified() -> Verified {
    Verified { at: moment(AT), by: ["anna".to_owned()].into() }
}

fn summary(lines: &[Line], before: Option<Head>) -> Option<Summary> {
    let files = vec![SummedFile { name: "a".to_owned(), bytes: 7 }];
    Summary::of(lines, before, files, "2026-11".to_owned(), verified(), &mac)
}

fn opened(summary: &Summary) -> Opened {
    Opened::parse(summary.to_bytes().unwrap()).unwrap()
}

/// Lines of one writer, by class.
fn written(records: &[Record]) -> Vec<Vec<Line>> {
    let mut writer = Writer::new(writer(1), &[]);
    let lines: Vec<Line> =
        records.iter().map(|record| writer.append(record.clone(), &mac).unwrap()).collect();
    let of = |class: Class| {
        let is_in = |line: &&Line| line.place().chain.class == class;
        lines.iter().filter(is_in).cloned().collect()
    };
    Class::ALL.map(of).to_vec()
}

fn health() -> Health {
    Health {
        store: Store::Reachable { latency_us: 7 },
        keys: Vec::new(),
        retention_overdue: Some(0),
        audit: None,
        coverage: Vec::new(),
        findings: Vec::new(),
    }
}

fn window() -> Window {
    Window { since: moment(AT) + TimeDelta::hours(3), now: moment(AT) + TimeDelta::days(2) }
}

fn report(overview: &Overview<'_>, scope: &Scope) -> String {
    Report::of("acme", scope, overview, window(), health()).to_json().unwrap()
}

/// What is told of `records`: the report, and the newest executions.
fn told(overview: &Overview<'_>, scope: &Scope) -> (String, Vec<Operation>) {
    (report(overview, scope), overview.newest(&Filter::default(), usize::MAX).unwrap())
}

fn directly(records: &[Record]) -> (String, Vec<Operation>) {
    directly_for(records, &Scope::All)
}

fn directly_for(records: &[Record], scope: &Scope) -> (String, Vec<Operation>) {
    let folded: Folded = fold(records, scope);
    told(&Overview::of(&folded, &Scope::All), scope)
}

fn by_summaries(records: &[Record], cuts: &[usize]) -> Option<(String, Vec<Operation>)> {
    by_summaries_for(records, cuts, &Scope::All)
}

/// The same, with each chain's lines before `cuts` in summaries.
fn by_summaries_for(
    records: &[Record],
    cuts: &[usize],
    scope: &Scope,
) -> Option<(String, Vec<Operation>)> {
    let (mut summaries, mut beside) = (Vec::new(), Vec::new());
    for lines in written(records) {
        let mut rest = lines.as_slice();
        let mut before = None;
        for cut in cuts {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            if let Some(summary) = summary(now, before) {
                before = Some(summary.header().end());
                summaries.push(opened(&summary));
            }
            rest = later;
        }
        beside.extend(rest.iter().map(|line| line.record().clone()));
    }
    let all: Vec<&Opened> = summaries.iter().collect();
    for summary in &summaries {
        beside.extend(summary.rest().unwrap().into_iter().map(|(_, record)| record));
    }
    if !shared(&all, &beside).is_empty() {
        return None;
    }
    let folded = fold(&beside, &Scope::All);
    let mut overview = Overview::of(&folded, scope);
    for summary in &all {
        overview.add(summary, scope, window().since, EVENTS_MAX).unwrap();
    }
    Some(told(&overview, scope))
}

fn at(minutes: u64) -> Moment {
    moment(AT) + TimeDelta::minutes(i64::try_from(minutes).unwrap())
}

/// Executions that are over, one that is not, events.
fn records(count: u64) -> Vec<Record> {
    let mut records = Vec::new();
    for number in 0..count {
        let [hub, begun, ended] = whole(number, at(number * 17));
        records.extend([hub, begun]);
        if number % 7 != 3 {
            records.push(ended);
        }
        if number % 3 == 0 {
            records.push(decryption(number, at(number * 17)));
        }
    }
    records
}

#[test]
fn a_summary_is_what_its_lines_amount_to() {
    let records = records(40);
    let with = by_summaries(&records, &[1_000]).unwrap();
    assert_eq!(with, directly(&records));
    assert_eq!(with.1.len(), 40);
}

#[test]
fn a_tenant_is_told_its_own_by_summaries_as_by_lines() {
    let tenants = [Some("acme"), Some("other"), None];
    let of = |record: Record, tenant: Option<&str>| match record {
        Record::Execution(hub) => {
            Record::Execution(Execution { tenant: tenant.map(str::to_owned), ..hub })
        }
        Record::Event(event) => Record::Event(Event { tenant: tenant.map(str::to_owned), ..event }),
        status @ Record::Status(_) => status,
    };
    let number = |record: &Record| u128::from_str_radix(&record.execution().to_string(), 16);
    let bound = records(60).into_iter().map(|record| {
        let tenant = tenants[(number(&record).unwrap() % 3) as usize];
        of(record, tenant)
    });
    let mut records: Vec<Record> = bound.collect();
    // Recorded by half: nobody's.
    records.push(Record::Execution(execution(200, "uat", ScriptType::RUN)));
    for scope in [Scope::All, Scope::Tenant("acme".into()), Scope::Tenant("nobody".into())] {
        let lines = directly_for(&records, &scope);
        for cuts in [&[][..], &[1_000], &[41, 50]] {
            let with = by_summaries_for(&records, cuts, &scope).unwrap();
            assert_eq!(with, lines, "{scope:?} {cuts:?}");
        }
    }
    let (report, operations) = directly_for(&records, &Scope::Tenant("acme".into()));
    assert_eq!(operations.len(), 20);
    assert!(!report.contains("other"), "{report}");
    assert!(report.contains("\"incomplete\": 0"), "{report}");
}

#[test]
fn it_is_refused_where_a_line_is_missing_changed_or_not_the_next() {
    let lines = written(&records(10)).remove(0);
    assert!(summary(&lines, None).is_some());
    assert!(summary(&lines[1..], None).is_none());
    assert!(summary(&lines[1..], Some(lines[0].place())).is_some());
    assert!(summary(&lines[2..], Some(lines[0].place())).is_none());
    assert!(summary(&[&lines[..3], &lines[4..]].concat(), None).is_none());
    assert!(summary(&[], None).is_none());
    let text = String::from_utf8(lines[1].to_bytes().unwrap()).unwrap();
    let forged = Line::parse(text.replace("anna", "otto").as_bytes()).unwrap();
    assert!(summary(&[lines[0].clone(), forged], None).is_none());
    let other =
        Head { chain: ChainId { writer: writer(2), ..lines[0].place().chain }, ..lines[0].place() };
    assert!(summary(&lines[1..], Some(Head { mac: other.mac, ..other })).is_some(), "by its MAC");
}

#[test]
fn what_is_begun_in_one_and_over_in_the_next_is_folded_when_they_are_joined() {
    let records = records(30);
    let lines = written(&records).remove(0);
    // In the middle of an execution.
    let (one, other) = lines.split_at(41);
    let one = summary(one, None).unwrap();
    let other = summary(other, Some(one.header().end())).unwrap();
    let all = summary(&lines, None).unwrap();
    assert!(other.clone().joined(one.clone()).is_none(), "in their order only");
    let joined = one.joined(other).unwrap();
    assert!(joined.says_as(&all));
    assert_eq!(opened(&joined).whole().unwrap(), joined);
    assert_eq!(joined.header().files.len(), 2);
}

#[test]
fn what_speaks_twice_of_one_execution_is_found() {
    let mut all = records(10);
    // It was over, and says more.
    let hub = execution(1, "uat", ScriptType::RUN);
    all.push(Record::Status(Status::new(&hub, 9, State::Running, at(700)).into()));
    let lines = written(&all).remove(0);
    let (before, after) = lines.split_at(lines.len() - 1);
    let one = summary(before, None).unwrap();
    let end = Some(one.header().end());
    let beside: Vec<Record> = after.iter().map(|line| line.record().clone()).collect();
    assert_eq!(shared(&[&opened(&one)], &beside).len(), 1);
    assert!(shared(&[&opened(&one)], []).is_empty());
    let other = summary(after, end).unwrap();
    assert!(one.joined(other).is_none());
}

#[test]
fn no_bytes_make_it_panic() {
    let bytes = summary(&written(&records(5)).remove(0), None).unwrap().to_bytes().unwrap();
    for length in 0..bytes.len() {
        let cut = Opened::parse(bytes[..length].to_vec());
        assert!(cut.and_then(|opened| opened.rest()).is_err(), "{length}");
        let mut flipped = bytes.clone();
        flipped[length] ^= 0x55;
        let _ = Opened::parse(flipped).and_then(|opened| opened.whole());
    }
    let later =
        String::from_utf8_lossy(&bytes).replace("\"format_version\":1", "\"format_version\":2");
    assert!(Opened::parse(later.into_bytes()).is_err());
}

#[test]
#[ignore = "writes the stored file of a new format version"]
#[expect(clippy::disallowed_methods, reason = "a test writes a file of its own folder")]
fn write_a_stored_summary() {
    let made = summary(&written(&records(5)).remove(0), None).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runs/golden/summary.v1.bin");
    std::fs::write(path, made.to_bytes().unwrap()).unwrap();
}

/// Never edited: what is in a store must stay readable.
#[test]
fn a_summary_of_the_first_version_is_read() {
    let golden = include_bytes!("golden/summary.v1.bin");
    let made = summary(&written(&records(5)).remove(0), None).unwrap();
    assert_eq!(Opened::parse(golden.to_vec()).unwrap().whole().unwrap(), made);
    assert_eq!(made.to_bytes().unwrap(), golden);
}

proptest! {
    /// However the lines are cut, the report is the same to the byte.
    #[test]
    fn with_summaries_and_without_the_report_is_the_same(
        count in 1..40_u64,
        cuts in prop::collection::vec(1..30_usize, 0..6),
        repeated in prop::option::of(0..100_usize),
    ) {
        let mut records = records(count);
        // An event may be recorded twice.
        let again = repeated.and_then(|at| records.get(at).cloned());
        records.extend(again.filter(|record| matches!(record, Record::Event(_))));
        let direct = directly(&records);
        if let Some(told) = by_summaries(&records, &cuts) {
            prop_assert_eq!(told, direct);
        }
    }
}
