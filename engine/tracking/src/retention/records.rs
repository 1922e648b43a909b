//! What is due of records: run records, security events and the other classes.

use std::collections::BTreeSet;

use super::{
    due::{Due, Item},
    inventory::Record,
    judge::{Judge, State},
    policy::Policy,
    span::Moment,
    tombstones::{Reason, Tombstones, What},
};

/// What `policies` want done with `records` at `now`: those older than their class may be are
/// tombstoned, and destroyed when their grace is over. A class without an age in any policy stays.
///
/// A hold in any of the policies holds the records of all classes: which of them a case may need is
/// not for a policy to know.
#[must_use]
pub fn due_records(
    policies: &[Policy],
    records: &[Record],
    tombstones: &Tombstones,
    now: Moment,
) -> Due {
    let judge = Judge::new(policies, now);
    let mut due = Due { holds: judge.holds().to_vec(), ..Due::default() };
    for record in records {
        let what = record.what();
        let is_old = |policy: &Policy| {
            let age = policy.records.get(&record.class)?;
            age.is_over(record.at, now).then_some(Reason::Age)
        };
        let item = Item {
            since: tombstones.get(&what).map(|tombstone| tombstone.since),
            what,
            at: record.at,
            rows: None,
            bytes: record.bytes,
            is_newest: false,
            causes: judge.causes(is_old),
            cold: Vec::new(),
        };
        judge.file(item, State::Whole, &mut due);
    }
    let present: BTreeSet<What> = records.iter().map(Record::what).collect();
    let entries = tombstones.entries().iter().map(|tombstone| &tombstone.what);
    let is_record = |what: &&What| matches!(what, What::Record { .. });
    due.collected =
        entries.filter(is_record).filter(|what| !present.contains(*what)).cloned().collect();
    due.sort();
    due
}
