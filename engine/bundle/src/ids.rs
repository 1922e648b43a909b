//! Names in the store: keyed file ids, random chunk ids, time-ordered run ids.
//!
//! ```text
//!  file id   16 hex   BLAKE3(identifiers key; project, export)   same every time; not guessable
//!  chunk id  32 hex   128 random bits                            says nothing
//!  run id    32 hex   48-bit milliseconds ‖ 80 random bits       listing sorts by time
//! ```

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    pae,
    random::{self, RandomError},
    secret::KeyMaterial,
};

/// The text is not the right number of lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {what} is {digits} lower-case hexadecimal digits")]
pub struct IdError {
    what: &'static str,
    digits: usize,
}

/// Declares an id of `$bytes` bytes, shown and stored as lower-case hexadecimal digits.
macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; $bytes]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&base16ct::lower::encode_string(&self.0))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let mut bytes = [0; $bytes];
                match base16ct::lower::decode(text, &mut bytes) {
                    Ok(read) if read.len() == $bytes => Ok(Self(bytes)),
                    _ => Err(IdError { what: $what, digits: $bytes * 2 }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

hex_id!(
    /// The directory of an export in the store. Keyed: who lacks the identifiers key
    /// cannot test a guess of an export's name against it.
    FileId,
    8,
    "file id"
);
hex_id!(
    /// The name of a chunk. Random: it carries no information.
    ChunkId,
    16,
    "chunk id"
);
hex_id!(
    /// The name of a run. Begins with its time, so that a listing sorts by it.
    RunId,
    16,
    "run id"
);

impl FileId {
    /// The id of `export` in `project`: the first 64 bits of BLAKE3's keyed hash, under the
    /// identifiers key, of the pre-authentication encoding of both names.
    #[must_use]
    pub fn new(identifiers_key: &KeyMaterial, project: &str, export: &str) -> Self {
        let fields = [b"engine file id v1".as_slice(), project.as_bytes(), export.as_bytes()];
        let hash = blake3::keyed_hash(identifiers_key.expose(), &pae::encode(&fields));
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(hash.as_bytes()) {
            *to = *from;
        }
        Self(id)
    }
}

impl ChunkId {
    /// A new id.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn random() -> Result<Self, RandomError> {
        random::array_from(&mut random::fill).map(Self)
    }
}

impl RunId {
    /// A new id for a run that starts at `unix_millis` milliseconds after 1970 (UTC).
    /// Times that need more than 48 bits (after the year 10889) are cut to 48.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn new(unix_millis: u64) -> Result<Self, RandomError> {
        let mut id: [u8; 16] = random::array_from(&mut random::fill)?;
        for (to, from) in id.iter_mut().zip(unix_millis.to_be_bytes().into_iter().skip(2)) {
            *to = from;
        }
        Ok(Self(id))
    }

    /// When the run started, in milliseconds after 1970 (UTC), as its id says.
    #[must_use]
    pub fn unix_millis(&self) -> u64 {
        let [a, b, c, d, e, f, ..] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> KeyMaterial {
        KeyMaterial::from_slice(&[byte; 32]).unwrap()
    }

    /// Stored names must never change: this value is part of the format.
    #[test]
    fn file_ids_are_pinned() {
        let id = FileId::new(&key(1), "acme", "customers");
        assert_eq!(id.to_string(), PINNED);
    }

    const PINNED: &str = "99ed6adf5e6d9916";

    #[test]
    fn file_ids_depend_on_key_project_export_and_their_border() {
        let id = FileId::new(&key(1), "acme", "customers");
        assert_eq!(id, FileId::new(&key(1), "acme", "customers"));
        for other in [
            FileId::new(&key(2), "acme", "customers"),
            FileId::new(&key(1), "acm", "customers"),
            FileId::new(&key(1), "acme", "customer"),
            FileId::new(&key(1), "acmec", "ustomers"),
        ] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn ids_read_back_and_nothing_else_is_read() {
        let chunk = ChunkId::random().unwrap();
        assert_eq!(chunk.to_string().parse(), Ok(chunk));
        assert_ne!(chunk, ChunkId::random().unwrap());
        for bad in ["", "0", "00000000000000000000000000000000 ", &"g".repeat(32), &"A".repeat(32)]
        {
            assert!(bad.parse::<ChunkId>().is_err(), "{bad}");
        }
        assert!("../../../etc/pass".parse::<FileId>().is_err());
    }

    #[test]
    fn run_ids_sort_by_time() {
        let early = RunId::new(1_700_000_000_000).unwrap().to_string();
        let late = RunId::new(1_700_000_000_001).unwrap().to_string();
        assert!(early < late);
        let run: RunId = early.parse().unwrap();
        assert_eq!(run.unix_millis(), 1_700_000_000_000);
    }
}
