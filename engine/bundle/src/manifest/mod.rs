//! Manifests: what a snapshot of an export consists of, as canonical JSON.
//!
//! ```text
//!  Manifest ──validate──▶ to_bytes ──▶ digest ──▶ seal ──▶ exports/<file id>/manifests/<version>
//!     ▲                                   │
//!     └── parse ◀── open ◀── store        └──▶ predecessor.digest of the next snapshot
//! ```
//!
//! Canonical: fixed field order, sorted maps, no white space, no floating point; [`parse`]
//! accepts nothing else. Equal manifests have equal bytes, and a digest names one manifest.
//! A manifest holds no cell value except masked partition values, no minimum or maximum,
//! and no key.
//!
//! [`parse`]: Manifest::parse

mod validate;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    ids::{ChunkId, RunId},
    key::KeyId,
    layout::Encryption,
};

/// The version of the format that this crate writes, and the only one it reads.
pub const FORMAT_VERSION: u32 = 1;
/// The longest manifest that is written or parsed, in bytes.
pub const MANIFEST_BYTES_MAX: usize = 256 << 20;
/// The most chunks of a snapshot.
pub const CHUNKS_MAX: usize = 1_000_000;
/// The most columns of an export.
pub const COLUMNS_MAX: usize = 10_000;
/// The most entries of any other list.
pub const ENTRIES_MAX: usize = 10_000;
/// The longest text in a field, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 << 10;

/// Why a manifest cannot be written or believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Longer than [`MANIFEST_BYTES_MAX`].
    #[error("the manifest is longer than {MANIFEST_BYTES_MAX} bytes")]
    TooLarge,
    /// Not the JSON of a manifest. The text itself is not quoted.
    #[error("the manifest is malformed at line {line}, column {column}")]
    Format {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A later version of the format.
    #[error("the manifest has format version {found}; this engine reads version {FORMAT_VERSION}")]
    UnknownVersion {
        /// The version in the file.
        found: u32,
    },
    /// The right content in other bytes than the canonical ones.
    #[error("the manifest is not in canonical form")]
    NotCanonical,
    /// More entries than a manifest holds.
    #[error("the manifest lists more than {max} {what}")]
    TooMany {
        /// Which list.
        what: &'static str,
        /// Its bound.
        max: usize,
    },
    /// A text longer than [`TEXT_BYTES_MAX`], or an empty one where there must be one.
    #[error("a {what} in the manifest is empty or longer than {TEXT_BYTES_MAX} bytes")]
    Text {
        /// Which field.
        what: &'static str,
    },
    /// The chunks' rows do not add up to the snapshot's.
    #[error("the chunks hold {listed} rows, the snapshot says {total}")]
    Rows {
        /// The sum over the chunks.
        listed: u128,
        /// The snapshot's number.
        total: u64,
    },
    /// The chunks' bytes do not add up to the snapshot's.
    #[error("the chunks hold {listed} bytes, the snapshot says {total}")]
    Bytes {
        /// The sum over the chunks.
        listed: u128,
        /// The snapshot's number.
        total: u64,
    },
    /// A chunk listed twice.
    #[error("chunk {id} is listed twice")]
    DuplicateChunk {
        /// The chunk.
        id: ChunkId,
    },
    /// A chunk whose file is not named after it.
    #[error("the file of chunk {id} is not the one its id and encryption give")]
    ChunkFile {
        /// The chunk.
        id: ChunkId,
    },
    /// A modular chunk without its key, or a sealed one with a key of its own.
    #[error("chunk {id} and the snapshot's encryption disagree about the chunk's key")]
    ChunkKey {
        /// The chunk.
        id: ChunkId,
    },
    /// Chunks partitioned by different columns.
    #[error("chunk {id} is partitioned by other columns than the first chunk")]
    Partition {
        /// The chunk.
        id: ChunkId,
    },
    /// Two columns of one name.
    #[error("a column name stands twice in the schema")]
    DuplicateColumn,
    /// A list that must be sorted and free of repetitions is not.
    #[error("the {what} are not in ascending order")]
    Order {
        /// Which list.
        what: &'static str,
    },
    /// The version is not the predecessor's plus one, or the first has a predecessor.
    #[error("snapshot {version} does not follow the predecessor it names")]
    Predecessor {
        /// The snapshot's version.
        version: u64,
    },
}

/// One committed version of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The project's name.
    pub project: String,
    /// The target it was published for: a snapshot of one target is foreign to the store of another,
    /// though both may share a keyring.
    pub target: String,
    /// The export's name.
    pub export: String,
    /// The snapshot's version, from 1.
    pub version: u64,
    /// The run that committed it.
    pub run: RunId,
    /// The Git commit of the project, where there is one.
    pub git_commit: Option<String>,
    /// What made the data.
    pub inputs: Inputs,
    /// Every key that the run used for this export, in ascending order.
    pub keys: Vec<KeyId>,
    /// How the chunks are encrypted.
    pub encryption: Encryption,
    /// The columns, in order.
    pub schema: Vec<Column>,
    /// Rows of all chunks together.
    pub rows: u64,
    /// Bytes of all chunks together, as they lie in the store.
    pub bytes: u64,
    /// The chunks, in order: the rows of the snapshot are theirs, one after another.
    pub chunks: Vec<Chunk>,
    /// Tests, leak checks and k-anonymity, as they came out.
    pub tests: Vec<TestResult>,
    /// The snapshot before this one; `None` for the first.
    pub predecessor: Option<Predecessor>,
    /// What the engine's plan said of the export: a document of its own format, which holds no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub described: Option<serde_json::Value>,
    /// The run that read the rows, where another committed this snapshot: rows left the one before, and none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<RunId>,
}

/// Digests of everything a snapshot follows from: equal inputs, equal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Of the plan the run executed.
    pub plan: Digest,
    /// Of the compiled SQL of the export.
    pub compiled_sql: Digest,
    /// Of the resolved policy for the export.
    pub policy: Digest,
    /// The engine that ran.
    pub engine: EngineBuild,
    /// What was read, by name, in ascending order.
    pub sources: Vec<SourceFingerprint>,
}

/// The engine that made a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineBuild {
    /// Its version.
    pub version: String,
    /// The digest of its build.
    pub build: Digest,
}

/// What a source looked like when it was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFingerprint {
    /// The source table's name, as the project knows it.
    pub name: String,
    /// An opaque digest: of sizes, times or versions, never of guessable content alone.
    pub digest: Digest,
}

/// A column of the export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as the configuration language writes it.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether nulls may occur.
    pub nullable: bool,
    /// Its class, where one is declared.
    pub class: Option<String>,
    /// How it was masked, as readable text; `None` when it was kept.
    pub mask: Option<String>,
}

/// A chunk of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunk {
    /// Its id.
    pub id: ChunkId,
    /// The name of its file in the export's `chunks` directory.
    pub file: String,
    /// Its rows.
    pub rows: u64,
    /// Its file's length in bytes.
    pub bytes: u64,
    /// The digest of its file.
    pub digest: Digest,
    /// Masked values of the partition columns, by column; `None` is null.
    pub partition: BTreeMap<String, Option<String>>,
    /// For modular chunks: which key their footer key is derived from, and how.
    pub modular: Option<ModularKey>,
}

/// Where the footer key of a modular chunk comes from: see [`crate::modular::file_key`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModularKey {
    /// The data key it is derived from.
    pub key: KeyId,
    /// The scope it is derived for: the run that wrote the chunk.
    pub scope: RunId,
}

/// How a test of the export came out. Counts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestResult {
    /// The test's name.
    pub name: String,
    /// What kind of test it is: `not_null`, `k_anonymity`, `leak`, …
    pub kind: String,
    /// The outcome.
    pub status: TestStatus,
    /// How many rows (or groups) failed it.
    pub failures: u64,
    /// What it measured, where it measures: for `k_anonymity` the smallest group.
    pub measured: Option<u64>,
    /// Some of what failed, by keyed handles; left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handles: Vec<String>,
}

/// The outcome of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestStatus {
    /// It held.
    Passed,
    /// It did not, and the project only warns about it.
    Warned,
    /// It did not.
    Failed,
}

/// The snapshot before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predecessor {
    /// Its version.
    pub version: u64,
    /// The digest of its manifest's canonical bytes.
    pub digest: Digest,
}

/// The one field that every version of the format has.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

impl Manifest {
    /// Reads and validates a manifest. `bytes` are untrusted until then.
    ///
    /// # Errors
    /// A [`ManifestError`] for each way in which they are not a canonical, consistent manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(ManifestError::TooLarge);
        }
        let version: Version = serde_json::from_slice(bytes).map_err(|e| malformed(&e))?;
        if version.format_version != FORMAT_VERSION {
            return Err(ManifestError::UnknownVersion { found: version.format_version });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| malformed(&e))?;
        if manifest.to_bytes()? != bytes {
            return Err(ManifestError::NotCanonical);
        }
        Ok(manifest)
    }

    /// The canonical bytes, after validation.
    ///
    /// # Errors
    /// When the manifest contradicts itself or passes a bound.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        self.validate()?;
        let bytes = serde_json::to_vec(self).map_err(|e| malformed(&e))?;
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(ManifestError::TooLarge);
        }
        Ok(bytes)
    }

    /// The digest of the canonical bytes: what the next snapshot names as its predecessor's.
    ///
    /// # Errors
    /// As [`to_bytes`](Self::to_bytes).
    pub fn digest(&self) -> Result<Digest, ManifestError> {
        Ok(Digest::of(&self.to_bytes()?))
    }

    /// Checks that the manifest agrees with itself: sums, unique and ordered entries, names
    /// of files, bounds, and that its version follows its predecessor's.
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn validate(&self) -> Result<(), ManifestError> {
        validate::check(self)
    }
}

/// Place only: serde's own message may quote the text.
fn malformed(error: &serde_json::Error) -> ManifestError {
    ManifestError::Format { line: error.line(), column: error.column() }
}

#[cfg(test)]
mod tests;
