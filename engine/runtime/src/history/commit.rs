//! What a load appends, in chunks and manifests: hub and links first, then the satellite that names them.

use std::sync::Arc;

use datafusion::execution::context::SessionContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use engine_bundle::digest::Digest;
use engine_bundle::ids::RunId;
use engine_bundle::key::KeyId;
use engine_bundle::layout::Encryption;
use engine_bundle::manifest::{
    Chunk, FORMAT_VERSION, Inputs, Manifest, Predecessor, SourceFingerprint,
};
use engine_project::Project;
use engine_tracking::history::{Load, Tally, Vault, VaultTable};

use super::compared::Sinks;
use super::layout::{Layout, columns};
use super::stored::{Document, Ends, Recorded, Shelf, Snapshot};
use crate::diagnostic::{Failure, Outcome};
use crate::publish::chunk_record;
use crate::seal::{ChunkSink, ChunkSpec, ChunkTarget, SealError, SealedChunk};
use crate::store::Stored;

/// Writes and commits what a load appends.
pub(super) struct Committing<'a> {
    pub(super) project: &'a Project,
    pub(super) run: RunId,
    pub(super) git_commit: Option<String>,
    pub(super) shelf: &'a Shelf<'a>,
    pub(super) layout: &'a Layout,
    pub(super) vault: &'a Vault,
    pub(super) export: &'a Stored,
    pub(super) key: KeyId,
}

impl Committing<'_> {
    pub(super) fn sinks(
        &self,
        session: &SessionContext,
        before: Option<&Recorded>,
    ) -> Outcome<Sinks> {
        let sink = |table| -> Outcome<ChunkSink> {
            let store = self.shelf.store;
            let rows = self.project.export(&self.layout.export);
            let spec = ChunkSpec {
                project: store.project().to_owned(),
                export: self.layout.table(table),
                file: self.shelf.file(&self.layout.name, table)?,
                key: self.key.clone(),
                run: self.run,
                encryption: self.encryption(before.and_then(|before| before.table(table))),
                rows_max: rows.map_or(1, |export| export.chunk.rows),
                partition_by: Vec::new(),
                unordered: Vec::new(),
            };
            let keys = Arc::new(self.shelf.keys.clone());
            let target = ChunkTarget { store: Arc::clone(store.objects()), keys };
            let memory = MemoryConsumer::new("open chunks of a history");
            let memory = memory.register(&session.runtime_env().memory_pool);
            Ok(ChunkSink::new(target, spec, memory))
        };
        let links = self.layout.has_links().then(|| sink(VaultTable::Links)).transpose()?;
        Ok(Sinks { hub: sink(VaultTable::Hub)?, satellite: sink(VaultTable::Satellite)?, links })
    }

    /// A table is encrypted as it was begun.
    fn encryption(&self, before: Option<&Stored>) -> Encryption {
        before.unwrap_or(self.export).manifest.encryption
    }

    pub(super) async fn commit(
        &self,
        ends: &Ends,
        sinks: Sinks,
        (load, tally): (&Load, Tally),
    ) -> Outcome<Recorded> {
        let before = ends.recorded.as_ref();
        let unwritable = |error: SealError| Failure::from(error.diagnostic());
        let chunks = sinks.hub.finish().await.map_err(unwritable)?;
        let kept = before.map(|before| &before.hub);
        let hub = self.table(VaultTable::Hub, kept, ends.hub, chunks).await?;
        let links = match sinks.links {
            Some(sink) => {
                let chunks = sink.finish().await.map_err(unwritable)?;
                let kept = before.and_then(|before| before.links.as_ref());
                Some(self.table(VaultTable::Links, kept, ends.links, chunks).await?)
            }
            // What was recorded stays, though nothing refers to anything any more.
            None => before.and_then(|before| before.links.clone()),
        };
        let document = Document {
            export: self.layout.export.clone(),
            key: self.layout.key.clone(),
            tenant: self.layout.tenant.clone(),
            columns: self.export.manifest.schema.iter().map(|one| one.name.clone()).collect(),
            begun: before.map_or(load.date_micros(), |before| before.document.begun),
            load_date: load.date_micros(),
            first_end: first_end(before, load, tally),
            snapshot: Snapshot::of(self.export),
            hub: Snapshot::of(&hub),
            references: self.layout.references(),
            links: links.as_ref().map(Snapshot::of),
        };
        let chunks = sinks.satellite.finish().await.map_err(unwritable)?;
        let kept = before.map(|before| &before.satellite);
        let described = serde_json::to_value(&document).ok();
        let manifest =
            self.manifest(VaultTable::Satellite, kept, ends.satellite, (&chunks, described))?;
        let satellite = self.committed(VaultTable::Satellite, manifest).await?;
        Ok(Recorded { document, satellite, hub, links })
    }

    async fn committed(&self, table: VaultTable, manifest: Manifest) -> Outcome<Stored> {
        self.shelf.commit(&self.layout.name, table, manifest, &self.key).await
    }

    /// Hub or links with what is appended; as they were when nothing is.
    async fn table(
        &self,
        table: VaultTable,
        before: Option<&Stored>,
        follows: Option<Predecessor>,
        chunks: Vec<SealedChunk>,
    ) -> Outcome<Stored> {
        match before {
            Some(before) if chunks.is_empty() => Ok(before.clone()),
            before => {
                let manifest = self.manifest(table, before, follows, (&chunks, None))?;
                self.committed(table, manifest).await
            }
        }
    }

    fn manifest(
        &self,
        table: VaultTable,
        before: Option<&Stored>,
        follows: Option<Predecessor>,
        (appended, described): (&[SealedChunk], Option<serde_json::Value>),
    ) -> Outcome<Manifest> {
        let (store, export) = (self.shelf.store, &self.export.manifest);
        let before = before.map(|before| &before.manifest);
        let encryption = before.unwrap_or(export).encryption;
        let mut chunks = before.map(|before| before.chunks.clone()).unwrap_or_default();
        for sealed in appended {
            chunks.push(chunk_record(sealed, encryption, &[], (&self.key, self.run))?);
        }
        let mut keys = before.map(|before| before.keys.clone()).unwrap_or_default();
        keys.extend(export.keys.iter().cloned().chain([self.key.clone()]));
        keys.sort();
        keys.dedup();
        let schema = match table {
            VaultTable::Hub => self.vault.hub_schema(),
            VaultTable::Satellite => self.vault.satellite_schema(),
            VaultTable::Links => self.vault.link_schema().unwrap_or(self.vault.hub_schema()),
        };
        let sum = |of: fn(&Chunk) -> u64| chunks.iter().map(of).fold(0, u64::saturating_add);
        Ok(Manifest {
            format_version: FORMAT_VERSION,
            project: store.project().to_owned(),
            target: store.target().to_owned(),
            export: self.layout.table(table),
            version: follows.map_or(1, |before| before.version.saturating_add(1)),
            run: self.run,
            git_commit: self.git_commit.clone(),
            inputs: Inputs {
                plan: self.export.digest,
                compiled_sql: Digest::of(&[]),
                policy: export.inputs.policy,
                engine: export.inputs.engine.clone(),
                sources: vec![SourceFingerprint {
                    name: format!("export {}", export.export),
                    digest: self.export.digest,
                }],
            },
            keys,
            encryption,
            schema: columns(table, schema.fields(), export, before),
            rows: sum(|chunk| chunk.rows),
            bytes: sum(|chunk| chunk.bytes),
            chunks,
            tests: Vec::new(),
            described,
            predecessor: follows,
            origin: None,
        })
    }
}

/// When the first version was superseded, or its row gone: by this load, if none was before.
fn first_end(before: Option<&Recorded>, load: &Load, tally: Tally) -> Option<i64> {
    let ends = tally.changed > 0 || tally.gone > 0;
    before.and_then(|before| before.document.first_end).or(ends.then_some(load.date_micros()))
}
