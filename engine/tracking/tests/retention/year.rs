//! A year of three exports, hour by hour: commits, killed runs, policies that come and go, holds, a
//! clock that jumps, and `apply` interrupted anywhere. After each `apply` the store is the model's.

use std::collections::{BTreeMap, BTreeSet};

use engine_tracking::retention::{Moment, Policy, Snapshot, What, due};

use crate::{
    model::{Key, Model, ModelChunk, Rules, is_held, is_over},
    policies::{as_policy, moment, policy},
    store::{Steps, Store, Stored},
};

const YEAR_HOURS: i64 = 365 * 24;

/// Pseudo-random numbers, SplitMix64: a year is replayed from its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn hours(&mut self, bound: i64) -> i64 {
        i64::try_from(self.below(bound.unsigned_abs())).unwrap()
    }
}

/// One export, twice, and what its year has been so far.
struct Export {
    store: Store,
    model: Model,
    rules: Vec<Rules>,
    chunks_made: u64,
}

impl Export {
    fn new(random: &mut Random) -> Self {
        let rules = vec![policy(usize::try_from(random.below(10)).unwrap()).1];
        Self { store: Store::default(), model: Model::default(), rules, chunks_made: 0 }
    }

    fn policies(&self) -> Vec<Policy> {
        self.rules.iter().map(as_policy).collect()
    }

    fn write_chunk(&mut self, hour: i64, random: &mut Random) -> String {
        self.chunks_made += 1;
        let id = format!("c{}", self.chunks_made);
        let rows: Vec<i64> = (0..=random.below(4)).map(|_| hour / 24 - random.hours(80)).collect();
        self.model.chunks.insert(id.clone(), ModelChunk { hour, rows: rows.clone() });
        self.store.chunks.insert(id.clone(), Stored { written_at: moment(hour), rows });
        id
    }

    /// A run: some chunks of the snapshot before, some new ones; killed before its commit at times.
    fn run(&mut self, hour: i64, now: i64, random: &mut Random) {
        let mut chunks = Vec::new();
        if let Some((version, newest)) = self.store.snapshots.last_key_value() {
            let is_live = self.store.tombstones.get(&newest.what()).is_none();
            assert_eq!(is_live, !self.model.marked.contains_key(&Key::Snapshot(*version)));
            let taken = newest.chunks.iter().filter(|_| is_live && !random.one_in(3));
            chunks.extend(taken.cloned());
        }
        for _ in 0..=random.below(2) {
            chunks.push(self.write_chunk(hour, random));
        }
        if random.one_in(5) {
            return;
        }
        let version = self.store.commit(moment(now), chunks.clone());
        assert_eq!(version, self.model.commit(now, chunks));
    }

    fn change_policies(&mut self, now: i64, random: &mut Random) {
        match random.below(4) {
            0 => self.rules.clear(),
            1 if self.rules.len() > 1 => drop(self.rules.remove(0)),
            _ => {}
        }
        let (_, added) = policy(usize::try_from(random.below(10)).unwrap());
        if self.rules.iter().all(|rules| rules.number != added.number) {
            self.rules.push(added);
        }
        for rules in &mut self.rules {
            rules.hold = match random.below(6) {
                0 => Some(None),
                1 => Some(Some(now / 24 + random.hours(40))),
                _ => None,
            };
        }
    }

    fn apply(&mut self, hour: i64, now: i64, random: &mut Random) {
        let policies = self.policies();
        while random.one_in(3) {
            let mut steps = Steps(random.below(12));
            if self.store.apply(&policies, moment(now), moment(hour), &mut steps).is_ok() {
                break;
            }
        }
        let mut endless = Steps(u64::MAX);
        self.store.apply(&policies, moment(now), moment(hour), &mut endless).unwrap();
        self.model.apply(&self.rules, now, hour);
    }

    fn compare(&self, seed: u64, now: i64) {
        let context = format!("seed {seed}, hour {now}, {:?}", self.rules);
        let versions: Vec<_> = self.store.snapshots.keys().collect();
        assert_eq!(versions, self.model.snapshots.keys().collect::<Vec<_>>(), "{context}");
        let chunks: BTreeMap<_, _> =
            self.store.chunks.iter().map(|(id, chunk)| (id, &chunk.rows)).collect();
        let expected: BTreeMap<_, _> =
            self.model.chunks.iter().map(|(id, chunk)| (id, &chunk.rows)).collect();
        assert_eq!(chunks, expected, "{context}");
        let marked = self.store.tombstones.entries().iter().filter_map(|tombstone| {
            let key = match &tombstone.what {
                What::Chunk(id) => Key::Chunk(id.clone()),
                What::Snapshot { version, .. } => Key::Snapshot(*version),
                What::Record { .. } => panic!("a record of an export"),
            };
            tombstone.collected.is_none().then_some((key, tombstone.since))
        });
        let expected = self.model.marked.iter().map(|(key, since)| (key.clone(), moment(*since)));
        assert_eq!(marked.collect::<BTreeMap<_, _>>(), expected.collect(), "{context}");
    }
}

#[test]
fn a_year_leaves_what_the_model_leaves() {
    let (mut destroyed, mut rewritten, mut reused, mut restored) = (0, 0, 0, 0);
    for seed in 0..8 {
        let mut random = Random(seed);
        let mut exports: Vec<_> = (0..3).map(|_| Export::new(&mut random)).collect();
        let mut offset = 0;
        for hour in (0..YEAR_HOURS).step_by(6) {
            if random.one_in(200) {
                offset = [0, 0, -random.hours(1_000), random.hours(2_500)]
                    [usize::try_from(random.below(4)).unwrap()];
            }
            let now = hour + offset;
            for export in &mut exports {
                if random.one_in(10) {
                    export.run(hour, now, &mut random);
                }
                if random.one_in(120) {
                    export.change_policies(now, &mut random);
                }
                if random.one_in(6) {
                    let before = export.store.tombstones.clone();
                    export.apply(hour, now, &mut random);
                    export.compare(seed, now);
                    let after = &export.store.tombstones;
                    let gone = |what: &What| after.get(what).is_none();
                    let snapshots = export.store.snapshots.values().map(Snapshot::what);
                    restored +=
                        snapshots.filter(|one| before.get(one).is_some() && gone(one)).count();
                }
            }
        }
        for export in &exports {
            destroyed += export.store.destroyed.len();
            rewritten += export.store.chunks.keys().filter(|id| id.contains('+')).count();
            let named = export.store.snapshots.values().flat_map(|one| &one.chunks);
            reused += named.clone().count() - named.collect::<BTreeSet<_>>().len();
        }
    }
    // A simulation in which nothing happens shows nothing.
    assert!(destroyed > 2_000, "{destroyed}");
    assert!(rewritten > 20, "{rewritten}");
    assert!(reused > 100, "{reused}");
    assert!(restored > 100, "{restored}");
}

/// Interrupted, and then the world goes on: other policies, holds, commits, another time.
#[test]
fn an_apply_that_is_never_finished_harms_nothing_that_stays() {
    let mut interrupted = 0;
    for seed in 1_000..1_010 {
        let mut random = Random(seed);
        let mut export = Export::new(&mut random);
        for hour in (0..YEAR_HOURS).step_by(6) {
            if random.one_in(8) {
                let live = |store: &Store| -> Option<Vec<String>> {
                    let (_, newest) = store.snapshots.last_key_value()?;
                    store.tombstones.get(&newest.what()).is_none().then(|| newest.chunks.clone())
                };
                let mut chunks = live(&export.store).unwrap_or_default();
                chunks.retain(|_| !random.one_in(3));
                chunks.push(export.write_chunk(hour, &mut random));
                if !random.one_in(4) {
                    export.store.commit(moment(hour), chunks);
                }
            }
            if random.one_in(60) {
                export.change_policies(hour, &mut random);
            }
            if random.one_in(4) {
                let before = export.store.clone();
                let mut steps = Steps(random.below(8));
                let at = moment(hour);
                let done = export.store.apply(&export.policies(), at, at, &mut steps);
                interrupted += u32::from(done.is_err());
                check(&before, &export, hour);
            }
        }
        settle(&mut export);
    }
    assert!(interrupted > 1_000, "{interrupted}");
}

fn check(before: &Store, export: &Export, hour: i64) {
    let after = &export.store;
    for snapshot in after.snapshots.values() {
        let is_whole = snapshot.chunks.iter().all(|id| after.chunks.contains_key(id));
        let is_live = after.tombstones.get(&snapshot.what()).is_none();
        assert!(is_whole || !is_live, "a live snapshot has lost a chunk at {hour}");
    }
    let gone: Vec<_> = after.destroyed.difference(&before.destroyed).collect();
    if export.rules.iter().any(|rules| is_held(rules, hour)) {
        assert!(gone.is_empty(), "gone under a hold at {hour}: {gone:?}");
    }
    for what in gone {
        // What goes with others has no tombstone; what has one was marked first.
        let Some(entry) = after.tombstones.get(what) else { continue };
        assert!(entry.begun.is_some(), "gone without a mark at {hour}: {what:?}");
    }
    for entry in after.tombstones.entries() {
        let known = before.tombstones.get(&entry.what);
        if entry.begun.is_none() || known.is_some_and(|known| known.begun.is_some()) {
            continue;
        }
        let since = known.unwrap().since.signed_duration_since(moment(0)).num_hours();
        let is_over = export.rules.iter().any(|rules| is_over(since, rules.grace, hour));
        assert!(is_over, "gone before its grace at {hour}: {entry:?}");
    }
}

/// With one policy and time, only what it wants remains, and no leftovers.
fn settle(export: &mut Export) {
    export.rules = vec![policy(0).1];
    for days in [1, 40, 80, 120] {
        let at: Moment = moment(YEAR_HOURS + days * 24);
        let mut endless = Steps(u64::MAX);
        export.store.apply(&export.policies(), at, at, &mut endless).unwrap();
    }
    let store = &export.store;
    let newest = store.snapshots.keys().max().copied().unwrap_or(0);
    assert!(store.snapshots.keys().all(|version| version + 5 > newest));
    let named: BTreeSet<_> = store.snapshots.values().flat_map(|one| &one.chunks).collect();
    assert_eq!(store.chunks.keys().collect::<BTreeSet<_>>(), named);
    let policies = export.policies();
    let at = moment(YEAR_HOURS + 200 * 24);
    assert!(due(&policies, &store.inventory(&policies, at), at).is_nothing());
}
