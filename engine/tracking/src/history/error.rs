//! What can be wrong with a history: counts and names of columns, never a value.

use arrow::datatypes::DataType;

use crate::retention::Moment;

/// Why a history cannot be laid out, compared or shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A column of the export is called as one that a history adds.
    #[error("column `{column}` has the name of a column that every history has")]
    ReservedName {
        /// The export's column.
        column: String,
    },
    /// A key, tenant or reference names a column that the export does not have.
    #[error("there is no column `{column}`")]
    UnknownColumn {
        /// The name.
        column: String,
    },
    /// A key or reference names one column twice, or a reference is declared twice.
    #[error("`{name}` is named twice")]
    NamedTwice {
        /// The name.
        name: String,
    },
    /// No column is named as the key, or as a reference.
    #[error("no column is named")]
    NoColumns,
    /// A column has a type without an encoding: a union or a run-end encoded array.
    #[error("values of type {data_type} have no hash")]
    UnsupportedType {
        /// The type.
        data_type: DataType,
    },
    /// A column has another type than the history keeps it in.
    #[error("column `{column}` has type {found}, not {expected}")]
    UnexpectedType {
        /// The column.
        column: String,
        /// The type in the history's schema.
        expected: DataType,
        /// The type found.
        found: DataType,
    },
    /// Columns of one batch differ in length, or a hash has another length than it should.
    #[error("arrays that belong together have {expected} and {found} rows")]
    UnequalLengths {
        /// The length of the first.
        expected: usize,
        /// The length of the other.
        found: usize,
    },
    /// A column that has no nulls in any history has some.
    #[error("{rows} rows of the satellite lack a key, version or date")]
    Nulls {
        /// How many.
        rows: usize,
    },
    /// Versions outside 1 to 2³⁰ − 1.
    #[error("{rows} rows of the satellite have no valid version")]
    Versions {
        /// How many.
        rows: usize,
    },
    /// Rows of a satellite that agree in key and version and differ otherwise.
    #[error("{rows} rows of the satellite contradict another of the same key and version")]
    Contradictions {
        /// How many.
        rows: u64,
    },
    /// Rows of a satellite whose key the hub lacks.
    #[error("{rows} rows of the satellite have a key that the hub lacks")]
    NoHub {
        /// How many.
        rows: usize,
    },
    /// Rows of a load whose business key another row of it has.
    #[error("the key is not unique: rows that repeat the key of another: {rows}")]
    NotUnique {
        /// How many, the first of each key not counted.
        rows: u64,
    },
    /// A load that is not later than the last one recorded, and holds something else.
    #[error(
        "the load of {load_date} would append {rows} rows, but {newest} is recorded already: \
         history is not rewritten"
    )]
    Late {
        /// The load.
        load_date: Moment,
        /// The last load recorded.
        newest: Moment,
        /// How many rows differ from what is recorded for that date.
        rows: u64,
    },
    /// A view was to be bound to a tenant, and the history has none.
    #[error("the history has no tenants")]
    NoTenant,
    /// A tenant key that is no 64 hexadecimal digits.
    #[error("a tenant hash key has 64 hexadecimal digits")]
    TenantKey,
    /// A failure of an array kernel; its words name types, not values.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
}
