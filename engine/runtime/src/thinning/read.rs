//! The rows of a history's table, chunk after chunk, each with its place.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::Expr;
use engine_bundle::ids::FileId;
use engine_bundle::manifest::{Chunk, Manifest};
use engine_tracking::history::Vault;
use futures::StreamExt;

use crate::codes::store as codes;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::expiry::bare;
use crate::fault;
use crate::history::{Layout, Shelf, exact, refused};
use crate::unseal::SnapshotTable;

/// Where and how tables of a history are read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) session: &'a SessionContext,
    pub(super) shelf: &'a Shelf<'a>,
    pub(super) layout: &'a Layout,
    pub(super) vault: &'a Vault,
}

/// Rows of some chunks of a table.
pub(super) struct Rows<'a> {
    reading: Reading<'a>,
    file: FileId,
    bare: Manifest,
    columns: Vec<Expr>,
    /// The chunks that are still to come, the last first, with the places of their first rows.
    chunks: Vec<(u64, &'a Chunk)>,
    open: Option<Open>,
}

/// A chunk being read.
struct Open {
    stream: SendableRecordBatchStream,
    /// The place of the next row.
    next: u64,
    /// The place behind its last row.
    end: u64,
}

impl<'a> Reading<'a> {
    /// The rows of these chunks of a table, each with the place of its first row; all columns where none is named.
    pub(super) fn rows(
        self,
        (file, manifest): (FileId, &Manifest),
        chunks: impl Iterator<Item = (u64, &'a Chunk)>,
        columns: Vec<Expr>,
    ) -> Rows<'a> {
        let mut chunks: Vec<(u64, &Chunk)> = chunks.collect();
        chunks.reverse();
        Rows { reading: self, file, bare: bare(manifest), columns, chunks, open: None }
    }

    fn unreadable(&self, error: &datafusion::error::DataFusionError) -> Failure {
        fault::running(error, &self.layout.name).into()
    }
}

/// The chunks of a table with the places of their first rows.
pub(super) fn placed(manifest: &Manifest) -> impl Iterator<Item = (u64, &Chunk)> {
    manifest.chunks.iter().scan(0_u64, |next, chunk| {
        let first = *next;
        *next = next.saturating_add(chunk.rows);
        Some((first, chunk))
    })
}

impl Rows<'_> {
    /// The next batch, with the place of its first row.
    ///
    /// # Errors
    /// A chunk is missing or was changed, or has other rows than its manifest says.
    pub(super) async fn next(&mut self) -> Outcome<Option<(u64, RecordBatch)>> {
        loop {
            if self.open.is_none() {
                let Some((first, chunk)) = self.chunks.pop() else { return Ok(None) };
                self.open = Some(self.opened(first, chunk).await?);
            }
            let Some(open) = &mut self.open else { return Ok(None) };
            match open.stream.next().await {
                Some(batch) => {
                    let batch = batch.map_err(|error| self.reading.unreadable(&error))?;
                    let first = open.next;
                    open.next = first.saturating_add(batch.num_rows() as u64);
                    if open.next > open.end {
                        return Err(self.unequal());
                    }
                    let batch = exact(self.reading.vault, &batch);
                    let name = &self.reading.layout.name;
                    return Ok(Some((first, batch.map_err(|error| refused(name, &error))?)));
                }
                None if open.next == open.end => self.open = None,
                None => return Err(self.unequal()),
            }
        }
    }

    async fn opened(&self, first: u64, chunk: &Chunk) -> Outcome<Open> {
        let Reading { session, shelf, .. } = self.reading;
        let single = Manifest { chunks: vec![chunk.clone()], ..self.bare.clone() };
        let keys = Arc::new(shelf.keys.clone());
        let objects = shelf.store.objects();
        let table = SnapshotTable::open(session, objects, self.file, &single, keys).await;
        let unreadable = |error| self.reading.unreadable(&error);
        let table = Arc::new(table.map_err(unreadable)?);
        let mut rows = session.read_table(table).map_err(unreadable)?;
        if !self.columns.is_empty() {
            rows = rows.select(self.columns.clone()).map_err(unreadable)?;
        }
        let stream = rows.execute_stream().await.map_err(unreadable)?;
        Ok(Open { stream, next: first, end: first.saturating_add(chunk.rows) })
    }

    fn unequal(&self) -> Failure {
        let message =
            format!("a chunk of `{}` has other rows than its manifest says", self.bare.export);
        Diagnostic::new(&codes::CHUNK_TAMPERED, message).help("run `engine verify`").into()
    }
}
