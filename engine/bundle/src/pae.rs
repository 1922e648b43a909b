//! Pre-authentication encoding: several fields as one unambiguous byte string.
//!
//! ```text
//!  count (8, LE) │ len₁ (8, LE) │ field₁ │ len₂ (8, LE) │ field₂ │ …
//! ```
//!
//! The encoding PAE of the PASETO specification, section 2.2.1 ("Authentication
//! Padding"): without lengths, `("ab", "c")` and `("a", "bc")` would be one string.

/// Encodes `fields`. Different lists of fields never encode alike.
#[must_use]
pub fn encode(fields: &[&[u8]]) -> Vec<u8> {
    let length: usize = fields.iter().map(|field| field.len().saturating_add(8)).sum();
    let mut out = Vec::with_capacity(length.saturating_add(8));
    out.extend_from_slice(&(fields.len() as u64).to_le_bytes());
    for field in fields {
        out.extend_from_slice(&(field.len() as u64).to_le_bytes());
        out.extend_from_slice(field);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::encode;

    /// The examples printed in the PASETO specification.
    #[test]
    fn matches_the_specification() {
        assert_eq!(encode(&[]), b"\0\0\0\0\0\0\0\0");
        assert_eq!(encode(&[b""]), b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(encode(&[b"test"]), b"\x01\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0test");
    }

    #[test]
    fn borders_between_fields_count() {
        assert_ne!(encode(&[b"ab", b"c"]), encode(&[b"a", b"bc"]));
        assert_ne!(encode(&[b"abc"]), encode(&[b"abc", b""]));
    }
}
