//! What an earlier attempt of a run left behind, and whether it can be used.
//!
//! A chunk is used again only when the export is the same, its sources are the same, the same engine
//! gives its rows in the same order, and the file in the store is the one the journal names, byte for
//! byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_bundle::digest::Digester;
use engine_bundle::ids::ChunkId;
use engine_bundle::key::KeySource;
use engine_bundle::layout::Encryption;
use engine_bundle::manifest::ModularKey;
use futures::StreamExt;
use object_store::ObjectStoreExt;

use crate::execute::{Writing, WrittenRows};
use crate::journal::Line;
use crate::keys::Keys;
use crate::publish::Origin;
use crate::seal::{ChunkSpec, PARTITION_KEY, SealedChunk};
use crate::store::Store;
use crate::unseal::footer::{self, ChunkFile};

/// Another version may read the same files in another order.
const ENGINE: &str = env!("CARGO_PKG_VERSION");

/// What the journal says of an export that was begun and not committed.
#[derive(Debug, Clone)]
pub struct Attempted {
    definition: String,
    engine: String,
    sources: Vec<(String, String)>,
    partitions: usize,
    resumable: bool,
    chunks: Vec<SealedChunk>,
}

/// The journal's line for an export that begins.
pub fn begin_line(export: &str, origin: &Origin, writing: &Writing) -> Line {
    Line::Export {
        export: export.to_owned(),
        definition: origin.definition.to_string(),
        engine: ENGINE.to_owned(),
        sources: sources(origin),
        partitions: writing.partitions(),
        resumable: writing.resumable() && origin.sources.is_some(),
    }
}

fn sources(origin: &Origin) -> Vec<(String, String)> {
    let known = origin.sources.iter().flatten();
    known.map(|source| (source.name.clone(), source.digest.to_string())).collect()
}

/// The exports that a journal shows as begun and not committed, with their chunks.
pub fn attempted(lines: &[Line]) -> BTreeMap<String, Attempted> {
    let mut open = BTreeMap::new();
    for line in lines {
        match line {
            Line::Export { export, definition, engine, sources, partitions, resumable } => {
                let attempted = Attempted {
                    definition: definition.clone(),
                    engine: engine.clone(),
                    sources: sources.clone(),
                    partitions: *partitions,
                    resumable: *resumable,
                    chunks: Vec::new(),
                };
                open.insert(export.clone(), attempted);
            }
            Line::Chunk { export, id, partition, rows, bytes, digest } => {
                if let Some(attempted) = open.get_mut(export) {
                    attempted.chunks.push(SealedChunk {
                        id: id.clone(),
                        partition: *partition,
                        rows: *rows,
                        bytes: *bytes,
                        digest: digest.clone(),
                        values: Vec::new(),
                    });
                }
            }
            Line::Outcome { export, status, .. } => {
                if *status != crate::journal::Status::Failed {
                    open.remove(export);
                }
            }
            Line::Run { .. } | Line::End { .. } => {}
        }
    }
    open
}

impl Attempted {
    /// Whether an attempt that is about to write would write the same chunks.
    pub fn fits(&self, origin: &Origin, writing: &Writing) -> bool {
        self.resumable
            && writing.resumable()
            && origin.sources.is_some()
            && self.engine == ENGINE
            && self.partitions == writing.partitions()
            && self.definition == origin.definition.to_string()
            && self.sources == sources(origin)
    }
}

/// The chunks of the attempt that are in the store as the journal says: for each stream and partition
/// value those before the first one that is not.
pub async fn surviving(
    store: &Store,
    keys: &Keys,
    spec: &ChunkSpec,
    attempted: &Attempted,
) -> Vec<SealedChunk> {
    let mut kept = Vec::new();
    let mut broken = Vec::new();
    for chunk in &attempted.chunks {
        let Some(values) = check(store, keys, spec, chunk).await else {
            // Without its file the values are unknown, so the whole stream starts again from here.
            broken.push(chunk.partition);
            continue;
        };
        if !broken.contains(&chunk.partition) {
            kept.push(SealedChunk { values, ..chunk.clone() });
        }
    }
    kept
}

/// Rows that need not be written again.
pub fn rows(chunks: &[SealedChunk]) -> WrittenRows {
    let mut rows = WrittenRows::new();
    for chunk in chunks {
        let sum = rows.entry((chunk.partition, chunk.values.clone())).or_default();
        *sum = sum.saturating_add(chunk.rows);
    }
    rows
}

/// The partition values of a chunk whose file is whole; `None` when it is not.
async fn check(
    store: &Store,
    keys: &Keys,
    spec: &ChunkSpec,
    chunk: &SealedChunk,
) -> Option<Vec<Option<String>>> {
    let id: ChunkId = chunk.id.parse().ok()?;
    let path = describe(spec, id, chunk.bytes).path();
    let mut stream = store.objects().get(&path).await.ok()?.into_stream();
    let mut digest = Digester::new();
    let mut bytes = 0_u64;
    while let Some(part) = stream.next().await {
        let part = part.ok()?;
        bytes = bytes.saturating_add(part.len() as u64);
        digest.update(&part);
    }
    if bytes != chunk.bytes || digest.finish().to_string() != chunk.digest {
        return None;
    }
    let described = describe(spec, id, chunk.bytes);
    let keys: Arc<dyn KeySource + Send + Sync> = Arc::new(keys.clone());
    let footer = described.footer(store.objects(), &keys).await.ok()?;
    serde_json::from_str(footer::entry(&footer, PARTITION_KEY)?).ok()
}

fn describe(spec: &ChunkSpec, id: ChunkId, bytes: u64) -> ChunkFile<'_> {
    ChunkFile {
        project: &spec.project,
        export: &spec.export,
        file: spec.file,
        id,
        bytes,
        modular: match spec.encryption {
            Encryption::Sealed => None,
            Encryption::Modular => Some(ModularKey { key: spec.key.clone(), scope: spec.run }),
        },
    }
}
