//! Sends each row to the open chunk of its partition values, and closes chunks that are full.
//!
//! Bounds: at most [`OPEN_CHUNKS_MAX`] chunks are open per stream, and at most
//! [`MEMORY_BYTES_MAX`] bytes wait in them, or less where the session's memory is short; beyond that the
//! least recently used chunk is closed, or the largest row group ended. More and smaller pieces come out
//! then, but never more memory is taken.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::DataType;
use datafusion::execution::memory_pool::MemoryReservation;

use super::chunk::{ChunkSpec, ChunkTarget, ChunkWriter, Written};
use super::error::SealError;

/// Chunks open at once in one stream.
const OPEN_CHUNKS_MAX: usize = 64;
/// Bytes of unfinished row groups in one stream.
const MEMORY_BYTES_MAX: usize = 160 << 20;

/// The partition values of a chunk, in the order of the partition columns.
pub(super) type Values = Vec<Option<String>>;

struct Open {
    writer: ChunkWriter,
    used: u64,
}

/// The open chunks of one stream.
pub(super) struct Router {
    target: ChunkTarget,
    spec: ChunkSpec,
    partition_columns: Vec<usize>,
    open: BTreeMap<Values, Open>,
    skip: BTreeMap<Values, u64>,
    memory: MemoryReservation,
    clock: u64,
}

impl Router {
    /// `skip` tells, per partition value, how many rows an earlier attempt has written already;
    /// `memory` is what the waiting bytes count against.
    pub(super) fn new(
        target: ChunkTarget,
        spec: ChunkSpec,
        partition_columns: Vec<usize>,
        skip: BTreeMap<Values, u64>,
        memory: MemoryReservation,
    ) -> Self {
        Self { target, spec, partition_columns, open: BTreeMap::new(), skip, memory, clock: 0 }
    }

    /// Writes a batch; gives the chunks it filled.
    pub(super) async fn push(
        &mut self,
        batch: RecordBatch,
    ) -> Result<Vec<(Values, Written)>, SealError> {
        let mut full = Vec::new();
        for (values, part) in self.split(batch)? {
            if let Some(part) = self.skip_written(&values, part) {
                self.write(values, part, &mut full).await?;
            }
        }
        Ok(full)
    }

    /// Closes every chunk.
    pub(super) async fn finish(mut self) -> Result<Vec<(Values, Written)>, SealError> {
        let mut written = Vec::new();
        while let Some((values, open)) = self.open.pop_first() {
            written.push((values, open.writer.finish().await?));
        }
        Ok(written)
    }

    fn skip_written(&mut self, values: &Values, part: RecordBatch) -> Option<RecordBatch> {
        let Some(left) = self.skip.get_mut(values) else { return Some(part) };
        let rows = part.num_rows() as u64;
        let skipped = rows.min(*left);
        *left -= skipped;
        if skipped == rows {
            return None;
        }
        let offset = usize::try_from(skipped).unwrap_or(usize::MAX);
        Some(part.slice(offset, part.num_rows().saturating_sub(offset)))
    }

    async fn write(
        &mut self,
        values: Values,
        mut part: RecordBatch,
        full: &mut Vec<(Values, Written)>,
    ) -> Result<(), SealError> {
        while part.num_rows() > 0 {
            self.clock = self.clock.saturating_add(1);
            let mut open = match self.open.remove(&values) {
                Some(open) => open,
                None => {
                    self.make_room(full).await?;
                    let writer = ChunkWriter::open(&self.target, &self.spec, &part, &values)?;
                    Open { writer, used: 0 }
                }
            };
            open.used = self.clock;
            let room = self.spec.rows_max.max(1).saturating_sub(open.writer.rows());
            let rows = usize::try_from(room).unwrap_or(usize::MAX).min(part.num_rows());
            open.writer.write(&part.slice(0, rows)).await?;
            part = part.slice(rows, part.num_rows().saturating_sub(rows));
            if open.writer.rows() >= self.spec.rows_max {
                full.push((values.clone(), open.writer.finish().await?));
            } else {
                self.open.insert(values.clone(), open);
            }
        }
        self.bound_memory().await
    }

    async fn make_room(&mut self, full: &mut Vec<(Values, Written)>) -> Result<(), SealError> {
        if self.open.len() < OPEN_CHUNKS_MAX {
            return Ok(());
        }
        let oldest = self.open.iter().min_by_key(|(_, open)| open.used).map(|(key, _)| key.clone());
        if let Some(values) = oldest
            && let Some(open) = self.open.remove(&values)
        {
            full.push((values, open.writer.finish().await?));
        }
        Ok(())
    }

    async fn bound_memory(&mut self) -> Result<(), SealError> {
        let waiting = self.waiting();
        if waiting <= MEMORY_BYTES_MAX && self.memory.try_resize(waiting).is_ok() {
            return Ok(());
        }
        let largest = self.open.values_mut().max_by_key(|open| open.writer.memory_bytes());
        if let Some(largest) = largest {
            largest.writer.flush().await?;
        }
        // What is left cannot be given back; it is counted, and the next batch ends another row group.
        self.memory.resize(self.waiting());
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.open.values().map(|open| open.writer.memory_bytes()).sum()
    }

    /// The rows of a batch by partition values, in the order of the values; rows keep their order.
    fn split(&self, batch: RecordBatch) -> Result<Vec<(Values, RecordBatch)>, SealError> {
        if self.partition_columns.is_empty() {
            return Ok(vec![(Vec::new(), batch)]);
        }
        let mut texts: Vec<ArrayRef> = Vec::with_capacity(self.partition_columns.len());
        for position in &self.partition_columns {
            let column = batch.columns().get(*position).ok_or(SealError::NotSetUp)?;
            texts.push(cast(column, &DataType::Utf8).map_err(|_| SealError::Parquet)?);
        }
        let mut rows: BTreeMap<Values, Vec<u32>> = BTreeMap::new();
        for row in 0..batch.num_rows() {
            let values = texts
                .iter()
                .map(|text| {
                    let text = text.as_string::<i32>();
                    (!text.is_null(row)).then(|| text.value(row).to_owned())
                })
                .collect();
            rows.entry(values).or_default().push(u32::try_from(row).unwrap_or(u32::MAX));
        }
        rows.into_iter()
            .map(|(values, rows)| {
                let part = take_record_batch(&batch, &UInt32Array::from(rows));
                Ok((values, part.map_err(|_| SealError::Parquet)?))
            })
            .collect()
    }
}
