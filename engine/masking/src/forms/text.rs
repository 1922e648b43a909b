//! Text written row by row into fresh buffers, and what of a text can be done byte by byte.

use arrow::array::{GenericStringArray, OffsetSizeTrait};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use crate::error::MaskError;

/// Text of fresh buffers, built row by row.
pub(crate) struct TextBuilder<O> {
    bytes: Vec<u8>,
    offsets: Vec<O>,
    rows: usize,
}

/// Rows after which a builder knows how long texts are.
const ROWS_SEEN: usize = 256;

impl<O: OffsetSizeTrait> TextBuilder<O> {
    pub(crate) fn with_rows(rows: usize) -> Self {
        Self::with_bytes(rows, rows.min(ROWS_SEEN) * 32)
    }

    /// For so many rows of about so many bytes together.
    pub(crate) fn with_bytes(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows.saturating_add(1));
        offsets.push(O::default());
        Self { bytes: Vec::with_capacity(bytes), offsets, rows }
    }

    /// The buffer the current row's text is appended to.
    #[inline]
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends the current row.
    #[inline]
    pub(crate) fn end_row(&mut self) -> Result<(), MaskError> {
        let Some(offset) = O::from_usize(self.bytes.len()) else {
            return Err(MaskError::BatchTooLarge { bytes_max: O::MAX_OFFSET });
        };
        self.offsets.push(offset);
        if self.offsets.len() == ROWS_SEEN + 1 {
            self.reserve();
        }
        Ok(())
    }

    /// Makes room for all rows, should the others be as long as the first ones, and an eighth more.
    #[cold]
    fn reserve(&mut self) {
        let others = self.rows.saturating_sub(ROWS_SEEN);
        let bytes = (self.bytes.len() / ROWS_SEEN + 1).saturating_mul(others);
        // A few long ones do not make room for as many more.
        self.bytes.reserve((bytes + bytes / 8).min(others.saturating_mul(64)));
    }

    pub(crate) fn finish(
        self,
        nulls: Option<NullBuffer>,
    ) -> Result<GenericStringArray<O>, MaskError> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        GenericStringArray::try_new(offsets, Buffer::from_vec(self.bytes), nulls)
            .map_err(|_| MaskError::Kernel { operation: "assemble masked text" })
    }
}

/// Whether every byte is a character of its own to a reader (UAX 29): ASCII, but for CR LF.
#[inline]
pub(crate) fn is_bytewise(text: &str) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    // The high bit of each byte that is none: of those beyond ASCII, and of CR, or a byte after one.
    let odd = |bytes: u64| {
        let other = bytes ^ (ONES * 0x0d);
        bytes | (other.wrapping_sub(ONES) & !other)
    };
    let bytes = text.as_bytes();
    let found = match (bytes.last_chunk::<8>(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(last), ..) => {
            let (words, _) = bytes.as_chunks::<8>();
            let last = odd(u64::from_le_bytes(*last));
            words.iter().fold(last, |found, word| found | odd(u64::from_le_bytes(*word)))
        }
        (None, Some(first), Some(last)) => {
            let first = u64::from(u32::from_le_bytes(*first));
            odd(first | u64::from(u32::from_le_bytes(*last)) << 32)
        }
        _ => bytes.iter().fold(0, |found, byte| found | odd((*byte).into())),
    };
    found & (ONES << 7) == 0
}

/// Appends a text so many times.
#[inline]
pub(crate) fn repeat(text: &str, times: usize, out: &mut Vec<u8>) {
    match text.as_bytes() {
        [one] => out.resize(out.len() + times, *one),
        several => (0..times).for_each(|_| out.extend_from_slice(several)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_characters_in_ascii_but_for_carriage_returns() {
        for length in 0..40 {
            let text = "~".repeat(length);
            assert!(is_bytewise(&text) && is_bytewise(&"\0".repeat(length)));
            for (place, odd) in (0..length).flat_map(|place| [(place, "\r"), (place, "é")]) {
                let mut text = text.clone();
                text.replace_range(place..=place, odd);
                assert!(!is_bytewise(&text), "{text:?}");
            }
        }
    }
}
