//! What can stop a chunk from being written. No variant holds a cell value.

use std::error::Error as _;
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
    /// The store did not take the bytes.
    #[error("the store refused a chunk")]
    Store,
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
            Self::Store => &store::STORE_UNAVAILABLE,
            Self::Key => &keys::KEY_UNKNOWN,
            Self::Random => &keys::RANDOM,
            Self::Parquet | Self::NotSetUp => &run::EXECUTION,
        };
        Diagnostic::new(code, self.to_string())
    }
}

impl From<object_store::Error> for SealError {
    fn from(error: object_store::Error) -> Self {
        let mut next = error.source();
        while let Some(current) = next {
            if let Some(io) = current.downcast_ref::<io::Error>() {
                return Self::from_io(io);
            }
            next = current.source();
        }
        Self::Store
    }
}

impl SealError {
    /// An I/O error from below a writer.
    pub fn from_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Store,
        }
    }
}

impl From<SealError> for DataFusionError {
    fn from(error: SealError) -> Self {
        Self::External(Box::new(error))
    }
}
