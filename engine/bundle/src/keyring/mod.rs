//! The keyring: a project's keys, wrapped under a key-encryption key, safe to copy.
//!
//! ```text
//!  passphrase ─Argon2id / PBKDF2─┐
//!  environment, key file ────────┴▶ root ─HKDF─┬▶ verifier    proves the secret, says no more
//!                                              ├▶ wrapping    AES-256-GCM, one nonce a key,
//!                                              │              bound to purpose, name, version
//!                                              └▶ integrity   over the whole file
//! ```
//!
//! A keyring is read in two steps: [`Keyring::parse`] looks at the file without any secret,
//! [`Keyring::open`] proves the secret and unwraps every key.

mod error;
mod format;
mod unlock;

use std::{collections::BTreeMap, num::NonZeroU32};

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit, Nonce, Tag};

pub use error::KeyringError;
pub use format::{KeyEntry, KeyState};
pub use unlock::{Protection, Provider};

use crate::{
    derive::{self, DeriveError},
    key::{KeyId, KeyName, KeySource, NamedKey, Purpose},
    pae,
    random::{self, Source},
    secret::{KeyMaterial, Secret},
};
use format::{Document, HexBytes, WrappedKey};

/// The version of the file format that this crate writes, and the only one it reads.
pub const FORMAT_VERSION: u32 = 1;
/// The longest file that is parsed.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// A keyring as it lies in the store: names in clear, keys wrapped.
#[derive(Debug, Clone)]
pub struct Keyring {
    document: Document,
}

impl Keyring {
    /// Makes a keyring with a first version of each key in `wanted`, and gives its bytes.
    ///
    /// # Errors
    /// When the secret does not fit the protection, the protection is out of bounds, or
    /// there are no random bytes.
    pub fn create(
        protection: Protection,
        secret: &Secret,
        wanted: &[(Purpose, KeyName)],
    ) -> Result<(Vec<u8>, OpenKeyring), KeyringError> {
        Self::create_with(protection, secret, wanted, &mut random::fill)
    }

    pub(crate) fn create_with(
        protection: Protection,
        secret: &Secret,
        wanted: &[(Purpose, KeyName)],
        source: Source<'_>,
    ) -> Result<(Vec<u8>, OpenKeyring), KeyringError> {
        let unlock = unlock::Unlock::new(protection, secret, source)?;
        let root = unlock.root(secret)?;
        let guard = Guard::new(&root)?;
        let document = Document {
            format_version: FORMAT_VERSION,
            verifier: HexBytes::from(*verifier(&root)?.expose()),
            unlock,
            keys: Vec::new(),
            integrity: HexBytes::default(),
        };
        let mut open = OpenKeyring { document, guard, keys: BTreeMap::new() };
        for (purpose, name) in wanted {
            open.add_version_with(*purpose, name, source)?;
        }
        Ok((open.to_bytes(), open))
    }

    /// The keys a new project begins with: one of each purpose, named `default`.
    #[must_use]
    pub fn default_keys() -> Vec<(Purpose, KeyName)> {
        Purpose::ALL.map(|purpose| (purpose, KeyName::default_name())).to_vec()
    }

    /// Reads a keyring's file. Needs no secret, and believes nothing yet.
    ///
    /// # Errors
    /// When it is no keyring of a known version, or its parameters are out of bounds.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyringError> {
        Ok(Self { document: Document::parse(bytes)? })
    }

    /// What must be asked for to open it.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.document.unlock.provider()
    }

    /// The keys' names, versions and states, in order. Not yet proven: see [`OpenKeyring::list`].
    #[must_use]
    pub fn list(&self) -> Vec<KeyEntry> {
        self.document.list()
    }

    /// Whether every key of this file is in `open` too: it is a copy of an earlier or the same state.
    #[must_use]
    pub fn is_copy_of(&self, open: &OpenKeyring) -> bool {
        let same = |a: &WrappedKey, b: &WrappedKey| {
            a.id() == b.id() && a.wrapped.get() == b.wrapped.get() && a.tag.get() == b.tag.get()
        };
        self.document.keys.iter().all(|key| open.document.keys.iter().any(|own| same(key, own)))
    }

    /// Proves the secret, checks the file and unwraps its keys.
    ///
    /// # Errors
    /// [`KeyringError::WrongPassphrase`] (or [`KeyringError::WrongKey`]) when the secret is not
    /// the right one, and nothing else then; [`KeyringError::Tampered`] when it is.
    pub fn open(self, secret: &Secret) -> Result<OpenKeyring, KeyringError> {
        let document = self.document;
        let root = document.unlock.root(secret)?;
        // `blake3::Hash` compares in constant time.
        let known = blake3::Hash::from_bytes(document.verifier.get());
        if known != blake3::Hash::from_bytes(*verifier(&root)?.expose()) {
            return Err(match document.unlock.provider() {
                Provider::Passphrase => KeyringError::WrongPassphrase,
                provider => KeyringError::WrongKey { provider },
            });
        }
        let guard = Guard::new(&root)?;
        if guard.integrity(&document) != blake3::Hash::from_bytes(document.integrity.get()) {
            return Err(KeyringError::Tampered);
        }
        let mut keys = BTreeMap::new();
        for wrapped in &document.keys {
            keys.insert(wrapped.id(), guard.unwrap(wrapped)?);
        }
        Ok(OpenKeyring { document, guard, keys })
    }
}

/// An opened keyring: the keys themselves, wiped when dropped.
pub struct OpenKeyring {
    document: Document,
    guard: Guard,
    keys: BTreeMap<KeyId, KeyMaterial>,
}

impl OpenKeyring {
    /// The file to store: JSON, ending in a newline.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut document = self.document.clone();
        document.integrity = HexBytes::from(*self.guard.integrity(&document).as_bytes());
        document.to_bytes()
    }

    /// The keys' names, versions and states, in order.
    #[must_use]
    pub fn list(&self) -> Vec<KeyEntry> {
        self.document.list()
    }

    /// Notes the day, as `2026-11-23`, for keys of which none is noted: for those that were made just now.
    /// Store [`to_bytes`](Self::to_bytes) afterwards.
    pub fn note_day(&mut self, day: &str) {
        for key in self.document.keys.iter_mut().filter(|key| key.since.is_none()) {
            key.since = Some(day.to_owned());
        }
    }

    /// The key to seal with: the active version of that name.
    ///
    /// # Errors
    /// [`KeyringError::NoActiveKey`] when there is none.
    pub fn active(&self, purpose: Purpose, name: &KeyName) -> Result<NamedKey<'_>, KeyringError> {
        self.document
            .keys
            .iter()
            .find(|key| {
                key.purpose == purpose && key.name == *name && key.state == KeyState::Active
            })
            .and_then(|key| self.keys.get_key_value(&key.id()))
            .map(|(id, material)| NamedKey { id, material })
            .ok_or_else(|| KeyringError::NoActiveKey { purpose, name: name.clone() })
    }

    /// A copy of a key, for handing it to a recipient.
    ///
    /// # Errors
    /// [`KeyringError::NoSuchKey`] when there is none.
    pub fn export(&self, id: &KeyId) -> Result<KeyMaterial, KeyringError> {
        self.find(id).cloned().ok_or_else(|| KeyringError::NoSuchKey { id: id.clone() })
    }

    /// Adds the next version of a key, or its first; it becomes the active one, and earlier
    /// versions only open from then on. Store [`to_bytes`](Self::to_bytes) afterwards.
    ///
    /// # Errors
    /// When the keyring is full or there are no random bytes.
    pub fn add_version(&mut self, purpose: Purpose, name: &KeyName) -> Result<KeyId, KeyringError> {
        self.add_version_with(purpose, name, &mut random::fill)
    }

    fn add_version_with(
        &mut self,
        purpose: Purpose,
        name: &KeyName,
        source: Source<'_>,
    ) -> Result<KeyId, KeyringError> {
        if self.document.keys.len() >= format::KEYS_MAX {
            return Err(KeyringError::TooManyKeys);
        }
        let same = |key: &&mut WrappedKey| key.purpose == purpose && key.name == *name;
        let latest = self.keys.keys().filter(|id| id.purpose == purpose && id.name == *name);
        let version = match latest.map(|id| id.version).max() {
            None => NonZeroU32::MIN,
            Some(version) => version.checked_add(1).ok_or(KeyringError::TooManyKeys)?,
        };
        let id = KeyId { purpose, name: name.clone(), version };
        let material = random::key_from(source)?;
        let wrapped = self.guard.wrap(&id, &material, random::array_from(source)?)?;
        for earlier in self.document.keys.iter_mut().filter(same) {
            earlier.state = KeyState::Retired;
        }
        self.document.keys.push(wrapped);
        self.document.keys.sort_by_key(WrappedKey::id);
        self.keys.insert(id.clone(), material);
        Ok(id)
    }
}

impl KeySource for OpenKeyring {
    fn find(&self, id: &KeyId) -> Option<&KeyMaterial> {
        self.keys.get(id)
    }
}

impl std::fmt::Debug for OpenKeyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.keys()).finish()
    }
}

/// The keys that guard the file, derived from its root.
struct Guard {
    wrapping: KeyMaterial,
    integrity: KeyMaterial,
}

impl Guard {
    fn new(root: &KeyMaterial) -> Result<Self, DeriveError> {
        Ok(Self {
            wrapping: derive::subkey(root, "engine keyring v1 wrapping", &[])?,
            integrity: derive::subkey(root, "engine keyring v1 integrity", &[])?,
        })
    }

    fn integrity(&self, document: &Document) -> blake3::Hash {
        blake3::keyed_hash(self.integrity.expose(), &document.body())
    }

    fn wrap(
        &self,
        id: &KeyId,
        material: &KeyMaterial,
        nonce: [u8; 12],
    ) -> Result<WrappedKey, DeriveError> {
        let cipher = Aes256Gcm::new(self.wrapping.expose().into());
        let mut wrapped = *material.expose();
        let tag = cipher
            .encrypt_inout_detached(
                &Nonce::from(nonce),
                &bound_to(id),
                wrapped.as_mut_slice().into(),
            )
            .map_err(|_| DeriveError)?;
        Ok(WrappedKey {
            purpose: id.purpose,
            name: id.name.clone(),
            version: id.version,
            state: KeyState::Active,
            since: None,
            nonce: HexBytes::from(nonce),
            wrapped: HexBytes::from(wrapped),
            tag: HexBytes::from(<[u8; 16]>::from(tag)),
        })
    }

    fn unwrap(&self, key: &WrappedKey) -> Result<KeyMaterial, KeyringError> {
        let cipher = Aes256Gcm::new(self.wrapping.expose().into());
        KeyMaterial::filled_by(|out| {
            *out = key.wrapped.get();
            cipher
                .decrypt_inout_detached(
                    &Nonce::from(key.nonce.get()),
                    &bound_to(&key.id()),
                    out.as_mut_slice().into(),
                    &Tag::from(key.tag.get()),
                )
                .map_err(|_| KeyringError::Tampered)
        })
    }
}

/// What the secret proves itself against. One more derived key: it reveals no other.
fn verifier(root: &KeyMaterial) -> Result<KeyMaterial, DeriveError> {
    derive::subkey(root, "engine keyring v1 verifier", &[])
}

/// The associated data of a wrapped key: its place in the keyring.
fn bound_to(id: &KeyId) -> Vec<u8> {
    pae::encode(&[
        b"engine keyring v1 key",
        id.purpose.as_str().as_bytes(),
        id.name.as_str().as_bytes(),
        &id.version.get().to_be_bytes(),
    ])
}

#[cfg(test)]
mod tests;
