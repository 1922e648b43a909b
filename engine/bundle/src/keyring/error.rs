//! Why keyrings are refused, and what to do about it.

use super::{FILE_BYTES_MAX, FORMAT_VERSION, format, unlock, unlock::Provider};
use crate::{
    derive::DeriveError,
    key::{KeyId, KeyName, Purpose},
    random::RandomError,
};

/// Why a keyring could not be made, read or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// Longer than [`FILE_BYTES_MAX`].
    #[error("the keyring is longer than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// Not the JSON of a keyring. The text itself is not quoted.
    #[error("the keyring is malformed at line {line}, column {column}")]
    Format {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A later version of the format.
    #[error("the keyring has format version {found}; this engine reads version {FORMAT_VERSION}")]
    UnknownVersion {
        /// The version in the file.
        found: u32,
    },
    /// Key derivation parameters that are too weak to trust or too costly to run.
    #[error("the keyring's key derivation is out of bounds: {bound}")]
    Parameters {
        /// The bound that is broken.
        bound: &'static str,
    },
    /// Two keys of one name and version, or two active versions of one name.
    #[error("the keyring lists key {id} in a way that contradicts another entry")]
    Contradiction {
        /// The second of the two.
        id: KeyId,
    },
    /// The passphrase does not open this keyring.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// The 32-byte key from the environment or a file does not open this keyring.
    #[error("the key given by {provider} does not open this keyring")]
    WrongKey {
        /// Where the key came from.
        provider: Provider,
    },
    /// What the environment or the file holds is not a 32-byte key.
    #[error("{provider} does not hold a 32-byte key")]
    KeyFormat {
        /// Where the key came from.
        provider: Provider,
    },
    /// A new passphrase that is too short.
    #[error("a passphrase has at least {} characters", unlock::PASSPHRASE_CHARS_MIN)]
    PassphraseTooShort,
    /// The secret is right, and the file is not what was written with it.
    #[error("the keyring was changed after it was written")]
    Tampered,
    /// No key of that purpose and name, or none that may seal.
    #[error("the keyring holds no active {purpose} key named {name}")]
    NoActiveKey {
        /// The purpose asked for.
        purpose: Purpose,
        /// The name asked for.
        name: KeyName,
    },
    /// No key of that purpose, name and version.
    #[error("the keyring holds no key {id}")]
    NoSuchKey {
        /// The key asked for.
        id: KeyId,
    },
    /// More keys than a keyring holds.
    #[error("a keyring holds at most {} keys", format::KEYS_MAX)]
    TooManyKeys,
    /// Argon2id could not have the memory that the file asks for.
    #[error("not enough memory to derive the key: {memory_kib} KiB are needed")]
    OutOfMemory {
        /// What the file asks for.
        memory_kib: u32,
    },
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A key could not be derived or wrapped.
    #[error(transparent)]
    Derive(#[from] DeriveError),
}

impl KeyringError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::WrongPassphrase => "try again; the passphrase is compared byte for byte",
            Self::WrongKey { .. } => "check which project and target the key belongs to",
            Self::KeyFormat { .. } => {
                "give 32 bytes as 64 hexadecimal digits or as base64; a key file may hold them raw"
            }
            Self::UnknownVersion { .. } => "a newer engine wrote it: update this one",
            Self::PassphraseTooShort => "choose a longer one; several words are easy to remember",
            Self::NoActiveKey { .. } | Self::NoSuchKey { .. } => {
                "`engine keys list` shows the keys there are"
            }
            Self::OutOfMemory { .. } => "free memory, or open the keyring on a larger machine",
            Self::TooManyKeys => "remove keys that seal nothing any more",
            Self::TooLarge
            | Self::Format { .. }
            | Self::Parameters { .. }
            | Self::Contradiction { .. }
            | Self::Tampered => "restore keys/keyring.json from a copy you trust",
            Self::Random(_) | Self::Derive(_) => "the operating system refused random bytes",
        }
    }
}
