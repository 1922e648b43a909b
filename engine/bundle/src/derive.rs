//! Keys from keys: HKDF-SHA256 (RFC 5869), separated by a label and a context.

use hkdf::Hkdf;
use sha2::Sha256;

use crate::{pae, secret::KeyMaterial};

/// HKDF refused the requested length. Cannot happen for the 32 bytes asked for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key could not be derived")]
pub struct DeriveError;

/// Derives a key for one use from `key`.
///
/// `info` is the pre-authentication encoding of `label` and `context`, `salt` is empty:
/// keys for different labels or contexts are independent, and none reveals `key`.
///
/// # Errors
/// Never in practice; the length is fixed.
pub fn subkey(
    key: &KeyMaterial,
    label: &str,
    context: &[&[u8]],
) -> Result<KeyMaterial, DeriveError> {
    let mut fields = vec![label.as_bytes()];
    fields.extend_from_slice(context);
    hkdf_sha256(key.expose(), None, &pae::encode(&fields))
}

/// HKDF-SHA256 to 32 bytes.
pub(crate) fn hkdf_sha256(
    key: &[u8],
    salt: Option<&[u8]>,
    info: &[u8],
) -> Result<KeyMaterial, DeriveError> {
    KeyMaterial::filled_by(|out| {
        Hkdf::<Sha256>::new(salt, key).expand(info, out.as_mut_slice()).map_err(|_| DeriveError)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869, appendix A.1; the first 32 bytes of its output.
    #[test]
    fn matches_rfc_5869() {
        let salt: Vec<u8> = (0..=12).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let derived = hkdf_sha256(&[0x0b; 22], Some(&salt), &info).unwrap();
        assert_eq!(
            derived.to_hex().as_str(),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
        );
    }

    #[test]
    fn labels_and_contexts_separate() {
        let key = KeyMaterial::from_slice(&[7; 32]).unwrap();
        let all = [
            subkey(&key, "a", &[]).unwrap(),
            subkey(&key, "b", &[]).unwrap(),
            subkey(&key, "a", &[b""]).unwrap(),
            subkey(&key, "a", &[b"x"]).unwrap(),
        ];
        for (i, left) in all.iter().enumerate() {
            for right in all.iter().skip(i + 1) {
                assert_ne!(left.expose(), right.expose());
            }
        }
    }
}
