//! Types that hold secrets: wiped when dropped, never printed, never serialised.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// A passphrase, or the text or bytes of a key file, as the caller obtained it.
///
/// Wiped when dropped. `Debug` prints `[secret]`.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of the bytes, so that no second copy stays behind.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves. Callers must not copy them to anything that is printed.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Bytes in a 256-bit key.
pub const KEY_BYTES: usize = 32;

/// A 256-bit key. On the heap, so that moving it leaves no copy; wiped when dropped.
#[derive(Clone)]
pub struct KeyMaterial(Box<[u8; KEY_BYTES]>);

impl KeyMaterial {
    /// A key of zeros, to be filled by `write`.
    pub(crate) fn filled_by<E>(
        write: impl FnOnce(&mut [u8; KEY_BYTES]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut key = Self(Box::new([0; KEY_BYTES]));
        write(&mut key.0)?;
        Ok(key)
    }

    /// Copies a key out of `bytes`; `None` unless there are exactly 32.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != KEY_BYTES {
            return None;
        }
        let mut key = Self(Box::new([0; KEY_BYTES]));
        key.0.copy_from_slice(bytes);
        Some(key)
    }

    /// Reads 64 hexadecimal digits of either case, surrounded by white space or not.
    #[must_use]
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        let mut key = Self(Box::new([0; KEY_BYTES]));
        let written = base16ct::mixed::decode(text.trim_ascii(), key.0.as_mut_slice()).ok()?.len();
        (written == KEY_BYTES).then_some(key)
    }

    /// The key's bytes. Callers must not copy them to anything that is printed.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// The key as 64 lower-case hexadecimal digits, for handing it to a recipient.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(base16ct::lower::encode_string(self.0.as_slice()))
    }
}

impl Drop for KeyMaterial {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let key = KeyMaterial::from_slice(&[0xAB; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "[secret]");
        assert_eq!(format!("{:?}", Secret::from("hunter2".to_owned())), "[secret]");
    }

    #[test]
    fn hex_round_trips_and_other_lengths_are_refused() {
        let key = KeyMaterial::from_slice(&[0xAB; 32]).unwrap();
        let hex = format!(" {}\n", key.to_hex().to_uppercase());
        assert_eq!(KeyMaterial::from_hex(hex.as_bytes()).unwrap().expose(), key.expose());
        for bad in ["", "ab", &"ab".repeat(31), &"ab".repeat(33), &"zz".repeat(32)] {
            assert!(KeyMaterial::from_hex(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(KeyMaterial::from_slice(&[0; 31]).is_none());
    }
}
