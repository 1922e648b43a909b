//! From a secret to a keyring's root key: passphrase, environment or key file.
//!
//! ```text
//!  passphrase   Argon2id (RFC 9106) or PBKDF2-HMAC-SHA256 (RFC 8018) with the file's salt
//!  environment  32 bytes as hexadecimal digits or base64 ─┐
//!  key file     the same, or 32 raw bytes ────────────────┴▶ HKDF-SHA256 with the file's salt
//! ```
//!
//! The parameters stand in a file that anybody may have changed, so they are bounded from
//! below, against a weakened derivation, and from above, against one that never ends.

use argon2::{Algorithm, Argon2, Params};
use base64ct::Encoding;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{KeyringError, format::HexBytes};
use crate::{
    derive,
    random::{self, Source},
    secret::{KEY_BYTES, KeyMaterial, Secret},
};

/// The fewest characters of a new passphrase (NIST SP 800-63B, section 5.1.1).
pub(super) const PASSPHRASE_CHARS_MIN: usize = 8;

/// OWASP's floor for Argon2id: 19 MiB and two passes.
const MEMORY_KIB_MIN: u32 = 19 * 1024;
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MIN: u32 = 2;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;
const ITERATIONS_MIN: u32 = 600_000;
const ITERATIONS_MAX: u32 = 20_000_000;

/// Where the secret that opens a keyring comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// A passphrase.
    Passphrase,
    /// A 32-byte key in an environment variable.
    Environment,
    /// A 32-byte key in a file.
    KeyFile,
}

impl std::fmt::Display for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Passphrase => "the passphrase",
            Self::Environment => "the environment variable",
            Self::KeyFile => "the key file",
        })
    }
}

/// How a new keyring is to be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// A passphrase through Argon2id.
    Argon2id {
        /// Memory in KiB: 19,456 to 1,048,576.
        memory_kib: u32,
        /// Passes over it: 2 to 16.
        passes: u32,
        /// Lanes: 1 to 16.
        lanes: u32,
    },
    /// A passphrase through PBKDF2-HMAC-SHA256, where Argon2id may not be used.
    Pbkdf2 {
        /// Iterations: 600,000 to 20,000,000.
        iterations: u32,
    },
    /// A 32-byte key, as text, from an environment variable.
    Environment,
    /// A 32-byte key from a file.
    KeyFile,
}

impl Protection {
    /// A passphrase through Argon2id with 64 MiB, 3 passes and 4 lanes: the second of the
    /// recommended options of RFC 9106, section 4.
    #[must_use]
    pub const fn passphrase() -> Self {
        Self::Argon2id { memory_kib: 64 * 1024, passes: 3, lanes: 4 }
    }
}

/// How a keyring is protected, as its file says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Unlock {
    PassphraseArgon2id { memory_kib: u32, passes: u32, lanes: u32, salt: HexBytes<16> },
    PassphrasePbkdf2HmacSha256 { iterations: u32, salt: HexBytes<16> },
    Environment { salt: HexBytes<16> },
    KeyFile { salt: HexBytes<16> },
}

impl Unlock {
    pub(super) fn new(
        protection: Protection,
        secret: &Secret,
        source: Source<'_>,
    ) -> Result<Self, KeyringError> {
        let salt = HexBytes::from(random::array_from(source)?);
        let unlock = match protection {
            Protection::Argon2id { memory_kib, passes, lanes } => {
                Self::PassphraseArgon2id { memory_kib, passes, lanes, salt }
            }
            Protection::Pbkdf2 { iterations } => {
                Self::PassphrasePbkdf2HmacSha256 { iterations, salt }
            }
            Protection::Environment => Self::Environment { salt },
            Protection::KeyFile => Self::KeyFile { salt },
        };
        unlock.check()?;
        let characters = String::from_utf8_lossy(secret.expose()).chars().count();
        if unlock.provider() == Provider::Passphrase && characters < PASSPHRASE_CHARS_MIN {
            return Err(KeyringError::PassphraseTooShort);
        }
        Ok(unlock)
    }

    pub(super) fn provider(&self) -> Provider {
        match self {
            Self::PassphraseArgon2id { .. } | Self::PassphrasePbkdf2HmacSha256 { .. } => {
                Provider::Passphrase
            }
            Self::Environment { .. } => Provider::Environment,
            Self::KeyFile { .. } => Provider::KeyFile,
        }
    }

    pub(super) fn check(&self) -> Result<(), KeyringError> {
        let bound = match self {
            Self::PassphraseArgon2id { memory_kib, .. }
                if !(MEMORY_KIB_MIN..=MEMORY_KIB_MAX).contains(memory_kib) =>
            {
                "Argon2id takes 19456 to 1048576 KiB of memory"
            }
            Self::PassphraseArgon2id { passes, .. }
                if !(PASSES_MIN..=PASSES_MAX).contains(passes) =>
            {
                "Argon2id takes 2 to 16 passes"
            }
            Self::PassphraseArgon2id { lanes, .. } if !(1..=LANES_MAX).contains(lanes) => {
                "Argon2id takes 1 to 16 lanes"
            }
            Self::PassphrasePbkdf2HmacSha256 { iterations, .. }
                if !(ITERATIONS_MIN..=ITERATIONS_MAX).contains(iterations) =>
            {
                "PBKDF2 takes 600000 to 20000000 iterations"
            }
            _ => return Ok(()),
        };
        Err(KeyringError::Parameters { bound })
    }

    /// The root key that `secret` leads to, right or wrong.
    pub(super) fn root(&self, secret: &Secret) -> Result<KeyMaterial, KeyringError> {
        match self {
            Self::PassphraseArgon2id { memory_kib, passes, lanes, salt } => {
                argon2id(secret, salt, [*memory_kib, *passes, *lanes])
            }
            Self::PassphrasePbkdf2HmacSha256 { iterations, salt } => {
                KeyMaterial::filled_by(|out| {
                    let salt = salt.get();
                    pbkdf2::pbkdf2_hmac::<Sha256>(secret.expose(), &salt, *iterations, out);
                    Ok(())
                })
            }
            Self::Environment { salt } | Self::KeyFile { salt } => {
                let provider = self.provider();
                let key = raw_key(secret, provider).ok_or(KeyringError::KeyFormat { provider })?;
                let info = b"engine keyring v1 root";
                Ok(derive::hkdf_sha256(key.expose(), Some(&salt.get()), info)?)
            }
        }
    }
}

fn argon2id(
    secret: &Secret,
    salt: &HexBytes<16>,
    [memory_kib, passes, lanes]: [u32; 3],
) -> Result<KeyMaterial, KeyringError> {
    let refused = KeyringError::Parameters { bound: "Argon2id refuses these parameters" };
    let Ok(parameters) = Params::new(memory_kib, passes, lanes, Some(KEY_BYTES)) else {
        return Err(refused);
    };
    let argon2 = Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, parameters);
    KeyMaterial::filled_by(|out| {
        argon2.hash_password_into(secret.expose(), &salt.get(), out).map_err(|error| match error {
            argon2::Error::OutOfMemory => KeyringError::OutOfMemory { memory_kib },
            _ => refused,
        })
    })
}

/// Reads a 32-byte key: 64 hexadecimal digits or base64 of either alphabet, padded or not,
/// with white space around it; in a key file also the bare bytes.
fn raw_key(secret: &Secret, provider: Provider) -> Option<KeyMaterial> {
    let bytes = secret.expose();
    if provider == Provider::KeyFile && bytes.len() == KEY_BYTES {
        return KeyMaterial::from_slice(bytes);
    }
    let text = bytes.trim_ascii();
    if let Some(key) = KeyMaterial::from_hex(text) {
        return Some(key);
    }
    let mut standard = Zeroizing::new(text.to_vec());
    for byte in standard.iter_mut() {
        match *byte {
            b'-' => *byte = b'+',
            b'_' => *byte = b'/',
            _ => {}
        }
    }
    let unpadded = standard.strip_suffix(b"=").unwrap_or(&standard);
    let mut out = Zeroizing::new([0; KEY_BYTES]);
    let key = base64ct::Base64Unpadded::decode(unpadded, out.as_mut_slice()).ok()?;
    KeyMaterial::from_slice(key)
}
