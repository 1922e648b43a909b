//! Loading SQLite: what goes in comes out, and a failure leaves what was there.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    RecordBatch, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use serde_json::json;

use super::bench::{connect, named, query, texts};
use crate::{LoadMode, LoadRequest, SourceError, SourceErrorKind};

fn rows() -> RecordBatch {
    let instant = TimestampMicrosecondArray::from(vec![Some(1), None]).with_timezone("UTC");
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("id", Arc::new(Int64Array::from(vec![i64::MAX, i64::MIN])), false),
        ("name", Arc::new(StringArray::from(vec![Some("O'Brien \"ü\"\n"), None])), true),
        ("blob", Arc::new(BinaryArray::from_opt_vec(vec![Some(b"\0\xff"), None])), true),
        ("yes", Arc::new(BooleanArray::from(vec![Some(true), None])), true),
        ("ratio", Arc::new(Float64Array::from(vec![Some(-0.1), None])), true),
        ("born", Arc::new(Date32Array::from(vec![Some(-1), None])), true),
        ("at", Arc::new(Time64MicrosecondArray::from(vec![Some(86_399_000_001), None])), true),
        ("seen", Arc::new(TimestampMicrosecondArray::from(vec![Some(-1_500_000), None])), true),
        ("instant", Arc::new(instant), true),
        ("small", decimals(10, 2, 123_456), true),
        ("large", decimals(30, 4, 123_456_789_012_345_678_901_234), true),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array, nullable)| Field::new(*name, array.data_type().clone(), *nullable))
        .collect();
    let arrays = columns.into_iter().map(|(_, array, _)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("rows")
}

fn decimals(precision: u8, scale: i8, value: i128) -> ArrayRef {
    let array = Decimal128Array::from(vec![Some(value), None]);
    Arc::new(array.with_precision_and_scale(precision, scale).expect("a decimal"))
}

fn stream(
    schema: SchemaRef,
    batches: Vec<Result<RecordBatch, DataFusionError>>,
) -> SendableRecordBatchStream {
    Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(batches)))
}

fn request(mode: LoadMode, schema: SchemaRef, rows: u64) -> LoadRequest {
    LoadRequest {
        table: "people".to_owned(),
        mode,
        schema,
        key: vec!["id".to_owned()],
        rows,
        receipt: "first".to_owned(),
    }
}

async fn load(
    base: &Path,
    mode: LoadMode,
    batches: Vec<Result<RecordBatch, DataFusionError>>,
) -> Result<u64, SourceError> {
    let connection = connect("sqlite", &json!({"path": "out.sqlite"}), base)?;
    let schema = rows().schema();
    let loader = connection.loader().expect("SQLite can be loaded");
    let count = batches.iter().flatten().map(|batch| batch.num_rows() as u64).sum();
    let request = request(mode, schema.clone(), count);
    let report = loader.load(request, stream(schema, batches)).await?;
    Ok(report.rows)
}

async fn stored(base: &Path) -> RecordBatch {
    let connection = connect("sqlite", &json!({"path": "out.sqlite"}), base).expect("a database");
    let table = connection.table(&named("people")).await.expect("a table");
    query(&table, "SELECT * FROM t", 100).await.expect("rows")
}

#[tokio::test]
async fn every_type_comes_back_as_it_went_in() {
    let directory = tempfile::tempdir().expect("a directory");
    let count = load(directory.path(), LoadMode::Replace, vec![Ok(rows())]).await.expect("a load");
    assert_eq!(count, 2);
    let back = stored(directory.path()).await;
    assert_eq!(back.schema().fields(), rows().schema().fields());
    let mut expected =
        arrow::compute::concat_batches(&rows().schema(), &[rows().slice(1, 1), rows().slice(0, 1)])
            .expect("in the order of the key");
    assert_eq!(back, expected);
    // Again, and once more as an addition under another key.
    load(directory.path(), LoadMode::Replace, vec![Ok(rows().slice(0, 1))]).await.expect("a load");
    assert_eq!(stored(directory.path()).await, rows().slice(0, 1));
    load(directory.path(), LoadMode::Append, vec![Ok(rows().slice(1, 1))]).await.expect("a load");
    expected = stored(directory.path()).await;
    assert_eq!(expected.num_rows(), 2);
}

#[tokio::test]
async fn another_number_of_rows_than_announced_loads_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let base = directory.path();
    load(base, LoadMode::Replace, vec![Ok(rows())]).await.expect("a load");
    let connection = connect("sqlite", &json!({"path": "out.sqlite"}), base).expect("a database");
    let loader = connection.loader().expect("SQLite can be loaded");
    let few = stream(rows().schema(), vec![Ok(rows().slice(0, 1))]);
    let request = request(LoadMode::Replace, rows().schema(), 2);
    let error = loader.load(request, few).await.expect_err("a row is missing");
    assert_eq!(error.kind(), &SourceErrorKind::RowCount { expected: 2, found: 1 });
    assert_eq!(stored(base).await.num_rows(), 2);
    assert_eq!(loader.receipt("people").await.expect("a receipt").as_deref(), Some("first"));
}

#[tokio::test]
async fn a_failure_leaves_what_was_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let base = directory.path();
    let broken = || Err(DataFusionError::Execution("canary-value".to_owned()));
    let error =
        load(base, LoadMode::Replace, vec![Ok(rows()), broken()]).await.expect_err("broken");
    assert_eq!(error.kind(), &SourceErrorKind::Input);
    assert!(error.input().is_some());
    assert!(!format!("{error} {error:?}").contains("canary"));
    assert!(!base.join("out.sqlite").exists(), "a file that was not there is not left behind");

    load(base, LoadMode::Replace, vec![Ok(rows().slice(0, 1))]).await.expect("a load");
    let before = texts(&stored(base).await);
    load(base, LoadMode::Replace, vec![Ok(rows()), broken()]).await.expect_err("broken");
    assert_eq!(texts(&stored(base).await), before);
    let error = load(base, LoadMode::Append, vec![Ok(rows())]).await.expect_err("the key is taken");
    assert_eq!(error.kind(), &SourceErrorKind::Constraint { constraint: "primary key" });
    assert_eq!(texts(&stored(base).await), before);
}

#[tokio::test]
async fn a_dropped_load_leaves_what_was_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let base = directory.path();
    load(base, LoadMode::Replace, vec![Ok(rows().slice(0, 1))]).await.expect("a load");
    let connection = connect("sqlite", &json!({"path": "out.sqlite"}), base).expect("a database");
    let schema = rows().schema();
    let endless = futures::StreamExt::chain(
        futures::stream::iter(vec![Ok(rows())]),
        futures::stream::pending(),
    );
    let endless = Box::pin(RecordBatchStreamAdapter::new(schema.clone(), endless));
    let loader = connection.loader().expect("SQLite can be loaded");
    let load = loader.load(request(LoadMode::Replace, schema, 0), endless);
    let short = std::time::Duration::from_millis(200);
    assert!(tokio::time::timeout(short, load).await.is_err(), "it waits for more rows");
    tokio::time::sleep(short).await;
    assert_eq!(stored(base).await, rows().slice(0, 1));
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    load(directory.path(), LoadMode::Append, vec![]).await.expect("an empty load");
    let metadata = std::fs::metadata(directory.path().join("out.sqlite")).expect("a file");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(stored(directory.path()).await.num_rows(), 0);
}

#[tokio::test]
async fn the_fingerprint_follows_the_rows() {
    let directory = tempfile::tempdir().expect("a directory");
    let base = directory.path();
    let connection = connect("sqlite", &json!({"path": "out.sqlite"}), base).expect("a database");
    let digest = || async { connection.fingerprint(&named("people")).await.expect("a digest") };
    connection.fingerprint(&named("people")).await.expect_err("no file yet");
    load(base, LoadMode::Replace, vec![Ok(rows().slice(0, 1))]).await.expect("a load");
    let first = digest().await;
    assert!(first.is_some());
    assert_eq!(first, digest().await);
    load(base, LoadMode::Append, vec![Ok(rows().slice(1, 1))]).await.expect("a load");
    assert_ne!(first, digest().await);
}

#[tokio::test]
async fn references_hold_for_added_rows_and_views_are_not_loaded() {
    let directory = tempfile::tempdir().expect("a directory");
    let base = directory.path();
    let database = rusqlite::Connection::open(base.join("out.sqlite")).expect("a database");
    let sql = "CREATE TABLE keys (id INTEGER PRIMARY KEY);
               CREATE TABLE people (id INTEGER PRIMARY KEY REFERENCES keys (id), name TEXT);
               CREATE VIEW seen AS SELECT id FROM people;";
    database.execute_batch(sql).expect("tables");
    let connection = connect("sqlite", &json!({"path": "out.sqlite"}), base).expect("a database");
    let loader = connection.loader().expect("SQLite can be loaded");
    let few = rows().project(&[0, 1]).expect("two columns");
    let to = |table: &str, mode| LoadRequest {
        table: table.to_owned(),
        mode,
        schema: few.schema(),
        key: Vec::new(),
        rows: few.num_rows() as u64,
        receipt: "first".to_owned(),
    };
    let given = || stream(few.schema(), vec![Ok(few.clone())]);
    let error = loader.load(to("people", LoadMode::Append), given()).await.expect_err("no keys");
    assert_eq!(error.kind(), &SourceErrorKind::Constraint { constraint: "foreign key" });
    let error = loader.load(to("seen", LoadMode::Replace), given()).await.expect_err("a view");
    assert!(matches!(error.kind(), SourceErrorKind::Unsupported { .. }), "{error}");
    loader.load(to("people", LoadMode::Replace), given()).await.expect("a new table");
    let error = loader.load(to("keys", LoadMode::Append), given()).await.expect_err("no name");
    assert_eq!(error.place().column.as_deref(), Some("name"));
}
