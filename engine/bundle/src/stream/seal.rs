//! Sealing: plaintext in, header and segments out, one segment in memory.

use std::io::{self, Write};

use zeroize::Zeroizing;

use super::{
    HEADER_BYTES, PREFIX_BYTES, Place, SALT_BYTES, SEGMENT_BYTES, StreamCipher, StreamError,
    TAG_BYTES,
};
use crate::{
    random::{self, Source},
    secret::KeyMaterial,
};

/// Seals what is written to it, and writes the stream to `W`.
///
/// Plaintext is collected into segments of 1 MiB, encrypted in place and written. The last
/// segment is written by [`finish`](Self::finish); a writer dropped before leaves a stream
/// that cannot be opened, which is what an interrupted write should leave. `flush` passes
/// on whole segments only, because a segment can be encrypted once.
///
/// After an error every further write fails: a second attempt at a segment would encrypt
/// two plaintexts under one nonce.
pub struct SealWriter<W> {
    inner: W,
    cipher: StreamCipher,
    buffer: Zeroizing<Vec<u8>>,
    room: usize,
    index: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Failed,
}

impl<W: Write> SealWriter<W> {
    /// Begins a stream: draws salt and nonce prefix, and writes the header.
    ///
    /// # Errors
    /// When there are no random bytes, or `inner` fails.
    pub fn new(inner: W, key: &KeyMaterial, associated_data: &[u8]) -> io::Result<Self> {
        Self::with_random(inner, key, associated_data, &mut random::fill)
    }

    pub(crate) fn with_random(
        mut inner: W,
        key: &KeyMaterial,
        associated_data: &[u8],
        source: Source<'_>,
    ) -> io::Result<Self> {
        let (cipher, header) = begin(key, associated_data, source).map_err(io::Error::other)?;
        inner.write_all(&header)?;
        Ok(Self {
            inner,
            cipher,
            // Never grown: a grown vector would leave plaintext behind in freed memory.
            buffer: Zeroizing::new(Vec::with_capacity(SEGMENT_BYTES)),
            room: SEGMENT_BYTES - HEADER_BYTES - TAG_BYTES,
            index: 0,
            state: State::Open,
        })
    }

    /// Seals the last segment and gives the writer below back, flushed.
    ///
    /// # Errors
    /// When an earlier write failed, or `inner` fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.emit(Place::Last)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    /// The writer below. Writing to it directly would break the stream.
    pub fn inner(&self) -> &W {
        &self.inner
    }

    /// The writer below, for taking out what it has collected. Writing to it directly would
    /// break the stream.
    pub fn inner_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    fn emit(&mut self, place: Place) -> io::Result<()> {
        if self.state == State::Failed {
            return Err(io::Error::other("an earlier write to this sealed file failed"));
        }
        self.state = State::Failed;
        let tag = self.cipher.encrypt(self.index, place, &mut self.buffer);
        self.buffer.extend_from_slice(&tag.map_err(io::Error::other)?);
        self.inner.write_all(&self.buffer)?;
        self.buffer.clear();
        if place == Place::Inner {
            self.index =
                self.index.checked_add(1).ok_or_else(|| io::Error::other(StreamError::TooLong))?;
            self.room = SEGMENT_BYTES - TAG_BYTES;
        }
        self.state = State::Open;
        Ok(())
    }
}

impl<W: Write> Write for SealWriter<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // A full segment waits for more data: only then is it known not to be the last.
        if !data.is_empty() && self.buffer.len() >= self.room {
            self.emit(Place::Inner)?;
        }
        let free = self.room.saturating_sub(self.buffer.len());
        let taken = data.get(..free).unwrap_or(data);
        self.buffer.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W> std::fmt::Debug for SealWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealWriter").field("segment", &self.index).finish_non_exhaustive()
    }
}

/// Seals `plaintext` as one stream in memory.
///
/// # Errors
/// When there are no random bytes.
pub fn seal_all(
    key: &KeyMaterial,
    associated_data: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, StreamError> {
    let mut out = Vec::new();
    append(&mut out, key, associated_data, plaintext, &mut random::fill)?;
    Ok(out)
}

/// Appends a stream that holds `plaintext` to `out`, encrypted where it comes to lie.
pub(crate) fn append(
    out: &mut Vec<u8>,
    key: &KeyMaterial,
    associated_data: &[u8],
    plaintext: &[u8],
    source: Source<'_>,
) -> Result<(), StreamError> {
    let (cipher, header) = begin(key, associated_data, source)?;
    let tags = (plaintext.len() / (SEGMENT_BYTES - TAG_BYTES)).saturating_add(2) * TAG_BYTES;
    out.reserve(plaintext.len().saturating_add(HEADER_BYTES).saturating_add(tags));
    out.extend_from_slice(&header);
    let mut rest = plaintext;
    let mut room = SEGMENT_BYTES - HEADER_BYTES - TAG_BYTES;
    let mut index = 0_u32;
    loop {
        let (now, later) = rest.split_at_checked(room).unwrap_or((rest, &[]));
        let place = if later.is_empty() { Place::Last } else { Place::Inner };
        let start = out.len();
        out.extend_from_slice(now);
        let segment = out.get_mut(start..).unwrap_or_default();
        let tag = cipher.encrypt(index, place, segment)?;
        out.extend_from_slice(&tag);
        if place == Place::Last {
            return Ok(());
        }
        rest = later;
        room = SEGMENT_BYTES - TAG_BYTES;
        index = index.checked_add(1).ok_or(StreamError::TooLong)?;
    }
}

fn begin(
    key: &KeyMaterial,
    associated_data: &[u8],
    source: Source<'_>,
) -> Result<(StreamCipher, Vec<u8>), StreamError> {
    let salt: [u8; SALT_BYTES] = random::array_from(source)?;
    let prefix: [u8; PREFIX_BYTES] = random::array_from(source)?;
    let cipher = StreamCipher::new(key, &salt, prefix, associated_data)?;
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.push(HEADER_BYTES as u8);
    header.extend_from_slice(&salt);
    header.extend_from_slice(&prefix);
    Ok((cipher, header))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::counter, stream::open_all};

    fn key() -> KeyMaterial {
        KeyMaterial::from_slice(&[9; 32]).unwrap()
    }

    /// The writer and the one-call form make the same bytes, however the writes are cut.
    #[test]
    fn writes_may_be_cut_anywhere() {
        for length in [0, 1, SEGMENT_BYTES - 57, SEGMENT_BYTES - 56, SEGMENT_BYTES - 55, 2_500_000]
        {
            let plaintext: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let mut whole = Vec::new();
            append(&mut whole, &key(), b"ad", &plaintext, &mut counter()).unwrap();
            for step in [1_000_003, 65_537] {
                let mut source = counter();
                let mut writer =
                    SealWriter::with_random(Vec::new(), &key(), b"ad", &mut source).unwrap();
                for piece in plaintext.chunks(step) {
                    writer.write_all(piece).unwrap();
                    writer.write_all(b"").unwrap();
                }
                assert!(writer.finish().unwrap() == whole, "length {length}, step {step}");
            }
            assert!(open_all(&key(), b"ad", &whole).unwrap() == plaintext);
        }
    }

    #[test]
    fn salts_and_prefixes_are_fresh() {
        let one = seal_all(&key(), b"", b"x").unwrap();
        let two = seal_all(&key(), b"", b"x").unwrap();
        assert_ne!(one[..40], two[..40]);
    }

    /// Fails on the second write below, which is the first segment.
    struct Breaks(u8);

    impl Write for Breaks {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 == 2 { Err(io::Error::other("disk full")) } else { Ok(data.len()) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failed_segment_is_never_sealed_again() {
        let mut writer = SealWriter::new(Breaks(0), &key(), b"").unwrap();
        assert!(writer.write_all(&vec![0; 3 * SEGMENT_BYTES]).is_err());
        assert!(writer.write_all(&vec![1; SEGMENT_BYTES]).is_err());
        assert!(writer.finish().is_err());
    }

    #[test]
    fn an_unfinished_stream_does_not_open() {
        let mut bytes = Vec::new();
        let mut writer = SealWriter::new(&mut bytes, &key(), b"").unwrap();
        writer.write_all(&vec![0; 2 * SEGMENT_BYTES]).unwrap();
        drop(writer);
        assert!(matches!(open_all(&key(), b"", &bytes), Err(StreamError::Unopenable)));
    }
}
