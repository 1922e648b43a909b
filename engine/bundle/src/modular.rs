//! Keys for `modular` chunks: Parquet Modular Encryption, which pyarrow and DuckDB open.
//!
//! ```text
//!  data key ─HKDF(project, export, scope)─▶ file key, 32 bytes ─▶ footer key of every chunk
//!                                                                written in that scope
//!  context ─▶ "engine.context" in the encrypted footer's key-value metadata
//! ```
//!
//! The scope is the run that wrote the chunk, so a recipient needs one key for all chunks of
//! a snapshot, and the data key itself is never shared. Parquet would bind a file to its
//! place with a prefix of the associated data; DuckDB opens no file that has one. So the
//! context stands in the footer, which is encrypted and authenticated, and every module of
//! the file is bound to that footer by Parquet's own random file identifier: a reader that
//! compares [`mark`] with what it expects refuses a moved or renamed chunk. Keys are 256 bits,
//! the only size that DuckDB and pyarrow were both found to open.

use crate::{
    context::Context,
    derive::{self, DeriveError},
    secret::KeyMaterial,
};

/// The key of the footer's key-value metadata that holds [`mark`].
pub const MARK_KEY: &str = "engine.context";

/// The Parquet footer key of the chunks of `export` that were written in `scope`, which is
/// the id of the run that wrote them.
///
/// # Errors
/// Never in practice; the derived length is fixed.
pub fn file_key(
    data_key: &KeyMaterial,
    project: &str,
    export: &str,
    scope: &str,
) -> Result<KeyMaterial, DeriveError> {
    let context = [project.as_bytes(), export.as_bytes(), scope.as_bytes()];
    derive::subkey(data_key, "engine modular v1", &context)
}

/// What the footer of the chunk that `context` names must hold under [`MARK_KEY`]:
/// kind and context, as hexadecimal digits.
#[must_use]
pub fn mark(context: &Context) -> String {
    let mut bytes = vec![context.kind().number()];
    bytes.extend_from_slice(&context.encode());
    base16ct::lower::encode_string(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Kind;

    #[test]
    fn keys_differ_by_every_part() {
        let key = KeyMaterial::from_slice(&[3; 32]).unwrap();
        let base = file_key(&key, "p", "e", "s").unwrap();
        for (p, e, s) in [("q", "e", "s"), ("p", "f", "s"), ("p", "e", "t"), ("pe", "", "s")] {
            assert_ne!(file_key(&key, p, e, s).unwrap().expose(), base.expose());
        }
        assert_ne!(base.expose(), key.expose());
    }

    #[test]
    fn marks_differ_by_kind_and_context() {
        let a = mark(&Context::named(Kind::Chunk, "p", "e", "1"));
        assert_ne!(a, mark(&Context::named(Kind::Chunk, "p", "e", "2")));
        assert_ne!(a, mark(&Context::named(Kind::Manifest, "p", "e", "1")));
    }
}
