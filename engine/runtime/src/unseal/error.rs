//! What can stop a chunk from being read. Names the file and the reason, never a value.

use engine_bundle::header::HeaderError;
use engine_bundle::layout::KEYRING;
use engine_bundle::sealed::SealedError;
use engine_bundle::stream::StreamError;

use crate::codes::{Code, keys, store};
use crate::diagnostic::Diagnostic;

/// How the names of manifests end.
const MANIFEST: &str = ".json.enc";

/// Why a sealed file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {reason}")]
pub struct UnsealError {
    /// The file, as a path in the store.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
    /// What would mend it.
    pub hint: Option<&'static str>,
    /// The cause.
    pub cause: Cause,
}

/// The kinds of [`UnsealError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The file is not in the store.
    Missing,
    /// The bytes are not the ones that were written under this name.
    Tampered,
    /// The bytes are of a later version of the format.
    Version,
    /// The key is not in the keyring.
    Key,
    /// The store cannot be reached.
    Store,
}

impl UnsealError {
    /// A file that is not there.
    pub fn missing(file: impl Into<String>) -> Self {
        Self::lost(file.into(), "is missing".to_owned(), Cause::Missing)
    }

    /// A file that is not what was written.
    pub fn tampered(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::lost(file.into(), reason.into(), Cause::Tampered)
    }

    /// Only chunks can be written again: a snapshot follows the manifest before it, and keys are made once.
    fn lost(file: String, reason: String, cause: Cause) -> Self {
        let hint = if file == KEYRING || file.ends_with(MANIFEST) {
            "restore it from a copy of the store"
        } else {
            "restore it from a copy of the store, or publish the export again with `engine run --force`"
        };
        Self { file, reason, hint: Some(hint), cause }
    }

    /// The same, with another way to mend it.
    #[must_use]
    pub fn mended_by(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// A file whose key is not held.
    pub fn no_key(file: impl Into<String>) -> Self {
        let hint =
            Some("ask the project's owner for the key; `engine keys list` shows those at hand");
        let reason = "was sealed with a key that is not in the keyring".to_owned();
        Self { file: file.into(), reason, hint, cause: Cause::Key }
    }

    /// What a store of opened files said: its own words when it has them.
    pub fn from_store(file: &str, error: &object_store::Error) -> Self {
        if let object_store::Error::Generic { source, .. } = error
            && let Some(found) = source.downcast_ref::<Self>()
        {
            return found.clone();
        }
        Self::store(file, error)
    }

    /// What opening a sealed file said.
    pub fn sealed(file: impl Into<String>, error: &SealedError) -> Self {
        let cause = match error {
            SealedError::Header(
                HeaderError::UnknownVersion { .. } | HeaderError::UnknownKind { .. },
            ) => Cause::Version,
            SealedError::KeyMissing { .. } => Cause::Key,
            SealedError::Stream(StreamError::Random(_)) => Cause::Store,
            _ => Cause::Tampered,
        };
        Self { file: file.into(), reason: error.to_string(), hint: Some(error.hint()), cause }
    }

    /// What the store said about a file.
    pub fn store(file: impl Into<String>, error: &object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::missing(file),
            _ => Self {
                file: file.into(),
                reason: "the store did not give it".to_owned(),
                hint: Some("check that the store can be reached and read"),
                cause: Cause::Store,
            },
        }
    }

    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self.cause, Cause::Missing)
    }

    /// The finding to show.
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::new(self.code(), self.to_string());
        match self.hint {
            Some(hint) => diagnostic.help(hint),
            None => diagnostic,
        }
    }

    fn code(&self) -> &'static Code {
        let manifest = self.file.ends_with(MANIFEST);
        let keyring = self.file == KEYRING;
        match self.cause {
            Cause::Missing if keyring => &keys::KEYRING_MISSING,
            Cause::Missing if manifest => &store::MANIFEST_CHAIN,
            Cause::Missing => &store::CHUNK_MISSING,
            Cause::Tampered if keyring => &keys::KEYRING_MALFORMED,
            Cause::Tampered if manifest => &store::MANIFEST_TAMPERED,
            Cause::Tampered => &store::CHUNK_TAMPERED,
            Cause::Version => &store::FORMAT_VERSION,
            Cause::Key => &store::FILE_KEY,
            Cause::Store => &store::STORE_UNAVAILABLE,
        }
    }
}

/// An error for DataFusion and object_store to carry.
impl From<UnsealError> for object_store::Error {
    fn from(error: UnsealError) -> Self {
        Self::Generic { store: "sealed", source: Box::new(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_not_at_hand_has_its_words() {
        let golden = include_str!("../../../../tests/diagnostics/elsewhere/E0618.txt");
        assert_eq!(
            crate::diagnostic::words(&UnsealError::no_key("0000000001.json.enc").diagnostic()),
            golden
        );
    }
}
