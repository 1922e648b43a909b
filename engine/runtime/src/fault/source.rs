//! The errors of sources and loaders as diagnostics: one code per cause.

use engine_sources::{ParameterProblem, SourceError, SourceErrorKind};

use crate::codes::{Code, sources};
use crate::diagnostic::Diagnostic;

/// A source's error: its own words are value-free by contract.
pub fn diagnose(error: &SourceError) -> Diagnostic {
    let diagnostic = Diagnostic::new(code(error.kind()), error.to_string());
    match error.hint().or_else(|| help(error.kind())) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// How to mend what the source itself had no hint for.
fn help(kind: &SourceErrorKind) -> Option<&'static str> {
    Some(match kind {
        SourceErrorKind::NotFound | SourceErrorKind::NoMatch { .. } => {
            "check the path: relative ones start at the project's folder, those of tables at the connection's `url`"
        }
        SourceErrorKind::Denied => "give the user who runs the engine the right to read it",
        SourceErrorKind::Unavailable { .. } => {
            "check the device or network; `engine debug` tries every connection"
        }
        SourceErrorKind::Changed => "run again when nobody writes to it",
        SourceErrorKind::Locked => "run again when the other process has finished",
        SourceErrorKind::Malformed { .. } => {
            "check that the connection's `type` and `compression` fit the file, and that it arrived whole"
        }
        SourceErrorKind::Encoding { .. } => {
            "declare the file's `encoding`: utf-8, utf-16, utf-16le, utf-16be or latin-1"
        }
        SourceErrorKind::FieldCount { .. } => {
            "mend the record, or declare the file's `delimiter`, `quote`, `escape` and `row_end`"
        }
        SourceErrorKind::RecordTooLong { .. } => {
            "declare the right `quote` and `row_end`, or raise `max_record_bytes`"
        }
        SourceErrorKind::Type { .. } => "mend the data, or declare the column as string",
        SourceErrorKind::DeclaredType { .. } => {
            "declare the type that the data has, and convert it in a model if another one is wanted"
        }
        SourceErrorKind::Null => "mend the data, or remove `nullable: false`",
        SourceErrorKind::DuplicateColumn => {
            "rename one of them, or read the file with `header: false` and declare its columns in order"
        }
        SourceErrorKind::Constraint { .. } => {
            "load with `mode: replace`, or change the constraint; the table is as it was before"
        }
        _ => return None,
    })
}

fn code(kind: &SourceErrorKind) -> &'static Code {
    match kind {
        SourceErrorKind::Parameter { problem: ParameterProblem::UnknownKey { .. }, .. }
        | SourceErrorKind::Parameter { .. } => &sources::CONNECTOR_PARAMETER,
        SourceErrorKind::UnknownKind { .. } => &sources::CONNECTOR_UNKNOWN,
        SourceErrorKind::UnknownScheme { .. } => &sources::STORE_SCHEME,
        SourceErrorKind::NotFound | SourceErrorKind::NoMatch { .. } => &sources::SOURCE_NOT_FOUND,
        SourceErrorKind::Denied => &sources::SOURCE_DENIED,
        SourceErrorKind::Unavailable { .. } => &sources::SOURCE_UNAVAILABLE,
        SourceErrorKind::Changed => &sources::SOURCE_CHANGED,
        SourceErrorKind::Locked => &sources::SOURCE_LOCKED,
        SourceErrorKind::Malformed { .. } => &sources::SOURCE_MALFORMED,
        SourceErrorKind::Encoding { .. } => &sources::SOURCE_ENCODING,
        SourceErrorKind::FieldCount { .. } => &sources::SOURCE_FIELDS,
        SourceErrorKind::RecordTooLong { .. } => &sources::SOURCE_RECORD_TOO_LONG,
        SourceErrorKind::Type { .. } => &sources::SOURCE_TYPE,
        SourceErrorKind::DeclaredType { .. } => &sources::SOURCE_DECLARED_TYPE,
        SourceErrorKind::Null => &sources::SOURCE_NULL,
        SourceErrorKind::MissingColumn { .. } => &sources::SOURCE_COLUMN,
        SourceErrorKind::DuplicateColumn => &sources::SOURCE_COLUMN_TWICE,
        SourceErrorKind::MissingTable { .. } => &sources::SOURCE_TABLE,
        SourceErrorKind::Unsupported { .. } => &sources::SOURCE_UNSUPPORTED,
        SourceErrorKind::Constraint { .. } => &sources::LOAD_CONSTRAINT,
        SourceErrorKind::Input
        | SourceErrorKind::RowCount { .. }
        | SourceErrorKind::Cancelled
        | SourceErrorKind::Library { .. } => &sources::SOURCE_FAILED,
        _ => &sources::SOURCE_FAILED,
    }
}
