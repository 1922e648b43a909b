//! Receipts: which load a table was last filled by, in a table of the same database, written in the
//! load's own transaction. A load that was interrupted has no receipt, and one that has a receipt
//! happened, whatever became of the process that ran it.
//!
//! ```text
//!  _engine_loads ( table_name TEXT PRIMARY KEY, receipt TEXT NOT NULL )
//! ```

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::database::{open_target, replaced};
use crate::error::{SourceError, SourceErrorKind};

/// The table of receipts.
pub(crate) const TABLE: &str = "_engine_loads";

/// Writes the receipt of a load; part of its transaction.
pub(crate) fn write(database: &Connection, table: &str, receipt: &str) -> Result<(), SourceError> {
    let create = format!(
        "CREATE TABLE IF NOT EXISTS {TABLE} (table_name TEXT PRIMARY KEY, receipt TEXT NOT NULL)"
    );
    database.execute_batch(&create).map_err(|error| replaced(&error))?;
    let insert = format!("INSERT OR REPLACE INTO {TABLE} (table_name, receipt) VALUES (?1, ?2)");
    database.execute(&insert, params![table, receipt]).map_err(|error| replaced(&error))?;
    Ok(())
}

/// The receipt of a table that is there. A database or table that is not there has none.
pub(crate) fn read(path: &Path, table: &str) -> Result<Option<String>, SourceError> {
    let database = match open_target(path) {
        Ok(database) => database,
        Err(error) if *error.kind() == SourceErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !has_table(&database, TABLE)? || !has_table(&database, table)? {
        return Ok(None);
    }
    let select = format!("SELECT receipt FROM {TABLE} WHERE table_name = ?1");
    let found = database.query_row(&select, [table], |row| row.get(0)).optional();
    found.map_err(|error| replaced(&error))
}

fn has_table(database: &Connection, table: &str) -> Result<bool, SourceError> {
    let select =
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
    let count = database.query_row(select, [table], |row| row.get::<_, i64>(0));
    Ok(count.map_err(|error| replaced(&error))? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_counts_only_while_its_table_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        assert_eq!(read(&path, "people").unwrap(), None);
        let database = Connection::open(&path).unwrap();
        database.execute_batch("CREATE TABLE people (id INTEGER)").unwrap();
        assert_eq!(read(&path, "people").unwrap(), None);
        write(&database, "people", "first").unwrap();
        write(&database, "people", "second").unwrap();
        assert_eq!(read(&path, "people").unwrap().as_deref(), Some("second"));
        database.execute_batch("DROP TABLE people").unwrap();
        assert_eq!(read(&path, "people").unwrap(), None);
    }
}
