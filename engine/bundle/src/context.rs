//! What a sealed file is and where it belongs: authenticated, so that it cannot be moved.
//!
//! ```text
//!  kind ────────▶ in the header, in clear
//!  project ─┐
//!  export  ─┼──▶ pre-authentication encoding ──▶ associated data, after the header
//!  object  ─┘
//! ```
//!
//! | kind        | export      | object                  |
//! |-------------|-------------|-------------------------|
//! | chunk       | its name    | chunk id                |
//! | manifest    | its name    | snapshot version        |
//! | run record  | empty       | run id                  |
//! | metadata, history, audit | empty or a name | the object's own name |

use crate::{
    ids::{ChunkId, RunId},
    key::Purpose,
    pae,
};

/// What kind of file is sealed. The number stands in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A Parquet file of an export.
    Chunk = 1,
    /// A snapshot's manifest.
    Manifest = 2,
    /// The record of a run.
    RunRecord = 3,
    /// A schema snapshot, DDL or change log.
    Metadata = 4,
    /// Row history.
    History = 5,
    /// An audit record.
    Audit = 6,
}

impl Kind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Chunk, Self::Manifest, Self::RunRecord, Self::Metadata, Self::History, Self::Audit];

    /// The number in the header.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind of a number; `None` when there is none.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The purpose of the keys that seal files of this kind.
    #[must_use]
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Chunk | Self::Manifest | Self::History => Purpose::Data,
            Self::Metadata => Purpose::Metadata,
            Self::RunRecord | Self::Audit => Purpose::Audit,
        }
    }

    /// The words used in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chunk => "chunk",
            Self::Manifest => "manifest",
            Self::RunRecord => "run record",
            Self::Metadata => "metadata",
            Self::History => "history",
            Self::Audit => "audit record",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which file it is: kind, project, export and object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Context {
    kind: Kind,
    project: String,
    export: String,
    object: String,
}

impl Context {
    /// A chunk of `export`.
    #[must_use]
    pub fn chunk(project: &str, export: &str, chunk: ChunkId) -> Self {
        Self::named(Kind::Chunk, project, export, &chunk.to_string())
    }

    /// The manifest of snapshot `version` of `export`.
    #[must_use]
    pub fn manifest(project: &str, export: &str, version: u64) -> Self {
        Self::named(Kind::Manifest, project, export, &version.to_string())
    }

    /// The record of a run.
    #[must_use]
    pub fn run_record(project: &str, run: RunId) -> Self {
        Self::named(Kind::RunRecord, project, "", &run.to_string())
    }

    /// Any other file, by its own name.
    #[must_use]
    pub fn named(kind: Kind, project: &str, export: &str, object: &str) -> Self {
        Self {
            kind,
            project: project.to_owned(),
            export: export.to_owned(),
            object: object.to_owned(),
        }
    }

    /// What kind of file it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Project, export and object as one byte string; the kind stands in the header.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        pae::encode(&[self.project.as_bytes(), self.export.as_bytes(), self.object.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_pinned() {
        let numbers: Vec<u8> = Kind::ALL.into_iter().map(Kind::number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
        for number in 0..=u8::MAX {
            let found = Kind::from_number(number).map(Kind::number);
            assert_eq!(found, (1..=6).contains(&number).then_some(number));
        }
    }

    #[test]
    fn every_field_counts() {
        let base = Context::named(Kind::Chunk, "p", "e", "o").encode();
        for (p, e, o) in [("q", "e", "o"), ("p", "f", "o"), ("p", "e", "x"), ("pe", "", "o")] {
            assert_ne!(Context::named(Kind::Chunk, p, e, o).encode(), base);
        }
    }
}
