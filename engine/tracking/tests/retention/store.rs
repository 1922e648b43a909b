//! A store of one export that does what is due, step by step, and may stop after any step.

use std::collections::{BTreeMap, BTreeSet};

use engine_tracking::retention::{
    Chunk, ChunkFate, CutOff, Deletion, Due, Inventory, Moment, Policy, Snapshot, Tombstones, What,
    cut_offs, due,
};

use crate::policies::day;

#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) written_at: Moment,
    /// The day of each row.
    pub(crate) rows: Vec<i64>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) snapshots: BTreeMap<u64, Snapshot>,
    pub(crate) chunks: BTreeMap<String, Stored>,
    pub(crate) tombstones: Tombstones,
    pub(crate) deletions: Vec<Deletion>,
    /// What was destroyed.
    pub(crate) destroyed: BTreeSet<What>,
}

/// The store stopped in the middle.
#[derive(Debug)]
pub(crate) struct Interrupted;

/// How many more steps are done.
pub(crate) struct Steps(pub(crate) u64);

impl Steps {
    fn one(&mut self) -> Result<(), Interrupted> {
        self.0 = self.0.checked_sub(1).ok_or(Interrupted)?;
        Ok(())
    }
}

impl Store {
    pub(crate) fn commit(&mut self, at: Moment, chunks: Vec<String>) -> u64 {
        let newest = self.snapshots.keys().copied().max().unwrap_or(0);
        let version = newest.max(self.tombstones.newest_version().unwrap_or(0)) + 1;
        let rows = chunks.iter().map(|id| self.chunks[id].rows.len() as u64).sum();
        let snapshot = Snapshot {
            version,
            manifest: format!("sha256:{version}"),
            committed_at: at,
            chunks,
            rows,
            bytes: rows * 10,
        };
        self.snapshots.insert(version, snapshot);
        version
    }

    pub(crate) fn inventory(&self, policies: &[Policy], now: Moment) -> Inventory {
        let chunks = self.chunks.iter().map(|(id, chunk)| Chunk {
            id: id.clone(),
            bytes: chunk.rows.len() as u64 * 10,
            rows: Some(chunk.rows.len() as u64),
            written_at: chunk.written_at,
            expired_rows: (chunk.rows.len() - left(&chunk.rows, policies, now).len()) as u64,
            expired_by: expired_by(&chunk.rows, policies, now),
        });
        Inventory {
            // Listings come in any order; this one is as far from sorted as can be.
            snapshots: self.snapshots.values().rev().cloned().collect(),
            chunks: chunks.rev().collect(),
            tombstones: self.tombstones.clone(),
            ..Inventory::default()
        }
    }

    /// Does what is due until nothing is, in the documented order.
    pub(crate) fn apply(
        &mut self,
        policies: &[Policy],
        now: Moment,
        written_at: Moment,
        steps: &mut Steps,
    ) -> Result<(), Interrupted> {
        for _ in 0..4 {
            let inventory = self.inventory(policies, now);
            let due = due(policies, &inventory, now);
            if due.is_nothing() {
                return Ok(());
            }
            self.carry_out(&due, policies, (now, written_at), steps)?;
        }
        panic!("there is always something due at {now}");
    }

    fn carry_out(
        &mut self,
        due: &Due,
        policies: &[Policy],
        (now, written_at): (Moment, Moment),
        steps: &mut Steps,
    ) -> Result<(), Interrupted> {
        steps.one()?;
        let bytes = due.tombstones(&self.tombstones, now).to_bytes().unwrap();
        self.tombstones = Tombstones::parse(&bytes).unwrap();
        steps.one()?;
        self.deletions.extend(Deletion::of(policies, due, "tester", now));
        assert!(due.destroy.iter().all(|item| !item.causes.is_empty()), "on nobody's record");
        for item in &due.destroy {
            steps.one()?;
            match &item.what {
                What::Chunk(id) => drop(self.chunks.remove(id).unwrap()),
                What::Snapshot { version, .. } => drop(self.snapshots.remove(version).unwrap()),
                What::Record { .. } => panic!("a record of an export"),
            }
            self.destroyed.insert(item.what.clone());
        }
        let Some(rewrite) = &due.rewrite else { return Ok(()) };
        let mut chunks = Vec::new();
        for (id, fate) in &rewrite.chunks {
            match fate {
                ChunkFate::Keep => chunks.push(id.clone()),
                ChunkFate::Drop => {}
                ChunkFate::Rewrite => {
                    steps.one()?;
                    let anew = format!("{id}+{}", rewrite.version);
                    let rows = left(&self.chunks[id].rows, policies, now);
                    self.chunks.insert(anew.clone(), Stored { written_at, rows });
                    chunks.push(anew);
                }
            }
        }
        steps.one()?;
        assert_eq!(self.commit(now, chunks), rewrite.version + 1);
        Ok(())
    }
}

/// The rows that are not expired.
fn left(rows: &[i64], policies: &[Policy], now: Moment) -> Vec<i64> {
    let cut_offs = cut_offs(policies, now);
    let is_left = |row: &&i64| cut_offs.iter().all(|cut_off| day(**row) >= cut_off.date());
    rows.iter().filter(is_left).copied().collect()
}

/// The policies that find an expired one among the rows.
fn expired_by(rows: &[i64], policies: &[Policy], now: Moment) -> BTreeSet<String> {
    let cut_offs = cut_offs(policies, now).into_iter();
    let finds = |cut_off: &CutOff| rows.iter().any(|row| day(*row) < cut_off.date());
    cut_offs.filter(finds).map(|cut_off| cut_off.policy).collect()
}
