//! The only place of this crate that touches files directly: bounded reads, atomic writes, appends.
//! Data never goes through here; it goes through the object store.

#![expect(clippy::disallowed_methods, reason = "this is the file made for files")]

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

/// Reads a whole file of at most `bytes_max` bytes.
///
/// # Errors
/// Those of the file system; `InvalidData` when the file is longer.
pub fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is too long"));
    }
    Ok(bytes)
}

/// Writes a file so that readers see the old or the new one, whole; makes its directory. What is there
/// and is no file (a pipe, a terminal) is written to; a link stays one.
///
/// # Errors
/// Those of the file system.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let target = fs::canonicalize(path);
    let path = target.as_deref().unwrap_or(path);
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(directory)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = directory.join(format!(".{name}.{}.tmp", std::process::id()));
    let result = fs::File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    if result.is_err() {
        // The write failed already; a leftover is not worth a second error.
        fs::remove_file(&temporary).ok();
    }
    result
}

/// Writes a file that only its owner may read, and that must not exist yet; makes its directory.
///
/// # Errors
/// Those of the file system; `AlreadyExists` when the file is there.
pub fn create_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new(".")))?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A lock on a file. Ends when it is dropped, or with the process.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held for its lock")] fs::File);

/// Takes the lock of a file, which is made with its directory when it is not there; `None` when another
/// process has it.
///
/// # Errors
/// Those of the file system.
pub fn lock(path: &Path) -> io::Result<Option<Lock>> {
    fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new(".")))?;
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(file))),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Appends to a file in one write; makes the file and its directory.
///
/// # Errors
/// Those of the file system.
pub fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new(".")))?;
    fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes)
}

/// Removes what lies in a directory besides `keep`; nothing when there is no such directory.
///
/// # Errors
/// Those of the file system.
pub fn retain(directory: &Path, keep: &[String]) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && !keep.contains(&name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A file of a directory: its name, when it was last written, its length.
pub type Listed = (String, std::time::SystemTime, u64);

/// The files that lie in a directory; none when there is no such directory.
///
/// # Errors
/// Those of the file system.
pub fn list(directory: &Path) -> io::Result<Vec<Listed>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            found.push((name, metadata.modified()?, metadata.len()));
        }
    }
    found.sort();
    Ok(found)
}

/// Removes a file; there may be none.
///
/// # Errors
/// Those of the file system.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes a directory with those above it.
///
/// # Errors
/// Those of the file system.
pub fn make_directory(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)
}

/// The path without links.
///
/// # Errors
/// Those of the file system.
pub fn resolved(path: &Path) -> io::Result<std::path::PathBuf> {
    fs::canonicalize(path)
}

/// Removes a directory with all that is in it; whether there was one.
///
/// # Errors
/// Those of the file system.
pub fn remove_folder(directory: &Path) -> io::Result<bool> {
    match fs::remove_dir_all(directory) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a directory is absent or has no entry.
///
/// # Errors
/// Those of the file system.
pub fn is_vacant(directory: &Path) -> io::Result<bool> {
    match fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_beyond_its_bound_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b.txt");
        write(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_lock_is_held_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let held = lock(&path).unwrap();
        assert!(held.is_some());
        assert!(lock(&path).unwrap().is_none());
        drop(held);
        assert!(lock(&path).unwrap().is_some());
    }

    #[test]
    fn a_private_file_is_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        create_private(&path, b"first").unwrap();
        assert!(create_private(&path, b"second").is_err());
        assert_eq!(read(&path, 100).unwrap(), b"first");
    }
}
