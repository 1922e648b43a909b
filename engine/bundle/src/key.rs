//! How keys are named: purpose, name and version; and who can hand one out.

use std::{fmt, num::NonZeroU32, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::secret::KeyMaterial;

/// What a key is for. A key of one purpose is never used for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Seals chunks, manifests and history: what a recipient of data must open.
    Data,
    /// Seals schema snapshots, DDL and change logs.
    Metadata,
    /// Keys the masking functions.
    Masking,
    /// Keys the names of files in the store.
    Identifiers,
    /// Seals run and audit records.
    Audit,
}

impl Purpose {
    /// Every purpose, in the order in which keyrings list them.
    pub const ALL: [Self; 5] =
        [Self::Data, Self::Metadata, Self::Masking, Self::Identifiers, Self::Audit];

    /// The word used in files, messages and derivations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Metadata => "metadata",
            Self::Masking => "masking",
            Self::Identifiers => "identifiers",
            Self::Audit => "audit",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Purpose {
    type Err = KeyNameError;

    fn from_str(text: &str) -> Result<Self, KeyNameError> {
        Self::ALL.into_iter().find(|p| p.as_str() == text).ok_or(KeyNameError::Purpose)
    }
}

/// A name that cannot be a key's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyNameError {
    /// The name breaks the rules of [`KeyName`].
    #[error(
        "a key's name has 1 to {MAX} characters, each a lower-case letter, digit, '_', '-' or '.', \
         and starts with a letter or digit",
        MAX = KeyName::BYTES_MAX
    )]
    Name,
    /// The word is not a [`Purpose`].
    #[error("a key's purpose is one of data, metadata, masking, identifiers, audit")]
    Purpose,
}

/// A key's name: 1 to 64 of `a-z 0-9 _ - .`, starting with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(String);

impl KeyName {
    /// The longest name, in bytes.
    pub const BYTES_MAX: usize = 64;

    /// Checks and takes a name.
    ///
    /// # Errors
    /// [`KeyNameError::Name`] when it breaks the rules.
    pub fn new(name: impl Into<String>) -> Result<Self, KeyNameError> {
        let name = name.into();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let good = name.len() <= Self::BYTES_MAX
            && name.bytes().next().is_some_and(plain)
            && name.bytes().all(|b| plain(b) || matches!(b, b'_' | b'-' | b'.'));
        if good { Ok(Self(name)) } else { Err(KeyNameError::Name) }
    }

    /// The name of the keys a project has when it names none: `default`.
    #[must_use]
    pub fn default_name() -> Self {
        Self("default".to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KeyName {
    type Error = KeyNameError;

    fn try_from(name: String) -> Result<Self, KeyNameError> {
        Self::new(name)
    }
}

impl From<KeyName> for String {
    fn from(name: KeyName) -> Self {
        name.0
    }
}

impl FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(name: &str) -> Result<Self, KeyNameError> {
        Self::new(name)
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which key: purpose, name and version (from 1). Names a key, holds none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyId {
    /// What the key is for.
    pub purpose: Purpose,
    /// Its name.
    pub name: KeyName,
    /// Its version; the first is 1.
    pub version: NonZeroU32,
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} version {}", self.purpose, self.name, self.version)
    }
}

/// A key with its name, ready to seal with.
#[derive(Debug, Clone, Copy)]
pub struct NamedKey<'a> {
    /// Which key it is.
    pub id: &'a KeyId,
    /// The key.
    pub material: &'a KeyMaterial,
}

/// Anything that holds keys by name: an open keyring, or one key a recipient was given.
pub trait KeySource {
    /// The key, or `None` when it is not held.
    fn find(&self, id: &KeyId) -> Option<&KeyMaterial>;
}

/// One exported key, as a recipient holds it.
#[derive(Debug, Clone)]
pub struct SingleKey {
    /// Which key it is.
    pub id: KeyId,
    /// The key.
    pub material: KeyMaterial,
}

impl KeySource for SingleKey {
    fn find(&self, id: &KeyId) -> Option<&KeyMaterial> {
        (self.id == *id).then_some(&self.material)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["a", "default", "eu-west.2024_q1", "0", &"a".repeat(64)] {
            assert!(KeyName::new(good).is_ok(), "{good}");
        }
        for bad in ["", ".a", "-a", "A", "a b", "ä", "a/b", "a\0", &"a".repeat(65)] {
            assert_eq!(KeyName::new(bad), Err(KeyNameError::Name), "{bad}");
        }
    }

    #[test]
    fn purposes_round_trip() {
        for purpose in Purpose::ALL {
            assert_eq!(purpose.as_str().parse(), Ok(purpose));
            assert_eq!(serde_json::to_value(purpose).unwrap(), purpose.as_str());
        }
        assert_eq!("Data".parse::<Purpose>(), Err(KeyNameError::Purpose));
    }
}
