//! The header of a sealed file: in clear, and authenticated with the stream after it.
//!
//! ```text
//!  offset  bytes
//!       0      4   magic "ENGS"
//!       4      2   format version, big-endian: 1
//!       6      1   kind: 1 chunk, 2 manifest, 3 run record, 4 metadata, 5 history, 6 audit
//!       7      1   length n of the key's name, 1 to 64
//!       8      n   the key's name, ASCII
//!     8+n      4   the key's version, big-endian, from 1
//!    12+n          the Tink stream
//! ```
//!
//! It names the key, so that a reader knows which one to fetch, and says nothing about
//! the project or the data.

use std::num::NonZeroU32;

use crate::{
    context::Kind,
    key::{KeyId, KeyName},
};

/// The first four bytes of every sealed file.
pub const MAGIC: [u8; 4] = *b"ENGS";
/// The version of the format that this crate writes, and the only one it reads.
pub const FORMAT_VERSION: u16 = 1;
/// The longest header, in bytes.
pub const HEADER_BYTES_MAX: usize = 12 + KeyName::BYTES_MAX;

/// Why bytes are not the header of a sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The magic is missing.
    #[error("not a sealed file")]
    NotSealed,
    /// A later version of the format, or a changed one.
    #[error("sealed in format version {found}; this engine reads version {FORMAT_VERSION}")]
    UnknownVersion {
        /// The version in the file.
        found: u16,
    },
    /// A kind this version does not know.
    #[error("sealed as an unknown kind of file ({found})")]
    UnknownKind {
        /// The number in the file.
        found: u8,
    },
    /// The key's name or version cannot be one.
    #[error("the header names no possible key")]
    Key,
    /// The file ends inside the header.
    #[error("the file ends inside its header")]
    Truncated,
}

/// A parsed header: the kind of file and the key it was sealed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    kind: Kind,
    key: KeyId,
}

impl Header {
    /// The header of a file of `kind` sealed with `key`.
    ///
    /// # Errors
    /// [`HeaderError::Key`] when the key's purpose is not the one for this kind.
    pub fn new(kind: Kind, key: &KeyId) -> Result<Self, HeaderError> {
        if key.purpose != kind.purpose() {
            return Err(HeaderError::Key);
        }
        Ok(Self { kind, key: key.clone() })
    }

    /// What kind of file it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Which key seals it. The purpose follows from the kind.
    #[must_use]
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// The header's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let name = self.key.name.as_str().as_bytes();
        let mut out = Vec::with_capacity(HEADER_BYTES_MAX);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT_VERSION.to_be_bytes());
        out.push(self.kind.number());
        out.push(name.len() as u8); // a `KeyName` has at most 64 bytes
        out.extend_from_slice(name);
        out.extend_from_slice(&self.key.version.get().to_be_bytes());
        out
    }

    /// Reads the header at the start of `bytes`, and gives its length with it.
    ///
    /// # Errors
    /// A [`HeaderError`] for each way in which it is not one.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), HeaderError> {
        let known = bytes.get(..MAGIC.len()).unwrap_or(bytes);
        if known.is_empty() || !MAGIC.starts_with(known) {
            return Err(HeaderError::NotSealed);
        }
        let (_, rest) = bytes.split_first_chunk::<4>().ok_or(HeaderError::Truncated)?;
        let (version, rest) = rest.split_first_chunk().ok_or(HeaderError::Truncated)?;
        let version = u16::from_be_bytes(*version);
        if version != FORMAT_VERSION {
            return Err(HeaderError::UnknownVersion { found: version });
        }
        let ([kind, length], rest) = rest.split_first_chunk().ok_or(HeaderError::Truncated)?;
        let kind = Kind::from_number(*kind).ok_or(HeaderError::UnknownKind { found: *kind })?;
        let length = usize::from(*length);
        if length > KeyName::BYTES_MAX {
            return Err(HeaderError::Key);
        }
        let (name, rest) = rest.split_at_checked(length).ok_or(HeaderError::Truncated)?;
        let version = rest.first_chunk().ok_or(HeaderError::Truncated)?;
        let version = NonZeroU32::new(u32::from_be_bytes(*version)).ok_or(HeaderError::Key)?;
        let name = std::str::from_utf8(name).map_err(|_| HeaderError::Key)?;
        let name = KeyName::new(name).map_err(|_| HeaderError::Key)?;
        let key = KeyId { purpose: kind.purpose(), name, version };
        Ok((Self { kind, key }, length.saturating_add(12)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::Purpose;

    fn header() -> Header {
        let name = KeyName::new("default").unwrap();
        let key = KeyId { purpose: Purpose::Data, name, version: NonZeroU32::MIN };
        Header::new(Kind::Chunk, &key).unwrap()
    }

    #[test]
    fn the_bytes_are_pinned() {
        assert_eq!(header().encode(), b"ENGS\0\x01\x01\x07default\0\0\0\x01");
    }

    #[test]
    fn each_fault_has_its_error() {
        let parse = |bytes: &[u8]| Header::parse(bytes).map(|_| ());
        let good = header().encode();
        for cut in 1..good.len() {
            assert_eq!(parse(&good[..cut]), Err(HeaderError::Truncated), "cut {cut}");
        }
        assert_eq!(parse(b""), Err(HeaderError::NotSealed));
        assert_eq!(parse(b"PAR1"), Err(HeaderError::NotSealed));
        assert_eq!(parse(b"ENGS\0\x02"), Err(HeaderError::UnknownVersion { found: 2 }));
        assert_eq!(parse(b"ENGS\0\x01\x09\x01"), Err(HeaderError::UnknownKind { found: 9 }));
        assert_eq!(parse(b"ENGS\0\x01\x01\x41"), Err(HeaderError::Key));
        assert_eq!(parse(b"ENGS\0\x01\x01\x01A\0\0\0\x01"), Err(HeaderError::Key));
        assert_eq!(parse(b"ENGS\0\x01\x01\x01a\0\0\0\0"), Err(HeaderError::Key));
    }

    #[test]
    fn a_key_of_another_purpose_seals_nothing() {
        let mut key = header().key;
        key.purpose = Purpose::Masking;
        assert_eq!(Header::new(Kind::Chunk, &key), Err(HeaderError::Key));
    }

    proptest! {
        /// What parses encodes to the bytes it was parsed from.
        #[test]
        fn parsing_is_exact(tail in prop::collection::vec(any::<u8>(), 0..100), magic in any::<bool>()) {
            let mut bytes = if magic { b"ENGS\0\x01".to_vec() } else { Vec::new() };
            bytes.extend_from_slice(&tail);
            if let Ok((header, length)) = Header::parse(&bytes) {
                prop_assert_eq!(&header.encode()[..], &bytes[..length]);
            }
        }
    }
}
