//! No error holds a value: each failure is forced with a canary in the data, and the error
//! is searched in every form it can be printed in.

use std::path::Path;

use arrow::datatypes::{DataType, TimeUnit};
use serde_json::{Value, json};

use super::bench::{connect, ours, query, read, write};
use crate::{DeclaredColumn, SourceErrorKind, TableRequest, kinds};

const CANARY: &str = "canary4711";

fn column(name: &str, data_type: DataType) -> DeclaredColumn {
    DeclaredColumn { name: name.to_owned(), data_type: Some(data_type), nullable: Some(false) }
}

async fn failed(
    kind: &str,
    connection: &Value,
    params: Value,
    declared: Vec<DeclaredColumn>,
    base: &Path,
) -> String {
    let connection = connect(kind, connection, base).expect("a connection");
    let request = TableRequest { table: "t".to_owned(), params, declared, key: Vec::new() };
    let text = match connection.table(&request).await {
        Err(error) => format!("{error} {error:?} {:?}", error.hint()),
        Ok(table) => ours(query(&table, "SELECT * FROM t", 3).await),
    };
    assert!(!text.contains("canary"), "{kind}: {text}");
    assert!(text.contains("files.t"), "the table is named: {text}");
    text
}

fn types() -> Vec<DataType> {
    vec![
        DataType::Int64,
        DataType::UInt8,
        DataType::Float64,
        DataType::Boolean,
        DataType::Decimal128(10, 2),
        DataType::Date32,
        DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    ]
}

#[tokio::test]
async fn bad_casts_name_line_and_column_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let base = directory.path();
    write(&base.join("t.csv"), format!("a,b\n\"x\ny\",1\nz,{CANARY}\n").as_bytes());
    write(
        &base.join("t.jsonl"),
        format!("{{\"a\":\"x\"}}\n\n{{\"a\":\"y\",\"b\":\"{CANARY}\"}}\n").as_bytes(),
    );
    let database = rusqlite::Connection::open(base.join("t.sqlite")).expect("a database");
    let sql = format!(
        "CREATE TABLE t (a TEXT, b); INSERT INTO t (rowid, a, b) VALUES (3, 'x', '{CANARY}')"
    );
    database.execute_batch(&sql).expect("a table");
    for data_type in types() {
        let declared = || vec![column("a", DataType::Utf8), column("b", data_type.clone())];
        let url = json!({"url": "."});
        if data_type == DataType::Int64 {
            let text = failed("csv", &url, Value::Null, declared(), base).await;
            assert!(
                text.contains("files.t: t.csv:4: column `b`: a value is not of type int64"),
                "{text}"
            );
            let text = failed("jsonl", &url, Value::Null, declared(), base).await;
            assert!(text.contains("t.jsonl:1: column `b`: a null in a column"), "{text}");
        }
        let nullable = |mut columns: Vec<DeclaredColumn>| {
            columns.iter_mut().for_each(|column| column.nullable = None);
            columns
        };
        let text = failed("jsonl", &url, Value::Null, nullable(declared()), base).await;
        assert!(text.contains("t.jsonl:3: column `b`: a value is not of type"), "{text}");
        let path = json!({"path": "t.sqlite"});
        let text = failed("sqlite", &path, Value::Null, declared(), base).await;
        assert!(
            text.contains("files.t: t.sqlite: rowid 3: column `b`: a value is not of type"),
            "{text}"
        );
        failed("csv", &url, Value::Null, declared()[1..].to_vec(), base).await;
    }
}

#[tokio::test]
async fn malformed_files_are_refused_without_their_content() {
    let directory = tempfile::tempdir().expect("a directory");
    let base = directory.path();
    let url = json!({"url": "."});
    for kind in kinds::ALL.iter().map(|kind| kind.kind()) {
        write(&base.join(format!("t.{kind}")), format!("{CANARY}\n\"{CANARY}").as_bytes());
        let connection = if kind == "sqlite" { json!({"path": "t.sqlite"}) } else { url.clone() };
        failed(kind, &connection, Value::Null, vec![], base).await;
    }
    let text = ["canary,1", "canary\",1,2", "\"canary\"x,2", "\"canary,2"];
    for line in text {
        write(&base.join("t.csv"), format!("a,b\n1,2\n{line}\n").as_bytes());
        let quoted = line.starts_with('"');
        let short = line == "canary,1";
        if short {
            write(&base.join("t.csv"), b"a,b\n1,2\ncanary\n");
        }
        let found = failed("csv", &url, Value::Null, vec![], base).await;
        assert!(found.contains("t.csv:3"), "{quoted} {found}");
    }
    for line in [
        "{\"canary\":",
        "[\"canary\"]",
        "\"canary\"",
        "{\"a\":1}{\"a\":\"canary\"}",
        "{\"a\":{\"canary\":1}}",
    ] {
        write(&base.join("t.jsonl"), format!("{{\"a\":1}}\n{line}\n").as_bytes());
        let declared = vec![column("a", DataType::Int64)];
        let found = failed("jsonl", &url, Value::Null, declared, base).await;
        assert!(found.contains("t.jsonl:2"), "{found}");
    }
    write(&base.join("t.csv"), b"a\ncanary\xff\n");
    let found = failed("csv", &url, Value::Null, vec![], base).await;
    assert!(found.contains("byte 8 is not valid UTF-8"), "{found}");
    for compression in ["gzip", "zstd"] {
        failed("csv", &url, json!({"compression": compression}), vec![], base).await;
    }
    write(&base.join("t.csv"), format!("a\n{}\n", CANARY.repeat(10)).as_bytes());
    let found = failed("csv", &url, json!({"max_record_bytes": 64}), vec![], base).await;
    assert!(found.contains("t.csv:2: the record is longer than 64 bytes"), "{found}");
}

#[tokio::test]
async fn parameters_are_refused_without_their_values() {
    let cases = [
        ("csv", json!({}), "url", "is required"),
        ("csv", json!({"url": [CANARY]}), "url", "must be a string"),
        ("csv", json!({"url": ".", "delimeter": CANARY}), "delimeter", "delimiter"),
        ("csv", json!({"url": ".", "encoding": CANARY}), "encoding", "latin-1"),
        ("csv", json!({"url": ".", "nulls": [{"a": CANARY}]}), "nulls[0]", "must be a string"),
        ("csv", json!({"url": ".", "header": CANARY}), "header", "a boolean"),
        ("csv", json!(CANARY), "", "must be a mapping"),
        ("parquet", json!({"url": ".", "password": CANARY}), "password", "url"),
        ("sqlite", json!({"path": {"a": CANARY}}), "path", "must be a string"),
    ];
    for (kind, params, path, says) in cases {
        let error = connect(kind, &params, Path::new("/")).expect_err("refused");
        let text = format!("{error} {error:?}");
        assert!(!text.contains(CANARY), "{text}");
        assert!(text.contains(says), "{text}");
        let SourceErrorKind::Parameter { path: found, .. } = error.kind() else {
            panic!("{error}");
        };
        assert_eq!(found, path, "{error}");
        assert_eq!(error.place().connection.as_deref(), Some("files"));
    }
}

/// Any byte of a Parquet file can be wrong, and any columnar file be cut off: the read
/// ends, and says nothing of the rows.
#[tokio::test(flavor = "multi_thread")]
async fn damaged_columnar_files_end_quietly() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/fixtures");
    let directory = tempfile::tempdir().expect("a directory");
    let files =
        [("parquet", "pyarrow.parquet"), ("arrow", "pyarrow.feather"), ("arrow", "pyarrow.arrows")];
    for (kind, name) in files {
        let whole = read(&fixtures.join(name));
        let connection = connect(kind, &json!({"url": "."}), directory.path()).expect("one");
        let request = TableRequest {
            table: "t".to_owned(),
            params: json!({"path": name}),
            ..TableRequest::default()
        };
        let mut damages: Vec<Vec<u8>> =
            [0, 1, 9, whole.len() / 4, whole.len() / 2].map(|end| whole[..end].to_vec()).into();
        // Arrow's reader trusts the lengths in a file (see kinds/arrow.rs).
        for position in (0..whole.len()).step_by(7).filter(|_| kind == "parquet") {
            let mut damaged = whole.clone();
            damaged[position] ^= 0x55;
            damages.push(damaged);
        }
        for (number, damaged) in damages.iter().enumerate() {
            write(&directory.path().join(name), damaged);
            let text = match connection.table(&request).await {
                Err(error) => format!("{error} {error:?}"),
                Ok(table) => match query(&table, "SELECT * FROM t", 2).await {
                    Err(error) => format!("{error} {error:?}"),
                    // A bit of a value, or of what is not read.
                    Ok(_) if damaged.len() == whole.len() => continue,
                    Ok(rows) => panic!("{name}, cut {number}: {} rows", rows.num_rows()),
                },
            };
            assert!(!text.contains("Brno"), "{name}, damage {number}: {text}");
        }
    }
}
