//! Opens a database file, tells whether it changed, and replaces the library's errors.
//!
//! SQLite's messages can quote statements and values, so each is replaced by a kind.

use std::fs::{Metadata, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, OpenFlags};

use crate::error::{SourceError, SourceErrorKind};

/// How long a lock of another process is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Opens an existing database for reading only. Sorting never spills to a file.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, SourceError> {
    present(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    prepared(Connection::open_with_flags(path, flags))
}

/// Opens a database that loads write, for reading only. What a killed load left half done is undone first, which
/// only a connection that may write can do (SQLite, "Atomic Commit", section 4.2, hot journals).
pub(crate) fn open_target(path: &Path) -> Result<Connection, SourceError> {
    present(path)?;
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    if Path::new(&journal).exists() {
        open_read_write(path)?;
    }
    open_read_only(path)
}

/// Opens an existing database for reading and writing. Nothing spills to a file.
pub(crate) fn open_read_write(path: &Path) -> Result<Connection, SourceError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    prepared(Connection::open_with_flags(path, flags))
}

fn prepared(opened: rusqlite::Result<Connection>) -> Result<Connection, SourceError> {
    let connection = opened.map_err(|error| replaced(&error))?;
    connection.busy_timeout(LOCK_WAIT).map_err(|error| replaced(&error))?;
    connection.execute_batch("PRAGMA temp_store = MEMORY").map_err(|error| replaced(&error))?;
    // The first read of the file: says here, not later, when it is no database.
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(|error| replaced(&error))?;
    Ok(connection)
}

fn present(path: &Path) -> Result<Metadata, SourceError> {
    std::fs::metadata(path).map_err(|error| io_error(&error))
}

/// The kind of an error of the file system; its text holds no value and is kept.
pub(crate) fn io_error(error: &std::io::Error) -> SourceError {
    let kind = match error.kind() {
        ErrorKind::NotFound => SourceErrorKind::NotFound,
        ErrorKind::PermissionDenied => SourceErrorKind::Denied,
        kind => SourceErrorKind::Unavailable { reason: kind.to_string() },
    };
    SourceError::new(kind)
}

/// The kind of an error of the library, without its text.
pub(crate) fn replaced(error: &rusqlite::Error) -> SourceError {
    let Some(failure) = error.sqlite_error() else {
        return SourceErrorKind::Library { what: "the SQLite library" }.into();
    };
    let kind = match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => SourceErrorKind::Locked,
        ErrorCode::NotADatabase => malformed("the file is not a SQLite database"),
        ErrorCode::DatabaseCorrupt => malformed("the SQLite database is damaged"),
        ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::AuthorizationForStatementDenied => SourceErrorKind::Denied,
        ErrorCode::OperationInterrupted => SourceErrorKind::Cancelled,
        ErrorCode::DiskFull => unavailable("the disk is full"),
        ErrorCode::OutOfMemory => unavailable("out of memory"),
        ErrorCode::SystemIoFailure => unavailable("an input or output error"),
        ErrorCode::TooBig => malformed("a value is larger than SQLite allows"),
        ErrorCode::SchemaChanged => SourceErrorKind::Changed,
        ErrorCode::ConstraintViolation => {
            SourceErrorKind::Constraint { constraint: constraint(failure.extended_code) }
        }
        ErrorCode::CannotOpen => {
            return SourceError::new(unavailable("the database cannot be opened")).with_hint(
                "a database in WAL mode needs its -wal and -shm files, or a directory that can be written",
            );
        }
        _ => SourceErrorKind::Library { what: "the SQLite library" },
    };
    SourceError::new(kind)
}

fn malformed(what: &str) -> SourceErrorKind {
    SourceErrorKind::Malformed { what: what.to_owned() }
}

fn unavailable(reason: &str) -> SourceErrorKind {
    SourceErrorKind::Unavailable { reason: reason.to_owned() }
}

/// Extended result codes: <https://sqlite.org/rescode.html>.
fn constraint(extended_code: i32) -> &'static str {
    match extended_code {
        rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY | rusqlite::ffi::SQLITE_CONSTRAINT_ROWID => {
            "primary key"
        }
        rusqlite::ffi::SQLITE_CONSTRAINT_NOTNULL => "not null",
        rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE => "unique",
        rusqlite::ffi::SQLITE_CONSTRAINT_CHECK => "check",
        rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "foreign key",
        rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER => "trigger",
        _ => "table",
    }
}

/// A digest of what changes with every write: size and time of the database and of its
/// write-ahead log, and the header's change counter (file format, §1.3.6).
pub(crate) fn fingerprint(path: &Path) -> Result<String, SourceError> {
    let mut digest = blake3::Hasher::new();
    let database = present(path)?;
    stamp(&mut digest, &database);
    let mut counter = [0_u8; 4];
    let read = OpenOptions::new().read(true).open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(24))?;
        file.read_exact(&mut counter)
    });
    match read {
        Ok(()) => digest.update(&counter),
        // An empty file is a database without tables.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => digest.update(b"short"),
        Err(error) => return Err(io_error(&error)),
    };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    match std::fs::metadata(PathBuf::from(log)) {
        Ok(metadata) => stamp(&mut digest, &metadata),
        Err(_) => {
            digest.update(b"no log");
        }
    }
    Ok(digest.finalize().to_hex().to_string())
}

fn stamp(digest: &mut blake3::Hasher, metadata: &Metadata) {
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |time| time.as_nanos());
    digest.update(&metadata.len().to_le_bytes());
    digest.update(&modified.to_le_bytes());
}

/// An identifier in SQL: in double quotes, with those inside doubled.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod killed {
    use super::*;

    /// A copy of a database in the middle of a transaction is what a kill leaves: pages that were written, and the
    /// journal that undoes them.
    #[test]
    fn what_a_killed_load_left_is_undone_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("a.sqlite"), folder.path().join("b.sqlite"));
        let database = Connection::open(&path).unwrap();
        let begun = "PRAGMA cache_size = 2; CREATE TABLE t(x); \
                     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) \
                     INSERT INTO t SELECT zeroblob(2000) FROM n; \
                     BEGIN; UPDATE t SET x = zeroblob(1999)";
        database.execute_batch(begun).unwrap();
        for ending in ["", "-journal"] {
            let from = format!("{}{ending}", path.display());
            std::fs::copy(from, format!("{}{ending}", copy.display())).unwrap();
        }
        assert!(open_read_only(&copy).is_err());
        let opened = open_target(&copy).unwrap();
        let sql = "SELECT count(*) FROM t WHERE length(x) = 2000";
        let count: i64 = opened.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 500);
    }
}
