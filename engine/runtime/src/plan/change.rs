//! One line of a plan: what changes, why, and who caused it.

use serde::{Deserialize, Serialize};

/// The section a change is listed in, in the order of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// What can be read, and what cannot any more.
    Privacy,
    /// Columns of the sources.
    Schema,
    /// Snapshots that are written.
    Data,
    /// Tables that are filled.
    Loads,
    /// Masking keys.
    Keys,
    /// What stops the run.
    Gates,
}

impl Section {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Privacy, Self::Schema, Self::Data, Self::Loads, Self::Keys, Self::Gates];

    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Privacy => "Privacy",
            Self::Schema => "Schema",
            Self::Data => "Data",
            Self::Loads => "Loads",
            Self::Keys => "Keys",
            Self::Gates => "Gates",
        }
    }
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Where it is listed.
    pub section: Section,
    /// What kind of change it is: `unmasked`, `column_added`, `key_version` and so on.
    pub kind: String,
    /// Whether more can be read afterwards than before.
    pub widens: bool,
    /// The export, table or key.
    pub node: String,
    /// Its column.
    pub column: Option<String>,
    /// What was.
    pub before: Option<String>,
    /// What will be.
    pub after: Option<String>,
    /// Why it is a change worth a line.
    pub reason: String,
    /// Who answers for what will be.
    pub owner: Option<String>,
    /// File, line and column of what caused it. Not part of the document: a comment above it would
    /// change that.
    #[serde(skip)]
    pub place: Option<String>,
}

impl Change {
    /// A change that widens nothing, with its reason.
    pub(super) fn new(
        section: Section,
        kind: &str,
        node: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            section,
            kind: kind.to_owned(),
            widens: false,
            node: node.into(),
            column: None,
            before: None,
            after: None,
            reason: reason.into(),
            owner: None,
            place: None,
        }
    }

    /// Of a column.
    pub(super) fn of(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self
    }

    /// From this to that.
    pub(super) fn between(mut self, before: Option<String>, after: Option<String>) -> Self {
        self.before = before;
        self.after = after;
        self
    }

    /// One after which more can be read.
    pub(super) fn widening(mut self, widens: bool) -> Self {
        self.widens = widens;
        self
    }
}
