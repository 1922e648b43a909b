//! The errors of sources and loaders as diagnostics: one code per cause.

use engine_sources::{ParameterProblem, SourceError, SourceErrorKind};

use crate::codes::{Code, sources};
use crate::diagnostic::Diagnostic;

/// A source's error: its own words are value-free by contract.
pub fn diagnose(error: &SourceError) -> Diagnostic {
    let diagnostic = Diagnostic::new(code(error.kind()), error.to_string());
    match error.hint() {
        Some(hint) => diagnostic.help(hint),
        None => diagnostic,
    }
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
        SourceErrorKind::Input | SourceErrorKind::Cancelled | SourceErrorKind::Library { .. } => {
            &sources::SOURCE_FAILED
        }
        _ => &sources::SOURCE_FAILED,
    }
}
