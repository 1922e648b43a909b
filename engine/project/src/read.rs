//! The one place that touches the file system: bounded, in sorted order.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::thread;

use crate::problem::ProblemKind;

/// Bytes of one file.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Files of a project.
const FILES_MAX: usize = 10_000;
/// Files read at the same time.
const FILES_AT_ONCE: usize = 16;
/// Files for which a thread is worth its start.
const FILES_PER_THREAD_MIN: usize = 8;
/// Levels of folders.
const FOLDERS_DEPTH_MAX: usize = 16;

/// Reads a file. `None` when there is none.
///
/// # Errors
/// Files that cannot be read, are too large, or are not UTF-8.
pub(crate) fn text(root: &Path, relative: &str) -> Result<Option<String>, ProblemKind> {
    let unreadable = |error: &std::io::Error| unreadable(relative, error);
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the file made for reading configuration, with a size bound"
    )]
    let file = match fs::File::open(root.join(relative)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(ProblemKind::FileTooLarge {
            path: relative.to_owned(),
            bytes_max: FILE_BYTES_MAX,
        });
    }
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| ProblemKind::NotUtf8 { path: relative.to_owned() })
}

/// Reads files, several at a time: on a disk that was not read lately each one is waited for. The results
/// stand in the order of the paths.
pub(crate) fn texts(root: &Path, paths: &[String]) -> Vec<Result<Option<String>, ProblemKind>> {
    let share = paths.len().div_ceil(FILES_AT_ONCE).max(FILES_PER_THREAD_MIN);
    let read = |paths: &[String]| paths.iter().map(|path| text(root, path)).collect::<Vec<_>>();
    thread::scope(|scope| {
        let readers: Vec<_> =
            paths.chunks(share).map(|paths| (paths, scope.spawn(move || read(paths)))).collect();
        // A thread that ended early has read nothing: its files are read here.
        let joined = readers
            .into_iter()
            .map(|(paths, reader)| reader.join().unwrap_or_else(|_| read(paths)));
        joined.flatten().collect()
    })
}

/// Paths, relative to the project and with `/`, of the files below a folder whose names
/// end in one of the extensions. Hidden files are left out; a folder that does not exist is empty.
///
/// # Errors
/// Folders that cannot be listed, and more of them than the bounds allow.
pub(crate) fn list(
    root: &Path,
    folder: &str,
    extensions: &[&str],
) -> Result<Vec<String>, ProblemKind> {
    let mut found = Vec::new();
    let mut folders = vec![(PathBuf::from(folder), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let shown = shown(&folder)?;
        let unreadable = |error: &std::io::Error| unreadable(&shown, error);
        let entries = match fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(&error)),
        };
        for entry in entries {
            let path = folder.join(entry.map_err(|error| unreadable(&error))?.file_name());
            let hidden =
                path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            let metadata = if hidden { continue } else { fs::metadata(root.join(&path)) };
            let metadata = match metadata {
                Ok(metadata) => metadata,
                Err(error) => return Err(self::unreadable(&self::shown(&path)?, &error)),
            };
            if metadata.is_dir() {
                // A link to a folder above would go round for ever.
                if depth >= FOLDERS_DEPTH_MAX {
                    let detail =
                        format!("folders are nested more than {FOLDERS_DEPTH_MAX} levels deep");
                    return Err(ProblemKind::UnreadableFile { path: self::shown(&path)?, detail });
                }
                folders.push((path, depth + 1));
            } else if path
                .extension()
                .is_some_and(|end| extensions.iter().any(|wanted| end == *wanted))
            {
                found.push(self::shown(&path)?);
            }
            if found.len() + folders.len() > FILES_MAX {
                return Err(ProblemKind::TooManyFiles { files_max: FILES_MAX });
            }
        }
    }
    found.sort();
    Ok(found)
}

fn unreadable(path: &str, error: &std::io::Error) -> ProblemKind {
    ProblemKind::UnreadableFile { path: path.to_owned(), detail: error.kind().to_string() }
}

/// A relative path with `/`.
fn shown(path: &Path) -> Result<String, ProblemKind> {
    let parts: Option<Vec<&str>> = path.iter().map(std::ffi::OsStr::to_str).collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| ProblemKind::UnreadableFile {
        path: path.to_string_lossy().into_owned(),
        detail: String::from("its name is not UTF-8"),
    })
}
