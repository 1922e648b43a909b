//! What can stop a chunk from being written. No variant holds a cell value.

use std::error::Error;
use std::io;

use datafusion::error::DataFusionError;

use crate::codes::{keys, run, store};
use crate::diagnostic::Diagnostic;

/// Why a chunk could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The store has no room.
    #[error("the store is full")]
    Full,
    /// The store did not take the bytes, for a reason of the operating system where there is one.
    #[error("the store refused a chunk{}", reason(*.0))]
    Store(Option<io::ErrorKind>),
    /// The data key is not held by this process.
    #[error("the data key is not in the keyring")]
    Key,
    /// The Parquet writer refused a batch.
    #[error("a batch cannot be written as Parquet")]
    Parquet,
    /// The operating system gave no random bytes.
    #[error("no random bytes")]
    Random,
    /// The plan was not handed what a writer needs.
    #[error("the writer was not set up")]
    NotSetUp,
}

impl SealError {
    /// The finding to show.
    pub fn diagnostic(&self) -> Diagnostic {
        let code = match self {
            Self::Full => &store::STORE_FULL,
            Self::Store(_) => &store::STORE_UNAVAILABLE,
            Self::Key => &keys::KEY_UNKNOWN,
            Self::Random => &keys::RANDOM,
            Self::Parquet | Self::NotSetUp => &run::EXECUTION,
        };
        let finding = Diagnostic::new(code, self.to_string());
        match self {
            Self::Full => finding.help("make room, then run `engine retry`"),
            Self::Random => {
                finding.help("allow the engine the system's random source: `getrandom` on Linux")
            }
            Self::Store(_) => finding.help("check that the store can be reached and written"),
            _ => finding,
        }
    }
}

fn reason(kind: Option<io::ErrorKind>) -> String {
    kind.map(|kind| format!(": {kind}")).unwrap_or_default()
}

impl From<object_store::Error> for SealError {
    fn from(error: object_store::Error) -> Self {
        Self::below(error.source())
    }
}

impl SealError {
    /// An I/O error from below a writer.
    pub fn from_io(error: &io::Error) -> Self {
        match (error.kind(), error.get_ref()) {
            (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, _) => Self::Full,
            // A writer over a store hands on the store's errors inside its own.
            (_, Some(inner)) => Self::below(Some(inner)),
            (kind, None) => Self::Store(Some(kind)),
        }
    }

    fn below(mut next: Option<&(dyn Error + 'static)>) -> Self {
        while let Some(current) = next {
            if let Some(found) = current.downcast_ref::<io::Error>() {
                return Self::from_io(found);
            }
            next = current.source();
        }
        Self::Store(None)
    }
}

impl From<SealError> for DataFusionError {
    fn from(error: SealError) -> Self {
        Self::External(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::words;

    fn of_store(kind: io::ErrorKind) -> object_store::Error {
        object_store::Error::Generic { store: "test", source: Box::new(io::Error::from(kind)) }
    }

    #[test]
    fn a_full_store_is_known_however_deep_it_says_so() {
        let full = || of_store(io::ErrorKind::StorageFull);
        assert!(matches!(SealError::from(full()), SealError::Full));
        assert!(matches!(SealError::from_io(&io::Error::other(full())), SealError::Full));
        let twice = io::Error::other(io::Error::other(full()));
        assert!(matches!(SealError::from_io(&twice), SealError::Full));
    }

    #[test]
    fn every_refusal_has_a_code_of_its_own() {
        let code = |error: SealError| error.diagnostic().code.id;
        assert_eq!(code(SealError::Full), "E0603");
        assert_eq!(code(SealError::Store(None)), "E0602");
        assert_eq!(code(SealError::Key), "E0705");
        assert_eq!(code(SealError::Random), "E0710");
        assert_eq!(code(SealError::Parquet), "E0814");
    }

    #[test]
    fn refusals_that_no_page_can_show_have_their_words() {
        let golden = include_str!("../../../../tests/diagnostics/elsewhere/E0603.txt");
        assert_eq!(words(&SealError::Full.diagnostic()), golden);
        let golden = include_str!("../../../../tests/diagnostics/elsewhere/E0710.txt");
        assert_eq!(words(&SealError::Random.diagnostic()), golden);
    }

    #[test]
    fn another_reason_is_named_without_its_text() {
        let denied = of_store(io::ErrorKind::PermissionDenied);
        let shown = SealError::from_io(&io::Error::other(denied)).to_string();
        assert_eq!(shown, "the store refused a chunk: permission denied");
        let unknown = SealError::from_io(&io::Error::other("canary")).to_string();
        assert_eq!(unknown, "the store refused a chunk");
    }
}
