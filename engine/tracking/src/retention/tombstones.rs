//! The document of what is soft-deleted: written before anything is destroyed, by conditional commit.
//!
//! Canonical JSON: fixed field order, entries sorted by what they are about, no white space;
//! [`parse`](Tombstones::parse) accepts nothing else. One document per export, and one for the
//! records of a project.

use std::collections::{BTreeMap, BTreeSet};

use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};

use super::{due::Item, policy::RecordClass, span::Moment};

/// The version of the format that this crate writes, and the only one it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Why a document of tombstones cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TombstonesError {
    /// Not the JSON of such a document. The text itself is not quoted.
    #[error("the tombstones are malformed at line {line}, column {column}")]
    Format {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A later version of the format.
    #[error("the tombstones have format version {found}; this engine reads {FORMAT_VERSION}")]
    UnknownVersion {
        /// The version in the document.
        found: u32,
    },
    /// The right content in other bytes than the canonical ones, or out of order.
    #[error("the tombstones are not in canonical form")]
    NotCanonical,
}

/// A thing that retention may destroy. Sorts in the order of destruction: what a crash leaves behind
/// is then still named by something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// A chunk, by its id.
    Chunk(String),
    /// A snapshot: its manifest.
    Snapshot {
        /// Its version.
        version: u64,
        /// The digest of its manifest: a version alone does not say which one was meant.
        manifest: String,
    },
    /// A record.
    Record {
        /// Its class.
        class: RecordClass,
        /// Its id within the class.
        id: String,
    },
}

/// Which rule wants a thing gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Beyond the number of snapshots to keep.
    Keep,
    /// Older than the greatest age.
    Age,
    /// It holds rows that are expired, and a later snapshot was made to do without them.
    Rows,
    /// A chunk that no snapshot names: a killed run left it.
    Orphan,
}

/// Who wants a thing gone, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// The policy's name.
    pub policy: String,
    /// Its rule.
    pub reason: Reason,
}

/// One soft-deleted thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    /// What it stands for.
    pub what: What,
    /// What its age counts from. Those of snapshots matter after they are gone: no snapshot counts as
    /// younger than one committed after it.
    #[serde(with = "instant")]
    pub at: Moment,
    /// From when its grace counts.
    #[serde(with = "instant")]
    pub since: Moment,
    /// Who wanted it gone then, in ascending order.
    pub causes: Vec<Cause>,
    /// When its destruction was begun: what is no longer whole then is not restored.
    #[serde(with = "instant_or_null")]
    pub begun: Option<Moment>,
    /// When it was found to be gone. Kept for snapshots only, whose successors name their digests.
    #[serde(with = "instant_or_null")]
    pub collected: Option<Moment>,
    /// The cold stores it was copied to before it was destroyed, in ascending order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cold: Vec<String>,
}

/// All tombstones of an export, or of a project's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstones {
    format_version: u32,
    /// Snapshots up to this version are gone, and only the last of them is among the entries; 0: none is forgotten.
    #[serde(default, skip_serializing_if = "is_zero")]
    forgotten_to: u64,
    entries: Vec<Tombstone>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Default for Tombstones {
    fn default() -> Self {
        Self { format_version: FORMAT_VERSION, forgotten_to: 0, entries: Vec::new() }
    }
}

/// The one field that every version of the format has.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

impl Tombstones {
    /// Nothing is soft-deleted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every tombstone, in ascending order of what it stands for.
    #[must_use]
    pub fn entries(&self) -> &[Tombstone] {
        &self.entries
    }

    /// The tombstone of a thing, if it has one. What it says of snapshots goes for readers: they
    /// pass over a snapshot that has one.
    #[must_use]
    pub fn get(&self, what: &What) -> Option<&Tombstone> {
        let index = self.entries.binary_search_by(|entry| entry.what.cmp(what)).ok()?;
        self.entries.get(index)
    }

    /// The greatest version that a tombstone stands for. The next commit is above it, though the
    /// store may hold no snapshot any more: a version is used once.
    #[must_use]
    pub fn newest_version(&self) -> Option<u64> {
        let versions = self.entries.iter().filter_map(|entry| match entry.what {
            What::Snapshot { version, .. } => Some(version),
            What::Chunk(_) | What::Record { .. } => None,
        });
        versions.max()
    }

    /// The document without the tombstones of `restored`, whose things are live again. What has none
    /// is passed over; that a thing is still whole is for the caller to know.
    #[must_use]
    pub fn restore(&self, restored: &[What]) -> Self {
        let restored: BTreeSet<&What> = restored.iter().collect();
        let entries = self.entries.iter().filter(|entry| !restored.contains(&entry.what));
        self.having(entries.cloned().collect())
    }

    /// The document with further tombstones. A thing that has one keeps it, and its grace with it.
    #[must_use]
    pub(crate) fn with(&self, added: impl IntoIterator<Item = Tombstone>) -> Self {
        let known = self.entries.iter().cloned();
        let mut entries: BTreeMap<What, Tombstone> =
            known.map(|entry| (entry.what.clone(), entry)).collect();
        for entry in added {
            entries.entry(entry.what.clone()).or_insert(entry);
        }
        self.having(entries.into_values().collect())
    }

    /// The document before `destroyed` are. What was begun before keeps that moment.
    #[must_use]
    pub(crate) fn begin(&self, destroyed: &[What], now: Moment) -> Self {
        let destroyed: BTreeSet<&What> = destroyed.iter().collect();
        let mut entries = self.entries.clone();
        for entry in entries.iter_mut().filter(|entry| destroyed.contains(&entry.what)) {
            entry.begun.get_or_insert(now);
        }
        self.having(entries)
    }

    /// The document that says of `destroyed` things where they are copied to first.
    #[must_use]
    pub(crate) fn copied(&self, destroyed: &[Item]) -> Self {
        let cold: BTreeMap<&What, &Vec<String>> =
            destroyed.iter().map(|item| (&item.what, &item.cold)).collect();
        let mut entries = self.entries.clone();
        for entry in &mut entries {
            if let Some(stores) = cold.get(&entry.what) {
                entry.cold.extend(stores.iter().cloned());
                entry.cold.sort();
                entry.cold.dedup();
            }
        }
        self.having(entries)
    }

    /// The document after `gone` were found to be no longer there: snapshots are marked, others
    /// forgotten.
    #[must_use]
    pub(crate) fn without(&self, gone: &[What], now: Moment) -> Self {
        let gone: BTreeSet<&What> = gone.iter().collect();
        let mut entries = self.entries.clone();
        entries.retain_mut(|entry| {
            if !gone.contains(&entry.what) {
                return true;
            }
            entry.collected.get_or_insert(now);
            matches!(entry.what, What::Snapshot { .. })
        });
        self.having(entries).forget()
    }

    fn having(&self, entries: Vec<Tombstone>) -> Self {
        Self { format_version: FORMAT_VERSION, forgotten_to: self.forgotten_to, entries }
    }

    /// Every snapshot up to this version is gone. The last of them has a tombstone, with its digest; those before
    /// it have none any more, so that the document does not grow for ever.
    #[must_use]
    pub fn forgotten_to(&self) -> u64 {
        self.forgotten_to
    }

    /// The document without the tombstones that nothing needs: of a beginning of the chain that is gone, only the
    /// last is followed by something.
    fn forget(mut self) -> Self {
        let collected = self.entries.iter().filter(|entry| entry.collected.is_some());
        let versions: BTreeSet<u64> = collected.filter_map(version).collect();
        let first = self.forgotten_to.saturating_add(1);
        let gone = (first..).take_while(|next| versions.contains(next)).last();
        if let Some(last) = gone {
            self.forgotten_to = last;
            self.entries.retain(|entry| version(entry).is_none_or(|version| version >= last));
        }
        self
    }

    /// Reads a document. `bytes` are untrusted until then.
    ///
    /// # Errors
    /// A [`TombstonesError`] for each way in which they are not a canonical document.
    pub fn parse(bytes: &[u8]) -> Result<Self, TombstonesError> {
        let version: Version = serde_json::from_slice(bytes).map_err(|e| malformed(&e))?;
        if version.format_version != FORMAT_VERSION {
            return Err(TombstonesError::UnknownVersion { found: version.format_version });
        }
        let parsed: Self = serde_json::from_slice(bytes).map_err(|e| malformed(&e))?;
        let sorted = parsed.entries.is_sorted_by(|before, after| before.what < after.what);
        let sorted = sorted && parsed.entries.iter().all(|entry| is_ascending(&entry.causes));
        if !sorted || parsed.to_bytes()? != bytes {
            return Err(TombstonesError::NotCanonical);
        }
        Ok(parsed)
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// None that is known: every document has a JSON form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TombstonesError> {
        serde_json::to_vec(self).map_err(|e| malformed(&e))
    }
}

fn version(entry: &Tombstone) -> Option<u64> {
    match entry.what {
        What::Snapshot { version, .. } => Some(version),
        What::Chunk(_) | What::Record { .. } => None,
    }
}

fn is_ascending(causes: &[Cause]) -> bool {
    causes.is_sorted_by(|before, after| before < after)
}

fn malformed(error: &serde_json::Error) -> TombstonesError {
    TombstonesError::Format { line: error.line(), column: error.column() }
}

fn text(moment: &Moment) -> String {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A moment as RFC 3339 text in UTC, with as many digits as it has.
pub(crate) mod instant {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::{Moment, text};

    pub(crate) fn serialize<S: Serializer>(moment: &Moment, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&text(moment))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Moment, D::Error> {
        String::deserialize(from)?.parse().map_err(|_| D::Error::custom("not a moment"))
    }
}

/// The same, or null.
pub(crate) mod instant_or_null {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    use super::{Moment, text};

    pub(crate) fn serialize<S: Serializer>(
        moment: &Option<Moment>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        moment.as_ref().map(text).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Moment>, D::Error> {
        let written = Option::<String>::deserialize(from)?;
        let moment = written.map(|text| text.parse()).transpose();
        moment.map_err(|_| D::Error::custom("not a moment"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(version: u64) -> What {
        What::Snapshot { version, manifest: format!("sha256:{version}") }
    }

    fn tombstone(what: What) -> Tombstone {
        let causes = vec![Cause { policy: "uat".to_owned(), reason: Reason::Age }];
        let since = "2026-03-01T10:00:00Z".parse().unwrap();
        let at = "2025-12-01T10:00:00Z".parse().unwrap();
        Tombstone { what, at, since, causes, begun: None, collected: None, cold: Vec::new() }
    }

    fn document() -> Tombstones {
        let record = What::Record { class: RecordClass::Logs, id: "r".to_owned() };
        let whats = [snapshot(10), snapshot(9), What::Chunk("c".to_owned()), record];
        Tombstones::new().with(whats.map(tombstone))
    }

    /// The format as first published: never edited.
    const VERSION_1: &str = concat!(
        r#"{"format_version":1,"entries":["#,
        r#"{"what":{"snapshot":{"version":9,"manifest":"sha256:9"}},"at":"2025-12-01T10:00:00Z","#,
        r#""since":"2026-03-01T10:00:00Z","#,
        r#""causes":[{"policy":"uat","reason":"age"}],"begun":null,"collected":null},"#,
        r#"{"what":{"snapshot":{"version":10,"manifest":"sha256:10"}},"at":"2025-12-01T10:00:00Z","#,
        r#""since":"2026-03-01T10:00:00Z","#,
        r#""causes":[{"policy":"uat","reason":"age"}],"begun":"2026-03-31T10:00:00Z","collected":"2026-04-01T10:00:00Z"}]}"#
    );

    #[test]
    fn the_format_stays() {
        let gone = "2026-04-01T10:00:00Z".parse().unwrap();
        let document = Tombstones::new().with([10, 9].map(snapshot).map(tombstone));
        let begun = "2026-03-31T10:00:00Z".parse().unwrap();
        let document = document.begin(&[snapshot(10)], begun).begin(&[snapshot(10)], gone);
        let document = document.without(&[snapshot(10)], gone);
        assert_eq!(String::from_utf8(document.to_bytes().unwrap()).unwrap(), VERSION_1);
        assert_eq!(Tombstones::parse(VERSION_1.as_bytes()), Ok(document));
    }

    #[test]
    fn only_canonical_bytes_are_read() {
        let bytes = document().to_bytes().unwrap();
        assert_eq!(Tombstones::parse(&bytes), Ok(document()));
        let later = VERSION_1.replace(r#"version":1"#, r#"version":2"#);
        let unknown = TombstonesError::UnknownVersion { found: 2 };
        assert_eq!(Tombstones::parse(later.as_bytes()), Err(unknown));
        for (from, to) in [
            ("9,", "11,"),
            ("10:00:00Z", "10:00:00+00:00"),
            (r#""entries":"#, r#""entries": "#),
            ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000Z"),
        ] {
            let other = VERSION_1.replacen(from, to, 1);
            let refused = Tombstones::parse(other.as_bytes());
            assert_eq!(refused, Err(TombstonesError::NotCanonical), "{to}");
        }
        for (from, to) in [("age", "whim"), ("collected", "color"), ("T10", "T25"), ("]}", "]")] {
            let refused = Tombstones::parse(VERSION_1.replace(from, to).as_bytes());
            assert!(matches!(refused, Err(TombstonesError::Format { .. })), "{to}: {refused:?}");
        }
    }

    #[test]
    fn a_beginning_that_is_gone_is_forgotten_but_for_its_last() {
        let now = "2026-09-01T10:00:00Z".parse().unwrap();
        let document = Tombstones::new().with([1, 2, 3, 5].map(snapshot).map(tombstone));
        let document = document.without(&[snapshot(1), snapshot(3)], now);
        assert_eq!((document.forgotten_to(), document.entries().len()), (1, 4), "2 is there");
        let document = document.without(&[snapshot(2)], now);
        assert_eq!(document.forgotten_to(), 3);
        let left: Vec<&What> = document.entries().iter().map(|entry| &entry.what).collect();
        assert_eq!(left, [&snapshot(3), &snapshot(5)], "4 was never deleted");
        let bytes = document.to_bytes().unwrap();
        assert_eq!(Tombstones::parse(&bytes), Ok(document));
        // However many come and go, the document stays small.
        let mut document = Tombstones::new();
        for version in 1..=1_000 {
            document = document.with([tombstone(snapshot(version))]);
            document = document.without(&[snapshot(version)], now);
        }
        assert_eq!((document.forgotten_to(), document.entries().len()), (1_000, 1));
        assert_eq!(document.newest_version(), Some(1_000));
    }

    #[test]
    fn a_tombstone_keeps_its_first_moment() {
        let mut again = tombstone(snapshot(9));
        again.since = "2026-09-01T10:00:00Z".parse().unwrap();
        assert_eq!(document().with([again]), document());
    }

    #[test]
    fn the_restored_have_none_and_the_gone_keep_their_digest() {
        let document = document();
        assert_eq!(document.newest_version(), Some(10));
        let restored = document.restore(&[snapshot(9), snapshot(77)]);
        assert_eq!(restored.get(&snapshot(9)), None);
        assert_eq!(restored.entries().len(), 3);
        let now = "2026-09-01T10:00:00Z".parse().unwrap();
        let gone = document.without(&[snapshot(9), What::Chunk("c".to_owned())], now);
        assert_eq!(gone.get(&snapshot(9)).unwrap().collected, Some(now));
        assert_eq!(gone.get(&What::Chunk("c".to_owned())), None);
    }
}
