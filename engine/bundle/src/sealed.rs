//! Sealed files: our header, then a Tink stream bound to the header and the context.
//!
//! ```text
//!  ┌────────┬──────────────────────────────┐      associated data of the stream
//!  │ header │ Tink AES256_GCM_HKDF_1MB     │   =  header ‖ PAE(project, export, object)
//!  └────────┴──────────────────────────────┘
//! ```
//!
//! Three ways in and out: whole files in memory, a writer, and a range reader that opens
//! only the segments it needs.

use std::{
    io::{self, Write},
    ops::Range,
};

use bytes::Bytes;

use crate::{
    context::{Context, Kind},
    header::{HEADER_BYTES_MAX, Header, HeaderError},
    key::{KeyId, KeySource, NamedKey},
    random::{self, Source},
    secret::KeyMaterial,
    stream::{self, SealWriter, SegmentOpener, Span, StreamError, StreamLayout},
};

/// How many bytes from the start of a file [`RangeReader::new`] wants; fewer when the file
/// is shorter.
pub const PROLOGUE_BYTES: usize = HEADER_BYTES_MAX + stream::HEADER_BYTES;

/// Why a file could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealedError {
    /// The header cannot be read, or does not fit the key.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The file is of another kind than the one expected.
    #[error("sealed as a {found}, where a {expected} was expected")]
    Kind {
        /// The kind in the header.
        found: Kind,
        /// The kind asked for.
        expected: Kind,
    },
    /// The key that the header names is not held.
    #[error("sealed with key {id}, which is not among the keys at hand")]
    KeyMissing {
        /// The key to obtain.
        id: KeyId,
    },
    /// The stream cannot be opened or sealed.
    #[error(transparent)]
    Stream(#[from] StreamError),
}

impl SealedError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Header(HeaderError::NotSealed) => "check that the path names a sealed file",
            Self::Header(HeaderError::UnknownVersion { .. } | HeaderError::UnknownKind { .. }) => {
                "a newer engine may have written it: update this one"
            }
            Self::Header(HeaderError::Truncated) | Self::Stream(StreamError::Truncated) => {
                "the file is incomplete: fetch it again, or restore it"
            }
            Self::KeyMissing { .. } => "ask the project's owner for this key and version",
            Self::Kind { .. } => "files were swapped in the store: restore them",
            Self::Stream(StreamError::Random(_)) => "the operating system refused random bytes",
            Self::Header(_) | Self::Stream(_) => {
                "restore the file from a copy, and check the key, project, export and file name"
            }
        }
    }
}

/// Which key a file was sealed with, and what kind of file it is, without opening it.
///
/// # Errors
/// When it is not a sealed file of a known version.
pub fn inspect(bytes: &[u8]) -> Result<Header, SealedError> {
    Ok(Header::parse(bytes)?.0)
}

/// Seals `plaintext` as the file that `context` names.
///
/// # Errors
/// [`HeaderError::Key`] when the key's purpose does not fit the kind of file; when there
/// are no random bytes.
pub fn seal(
    key: NamedKey<'_>,
    context: &Context,
    plaintext: &[u8],
) -> Result<Vec<u8>, SealedError> {
    seal_with(key, context, plaintext, &mut random::fill)
}

pub(crate) fn seal_with(
    key: NamedKey<'_>,
    context: &Context,
    plaintext: &[u8],
    source: Source<'_>,
) -> Result<Vec<u8>, SealedError> {
    let mut out = Header::new(context.kind(), key.id)?.encode();
    let associated_data = associated_data(&out, context);
    stream::append(&mut out, key.material, &associated_data, plaintext, source)?;
    Ok(out)
}

/// Opens a whole sealed file, which must be the one `context` names.
///
/// # Errors
/// A [`SealedError`] for each way in which it is not.
pub fn open(keys: &dyn KeySource, context: &Context, file: &[u8]) -> Result<Vec<u8>, SealedError> {
    let (key, header_len) = find_key(keys, context, file)?;
    let (header, stream) = file.split_at_checked(header_len).ok_or(HeaderError::Truncated)?;
    Ok(stream::open_all(key, &associated_data(header, context), stream)?)
}

/// Begins a sealed file: writes its header, and gives a writer for the plaintext.
/// [`SealWriter::finish`] must be called at the end.
///
/// # Errors
/// As an [`io::Error`]: when the key's purpose does not fit, there are no random bytes, or
/// `inner` fails.
pub fn writer<W: Write>(
    mut inner: W,
    key: NamedKey<'_>,
    context: &Context,
) -> io::Result<SealWriter<W>> {
    let header = Header::new(context.kind(), key.id).map_err(io::Error::other)?.encode();
    inner.write_all(&header)?;
    SealWriter::new(inner, key.material, &associated_data(&header, context))
}

/// Opens ranges of a sealed file whose bytes the caller fetches.
///
/// ```text
///  prologue ──new──▶ reader ──span(plaintext range)──▶ span.ciphertext() ──fetch──▶ open ──▶ bytes
/// ```
///
/// Every byte it gives is authenticated. That the file was not cut short at a segment's end
/// shows when its last segment is opened, which Parquet's footer is in.
#[derive(Debug)]
pub struct RangeReader {
    layout: StreamLayout,
    opener: SegmentOpener,
}

impl RangeReader {
    /// Reads the file's first [`PROLOGUE_BYTES`] (or the whole file, when it is shorter).
    /// `file_len` is the length of the sealed file.
    ///
    /// # Errors
    /// When it is not a sealed file, not the kind expected, or its key is not held.
    pub fn new(
        keys: &dyn KeySource,
        context: &Context,
        prologue: &[u8],
        file_len: u64,
    ) -> Result<Self, SealedError> {
        let (key, header_len) = find_key(keys, context, prologue)?;
        let (header, rest) = prologue.split_at_checked(header_len).ok_or(HeaderError::Truncated)?;
        let layout = StreamLayout::new(header_len as u64, file_len)?;
        let opener = SegmentOpener::new(key, &associated_data(header, context), rest)?;
        Ok(Self { layout, opener })
    }

    /// How many bytes of plaintext the file holds.
    #[must_use]
    pub fn plaintext_len(&self) -> u64 {
        self.layout.plaintext_len()
    }

    /// The layout of the segments.
    #[must_use]
    pub fn layout(&self) -> &StreamLayout {
        &self.layout
    }

    /// What to fetch for a range of plaintext.
    ///
    /// # Errors
    /// [`StreamError::Range`] when the range is not within the plaintext.
    pub fn span(&self, plaintext: Range<u64>) -> Result<Span, SealedError> {
        Ok(self.layout.span(plaintext)?)
    }

    /// Opens what was fetched for `span`: exactly the plaintext asked for.
    ///
    /// # Errors
    /// [`StreamError::Unopenable`] when it is not what was sealed there.
    pub fn open(&self, span: &Span, ciphertext: &[u8]) -> Result<Bytes, SealedError> {
        Ok(self.opener.open_span(&self.layout, span, ciphertext)?)
    }
}

fn find_key<'a>(
    keys: &'a dyn KeySource,
    context: &Context,
    bytes: &[u8],
) -> Result<(&'a KeyMaterial, usize), SealedError> {
    let (header, length) = Header::parse(bytes)?;
    if header.kind() != context.kind() {
        return Err(SealedError::Kind { found: header.kind(), expected: context.kind() });
    }
    let key = keys.find(header.key());
    let key = key.ok_or_else(|| SealedError::KeyMissing { id: header.key().clone() })?;
    Ok((key, length))
}

fn associated_data(header: &[u8], context: &Context) -> Vec<u8> {
    let mut out = header.to_vec();
    out.extend_from_slice(&context.encode());
    out
}
