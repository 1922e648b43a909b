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
    /// How long what goes can still be brought back.
    pub grace: Option<Spanned<String>>,
    /// While this holds, nothing goes.
    pub legal_hold: Option<Approval>,
    /// Why so long.
    pub basis: Option<String>,
    /// The whole entry.
    pub at: Location,
}
