//! What holds for any inventory whatever, however little sense it makes.

use std::collections::BTreeSet;

use engine_tracking::retention::{
    Cause, Chunk, Due, Inventory, Moment, Policy, Reason, Snapshot, Tombstones, What, due,
};
use proptest::{collection::vec, prelude::*, sample::subsequence};

use crate::{
    model::is_held,
    policies::{as_policy, moment, policy},
};

const NOW: i64 = 4_000;

fn policies() -> impl Strategy<Value = Vec<Policy>> {
    let hold = prop_oneof![4 => Just(None), 1 => Just(Some(None)), 1 => Just(Some(Some(3)))];
    vec((0_usize..10, hold), 0..4).prop_map(|numbers| {
        let policies = numbers.into_iter().map(|(number, hold)| {
            let mut rules = policy(number).1;
            rules.hold = hold;
            as_policy(&rules)
        });
        policies.collect()
    })
}

fn chunk(number: usize) -> impl Strategy<Value = Chunk> {
    let expired_by =
        subsequence((0..10).map(|number| format!("p{number}")).collect::<Vec<_>>(), 0..3);
    (0..NOW + 100, expired_by, 0_u64..3).prop_map(move |(hour, expired_by, expired)| Chunk {
        id: format!("c{number}"),
        bytes: 10,
        rows: Some(2),
        written_at: moment(hour),
        expired_rows: if expired_by.is_empty() { 0 } else { expired },
        expired_by: if expired == 0 { BTreeSet::new() } else { expired_by.into_iter().collect() },
    })
}

fn snapshot(version: u64) -> impl Strategy<Value = Snapshot> {
    let ids: Vec<String> = (0..12).map(|number| format!("c{number}")).collect();
    (0..NOW + 100, subsequence(ids, 0..5)).prop_map(move |(hour, chunks)| Snapshot {
        version,
        manifest: format!("sha256:{version}"),
        committed_at: moment(hour),
        chunks,
        rows: 2,
        bytes: 10,
    })
}

/// Snapshots and chunks, some missing; anything tombstoned at any time, begun or not.
fn inventory() -> impl Strategy<Value = Inventory> {
    let snapshots = (1..12).map(snapshot).collect::<Vec<_>>();
    let chunks = (0..16).map(chunk).collect::<Vec<_>>();
    let kept = (vec(any::<bool>(), 11), vec(prop::bool::weighted(0.9), 16));
    let marks = vec((0..NOW + 500, 0_usize..4), 27);
    let reserved = subsequence((0..16).collect::<Vec<_>>(), 0..3);
    (snapshots, chunks, kept, marks, reserved).prop_map(
        |(mut snapshots, mut chunks, kept, marks, reserved)| {
            let dated = |one: &Snapshot| (one.what(), one.committed_at);
            let mut whats: Vec<(What, Moment)> = snapshots.iter().map(dated).collect();
            let dated = |one: &Chunk| (What::Chunk(one.id.clone()), one.written_at);
            whats.extend(chunks.iter().map(dated));
            let tombstones = tombstones(&whats, &marks);
            let mut keep = kept.0.into_iter();
            snapshots.retain(|_| keep.next().unwrap());
            let mut keep = kept.1.into_iter();
            chunks.retain(|_| keep.next().unwrap());
            let reserved = reserved.into_iter().map(|number| format!("c{number}")).collect();
            Inventory { snapshots, chunks, reserved, tombstones, seen_at: None }
        },
    )
}

/// Read from bytes, as the engine would: tests can make them in no other way.
fn tombstones(whats: &[(What, Moment)], marks: &[(i64, usize)]) -> Tombstones {
    let causes = [Cause { policy: "p1".to_owned(), reason: Reason::Age }];
    let mut entries: Vec<_> = whats.iter().zip(marks).filter(|(_, (_, kind))| *kind > 1).collect();
    entries.sort();
    let entries: Vec<_> = entries
        .into_iter()
        .map(|((what, at), (hour, kind))| {
            let text = |moment: Moment| moment.format("%Y-%m-%dT%H:%M:%SZ").to_string();
            let (at, since) = (text(*at), text(moment(*hour)));
            let begun = (*kind == 3).then(|| since.clone());
            format!(
                r#"{{"what":{},"at":{at:?},"since":{since:?},"causes":{},"begun":{},"collected":null}}"#,
                serde_json::to_string(what).unwrap(),
                serde_json::to_string(&causes).unwrap(),
                serde_json::to_string(&begun).unwrap(),
            )
        })
        .collect();
    let bytes = format!(r#"{{"format_version":1,"entries":[{}]}}"#, entries.join(","));
    Tombstones::parse(bytes.as_bytes()).unwrap()
}

/// What is in the store after `due` was done, rows aside.
fn done(inventory: &Inventory, due: &Due) -> Inventory {
    let destroyed: BTreeSet<&What> = due.destroy.iter().map(|item| &item.what).collect();
    let mut after = inventory.clone();
    after.tombstones = due.tombstones(&inventory.tombstones, moment(NOW));
    after.snapshots.retain(|snapshot| !destroyed.contains(&snapshot.what()));
    after.chunks.retain(|chunk| !destroyed.contains(&What::Chunk(chunk.id.clone())));
    after
}

fn destroyed(due: &Due) -> BTreeSet<What> {
    due.destroy.iter().map(|item| item.what.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_stays_loses_no_chunk(policies in policies(), inventory in inventory()) {
        let due = due(&policies, &inventory, moment(NOW));
        let gone = destroyed(&due);
        for snapshot in inventory.snapshots.iter().filter(|one| !gone.contains(&one.what())) {
            for id in &snapshot.chunks {
                prop_assert!(!gone.contains(&What::Chunk(id.clone())), "{id} of {snapshot:?}");
            }
        }
        for id in &inventory.reserved {
            prop_assert!(!gone.contains(&What::Chunk(id.clone())), "{id} is reserved");
        }
    }

    #[test]
    fn what_is_held_stays(policies in policies(), inventory in inventory()) {
        let due = due(&policies, &inventory, moment(NOW));
        prop_assert_eq!(due.holds.is_empty(), !policies.iter().any(|policy| {
            policy.legal_hold.as_ref().is_some_and(|hold| hold.until().is_none())
        }));
        if !due.holds.is_empty() {
            prop_assert!(due.tombstone.is_empty() && due.destroy.is_empty());
            prop_assert!(due.rewrite.is_none());
        } else {
            prop_assert!(due.held.is_empty());
        }
    }

    #[test]
    fn nothing_goes_before_its_grace(policies in policies(), inventory in inventory()) {
        let due = due(&policies, &inventory, moment(NOW));
        let named: BTreeSet<&String> =
            inventory.snapshots.iter().flat_map(|snapshot| &snapshot.chunks).collect();
        for item in &due.destroy {
            prop_assert!(!item.causes.is_empty(), "on nobody's record: {item:?}");
            let Some(entry) = inventory.tombstones.get(&item.what) else {
                // Chunks alone go without a tombstone, and only with a snapshot.
                prop_assert!(matches!(&item.what, What::Chunk(id) if named.contains(id)));
                continue;
            };
            if matches!(&item.what, What::Chunk(id) if named.contains(id)) || entry.begun.is_some() {
                continue;
            }
            let wanting = policies.iter().filter(|policy| item.is_wanted_by(&policy.name));
            let mut graces = wanting.map(|policy| policy.grace.before(moment(NOW)));
            prop_assert!(graces.any(|border| entry.since < border), "{item:?}");
        }
    }

    #[test]
    fn twice_is_once(policies in policies(), inventory in inventory()) {
        let first = due(&policies, &inventory, moment(NOW));
        let after = done(&inventory, &first);
        let second = due(&policies, &after, moment(NOW));
        prop_assert_eq!(&second.tombstone, &[]);
        prop_assert_eq!(&second.destroy, &[]);
        prop_assert_eq!(&second.restore, &[]);
        let third = due(&policies, &done(&after, &second), moment(NOW));
        prop_assert_eq!(&third.collected, &[]);
    }

    #[test]
    fn any_part_of_it_done_leaves_the_rest(
        policies in policies(),
        inventory in inventory(),
        steps in 0_usize..30,
    ) {
        let whole = due(&policies, &inventory, moment(NOW));
        let mut part = whole.clone();
        part.destroy.truncate(steps);
        let mut after = done(&inventory, &part);
        // The document was written before anything went.
        after.tombstones = whole.tombstones(&inventory.tombstones, moment(NOW));
        let rest = destroyed(&due(&policies, &after, moment(NOW)));
        let both: BTreeSet<What> = destroyed(&part).union(&rest).cloned().collect();
        prop_assert_eq!(both, destroyed(&whole));
        prop_assert!(destroyed(&part).is_disjoint(&rest));
    }

    #[test]
    fn order_says_nothing(policies in policies(), inventory in inventory(), turn in 0_usize..11) {
        let mut turned = inventory.clone();
        turned.snapshots.reverse();
        turned.chunks.reverse();
        for _ in 0..turn {
            if let Some(first) = turned.snapshots.pop() {
                turned.snapshots.insert(0, first);
            }
            if let Some(first) = turned.chunks.pop() {
                turned.chunks.insert(0, first);
            }
        }
        let expected = due(&policies, &inventory, moment(NOW));
        prop_assert_eq!(due(&policies, &turned, moment(NOW)), expected);
    }

    #[test]
    fn a_clock_that_goes_back_destroys_no_more(
        policies in policies(),
        inventory in inventory(),
        back in 1_i64..NOW,
    ) {
        // A hold that has ended is one again when the clock goes back; the rest only shrinks.
        let now = destroyed(&due(&policies, &inventory, moment(NOW)));
        let before = due(&policies, &inventory, moment(NOW - back));
        if policies.iter().all(|policy| policy.rows.is_none()) {
            let snapshots = |gone: BTreeSet<What>| -> BTreeSet<What> {
                gone.into_iter().filter(|what| matches!(what, What::Snapshot { .. })).collect()
            };
            prop_assert!(snapshots(destroyed(&before)).is_subset(&snapshots(now)));
        }
    }
}

#[test]
fn rules_and_policies_agree_on_holds() {
    let mut rules = policy(0).1;
    rules.hold = Some(Some(3));
    let hold = as_policy(&rules).legal_hold.unwrap();
    for hour in 90..100 {
        assert_eq!(hold.is_in_force(moment(hour)), is_held(&rules, hour), "{hour}");
    }
}
