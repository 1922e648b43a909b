//! How long things are kept.

use super::Approval;
use crate::location::{Location, Spanned};

/// A retention policy. Spans of time are texts here: their meaning is their reader's.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Its name, an identifier.
    pub name: Spanned<String>,
    /// How many snapshots stay.
    pub keep: Option<u32>,
    /// The greatest age of a snapshot.
    pub max_age: Option<Spanned<String>>,
    /// Which rows go.
    pub rows: Option<RowRule>,
    /// How long ago a version in a history may have been superseded.
    pub superseded_for: Option<Spanned<String>>,
    /// How long run records are kept.
    pub records: RecordAges,
    /// Where things are copied to before they are destroyed: a `file://` URL, or the name of a connection.
    pub cold: Option<Spanned<String>>,
    /// Exports that the project no longer has.
    pub former_exports: Vec<Spanned<String>>,
    /// How long what goes can still be brought back.
    pub grace: Option<Spanned<String>>,
    /// While this holds, nothing goes.
    pub legal_hold: Option<Approval>,
    /// Why so long.
    pub basis: Option<String>,
    /// The whole entry.
    pub at: Location,
}

/// Which rows go by their own age.
#[derive(Clone, Debug)]
pub struct RowRule {
    /// How far back the column may lie.
    pub older_than: Spanned<String>,
    /// The published column.
    pub by: Spanned<String>,
}

/// The greatest age of run records, by their class; none: kept.
#[derive(Clone, Debug, Default)]
pub struct RecordAges {
    /// Of commands.
    pub executions: Option<Spanned<String>>,
    /// Of security events.
    pub security: Option<Spanned<String>>,
    /// Of deletions.
    pub compliance: Option<Spanned<String>>,
}

impl RecordAges {
    /// Whether none is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.executions.is_none() && self.security.is_none() && self.compliance.is_none()
    }
}
