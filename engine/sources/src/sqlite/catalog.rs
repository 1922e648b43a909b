//! What a database says of itself: tables, columns, keys, references and declared types.

use arrow::datatypes::{DataType, TimeUnit};
use rusqlite::{Connection, OptionalExtension};

use super::database::replaced;
use crate::connector::FoundReference;
use crate::error::SourceError;
use crate::missing;

/// A table or view.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Its name, as the database spells it.
    pub(crate) name: String,
    /// Whether every row has a `rowid`.
    pub(crate) has_row_numbers: bool,
    /// Whether it is a table, not a view.
    pub(crate) stored: bool,
    /// Its columns, in order.
    pub(crate) columns: Vec<Column>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
    /// Its declared type, as written; empty where there is none.
    pub(crate) declared: String,
    /// Whether the database itself rules nulls out.
    pub(crate) never_null: bool,
    /// Its position in the primary key, from 1; 0 outside of it.
    pub(crate) key_position: i64,
}

impl Table {
    /// The columns of the primary key, in key order.
    pub(crate) fn key(&self) -> Vec<String> {
        let mut key: Vec<&Column> =
            self.columns.iter().filter(|column| column.key_position > 0).collect();
        key.sort_by_key(|column| column.key_position);
        key.into_iter().map(|column| column.name.clone()).collect()
    }
}

/// The names of all tables and views but SQLite's own and the receipts of loads, in order.
pub(crate) fn table_names(database: &Connection) -> Result<Vec<String>, SourceError> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' \
               AND type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
               AND name <> '_engine_loads' \
               ORDER BY name";
    let mut statement = database.prepare(sql).map_err(|error| replaced(&error))?;
    let names = statement.query_map([], |row| row.get(0)).map_err(|error| replaced(&error))?;
    names.collect::<Result<_, _>>().map_err(|error| replaced(&error))
}

/// The table of this name, in the database's own (case-insensitive) sense of names.
///
/// # Errors
/// A name that no table has, with those there are.
pub(crate) fn table(database: &Connection, name: &str) -> Result<Table, SourceError> {
    let sql = "SELECT name, type, wr FROM pragma_table_list \
               WHERE schema = 'main' AND type IN ('table', 'view') AND name = ?1 COLLATE NOCASE";
    let found: Option<(String, String, bool)> = database
        .query_row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
        .map_err(|error| replaced(&error))?;
    let Some((name, kind, without_rowid)) = found else {
        return Err(missing::table(name, table_names(database)?));
    };
    let stored = kind == "table";
    let mut columns = columns(database, &name)?;
    // An INTEGER PRIMARY KEY is the rowid itself, which is never null.
    let rowid_key =
        stored && !without_rowid && columns.iter().filter(|c| c.key_position > 0).count() == 1;
    for column in &mut columns {
        let is_rowid = rowid_key
            && column.key_position == 1
            && column.declared.eq_ignore_ascii_case("INTEGER");
        column.never_null |= is_rowid;
    }
    let shadowed = columns.iter().any(|column| column.name.eq_ignore_ascii_case("rowid"));
    let has_row_numbers = stored && !without_rowid && !shadowed;
    Ok(Table { name, has_row_numbers, stored, columns })
}

fn columns(database: &Connection, table: &str) -> Result<Vec<Column>, SourceError> {
    // hidden = 1 marks the hidden columns of virtual tables; 2 and 3 are generated columns.
    let sql = "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1) \
               WHERE hidden <> 1 ORDER BY cid";
    let mut statement = database.prepare(sql).map_err(|error| replaced(&error))?;
    let columns = statement
        .query_map([table], |row| {
            Ok(Column {
                name: row.get(0)?,
                declared: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                never_null: row.get(2)?,
                key_position: row.get(3)?,
            })
        })
        .map_err(|error| replaced(&error))?;
    columns.collect::<Result<_, _>>().map_err(|error| replaced(&error))
}

/// The foreign keys of a table, in the order they were declared.
pub(crate) fn references(
    database: &Connection,
    name: &str,
) -> Result<Vec<FoundReference>, SourceError> {
    let sql = "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1) \
               ORDER BY id DESC, seq";
    let mut statement = database.prepare(sql).map_err(|error| replaced(&error))?;
    let parts = statement
        .query_map([name], |row| {
            let part: (i64, String, String, Option<String>) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(part)
        })
        .map_err(|error| replaced(&error))?;
    let mut found: Vec<(i64, FoundReference)> = Vec::new();
    for part in parts {
        let (id, target, from, to) = part.map_err(|error| replaced(&error))?;
        if found.last().is_none_or(|(last, _)| *last != id) {
            let reference = FoundReference { columns: Vec::new(), table: target, to: Vec::new() };
            found.push((id, reference));
        }
        if let Some((_, reference)) = found.last_mut() {
            reference.columns.push(from);
            reference.to.extend(to);
        }
    }
    let mut references = Vec::with_capacity(found.len());
    for (_, mut reference) in found {
        if reference.to.is_empty() {
            // REFERENCES t without columns means t's primary key.
            reference.to = table(database, &reference.table).map(|t| t.key()).unwrap_or_default();
        }
        references.push(reference);
    }
    Ok(references)
}

/// The Arrow type that a declared type stands for.
///
/// The names of dates, times, booleans and decimals are taken literally; the rest follows
/// SQLite's affinity rules (Datatypes In SQLite, §3.1). A name that says nothing is read
/// as a string, which holds any number or text.
pub(crate) fn arrow_type(declared: &str) -> DataType {
    let upper = declared.to_ascii_uppercase();
    let base = upper.split('(').next().unwrap_or_default().trim();
    match base {
        "DATE" => return DataType::Date32,
        "TIME" => return DataType::Time64(TimeUnit::Microsecond),
        "DATETIME" | "TIMESTAMP" => return DataType::Timestamp(TimeUnit::Microsecond, None),
        "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" => {
            return DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        }
        "BOOL" | "BOOLEAN" => return DataType::Boolean,
        "NUMERIC" | "DECIMAL" | "DECIMAL_TEXT" => return decimal_type(&upper),
        _ => {}
    }
    let holds = |parts: &[&str]| parts.iter().any(|part| base.contains(part));
    if holds(&["INT"]) {
        DataType::Int64
    } else if holds(&["CHAR", "CLOB", "TEXT"]) {
        DataType::Utf8
    } else if holds(&["BLOB"]) {
        DataType::Binary
    } else if holds(&["REAL", "FLOA", "DOUB"]) {
        DataType::Float64
    } else {
        DataType::Utf8
    }
}

/// `NUMERIC(p,s)` and `NUMERIC(p)`; without digits, or with impossible ones, a double.
fn decimal_type(declared: &str) -> DataType {
    let digits = declared.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let Some((digits, _)) = digits else { return DataType::Float64 };
    let (precision, scale) = digits.split_once(',').unwrap_or((digits, "0"));
    match (precision.trim().parse::<u8>(), scale.trim().parse::<i8>()) {
        (Ok(precision @ 1..=38), Ok(scale))
            if scale >= 0 && i16::from(scale) <= i16::from(precision) =>
        {
            DataType::Decimal128(precision, scale)
        }
        _ => DataType::Float64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::SourceErrorKind;

    #[test]
    fn declared_types() {
        use DataType as T;
        let cases = [
            ("INTEGER", T::Int64),
            ("unsigned big int", T::Int64),
            ("NVARCHAR(160)", T::Utf8),
            ("NUMERIC(10,2)", T::Decimal128(10, 2)),
            ("decimal( 12 , 4 )", T::Decimal128(12, 4)),
            ("DECIMAL(5)", T::Decimal128(5, 0)),
            ("NUMERIC", T::Float64),
            ("NUMERIC(2,9)", T::Float64),
            ("DOUBLE PRECISION", T::Float64),
            ("DATETIME", T::Timestamp(TimeUnit::Microsecond, None)),
            ("BOOLEAN", T::Boolean),
            ("BLOB", T::Binary),
            ("", T::Utf8),
            ("MONEY", T::Utf8),
        ];
        for (declared, expected) in cases {
            assert_eq!(arrow_type(declared), expected, "{declared}");
        }
    }

    #[test]
    fn keys_and_references() {
        let database = Connection::open_in_memory().expect("a database");
        database
            .execute_batch(
                "CREATE TABLE a (x INTEGER PRIMARY KEY, rowid TEXT);
                 CREATE TABLE b (p TEXT, q INT NOT NULL, PRIMARY KEY (q, p)) WITHOUT ROWID;
                 CREATE TABLE c (u REFERENCES a, v, w, FOREIGN KEY (v, w) REFERENCES b (q, p));
                 CREATE VIEW d AS SELECT x FROM a;",
            )
            .expect("tables");
        assert_eq!(table_names(&database).expect("names"), ["a", "b", "c", "d"]);
        let a = table(&database, "A").expect("a");
        assert!(a.columns.first().is_some_and(|column| column.never_null));
        assert!(!a.has_row_numbers, "its column hides the row number");
        assert_eq!(table(&database, "b").expect("b").key(), ["q", "p"]);
        assert!(!table(&database, "d").expect("d").stored);
        let found = references(&database, "c").expect("references");
        let expected = [
            FoundReference { columns: vec!["u".into()], table: "a".into(), to: vec!["x".into()] },
            FoundReference {
                columns: vec!["v".into(), "w".into()],
                table: "b".into(),
                to: vec!["q".into(), "p".into()],
            },
        ];
        assert_eq!(found, expected);
        let missing = table(&database, "nope").expect_err("no such table");
        assert!(
            matches!(missing.kind(), SourceErrorKind::MissingTable { available } if available.len() == 4)
        );
    }
}
