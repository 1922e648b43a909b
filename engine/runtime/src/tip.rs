//! The end of an export's chain: the newest snapshot, and what is deleted softly.
//!
//! ```text
//!  manifests/3, 4, 5   tombstones {3}        readers see 5; the next is 6 and follows 5
//!  manifests/5         tombstones {3, 4, 5}  readers see nothing; the next is 6 and follows 5
//!  (nothing)           tombstones {3, 4, 5}  the same: a version is used once
//! ```

use std::collections::BTreeSet;

use engine_bundle::chain::Anchor;
use engine_bundle::digest::Digest;
use engine_bundle::ids::FileId;
use engine_bundle::key::KeySource;
use engine_bundle::manifest::Predecessor;
use engine_tracking::retention::{Tombstone, Tombstones, What};

use crate::diagnostic::Outcome;
use crate::store::{Store, Stored};

/// How often a manifest may go between being listed and being read.
const ATTEMPTS_MAX: u32 = 5;

/// The end of an export's chain.
#[derive(Debug, Clone)]
pub struct Tip {
    newest: Option<Stored>,
    tombstones: Tombstones,
    number: u64,
}

impl Tip {
    /// The newest manifest that is in the store, and the tombstones with the number of their document.
    #[must_use]
    pub fn new(newest: Option<Stored>, (number, tombstones): (u64, Tombstones)) -> Self {
        Self { newest, tombstones, number }
    }

    /// The number of the newest document of tombstones; 0 where there is none.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The snapshot that readers see; none where there is none, or it is deleted softly.
    #[must_use]
    pub fn readable(self) -> Option<Stored> {
        let gone = self.newest.as_ref().is_some_and(|newest| self.has_tombstone(newest));
        self.newest.filter(|_| !gone)
    }

    fn has_tombstone(&self, stored: &Stored) -> bool {
        self.is_gone(Predecessor { version: stored.manifest.version, digest: stored.digest })
    }

    /// Whether a snapshot is deleted, softly or for good.
    #[must_use]
    pub fn is_gone(&self, snapshot: Predecessor) -> bool {
        let (version, manifest) = (snapshot.version, snapshot.digest.to_string());
        self.tombstones.get(&What::Snapshot { version, manifest }).is_some()
    }

    /// The newest snapshot there ever was, in the store or by its tombstone.
    #[must_use]
    pub fn known(&self) -> Option<Anchor> {
        let stored = self.newest.as_ref();
        let stored =
            stored.map(|newest| Anchor { version: newest.manifest.version, digest: newest.digest });
        let gone = self.tombstones.entries().iter().filter_map(anchor);
        stored.into_iter().chain(gone).max_by_key(|anchor| anchor.version)
    }

    /// What the next snapshot follows; none where it is the first.
    #[must_use]
    pub fn predecessor(&self) -> Option<Predecessor> {
        let known = self.known();
        known.map(|known| Predecessor { version: known.version, digest: known.digest })
    }
}

impl Store {
    /// The end of an export's chain.
    ///
    /// # Errors
    /// As [`Store::manifest`], or the store cannot be listed.
    pub async fn tip(&self, file: FileId, export: &str, keys: &dyn KeySource) -> Outcome<Tip> {
        for attempt in 1.. {
            // Tombstones first: a snapshot that is deleted softly meanwhile can still be read, and one that is newer than
            // they are has none.
            let tombstones = self.tombstones(file, export, keys).await?;
            let Some(version) = self.versions(file).await?.pop() else {
                return Ok(Tip::new(None, tombstones));
            };
            match self.manifest(file, export, version, keys).await {
                Ok(newest) => return Ok(Tip::new(Some(newest), tombstones)),
                // It was destroyed since it was listed.
                Err(error) if error.is_missing() && attempt < ATTEMPTS_MAX => {}
                Err(error) => return Err(error.diagnostic().into()),
            }
        }
        Ok(Tip::new(None, (0, Tombstones::new())))
    }
}

/// The snapshot that a tombstone stands for.
fn anchor(tombstone: &Tombstone) -> Option<Anchor> {
    match &tombstone.what {
        What::Snapshot { version, manifest } => {
            Some(Anchor { version: *version, digest: manifest.parse::<Digest>().ok()? })
        }
        What::Chunk(_) | What::Record { .. } => None,
    }
}

/// The snapshots whose destruction was begun: what is missing of them is no fault.
#[must_use]
pub fn destroyed(tombstones: &Tombstones) -> BTreeSet<u64> {
    let begun = tombstones.entries().iter();
    let begun = begun.filter(|entry| entry.begun.is_some() || entry.collected.is_some());
    begun.filter_map(anchor).map(|anchor| anchor.version).collect()
}

/// The digest of a snapshot that is gone, by its tombstone.
#[must_use]
pub fn digest_of(tombstones: &Tombstones, version: u64) -> Option<Digest> {
    let found = tombstones.entries().iter().filter_map(anchor);
    found.filter(|anchor| anchor.version == version).map(|anchor| anchor.digest).next()
}
