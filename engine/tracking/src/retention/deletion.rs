//! The record of what was destroyed: by which policy, how much, what exactly, by whom.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    due::{Due, Item, Totals},
    policy::Policy,
    span::Moment,
    tombstones::{What, instant, instant_or_null},
};

/// The version of the format.
pub const DELETION_VERSION: u32 = 1;

/// What one policy destroyed in one go. It names nothing that tells what was in it.
///
/// Written before the first of it is destroyed: when that is interrupted, the rest goes with a record
/// of its own, so a thing may be on two records, and is never on none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deletion {
    /// [`DELETION_VERSION`].
    pub format_version: u32,
    /// The policy's name.
    pub policy: String,
    /// Why it is as it is, in the project's words.
    pub basis: Option<String>,
    /// Who ran it.
    pub by: String,
    /// When.
    #[serde(with = "instant")]
    pub at: Moment,
    /// How many snapshots went.
    pub snapshots: u64,
    /// How many chunks.
    pub chunks: u64,
    /// How many records.
    pub records: u64,
    /// Rows of the chunks, where known.
    pub rows: u64,
    /// Bytes of chunks and records.
    pub bytes: u64,
    /// The earliest moment of any of them.
    #[serde(with = "instant_or_null")]
    pub oldest: Option<Moment>,
    /// The latest moment of any of them.
    #[serde(with = "instant_or_null")]
    pub newest: Option<Moment>,
    /// The [digest](digest_of) of their names.
    pub digest: String,
}

impl Deletion {
    /// A record of nothing by a policy, to be filled in.
    #[must_use]
    pub fn nothing(policy: &Policy, by: &str, at: Moment) -> Self {
        Self { basis: policy.basis.clone(), ..Self::by_policy(&policy.name, &[], by, at) }
    }

    /// One for each policy that something of `due.destroy` goes by, in ascending order of names. A
    /// thing that two policies want gone is on the record of both. `policies` give the basis.
    #[must_use]
    pub fn of(policies: &[Policy], due: &Due, by: &str, at: Moment) -> Vec<Self> {
        let causes = due.destroy.iter().flat_map(|item| &item.causes);
        let names: BTreeSet<&str> = causes.map(|cause| cause.policy.as_str()).collect();
        let deletion = |name: &str| {
            let items = due.destroy.iter().filter(|item| item.is_wanted_by(name));
            let items: Vec<&Item> = items.collect();
            let policy = policies.iter().find(|policy| policy.name == name);
            let basis = policy.and_then(|policy| policy.basis.clone());
            Self { basis, ..Self::by_policy(name, &items, by, at) }
        };
        names.into_iter().map(deletion).collect()
    }

    fn by_policy(policy: &str, items: &[&Item], by: &str, at: Moment) -> Self {
        let totals = Totals::of(items.iter().copied());
        Self {
            format_version: DELETION_VERSION,
            policy: policy.to_owned(),
            basis: None,
            by: by.to_owned(),
            at,
            snapshots: totals.snapshots,
            chunks: totals.chunks,
            records: totals.records,
            rows: totals.rows,
            bytes: totals.bytes,
            oldest: totals.oldest,
            newest: totals.newest,
            digest: digest_of(items.iter().map(|item| name(&item.what))),
        }
    }
}

/// What a thing is called in the digest: the digest of a manifest, the id of a chunk or record.
fn name(what: &What) -> &str {
    match what {
        What::Chunk(id) | What::Record { id, .. } => id,
        What::Snapshot { manifest, .. } => manifest,
    }
}

/// SHA-256 over the names in ascending order without repetitions, each ended by a line feed: what
/// `sort --unique | sha256sum` gives in the C locale. As `sha256:` and 64 hexadecimal digits.
#[must_use]
pub fn digest_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name.as_bytes());
        hash.update(b"\n");
    }
    format!("sha256:{}", base16ct::lower::encode_string(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `printf 'a\nb\n' | sha256sum`.
    #[test]
    fn the_digest_is_that_of_the_sorted_lines() {
        let expected = "sha256:911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2";
        assert_eq!(digest_of(["b", "a", "b"]), expected);
        assert_ne!(digest_of(["ab"]), digest_of(["a", "b"]));
    }
}
