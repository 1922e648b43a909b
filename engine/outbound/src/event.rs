//! What happened, in the words of those who want to know.

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The same for every try and every repetition of this event, and for no other: receivers drop what they
    /// have seen. Letters, digits and hyphens.
    pub key: String,
    /// When, in seconds since 1970.
    pub at: i64,
    /// What.
    pub content: Content,
}

/// What an event says, and so which receivers want it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// An OpenLineage event, as JSON.
    Lineage(String),
    /// Metrics in Prometheus' text format.
    Metrics(String),
    /// A notice, as JSON.
    Notice {
        /// What it is about.
        topics: Vec<Topic>,
        /// The JSON.
        body: String,
    },
}

/// What a notice can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// An operation began.
    Started,
    /// It did what it was to do.
    Succeeded,
    /// It did not.
    Failed,
    /// It is one that security has to know of.
    Security,
}
