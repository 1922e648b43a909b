//! What records amount to: current states, tenants, crashed executions, filters.

use chrono::TimeDelta;
use engine_tracking::runs::{
    Closing, Failure, Filter, Folded, Message, Node, Operation, Record, Scope, ScriptType, State,
    Status, Volume, crashed, fold,
};
use proptest::prelude::*;

use crate::invented::{decryption, execution, execution_id, export, moment, whole};

const AT: &str = "2026-11-23T04:00:00Z";

fn all<'a>(records: impl IntoIterator<Item = &'a Record>) -> Folded {
    fold(records, &Scope::All)
}

fn closing() -> Closing {
    let message = Message::redacted("the process ended without a word");
    Closing {
        by: execution_id(99),
        now: moment("2026-11-24T04:00:00Z"),
        error: Failure { code: "E0800".into(), message },
    }
}

fn closed(records: &[Record]) -> Vec<Record> {
    crashed(&all(records).operations, &|_| false, &closing())
}

#[test]
fn an_execution_is_what_its_last_status_says_and_what_earlier_ones_said() {
    let folded = all(&whole(7, moment(AT)));
    let [operation] = folded.operations.as_slice() else { panic!("{folded:?}") };
    assert_eq!(operation.status, State::Failed);
    assert_eq!(operation.started, moment(AT));
    assert_eq!(operation.updated, moment("2026-11-23T04:00:03Z"));
    assert_eq!(operation.duration_us, Some(3_000_417));
    assert_eq!(operation.user.as_deref(), Some("anna"));
    assert_eq!(operation.tenant.as_deref(), Some("acme"));
    assert_eq!(operation.objects, [export("customers")]);
    assert_eq!(operation.volume.rows_masked, 8);
    assert_eq!(operation.error.as_ref().unwrap().code, "E0801");
    assert_eq!(folded.incomplete, 0);
}

#[test]
fn nodes_reported_twice_count_once() {
    let hub = execution(1, "uat", ScriptType::RUN);
    let node = |name: &str, duration_us| Node { name: name.into(), duration_us, rows: 1 };
    let mut running = Status::new(&hub, 1, State::Running, moment(AT));
    running.nodes = vec![node("a", 5), node("b", 7)];
    let mut ended = Status::new(&hub, 2, State::Success, moment(AT));
    ended.nodes = vec![node("a", 6), node("c", 8)];
    let records = [ended, running].map(|status| Record::Status(status.into()));
    let folded = all(records.iter().chain([&Record::Execution(hub)]));
    assert_eq!(folded.operations[0].nodes, [node("a", 6), node("b", 7), node("c", 8)]);
}

#[test]
fn a_tenant_sees_its_own_and_nothing_of_nobody() {
    let mut records = whole(1, moment(AT)).to_vec();
    records.push(decryption(1, moment(AT)));
    let nobodys = execution(2, "uat", ScriptType::RUN);
    records.push(Record::Status(Status::new(&nobodys, 0, State::Started, moment(AT)).into()));
    records.push(Record::Execution(nobodys));
    let seen_by = |scope: Scope| {
        let folded = fold(&records, &scope);
        (folded.operations.len(), folded.events.len())
    };
    assert_eq!(seen_by(Scope::All), (2, 1));
    assert_eq!(seen_by(Scope::Tenant("acme".into())), (1, 1));
    assert_eq!(seen_by(Scope::Tenant("acm".into())), (0, 0));
    assert_eq!(seen_by(Scope::Tenant(String::new())), (0, 0));
}

#[test]
fn half_a_record_is_counted_and_not_shown() {
    let [hub, started, _] = whole(1, moment(AT));
    assert_eq!(all([&hub]).incomplete, 1);
    assert_eq!(all([&started]).incomplete, 1);
    assert_eq!(all([&started]).operations, []);
}

#[test]
fn a_crashed_execution_is_closed_once_and_the_living_are_left_alone() {
    let mut records = whole(1, moment(AT))[..2].to_vec();
    records.extend(whole(2, moment(AT)));
    records.extend(whole(3, moment(AT))[..2].to_vec());
    let mut running =
        Status::new(&execution(1, "", ScriptType::RUN), 1, State::Running, moment(AT));
    running.time += TimeDelta::seconds(90);
    records.push(Record::Status(running.into()));
    let is_alive = |operation: &Operation| operation.id == execution_id(3);
    let ends = crashed(&all(&records).operations, &is_alive, &closing());
    let [Record::Status(end)] = ends.as_slice() else { panic!("{ends:?}") };
    assert_eq!((end.execution, end.sequence, end.status), (execution_id(1), 2, State::Failed));
    assert_eq!(end.duration_us, Some(90_000_000));
    assert_eq!(end.closed_by, Some(execution_id(99)));
    records.extend(ends);
    let folded = all(&records);
    assert_eq!(folded.operations[0].error.as_ref().unwrap().code, "E0800");
    assert_eq!(folded.operations[0].user.as_deref(), Some("anna"));
    assert_eq!(crashed(&folded.operations, &is_alive, &closing()), []);
}

#[test]
fn who_closes_does_not_close_itself() {
    let records = whole(99, moment(AT))[..2].to_vec();
    assert_eq!(closed(&records), []);
}

#[test]
fn an_execution_that_lives_after_all_knows_better() {
    let whole = whole(1, moment(AT));
    let mut records = whole[..2].to_vec();
    records.extend(closed(&whole[..2]));
    records.push(whole[2].clone());
    let operation = &all(&records).operations[0];
    assert_eq!(operation.error.as_ref().unwrap().code, "E0801");
    assert_eq!((operation.closed_by, operation.volume.rows_read), (None, 9));
}

#[test]
fn a_clock_that_went_back_gives_no_duration() {
    let hub = execution(1, "uat", ScriptType::RUN);
    let statuses = [(0, AT), (1, "2026-11-22T00:00:00Z")].map(|(sequence, at)| {
        Record::Status(Status::new(&hub, sequence, State::Running, moment(at)).into())
    });
    let ends = closed(&[&statuses[..], &[Record::Execution(hub)]].concat());
    let [Record::Status(end)] = ends.as_slice() else { panic!("{ends:?}") };
    assert_eq!(end.duration_us, None);
}

#[test]
fn filters_hold_all_at_once() {
    let records: Vec<Record> = whole(1, moment(AT)).into();
    let operation = &all(&records).operations[0];
    let matches = |filter: Filter| filter.matches(operation);
    let later = Some(moment(AT) + TimeDelta::microseconds(1));
    assert!(matches(Filter::default()));
    assert!(matches(Filter { since: Some(moment(AT)), until: later, ..Filter::default() }));
    assert!(!matches(Filter { since: later, ..Filter::default() }));
    assert!(!matches(Filter { until: Some(moment(AT)), ..Filter::default() }));
    let status = vec![State::Running, State::Failed];
    let user = Some("anna".to_owned());
    let export = Some("customers".to_owned());
    assert!(matches(Filter { status, user: user.clone(), export, ..Filter::default() }));
    assert!(!matches(Filter { status: vec![State::Success], user, ..Filter::default() }));
    assert!(!matches(Filter { export: Some("orders".into()), ..Filter::default() }));
    assert!(!matches(Filter { user: Some("otto".into()), ..Filter::default() }));
    assert!(!matches(Filter { script_type: vec![ScriptType::LOAD], ..Filter::default() }));
}

proptest! {
    #[test]
    fn order_and_copies_do_not_matter(
        order in Just((0..12).collect::<Vec<usize>>()).prop_shuffle(),
        copies in prop::collection::vec(0..12_usize, 0..6),
    ) {
        let mut records: Vec<Record> = whole(1, moment(AT)).into();
        records.extend(whole(2, moment("2026-11-22T04:00:00Z")));
        records.extend(whole(3, moment(AT))[..2].to_vec());
        records.extend(closed(&records));
        records.extend([decryption(1, moment(AT)), decryption(2, moment(AT))]);
        let hub = execution(5, "uat", ScriptType::LOAD);
        let mut running = Status::new(&hub, 4, State::Running, moment(AT));
        running.volume = Some(Volume { rows_read: 5, ..Volume::default() });
        records.push(Record::Status(running.into()));
        prop_assert_eq!(records.len(), order.len());
        let shuffled = order.iter().chain(&copies).map(|index| &records[*index]);
        prop_assert_eq!(all(shuffled), all(&records));
    }
}
