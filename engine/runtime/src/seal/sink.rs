//! Chunks of rows that no plan writes: what a history appends.

use arrow::array::RecordBatch;
use datafusion::execution::memory_pool::MemoryReservation;

use super::chunk::{ChunkSpec, ChunkTarget, Written};
use super::error::SealError;
use super::exec::SealedChunk;
use super::router::{Router, Values};

/// Seals batches as they come. Nothing of it is visible before a manifest names the chunks.
pub struct ChunkSink {
    router: Router,
    chunks: Vec<SealedChunk>,
}

impl ChunkSink {
    /// Chunks as `spec` says, which divides them by no column; `memory` is what waiting bytes count against.
    #[must_use]
    pub fn new(target: ChunkTarget, spec: ChunkSpec, memory: MemoryReservation) -> Self {
        let router = Router::new(target, spec, Vec::new(), Default::default(), memory);
        Self { router, chunks: Vec::new() }
    }

    /// Writes a batch.
    ///
    /// # Errors
    /// A chunk cannot be sealed or stored.
    pub async fn push(&mut self, batch: RecordBatch) -> Result<(), SealError> {
        if batch.num_rows() > 0 {
            let written = self.router.push(batch).await?;
            self.chunks.extend(written.into_iter().map(sealed));
        }
        Ok(())
    }

    /// Completes what is open, and gives all chunks in the order of their rows.
    ///
    /// # Errors
    /// A chunk cannot be sealed or stored.
    pub async fn finish(mut self) -> Result<Vec<SealedChunk>, SealError> {
        let written = self.router.finish().await?;
        self.chunks.extend(written.into_iter().map(sealed));
        Ok(self.chunks)
    }
}

fn sealed((values, written): (Values, Written)) -> SealedChunk {
    SealedChunk {
        id: written.id.to_string(),
        partition: 0,
        rows: written.rows,
        bytes: written.bytes,
        digest: written.digest,
        values,
    }
}
