//! Invented executions, and a MAC for them.

use engine_tracking::{
    retention::Moment,
    runs::{
        Event, EventKind, Execution, ExecutionId, Failure, Message, Node, Object, ObjectKind,
        Record, ScriptType, State, Status, Volume, WriterId,
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
    let mut ended = Status::new(&hub, 1, State::Failed, at + chrono::TimeDelta::seconds(3));
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
