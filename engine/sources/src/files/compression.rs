//! Compressed text files, decompressed as they are read.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fetch::{Chunks, read_error};
use crate::error::SourceError;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    /// By the file's ending: `.gz` is gzip, `.zst` is zstd, any other is none.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// gzip (RFC 1952), of any number of members.
    Gzip,
    /// Zstandard (RFC 8878), of any number of frames with windows up to 128 MiB.
    Zstd,
}

/// The decompressed bytes of a file.
///
/// # Errors
/// Memory for a decompressor that cannot be had.
pub(crate) fn decompressed(
    input: Chunks,
    compression: Compression,
    name: &str,
) -> Result<Box<dyn Read + Send>, SourceError> {
    let ending = |ending: &str| {
        name.rsplit_once('.').is_some_and(|(_, found)| found.eq_ignore_ascii_case(ending))
    };
    let compression = match compression {
        Compression::Auto if ending("gz") => Compression::Gzip,
        Compression::Auto if ending("zst") => Compression::Zstd,
        other => other,
    };
    Ok(match compression {
        Compression::Auto | Compression::None => Box::new(input),
        Compression::Gzip => Box::new(MultiGzDecoder::new(input)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(input).map_err(read_error)?),
    })
}
