//! One chunk being written: Parquet, sealed while it is made, streamed to the store.
//!
//! The bytes in memory are one row group of encoded columns and at most one segment of ciphertext; the
//! object becomes visible when it is complete.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use engine_bundle::context::Context;
use engine_bundle::digest::Digester;
use engine_bundle::ids::{ChunkId, FileId, RunId};
use engine_bundle::key::{KeyId, KeySource, NamedKey};
use engine_bundle::layout::{Encryption, chunk_path};
use engine_bundle::stream::SealWriter;
use engine_bundle::{modular, sealed};
use object_store::ObjectStore;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::arrow::ArrowWriter;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::file::metadata::KeyValue;
use serde::{Deserialize, Serialize};

use super::encoding;
use super::error::SealError;

/// Bytes of one part of an upload. Stores want at least 5 MiB.
const PART_BYTES: usize = 8 << 20;
/// Parts of one upload that are under way at once.
const PARTS_IN_FLIGHT: usize = 2;

/// The first and last bytes of a Parquet file whose footer is encrypted (Parquet's `Encryption.md`,
/// section 5.1).
pub const MAGIC_ENCRYPTED: &[u8; 4] = b"PARE";

/// The footer's key-value entry that holds the partition values, a JSON list.
pub const PARTITION_KEY: &str = "engine.partition";

/// What the chunks of one export have in common. Words only, no secret: it can travel in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkSpec {
    /// The project's name.
    pub project: String,
    /// The export's name.
    pub export: String,
    /// Its directory in the store.
    pub file: FileId,
    /// The key chunks are sealed with.
    pub key: KeyId,
    /// The run that writes them.
    pub run: RunId,
    /// How they are encrypted.
    pub encryption: Encryption,
    /// Rows after which a chunk is full.
    pub rows_max: u64,
    /// Columns whose values divide the chunks.
    pub partition_by: Vec<String>,
    /// Columns of masked text whose order says nothing, so that no least and greatest value is kept.
    pub unordered: Vec<String>,
}

/// Where chunks go and what opens their key: what a worker has of its own.
#[derive(Clone)]
pub struct ChunkTarget {
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// The keys.
    pub keys: Arc<dyn KeySource + Send + Sync>,
}

/// A chunk that is complete in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) id: ChunkId,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) digest: String,
}

/// Where Parquet's bytes go: through the sealing stream, or as they are when Parquet itself encrypts.
enum Sink {
    Sealed(Box<SealWriter<Vec<u8>>>),
    Modular(Vec<u8>),
}

impl Sink {
    fn take(&mut self) -> Vec<u8> {
        match self {
            Sink::Sealed(writer) => std::mem::take(writer.inner_mut()),
            Sink::Modular(buffer) => std::mem::take(buffer),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Sink::Sealed(writer) => writer.finish(),
            Sink::Modular(buffer) => Ok(buffer),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Sealed(writer) => writer.write(bytes),
            Sink::Modular(buffer) => buffer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Sealed(writer) => writer.flush(),
            Sink::Modular(buffer) => buffer.flush(),
        }
    }
}

/// A chunk being written.
pub(super) struct ChunkWriter {
    id: ChunkId,
    parquet: ArrowWriter<Sink>,
    upload: BufWriter,
    digest: Digester,
    encryption: Encryption,
    rows: u64,
    bytes: u64,
}

impl ChunkWriter {
    /// Opens a chunk whose rows all have `values` in the partition columns; they stand in the footer
    /// too, so that a chunk can be taken up again without the manifest it was meant for. `sample` are
    /// its first rows.
    pub(super) fn open(
        target: &ChunkTarget,
        spec: &ChunkSpec,
        sample: &RecordBatch,
        values: &[Option<String>],
    ) -> Result<Self, SealError> {
        let id = ChunkId::random().map_err(|_| SealError::Random)?;
        let context = Context::chunk(&spec.project, &spec.export, id);
        let key = target.keys.find(&spec.key).ok_or(SealError::Key)?;
        let mut properties = encoding::properties(&spec.unordered, sample)?;
        let partition = serde_json::to_string(values).map_err(|_| SealError::Parquet)?;
        let mut metadata = vec![KeyValue::new(PARTITION_KEY.to_owned(), partition)];
        let sink = match spec.encryption {
            Encryption::Sealed => {
                let named = NamedKey { id: &spec.key, material: key };
                let writer = sealed::writer(Vec::new(), named, &context)
                    .map_err(|error| SealError::from_io(&error))?;
                Sink::Sealed(Box::new(writer))
            }
            Encryption::Modular => {
                let file_key =
                    modular::file_key(key, &spec.project, &spec.export, &spec.run.to_string())
                        .map_err(|_| SealError::Key)?;
                let encryption = FileEncryptionProperties::builder(file_key.expose().to_vec())
                    .build()
                    .map_err(|_| SealError::Parquet)?;
                metadata.push(KeyValue::new(modular::MARK_KEY.to_owned(), modular::mark(&context)));
                properties = properties.with_file_encryption_properties(encryption);
                Sink::Modular(Vec::new())
            }
        };
        properties = properties.set_key_value_metadata(Some(metadata));
        let schema = bare(&sample.schema());
        let parquet = ArrowWriter::try_new(sink, schema, Some(properties.build()))
            .map_err(|_| SealError::Parquet)?;
        let path = Path::from(chunk_path(spec.file, id, spec.encryption));
        let upload = BufWriter::with_capacity(Arc::clone(&target.store), path, PART_BYTES)
            .with_max_concurrency(PARTS_IN_FLIGHT);
        let (digest, encryption) = (Digester::new(), spec.encryption);
        Ok(Self { id, parquet, upload, digest, encryption, rows: 0, bytes: 0 })
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of encoded columns that wait for the end of their row group.
    pub(super) fn memory_bytes(&self) -> usize {
        self.parquet.memory_size()
    }

    pub(super) async fn write(&mut self, batch: &RecordBatch) -> Result<(), SealError> {
        self.parquet.write(batch).map_err(|_| SealError::Parquet)?;
        self.rows = self.rows.saturating_add(batch.num_rows() as u64);
        self.drain().await
    }

    /// Ends the row group, to give its memory back.
    pub(super) async fn flush(&mut self) -> Result<(), SealError> {
        self.parquet.flush().map_err(|_| SealError::Parquet)?;
        self.drain().await
    }

    async fn drain(&mut self) -> Result<(), SealError> {
        let bytes = self.parquet.inner_mut().take();
        self.put(bytes).await
    }

    async fn put(&mut self, bytes: Vec<u8>) -> Result<(), SealError> {
        if bytes.is_empty() {
            return Ok(());
        }
        // Whatever a library makes of the settings: nothing that is not encrypted leaves.
        let first = self.bytes == 0 && self.encryption == Encryption::Modular;
        if first && !bytes.starts_with(MAGIC_ENCRYPTED) {
            return Err(SealError::Parquet);
        }
        self.digest.update(&bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        Ok(self.upload.put(bytes.into()).await?)
    }

    pub(super) async fn finish(mut self) -> Result<Written, SealError> {
        self.parquet.flush().map_err(|_| SealError::Parquet)?;
        self.drain().await?;
        let Self { id, parquet, upload, digest, rows, bytes, .. } = self;
        let rest = parquet
            .into_inner()
            .map_err(|_| SealError::Parquet)?
            .finish()
            .map_err(|error| SealError::from_io(&error))?;
        let mut end = Ending { upload, digest, bytes };
        end.put(rest).await?;
        tokio::io::AsyncWriteExt::shutdown(&mut end.upload)
            .await
            .map_err(|error| SealError::from_io(&error))?;
        Ok(Written { id, rows, bytes: end.bytes, digest: end.digest.finish().to_string() })
    }
}

/// The schema without metadata, which a source's file may bring along: it is neither masked nor kept by
/// anybody, and would be copied into the chunk.
fn bare(schema: &Schema) -> SchemaRef {
    let field = |field: &FieldRef| field.as_ref().clone().with_metadata(HashMap::new());
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

/// What is left of a chunk when Parquet has written its footer.
struct Ending {
    upload: BufWriter,
    digest: Digester,
    bytes: u64,
}

impl Ending {
    async fn put(&mut self, bytes: Vec<u8>) -> Result<(), SealError> {
        self.digest.update(&bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        Ok(self.upload.put(bytes.into()).await?)
    }
}
