//! Tink's streaming AEAD `AES256_GCM_HKDF_1MB`, byte for byte.
//!
//! ```text
//!  ┌──────── header, 40 ────────┬─ segment 0 ─────────┬─ segment 1 ───┬─ … ─┬─ last ──────┐
//!  │ 40 │ salt 32 │ prefix 7    │ 1 MiB − 40          │ 1 MiB         │     │ 16 B … 1 MiB│
//!  └────────────────────────────┴─────────────────────┴───────────────┴─────┴─────────────┘
//!  segment = AES-256-GCM ciphertext ‖ 16-byte tag, no associated data
//!  nonce   = prefix ‖ segment number, 4 bytes big-endian ‖ 1 if last, else 0
//!  key     = HKDF-SHA256(key, salt, info = associated data of the stream)
//! ```
//!
//! Source: Tink wire format, "AES-GCM-HKDF Streaming AEAD". The segment number makes
//! reordering fail, the last flag truncation and appending, the associated data moving.

mod layout;
mod open;
mod seal;

pub use layout::{Place, Segment, Span, StreamLayout};
pub use open::{SegmentOpener, open_all};
pub(crate) use seal::append;
pub use seal::{SealWriter, seal_all};

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit, Nonce, aead::consts::U12};

use crate::{
    derive::{self, DeriveError},
    random::RandomError,
    secret::KeyMaterial,
};

/// Bytes in the header of a stream.
pub const HEADER_BYTES: usize = 40;
/// Bytes in a full segment of ciphertext; the first one gives 40 of them to the header.
pub const SEGMENT_BYTES: usize = 1 << 20;
/// Bytes in the tag that ends each segment.
pub const TAG_BYTES: usize = 16;
/// The shortest stream: a header and the tag of an empty last segment.
pub const STREAM_BYTES_MIN: usize = HEADER_BYTES + TAG_BYTES;

const SALT_BYTES: usize = 32;
const PREFIX_BYTES: usize = 7;

/// Why a stream could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// Too short to be a whole stream, or cut inside a tag.
    #[error("the stream is truncated")]
    Truncated,
    /// The bytes do not begin as a stream does.
    #[error("the stream's header is not one of AES256_GCM_HKDF_1MB")]
    Header,
    /// A tag does not fit. AES-GCM cannot tell which of the causes it was.
    #[error("cannot be opened: it was changed, truncated, moved, or sealed with another key")]
    Unopenable,
    /// A range or segment beyond the stream's end, or bytes that are not the span asked for.
    #[error("the range is not one of this stream")]
    Range,
    /// More than 2³² segments (4 PiB).
    #[error("the stream is longer than 2^32 segments")]
    TooLong,
    /// No random bytes for the salt.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The stream's key could not be derived.
    #[error(transparent)]
    Derive(#[from] DeriveError),
}

/// The derived key and nonce prefix of one stream.
struct StreamCipher {
    cipher: Aes256Gcm,
    prefix: [u8; PREFIX_BYTES],
}

impl StreamCipher {
    fn new(
        key: &KeyMaterial,
        salt: &[u8; SALT_BYTES],
        prefix: [u8; PREFIX_BYTES],
        associated_data: &[u8],
    ) -> Result<Self, StreamError> {
        let derived = derive::hkdf_sha256(key.expose(), Some(salt), associated_data)?;
        Ok(Self { cipher: Aes256Gcm::new(derived.expose().into()), prefix })
    }

    /// Encrypts a segment where it lies and gives its tag. Not generic, so that the cipher is
    /// compiled once, with this crate's optimisation.
    fn encrypt(
        &self,
        index: u32,
        place: Place,
        segment: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], StreamError> {
        self.cipher
            .encrypt_inout_detached(&self.nonce(index, place), b"", segment.into())
            .map(Into::into)
            .map_err(|_| StreamError::TooLong)
    }

    /// Decrypts a segment where it lies, if its tag fits.
    fn decrypt(
        &self,
        index: u32,
        place: Place,
        segment: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), StreamError> {
        self.cipher
            .decrypt_inout_detached(&self.nonce(index, place), b"", segment.into(), tag.into())
            .map_err(|_| StreamError::Unopenable)
    }

    fn nonce(&self, index: u32, place: Place) -> Nonce<U12> {
        let [a, b, c, d, e, f, g] = self.prefix;
        let [i, j, k, l] = index.to_be_bytes();
        let last = match place {
            Place::Inner => 0,
            Place::Last => 1,
        };
        Nonce::from([a, b, c, d, e, f, g, i, j, k, l, last])
    }
}

#[cfg(test)]
mod tests;
