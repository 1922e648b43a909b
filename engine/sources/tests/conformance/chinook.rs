//! The example database, read as the example reads it.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::catalog::TableProvider;
use serde_json::json;

use super::bench::{connect, named, query, session, texts};
use crate::{Connection, DeclaredColumn, FoundReference, SourceErrorKind, TableRequest};

fn chinook() -> Arc<dyn Connection> {
    let base = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/chinook"));
    connect("sqlite", &json!({"path": "data/chinook.sqlite"}), &base).expect("the example")
}

async fn table(name: &str) -> Arc<dyn TableProvider> {
    chinook().table(&named(name)).await.expect("a table")
}

#[tokio::test]
async fn it_is_discovered_with_keys_and_references() {
    let connection = chinook();
    let sentence = connection.check().await.expect("it opens");
    assert_eq!(sentence, "SQLite database data/chinook.sqlite with 11 tables and views");
    let tables = connection.discover().await.expect("eleven tables");
    assert_eq!(tables.len(), 11);
    let invoice = tables.iter().find(|table| table.name == "Invoice").expect("Invoice");
    assert_eq!(invoice.key, ["InvoiceId"]);
    let customer = FoundReference {
        columns: vec!["CustomerId".to_owned()],
        table: "Customer".to_owned(),
        to: vec!["CustomerId".to_owned()],
    };
    assert_eq!(invoice.references, [customer]);
    let types: Vec<_> =
        invoice.schema.fields().iter().map(|field| field.data_type().clone()).collect();
    assert_eq!(types.first(), Some(&DataType::Int64));
    assert_eq!(types.get(2), Some(&DataType::Timestamp(TimeUnit::Microsecond, None)));
    assert_eq!(types.last(), Some(&DataType::Decimal128(10, 2)));
    let pairs = tables.iter().find(|table| table.name == "PlaylistTrack").expect("pairs");
    assert_eq!(pairs.key, ["PlaylistId", "TrackId"]);
}

#[tokio::test]
async fn its_rows_are_what_sqlite_says() {
    // The expected values come from the sqlite3 shell.
    let invoices = table("Invoice").await;
    let sql = "SELECT count(*) AS n, sum(\"Total\") AS total, min(\"InvoiceDate\") AS first, \
               count(\"BillingState\") AS states FROM t";
    let found = texts(&query(&invoices, sql, 100).await.expect("a sum"));
    assert!(found.contains("| 412 | 2328.60 | 2021-01-01T00:00:00 | 210"), "{found}");
    let tracks = table("Track").await;
    let sql = "SELECT count(*), max(length(\"Name\")) FROM t WHERE \"Composer\" IS NULL";
    let found = texts(&query(&tracks, sql, 1000).await.expect("a count"));
    assert!(found.contains("| 977 "), "{found}");
}

#[tokio::test]
async fn filters_and_columns_reach_sqlite() {
    let session = session(8192);
    session.register_table("t", table("Customer").await).expect("registered");
    let sql =
        "SELECT \"Email\" FROM t WHERE \"CustomerId\" BETWEEN 2 AND 3 AND \"Country\" = 'Canada'";
    let plan = session.sql(sql).await.expect("a plan").create_physical_plan().await.expect("one");
    let shown = datafusion::physical_plan::displayable(plan.as_ref()).indent(false).to_string();
    assert!(
        shown.contains(
            "SourceScan: sqlite, SELECT \"Email\", \"Country\", rowid FROM \"Customer\" WHERE \
             (\"CustomerId\" >= ? AND \"CustomerId\" <= ?) AND \"Country\" COLLATE BINARY = ?"
        ) || shown.contains("\"CustomerId\" >= ?"),
        "{shown}"
    );
    assert!(!shown.contains("FilterExec: CustomerId"), "{shown}");
    let rows = session.sql(sql).await.expect("a plan").collect().await.expect("rows");
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
}

#[tokio::test]
async fn a_declared_table_is_read_as_declared() {
    let column =
        |name: &str, data_type| DeclaredColumn { name: name.to_owned(), data_type, nullable: None };
    let mut request = TableRequest {
        table: "invoices".to_owned(),
        params: json!({"table": "Invoice"}),
        declared: vec![
            column("Total", Some(DataType::Float64)),
            column("InvoiceDate", Some(DataType::Date32)),
            column("InvoiceId", None),
        ],
        key: Vec::new(),
    };
    let table = chinook().table(&request).await.expect("a table");
    let found = query(&table, "SELECT * FROM t ORDER BY \"InvoiceId\" LIMIT 1", 10).await;
    assert!(texts(&found.expect("a row")).contains("| 1.98  | 2021-01-01  | 1 "));
    request.declared.push(column("InvoiceNo", None));
    let error = chinook().table(&request).await.expect_err("no such column");
    assert!(
        matches!(error.kind(), SourceErrorKind::MissingColumn { available } if available.len() == 9)
    );
    request.params = json!({"table": "Invoices"});
    let error = chinook().table(&request).await.expect_err("no such table");
    assert_eq!(error.place().file.as_deref(), Some("data/chinook.sqlite"));
    assert!(matches!(error.kind(), SourceErrorKind::MissingTable { .. }));
}
