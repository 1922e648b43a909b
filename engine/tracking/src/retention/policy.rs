//! What a project says of how long things are kept.

use std::{collections::BTreeMap, num::NonZeroU32};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::span::{Moment, Span};

const GRACE_DAYS: NonZeroU32 = NonZeroU32::MIN.saturating_add(29);
const EXECUTIONS_DAYS: NonZeroU32 = NonZeroU32::MIN.saturating_add(89);
const SECURITY_YEARS: NonZeroU32 = NonZeroU32::MIN;
const COMPLIANCE_YEARS: NonZeroU32 = NonZeroU32::MIN.saturating_add(6);

/// A policy that cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// `keep: 0`: no snapshot would ever be readable.
    #[error("`keep` is at least 1; `max_age` lets the last snapshot go, too")]
    KeepNothing,
    /// A rule for snapshots that names neither a number nor an age.
    #[error("`snapshots` needs `keep`, `max_age` or both")]
    NoLimit,
    /// A hold that nobody answers for.
    #[error("a legal hold names its owner")]
    NoOwner,
    /// A hold that nobody can judge.
    #[error("a legal hold gives its reason")]
    NoReason,
}

/// How long the things under it are kept, and how they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What exports and others refer to it by; on every tombstone and record of a deletion.
    pub name: String,
    /// When snapshots go; `None`: never by this policy.
    pub snapshots: Option<SnapshotRule>,
    /// When rows go out of chunks; `None`: never by this policy.
    pub rows: Option<RowRule>,
    /// How long ago a version in a history may have been superseded; `None`: it stays.
    pub superseded_for: Option<Span>,
    /// The greatest age per class of record; a class that is not here is kept.
    pub records: BTreeMap<RecordClass, Span>,
    /// How long a thing lies tombstoned before it is destroyed.
    pub grace: Span,
    /// While in force, nothing under this policy goes.
    pub legal_hold: Option<LegalHold>,
    /// Why so long, in the project's words: a law, a contract.
    pub basis: Option<String>,
    /// The store to which things are copied before they are destroyed.
    pub cold: Option<String>,
}

impl Policy {
    /// A policy that lets nothing go but what killed runs leave behind, with a grace of 30 days.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            snapshots: None,
            rows: None,
            superseded_for: None,
            records: BTreeMap::new(),
            grace: Span::days(GRACE_DAYS),
            legal_hold: None,
            basis: None,
            cold: None,
        }
    }
}

/// When snapshots of an export go: when beyond `keep` or older than `max_age`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotRule {
    keep: Option<NonZeroU32>,
    max_age: Option<Span>,
}

impl SnapshotRule {
    /// At least one limit.
    ///
    /// # Errors
    /// When `keep` is 0, or there is no limit.
    pub fn new(keep: Option<u32>, max_age: Option<Span>) -> Result<Self, PolicyError> {
        let keep = match keep.map(NonZeroU32::new) {
            Some(None) => return Err(PolicyError::KeepNothing),
            Some(keep) => keep,
            None if max_age.is_none() => return Err(PolicyError::NoLimit),
            None => None,
        };
        Ok(Self { keep, max_age })
    }

    /// How many versions stay, counted back from the newest one ever committed.
    #[must_use]
    pub fn keep(&self) -> Option<NonZeroU32> {
        self.keep
    }

    /// How long a snapshot stays after its commit.
    #[must_use]
    pub fn max_age(&self) -> Option<Span> {
        self.max_age
    }
}

/// Which rows go out of the chunks that hold them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRule {
    /// How far back the column's moment may lie.
    pub older_than: Span,
    /// The column that tells a row's age. A row where it is null has no age and stays.
    pub by: String,
}

/// Kinds of records, which are kept for different lengths of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordClass {
    /// Records of runs.
    Executions,
    /// Who did, approved or was refused what.
    Security,
    /// What proves that rules were kept: deletions, attestations.
    Compliance,
    /// Schemas of sources as they once were.
    Schemas,
    /// What the engine said while running.
    Logs,
    /// Rows set aside because a test refused them.
    Quarantine,
}

impl RecordClass {
    /// Every class.
    pub const ALL: [Self; 6] = [
        Self::Executions,
        Self::Security,
        Self::Compliance,
        Self::Schemas,
        Self::Logs,
        Self::Quarantine,
    ];

    /// The age that a new project begins with: 90 days for executions, 1 year for security events,
    /// 7 years for compliance records. The other classes have none: they are kept until a policy
    /// says otherwise.
    #[must_use]
    pub fn template_age(self) -> Option<Span> {
        match self {
            Self::Executions => Some(Span::days(EXECUTIONS_DAYS)),
            Self::Security => Some(Span::years(SECURITY_YEARS)),
            Self::Compliance => Some(Span::years(COMPLIANCE_YEARS)),
            Self::Schemas | Self::Logs | Self::Quarantine => None,
        }
    }
}

/// Somebody's word that things must stay, whatever any policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalHold {
    owner: String,
    reason: String,
    until: Option<NaiveDate>,
}

impl LegalHold {
    /// A hold through the last hour of `until`, in UTC, or until it is removed.
    ///
    /// # Errors
    /// When owner or reason is blank.
    pub fn new(
        owner: impl Into<String>,
        reason: impl Into<String>,
        until: Option<NaiveDate>,
    ) -> Result<Self, PolicyError> {
        let (owner, reason) = (owner.into(), reason.into());
        if owner.trim().is_empty() {
            return Err(PolicyError::NoOwner);
        }
        if reason.trim().is_empty() {
            return Err(PolicyError::NoReason);
        }
        Ok(Self { owner, reason, until })
    }

    /// Who answers for it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Why it is there.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The last day on which it holds; `None`: until it is removed.
    #[must_use]
    pub fn until(&self) -> Option<NaiveDate> {
        self.until
    }

    /// Whether it holds at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: Moment) -> bool {
        self.until.is_none_or(|until| now.date_naive() <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_without_effect_or_mercy_is_refused() {
        assert_eq!(SnapshotRule::new(Some(0), None), Err(PolicyError::KeepNothing));
        assert_eq!(SnapshotRule::new(Some(0), "1d".parse().ok()), Err(PolicyError::KeepNothing));
        assert_eq!(SnapshotRule::new(None, None), Err(PolicyError::NoLimit));
        assert!(SnapshotRule::new(Some(1), None).is_ok());
    }

    #[test]
    fn a_hold_has_an_owner_and_a_reason() {
        assert_eq!(LegalHold::new(" ", "case 7", None), Err(PolicyError::NoOwner));
        assert_eq!(LegalHold::new("legal", "", None), Err(PolicyError::NoReason));
    }

    #[test]
    fn a_hold_lasts_through_its_last_day() {
        let hold = LegalHold::new("legal", "case 7", "2026-03-01".parse().ok()).unwrap();
        assert!(hold.is_in_force("2026-03-01T23:59:59Z".parse().unwrap()));
        assert!(!hold.is_in_force("2026-03-02T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn defaults_are_those_of_the_template() {
        assert_eq!(Policy::new("p").grace.to_string(), "30d");
        let ages = RecordClass::ALL.map(|class| class.template_age().map(|age| age.to_string()));
        let [executions, security, compliance, others @ ..] = ages;
        assert_eq!(executions.as_deref(), Some("90d"));
        assert_eq!(security.as_deref(), Some("1y"));
        assert_eq!(compliance.as_deref(), Some("7y"));
        assert_eq!(others, [None, None, None]);
    }
}
