//! Where the segments of a stream lie: from plaintext ranges to ciphertext ranges.
//!
//! ```text
//!  plaintext    0 ········ 1 MiB − 56 ········ 2 MiB − 72 ···
//!                │ segment 0 │    segment 1     │
//!  file         offset+40 ·· offset + 1 MiB ··· offset + 2 MiB
//! ```

use std::ops::Range;

use super::{HEADER_BYTES, SEGMENT_BYTES, STREAM_BYTES_MIN, StreamError, TAG_BYTES};

const HEADER: u64 = HEADER_BYTES as u64;
const SEGMENT: u64 = SEGMENT_BYTES as u64;
const TAG: u64 = TAG_BYTES as u64;
const SEGMENT_PLAIN: u64 = SEGMENT - TAG;

/// Whether a segment is the last of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// More segments follow.
    Inner,
    /// The stream ends with it.
    Last,
}

/// One segment of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its number, from 0.
    pub index: u32,
    /// Whether it is the last.
    pub place: Place,
    /// Where its ciphertext and tag lie in the file.
    pub ciphertext: Range<u64>,
    /// Which bytes of the plaintext it holds.
    pub plaintext: Range<u64>,
}

/// The segments that hold a range of plaintext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub(super) segments: Range<u64>,
    pub(super) ciphertext: Range<u64>,
    pub(super) skip: usize,
    pub(super) length: usize,
}

impl Span {
    /// The bytes of the file to read: whole segments, one contiguous range.
    #[must_use]
    pub fn ciphertext(&self) -> Range<u64> {
        self.ciphertext.clone()
    }

    /// How many bytes of plaintext the span yields.
    #[must_use]
    pub fn plaintext_len(&self) -> usize {
        self.length
    }
}

/// The shape of a stream of known length, which may start after something else in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLayout {
    offset: u64,
    stream_len: u64,
    segments: u64,
}

impl StreamLayout {
    /// The layout of the stream that fills `offset..file_len` of a file.
    ///
    /// # Errors
    /// [`StreamError::Truncated`] when no stream has that length, [`StreamError::TooLong`]
    /// beyond 2³² segments.
    pub fn new(offset: u64, file_len: u64) -> Result<Self, StreamError> {
        let stream_len = file_len.checked_sub(offset).ok_or(StreamError::Truncated)?;
        if stream_len < STREAM_BYTES_MIN as u64 {
            return Err(StreamError::Truncated);
        }
        let segments = stream_len.div_ceil(SEGMENT);
        if segments > 1 << 32 {
            return Err(StreamError::TooLong);
        }
        let tail = stream_len % SEGMENT;
        if segments > 1 && tail > 0 && tail < TAG {
            return Err(StreamError::Truncated);
        }
        Ok(Self { offset, stream_len, segments })
    }

    /// How many bytes of plaintext the stream holds.
    #[must_use]
    pub fn plaintext_len(&self) -> u64 {
        let overhead = self.segments.saturating_mul(TAG).saturating_add(HEADER);
        self.stream_len.saturating_sub(overhead)
    }

    /// How many segments there are, at least 1.
    #[must_use]
    pub fn segments(&self) -> u64 {
        self.segments
    }

    /// The segment of number `index`; `None` beyond the end.
    #[must_use]
    pub fn segment(&self, index: u32) -> Option<Segment> {
        let number = u64::from(index);
        if number >= self.segments {
            return None;
        }
        // No overflow: at most 2^32 segments of 2^20 bytes, and every bound is below
        // the length of the file.
        let is_last = number + 1 == self.segments;
        let start = if number == 0 { HEADER } else { number * SEGMENT };
        let end = ((number + 1) * SEGMENT).min(self.stream_len);
        let plain_start = (number * SEGMENT_PLAIN).saturating_sub(HEADER);
        let plain_len = (end - start).saturating_sub(TAG);
        Some(Segment {
            index,
            place: if is_last { Place::Last } else { Place::Inner },
            ciphertext: self.offset + start..self.offset + end,
            plaintext: plain_start..plain_start + plain_len,
        })
    }

    /// The segments to read and open for a range of plaintext. An empty range needs none.
    ///
    /// # Errors
    /// [`StreamError::Range`] when the range is reversed or passes the end of the plaintext.
    pub fn span(&self, plaintext: Range<u64>) -> Result<Span, StreamError> {
        if plaintext.start > plaintext.end || plaintext.end > self.plaintext_len() {
            return Err(StreamError::Range);
        }
        let length = plaintext.end - plaintext.start;
        if length == 0 {
            let at = self.offset.saturating_add(HEADER);
            return Ok(Span { segments: 0..0, ciphertext: at..at, skip: 0, length: 0 });
        }
        // The header stands in the first segment's place: shifted by it, all are of one size.
        let first = (plaintext.start + HEADER) / SEGMENT_PLAIN;
        let last = (plaintext.end - 1 + HEADER) / SEGMENT_PLAIN;
        let (first_segment, last_segment) = self.pair(first, last).ok_or(StreamError::Range)?;
        let skip = plaintext.start - first_segment.plaintext.start;
        Ok(Span {
            segments: first..last + 1,
            ciphertext: first_segment.ciphertext.start..last_segment.ciphertext.end,
            skip: usize::try_from(skip).map_err(|_| StreamError::Range)?,
            length: usize::try_from(length).map_err(|_| StreamError::Range)?,
        })
    }

    fn pair(&self, first: u64, last: u64) -> Option<(Segment, Segment)> {
        let first = self.segment(u32::try_from(first).ok()?)?;
        let last = self.segment(u32::try_from(last).ok()?)?;
        Some((first, last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST_PLAIN: u64 = SEGMENT_PLAIN - HEADER;

    #[test]
    fn lengths_at_the_borders() {
        let plain = |len| StreamLayout::new(0, len).map(|l| (l.plaintext_len(), l.segments()));
        assert_eq!(plain(56).unwrap(), (0, 1));
        assert_eq!(plain(57).unwrap(), (1, 1));
        assert_eq!(plain(SEGMENT).unwrap(), (FIRST_PLAIN, 1));
        assert_eq!(plain(SEGMENT + 17).unwrap(), (FIRST_PLAIN + 1, 2));
        assert_eq!(plain(2 * SEGMENT).unwrap(), (FIRST_PLAIN + SEGMENT_PLAIN, 2));
        for short in [0, 1, 40, 55, SEGMENT + 1, SEGMENT + 15] {
            assert!(matches!(plain(short), Err(StreamError::Truncated)), "{short}");
        }
        assert!(matches!(plain(u64::MAX), Err(StreamError::TooLong)));
        assert!(StreamLayout::new(10, 9).is_err());
    }

    proptest! {
        /// Segments tile both the file and the plaintext.
        #[test]
        fn segments_tile(offset in 0_u64..100, len in 56_u64..(5 << 20)) {
            let Ok(layout) = StreamLayout::new(offset, offset + len) else { return Ok(()) };
            let (mut file, mut plain) = (offset + HEADER, 0);
            for index in 0..u32::try_from(layout.segments()).unwrap() {
                let segment = layout.segment(index).unwrap();
                prop_assert_eq!(segment.ciphertext.start, file);
                prop_assert_eq!(segment.plaintext.start, plain);
                file = segment.ciphertext.end;
                plain = segment.plaintext.end;
                let is_last = u64::from(index) + 1 == layout.segments();
                prop_assert_eq!(segment.place == Place::Last, is_last);
            }
            prop_assert_eq!(file, offset + len);
            prop_assert_eq!(plain, layout.plaintext_len());
        }

        /// A span covers its range, and no segment that does not touch it.
        #[test]
        fn spans_are_tight(len in 57_u64..(5 << 20), a in any::<u64>(), b in any::<u64>()) {
            let Ok(layout) = StreamLayout::new(0, len) else { return Ok(()) };
            let total = layout.plaintext_len();
            prop_assume!(total > 0);
            let (a, b) = (a % total, b % total);
            let wanted = a.min(b)..a.max(b) + 1;
            let span = layout.span(wanted.clone()).unwrap();
            let first = layout.segment(u32::try_from(span.segments.start).unwrap()).unwrap();
            let last = layout.segment(u32::try_from(span.segments.end - 1).unwrap()).unwrap();
            prop_assert!(first.plaintext.contains(&wanted.start));
            prop_assert!(last.plaintext.contains(&(wanted.end - 1)));
            prop_assert_eq!(first.plaintext.start + span.skip as u64, wanted.start);
            prop_assert!(layout.span(0..total + 1).is_err());
        }

        #[test]
        fn no_length_panics(offset in any::<u64>(), len in any::<u64>(), a in any::<u64>(), b in any::<u64>()) {
            if let Ok(layout) = StreamLayout::new(offset, len) {
                let _ = layout.span(a..b);
                let _ = layout.segment(u32::MAX);
            }
        }
    }
}
