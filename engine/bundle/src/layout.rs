//! Where things lie in the store, as paths relative to its root; made here, read back here.
//!
//! ```text
//!  exports/<file id>/chunks/<chunk id>.parquet.enc       sealed
//!  exports/<file id>/chunks/<chunk id>.parquet           modular
//!  exports/<file id>/manifests/<version>.json.enc        10 digits: a listing sorts
//!  exports/<file id>/tombstones/<number>.json.enc        what is deleted softly; the greatest number holds
//!  audit/<run id>.json.enc                              deletions
//!  runs/<run id>.json.enc
//!  runs/<writer>/<class>/…                              run records, named by the runtime
//!  outbox/<destination>/<number>.json.enc                events that were not delivered, named by the runtime
//!  keys/keyring.json
//! ```

use serde::{Deserialize, Serialize};

use crate::ids::{ChunkId, FileId, RunId};

/// The path of the keyring.
pub const KEYRING: &str = "keys/keyring.json";
/// The directory of run records.
pub const RUNS: &str = "runs";
/// The directory of events that are on their way to others.
pub const OUTBOX: &str = "outbox";
/// The greatest snapshot version a path can name.
pub const VERSION_MAX: u64 = 9_999_999_999;

const VERSION_DIGITS: usize = 10;

/// The path is not one of this layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a path of the store's layout")]
pub struct LayoutError;

/// How the chunks of an export are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// A Parquet file inside our sealed container.
    Sealed,
    /// Parquet Modular Encryption.
    Modular,
}

impl Encryption {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Sealed => ".parquet.enc",
            Self::Modular => ".parquet",
        }
    }
}

/// An object of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreObject {
    /// A chunk of an export.
    Chunk {
        /// The export's file id.
        file: FileId,
        /// The chunk.
        chunk: ChunkId,
        /// How it is encrypted.
        encryption: Encryption,
    },
    /// The manifest of a snapshot.
    Manifest {
        /// The export's file id.
        file: FileId,
        /// The snapshot's version, 1 to [`VERSION_MAX`].
        version: u64,
    },
    /// What of an export is deleted softly.
    Tombstones {
        /// The export's file id.
        file: FileId,
        /// The number of the document, 1 to [`VERSION_MAX`].
        number: u64,
    },
    /// A record of deletions.
    Audit {
        /// The operation.
        run: RunId,
    },
    /// A run record.
    Run {
        /// The run.
        run: RunId,
    },
    /// The keyring.
    Keyring,
}

impl StoreObject {
    /// The object's path.
    ///
    /// # Errors
    /// [`LayoutError`] when a manifest's version is 0 or above [`VERSION_MAX`].
    pub fn path(&self) -> Result<String, LayoutError> {
        match self {
            Self::Chunk { file, chunk, encryption } => Ok(chunk_path(*file, *chunk, *encryption)),
            Self::Manifest { file, version } => manifest_path(*file, *version),
            Self::Tombstones { file, number } => tombstones_path(*file, *number),
            Self::Audit { run } => Ok(audit_path(*run)),
            Self::Run { run } => Ok(run_path(*run)),
            Self::Keyring => Ok(KEYRING.to_owned()),
        }
    }

    /// Which object a path names.
    ///
    /// # Errors
    /// [`LayoutError`] when it names none.
    pub fn parse(path: &str) -> Result<Self, LayoutError> {
        if path == KEYRING {
            return Ok(Self::Keyring);
        }
        let parts: Vec<&str> = path.splitn(5, '/').collect();
        match parts.as_slice() {
            ["runs", name] => {
                let run = name.strip_suffix(".json.enc").and_then(|id| id.parse().ok());
                Ok(Self::Run { run: run.ok_or(LayoutError)? })
            }
            ["audit", name] => {
                let run = name.strip_suffix(".json.enc").and_then(|id| id.parse().ok());
                Ok(Self::Audit { run: run.ok_or(LayoutError)? })
            }
            ["exports", file, "tombstones", name] => {
                let (file, number) = numbered(file, name).ok_or(LayoutError)?;
                Ok(Self::Tombstones { file, number })
            }
            ["exports", file, "chunks", name] => parse_chunk(file, name).ok_or(LayoutError),
            ["exports", file, "manifests", name] => parse_manifest(file, name).ok_or(LayoutError),
            _ => Err(LayoutError),
        }
    }
}

/// The path of a chunk.
#[must_use]
pub fn chunk_path(file: FileId, chunk: ChunkId, encryption: Encryption) -> String {
    format!("{}/{}", chunks_prefix(file), chunk_name(chunk, encryption))
}

/// The name of a chunk's file, without its directory.
#[must_use]
pub fn chunk_name(chunk: ChunkId, encryption: Encryption) -> String {
    format!("{chunk}{}", encryption.suffix())
}

/// The directory of an export's chunks.
#[must_use]
pub fn chunks_prefix(file: FileId) -> String {
    format!("exports/{file}/chunks")
}

/// The path of a manifest.
///
/// # Errors
/// [`LayoutError`] when the version is 0 or above [`VERSION_MAX`].
pub fn manifest_path(file: FileId, version: u64) -> Result<String, LayoutError> {
    if version == 0 || version > VERSION_MAX {
        return Err(LayoutError);
    }
    Ok(format!("{}/{version:010}.json.enc", manifests_prefix(file)))
}

/// The directory of an export's manifests.
#[must_use]
pub fn manifests_prefix(file: FileId) -> String {
    format!("exports/{file}/manifests")
}

/// The path of a document of tombstones.
///
/// # Errors
/// [`LayoutError`] when the number is 0 or above [`VERSION_MAX`].
pub fn tombstones_path(file: FileId, number: u64) -> Result<String, LayoutError> {
    if number == 0 || number > VERSION_MAX {
        return Err(LayoutError);
    }
    Ok(format!("{}/{number:010}.json.enc", tombstones_prefix(file)))
}

/// The directory of an export's tombstones.
#[must_use]
pub fn tombstones_prefix(file: FileId) -> String {
    format!("exports/{file}/tombstones")
}

/// The path of a record of deletions.
#[must_use]
pub fn audit_path(run: RunId) -> String {
    format!("audit/{run}.json.enc")
}

/// The path of a run record.
#[must_use]
pub fn run_path(run: RunId) -> String {
    format!("{RUNS}/{run}.json.enc")
}

fn parse_chunk(file: &str, name: &str) -> Option<StoreObject> {
    let file = file.parse().ok()?;
    for encryption in [Encryption::Sealed, Encryption::Modular] {
        if let Some(id) = name.strip_suffix(encryption.suffix()) {
            return Some(StoreObject::Chunk { file, chunk: id.parse().ok()?, encryption });
        }
    }
    None
}

fn parse_manifest(file: &str, name: &str) -> Option<StoreObject> {
    let (file, version) = numbered(file, name)?;
    Some(StoreObject::Manifest { file, version })
}

/// The export and number of a document.
fn numbered(file: &str, name: &str) -> Option<(FileId, u64)> {
    let file = file.parse().ok()?;
    let digits = name.strip_suffix(".json.enc")?;
    if digits.len() != VERSION_DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = digits.parse().ok().filter(|number| *number > 0)?;
    Some((file, number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "0123456789abcdef";
    const CHUNK: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn paths_are_pinned_and_read_back() {
        let paths = [
            format!("exports/{FILE}/chunks/{CHUNK}.parquet.enc"),
            format!("exports/{FILE}/chunks/{CHUNK}.parquet"),
            format!("exports/{FILE}/manifests/0000000042.json.enc"),
            format!("exports/{FILE}/tombstones/0000000007.json.enc"),
            format!("audit/{CHUNK}.json.enc"),
            format!("runs/{CHUNK}.json.enc"),
            "keys/keyring.json".to_owned(),
        ];
        for path in paths {
            assert_eq!(StoreObject::parse(&path).unwrap().path().unwrap(), path);
        }
    }

    #[test]
    fn other_paths_are_refused() {
        let bad = [
            String::new(),
            "keys/keyring.json/".to_owned(),
            format!("exports/{FILE}/chunks/../{CHUNK}.parquet"),
            format!("exports/{FILE}/chunks/{CHUNK}.parquet.enc.enc"),
            format!("exports/{FILE}/manifests/42.json.enc"),
            format!("exports/{FILE}/manifests/+000000042.json.enc"),
            format!("exports/{FILE}/manifests/0000000000.json.enc"),
            format!("exports/{}/chunks/{CHUNK}.parquet", FILE.to_uppercase()),
            format!("/runs/{CHUNK}.json.enc"),
        ];
        for path in bad {
            assert_eq!(StoreObject::parse(&path), Err(LayoutError), "{path}");
        }
        let file = FILE.parse().unwrap();
        assert_eq!(manifest_path(file, 0), Err(LayoutError));
        assert_eq!(manifest_path(file, VERSION_MAX + 1), Err(LayoutError));
    }

    proptest! {
        #[test]
        fn what_parses_has_one_spelling(path in "(exports|audit|runs|keys)(/[a-z0-9./]{0,40}){0,4}") {
            if let Ok(object) = StoreObject::parse(&path) {
                prop_assert_eq!(object.path().unwrap(), path);
            }
        }
    }
}
