//! What is recorded over time.

use crate::location::{Location, Spanned};

/// What is recorded over time.
#[derive(Clone, Debug, Default)]
pub struct Tracking {
    /// The schemas of sources; each source stands in one of these at most.
    pub schemas: Vec<SchemaTracking>,
    /// The policy that run records are kept by.
    pub runs: Option<Spanned<String>>,
    /// The histories of exports.
    pub histories: Vec<History>,
}

/// The history of an export's rows.
#[derive(Clone, Debug)]
pub struct History {
    /// Its name, after which its tables are called.
    pub name: Spanned<String>,
    /// The export; it exists.
    pub of: Spanned<String>,
    /// The columns that tell rows apart; whether the export has them is not checked here.
    pub key: Vec<Spanned<String>>,
    /// The column that says whose a row is.
    pub tenant: Option<Spanned<String>>,
    /// Columns that refer to other histories.
    pub references: Vec<HistoryReference>,
    /// The policy that its versions are kept by; exists.
    pub retention: Option<Spanned<String>>,
    /// Where it is declared.
    pub at: Location,
}

/// Columns that refer to the key of another history.
#[derive(Clone, Debug)]
pub struct HistoryReference {
    /// What it is called; no two of a history have one name.
    pub name: String,
    /// The columns, as many as the other history's key has.
    pub columns: Vec<Spanned<String>>,
    /// The other history; it exists.
    pub to: Spanned<String>,
    /// The column with the tenant of what is referred to, when that history has tenants.
    pub tenant: Option<Spanned<String>>,
    /// Where it is declared.
    pub at: Location,
}

/// Sources whose schemas are recorded alike.
#[derive(Clone, Debug)]
pub struct SchemaTracking {
    /// The sources; they exist.
    pub sources: Vec<Spanned<String>>,
    /// What a change means, by its kind's word, which is not checked here.
    pub on_change: Vec<(Spanned<String>, OnChange)>,
    /// Whether texts of the catalog are recorded as they are.
    pub values: bool,
    /// The policy that archives are kept by.
    pub retention: Option<Spanned<String>>,
}

/// What a change of a schema means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnChange {
    /// It is recorded.
    Ignore,
    /// It is recorded and said.
    Warn,
    /// Nothing is recorded and nothing runs before somebody accepts it.
    Fail,
}

impl History {
    /// What the names of its tables end with, after its own name.
    pub const TABLES: [&str; 3] = ["_h", "_s", "_l"];
    /// What the names of its tables and views end with.
    pub const NAMES: [&str; 6] = ["", "_h", "_s", "_l", "_current", "_as_of"];
}

impl Tracking {
    /// How the schema of a source is recorded; none where it is not.
    #[must_use]
    pub fn of(&self, source: &str) -> Option<&SchemaTracking> {
        let names = |tracking: &&SchemaTracking| {
            tracking.sources.iter().any(|tracked| tracked.value == source)
        };
        self.schemas.iter().find(names)
    }

    /// The history of this name.
    #[must_use]
    pub fn history(&self, name: &str) -> Option<&History> {
        self.histories.iter().find(|history| history.name.value == name)
    }
}
