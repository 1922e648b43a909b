//! What retention has to do now, as lists: of an export, or of records.

use std::collections::BTreeSet;

use super::{
    policy::{LegalHold, Policy},
    rows::Rewrite,
    span::Moment,
    tombstones::{Cause, Tombstone, Tombstones, What},
};

/// One thing on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub what: What,
    /// Its age counts from here: the commit of a snapshot, the last writing of a chunk, the end of
    /// what a record tells of.
    pub at: Moment,
    /// Rows of a chunk or snapshot, where known.
    pub rows: Option<u64>,
    /// As it lies in the store. For a snapshot, the bytes of all chunks it names.
    pub bytes: u64,
    /// Whether it is the snapshot that readers of the export see.
    pub is_newest: bool,
    /// From when its grace counts, where it is tombstoned already.
    pub since: Option<Moment>,
    /// Who wants it gone and why, in ascending order. A chunk that goes with snapshots has theirs.
    pub causes: Vec<Cause>,
    /// The stores it is copied to before it is destroyed, in ascending order.
    pub cold: Vec<String>,
}

impl Item {
    /// Whether `policy` wants it gone.
    #[must_use]
    pub fn is_wanted_by(&self, policy: &str) -> bool {
        self.causes.iter().any(|cause| cause.policy == policy)
    }
}

/// A hold in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The policy that has it.
    pub policy: String,
    /// Owner, reason and last day.
    pub hold: LegalHold,
}

/// What is to be done now. Every list is sorted by what its items are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Live things that get a tombstone.
    pub tombstone: Vec<Item>,
    /// Chunks that will go with the snapshots of `tombstone`, once their grace is over: nothing that
    /// stays names them. They get no tombstone of their own.
    pub frees: Vec<Item>,
    /// Tombstoned things whose grace is over, and the chunks that go with them; in the order in which
    /// they are destroyed.
    pub destroy: Vec<Item>,
    /// Tombstoned things that are live again: nothing wants them gone any more, or a hold was placed.
    pub restore: Vec<What>,
    /// Things that are there because of a hold only.
    pub held: Vec<Item>,
    /// The holds in force.
    pub holds: Vec<Hold>,
    /// Things with a tombstone that are not there any more.
    pub collected: Vec<What>,
    /// The next snapshot, where the newest holds expired rows.
    pub rewrite: Option<Rewrite>,
}

impl Due {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.tombstone.is_empty()
            && self.destroy.is_empty()
            && self.restore.is_empty()
            && self.collected.is_empty()
            && self.rewrite.is_none()
    }

    /// The document that follows `before`: to be committed before anything is destroyed.
    ///
    /// What is on `destroy` is marked as begun, and keeps its tombstone until a later inventory shows
    /// that it is gone.
    #[must_use]
    pub fn tombstones(&self, before: &Tombstones, now: Moment) -> Tombstones {
        let added = self.tombstone.iter().map(|item| Tombstone {
            what: item.what.clone(),
            at: item.at,
            since: now,
            causes: item.causes.clone(),
            begun: None,
            collected: None,
            cold: Vec::new(),
        });
        let destroyed: Vec<What> = self.destroy.iter().map(|item| item.what.clone()).collect();
        let kept = before.restore(&self.restore).without(&self.collected, now);
        kept.begin(&destroyed, now).copied(&self.destroy).with(added)
    }

    /// What goes by each of `policies`, in their order. A thing that two of them want gone is
    /// counted for both.
    #[must_use]
    pub fn summaries(&self, policies: &[Policy]) -> Vec<Summary> {
        let summary = |policy: &Policy| {
            let totals = |items: &mut dyn Iterator<Item = &Item>| {
                Totals::of(items.filter(|item| item.is_wanted_by(&policy.name)))
            };
            Summary {
                policy: policy.name.clone(),
                basis: policy.basis.clone(),
                tombstone: totals(&mut self.tombstone.iter().chain(&self.frees)),
                destroy: totals(&mut self.destroy.iter()),
                held: totals(&mut self.held.iter()),
            }
        };
        policies.iter().map(summary).collect()
    }

    pub(super) fn sort(&mut self) {
        let lists = [&mut self.tombstone, &mut self.frees, &mut self.destroy, &mut self.held];
        for list in lists {
            list.sort_by(|one, other| one.what.cmp(&other.what));
        }
        self.restore.sort();
        self.collected.sort();
    }
}

/// What a list adds up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many snapshots.
    pub snapshots: u64,
    /// How many chunks.
    pub chunks: u64,
    /// How many records.
    pub records: u64,
    /// Rows of the chunks. Those of snapshots are not counted again, nor those that nothing tells.
    pub rows: u64,
    /// Bytes of the chunks and records.
    pub bytes: u64,
    /// The earliest moment of any of them.
    pub oldest: Option<Moment>,
    /// The latest moment of any of them.
    pub newest: Option<Moment>,
}

impl Totals {
    /// The totals of `items`; each thing counts once.
    #[must_use]
    pub fn of<'a>(items: impl IntoIterator<Item = &'a Item>) -> Self {
        let mut totals = Self::default();
        let mut seen = BTreeSet::new();
        for item in items {
            if !seen.insert(&item.what) {
                continue;
            }
            totals.oldest = Some(totals.oldest.map_or(item.at, |oldest| oldest.min(item.at)));
            totals.newest = Some(totals.newest.map_or(item.at, |newest| newest.max(item.at)));
            match item.what {
                What::Snapshot { .. } => {
                    totals.snapshots += 1;
                    continue;
                }
                What::Chunk(_) => totals.chunks += 1,
                What::Record { .. } => totals.records += 1,
            }
            totals.rows = totals.rows.saturating_add(item.rows.unwrap_or(0));
            totals.bytes = totals.bytes.saturating_add(item.bytes);
        }
        totals
    }
}

/// What goes by one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The policy's name.
    pub policy: String,
    /// Why it is as it is, in the project's words.
    pub basis: Option<String>,
    /// What is tombstoned now, with the chunks that will go with it.
    pub tombstone: Totals,
    /// What is destroyed now.
    pub destroy: Totals,
    /// What would go but for a hold.
    pub held: Totals,
}
