//! Opening: segments in, plaintext out; a whole stream, or only the segments of a range.

use bytes::Bytes;

use super::{HEADER_BYTES, Place, Span, StreamCipher, StreamError, StreamLayout};
use crate::secret::KeyMaterial;

/// Opens the segments of one stream, in any order and from any thread.
pub struct SegmentOpener {
    cipher: StreamCipher,
}

impl SegmentOpener {
    /// Derives the stream's key. `header` is the stream's first 40 bytes.
    ///
    /// A wrong key or wrong associated data shows when the first segment is opened.
    ///
    /// # Errors
    /// [`StreamError::Truncated`] or [`StreamError::Header`] when `header` is not one.
    pub fn new(
        key: &KeyMaterial,
        associated_data: &[u8],
        header: &[u8],
    ) -> Result<Self, StreamError> {
        let (length, rest) = header.split_first().ok_or(StreamError::Truncated)?;
        if usize::from(*length) != HEADER_BYTES {
            return Err(StreamError::Header);
        }
        let (salt, rest) = rest.split_first_chunk().ok_or(StreamError::Truncated)?;
        let prefix = rest.first_chunk().ok_or(StreamError::Truncated)?;
        Ok(Self { cipher: StreamCipher::new(key, salt, *prefix, associated_data)? })
    }

    /// Opens one segment: ciphertext and tag.
    ///
    /// # Errors
    /// [`StreamError::Unopenable`] when the segment is not what was sealed at this place.
    pub fn open_segment(
        &self,
        index: u32,
        place: Place,
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, StreamError> {
        let mut plaintext = Vec::with_capacity(ciphertext.len());
        self.append_segment(index, place, ciphertext, &mut plaintext)?;
        Ok(plaintext)
    }

    /// Opens the segments of `span`, of which `ciphertext` holds exactly the bytes
    /// [`Span::ciphertext`] names, and gives exactly the plaintext asked for.
    ///
    /// # Errors
    /// [`StreamError::Range`] when the bytes are not of the span's length,
    /// [`StreamError::Unopenable`] when a segment does not open.
    pub fn open_span(
        &self,
        layout: &StreamLayout,
        span: &Span,
        ciphertext: &[u8],
    ) -> Result<Bytes, StreamError> {
        let expected = span.ciphertext.end.checked_sub(span.ciphertext.start);
        if expected != Some(ciphertext.len() as u64) {
            return Err(StreamError::Range);
        }
        let mut plaintext = Vec::with_capacity(ciphertext.len());
        let mut rest = ciphertext;
        for index in span.segments.clone() {
            let index = u32::try_from(index).map_err(|_| StreamError::Range)?;
            let segment = layout.segment(index).ok_or(StreamError::Range)?;
            let length = segment.ciphertext.end.saturating_sub(segment.ciphertext.start);
            let length = usize::try_from(length).map_err(|_| StreamError::Range)?;
            let (now, later) = rest.split_at_checked(length).ok_or(StreamError::Range)?;
            self.append_segment(index, segment.place, now, &mut plaintext)?;
            rest = later;
        }
        let end = span.skip.checked_add(span.length).ok_or(StreamError::Range)?;
        if end > plaintext.len() {
            return Err(StreamError::Range);
        }
        Ok(Bytes::from(plaintext).slice(span.skip..end))
    }

    /// Appends the segment's plaintext to `out`, decrypted where it comes to lie.
    fn append_segment(
        &self,
        index: u32,
        place: Place,
        ciphertext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), StreamError> {
        let (body, tag) = ciphertext.split_last_chunk().ok_or(StreamError::Truncated)?;
        let start = out.len();
        out.extend_from_slice(body);
        let segment = out.get_mut(start..).unwrap_or_default();
        if let Err(error) = self.cipher.decrypt(index, place, segment, tag) {
            out.truncate(start);
            return Err(error);
        }
        Ok(())
    }
}

impl std::fmt::Debug for SegmentOpener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentOpener").finish_non_exhaustive()
    }
}

/// Opens a whole stream in memory.
///
/// # Errors
/// [`StreamError::Truncated`] and [`StreamError::Header`] when it is no stream,
/// [`StreamError::Unopenable`] when it was changed, cut, extended or reordered, or belongs
/// to another key or other associated data.
pub fn open_all(
    key: &KeyMaterial,
    associated_data: &[u8],
    stream: &[u8],
) -> Result<Vec<u8>, StreamError> {
    let layout = StreamLayout::new(0, stream.len() as u64)?;
    let header = stream.get(..HEADER_BYTES).ok_or(StreamError::Truncated)?;
    let opener = SegmentOpener::new(key, associated_data, header)?;
    let mut plaintext = Vec::with_capacity(stream.len());
    let segments = u32::try_from(layout.segments()).map_err(|_| StreamError::TooLong)?;
    for index in 0..segments {
        let segment = layout.segment(index).ok_or(StreamError::Range)?;
        let start = usize::try_from(segment.ciphertext.start).map_err(|_| StreamError::Range)?;
        let end = usize::try_from(segment.ciphertext.end).map_err(|_| StreamError::Range)?;
        let bytes = stream.get(start..end).ok_or(StreamError::Range)?;
        opener.append_segment(index, segment.place, bytes, &mut plaintext)?;
    }
    Ok(plaintext)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stream::{SEGMENT_BYTES, seal_all};

    fn key() -> KeyMaterial {
        KeyMaterial::from_slice(&[9; 32]).unwrap()
    }

    fn sealed(length: usize) -> (Vec<u8>, Vec<u8>) {
        let plaintext: Vec<u8> = (0..length).map(|i| (i * 7 % 251) as u8).collect();
        let stream = seal_all(&key(), b"ad", &plaintext).unwrap();
        (plaintext, stream)
    }

    #[test]
    fn changed_cut_extended_reordered_and_foreign_streams_do_not_open() {
        let (_, stream) = sealed(3 * SEGMENT_BYTES);
        let open = |bytes: &[u8]| open_all(&key(), b"ad", bytes);
        let mut flipped = stream.clone();
        for at in [1, 33, 40, SEGMENT_BYTES - 1, SEGMENT_BYTES, stream.len() - 1] {
            flipped[at] ^= 1;
            assert!(matches!(open(&flipped), Err(StreamError::Unopenable)), "byte {at}");
            flipped[at] ^= 1;
        }
        flipped[0] = 41;
        assert!(matches!(open(&flipped), Err(StreamError::Header)));
        for cut in [stream.len() - 1, 2 * SEGMENT_BYTES, SEGMENT_BYTES, 56] {
            assert!(matches!(open(&stream[..cut]), Err(StreamError::Unopenable)), "cut {cut}");
        }
        let mut longer = stream.clone();
        longer.extend_from_slice(&[0; 16]);
        assert!(matches!(open(&longer), Err(StreamError::Unopenable)));
        let mut swapped = stream.clone();
        let (one, two) = swapped[SEGMENT_BYTES..].split_at_mut(SEGMENT_BYTES);
        one.swap_with_slice(&mut two[..SEGMENT_BYTES]);
        assert!(matches!(open(&swapped), Err(StreamError::Unopenable)));
        assert!(matches!(open_all(&key(), b"ax", &stream), Err(StreamError::Unopenable)));
        let other = KeyMaterial::from_slice(&[8; 32]).unwrap();
        assert!(matches!(open_all(&other, b"ad", &stream), Err(StreamError::Unopenable)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// A range read gives the same bytes as a slice of the whole.
        #[test]
        fn ranges_equal_slices(length in 1_usize..(3 << 20), a in any::<usize>(), b in any::<usize>()) {
            let (plaintext, stream) = sealed(length);
            let (a, b) = (a % length, b % length);
            let range = a.min(b)..a.max(b);
            let layout = StreamLayout::new(0, stream.len() as u64).unwrap();
            let opener = SegmentOpener::new(&key(), b"ad", &stream[..40]).unwrap();
            let span = layout.span(range.start as u64..range.end as u64).unwrap();
            let bytes = span.ciphertext();
            let bytes = &stream[bytes.start as usize..bytes.end as usize];
            let opened = opener.open_span(&layout, &span, bytes).unwrap();
            prop_assert!(opened[..] == plaintext[range]);
        }

        #[test]
        fn random_bytes_do_not_open(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open_all(&key(), b"ad", &bytes).is_err());
        }
    }
}
