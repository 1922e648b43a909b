//! A blocking reader as a stream: it runs on a thread of its own and stays a few batches
//! ahead of whoever reads.
//!
//! ```text
//!  blocking thread                      task that polls
//!  read ─▶ build batch ─▶ [ batch | batch ] ─▶ stream
//!                          bounded: a slow reader stops the producer
//! ```
//!
//! Dropping the stream closes the channel; the producer sees that at its next batch, or
//! when it asks [`Output::wanted`], and ends.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use tokio::sync::mpsc::Sender;

use crate::error::{SourceError, SourceErrorKind};

/// Finished batches that may wait for the reader.
pub(crate) const BATCHES_AHEAD: usize = 2;

/// Where a producer puts its batches.
#[derive(Clone)]
pub(crate) struct Output(Sender<Result<RecordBatch, DataFusionError>>);

impl Output {
    /// Hands a batch over; waits while the reader is behind.
    ///
    /// # Errors
    /// [`SourceErrorKind::Cancelled`] when nobody reads any more.
    pub(crate) fn send(&self, batch: RecordBatch) -> Result<(), SourceError> {
        self.0.blocking_send(Ok(batch)).map_err(|_| SourceErrorKind::Cancelled.into())
    }

    /// Whether somebody still reads.
    pub(crate) fn wanted(&self) -> bool {
        !self.0.is_closed()
    }
}

/// Runs `work` on a blocking thread and streams what it sends.
///
/// An error of `work` ends the stream; it carries the [`SourceError`] as
/// `DataFusionError::External`.
pub(crate) fn produce<W>(schema: SchemaRef, work: W) -> SendableRecordBatchStream
where
    W: FnOnce(&Output) -> Result<(), SourceError> + Send + 'static,
{
    produce_with(RecordBatchReceiverStreamBuilder::new(schema, BATCHES_AHEAD), work)
}

/// Like [`produce`], beside tasks that the builder runs already (a fetch from a store).
pub(crate) fn produce_with<W>(
    mut builder: RecordBatchReceiverStreamBuilder,
    work: W,
) -> SendableRecordBatchStream
where
    W: FnOnce(&Output) -> Result<(), SourceError> + Send + 'static,
{
    let output = Output(builder.tx());
    builder.spawn_blocking(move || match work(&output) {
        // Nobody is there to be told.
        Err(error) if *error.kind() == SourceErrorKind::Cancelled && !output.wanted() => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(()),
    });
    builder.build()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use arrow::datatypes::Schema;
    use futures::StreamExt;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_slow_reader_stops_the_producer_and_a_gone_reader_ends_it() {
        let schema = Arc::new(Schema::empty());
        let sent = Arc::new(AtomicUsize::new(0));
        let (counter, batch_schema) = (sent.clone(), schema.clone());
        let mut stream = produce(schema, move |output| {
            loop {
                output.send(RecordBatch::new_empty(batch_schema.clone()))?;
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        stream.next().await.expect("an endless stream").expect("a batch");
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(sent.load(Ordering::SeqCst) <= BATCHES_AHEAD + 1);
        drop(stream);
        tokio::time::sleep(Duration::from_millis(50)).await;
        // Only this thread and the shared counter hold it once the producer has ended.
        assert_eq!(Arc::strong_count(&sent), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_error_arrives_as_what_it_is() {
        let mut stream = produce(Arc::new(Schema::empty()), |output| {
            assert!(output.wanted());
            Err(SourceErrorKind::Changed.into())
        });
        let error = stream.next().await.expect("one item").expect_err("an error");
        let found = crate::error::source_error(&error).expect("ours");
        assert_eq!(found.kind(), &SourceErrorKind::Changed);
    }
}
