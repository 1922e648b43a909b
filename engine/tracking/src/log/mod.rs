//! The log of a source's changes: one entry for each time it was found changed, newest first.

mod render;
mod summary;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Deserializer, Serialize, de};

pub use render::line;
pub use summary::summary;

use crate::changes::{Change, ChangeKind};

/// The version of the document that is written, and the only one that is read.
pub const FORMAT_VERSION: u32 = 1;

/// A log of changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeLog {
    /// [`FORMAT_VERSION`].
    #[serde(deserialize_with = "known_version")]
    pub format_version: u32,
    /// In the order they were recorded, the last one first.
    pub entries: Vec<Entry>,
}

/// What was found changed at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When, as RFC 3339: the caller's clock.
    pub time: String,
    /// The source's name.
    pub source: String,
    /// The changes in one line.
    pub summary: String,
    /// The changes.
    pub changes: Vec<Change>,
    /// The caller's digest of the record that they led to: two entries may look alike where texts are not
    /// kept, and are not the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Names of what was put aside because of them, such as the former record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub archived: Vec<String>,
    /// Names of what of it a retention policy has removed since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expired: Vec<String>,
}

impl Entry {
    /// An entry whose summary is made from its changes.
    #[must_use]
    pub fn new(time: impl Into<String>, source: impl Into<String>, changes: Vec<Change>) -> Self {
        Self {
            time: time.into(),
            source: source.into(),
            summary: summary(&changes),
            changes,
            record: None,
            archived: Vec::new(),
            expired: Vec::new(),
        }
    }

    /// The same entry with some of its changes, and their summary; none where none is left.
    fn only(&self, keep: impl Fn(&Change) -> bool) -> Option<Self> {
        let changes: Vec<_> = self.changes.iter().filter(|change| keep(change)).cloned().collect();
        let summary = summary(&changes);
        (!changes.is_empty()).then(|| Self { summary, changes, ..self.clone() })
    }
}

impl Default for ChangeLog {
    fn default() -> Self {
        Self { format_version: FORMAT_VERSION, entries: Vec::new() }
    }
}

impl ChangeLog {
    /// Puts an entry before all others. Its time is not compared with theirs: clocks go back at times.
    pub fn record(&mut self, entry: Entry) {
        self.entries.insert(0, entry);
    }

    /// The entries of this day (`2026-11-23`) and later, by the date their time is written with.
    #[must_use]
    pub fn since(&self, day: &str) -> Self {
        let is_later = |entry: &&Entry| entry.time.get(..day.len()).is_some_and(|on| on >= day);
        Self { entries: self.entries.iter().filter(is_later).cloned().collect(), ..Self::default() }
    }

    /// The changes of one table, under its present name and those it had before.
    #[must_use]
    pub fn of_table(&self, name: &str) -> Self {
        let mut name = name.to_owned();
        let mut entries = Vec::new();
        for entry in &self.entries {
            let of_it = |change: &Change| change.table.as_deref() == Some(&name);
            let renamed =
                |change: &&Change| change.kind == ChangeKind::TableRenamed && of_it(change);
            let former =
                entry.changes.iter().find(renamed).and_then(|change| change.before.clone());
            entries.extend(entry.only(of_it));
            name = former.unwrap_or(name);
        }
        Self { entries, ..Self::default() }
    }

    /// The log as Markdown: a heading for each entry, an item for each change.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        render::markdown(self)
    }

    /// The log as lines of plain text: one for each entry, one for each change below it.
    #[must_use]
    pub fn to_text(&self) -> String {
        render::text(self)
    }
}

fn known_version<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        FORMAT_VERSION => Ok(FORMAT_VERSION),
        other => Err(de::Error::custom(format_args!(
            "format version {other} of a change log is not known; this is version {FORMAT_VERSION}"
        ))),
    }
}
