//! Single cases of what is due, each of them a sentence of the documentation.

use std::collections::BTreeSet;

use engine_tracking::retention::{
    Chunk, ChunkFate, Deletion, Due, Inventory, LegalHold, Policy, Reason, Record, RecordClass,
    RowRule, Snapshot, SnapshotRule, Tombstones, Totals, What, due, due_records,
};

use crate::policies::moment;

fn limits(keep: Option<u32>, max_age: Option<&str>) -> Policy {
    let max_age = max_age.map(|text| text.parse().unwrap());
    let snapshots = SnapshotRule::new(keep, max_age).ok();
    Policy { snapshots, basis: Some("GDPR art. 5".to_owned()), ..Policy::new("uat") }
}

fn held(mut policy: Policy) -> Policy {
    policy.legal_hold = LegalHold::new("legal", "case 7", None).ok();
    policy
}

/// Versions 1 to `count`, a day apart, each with a chunk of its own and one that all of them share.
fn daily(count: u64) -> Inventory {
    let chunk = |id: String, day: i64| Chunk {
        id,
        bytes: 10,
        rows: Some(4),
        written_at: moment(day * 24),
        expired_rows: 0,
        expired_by: BTreeSet::new(),
    };
    let mut inventory = Inventory::default();
    inventory.chunks.push(chunk("shared".to_owned(), 0));
    for (version, day) in (1..=count).zip(0..) {
        inventory.chunks.push(chunk(format!("c{version}"), day));
        inventory.snapshots.push(Snapshot {
            version,
            manifest: format!("sha256:{version}"),
            committed_at: moment(day * 24),
            chunks: vec!["shared".to_owned(), format!("c{version}")],
            rows: 8,
            bytes: 20,
        });
    }
    inventory
}

fn versions<'a>(whats: impl IntoIterator<Item = &'a What>) -> Vec<u64> {
    let versions = whats.into_iter().filter_map(|what| match what {
        What::Snapshot { version, .. } => Some(*version),
        _ => None,
    });
    versions.collect()
}

fn tombstoned(due: &Due) -> Vec<u64> {
    versions(due.tombstone.iter().map(|item| &item.what))
}

#[test]
fn keep_counts_back_from_the_newest() {
    let due = due(&[limits(Some(2), None)], &daily(5), moment(5 * 24));
    assert_eq!(tombstoned(&due), [1, 2, 3]);
    assert_eq!(due.tombstone[0].causes[0].reason, Reason::Keep);
    // The shared chunk stays for those that stay.
    let freed: Vec<_> = due.frees.iter().map(|item| item.what.clone()).collect();
    assert_eq!(freed, ["c1", "c2", "c3"].map(|id| What::Chunk(id.to_owned())));
    assert_eq!(due.destroy, []);
}

#[test]
fn the_newest_goes_by_age_and_says_so() {
    let due = due(&[limits(Some(2), Some("3d"))], &daily(2), moment(30 * 24));
    assert_eq!(tombstoned(&due), [1, 2]);
    assert_eq!(due.tombstone.iter().map(|item| item.is_newest).collect::<Vec<_>>(), [false, true]);
    assert_eq!(due.frees.len(), 3);
}

#[test]
fn a_plan_says_per_policy_what_goes() {
    let policies = [limits(Some(2), None), Policy::new("other")];
    let due = due(&policies, &daily(5), moment(5 * 24));
    let [uat, other] = due.summaries(&policies).try_into().unwrap();
    let expected = Totals {
        snapshots: 3,
        chunks: 3,
        records: 0,
        rows: 12,
        bytes: 30,
        oldest: Some(moment(0)),
        newest: Some(moment(48)),
    };
    assert_eq!(uat.tombstone, expected);
    assert_eq!(uat.basis.as_deref(), Some("GDPR art. 5"));
    assert_eq!(other.tombstone, Totals::default());
}

#[test]
fn grace_passes_then_chunks_go_before_manifests_and_are_on_record() {
    let policies = [Policy { cold: Some("glacier".to_owned()), ..limits(Some(2), None) }];
    let mut inventory = daily(4);
    let first = due(&policies, &inventory, moment(100));
    inventory.tombstones = first.tombstones(&Tombstones::new(), moment(100));
    let exactly = moment(100 + 30 * 24);
    assert!(due(&policies, &inventory, exactly).is_nothing());
    let then = moment(101 + 30 * 24);
    let last = due(&policies, &inventory, then);
    let order: Vec<String> = last.destroy.iter().map(|item| format!("{:?}", item.what)).collect();
    assert_eq!(&order[..2], [r#"Chunk("c1")"#, r#"Chunk("c2")"#]);
    assert_eq!(versions(last.destroy.iter().map(|item| &item.what)), [1, 2]);
    assert!(last.destroy.iter().all(|item| item.cold == ["glacier"]));
    let [deletion] = Deletion::of(&policies, &last, "ada", then).try_into().unwrap();
    assert_eq!((deletion.snapshots, deletion.chunks, deletion.rows, deletion.bytes), (2, 2, 8, 20));
    assert_eq!(deletion.basis.as_deref(), Some("GDPR art. 5"));
    let names = ["sha256:1", "sha256:2", "c1", "c2"];
    assert_eq!(deletion.digest, engine_tracking::retention::digest_of(names));
    let json = serde_json::to_string(&deletion).unwrap();
    assert_eq!(serde_json::from_str::<Deletion>(&json).unwrap(), deletion);
}

#[test]
fn a_hold_on_one_policy_beats_all_and_restores() {
    let inventory = daily(4);
    let strict = limits(Some(1), None);
    let first = due(std::slice::from_ref(&strict), &inventory, moment(100));
    let tombstones = first.tombstones(&Tombstones::new(), moment(100));
    let inventory = Inventory { tombstones, ..inventory };
    let policies = [strict, held(Policy::new("case"))];
    let due = due(&policies, &inventory, moment(9_000));
    assert_eq!(versions(&due.restore), [1, 2, 3]);
    assert_eq!(versions(due.held.iter().map(|item| &item.what)), [1, 2, 3]);
    assert_eq!((due.destroy.len(), due.tombstone.len()), (0, 0));
    assert_eq!(due.holds[0].hold.owner(), "legal");
    assert_eq!(due.tombstones(&inventory.tombstones, moment(9_000)), Tombstones::new());
}

#[test]
fn a_policy_that_lets_more_stay_restores() {
    let inventory = daily(4);
    let first = due(&[limits(Some(1), None)], &inventory, moment(100));
    let tombstones = first.tombstones(&Tombstones::new(), moment(100));
    let inventory = Inventory { tombstones, ..inventory };
    let due = due(&[limits(Some(3), None)], &inventory, moment(120));
    assert_eq!(versions(&due.restore), [2, 3]);
}

#[test]
fn a_version_used_again_by_another_manifest_has_no_tombstone() {
    let inventory = daily(2);
    let policies = [limits(None, Some("1d"))];
    let first = due(&policies, &inventory, moment(100 * 24));
    let tombstones = first.tombstones(&Tombstones::new(), moment(100 * 24));
    let mut inventory = Inventory { tombstones, ..inventory };
    inventory.snapshots[1].manifest = "sha256:other".to_owned();
    let due = due(&policies, &inventory, moment(200 * 24));
    assert_eq!(versions(due.destroy.iter().map(|item| &item.what)), [1]);
    assert_eq!(tombstoned(&due), [2]);
}

#[test]
fn leftovers_wait_a_day_then_their_grace() {
    let policies = [Policy::new("p")];
    let mut inventory = daily(1);
    inventory.snapshots.clear();
    inventory.chunks.truncate(1);
    assert!(due(&policies, &inventory, moment(23)).is_nothing());
    assert!(due(&[], &inventory, moment(9_000)).is_nothing());
    let marked = due(&policies, &inventory, moment(24));
    assert_eq!(marked.tombstone[0].causes[0].reason, Reason::Orphan);
    inventory.tombstones = marked.tombstones(&Tombstones::new(), moment(24));
    let after = moment(25 + 30 * 24);
    assert_eq!(due(&policies, &inventory, after).destroy.len(), 1);
    // Written again by a run that was taken up: it waits again.
    inventory.chunks[0].written_at = moment(20 + 29 * 24);
    assert_eq!(due(&policies, &inventory, after).destroy, []);
    inventory.chunks[0].written_at = moment(0);
    inventory.reserved.insert("shared".to_owned());
    let due = due(&policies, &inventory, after);
    assert_eq!((due.destroy.len(), due.restore.len()), (0, 1));
}

#[test]
fn rows_expire_by_a_next_snapshot_and_older_ones_go() {
    let rows = RowRule { older_than: "60d".parse().unwrap(), by: "ended".to_owned() };
    let policies = [Policy { rows: Some(rows), ..Policy::new("p") }];
    let mut inventory = daily(3);
    for (index, expired) in [(0, 4), (1, 1), (3, 2)] {
        inventory.chunks[index].expired_rows = expired;
        inventory.chunks[index].expired_by.insert("p".to_owned());
    }
    let live = due(&policies, &inventory, moment(100));
    assert_eq!(tombstoned(&live), [1, 2]);
    let rewrite = live.rewrite.unwrap();
    assert_eq!((rewrite.version, rewrite.expired_rows), (3, 6));
    let fates: Vec<_> = rewrite.chunks.iter().map(|(_, fate)| *fate).collect();
    assert_eq!(fates, [ChunkFate::Drop, ChunkFate::Rewrite]);
    let held = due(&policies.map(held), &inventory, moment(100));
    assert_eq!(held.rewrite, None);
    assert!(held.held.iter().any(|item| item.what == What::Chunk("c3".to_owned())));
}

#[test]
fn records_go_by_class() {
    let mut policy = Policy::new("template");
    for class in RecordClass::ALL {
        policy.records.extend(class.template_age().map(|age| (class, age)));
    }
    let record = |class: RecordClass, day: i64| Record {
        class,
        id: format!("{day}"),
        at: moment(day * 24),
        bytes: 7,
    };
    let records: Vec<Record> = RecordClass::ALL
        .into_iter()
        .flat_map(|class| [0, 300, 3_000].map(|day| record(class, day)))
        .collect();
    let now = moment(400 * 24);
    let policies = [policy];
    let first = due_records(&policies, &records, &Tombstones::new(), now);
    let gone = |class: RecordClass| {
        let of = |what: &What| matches!(what, What::Record { class: other, .. } if *other == class);
        first.tombstone.iter().filter(|item| of(&item.what)).count()
    };
    assert_eq!(RecordClass::ALL.map(gone), [2, 1, 0, 0, 0, 0]);
    let tombstones = first.tombstones(&Tombstones::new(), now);
    let later = moment(431 * 24);
    let last = due_records(&policies, &records, &tombstones, later);
    assert_eq!(last.destroy.len(), 3);
    assert_eq!(Totals::of(&last.destroy).bytes, 21);
    let collected = due_records(&policies, &[], &tombstones, later);
    assert_eq!(collected.tombstones(&tombstones, later), Tombstones::new());
    let held = due_records(&policies.map(held), &records, &tombstones, later);
    assert_eq!((held.destroy.len(), held.restore.len()), (0, 3));
}
