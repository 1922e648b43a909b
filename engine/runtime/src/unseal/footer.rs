//! The footer of a chunk: how many rows it has, its partition values, and, for modular chunks, which
//! chunk it is. All chunks of a run share a modular key, so their encryption does not bind them to their
//! names; a mark in the encrypted footer does, and is checked whenever a footer is read.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use engine_bundle::context::Context;
use engine_bundle::ids::{ChunkId, FileId};
use engine_bundle::key::KeySource;
use engine_bundle::layout::{Encryption, chunk_path};
use engine_bundle::manifest::{Chunk, Manifest, ModularKey};
use engine_bundle::modular;
use futures::future::{BoxFuture, FutureExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::async_reader::MetadataFetch;
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::error::UnsealError;
use super::store::{SealedFile, UnsealStore};
use crate::seal::MAGIC_ENCRYPTED;

/// A chunk in a store, as a manifest or journal describes it.
#[derive(Debug, Clone)]
pub struct ChunkFile<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The export's name.
    pub export: &'a str,
    /// The export's directory.
    pub file: FileId,
    /// The chunk.
    pub id: ChunkId,
    /// Its length in the store.
    pub bytes: u64,
    /// Where its key comes from, when it is a modular one.
    pub modular: Option<ModularKey>,
}

/// A chunk of a manifest.
pub fn chunk_file<'m>(manifest: &'m Manifest, file: FileId, chunk: &Chunk) -> ChunkFile<'m> {
    ChunkFile {
        project: &manifest.project,
        export: &manifest.export,
        file,
        id: chunk.id,
        bytes: chunk.bytes,
        modular: chunk.modular.clone(),
    }
}

impl ChunkFile<'_> {
    /// Its path in the store.
    pub fn path(&self) -> Path {
        let encryption =
            if self.modular.is_some() { Encryption::Modular } else { Encryption::Sealed };
        Path::from(chunk_path(self.file, self.id, encryption))
    }

    /// What it is bound to.
    pub fn context(&self) -> Context {
        Context::chunk(self.project, self.export, self.id)
    }

    /// How to decrypt it; `None` for a sealed chunk, which is opened below Parquet.
    ///
    /// # Errors
    /// The key is not held.
    pub fn decryption(
        &self,
        keys: &dyn KeySource,
    ) -> Result<Option<Arc<FileDecryptionProperties>>, UnsealError> {
        let Some(source) = &self.modular else { return Ok(None) };
        let properties = keys.find(&source.key).and_then(|data_key| {
            let scope = source.scope.to_string();
            let key = modular::file_key(data_key, self.project, self.export, &scope).ok()?;
            FileDecryptionProperties::builder(key.expose().to_vec()).build().ok()
        });
        properties.map(Some).ok_or_else(|| UnsealError::no_key(self.path().to_string()))
    }

    /// Reads and checks its footer.
    ///
    /// # Errors
    /// It is missing, of another length, changed, or another chunk than its name says.
    pub async fn footer(
        &self,
        store: &Arc<dyn ObjectStore>,
        keys: &Arc<dyn KeySource + Send + Sync>,
    ) -> Result<ParquetMetaData, UnsealError> {
        let path = self.path();
        let name = path.to_string();
        let decryption = self.decryption(&**keys)?;
        let opened: Arc<dyn ObjectStore> = match &decryption {
            Some(_) => Arc::clone(store),
            None => {
                let sealed = SealedFile::new(self.context(), self.bytes);
                let files = BTreeMap::from([(path.clone(), sealed)]);
                Arc::new(UnsealStore::new(Arc::clone(store), Arc::clone(keys), files))
            }
        };
        let found =
            opened.head(&path).await.map_err(|error| UnsealError::from_store(&name, &error))?;
        if decryption.is_some() && found.size != self.bytes {
            let reason = "is not of the length its manifest states: it was truncated or extended";
            return Err(UnsealError::tampered(name, reason));
        }
        if decryption.is_some() {
            encrypted(&opened, &path, found.size).await?;
        }
        let fetch = Fetch { store: opened, path };
        let footer = ParquetMetaDataReader::new()
            .with_decryption_properties(decryption.clone())
            .load_and_finish(fetch, found.size)
            .await
            .map_err(|error| unreadable(&name, error))?;
        if decryption.is_some() && !is_marked(&footer, &self.context()) {
            let reason = "is another chunk than its name says: it was swapped or renamed";
            return Err(UnsealError::tampered(name, reason));
        }
        Ok(footer)
    }
}

/// A modular chunk ends in the magic bytes of an encrypted footer. Without this check a plain file that
/// anybody can write would be read as it is: only a file that says it is encrypted asks for the key.
async fn encrypted(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    size: u64,
) -> Result<(), UnsealError> {
    let name = path.to_string();
    let end = store
        .get_range(path, size.saturating_sub(MAGIC_ENCRYPTED.len() as u64)..size)
        .await
        .map_err(|error| UnsealError::from_store(&name, &error))?;
    if *end == *MAGIC_ENCRYPTED {
        return Ok(());
    }
    Err(UnsealError::tampered(name, "is not an encrypted Parquet file: it was replaced"))
}

fn is_marked(footer: &ParquetMetaData, context: &Context) -> bool {
    entry(footer, modular::MARK_KEY).is_some_and(|mark| mark == modular::mark(context))
}

/// The value of a key of the footer's key-value metadata.
pub fn entry<'f>(footer: &'f ParquetMetaData, key: &str) -> Option<&'f str> {
    let entries = footer.file_metadata().key_value_metadata()?;
    entries.iter().find(|entry| entry.key == key)?.value.as_deref()
}

fn unreadable(name: &str, error: ParquetError) -> UnsealError {
    if let ParquetError::External(inner) = error
        && let Ok(found) = inner.downcast::<object_store::Error>()
    {
        return UnsealError::from_store(name, &found);
    }
    UnsealError::tampered(name, "cannot be opened: it was changed, or sealed with another key")
}

struct Fetch {
    store: Arc<dyn ObjectStore>,
    path: Path,
}

impl MetadataFetch for Fetch {
    fn fetch(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move {
            let bytes = self.store.get_range(&self.path, range).await;
            bytes.map_err(|error| ParquetError::External(Box::new(error)))
        }
        .boxed()
    }
}
