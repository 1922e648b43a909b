//! Every kind of source, one file each. To add one: write its file and a line in [`ALL`].

mod arrow;
mod csv;
mod jsonl;
mod parquet;
mod sqlite;

use crate::connector::Connector;
use crate::error::{SourceError, SourceErrorKind};

/// Every connector, in alphabetical order of its kind.
pub const ALL: &[&dyn Connector] =
    &[&arrow::Arrow, &csv::Csv, &jsonl::Jsonl, &parquet::Parquet, &sqlite::Sqlite];

/// The connector of this kind.
///
/// # Errors
/// An unknown kind, with the list of those there are.
pub fn find(kind: &str) -> Result<&'static dyn Connector, SourceError> {
    ALL.iter().copied().find(|connector| connector.kind() == kind).ok_or_else(|| {
        let valid = ALL.iter().map(|connector| connector.kind().to_owned()).collect();
        SourceError::new(SourceErrorKind::UnknownKind { kind: kind.to_owned(), valid })
    })
}
