//! The statements that make and fill a table.
//!
//! ```text
//!  bool          BOOLEAN             0, 1
//!  int*, uint*   INTEGER             uint64 beyond 2⁶³ is refused
//!  float*        REAL
//!  decimal(p,s)  DECIMAL(p,s)        p ≤ 15: a number, exact to 15 digits
//!                DECIMAL_TEXT(p,s)   p > 15: text, since SQLite keeps no more digits
//!  string        TEXT
//!  binary        BLOB
//!  date          DATE                YYYY-MM-DD
//!  time          TIME                HH:MM:SS[.ffffff]
//!  timestamp     TIMESTAMP           YYYY-MM-DD HH:MM:SS[.ffffff]
//!  timestamptz   TIMESTAMPTZ         the same in UTC, with Z
//! ```
//!
//! Read back through this crate, every type comes out as it went in, up to its width.

use std::collections::HashSet;

use arrow::datatypes::{DataType, Field};

use super::database::quoted;
use crate::connector::{LoadMode, LoadRequest};
use crate::error::{SourceError, SourceErrorKind};
use crate::missing;
use crate::types::type_name;

/// Most digits that a number in SQLite keeps exactly (Datatypes In SQLite, §3).
const DECIMAL_DIGITS_MAX: u8 = 15;

/// The type a column is declared with.
///
/// # Errors
/// A type that SQLite has no place for.
fn column_type(data_type: &DataType) -> Option<String> {
    use DataType as T;
    let name = match data_type {
        T::Boolean => "BOOLEAN",
        T::Utf8 | T::LargeUtf8 | T::Utf8View => "TEXT",
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => "BLOB",
        T::Float16 | T::Float32 | T::Float64 => "REAL",
        T::Date32 | T::Date64 => "DATE",
        T::Time32(_) | T::Time64(_) => "TIME",
        T::Timestamp(_, None) => "TIMESTAMP",
        T::Timestamp(_, Some(_)) => "TIMESTAMPTZ",
        T::Decimal32(p, s) | T::Decimal64(p, s) | T::Decimal128(p, s) if *s >= 0 => {
            let name = if *p > DECIMAL_DIGITS_MAX { "DECIMAL_TEXT" } else { "DECIMAL" };
            return Some(format!("{name}({p},{s})"));
        }
        T::Dictionary(_, values) => return column_type(values),
        integer if integer.is_integer() => "INTEGER",
        _ => return None,
    };
    Some(name.to_owned())
}

/// Refuses what would fail in the database with less to say.
///
/// # Errors
/// No columns, a type SQLite has no place for, two names that SQLite takes for one, and
/// key columns that are not there.
pub(crate) fn check(request: &LoadRequest) -> Result<(), SourceError> {
    let fields = request.schema.fields();
    if fields.is_empty() {
        let what = "loading rows without columns".to_owned();
        return Err(SourceErrorKind::Unsupported { what }.into());
    }
    let mut names = HashSet::new();
    for field in fields {
        if column_type(field.data_type()).is_none() {
            let what = format!("loading {} into SQLite", type_name(field.data_type()));
            let error = SourceError::new(SourceErrorKind::Unsupported { what });
            return Err(error.in_column(field.name()));
        }
        if !names.insert(field.name().to_ascii_lowercase()) {
            let error = SourceError::new(SourceErrorKind::DuplicateColumn);
            return Err(error.in_column(field.name()));
        }
    }
    for key in &request.key {
        if request.schema.field_with_name(key).is_err() {
            return Err(missing::column(key, fields.iter().map(|field| field.name().as_str())));
        }
    }
    Ok(())
}

/// The statements that come before the rows, inside the transaction.
pub(crate) fn statements(request: &LoadRequest) -> Vec<String> {
    let table = quoted(&request.table);
    match request.mode {
        LoadMode::Replace => {
            vec![format!("DROP TABLE IF EXISTS {table}"), create("CREATE TABLE", request)]
        }
        LoadMode::Append => vec![create("CREATE TABLE IF NOT EXISTS", request)],
    }
}

/// The type a column is made with.
pub(crate) fn declared(field: &Field) -> String {
    column_type(field.data_type()).unwrap_or_else(|| "BLOB".to_owned())
}

fn create(verb: &str, request: &LoadRequest) -> String {
    let mut lines: Vec<String> = request
        .schema
        .fields()
        .iter()
        .map(|field| {
            let declared = declared(field);
            let constraint = if field.is_nullable() { "" } else { " NOT NULL" };
            format!("  {} {declared}{constraint}", quoted(field.name()))
        })
        .collect();
    if !request.key.is_empty() {
        let key: Vec<String> = request.key.iter().map(|name| quoted(name)).collect();
        lines.push(format!("  PRIMARY KEY ({})", key.join(", ")));
    }
    format!("{verb} {} (\n{}\n)", quoted(&request.table), lines.join(",\n"))
}

/// The statement that adds one row.
pub(crate) fn insert(request: &LoadRequest) -> String {
    let names: Vec<String> =
        request.schema.fields().iter().map(|field| quoted(field.name())).collect();
    let marks = vec!["?"; names.len()].join(", ");
    format!("INSERT INTO {} ({}) VALUES ({marks})", quoted(&request.table), names.join(", "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Schema;

    use super::*;

    #[test]
    fn the_statements_of_a_replace() {
        let schema = Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("say \"hi\"", DataType::Utf8View, true),
            Field::new("big", DataType::Decimal128(20, 4), true),
        ]);
        let request = LoadRequest {
            table: "t".to_owned(),
            mode: LoadMode::Replace,
            schema: Arc::new(schema),
            key: vec!["id".to_owned()],
            rows: 0,
            receipt: "first".to_owned(),
        };
        assert_eq!(
            statements(&request),
            [
                "DROP TABLE IF EXISTS \"t\"",
                "CREATE TABLE \"t\" (\n  \"id\" INTEGER NOT NULL,\n  \"say \"\"hi\"\"\" TEXT,\n  \
                 \"big\" DECIMAL_TEXT(20,4),\n  PRIMARY KEY (\"id\")\n)",
            ]
        );
        assert_eq!(
            insert(&request),
            "INSERT INTO \"t\" (\"id\", \"say \"\"hi\"\"\", \"big\") VALUES (?, ?, ?)"
        );
    }

    #[test]
    fn what_cannot_be_loaded_is_refused() {
        let refused = |fields: Vec<(&str, DataType)>, key: &[&str]| {
            let fields =
                fields.into_iter().map(|(name, data_type)| Field::new(name, data_type, true));
            let request = LoadRequest {
                table: "t".to_owned(),
                mode: LoadMode::Append,
                schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
                key: key.iter().map(|name| (*name).to_owned()).collect(),
                rows: 0,
                receipt: "first".to_owned(),
            };
            let error = check(&request).expect_err("refused");
            (error.kind().clone(), error.place().column.clone())
        };
        let (kind, column) =
            refused(vec![("list", DataType::new_list(DataType::Int64, true))], &[]);
        assert!(matches!(kind, SourceErrorKind::Unsupported { .. }));
        assert_eq!(column.as_deref(), Some("list"));
        let (kind, _) = refused(vec![("a", DataType::Int64), ("A", DataType::Int64)], &[]);
        assert_eq!(kind, SourceErrorKind::DuplicateColumn);
        let (kind, column) = refused(vec![("a", DataType::Int64)], &["b"]);
        assert!(matches!(kind, SourceErrorKind::MissingColumn { .. }));
        assert_eq!(column.as_deref(), Some("b"));
        assert!(matches!(refused(vec![], &[]).0, SourceErrorKind::Unsupported { .. }));
    }
}
