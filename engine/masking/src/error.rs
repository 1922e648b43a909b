//! What can go wrong when a function is bound, or a bound mask is applied.
//!
//! A [`BindError`] shows configuration; a [`MaskError`] shows types and counts.
//! Neither ever holds a cell value or a key.

use std::fmt;

use arrow::datatypes::DataType;

/// Why a function cannot be bound to these parameters, this column and this key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{kind}", PathPrefix(path))]
pub struct BindError {
    /// JSON pointer (RFC 6901) to the parameter at fault; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub kind: Box<BindErrorKind>,
    /// How to mend it, when there is more to say than the kind says.
    pub hint: Option<String>,
}

impl BindError {
    /// An error about the function as a whole.
    pub(crate) fn whole(kind: BindErrorKind) -> Self {
        Self { path: String::new(), kind: Box::new(kind), hint: None }
    }

    /// An error about one top-level parameter.
    pub(crate) fn at(parameter: &str, kind: BindErrorKind) -> Self {
        Self { path: format!("/{}", escape(parameter)), kind: Box::new(kind), hint: None }
    }

    /// The same error with advice.
    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A parameter outside its limits.
    pub(crate) fn out_of_range(parameter: &str, expected: impl Into<String>) -> Self {
        Self::at(parameter, BindErrorKind::OutOfRange { expected: expected.into() })
    }
}

/// The cause of a [`BindError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindErrorKind {
    /// A parameter the function does not have.
    #[error("unknown parameter `{name}`; {}", Choices { nearest: nearest.as_deref(), valid })]
    UnknownParameter {
        /// As written.
        name: String,
        /// The closest valid name, if one is close.
        nearest: Option<String>,
        /// All valid names, sorted.
        valid: Vec<String>,
    },
    /// A parameter of the wrong type, or not one of its choices.
    #[error("{message}")]
    WrongType {
        /// What was found and what is expected.
        message: String,
    },
    /// A required parameter is absent.
    #[error("parameter `{name}` is required")]
    MissingParameter {
        /// Its name.
        name: String,
    },
    /// A parameter outside its limits, or at odds with another.
    #[error("{expected}")]
    OutOfRange {
        /// What would be right.
        expected: String,
    },
    /// The function does not take columns of this type.
    #[error("`{function}` does not mask {input} columns; these do: {}", fitting.join(", "))]
    TypeNotAccepted {
        /// The function.
        function: &'static str,
        /// The column's type.
        input: DataType,
        /// Functions that take the type, alphabetically.
        fitting: Vec<&'static str>,
    },
    /// The function is keyed and no key was given.
    #[error("`{function}` needs a key")]
    KeyMissing {
        /// The function.
        function: &'static str,
    },
    /// No lookup of that name.
    #[error("unknown lookup `{name}`; {}", Choices { nearest: nearest.as_deref(), valid })]
    UnknownLookup {
        /// As written.
        name: String,
        /// The closest valid name, if one is close.
        nearest: Option<String>,
        /// All lookups of the project, sorted.
        valid: Vec<String>,
    },
    /// No dictionary for that locale.
    #[error("unknown locale `{name}`; {}", Choices { nearest: nearest.as_deref(), valid })]
    UnknownLocale {
        /// As written.
        name: String,
        /// The closest valid name, if one is close.
        nearest: Option<String>,
        /// All locales the function has, sorted.
        valid: Vec<String>,
    },
    /// A column of the row that the table does not have.
    #[error("unknown column `{name}`")]
    UnknownColumn {
        /// As written.
        name: String,
    },
    /// A column of the row whose type the function cannot use.
    #[error("column `{name}` is {found}, which has no text form to key by")]
    ColumnType {
        /// The column.
        name: String,
        /// Its type.
        found: DataType,
    },
}

/// Why a bound mask refused a batch. The batch must not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MaskError {
    /// The column is not of the type the mask was bound to.
    #[error("the mask was bound to a {expected} column and got {found}")]
    UnexpectedType {
        /// Bound to.
        expected: DataType,
        /// Got.
        found: DataType,
    },
    /// Not as many other columns as [`crate::Mask::inputs`] names.
    #[error("the mask needs {expected} other columns of the row and got {found}")]
    UnexpectedInputs {
        /// Needed.
        expected: usize,
        /// Got.
        found: usize,
    },
    /// Columns of one batch differ in length.
    #[error("columns of one batch differ in length: {expected} rows and {found} rows")]
    UnequalLengths {
        /// Rows of the masked column.
        expected: usize,
        /// Rows of the other one.
        found: usize,
    },
    /// The masked text of one batch does not fit the column type's offsets.
    #[error(
        "the masked text of one batch passes {bytes_max} bytes; use smaller batches or large_utf8"
    )]
    BatchTooLarge {
        /// The limit of the type.
        bytes_max: usize,
    },
    /// Values outside the domain of a function that keeps them apart, with no `otherwise` that takes them.
    #[error(
        "{count} values of one batch do not fit the function's domain; say with `otherwise` what becomes of them"
    )]
    DoesNotFit {
        /// How many; of a dictionary, entries.
        count: usize,
    },
    /// Rows that the columns which identify them do not tell apart.
    #[error("{count} rows are not told apart by the columns that identify them")]
    NotUnique {
        /// How many.
        count: usize,
    },
    /// An Arrow kernel refused. Its own message could quote a value, and is dropped.
    #[error("an Arrow kernel refused to {operation}")]
    Kernel {
        /// What was tried.
        operation: &'static str,
    },
}

/// RFC 6901 escaping of one path segment.
pub(crate) fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

struct PathPrefix<'a>(&'a str);

impl fmt::Display for PathPrefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}

struct Choices<'a> {
    nearest: Option<&'a str>,
    valid: &'a [String],
}

impl fmt::Display for Choices<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(nearest) = self.nearest {
            write!(f, "did you mean `{nearest}`? ")?;
        }
        if self.valid.is_empty() {
            f.write_str("there are none")
        } else {
            write!(f, "valid: {}", self.valid.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_place_and_the_choices() {
        let error = BindError::at(
            "a/b",
            BindErrorKind::UnknownParameter {
                name: "kep".into(),
                nearest: Some("keep".into()),
                valid: vec!["keep".into(), "with".into()],
            },
        );
        assert_eq!(error.path, "/a~1b");
        assert_eq!(
            error.to_string(),
            "/a~1b: unknown parameter `kep`; did you mean `keep`? valid: keep, with"
        );
    }
}
