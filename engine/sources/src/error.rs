//! The errors of this crate: a kind, the place it was seen at, and a hint.
//!
//! Nothing here holds a cell value. Errors of libraries whose text may quote the data
//! (parsers, casts, constraint failures) are replaced by a kind; only texts that are
//! known to hold none are kept as a source.

use std::fmt;

use datafusion::error::DataFusionError;

/// What went wrong with a parameter of a connection or table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterProblem {
    /// A key that no parameter has.
    #[error("is not a parameter here; valid: {}", .valid.join(", "))]
    UnknownKey {
        /// Every key that is valid at this place, for a suggestion.
        valid: Vec<String>,
    },
    /// A parameter that has no default is absent.
    #[error("is required")]
    Missing,
    /// A value of a set was expected.
    #[error("must be one of {}", .valid.join(", "))]
    NotOneOf {
        /// Every value that is valid.
        valid: Vec<String>,
    },
    /// The value has the wrong shape; the text says what was expected, never what stood there.
    #[error("{expected}")]
    Invalid {
        /// A sentence such as `must be a string`.
        expected: String,
    },
}

/// What happened. Never holds a cell value or a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// A parameter does not fit; `path` is its JSON path (`nulls[1]`, empty for the whole).
    #[error("parameter `{path}` {problem}")]
    Parameter {
        /// JSON path below the parameters: keys joined by dots, positions in brackets.
        path: String,
        /// What is wrong with it.
        problem: ParameterProblem,
    },
    /// No connector has this kind.
    #[error("no connector is called `{kind}`; valid: {}", .valid.join(", "))]
    UnknownKind {
        /// The kind asked for.
        kind: String,
        /// Every kind there is.
        valid: Vec<String>,
    },
    /// The URL's scheme belongs to no store this build can read.
    #[error("no store for URLs that start with `{scheme}:`")]
    UnknownScheme {
        /// The scheme without the colon.
        scheme: String,
    },
    /// A file, directory or database that is not there.
    #[error("there is no such file or folder")]
    NotFound,
    /// A path or glob that no file matches.
    #[error("no file matches `{pattern}`")]
    NoMatch {
        /// The path or glob, below the connection's URL.
        pattern: String,
    },
    /// The operating system or the store refused.
    #[error("permission denied")]
    Denied,
    /// The store or device did not answer as it should. Retrying may help.
    #[error("cannot be read: {reason}")]
    Unavailable {
        /// A value-free reason.
        reason: String,
    },
    /// A file whose size, time or tag changed while it was read. Retrying may help.
    #[error("the file changed while it was read")]
    Changed,
    /// Another number of rows came than was announced.
    #[error("{found} rows came where {expected} were announced")]
    RowCount {
        /// As announced.
        expected: u64,
        /// As they came.
        found: u64,
    },
    /// Another process holds the database's lock. Retrying may help.
    #[error("the database is locked by another process")]
    Locked,
    /// The file is not what its kind says.
    #[error("{what}")]
    Malformed {
        /// A value-free sentence: `is not a Parquet file`.
        what: String,
    },
    /// Bytes that are no text in the declared encoding.
    #[error("byte {offset} is not valid {encoding}")]
    Encoding {
        /// The encoding's name.
        encoding: &'static str,
        /// Offset of the first bad byte in the decompressed file, from 0.
        offset: u64,
    },
    /// A record with too many or too few fields.
    #[error("the record has {found} fields, expected {expected}")]
    FieldCount {
        /// Number of columns.
        expected: usize,
        /// Number of fields in the record.
        found: usize,
    },
    /// A record longer than the bound.
    #[error("the record is longer than {bytes_max} bytes")]
    RecordTooLong {
        /// The bound.
        bytes_max: usize,
    },
    /// A value that is no value of the column's type.
    #[error("a value is not of type {expected}")]
    Type {
        /// The column's type, in the words of the project language.
        expected: String,
    },
    /// A file whose column has another type than declared.
    #[error("the column has type {found}, declared is {declared}")]
    DeclaredType {
        /// The type in the data.
        found: String,
        /// The type in the project.
        declared: String,
    },
    /// A null in a column that was declared to have none.
    #[error("a null in a column that is declared without")]
    Null,
    /// A declared column that the data does not have.
    #[error("there is no such column; the data has: {}", .available.join(", "))]
    MissingColumn {
        /// Every column there is. Names are schema, not values.
        available: Vec<String>,
    },
    /// Two columns of one name.
    #[error("two columns have this name")]
    DuplicateColumn,
    /// A table that the database does not have.
    #[error("there is no such table; the database has: {}", .available.join(", "))]
    MissingTable {
        /// Every table there is.
        available: Vec<String>,
    },
    /// Something this connector cannot do.
    #[error("{what} is not supported")]
    Unsupported {
        /// What, value-free.
        what: String,
    },
    /// The database refused rows: a constraint of the table.
    #[error("the database refused a row: {constraint} constraint")]
    Constraint {
        /// Which kind of constraint: `primary key`, `not null`, ….
        constraint: &'static str,
    },
    /// The rows to load failed before they reached the loader.
    #[error("the rows to load could not be read")]
    Input,
    /// The reader of the rows went away.
    #[error("the read was cancelled")]
    Cancelled,
    /// A library failed in a way this crate did not foresee; the text names the library only.
    #[error("{what} failed")]
    Library {
        /// Which step, value-free.
        what: &'static str,
    },
}

/// Where an error was seen. Every part is optional; none is a cell value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The connection's name in the project.
    pub connection: Option<String>,
    /// The table's name in the project.
    pub table: Option<String>,
    /// The file, as a path below the connection's URL, or the database file.
    pub file: Option<String>,
    /// The physical line, from 1, on which the record starts.
    pub line: Option<u64>,
    /// The row's own number in a database (`rowid`).
    pub row: Option<i64>,
    /// The column.
    pub column: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match (&self.connection, &self.table) {
            (Some(connection), Some(table)) => parts.push(format!("{connection}.{table}")),
            (Some(name), None) | (None, Some(name)) => parts.push(name.clone()),
            (None, None) => {}
        }
        match (&self.file, self.line) {
            (Some(file), Some(line)) => parts.push(format!("{file}:{line}")),
            (Some(file), None) => parts.push(file.clone()),
            (None, Some(line)) => parts.push(format!("line {line}")),
            (None, None) => {}
        }
        if let Some(row) = self.row {
            parts.push(format!("rowid {row}"));
        }
        if let Some(column) = &self.column {
            parts.push(format!("column `{column}`"));
        }
        f.write_str(&parts.join(": "))
    }
}

/// An error of a source: kind, place, hint and, where its text is value-free, the cause.
pub struct SourceError(Box<Inner>);

impl fmt::Debug for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

struct Inner {
    kind: SourceErrorKind,
    place: Place,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    input: Option<DataFusionError>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without `input`, whose text is not this crate's and may quote the data.
        f.debug_struct("SourceError")
            .field("kind", &self.kind)
            .field("place", &self.place)
            .field("hint", &self.hint)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl SourceError {
    /// An error of this kind, at no place yet.
    #[must_use]
    pub fn new(kind: SourceErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            place: Place::default(),
            hint: None,
            source: None,
            input: None,
        }))
    }

    /// The error of the rows a loader was given.
    pub(crate) fn of_input(error: DataFusionError) -> Self {
        let mut made = Self::new(SourceErrorKind::Input);
        made.0.input = Some(error);
        made
    }

    /// For [`SourceErrorKind::Input`], the error of the rows. It is not part of the chain of
    /// sources, because its text may quote the data: whoever made the rows has to read it.
    #[must_use]
    pub fn input(&self) -> Option<&DataFusionError> {
        self.0.input.as_ref()
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> &SourceErrorKind {
        &self.0.kind
    }

    /// Where it was seen.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What would mend it, if that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Whether the same call may succeed later with nothing changed.
    #[must_use]
    pub fn retryable(&self) -> bool {
        matches!(
            self.0.kind,
            SourceErrorKind::Unavailable { .. }
                | SourceErrorKind::Changed
                | SourceErrorKind::Locked
        )
    }

    /// Names the connection, unless one is named already.
    #[must_use]
    pub fn in_connection(mut self, name: &str) -> Self {
        self.0.place.connection.get_or_insert_with(|| name.to_owned());
        self
    }

    /// Names the table, unless one is named already.
    #[must_use]
    pub fn in_table(mut self, name: &str) -> Self {
        self.0.place.table.get_or_insert_with(|| name.to_owned());
        self
    }

    /// Names the file, unless one is named already.
    #[must_use]
    pub fn in_file(mut self, name: &str) -> Self {
        self.0.place.file.get_or_insert_with(|| name.to_owned());
        self
    }

    /// Fills in what is known of the place and is not named yet.
    #[must_use]
    pub(crate) fn within(mut self, place: &Place) -> Self {
        let own = &mut self.0.place;
        for (part, known) in [
            (&mut own.connection, &place.connection),
            (&mut own.table, &place.table),
            (&mut own.file, &place.file),
        ] {
            if part.is_none() {
                part.clone_from(known);
            }
        }
        self
    }

    /// Gives the physical line, from 1, on which the record starts.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.0.place.line = Some(line);
        self
    }

    /// Gives the row's number in its table.
    #[must_use]
    pub fn at_row(mut self, row: i64) -> Self {
        self.0.place.row = Some(row);
        self
    }

    /// Names the column.
    #[must_use]
    pub fn in_column(mut self, name: &str) -> Self {
        self.0.place.column = Some(name.to_owned());
        self
    }

    /// Says what would mend it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Keeps a cause. Only for causes whose text holds neither values nor credentials.
    #[must_use]
    pub(crate) fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.0.place.to_string();
        if place.is_empty() {
            write!(f, "{}", self.0.kind)
        } else {
            write!(f, "{place}: {}", self.0.kind)
        }
    }
}

impl std::error::Error for SourceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl From<SourceErrorKind> for SourceError {
    fn from(kind: SourceErrorKind) -> Self {
        Self::new(kind)
    }
}

/// Streams carry this crate's errors as [`DataFusionError::External`], so that whoever
/// runs the plan can take the [`SourceError`] out again.
impl From<SourceError> for DataFusionError {
    fn from(error: SourceError) -> Self {
        Self::External(Box::new(error))
    }
}

/// Finds the [`SourceError`] inside a DataFusion error, however often it was wrapped.
///
/// Errors of shared plan nodes arrive behind an [`Arc`](std::sync::Arc), and context may
/// be wrapped around them; both are looked through.
#[must_use]
pub fn source_error(error: &DataFusionError) -> Option<&SourceError> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<SourceError>() {
            return Some(found);
        }
        if let Some(DataFusionError::External(inner)) = current.downcast_ref::<DataFusionError>()
            && let Some(found) = inner.downcast_ref::<SourceError>()
        {
            return Some(found);
        }
        next = current.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_reads_from_the_outside_in() {
        let error = SourceError::new(SourceErrorKind::Type { expected: "date".to_owned() })
            .in_connection("crm")
            .in_table("customers")
            .in_file("customers-1.csv")
            .at_line(12)
            .in_column("birth_date");
        assert_eq!(
            error.to_string(),
            "crm.customers: customers-1.csv:12: column `birth_date`: a value is not of type date"
        );
    }

    #[test]
    fn a_wrapped_error_is_found_again() {
        let error: DataFusionError = SourceError::new(SourceErrorKind::Changed).into();
        let wrapped = error.context("while scanning");
        let shared = DataFusionError::Shared(std::sync::Arc::new(wrapped));
        let found = source_error(&shared).expect("the source error is inside");
        assert_eq!(found.kind(), &SourceErrorKind::Changed);
        assert!(found.retryable());
    }
}
