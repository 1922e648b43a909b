//! The same rows in every kind: equal, however they are projected, filtered and cut.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use serde_json::{Value, json};

use super::bench::{connect, query, session, texts, write};
use crate::{DeclaredColumn, LoadMode, LoadRequest, TableRequest, kinds};

/// Rows with what goes wrong easily: nulls beside empty strings, quotes, line ends, signs.
pub(super) fn rows(count: i64) -> RecordBatch {
    let each = |every: i64| (0..count).map(move |row| (row % every != 0).then_some(row));
    let texts = ["", "plain", "O'Brien, \"the\" 1st", "two\r\nlines", "žluťoučký 😀", " NULL "];
    let text =
        |row: Option<i64>| row.and_then(|row| texts.get(usize::try_from(row).ok()? % texts.len()));
    let amount =
        Decimal128Array::from_iter(each(5).map(|row| row.map(|row| i128::from(row) * -101)));
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..count)), false),
        ("name", Arc::new(each(4).map(|row| text(row).copied()).collect::<StringArray>()), true),
        ("amount", Arc::new(amount.with_precision_and_scale(12, 2).expect("a decimal")), true),
        (
            "ratio",
            Arc::new(Float64Array::from_iter(each(6).map(|row| row.map(|row| row as f64 / 7.0)))),
            true,
        ),
        (
            "active",
            Arc::new(BooleanArray::from_iter(each(3).map(|row| row.map(|row| row % 2 == 0)))),
            true,
        ),
        (
            "born",
            Arc::new(Date32Array::from_iter(
                each(7).map(|row| row.map(|row| row as i32 * 97 - 9_000)),
            )),
            true,
        ),
        (
            "seen",
            Arc::new(TimestampMicrosecondArray::from_iter(
                each(8).map(|row| row.map(|row| row * 86_400_123_456)),
            )),
            true,
        ),
        ("nothing", Arc::new(StringArray::new_null(usize::try_from(count).expect("small"))), true),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array, nullable)| Field::new(*name, array.data_type().clone(), *nullable))
        .collect();
    let arrays = columns.into_iter().map(|(_, array, _)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("rows")
}

pub(super) fn declared(batch: &RecordBatch) -> Vec<DeclaredColumn> {
    let column = |field: &Arc<Field>| DeclaredColumn {
        name: field.name().clone(),
        data_type: Some(field.data_type().clone()),
        nullable: Some(field.is_nullable()),
    };
    batch.schema().fields().iter().map(column).collect()
}

/// Writes the rows in a kind's own form, by a writer that is not this crate's where there
/// is one, and gives the connection's and the table's parameters.
pub(super) async fn written(kind: &str, batch: &RecordBatch, base: &Path) -> (Value, Value) {
    match kind {
        "arrow" => {
            let mut bytes = Vec::new();
            let mut writer = arrow::ipc::writer::FileWriter::try_new(&mut bytes, &batch.schema())
                .expect("a writer");
            for start in (0..batch.num_rows()).step_by(5) {
                let length = 5.min(batch.num_rows() - start);
                writer.write(&batch.slice(start, length)).expect("written");
            }
            writer.finish().expect("written");
            write(&base.join("t.arrow"), &bytes);
            (json!({"url": "."}), Value::Null)
        }
        "csv" => {
            let mut bytes = Vec::new();
            let mut writer =
                arrow::csv::WriterBuilder::new().with_null("NULL".to_owned()).build(&mut bytes);
            writer.write(batch).expect("written");
            drop(writer);
            write(&base.join("t.csv"), &bytes);
            (json!({"url": "."}), json!({"nulls": ["NULL"]}))
        }
        "jsonl" => {
            let mut writer = arrow::json::LineDelimitedWriter::new(Vec::new());
            writer.write(batch).expect("written");
            writer.finish().expect("written");
            write(&base.join("t.jsonl"), &writer.into_inner());
            (json!({"url": "."}), Value::Null)
        }
        "parquet" => {
            let properties = parquet::file::properties::WriterProperties::builder()
                .set_max_row_group_row_count(Some(6))
                .build();
            let mut bytes = Vec::new();
            let mut writer =
                parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties))
                    .expect("a writer");
            writer.write(batch).expect("written");
            writer.close().expect("written");
            write(&base.join("t.parquet"), &bytes);
            (json!({"url": "."}), Value::Null)
        }
        "sqlite" => {
            let params = json!({"path": "t.sqlite"});
            let connection = connect(kind, &params, base).expect("a database");
            let request = LoadRequest {
                table: "t".to_owned(),
                mode: LoadMode::Replace,
                schema: batch.schema(),
                key: vec!["id".to_owned()],
                rows: batch.num_rows() as u64,
                receipt: "first".to_owned(),
            };
            let stream = futures::stream::iter(vec![Ok(batch.clone())]);
            let stream = Box::pin(RecordBatchStreamAdapter::new(batch.schema(), stream));
            connection.loader().expect("a loader").load(request, stream).await.expect("loaded");
            (params, Value::Null)
        }
        other => panic!("no fixture for {other}: a new kind needs one"),
    }
}

async fn opened(kind: &str, batch: &RecordBatch, base: &Path) -> Arc<dyn TableProvider> {
    let (connection, params) = written(kind, batch, base).await;
    let request =
        TableRequest { table: "t".to_owned(), params, declared: declared(batch), key: Vec::new() };
    let connection = connect(kind, &connection, base).expect("a connection");
    let print = connection.fingerprint(&request).await.expect("a fingerprint");
    assert_eq!(print, connection.fingerprint(&request).await.expect("the same"));
    connection.table(&request).await.unwrap_or_else(|error| panic!("{kind}: {error}"))
}

/// Strings as strings, however they are laid out.
pub(super) fn plain(batch: &RecordBatch, like: &RecordBatch) -> RecordBatch {
    let arrays: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .zip(like.schema().fields())
        .map(|(array, field)| match array.data_type() {
            DataType::Utf8View => cast(array, field.data_type()).expect("strings"),
            _ => array.clone(),
        })
        .collect();
    RecordBatch::try_new(like.schema(), arrays).expect("the same columns")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_gives_the_same_rows_at_every_batch_size() {
    for kind in kinds::ALL {
        for count in [0, 1, 41] {
            let directory = tempfile::tempdir().expect("a directory");
            let batch = rows(count);
            let table = opened(kind.kind(), &batch, directory.path()).await;
            for batch_rows in [1, 7, 8192] {
                let found = query(&table, "SELECT * FROM t ORDER BY id", batch_rows).await;
                let found = found.unwrap_or_else(|error| panic!("{}: {error}", kind.kind()));
                assert_eq!(plain(&found, &batch), batch, "{}, {count} rows", kind.kind());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn projections_and_filters_change_nothing() {
    let queries = [
        "SELECT id FROM t ORDER BY id",
        "SELECT seen, id FROM t ORDER BY id",
        "SELECT nothing, name, id, name AS again FROM t ORDER BY id",
        "SELECT count(*) FROM t",
        "SELECT count(*), count(nothing), count(name) FROM t",
        "SELECT id FROM t WHERE id > 5 AND id <= 20 ORDER BY id",
        "SELECT id FROM t WHERE id IN (1, 3, 99) OR id = 7 ORDER BY id",
        "SELECT id FROM t WHERE name = 'plain' ORDER BY id",
        "SELECT id FROM t WHERE name <> 'plain' ORDER BY id",
        "SELECT id FROM t WHERE name > 'P' ORDER BY id",
        "SELECT id FROM t WHERE name = '' ORDER BY id",
        "SELECT id FROM t WHERE name IS NULL AND amount IS NOT NULL ORDER BY id",
        "SELECT id FROM t WHERE nothing IS NOT NULL",
        "SELECT id FROM t WHERE amount < -1000.00 ORDER BY id",
        "SELECT id FROM t WHERE ratio BETWEEN 0.5 AND 2.5 ORDER BY id",
        "SELECT id FROM t WHERE active ORDER BY id",
        "SELECT id FROM t WHERE born >= DATE '1950-01-01' ORDER BY id",
        "SELECT id FROM t WHERE seen > TIMESTAMP '1970-01-10T00:00:00' ORDER BY id",
        "SELECT id FROM t WHERE id BETWEEN 3 AND 30 AND name LIKE '%the%' ORDER BY id",
        "SELECT count(*) FROM (SELECT id FROM t WHERE id > 2 LIMIT 4)",
        "SELECT count(*) FROM (SELECT id FROM t WHERE name > 'a' LIMIT 4)",
        "SELECT id FROM t WHERE id < 0",
    ];
    let batch = rows(41);
    let memory = MemTable::try_new(batch.schema(), vec![vec![batch.clone()]]).expect("a table");
    let memory: Arc<dyn TableProvider> = Arc::new(memory);
    for kind in kinds::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let table = opened(kind.kind(), &batch, directory.path()).await;
        for sql in queries {
            let expected = texts(&query(&memory, sql, 7).await.expect(sql));
            let found = query(&table, sql, 7).await;
            let found = found.unwrap_or_else(|error| panic!("{}: {sql}: {error}", kind.kind()));
            assert_eq!(texts(&found), expected, "{}: {sql}", kind.kind());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_what_streams_deliver() {
    let batch = rows(41);
    for kind in kinds::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let table = opened(kind.kind(), &batch, directory.path()).await;
        let session = session(7);
        let plan = table.scan(&session.state(), None, &[], None).await.expect("a plan");
        assert_eq!(plan.schema(), table.schema(), "{}", kind.kind());
        for partition in 0..plan.properties().output_partitioning().partition_count() {
            let mut stream = plan.execute(partition, session.task_ctx()).expect("a stream");
            while let Some(found) = stream.next().await {
                assert_eq!(found.expect("rows").schema(), table.schema(), "{}", kind.kind());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_dropped_midway_leaves_nothing_behind() {
    let batch = rows(5_000);
    for kind in kinds::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let table = opened(kind.kind(), &batch, directory.path()).await;
        let session = session(7);
        for polled in [0, 1, 3] {
            let plan = table.scan(&session.state(), None, &[], None).await.expect("a plan");
            let mut stream = plan.execute(0, session.task_ctx()).expect("a stream");
            for _ in 0..polled {
                stream.next().await.expect("more rows").expect("rows");
            }
            drop(stream);
        }
        // And it can be read again.
        let found = query(&table, "SELECT count(*) AS n FROM t", 100).await.expect("rows");
        assert!(texts(&found).contains("5000"), "{}", kind.kind());
    }
}

#[tokio::test]
async fn discovered_tables_can_be_read() {
    let batch = rows(41);
    for kind in kinds::ALL {
        let directory = tempfile::tempdir().expect("a directory");
        let (params, own) = written(kind.kind(), &batch, directory.path()).await;
        let connection = connect(kind.kind(), &params, directory.path()).expect("a connection");
        connection.check().await.expect("it can be reached");
        let tables = connection.discover().await.expect("one table");
        let [found] = tables.as_slice() else { panic!("{}: {tables:?}", kind.kind()) };
        assert_eq!(found.name, "t");
        let mut params = found.params.clone();
        if let (Some(params), Some(own)) = (params.as_object_mut(), own.as_object()) {
            params.extend(own.clone());
        }
        let request = TableRequest { table: found.name.clone(), params, ..Default::default() };
        let table = connection.table(&request).await.expect("a table");
        assert_eq!(table.schema(), found.schema, "{}", kind.kind());
        let found = query(&table, "SELECT count(*) AS n FROM t", 100).await.expect("rows");
        assert!(texts(&found).contains("41"), "{}", kind.kind());
    }
}

#[test]
fn kinds_are_sorted_and_describe_their_parameters() {
    let names: Vec<&str> = kinds::ALL.iter().map(|kind| kind.kind()).collect();
    assert!(names.is_sorted(), "{names:?}");
    for kind in kinds::ALL {
        assert!(!kind.summary().is_empty());
        for schema in [kind.connection_schema(), kind.table_schema()] {
            let object = schema.as_object().expect("an object");
            assert_eq!(object.get("additionalProperties"), Some(&json!(false)), "{}", kind.kind());
            assert!(object.get("properties").is_some_and(Value::is_object), "{}", kind.kind());
        }
    }
}
