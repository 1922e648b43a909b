//! A file of an object store as a blocking reader, in bounded memory.
//!
//! ```text
//!  task                              blocking thread
//!  get range, get range … ──▶ [ 1 MiB | 1 MiB ] ──▶ Read
//! ```
//!
//! Each range is asked for on the condition that the file still is the one that was listed;
//! a file that changes while it is read is an error, not a mixture of two.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::stores::replaced;
use crate::error::{SourceError, SourceErrorKind};

/// Bytes asked for at once.
const RANGE_BYTES: u64 = 1 << 20;

/// Ranges that may wait for the reader.
const RANGES_AHEAD: usize = 2;

/// What a fetch hands to its reader.
type Range = Result<Bytes, SourceError>;

/// A channel from a fetch of this file to its reader.
pub(crate) fn pipe(meta: &ObjectMeta) -> (Sender<Range>, Chunks) {
    let (sender, receiver) = channel(RANGES_AHEAD);
    (sender, Chunks { receiver, current: Bytes::new(), missing: meta.size })
}

/// Sends a file's bytes in order; ends early when nobody reads.
pub(crate) async fn fetch(store: Arc<dyn ObjectStore>, meta: ObjectMeta, sender: Sender<Range>) {
    let mut start = 0;
    while start < meta.size {
        let end = start.saturating_add(RANGE_BYTES).min(meta.size);
        let bytes = range(store.as_ref(), &meta, start, end).await;
        let failed = bytes.is_err();
        if sender.send(bytes).await.is_err() || failed {
            return;
        }
        start = end;
    }
}

async fn range(store: &dyn ObjectStore, meta: &ObjectMeta, start: u64, end: u64) -> Range {
    let options = GetOptions {
        range: Some(GetRange::Bounded(start..end)),
        if_match: meta.e_tag.clone(),
        ..GetOptions::default()
    };
    let answer = store.get_opts(&meta.location, options).await.map_err(replaced)?;
    if answer.meta.size != meta.size {
        return Err(SourceErrorKind::Changed.into());
    }
    let bytes = answer.bytes().await.map_err(replaced)?;
    // A short answer would shift everything after it.
    if bytes.len() as u64 == end - start { Ok(bytes) } else { Err(SourceErrorKind::Changed.into()) }
}

/// The reading end of a [`pipe`]; for blocking threads only.
pub(crate) struct Chunks {
    receiver: Receiver<Range>,
    current: Bytes,
    /// Bytes of the file that have not arrived yet.
    missing: u64,
}

impl Read for Chunks {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        while !self.current.has_remaining() {
            match self.receiver.blocking_recv() {
                Some(Ok(bytes)) => {
                    self.missing = self.missing.saturating_sub(bytes.len() as u64);
                    self.current = bytes;
                }
                Some(Err(error)) => return Err(io::Error::other(error)),
                None if self.missing == 0 => return Ok(0),
                // A fetch that ended early is not the end of the file.
                None => return Err(io::Error::other(SourceError::new(SourceErrorKind::Cancelled))),
            }
        }
        let length = target.len().min(self.current.remaining());
        if let Some(target) = target.get_mut(..length) {
            self.current.copy_to_slice(target);
        }
        Ok(length)
    }
}

/// Takes this crate's error out of an input error; any other is the decompressor's.
pub(crate) fn read_error(error: io::Error) -> SourceError {
    match error.downcast::<SourceError>() {
        Ok(error) => error,
        Err(_) => SourceErrorKind::Malformed {
            what: "the compressed data is damaged or cut off".to_owned(),
        }
        .into(),
    }
}

#[cfg(test)]
mod tests {
    use object_store::path::Path;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_fetch_that_ends_early_is_not_the_end_of_the_file() {
        let meta = ObjectMeta {
            location: Path::from("t.csv"),
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size: 3,
            e_tag: None,
            version: None,
        };
        let (sender, mut chunks) = pipe(&meta);
        sender.send(Ok(Bytes::from_static(b"ab"))).await.expect("a reader");
        drop(sender);
        let read = move || chunks.read_to_end(&mut Vec::new()).map_err(read_error);
        let error = tokio::task::spawn_blocking(read).await.expect("no panic").expect_err("short");
        assert_eq!(error.kind(), &SourceErrorKind::Cancelled);
    }
}
