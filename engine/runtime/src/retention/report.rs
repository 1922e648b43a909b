//! What is due of exports and histories, as it is told and bound by plans.

use chrono::{DateTime, SecondsFormat, Utc};
use engine_tracking::retention::{Due, Policy, Summary, Totals, What};
use serde::{Deserialize, Serialize};

/// What retention means for one export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportRetention {
    /// The export.
    pub export: String,
    /// Its policy; none where it has none any more.
    pub policy: Option<String>,
    /// Why the policy is as it is.
    pub basis: Option<String>,
    /// What is deleted softly now.
    pub tombstone: Amount,
    /// Whether readers lose the newest snapshot by that.
    pub newest_goes: bool,
    /// What is destroyed now: its grace is over.
    pub destroy: Amount,
    /// What is there because of a legal hold only.
    pub held: Amount,
    /// Snapshots that are live again.
    pub restored: usize,
    /// What becomes of rows by their age; none where the policy has no rule for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowsDue>,
    /// What becomes of versions; none where it is no history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryDue>,
}

/// What a policy means for the versions of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryDue {
    /// How long ago a version may have been superseded; none where that does not matter.
    pub superseded_for: Option<String>,
    /// The column by which rows expire, and how old they may be; none where they do not.
    pub by: Option<(String, String)>,
    /// Whether the history has that column.
    pub has_age: bool,
    /// Versions that stay because the column is null.
    pub undated: u64,
    /// Versions that go.
    pub versions: u64,
    /// Keys of which nothing stays.
    pub keys: u64,
    /// Links that go.
    pub links: u64,
    /// Chunks that are written again without them, or left out.
    pub chunks: u64,
}

impl HistoryDue {
    /// Nothing yet, by a policy.
    #[must_use]
    pub fn of(policy: &Policy, has_age: bool) -> Self {
        let by = policy.rows.as_ref().map(|rule| (rule.by.clone(), rule.older_than.to_string()));
        let superseded_for = policy.superseded_for.map(|span| span.to_string());
        Self { superseded_for, by, has_age, undated: 0, versions: 0, keys: 0, links: 0, chunks: 0 }
    }
}

/// What a rule for rows means for the newest snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsDue {
    /// The published column that tells their age.
    pub by: String,
    /// How old they may be.
    pub older_than: String,
    /// Chunks that are written again without them, or left out.
    pub chunks: u64,
    /// Rows that go.
    pub rows: u64,
    /// Rows that stay because the column is null.
    pub undated: u64,
    /// Whether the snapshot has the column, so that their age can be told.
    pub has_age: bool,
}

/// How much.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Snapshots.
    pub snapshots: u64,
    /// Chunks that go with them, or that no snapshot names.
    pub chunks: u64,
    /// Rows of the chunks, where known.
    pub rows: u64,
    /// Bytes of the chunks.
    pub bytes: u64,
    /// The earliest moment of any of them.
    pub oldest: Option<String>,
    /// The latest moment of any of them.
    pub newest: Option<String>,
}

impl Amount {
    fn of(totals: &Totals) -> Self {
        let text = |moment: Option<DateTime<Utc>>| {
            moment.map(|moment| moment.to_rfc3339_opts(SecondsFormat::Secs, true))
        };
        Self {
            snapshots: totals.snapshots,
            chunks: totals.chunks,
            rows: totals.rows,
            bytes: totals.bytes,
            oldest: text(totals.oldest),
            newest: text(totals.newest),
        }
    }

    fn add(&mut self, other: &Self) {
        self.snapshots += other.snapshots;
        self.chunks += other.chunks;
        self.rows = self.rows.saturating_add(other.rows);
        self.bytes = self.bytes.saturating_add(other.bytes);
        // Moments in this form are in the order of their texts.
        let (oldest, newest) = (self.oldest.take(), self.newest.take());
        self.oldest = oldest.into_iter().chain(other.oldest.clone()).min();
        self.newest = newest.into_iter().chain(other.newest.clone()).max();
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.snapshots == 0 && self.chunks == 0
    }
}

impl ExportRetention {
    /// What is due of an export by its policy.
    #[must_use]
    pub fn of(export: &str, policy: Option<&Policy>, due: &Due) -> Self {
        let summary = due.summaries(policy.map(std::slice::from_ref).unwrap_or_default()).pop();
        let amount = |of: fn(&Summary) -> &Totals| {
            summary.as_ref().map(|summary| Amount::of(of(summary))).unwrap_or_default()
        };
        let is_snapshot = |what: &&What| matches!(what, What::Snapshot { .. });
        Self {
            export: export.to_owned(),
            policy: policy.map(|policy| policy.name.clone()),
            basis: policy.and_then(|policy| policy.basis.clone()),
            tombstone: amount(|summary| &summary.tombstone),
            newest_goes: due.tombstone.iter().any(|item| item.is_newest),
            destroy: amount(|summary| &summary.destroy),
            held: amount(|summary| &summary.held),
            restored: due.restore.iter().filter(is_snapshot).count(),
            rows: None,
            history: None,
        }
    }

    /// Nothing yet.
    #[must_use]
    pub fn none(name: &str, policy: Option<&Policy>) -> Self {
        Self::of(name, policy, &Due::default())
    }

    /// Adds what is due of a table of the history.
    pub fn add(&mut self, table: &Self) {
        self.tombstone.add(&table.tombstone);
        self.destroy.add(&table.destroy);
        self.held.add(&table.held);
        self.restored += table.restored;
    }

    /// Whether nothing is due.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.tombstone.is_nothing()
            && self.destroy.is_nothing()
            && self.restored == 0
            && !self.has_expired_rows()
            && !self.has_old_versions()
    }

    /// Whether versions go, or would if their age could be told.
    fn has_old_versions(&self) -> bool {
        self.history.as_ref().is_some_and(|history| history.versions > 0 || !history.has_age)
    }

    /// Whether rows go, or would if their age could be told.
    fn has_expired_rows(&self) -> bool {
        self.rows.as_ref().is_some_and(|rows| rows.rows > 0 || !rows.has_age)
    }
}
