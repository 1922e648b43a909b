//! Which chunk is not the one that was committed, byte for byte: what `verify` asks of each, and what is
//! asked after a read that failed inside Parquet.
//!
//! ```text
//!  modular chunk ─▶ Parquet's decryption ─▶ an error that names no file
//!                                              └─▶ length and digest of each chunk ─▶ the file, and why
//! ```
//!
//! Sealed chunks are opened below Parquet, and name themselves.

use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use engine_bundle::digest::{Digest, Digester};
use engine_bundle::ids::FileId;
use engine_bundle::layout::Encryption;
use engine_bundle::manifest::Manifest;
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::error::UnsealError;
use super::footer::ChunkFile;
use super::footer::chunk_file;

/// Compares a chunk's length and digest with those its manifest states.
///
/// # Errors
/// They differ, or the chunk is missing or cannot be read.
pub async fn check(
    store: &dyn ObjectStore,
    chunk: &ChunkFile<'_>,
    stated: &Digest,
) -> Result<(), UnsealError> {
    let path = chunk.path();
    let name = path.to_string();
    let (bytes, digest) =
        digest(store, &path).await.map_err(|error| UnsealError::store(&name, &error))?;
    if bytes != chunk.bytes {
        let reason = "is not of the length its manifest states: it was truncated or extended";
        return Err(UnsealError::tampered(name, reason));
    }
    if digest != *stated {
        let reason = "does not have the digest its manifest states: it was changed or swapped";
        return Err(UnsealError::tampered(name, reason));
    }
    Ok(())
}

async fn digest(store: &dyn ObjectStore, path: &Path) -> object_store::Result<(u64, Digest)> {
    let mut stream = store.get(path).await?.into_stream();
    let mut digester = Digester::new();
    let mut bytes = 0_u64;
    while let Some(part) = stream.next().await {
        let part = part?;
        bytes = bytes.saturating_add(part.len() as u64);
        digester.update(&part);
    }
    Ok((bytes, digester.finish()))
}

/// Rows of a snapshot, with an error that names the chunk where one was changed.
pub fn explained(
    rows: SendableRecordBatchStream,
    store: Arc<dyn ObjectStore>,
    file: FileId,
    manifest: Manifest,
) -> SendableRecordBatchStream {
    if manifest.encryption == Encryption::Sealed {
        return rows;
    }
    let schema = rows.schema();
    let snapshot = Arc::new((store, manifest));
    let rows = rows.then(move |batch| {
        let snapshot = Arc::clone(&snapshot);
        async move {
            match batch {
                Ok(batch) => Ok(batch),
                Err(error) => Err(first(&*snapshot.0, file, &snapshot.1).await.unwrap_or(error)),
            }
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

/// The first chunk that is not the one that was committed.
async fn first(
    store: &dyn ObjectStore,
    file: FileId,
    manifest: &Manifest,
) -> Option<DataFusionError> {
    for chunk in &manifest.chunks {
        let described = chunk_file(manifest, file, chunk);
        if let Err(error) = check(store, &described, &chunk.digest).await {
            return Some(DataFusionError::External(Box::new(error)));
        }
    }
    None
}
