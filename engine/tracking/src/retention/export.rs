//! What is due of one export: its snapshots, its chunks, the rows in them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    due::{Due, Item},
    inventory::{Chunk, Inventory, Snapshot},
    judge::{Judge, State, Verdict},
    policy::Policy,
    rows::{ChunkFate, Rewrite, chunk_fate},
    span::{Moment, Span},
    tombstones::{Cause, Reason, Tombstone, What},
};

/// How long a chunk lies in the store before it is taken for one that a killed run left: a run names
/// its chunks only when it ends. Iceberg's removal of orphan files keeps to the same 24 hours.
const RUN_HOURS_MAX: i64 = 24;

/// What the policies of an export want done at `now`.
///
/// Equal inputs give equal lists, in whatever order the inventory comes.
#[must_use]
pub fn due(policies: &[Policy], inventory: &Inventory, now: Moment) -> Due {
    let judge = Judge::new(policies, now);
    let mut due = Due { holds: judge.holds().to_vec(), ..Due::default() };
    let export = Export::new(&judge, inventory);
    let judged = export.judge_snapshots(&mut due);
    export.judge_chunks(&judged, &mut due);
    export.plan_rewrite(&judged, &mut due);
    due.collected = export.collected();
    due.sort();
    due
}

struct Export<'a> {
    judge: &'a Judge<'a>,
    inventory: &'a Inventory,
    /// By version, ascending.
    snapshots: BTreeMap<What, &'a Snapshot>,
    chunks: BTreeMap<&'a str, &'a Chunk>,
    /// The newest version in the store, those aside that are half destroyed.
    newest: u64,
    /// The newest version ever committed, as far as store and tombstones tell.
    newest_ever: u64,
    /// The earliest commit of a version and all later ones, gone ones included.
    earliest_from: BTreeMap<u64, Moment>,
}

struct Judged<'a> {
    snapshot: &'a Snapshot,
    verdict: Verdict,
    causes: Vec<Cause>,
}

/// Judged snapshots by the chunks they name.
type Naming<'a, 'b> = BTreeMap<&'a str, Vec<&'b Judged<'a>>>;

impl<'a> Export<'a> {
    fn new(judge: &'a Judge<'a>, inventory: &'a Inventory) -> Self {
        let snapshots = inventory.snapshots.iter();
        let present = snapshots.clone().map(|snapshot| snapshot.version).max().unwrap_or(0);
        let mut export = Self {
            judge,
            inventory,
            snapshots: snapshots.clone().map(|snapshot| (snapshot.what(), snapshot)).collect(),
            chunks: inventory.chunks.iter().map(|chunk| (chunk.id.as_str(), chunk)).collect(),
            newest: 0,
            newest_ever: inventory.tombstones.newest_version().unwrap_or(0).max(present),
            earliest_from: earliest_from(inventory),
        };
        let whole = snapshots.filter(|snapshot| export.damage(snapshot).is_none());
        export.newest = whole.map(|snapshot| snapshot.version).max().unwrap_or(0);
        export
    }

    /// The tombstone of a snapshot whose destruction was interrupted half way.
    fn damage(&self, snapshot: &Snapshot) -> Option<&'a Tombstone> {
        let tombstone = self.inventory.tombstones.get(&snapshot.what())?;
        let is_whole = snapshot.chunks.iter().all(|id| self.chunks.contains_key(id.as_str()));
        (tombstone.begun.is_some() && !is_whole).then_some(tombstone)
    }

    fn judge_snapshots(&self, due: &mut Due) -> Vec<Judged<'a>> {
        let mut judged = Vec::new();
        for (what, snapshot) in self.snapshots.iter().rev() {
            let mut causes = self.snapshot_causes(snapshot);
            let damage = self.damage(snapshot);
            let state = if damage.is_some() { State::Damaged } else { State::Whole };
            // Nobody may want it gone any more: then who did answers for the rest.
            if let (true, Some(tombstone)) = (causes.is_empty(), damage) {
                causes.clone_from(&tombstone.causes);
            }
            let tombstone = self.inventory.tombstones.get(what);
            let since = tombstone.map(|tombstone| tombstone.since);
            let item = Item {
                what: what.clone(),
                at: snapshot.committed_at,
                rows: Some(snapshot.rows),
                bytes: snapshot.bytes,
                is_newest: snapshot.version == self.newest,
                since,
                causes: causes.clone(),
                cold: Vec::new(),
            };
            let verdict = self.judge.file(item, state, due);
            judged.push(Judged { snapshot, verdict, causes });
        }
        judged
    }

    /// The latest moment at which it may have been committed: no snapshot is younger than one that
    /// was committed after it.
    fn committed_by(&self, snapshot: &Snapshot) -> Moment {
        let later = self.earliest_from.range(snapshot.version..).next();
        later.map_or(snapshot.committed_at, |(_, earliest)| *earliest)
    }

    fn snapshot_causes(&self, snapshot: &Snapshot) -> Vec<Cause> {
        let committed_by = self.committed_by(snapshot);
        let ahead = self.newest_ever.saturating_sub(snapshot.version);
        let is_beyond = |policy: &Policy| {
            let keep = policy.snapshots.and_then(|rule| rule.keep())?;
            (ahead >= u64::from(keep.get())).then_some(Reason::Keep)
        };
        let is_old = |policy: &Policy| {
            let max_age: Span = policy.snapshots.and_then(|rule| rule.max_age())?;
            max_age.is_over(committed_by, self.judge.now()).then_some(Reason::Age)
        };
        let has_expired = |policy: &Policy| {
            let is_due = snapshot.version < self.newest && policy.rows.is_some();
            (is_due && self.holds_expired(snapshot, policy)).then_some(Reason::Rows)
        };
        let mut causes = self.judge.causes(is_beyond);
        causes.extend(self.judge.causes(is_old));
        causes.extend(self.judge.causes(has_expired));
        causes.sort();
        causes
    }

    fn holds_expired(&self, snapshot: &Snapshot, policy: &Policy) -> bool {
        self.chunks_of(snapshot).any(|chunk| chunk.expired_by.contains(&policy.name))
    }

    fn chunks_of(&self, snapshot: &Snapshot) -> impl Iterator<Item = &'a Chunk> {
        snapshot.chunks.iter().filter_map(|id| self.chunks.get(id.as_str()).copied())
    }

    fn judge_chunks(&self, judged: &[Judged<'a>], due: &mut Due) {
        let mut naming: Naming<'a, '_> = BTreeMap::new();
        for judged in judged {
            for id in &judged.snapshot.chunks {
                naming.entry(id).or_default().push(judged);
            }
        }
        let is = |verdict| move |judged: &Judged<'_>| judged.verdict == verdict;
        let is_leaving = |judged: &Judged<'_>| judged.verdict.is_leaving();
        let is_held =
            |judged: &Judged<'_>| judged.verdict == Verdict::Hold && !judged.causes.is_empty();
        due.frees = self.going_with(&naming, is(Verdict::Tombstone), is_leaving);
        due.held.extend(self.going_with(&naming, is_held, is_held));
        let destroyed = self.going_with(&naming, is(Verdict::Destroy), is(Verdict::Destroy));
        let collected: BTreeSet<What> = destroyed.iter().map(|item| item.what.clone()).collect();
        due.destroy.extend(destroyed);
        for (id, chunk) in &self.chunks {
            let what = What::Chunk((*id).to_owned());
            if collected.contains(&what) {
                continue;
            }
            if !naming.contains_key(id) && !self.inventory.reserved.contains(*id) {
                self.judge.file(self.orphan(what, chunk), State::Whole, due);
            } else if self.inventory.tombstones.get(&what).is_some() {
                due.restore.push(what);
            }
        }
    }

    /// The chunks that `group` names and that only such snapshots name as satisfy `all`.
    fn going_with(
        &self,
        naming: &Naming<'a, '_>,
        group: impl Fn(&Judged<'a>) -> bool,
        all: impl Fn(&Judged<'a>) -> bool,
    ) -> Vec<Item> {
        let mut going = Vec::new();
        for (id, named_by) in naming {
            let Some(chunk) = self.chunks.get(id) else { continue };
            let is_reserved = self.inventory.reserved.contains(*id);
            if is_reserved || !named_by.iter().all(|judged| all(judged)) {
                continue;
            }
            let named_by = named_by.iter().filter(|judged| group(judged));
            let causes: BTreeSet<Cause> =
                named_by.clone().flat_map(|judged| judged.causes.iter().cloned()).collect();
            if named_by.count() > 0 {
                let causes: Vec<Cause> = causes.into_iter().collect();
                let cold = self.judge.cold_stores(&causes);
                going.push(Item { causes, cold, ..item(What::Chunk((*id).to_owned()), chunk) });
            }
        }
        going
    }

    /// A chunk that no snapshot names, wanted gone once no run can still be about to.
    fn orphan(&self, what: What, chunk: &Chunk) -> Item {
        let age = self.judge.now().signed_duration_since(chunk.written_at);
        let is_left = age.num_hours() >= RUN_HOURS_MAX;
        let causes = self.judge.causes(|_| is_left.then_some(Reason::Orphan));
        // A chunk written again waits again.
        let tombstone = self.inventory.tombstones.get(&what);
        let since = tombstone.map(|tombstone| tombstone.since.max(chunk.written_at));
        Item { since, causes, ..item(what, chunk) }
    }

    fn plan_rewrite(&self, judged: &[Judged<'a>], due: &mut Due) {
        let newest = judged.iter().find(|judged| judged.snapshot.version == self.newest);
        let newest = newest.filter(|newest| newest.causes.is_empty());
        let Some(Judged { snapshot, .. }) = newest else { return };
        let has_rule = self.judge.policies().iter().any(|policy| policy.rows.is_some());
        let expired = self.chunks_of(snapshot).map(|chunk| chunk.expired_rows);
        let expired_rows = expired.fold(0, u64::saturating_add);
        if !has_rule || expired_rows == 0 {
            return;
        }
        if !self.judge.holds().is_empty() {
            due.held.extend(self.held_rows(snapshot));
            return;
        }
        let fate = |id: &String| {
            let chunk = self.chunks.get(id.as_str());
            chunk.map_or(ChunkFate::Keep, |chunk| chunk_fate(chunk.rows, chunk.expired_rows))
        };
        let chunks = snapshot.chunks.iter().map(|id| (id.clone(), fate(id))).collect();
        let (version, manifest) = (snapshot.version, snapshot.manifest.clone());
        due.rewrite = Some(Rewrite { version, manifest, chunks, expired_rows });
    }

    /// The chunks of a held snapshot that would be written anew.
    fn held_rows(&self, snapshot: &Snapshot) -> Vec<Item> {
        let wants = |chunk: &Chunk, policy: &Policy| {
            let is_due = policy.rows.is_some() && chunk.expired_by.contains(&policy.name);
            is_due.then_some(Reason::Rows)
        };
        let chunks: BTreeMap<&str, &Chunk> =
            self.chunks_of(snapshot).map(|chunk| (chunk.id.as_str(), chunk)).collect();
        let held = chunks.into_iter().filter(|(_, chunk)| chunk.expired_rows > 0);
        let held = held.map(|(id, chunk)| Item {
            causes: self.judge.causes(|policy| wants(chunk, policy)),
            ..item(What::Chunk(id.to_owned()), chunk)
        });
        held.collect()
    }

    fn collected(&self) -> Vec<What> {
        let pending = self.inventory.tombstones.entries().iter();
        let pending = pending.filter(|tombstone| tombstone.collected.is_none());
        let is_gone = |what: &&What| match what {
            What::Chunk(id) => !self.chunks.contains_key(id.as_str()),
            What::Snapshot { .. } => !self.snapshots.contains_key(*what),
            // Of another document.
            What::Record { .. } => false,
        };
        pending.map(|tombstone| &tombstone.what).filter(is_gone).cloned().collect()
    }
}

fn earliest_from(inventory: &Inventory) -> BTreeMap<u64, Moment> {
    let present = inventory.snapshots.iter();
    let present = present.map(|snapshot| (snapshot.version, snapshot.committed_at));
    let tombstoned = inventory.tombstones.entries().iter().filter_map(|entry| match entry.what {
        What::Snapshot { version, .. } => Some((version, entry.at)),
        What::Chunk(_) | What::Record { .. } => None,
    });
    let mut commits: Vec<(u64, Moment)> = present.chain(tombstoned).collect();
    commits.sort_unstable();
    let mut earliest = Moment::MAX_UTC;
    let mut earliest_from = BTreeMap::new();
    for (version, committed_at) in commits.into_iter().rev() {
        earliest = earliest.min(committed_at);
        earliest_from.insert(version, earliest);
    }
    earliest_from
}

/// A chunk on a list, wanted gone by nothing yet.
fn item(what: What, chunk: &Chunk) -> Item {
    Item {
        what,
        at: chunk.written_at,
        rows: chunk.rows,
        bytes: chunk.bytes,
        is_newest: false,
        since: None,
        causes: Vec::new(),
        cold: Vec::new(),
    }
}
