//! The newest line of a chain, or the last one that retention removed, sealed under the same key.

use serde::{Deserialize, Serialize};

use super::{super::hex::Mac, Head, MacOf};

const FORMAT_VERSION: u32 = 1;

/// Parts the MACs of marks from those of other things under the same key.
const DOMAIN: &[u8] = b"engine/runs/mark/1\0";

/// What a [`Mark`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// The newest line.
    Head,
    /// The last line that retention removed.
    Anchor,
}

/// A document about a chain, of one line: kept where the next writer replaces it on condition that it
/// is still the one it read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What it stands for.
    pub kind: MarkKind,
    /// The line.
    pub head: Head,
}

/// Why a mark cannot be believed. Its bytes are not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// Not the canonical JSON of a mark of this version.
    #[error("the mark of a chain is malformed")]
    Format,
    /// Its MAC is not that of its content.
    #[error("the mark of a chain was changed, or made under another key")]
    Changed,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format_version: u32,
    kind: MarkKind,
    head: Head,
    seal: Mac,
}

impl Mark {
    /// The canonical bytes, sealed.
    ///
    /// # Errors
    /// None that is known: every mark has a JSON form.
    pub fn to_bytes(&self, mac: &MacOf<'_>) -> Result<Vec<u8>, MarkError> {
        let Self { kind, head } = *self;
        let unsealed = Document { format_version: FORMAT_VERSION, kind, head, seal: Mac::ZERO };
        let mut bytes = DOMAIN.to_vec();
        serde_json::to_writer(&mut bytes, &unsealed).map_err(|_| MarkError::Format)?;
        let sealed = Document { seal: Mac::from(mac(&bytes)), ..unsealed };
        serde_json::to_vec(&sealed).map_err(|_| MarkError::Format)
    }

    /// Reads a mark. `bytes` are untrusted until then.
    ///
    /// # Errors
    /// A [`MarkError`], where they are not what [`to_bytes`](Self::to_bytes) makes under this key.
    pub fn parse(bytes: &[u8], mac: &MacOf<'_>) -> Result<Self, MarkError> {
        let document: Document = serde_json::from_slice(bytes).map_err(|_| MarkError::Format)?;
        if document.format_version != FORMAT_VERSION {
            return Err(MarkError::Format);
        }
        let mark = Self { kind: document.kind, head: document.head };
        if mark.to_bytes(mac)? == bytes { Ok(mark) } else { Err(MarkError::Changed) }
    }
}
