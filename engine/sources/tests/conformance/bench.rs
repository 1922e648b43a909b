//! The test bench: sessions, reading a table to its end, and writing small files.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use serde_json::Value;

use crate::{ConnectContext, Connection, SourceError, TableRequest, kinds, source_error};

/// A session that reads in batches of this size.
pub(crate) fn session(batch_rows: usize) -> SessionContext {
    let config = SessionConfig::new().with_batch_size(batch_rows).with_target_partitions(3);
    let state = SessionStateBuilder::new().with_config(config).with_default_features().build();
    SessionContext::new_with_state(state)
}

/// A connection of this kind for a project in `base`.
pub(crate) fn connect(
    kind: &str,
    params: &Value,
    base: &Path,
) -> Result<Arc<dyn Connection>, SourceError> {
    let context =
        ConnectContext { name: "files".to_owned(), base: base.to_owned(), ..Default::default() };
    kinds::find(kind)?.connect(params, &context)
}

/// A request for a table by its name alone.
pub(crate) fn named(table: &str) -> TableRequest {
    TableRequest { table: table.to_owned(), ..TableRequest::default() }
}

/// All rows of a query over one table, registered as `t`.
pub(crate) async fn query(
    table: &Arc<dyn TableProvider>,
    sql: &str,
    batch_rows: usize,
) -> Result<RecordBatch> {
    let session = session(batch_rows);
    session.register_table("t", table.clone())?;
    let frame = session.sql(sql).await?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await?;
    for batch in &batches {
        assert!(batch.num_rows() <= batch_rows, "a batch of {} rows", batch.num_rows());
    }
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    Ok(arrow::compute::concat_batches(&schema, &batches)?)
}

/// Rows as text, for comparison across types that differ in layout only.
pub(crate) fn texts(batch: &RecordBatch) -> String {
    arrow::util::pretty::pretty_format_batches(std::slice::from_ref(batch))
        .expect("every type prints")
        .to_string()
}

/// The source error that a query ended with.
pub(crate) fn ours(result: Result<RecordBatch>) -> String {
    let error = result.expect_err("the query must fail");
    let found = source_error(&error).unwrap_or_else(|| panic!("not ours: {error}"));
    format!("{found} {found:?} {error} {error:?}")
}

/// A fixture's bytes.
pub(crate) fn read(path: &Path) -> Vec<u8> {
    use std::io::Read;
    let mut file = std::fs::OpenOptions::new().read(true).open(path).expect("a file");
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).expect("reading");
    bytes
}

/// Writes a file of a test.
pub(crate) fn write(path: &Path, content: &[u8]) {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .expect("a file");
    file.write_all(content).expect("writing");
}
