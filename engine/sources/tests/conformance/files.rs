//! Files: dialects, encodings, compression, globs, headers that differ, and changes.

use std::io::Write;
use std::path::Path;

use arrow::datatypes::DataType;
use serde_json::{Value, json};

use super::bench::{connect, named, ours, query, texts, write};
use crate::{DeclaredColumn, SourceErrorKind, TableRequest};

async fn read(base: &Path, params: Value, sql: &str) -> Result<String, String> {
    let connection = connect("csv", &json!({"url": "."}), base).expect("a connection");
    let request = TableRequest { table: "t".to_owned(), params, ..TableRequest::default() };
    let table = connection.table(&request).await.map_err(|error| error.to_string())?;
    match query(&table, sql, 2).await {
        Ok(found) => Ok(texts(&found)),
        failed => Err(ours(failed)),
    }
}

fn cells(table: &str) -> Vec<Vec<&str>> {
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(1);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[tokio::test]
async fn every_encoding_and_compression_reads_alike() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = "a,b\r\nčšž,1\r\nü,2\r\n";
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut marked = b"\xff\xfe".to_vec();
    marked.extend(utf16(text));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("gzip");
    let mut twice = gzip.finish().expect("gzip");
    let mut second = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    second.write_all(b"x,3\r\n").expect("gzip");
    twice.extend(second.finish().expect("gzip"));
    let zstd = zstd::encode_all(text.as_bytes(), 1).expect("zstd");
    let cases = [
        ("u.csv", text.as_bytes().to_vec(), json!({}), 2),
        ("b.csv", marked, json!({"encoding": "utf-16"}), 2),
        ("l.csv", utf16(text), json!({"encoding": "utf-16le"}), 2),
        ("g.csv.gz", twice.clone(), json!({}), 3),
        ("g.csv", twice, json!({"compression": "gzip"}), 3),
        ("z.csv.zst", zstd, json!({}), 2),
    ];
    for (name, bytes, mut params, count) in cases {
        write(&directory.path().join(name), &bytes);
        params.as_object_mut().expect("a mapping").insert("path".to_owned(), json!(name));
        let found = read(directory.path(), params, "SELECT * FROM t").await.expect(name);
        assert_eq!(cells(&found).len(), count, "{name}");
        assert_eq!(cells(&found)[..2], [["čšž", "1"], ["ü", "2"]], "{name}");
    }
    write(&directory.path().join("t.csv"), b"a\n\xe4\x80\n");
    let found = read(
        directory.path(),
        json!({"encoding": "latin-1"}),
        "SELECT ascii(substr(a, 2)) AS a FROM t",
    );
    assert_eq!(cells(&found.await.expect("latin-1")), [["128"]]);
}

#[tokio::test]
async fn dialects() {
    let directory = tempfile::tempdir().expect("a directory");
    let cases = [
        ("a;b\n'x;''y';2\n", json!({"delimiter": ";", "quote": "'"}), vec![vec!["x;'y", "2"]]),
        ("a||b<>1||2<>", json!({"delimiter": "||", "row_end": "<>"}), vec![vec!["1", "2"]]),
        (
            "1\t\"2\n",
            json!({"delimiter": "\t", "quote": null, "header": false}),
            vec![vec!["1", "\"2"]],
        ),
        (
            "a,b\n\n1,\n\nNA,\"NA\"\n",
            json!({"nulls": ["", "NA"]}),
            vec![vec!["1", ""], vec!["", "NA"]],
        ),
        ("a , b\n 1 ,\" 2\" \n", json!({"trim": true}), vec![vec!["1", "2"]]),
        ("a\n\nx\n", json!({}), vec![vec![""], vec!["x"]]),
        ("a,b\n\"x\\\"y\",2\n", json!({"escape": "\\"}), vec![vec!["x\"y", "2"]]),
        ("a,b\r1,2\r3,4", json!({}), vec![vec!["1", "2"], vec!["3", "4"]]),
    ];
    for (text, params, expected) in cases {
        write(&directory.path().join("t.csv"), text.as_bytes());
        let found = read(directory.path(), params, "SELECT * FROM t").await.expect(text);
        assert_eq!(cells(&found), expected, "{text}");
    }
}

#[tokio::test]
async fn headers_may_differ_in_order_and_not_in_columns() {
    let directory = tempfile::tempdir().expect("a directory");
    let base = directory.path();
    write(&base.join("t-1.csv"), b"a,b\n1,2\n");
    write(&base.join("t-2.csv"), b"b,a\n4,3\n");
    let path = || json!({"path": "t-*.csv"});
    let found = read(base, path(), "SELECT a, b FROM t ORDER BY a").await.expect("both files");
    assert_eq!(cells(&found), [["1", "2"], ["3", "4"]]);
    write(&base.join("t-3.csv"), b"b,c\n4,3\n");
    let error = read(base, path(), "SELECT b FROM t").await.expect_err("no column a");
    assert!(
        error.contains("files.t: t-3.csv: column `a`: there is no such column; the data has: b, c"),
        "{error}"
    );
    write(&base.join("t-3.csv"), b"b,c,a\n4,3,5\n");
    let error = read(base, path(), "SELECT b FROM t").await.expect_err("another width");
    assert!(error.contains("t-3.csv:1: the record has 3 fields, expected 2"), "{error}");
    write(&base.join("t-1.csv"), b"a,a\n4,3\n");
    let error = read(base, path(), "SELECT * FROM t").await.expect_err("twice the name");
    assert!(error.contains("t-1.csv: column `a`: two columns have this name"), "{error}");
    let error = read(base, json!({"path": "x-*.csv"}), "SELECT 1").await.expect_err("no file");
    assert!(error.contains("no file matches `x-*.csv`"), "{error}");
}

#[tokio::test]
async fn many_files_are_read_by_few_partitions() {
    let directory = tempfile::tempdir().expect("a directory");
    for number in 0..20 {
        write(
            &directory.path().join(format!("t-{number}.csv")),
            format!("n\n{number}\n").as_bytes(),
        );
    }
    let connection = connect("csv", &json!({"url": "."}), directory.path()).expect("one");
    let request =
        TableRequest { table: "t".to_owned(), params: json!({"path": "t-*.csv"}), ..named("t") };
    let table = connection.table(&request).await.expect("a table");
    let session = super::bench::session(8);
    let plan = table.scan(&session.state(), None, &[], None).await.expect("a plan");
    assert_eq!(plan.properties().output_partitioning().partition_count(), 3);
    let found = query(&table, "SELECT count(DISTINCT n) FROM t", 8).await.expect("rows");
    assert_eq!(cells(&texts(&found)), [["20"]]);
}

#[tokio::test]
async fn columns_without_header_go_by_position() {
    let directory = tempfile::tempdir().expect("a directory");
    write(&directory.path().join("t.csv"), b"1,x\n2,y\n");
    let connection =
        connect("csv", &json!({"url": ".", "header": false}), directory.path()).expect("one");
    let column = |name: &str, data_type| DeclaredColumn {
        name: name.to_owned(),
        data_type: Some(data_type),
        nullable: None,
    };
    let mut request = named("t");
    request.declared = vec![column("n", DataType::Int16), column("s", DataType::Utf8)];
    let table = connection.table(&request).await.expect("a table");
    let found = texts(&query(&table, "SELECT s, n FROM t", 10).await.expect("rows"));
    assert_eq!(cells(&found), [["x", "1"], ["y", "2"]]);
    request.declared.pop();
    let error = connection.table(&request).await.expect_err("another width");
    assert_eq!(error.kind(), &SourceErrorKind::FieldCount { expected: 1, found: 2 });
    request.declared = Vec::new();
    let table = connection.table(&request).await.expect("a table");
    assert_eq!(table.schema().field(1).name(), "column_2");
}

#[tokio::test]
async fn a_file_that_changes_under_the_reader_is_an_error() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("t.csv");
    write(&path, b"a\n1\n");
    let connection = connect("csv", &json!({"url": "."}), directory.path()).expect("one");
    let first = connection.fingerprint(&named("t")).await.expect("a fingerprint");
    let table = connection.table(&named("t")).await.expect("a table");
    write(&path, b"a\n1\n2\n");
    assert_ne!(first, connection.fingerprint(&named("t")).await.expect("another"));
    let text = ours(query(&table, "SELECT * FROM t", 10).await);
    assert!(text.contains("the file changed while it was read"), "{text}");
}

#[tokio::test]
async fn declared_types_are_checked_against_parquet() {
    use std::sync::Arc;
    let directory = tempfile::tempdir().expect("a directory");
    let schema = arrow::datatypes::Schema::new(vec![
        arrow::datatypes::Field::new("n", DataType::Int32, true),
        arrow::datatypes::Field::new("s", DataType::Utf8, true),
    ]);
    let numbers = arrow::array::Int32Array::from(vec![Some(1), None]);
    let strings = arrow::array::StringArray::from(vec!["x", "y"]);
    let batch = arrow::array::RecordBatch::try_new(
        Arc::new(schema),
        vec![Arc::new(numbers), Arc::new(strings)],
    )
    .expect("rows");
    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
    write(&directory.path().join("t.parquet"), &bytes);
    let connection = connect("parquet", &json!({"url": "."}), directory.path()).expect("one");
    let with = |name: &str, data_type, nullable| {
        let declared =
            DeclaredColumn { name: name.to_owned(), data_type: Some(data_type), nullable };
        TableRequest { table: "t".to_owned(), declared: vec![declared], ..Default::default() }
    };
    let table = connection.table(&with("n", DataType::Int64, None)).await.expect("widened");
    assert_eq!(table.schema().field(0).data_type(), &DataType::Int64);
    let found = texts(&query(&table, "SELECT sum(n) FROM t WHERE n > 0", 10).await.expect("rows"));
    assert_eq!(cells(&found), [["1"]]);
    let cases = [
        (
            with("n", DataType::Int16, None),
            "column `n`: the column has type int32, declared is int16",
        ),
        (
            with("s", DataType::Date32, None),
            "column `s`: the column has type string, declared is date",
        ),
        (with("n", DataType::Int32, Some(false)), "column `n`: a null in a column"),
        (
            with("x", DataType::Int32, None),
            "column `x`: there is no such column; the data has: n, s",
        ),
    ];
    for (request, says) in cases {
        let error = connection.table(&request).await.expect_err(says).to_string();
        assert!(error.contains("files.t: t.parquet: ") && error.contains(says), "{error}");
    }
}

/// Rows as a Parquet file, an Arrow file and an Arrow stream.
fn columnar_files() -> [(&'static str, &'static str, Vec<u8>); 3] {
    use std::sync::Arc;
    let numbers = arrow::array::Int64Array::from_iter_values(0..5000);
    let texts =
        arrow::array::StringArray::from_iter_values((0..5000).map(|row| format!("row {row}")));
    let batch = arrow::array::RecordBatch::try_from_iter([
        ("n", Arc::new(numbers) as arrow::array::ArrayRef),
        ("s", Arc::new(texts)),
    ])
    .expect("rows");
    let mut parquet = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut parquet, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
    let mut file =
        arrow::ipc::writer::FileWriter::try_new(Vec::new(), &batch.schema()).expect("a writer");
    file.write(&batch).expect("written");
    let file = file.into_inner().expect("written");
    let mut stream =
        arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).expect("a writer");
    stream.write(&batch).expect("written");
    let stream = stream.into_inner().expect("written");
    [("parquet", "t.parquet", parquet), ("arrow", "t.arrow", file), ("arrow", "t.arrows", stream)]
}

#[tokio::test]
async fn damaged_columnar_files_are_named() {
    for (kind, name, whole) in columnar_files() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(name);
        let mut refused = 0;
        let cut = (1..20).map(|part| whole[..whole.len() * part / 20].to_vec());
        let flipped = (1..60).map(|part| {
            let mut bytes = whole.clone();
            let at = bytes.len() * part / 60;
            bytes[at] ^= 0x55;
            bytes
        });
        for bytes in cut.chain(flipped) {
            write(&path, &bytes);
            let connection = connect(kind, &json!({"url": "."}), directory.path()).expect("one");
            let request = TableRequest { params: json!({"path": name}), ..named("t") };
            let error = match connection.table(&request).await {
                Err(error) => error.to_string(),
                Ok(table) => match query(&table, "SELECT * FROM t", 1000).await {
                    // Without checksums, a flipped bit may be another value, or in nothing that is read.
                    Ok(_) => continue,
                    Err(error) => ours(Err(error)),
                },
            };
            assert!(error.contains(name) && error.contains("file"), "{kind}: {error}");
            refused += 1;
        }
        assert!(refused >= 15, "{name}: {refused} refused");
    }
}

#[tokio::test]
async fn one_file_of_a_glob_may_have_a_dictionary() {
    use std::sync::Arc;
    let directory = tempfile::tempdir().expect("a directory");
    let plain: arrow::array::ArrayRef = Arc::new(arrow::array::StringArray::from(vec!["x", "y"]));
    let coded = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let coded = arrow::compute::cast(&plain, &coded).expect("a dictionary");
    for order in [["a", "b"], ["b", "a"]] {
        for (name, column) in order.into_iter().zip([&plain, &coded]) {
            let batch = arrow::array::RecordBatch::try_from_iter([("s", Arc::clone(column))])
                .expect("rows");
            let mut bytes = Vec::new();
            let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None)
                .expect("one");
            writer.write(&batch).expect("written");
            writer.close().expect("written");
            write(&directory.path().join(format!("{name}.parquet")), &bytes);
        }
        let connection = connect("parquet", &json!({"url": "."}), directory.path()).expect("one");
        for declared in [vec![], vec![("s", DataType::Utf8)]] {
            let declared = declared.into_iter().map(|(name, data_type)| DeclaredColumn {
                name: name.to_owned(),
                data_type: Some(data_type),
                nullable: None,
            });
            let request = TableRequest {
                params: json!({"path": "*.parquet"}),
                declared: declared.collect(),
                ..named("t")
            };
            let table = connection.table(&request).await.expect("a table");
            let rows = query(&table, "SELECT s FROM t ORDER BY s", 100).await.expect("rows");
            assert_eq!(rows.num_rows(), 4);
        }
    }
}
