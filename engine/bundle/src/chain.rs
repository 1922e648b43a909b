//! The chain of an export's manifests: each names its predecessor's digest.
//!
//! ```text
//!  1 ◀── 2 ◀── 3 ◀── 4        gap: 1 ◀── 2    4
//!     digest of 1's bytes     rolled back: the last one known from elsewhere is missing
//! ```
//!
//! The chain shows a manifest that was replaced, removed from the middle, or put back in
//! place of a later one. That the newest were removed shows only against an [`Anchor`]
//! kept elsewhere, such as in a run record.

use std::collections::BTreeMap;

use crate::{
    digest::Digest,
    manifest::{Manifest, ManifestError, Predecessor},
};

/// What the chain needs to know of one manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    stored_as: u64,
    project: String,
    export: String,
    version: u64,
    digest: Digest,
    predecessor: Option<Predecessor>,
}

impl Link {
    /// The link of `manifest`, which lies in the store under version `stored_as`.
    ///
    /// # Errors
    /// When the manifest contradicts itself.
    pub fn new(stored_as: u64, manifest: &Manifest) -> Result<Self, ManifestError> {
        Ok(Self {
            stored_as,
            project: manifest.project.clone(),
            export: manifest.export.clone(),
            version: manifest.version,
            digest: manifest.digest()?,
            predecessor: manifest.predecessor,
        })
    }

    /// The version it lies in the store under.
    #[must_use]
    pub fn stored_as(&self) -> u64 {
        self.stored_as
    }

    /// The one it says it follows.
    #[must_use]
    pub fn predecessor(&self) -> Option<Predecessor> {
        self.predecessor
    }
}

/// A manifest known from elsewhere to have been committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Its version.
    pub version: u64,
    /// The digest of its canonical bytes.
    pub digest: Digest,
}

/// What the chain should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The export's name.
    pub export: &'a str,
    /// The oldest version that retention has kept: 1 when it has deleted none.
    pub oldest: u64,
    /// The newest manifest known from elsewhere.
    pub anchor: Option<Anchor>,
}

/// One fault of a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainFault {
    /// A manifest of another project or export.
    #[error("the manifest stored as version {stored_as} belongs to another export")]
    Foreign {
        /// Where it lies.
        stored_as: u64,
    },
    /// A manifest stored under a version that is not its own.
    #[error("the manifest stored as version {stored_as} is version {version}")]
    Misplaced {
        /// Where it lies.
        stored_as: u64,
        /// What it is.
        version: u64,
    },
    /// One manifest in two places.
    #[error("the manifest stored as version {stored_as} is also stored as version {first}")]
    Replayed {
        /// Where it lies again.
        stored_as: u64,
        /// Where it lies first.
        first: u64,
    },
    /// Versions missing in between, or before the first.
    #[error("versions {from} to {to} are missing")]
    Missing {
        /// The first one missing.
        from: u64,
        /// The last one missing.
        to: u64,
    },
    /// A manifest that names another predecessor than the one stored.
    #[error("version {version} does not follow the version before it: one of them was replaced")]
    Broken {
        /// The later of the two.
        version: u64,
    },
    /// The newest manifests known from elsewhere are gone.
    #[error("the newest version is {newest}, but version {known} was committed: rolled back")]
    RolledBack {
        /// The newest one stored; 0 when there is none.
        newest: u64,
        /// The one known to have been committed.
        known: u64,
    },
    /// A committed manifest was replaced by another.
    #[error("version {version} is not the one that was committed")]
    Replaced {
        /// Its version.
        version: u64,
    },
}

/// Checks the chain of `links`, in any order, and gives every fault, in order of versions.
#[must_use]
pub fn verify(links: &[Link], expected: Expected<'_>) -> Vec<ChainFault> {
    let mut faults = Vec::new();
    let mut ordered: Vec<&Link> = links.iter().collect();
    ordered.sort_by_key(|link| link.stored_as);
    let mut seen: BTreeMap<Digest, u64> = BTreeMap::new();
    let mut previous: Option<&Link> = None;
    for link in ordered {
        check_place(link, expected, &mut seen, &mut faults);
        check_follows(previous, link, expected.oldest, &mut faults);
        previous = Some(link);
    }
    check_anchor(links, expected.anchor, &mut faults);
    faults
}

fn check_place(
    link: &Link,
    expected: Expected<'_>,
    seen: &mut BTreeMap<Digest, u64>,
    faults: &mut Vec<ChainFault>,
) {
    let stored_as = link.stored_as;
    if link.project != expected.project || link.export != expected.export {
        faults.push(ChainFault::Foreign { stored_as });
    }
    if link.version != stored_as {
        faults.push(ChainFault::Misplaced { stored_as, version: link.version });
    }
    let first = *seen.entry(link.digest).or_insert(stored_as);
    if first != stored_as {
        faults.push(ChainFault::Replayed { stored_as, first });
    }
}

fn check_follows(previous: Option<&Link>, link: &Link, oldest: u64, faults: &mut Vec<ChainFault>) {
    let from = previous.map_or(Some(oldest), |previous| previous.stored_as.checked_add(1));
    let Some(from) = from else { return };
    if link.stored_as > from {
        faults.push(ChainFault::Missing { from, to: link.stored_as.saturating_sub(1) });
        return;
    }
    if let Some(previous) = previous {
        let named = Predecessor { version: previous.version, digest: previous.digest };
        if link.predecessor != Some(named) {
            faults.push(ChainFault::Broken { version: link.stored_as });
        }
    }
}

fn check_anchor(links: &[Link], anchor: Option<Anchor>, faults: &mut Vec<ChainFault>) {
    let Some(anchor) = anchor else { return };
    let newest = links.iter().map(|link| link.stored_as).max().unwrap_or(0);
    if newest < anchor.version {
        faults.push(ChainFault::RolledBack { newest, known: anchor.version });
    }
    let stored = links.iter().find(|link| link.stored_as == anchor.version);
    if stored.is_some_and(|link| link.digest != anchor.digest) {
        faults.push(ChainFault::Replaced { version: anchor.version });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(version: u64) -> Digest {
        Digest::of(&version.to_be_bytes())
    }

    fn link(version: u64) -> Link {
        Link {
            stored_as: version,
            project: "p".to_owned(),
            export: "e".to_owned(),
            version,
            digest: digest(version),
            predecessor: (version > 1)
                .then(|| Predecessor { version: version - 1, digest: digest(version - 1) }),
        }
    }

    fn faults(links: &[Link], anchor: Option<u64>) -> Vec<ChainFault> {
        let anchor = anchor.map(|version| Anchor { version, digest: digest(version) });
        verify(links, Expected { project: "p", export: "e", oldest: 1, anchor })
    }

    #[test]
    fn a_whole_chain_has_no_fault() {
        assert_eq!(faults(&[], None), []);
        assert_eq!(faults(&[link(3), link(1), link(2)], Some(2)), []);
        let kept = [link(3), link(4)];
        let expected = Expected { project: "p", export: "e", oldest: 3, anchor: None };
        assert_eq!(verify(&kept, expected), []);
    }

    #[test]
    fn gaps_are_found() {
        let gap = faults(&[link(1), link(4)], None);
        assert_eq!(gap, [ChainFault::Missing { from: 2, to: 3 }]);
        assert_eq!(faults(&[link(2)], None), [ChainFault::Missing { from: 1, to: 1 }]);
    }

    #[test]
    fn replaced_and_replayed_manifests_are_found() {
        let mut other = link(2);
        other.digest = digest(99);
        let found = faults(&[link(1), other.clone(), link(3)], None);
        assert_eq!(found, [ChainFault::Broken { version: 3 }]);
        // At the end only an anchor tells.
        assert_eq!(faults(&[link(1), other.clone()], None), []);
        assert_eq!(faults(&[link(1), other], Some(2)), [ChainFault::Replaced { version: 2 }]);
        let mut again = link(2);
        again.stored_as = 3;
        let found = faults(&[link(1), link(2), again], None);
        assert_eq!(
            found,
            [
                ChainFault::Misplaced { stored_as: 3, version: 2 },
                ChainFault::Replayed { stored_as: 3, first: 2 },
                ChainFault::Broken { version: 3 },
            ]
        );
    }

    #[test]
    fn rollback_shows_against_an_anchor() {
        let found = faults(&[link(1)], Some(3));
        assert_eq!(found, [ChainFault::RolledBack { newest: 1, known: 3 }]);
        assert_eq!(faults(&[], Some(1)), [ChainFault::RolledBack { newest: 0, known: 1 }]);
    }

    #[test]
    fn foreign_manifests_are_found() {
        let mut foreign = link(1);
        foreign.export = "other".to_owned();
        assert_eq!(faults(&[foreign], None), [ChainFault::Foreign { stored_as: 1 }]);
    }
}
