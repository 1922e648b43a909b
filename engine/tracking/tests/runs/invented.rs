//! Invented executions, and a MAC for them.

use chrono::TimeDelta;
use engine_tracking::{
    retention::Moment,
    runs::{
        Event, EventKind, Execution, ExecutionId, Failure, Message, Node, Object, ObjectKind,
        Operation, Record, Scope, ScriptType, State, Status, Volume, WriterId, fold,
    },
};
use sha2::{Digest as _, Sha256};

pub(crate) fn mac(bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(b"a key").chain_update(bytes).finalize().into()
}

pub(crate) fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

pub(crate) fn writer(number: u8) -> WriterId {
    WriterId::from([number; 8])
}

pub(crate) fn execution_id(number: u64) -> ExecutionId {
    ExecutionId::from(u128::from(number).to_be_bytes())
}

pub(crate) fn execution(number: u64, name: &str, script_type: ScriptType) -> Execution {
    Execution {
        id: execution_id(number),
        tenant: None,
        script_name: name.to_owned(),
        class: script_type.class(),
        script_type,
    }
}

pub(crate) fn export(name: &str) -> Object {
    Object { kind: ObjectKind::Export, name: name.to_owned() }
}

/// A run of `uat` that began at `at`, with all that can be said of it.
pub(crate) fn whole(number: u64, at: Moment) -> [Record; 3] {
    let hub =
        Execution { tenant: Some("acme".into()), ..execution(number, "uat", ScriptType::RUN) };
    let mut started = Status::new(&hub, 0, State::Started, at);
    started.user = Some("anna".into());
    started.host = Some("ci-7".into());
    started.commit = Some("1f3c9ab".into());
    started.plan = Some("sha256:77aa".into());
    started.sql = Some("sha256:88bb".into());
    started.objects = vec![export("customers")];
    let mut ended = Status::new(&hub, 1, State::Failed, at + TimeDelta::seconds(3));
    ended.duration_us = Some(3_000_417);
    ended.volume =
        Some(Volume { rows_read: 9, rows_masked: 8, rows_written: 7, ..Volume::default() });
    ended.error =
        Some(Failure { code: "E0801".into(), message: Message::redacted("test unique failed") });
    ended.nodes = vec![Node { name: "export.customers".into(), duration_us: 2_900_000, rows: 7 }];
    ended.metadata.insert("target".into(), "uat".into());
    [Record::Execution(hub), Record::Status(started.into()), Record::Status(ended.into())]
}

pub(crate) fn decryption(number: u64, at: Moment) -> Record {
    Record::Event(Event {
        execution: execution_id(number),
        tenant: Some("acme".into()),
        kind: EventKind::Decryption,
        time: at,
        user: "anna".into(),
        host: Some("ci-7".into()),
        objects: vec![Object { kind: ObjectKind::Metadata, name: "crm".into() }],
        metadata: [("reason".to_owned(), "TICKET-1".to_owned())].into(),
    })
}

/// Executions of a week, ended and not, for what is told of them: every hour one of three scripts.
pub(crate) fn week() -> Vec<Operation> {
    let first = moment("2026-11-16T00:10:00Z");
    let mut operations: Vec<Operation> = Vec::new();
    for hour in 0..168_u64 {
        let started = first + TimeDelta::hours(i64::try_from(hour).unwrap());
        let (name, script_type, usual) = match hour % 3 {
            0 => ("uat", ScriptType::RUN, 90_000_000),
            1 => ("crm → warehouse", ScriptType::LOAD, 20_000_000 + hour * 100_000),
            _ => ("tests", ScriptType::TEST, 1_500_000),
        };
        let mut operation = operation(hour, name, script_type, started);
        operation.duration_us = Some(usual + hour * 7919 % 4_000 * usual / 40_000);
        operation.volume.rows_read = 120_000 + hour * 911;
        operation.volume.rows_masked = 118_000 + hour * 900;
        operation.volume.rows_written = 119_500 + hour * 907;
        operation.volume.bytes_written = 40_000_000 + hour * 100_000;
        let node = |name: &str, part: u64| Node {
            name: name.into(),
            duration_us: operation.duration_us.unwrap() / part,
            rows: 60_000 + hour,
        };
        operation.nodes = vec![node("export.customers", 2), node("export.orders", 3)];
        operations.push(operation);
    }
    operations[150].duration_us = Some(700_000_000);
    for (index, code, words) in [
        (40, "E0801", "test `unique` of customers.email failed: 3 rows"),
        (90, "E0512", "connection <crm> | refused @everyone"),
        (91, "E0512", "connection <crm> | refused @everyone"),
        (163, "E0800", "=cmd() ended without a word"),
    ] {
        operations[index].status = State::Failed;
        let message = Message::redacted(words);
        operations[index].error = Some(Failure { code: code.into(), message });
    }
    operations[163].closed_by = Some(execution_id(164));
    operations[100].script_type = ScriptType::RETENTION_APPLY;
    operations[100].volume.bytes_freed = 1_900_000_000;
    operations[167].status = State::Running;
    operations[167].duration_us = None;
    operations
}

pub(crate) fn operation(
    number: u64,
    name: &str,
    script_type: ScriptType,
    started: Moment,
) -> Operation {
    let hub = execution(number, name, script_type);
    let mut status = Status::new(&hub, 0, State::Success, started);
    status.user = Some("anna".into());
    status.host = Some("ci-7".into());
    status.objects = vec![export("customers")];
    let records = [Record::Execution(hub), Record::Status(status.into())];
    fold(&records, &Scope::All).operations.remove(0)
}
