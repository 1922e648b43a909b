//! Counts rows by a condition chunk by chunk, and writes a snapshot again without them.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::Expr;
use datafusion::prelude::DataFrame;
use engine_bundle::ids::{ChunkId, FileId, RunId};
use engine_bundle::key::{KeyId, Purpose};
use engine_bundle::manifest::{Chunk, Column, Manifest, Predecessor};
use engine_tracking::retention::{ChunkFate, Deletion, chunk_fate};
use futures::{StreamExt, TryStreamExt};

use crate::diagnostic::Outcome;
use crate::event::Silent;
use crate::execute;
use crate::fault;
use crate::keys::Keys;
use crate::publish::chunk_record;
use crate::seal::{ChunkSpec, ChunkTarget, SealServices, SealedChunk};
use crate::session::Limits;
use crate::store::{Store, Stored};
use crate::unseal::SnapshotTable;
use crate::workspace;

/// Chunks whose rows are counted at once.
const CHUNKS_AT_ONCE: usize = 4;

/// How many rows of each chunk meet a condition.
pub type Counted = BTreeMap<ChunkId, u64>;

/// One object of the store in the layout of exports: an export, or another that has snapshots of chunks.
pub struct Rewriter<'a> {
    store: &'a Store,
    keys: &'a Keys,
    file: FileId,
    limits: Limits,
}

impl<'a> Rewriter<'a> {
    /// For the object of this id, within these limits.
    #[must_use]
    pub fn new(store: &'a Store, keys: &'a Keys, file: FileId, limits: Limits) -> Self {
        // Of one stream, a chunk becomes one chunk, with its rows in their order.
        Self { store, keys, file, limits: Limits { jobs: 1, ..limits } }
    }

    /// The object.
    #[must_use]
    pub fn file(&self) -> FileId {
        self.file
    }

    /// Puts on record what goes.
    ///
    /// # Errors
    /// The store refuses it.
    pub async fn record(&self, object: &str, gone: &[Deletion]) -> Outcome<()> {
        self.store.record_deletions(object, gone, self.keys).await
    }

    /// How many rows of `chunks`, which `manifest` names, meet `condition`. Chunks whose statistics show that none
    /// does are not read.
    ///
    /// # Errors
    /// A chunk that is missing or was changed.
    pub async fn count(
        &self,
        manifest: &Manifest,
        chunks: &[&Chunk],
        condition: &Expr,
    ) -> Outcome<Counted> {
        let bare = bare(manifest);
        let each = chunks.iter().map(|chunk| self.count_one(&bare, chunk, condition));
        futures::stream::iter(each).buffered(CHUNKS_AT_ONCE).try_collect().await
    }

    async fn count_one(
        &self,
        bare: &Manifest,
        chunk: &Chunk,
        condition: &Expr,
    ) -> Outcome<(ChunkId, u64)> {
        let refused = |error| fault::running(&error, &bare.export);
        let (_, rows) = self.rows(bare, chunk).await?;
        let rows = rows.filter(condition.clone()).map_err(refused)?;
        let rows = rows.count().await.map_err(refused)?;
        Ok((chunk.id, rows as u64))
    }

    /// The rows of one chunk, with the session they are read in.
    async fn rows(&self, bare: &Manifest, chunk: &Chunk) -> Outcome<(SessionContext, DataFrame)> {
        let refused = |error| fault::running(&error, &bare.export);
        let single = Manifest { chunks: vec![chunk.clone()], ..bare.clone() };
        let session = workspace::new_session(self.limits)?;
        let keys = Arc::new(self.keys.clone());
        let objects = self.store.objects();
        let table = SnapshotTable::open(&session, objects, self.file, &single, keys).await;
        let rows = session.read_table(Arc::new(table.map_err(refused)?)).map_err(refused)?;
        Ok((session, rows))
    }

    /// The manifest that follows `stored` and names no row that meets `condition`, of which `counted` says where
    /// they are. Its chunks are written; it is not committed. What tests said of the rows that were is left out.
    ///
    /// # Errors
    /// A chunk that is missing or was changed, or the store refuses a new one.
    pub async fn without(
        &self,
        stored: &Stored,
        condition: &Expr,
        counted: &Counted,
        run: RunId,
    ) -> Outcome<Manifest> {
        let before = &stored.manifest;
        let key = self.keys.active(Purpose::Data)?;
        let bare = bare(before);
        let mut chunks = Vec::with_capacity(before.chunks.len());
        for chunk in &before.chunks {
            let gone = counted.get(&chunk.id).copied().unwrap_or_default();
            match chunk_fate(Some(chunk.rows), gone) {
                ChunkFate::Keep => chunks.push(chunk.clone()),
                ChunkFate::Drop => {}
                ChunkFate::Rewrite => {
                    chunks.extend(self.rewritten(&bare, chunk, condition, (&key, run)).await?);
                }
            }
        }
        let follows = Predecessor { version: before.version, digest: stored.digest };
        Ok(successor(before, follows, chunks, (&key, run)))
    }

    async fn rewritten(
        &self,
        bare: &Manifest,
        chunk: &Chunk,
        condition: &Expr,
        (key, run): (&KeyId, RunId),
    ) -> Outcome<Vec<Chunk>> {
        let refused = |error| fault::running(&error, &bare.export);
        let stays = condition.clone().is_not_true();
        let (session, rows) = self.rows(bare, chunk).await?;
        let plan = rows.filter(stays).map_err(refused)?.into_unoptimized_plan();
        let partition_by: Vec<String> = chunk.partition.keys().cloned().collect();
        let spec = ChunkSpec {
            project: bare.project.clone(),
            export: bare.export.clone(),
            file: self.file,
            key: key.clone(),
            run,
            encryption: bare.encryption,
            rows_max: chunk.rows.max(1),
            partition_by: partition_by.clone(),
            unordered: unordered(&bare.schema),
        };
        let target = ChunkTarget {
            store: Arc::clone(self.store.objects()),
            keys: Arc::new(self.keys.clone()),
        };
        let services = SealServices {
            target,
            observer: Arc::new(Silent),
            written: BTreeMap::new(),
            watch: None,
        };
        let writing = execute::prepare(&session, &plan, &spec).await?;
        let mut noted = |_: &SealedChunk| Ok(());
        let sealed = writing.write(&session, services, &mut noted, &bare.export).await?;
        let named = sealed.iter();
        named.map(|one| chunk_record(one, bare.encryption, &partition_by, (key, run))).collect()
    }

    /// Commits a manifest that [`without`](Self::without) made; none where another snapshot was committed since.
    ///
    /// # Errors
    /// The store refuses it.
    pub async fn commit(&self, manifest: Manifest) -> Outcome<Option<Stored>> {
        let key = self.keys.active(Purpose::Data)?;
        let committed = self.store.commit(self.file, &manifest, &key, self.keys).await?;
        Ok(match committed {
            crate::store::Commit::Done(digest) => Some(Stored { manifest, digest }),
            crate::store::Commit::Lost => None,
        })
    }
}

/// The manifest that follows another, of the same rows but for those that left it. What tests said is left out.
#[must_use]
pub fn successor(
    before: &Manifest,
    follows: Predecessor,
    chunks: Vec<Chunk>,
    (key, run): (&KeyId, RunId),
) -> Manifest {
    let sum = |of: fn(&Chunk) -> u64| chunks.iter().map(of).fold(0, u64::saturating_add);
    let mut keys = before.keys.clone();
    keys.push(key.clone());
    keys.sort();
    keys.dedup();
    Manifest {
        version: follows.version.saturating_add(1),
        run,
        keys,
        rows: sum(|chunk| chunk.rows),
        bytes: sum(|chunk| chunk.bytes),
        chunks,
        predecessor: Some(follows),
        described: before.described.clone(),
        origin: Some(before.origin.unwrap_or(before.run)),
        ..bare(before)
    }
}

/// A manifest without its lists of chunks, to be copied for each of them.
#[must_use]
pub fn bare(manifest: &Manifest) -> Manifest {
    Manifest {
        format_version: manifest.format_version,
        project: manifest.project.clone(),
        target: manifest.target.clone(),
        export: manifest.export.clone(),
        version: manifest.version,
        run: manifest.run,
        git_commit: manifest.git_commit.clone(),
        inputs: manifest.inputs.clone(),
        keys: manifest.keys.clone(),
        encryption: manifest.encryption,
        schema: manifest.schema.clone(),
        rows: 0,
        bytes: 0,
        chunks: Vec::new(),
        tests: Vec::new(),
        predecessor: None,
        described: None,
        origin: None,
    }
}

/// Masked columns: whether the order of their values says something is not on record, so that no least and
/// greatest value is written of texts.
fn unordered(schema: &[Column]) -> Vec<String> {
    let is_text = |column: &&Column| {
        let read = crate::types::read_type(&column.data_type);
        column.mask.is_some() && read.is_some_and(|data_type| data_type.is_string())
    };
    schema.iter().filter(is_text).map(|column| column.name.clone()).collect()
}
