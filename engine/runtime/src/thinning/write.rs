//! A history's tables without the rows that go, committed: the satellite last, as by a load.

use std::sync::Arc;

use arrow::compute::{filter_record_batch, not};
use datafusion::execution::memory_pool::MemoryConsumer;
use engine_bundle::ids::RunId;
use engine_bundle::key::{KeyId, Purpose};
use engine_bundle::manifest::{Chunk, Manifest};
use engine_tracking::history::{HistoryError, VaultTable};
use engine_tracking::retention::{ChunkFate, chunk_fate};

use super::judge::Gone;
use super::marks::Marks;
use super::read::{Reading, placed};
use crate::codes::run as codes;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::expiry::successor;
use crate::history::{Document, Recorded, Snapshot, refused};
use crate::publish::chunk_record;
use crate::seal::{ChunkSink, ChunkSpec, ChunkTarget, SealError};
use crate::store::Stored;

/// Writes what stays.
pub(super) struct Writing<'a> {
    pub(super) reading: Reading<'a>,
    pub(super) recorded: &'a Recorded,
    pub(super) run: RunId,
    /// Rows after which a chunk is full.
    pub(super) rows_max: u64,
}

impl Writing<'_> {
    /// Commits the tables without the rows that go.
    ///
    /// # Errors
    /// Another run was first, a chunk is missing or was changed, or the store refuses a new one.
    pub(super) async fn without(&self, gone: &Gone) -> Outcome<()> {
        let key = self.reading.shelf.keys.active(Purpose::Data)?;
        let hub = self.table(VaultTable::Hub, &self.recorded.hub, &gone.hub, &key).await?;
        let links = match self.recorded.links.as_ref().zip(gone.links.as_ref()) {
            Some((links, marks)) => Some(self.table(VaultTable::Links, links, marks, &key).await?),
            None => None,
        };
        let before = &self.recorded.document;
        let document = Document {
            begun: gone.border.map_or(before.begun, |border| before.begun.max(border)),
            first_end: gone.first_end,
            hub: Snapshot::of(&hub),
            links: links.as_ref().map(Snapshot::of),
            // Links by others went with the versions; declared again, they are made again.
            references: self.references(),
            ..before.clone()
        };
        let next =
            self.next(VaultTable::Satellite, &self.recorded.satellite, &gone.satellite, &key);
        let mut next = next.await?;
        let described = serde_json::to_value(&document);
        let internal = |_| Diagnostic::new(&codes::INTERNAL, "a history cannot be described");
        next.described = Some(described.map_err(internal)?);
        self.commit(VaultTable::Satellite, next, &key).await?;
        Ok(())
    }

    /// The references whose links are all there.
    fn references(&self) -> Vec<String> {
        let references = self.reading.vault.references().iter();
        references.map(|reference| reference.name.clone()).collect()
    }

    /// Hub or links without the rows that go; as they are where none does.
    async fn table(
        &self,
        table: VaultTable,
        stored: &Stored,
        marks: &Marks,
        key: &KeyId,
    ) -> Outcome<Stored> {
        if marks.count() == 0 {
            return Ok(stored.clone());
        }
        let next = self.next(table, stored, marks, key).await?;
        self.commit(table, next, key).await
    }

    async fn commit(&self, table: VaultTable, next: Manifest, key: &KeyId) -> Outcome<Stored> {
        let Reading { shelf, layout, .. } = self.reading;
        shelf.commit(&layout.name, table, next, key).await
    }

    /// The next manifest of a table. Its chunks are written; it is not committed.
    async fn next(
        &self,
        table: VaultTable,
        stored: &Stored,
        marks: &Marks,
        key: &KeyId,
    ) -> Outcome<Manifest> {
        let Reading { shelf, layout, .. } = self.reading;
        let before = &stored.manifest;
        let fate = |(first, chunk): &(u64, &Chunk)| {
            chunk_fate(Some(chunk.rows), marks.count_of(*first, chunk.rows))
        };
        let is = |wanted: ChunkFate| placed(before).filter(move |placed| fate(placed) == wanted);
        let mut chunks: Vec<Chunk> = is(ChunkFate::Keep).map(|(_, chunk)| chunk.clone()).collect();
        let file = shelf.file(&layout.name, table)?;
        let mut sink = self.sink(before, file, key);
        let mut rows = self.reading.rows((file, before), is(ChunkFate::Rewrite), Vec::new());
        while let Some((first, batch)) = rows.next().await? {
            let stays = not(&marks.of(first, batch.num_rows())).map_err(HistoryError::from);
            let rows = stays.and_then(|stays| Ok(filter_record_batch(&batch, &stays)?));
            let rows = rows.map_err(|error| refused(&layout.name, &error))?;
            sink.push(rows).await.map_err(|error| unwritable(&error))?;
        }
        for sealed in sink.finish().await.map_err(|error| unwritable(&error))? {
            chunks.push(chunk_record(&sealed, before.encryption, &[], (key, self.run))?);
        }
        // A killed load may have left a version that no satellite names.
        let follows = shelf.tip(&layout.name, table).await?.predecessor();
        let internal = || Diagnostic::new(&codes::INTERNAL, "a table of a history has no end");
        Ok(successor(before, follows.ok_or_else(internal)?, chunks, (key, self.run)))
    }

    fn sink(&self, before: &Manifest, file: engine_bundle::ids::FileId, key: &KeyId) -> ChunkSink {
        let Reading { session, shelf, .. } = self.reading;
        let spec = ChunkSpec {
            project: before.project.clone(),
            export: before.export.clone(),
            file,
            key: key.clone(),
            run: self.run,
            encryption: before.encryption,
            rows_max: self.rows_max,
            partition_by: Vec::new(),
            unordered: Vec::new(),
        };
        let keys = Arc::new(shelf.keys.clone());
        let target = ChunkTarget { store: Arc::clone(shelf.store.objects()), keys };
        let memory = MemoryConsumer::new("open chunks of a history");
        ChunkSink::new(target, spec, memory.register(&session.runtime_env().memory_pool))
    }
}

fn unwritable(error: &SealError) -> Failure {
    error.diagnostic().into()
}
