//! What there is, as the caller found it: snapshots, chunks, records. In any order.

use std::collections::BTreeSet;

use super::{
    policy::RecordClass,
    span::Moment,
    tombstones::{Tombstones, What},
};

/// One committed version of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its version. Versions of an export count up by one; each is used once.
    pub version: u64,
    /// The digest of its manifest.
    pub manifest: String,
    /// When it was committed, by the clock of the run that did.
    pub committed_at: Moment,
    /// The ids of the chunks it names, in any order.
    pub chunks: Vec<String>,
    /// Rows of all its chunks.
    pub rows: u64,
    /// Bytes of all its chunks; other snapshots may name the same ones.
    pub bytes: u64,
}

impl Snapshot {
    /// How tombstones and lists name it.
    #[must_use]
    pub fn what(&self) -> What {
        What::Snapshot { version: self.version, manifest: self.manifest.clone() }
    }
}

/// One chunk that lies in the store, whether or not a snapshot names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its id.
    pub id: String,
    /// As it lies in the store.
    pub bytes: u64,
    /// Its rows; `None` where no manifest tells.
    pub rows: Option<u64>,
    /// When the store says it was last written.
    pub written_at: Moment,
    /// How many of its rows lie before any [cut-off](super::cut_offs) of the export's policies.
    pub expired_rows: u64,
    /// The policies whose cut-off at least one of its rows lies before.
    pub expired_by: BTreeSet<String>,
}

/// Everything of one export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Every manifest in the store, tombstoned ones included.
    pub snapshots: Vec<Snapshot>,
    /// Every chunk in the store.
    pub chunks: Vec<Chunk>,
    /// Chunks that a run in progress, or one that may be taken up again, is known to have written:
    /// none of them is collected.
    pub reserved: BTreeSet<String>,
    /// What is soft-deleted so far.
    pub tombstones: Tombstones,
    /// The latest moment known from elsewhere, such as the last run record or the last deletion.
    pub seen_at: Option<Moment>,
}

impl Inventory {
    /// Puts down how many rows of a chunk are expired by a policy, or that it counts as one with such rows.
    pub fn expire(&mut self, chunk: &str, rows: u64, policy: &str) {
        for found in self.chunks.iter_mut().filter(|found| found.id == chunk) {
            found.expired_rows = found.expired_rows.max(rows);
            found.expired_by.insert(policy.to_owned());
        }
    }
}

/// One record of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its class.
    pub class: RecordClass,
    /// Its id within the class.
    pub id: String,
    /// When what it tells of ended.
    pub at: Moment,
    /// As it lies in the store.
    pub bytes: u64,
}

impl Record {
    /// How tombstones and lists name it.
    #[must_use]
    pub fn what(&self) -> What {
        What::Record { class: self.class, id: self.id.clone() }
    }
}
