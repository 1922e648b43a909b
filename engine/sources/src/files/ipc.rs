//! The lengths that an Arrow IPC file states, held against the file's own.
//!
//! ```text
//!  file    magic │ messages │ footer: where each message stands │ length │ magic
//!  stream  length, metadata (with the body's length), body │ length, metadata, body │ …
//! ```
//!
//! Arrow columnar format, "IPC Streaming Format" and "IPC File Format". The reader allocates what it is
//! told to: a flipped bit must not ask the machine for more memory than there is.

use arrow::ipc::reader::read_footer_length;
use arrow::ipc::{Block, root_as_footer, root_as_message};
use bytes::Bytes;
use object_store::ObjectStoreExt;

use super::listing::SourceFile;
use super::stores::{Place, replaced};
use crate::error::{SourceError, SourceErrorKind};

/// Bytes of the end of a file: the footer's length and the magic.
const TRAILER_BYTES: u64 = 10;
/// What stands before a message's length since format version 0.15.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// Bytes of one message's metadata, at most.
const METADATA_BYTES_MAX: u64 = 256 << 20;

/// Refuses a file whose footer names bytes that are not there.
pub(crate) async fn check_file(place: &Place, file: &SourceFile) -> Result<(), SourceError> {
    let size = file.meta.size;
    let trailer = range(place, file, size.saturating_sub(TRAILER_BYTES), size).await?;
    let trailer: [u8; 10] = trailer.as_ref().try_into().map_err(|_| damaged())?;
    let length = read_footer_length(trailer).map_err(|_| damaged())? as u64;
    let end = size.saturating_sub(TRAILER_BYTES);
    let start = end.checked_sub(length).ok_or_else(damaged)?;
    let footer = range(place, file, start, end).await?;
    let footer = root_as_footer(&footer).map_err(|_| damaged())?;
    let blocks = footer.recordBatches().into_iter().chain(footer.dictionaries());
    if blocks.flat_map(|blocks| blocks.iter()).all(|block| is_within(block, start)) {
        Ok(())
    } else {
        Err(damaged())
    }
}

fn is_within(block: &Block, end: u64) -> bool {
    let parts = [block.offset(), i64::from(block.metaDataLength()), block.bodyLength()];
    let sum =
        parts.into_iter().try_fold(0_u64, |sum, part| sum.checked_add(u64::try_from(part).ok()?));
    sum.is_some_and(|sum| sum <= end)
}

/// Refuses a stream one of whose messages is longer than what is left of the file.
pub(crate) async fn check_stream(place: &Place, file: &SourceFile) -> Result<(), SourceError> {
    let size = file.meta.size;
    let mut at = 0;
    // A stream may end without saying so.
    while at < size {
        let head = range(place, file, at, at.saturating_add(8).min(size)).await?;
        let (length, start) = match head.as_ref().split_first_chunk::<4>() {
            Some((&CONTINUATION, rest)) => (rest.first_chunk::<4>().ok_or_else(damaged)?, at + 8),
            Some((length, _)) => (length, at + 4),
            None => return Err(damaged()),
        };
        let length = u64::try_from(i32::from_le_bytes(*length)).map_err(|_| damaged())?;
        if length == 0 {
            return Ok(());
        }
        let end = start.saturating_add(length);
        if end > size || length > METADATA_BYTES_MAX {
            return Err(damaged());
        }
        let metadata = range(place, file, start, end).await?;
        let message = root_as_message(&metadata).map_err(|_| damaged())?;
        let body = u64::try_from(message.bodyLength()).map_err(|_| damaged())?;
        at = end.checked_add(body).filter(|end| *end <= size).ok_or_else(damaged)?;
    }
    Ok(())
}

async fn range(
    place: &Place,
    file: &SourceFile,
    start: u64,
    end: u64,
) -> Result<Bytes, SourceError> {
    if start >= end {
        return Err(damaged());
    }
    place.store.get_range(&file.meta.location, start..end).await.map_err(replaced)
}

fn damaged() -> SourceError {
    let what = "the Arrow file is damaged, or was cut short".to_owned();
    SourceErrorKind::Malformed { what }.into()
}
