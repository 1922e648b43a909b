//! Random bytes: the one place that asks the operating system for them.

use crate::secret::KeyMaterial;

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct RandomError(#[source] getrandom::Error);

/// Where random bytes come from. Tests of stored formats pass a counter instead.
pub(crate) type Source<'a> = &'a mut dyn FnMut(&mut [u8]) -> Result<(), RandomError>;

/// Fills `bytes` from the operating system's generator.
///
/// # Errors
/// When the operating system refuses.
#[expect(clippy::disallowed_methods, reason = "this is the file made for random bytes")]
pub fn fill(bytes: &mut [u8]) -> Result<(), RandomError> {
    getrandom::fill(bytes).map_err(RandomError)
}

/// A fresh 256-bit key.
///
/// # Errors
/// When the operating system refuses.
pub fn key() -> Result<KeyMaterial, RandomError> {
    key_from(&mut fill)
}

/// A 256-bit key from `source`.
pub(crate) fn key_from(source: Source<'_>) -> Result<KeyMaterial, RandomError> {
    KeyMaterial::filled_by(|bytes| source(bytes))
}

/// `N` bytes from `source`.
pub(crate) fn array_from<const N: usize>(source: Source<'_>) -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    source(&mut bytes)?;
    Ok(bytes)
}

/// A source for tests of stored formats, the same every time: counts 0, 1, 2, … 255, 0, …
/// across calls, so that no two calls give the same bytes.
#[cfg(test)]
pub(crate) fn counter() -> impl FnMut(&mut [u8]) -> Result<(), RandomError> {
    let mut next = 0_u8;
    move |bytes| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
        Ok(())
    }
}
