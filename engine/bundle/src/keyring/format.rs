//! The keyring's file: its JSON, and the bounds within which it is believed to be one.
//!
//! ```text
//!  { format_version, unlock: {…}, verifier, keys: [ {purpose, name, version, state,
//!    since?, nonce, wrapped, tag}, … ], integrity }
//! ```

use std::{collections::BTreeSet, num::NonZeroU32};

use serde::{Deserialize, Serialize};

use super::{FILE_BYTES_MAX, FORMAT_VERSION, KeyringError, unlock::Unlock};
use crate::key::{KeyId, KeyName, Purpose};

/// The most keys one keyring holds.
pub(super) const KEYS_MAX: usize = 2_000;

/// Whether a key may seal, or only open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Seals and opens. At most one version of a name is active.
    Active,
    /// Opens only.
    Retired,
}

/// A key as listings show it: no secret in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyEntry {
    /// Purpose, name and version.
    pub id: KeyId,
    /// Whether it may seal.
    pub state: KeyState,
    /// The day on which it was made, as `2026-11-23`; none of a key that was made before days were noted.
    pub since: Option<String>,
}

/// `N` bytes, written as hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct HexBytes<const N: usize>([u8; N]);

impl<const N: usize> HexBytes<N> {
    pub(super) fn get(self) -> [u8; N] {
        self.0
    }
}

impl<const N: usize> Default for HexBytes<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> From<[u8; N]> for HexBytes<N> {
    fn from(bytes: [u8; N]) -> Self {
        Self(bytes)
    }
}

impl<const N: usize> TryFrom<String> for HexBytes<N> {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let mut bytes = [0; N];
        match base16ct::lower::decode(&text, &mut bytes) {
            Ok(read) if read.len() == N => Ok(Self(bytes)),
            _ => Err("not the right number of lower-case hexadecimal digits"),
        }
    }
}

impl<const N: usize> From<HexBytes<N>> for String {
    fn from(bytes: HexBytes<N>) -> Self {
        base16ct::lower::encode_string(&bytes.0)
    }
}

/// One key, encrypted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrappedKey {
    pub(super) purpose: Purpose,
    pub(super) name: KeyName,
    pub(super) version: NonZeroU32,
    pub(super) state: KeyState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<String>,
    pub(super) nonce: HexBytes<12>,
    pub(super) wrapped: HexBytes<32>,
    pub(super) tag: HexBytes<16>,
}

impl WrappedKey {
    pub(super) fn id(&self) -> KeyId {
        KeyId { purpose: self.purpose, name: self.name.clone(), version: self.version }
    }
}

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) format_version: u32,
    pub(super) unlock: Unlock,
    pub(super) verifier: HexBytes<32>,
    pub(super) keys: Vec<WrappedKey>,
    pub(super) integrity: HexBytes<32>,
}

/// The one field that every version of the format has.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

impl Document {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, KeyringError> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(KeyringError::TooLarge);
        }
        let version: Version = serde_json::from_slice(bytes).map_err(|e| malformed(&e))?;
        if version.format_version != FORMAT_VERSION {
            return Err(KeyringError::UnknownVersion { found: version.format_version });
        }
        let document: Self = serde_json::from_slice(bytes).map_err(|e| malformed(&e))?;
        document.unlock.check()?;
        document.check_keys()?;
        Ok(document)
    }

    fn check_keys(&self) -> Result<(), KeyringError> {
        if self.keys.len() > KEYS_MAX {
            return Err(KeyringError::TooManyKeys);
        }
        let mut ids = BTreeSet::new();
        let mut active = BTreeSet::new();
        for key in &self.keys {
            let second_active =
                key.state == KeyState::Active && !active.insert((key.purpose, &key.name));
            if !ids.insert(key.id()) || second_active {
                return Err(KeyringError::Contradiction { id: key.id() });
            }
        }
        Ok(())
    }

    pub(super) fn list(&self) -> Vec<KeyEntry> {
        let entry = |key: &WrappedKey| KeyEntry {
            id: key.id(),
            state: key.state,
            since: key.since.clone(),
        };
        let mut entries: Vec<KeyEntry> = self.keys.iter().map(entry).collect();
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        entries
    }

    /// What the integrity field covers: everything else, as compact JSON.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut body = self.clone();
        body.integrity = HexBytes::default();
        // Serialising these types to memory cannot fail: no maps with other keys than text.
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// Indented, one key a line group, so that changes show in a diff.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// Place only: serde's own message may quote the text, and the text may be anything.
fn malformed(error: &serde_json::Error) -> KeyringError {
    KeyringError::Format { line: error.line(), column: error.column() }
}
