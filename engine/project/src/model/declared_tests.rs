//! What is claimed of data: tests of columns and tables, and what their failure means.

use crate::location::{Location, Spanned};
use crate::model::Relation;

/// What happens when a test fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is published.
    Error,
    /// It is reported.
    Warn,
}

impl Severity {
    /// The name it is written with.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
        }
    }
}

/// A test with what its failure means, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared<T> {
    /// What is tested.
    pub test: T,
    /// What happens when it fails.
    pub severity: Severity,
    /// Where it stands.
    pub at: Location,
}

/// A test of one column's values.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnTest {
    /// No nulls.
    NotNull,
    /// No value twice; nulls do not count.
    Unique,
    /// Only these values; nulls do not count.
    AcceptedValues {
        /// JSON scalars.
        values: Vec<serde_json::Value>,
    },
    /// Every value occurs in a column of another table or model.
    Relationships {
        /// The other table or model; exists.
        to: Relation,
        /// Its column.
        field: String,
    },
    /// Numbers or ISO dates within bounds, both inclusive; at least one is set.
    Range {
        /// Lower bound, a number or text.
        min: Option<serde_json::Value>,
        /// Upper bound, a number or text.
        max: Option<serde_json::Value>,
    },
    /// Every value matches a regular expression.
    Regex {
        /// The pattern, not compiled here.
        pattern: String,
    },
    /// The latest value is not older than this.
    Freshness {
        /// The greatest age in seconds, at least 1.
        max_age_seconds: u64,
    },
    /// No value gives away what should be masked.
    Leak,
}

impl ColumnTest {
    /// The name it is written with.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotNull => "not_null",
            Self::Unique => "unique",
            Self::AcceptedValues { .. } => "accepted_values",
            Self::Relationships { .. } => "relationships",
            Self::Range { .. } => "range",
            Self::Regex { .. } => "regex",
            Self::Freshness { .. } => "freshness",
            Self::Leak => "leak",
        }
    }
}

/// A test of the rows of a table, model or export.
#[derive(Clone, Debug, PartialEq)]
pub enum TableTest {
    /// A test of one column, written `{not_null: {column: x}}`.
    Column {
        /// The column.
        column: Spanned<String>,
        /// The test.
        test: ColumnTest,
    },
    /// Every combination of values of these columns occurs in at least `k` rows.
    KAnonymity {
        /// The columns, at least one.
        columns: Vec<Spanned<String>>,
        /// The least number of rows, at least 2.
        k: u64,
    },
    /// The rows of every combination of values have at least `l` distinct values of another column.
    LDiversity {
        /// The columns whose values are combined, at least one.
        columns: Vec<Spanned<String>>,
        /// The column whose distinct values are counted.
        sensitive: Spanned<String>,
        /// The least number of distinct values, at least 2.
        l: u64,
    },
    /// A number of rows within bounds, both inclusive; at least one is set, and `min` is not above `max`.
    RowCount {
        /// The least number of rows.
        min: Option<u64>,
        /// The greatest number of rows.
        max: Option<u64>,
    },
    /// A condition holds for every row.
    Expression {
        /// The condition, SQL; not parsed here.
        sql: Spanned<String>,
    },
}

impl TableTest {
    /// The name it is written with.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Column { test, .. } => test.name(),
            Self::KAnonymity { .. } => "k_anonymity",
            Self::LDiversity { .. } => "l_diversity",
            Self::RowCount { .. } => "row_count",
            Self::Expression { .. } => "expression",
        }
    }

    /// The columns it names, as written; what an expression reads is not known here.
    pub fn columns(&self) -> impl Iterator<Item = &Spanned<String>> {
        let (columns, one) = match self {
            Self::Column { column, .. } => ([].as_slice(), Some(column)),
            Self::KAnonymity { columns, .. } => (columns.as_slice(), None),
            Self::LDiversity { columns, sensitive, .. } => (columns.as_slice(), Some(sensitive)),
            Self::RowCount { .. } | Self::Expression { .. } => ([].as_slice(), None),
        };
        columns.iter().chain(one)
    }
}
