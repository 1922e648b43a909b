//! Files written by pyarrow (`fixtures/make.py`), read here.

use std::path::PathBuf;

use arrow::datatypes::{DataType, TimeUnit};
use serde_json::json;

use super::bench::{connect, query, texts};
use crate::{DeclaredColumn, TableRequest};

const EXPECTED: &str = "\
+----+------+--------+------------+-------------------------+
| id | city | price  | day        | at                      |
+----+------+--------+------------+-------------------------+
| 1  | Brno | 0.99   | 2024-02-29 | 2024-02-29T12:30:00.250 |
| 2  |      |        |            |                         |
| 3  | Brno | -12.50 | 1969-12-31 | 1969-12-31T23:59:59     |
+----+------+--------+------------+-------------------------+";

#[tokio::test]
async fn what_pyarrow_writes_is_read() {
    let base = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance"));
    let types = [
        ("id", DataType::Int64),
        ("city", DataType::Utf8),
        ("price", DataType::Decimal128(10, 2)),
        ("day", DataType::Date32),
        ("at", DataType::Timestamp(TimeUnit::Microsecond, None)),
    ];
    let declared = |(name, data_type): &(&str, DataType)| DeclaredColumn {
        name: (*name).to_owned(),
        data_type: Some(data_type.clone()),
        nullable: None,
    };
    let files = [
        ("parquet", "pyarrow.parquet"),
        ("arrow", "pyarrow.feather"),
        ("arrow", "pyarrow.arrows"),
        ("csv", "pyarrow.csv"),
    ];
    for (kind, file) in files {
        let connection = connect(kind, &json!({"url": "fixtures"}), &base).expect("fixtures");
        let request = TableRequest {
            table: "people".to_owned(),
            params: json!({"path": file}),
            declared: types.iter().map(declared).collect(),
            key: Vec::new(),
        };
        let table = connection.table(&request).await.expect(file);
        let found = query(&table, "SELECT * FROM t ORDER BY id", 2).await.expect(file);
        assert_eq!(texts(&found), EXPECTED, "{file}");
        let found = query(&table, "SELECT day FROM t WHERE city = 'Brno' AND id > 1", 2).await;
        assert!(texts(&found.expect(file)).contains("1969-12-31"), "{file}");
    }
}
