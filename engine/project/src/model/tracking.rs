//! What is recorded over time.

use crate::location::Spanned;

/// What is recorded over time.
#[derive(Clone, Debug, Default)]
pub struct Tracking {
    /// The schemas of sources; each source stands in one of these at most.
    pub schemas: Vec<SchemaTracking>,
    /// The policy that run records are kept by.
    pub runs: Option<Spanned<String>>,
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

impl Tracking {
    /// How the schema of a source is recorded; none where it is not.
    #[must_use]
    pub fn of(&self, source: &str) -> Option<&SchemaTracking> {
        let names = |tracking: &&SchemaTracking| {
            tracking.sources.iter().any(|tracked| tracked.value == source)
        };
        self.schemas.iter().find(names)
    }
}
