//! Files in a bucket, behind a real S3 server that checks signatures: what is true of a directory of
//! this machine is true of them.

use std::path::Path;
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::bench::{named, query, texts, write};
use super::kinds::{declared, plain, rows, written};
use crate::{ConnectContext, Connection, SourceError, SourceErrorKind, TableRequest, kinds};

const SECRET: &str = "canary-of-the-secret-key";

/// Serves the directories of `root` as buckets, on a free port of this machine, until the runtime of
/// the test ends. Gives the endpoint.
#[expect(clippy::disallowed_methods, reason = "a server that ends with the test")]
async fn serve(root: &Path) -> String {
    let files = s3s_fs::FileSystem::new(root).expect("a file system");
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single("reader", SECRET));
    let service = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let server = Builder::new(TokioExecutor::new());
                drop(server.serve_connection(TokioIo::new(socket), service).await);
            });
        }
    });
    format!("http://{address}")
}

fn store(endpoint: &str) -> Value {
    json!({
        "endpoint": endpoint, "allow_http": true,
        "access_key_id": "reader", "secret_access_key": SECRET,
    })
}

/// A connection whose secret comes from the environment, as a project's does.
fn connect(kind: &str, name: &str, params: &Value) -> Result<Arc<dyn Connection>, SourceError> {
    let secrets = ["store.secret_access_key".to_owned()];
    let context = ConnectContext {
        name: name.to_owned(),
        secret_params: secrets.into(),
        ..ConnectContext::default()
    };
    kinds::find(kind)?.connect(params, &context)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_kind_gives_the_same_rows_from_a_bucket() {
    let root = tempfile::tempdir().expect("a directory");
    let endpoint = serve(root.path()).await;
    let batch = rows(41);
    for kind in kinds::ALL.iter().map(|kind| kind.kind()).filter(|kind| *kind != "sqlite") {
        let directory = root.path().join("lake").join(kind);
        std::fs::create_dir_all(&directory).expect("a directory");
        let (_, params) = written(kind, &batch, &directory).await;
        let url = format!("s3://lake/{kind}");
        let connection =
            connect(kind, kind, &json!({"url": url, "store": store(&endpoint)})).expect(kind);
        let said = connection.check().await.expect(kind);
        assert_eq!(said, format!("directory {url} with 1 {kind} file"));
        let found = connection.discover().await.expect(kind);
        assert_eq!(found.iter().map(|table| &table.name).collect::<Vec<_>>(), ["t"], "{kind}");
        let request = TableRequest { params, declared: declared(&batch), ..named("t") };
        let table = connection.table(&request).await.expect(kind);
        for batch_rows in [7, 8192] {
            let sql = "SELECT * FROM t ORDER BY id";
            let found = query(&table, sql, batch_rows).await.expect(kind);
            assert_eq!(plain(&found, &batch), batch, "{kind}");
        }
        let print = connection.fingerprint(&request).await.expect(kind);
        let again = connection.fingerprint(&request).await.expect(kind);
        assert_eq!(print, again, "{kind}: nothing has changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn globs_and_changes_are_seen_in_a_bucket() {
    let root = tempfile::tempdir().expect("a directory");
    let endpoint = serve(root.path()).await;
    let day = |name: &str, text: &str| {
        write(&root.path().join("lake/days").join(name), text.as_bytes());
    };
    std::fs::create_dir_all(root.path().join("lake/days/old")).expect("directories");
    day("1.csv", "id\n1\n");
    day("2.csv", "id\n2\n");
    day("old/0.csv", "id\n0\n");
    let params = json!({"url": "s3://lake/days", "store": store(&endpoint)});
    let connection = connect("csv", "days", &params).expect("a connection");
    let request = TableRequest { params: json!({"path": "*.csv"}), ..named("days") };
    let table = connection.table(&request).await.expect("a table");
    let found = query(&table, "SELECT id FROM t ORDER BY id", 8).await.expect("rows");
    assert_eq!(found.num_rows(), 2, "{}", texts(&found));
    let print = connection.fingerprint(&request).await.expect("a fingerprint");
    day("3.csv", "id\n3\n");
    assert_ne!(print, connection.fingerprint(&request).await.expect("another"));
}

/// DataFusion knows stores by URL: the credentials of one connection must not serve another.
#[tokio::test(flavor = "multi_thread")]
async fn two_connections_to_one_bucket_keep_their_credentials() {
    let root = tempfile::tempdir().expect("a directory");
    let endpoint = serve(root.path()).await;
    std::fs::create_dir_all(root.path().join("lake")).expect("a directory");
    let (_, _) = written("parquet", &rows(5), &root.path().join("lake")).await;
    let mut wrong = store(&endpoint);
    wrong["secret_access_key"] = json!("another canary");
    let open = connect("parquet", "open", &json!({"url": "s3://lake", "store": store(&endpoint)}));
    let shut = connect("parquet", "shut", &json!({"url": "s3://lake", "store": wrong}));
    let table = open.expect("a connection").table(&named("t")).await.expect("a table");
    let refused = shut.expect("a connection").table(&named("t")).await.expect_err("denied");
    assert!(matches!(refused.kind(), SourceErrorKind::Denied), "{refused}");
    assert!(!format!("{refused:?}").contains("canary"), "{refused:?}");
    assert_eq!(query(&table, "SELECT id FROM t", 8).await.expect("rows").num_rows(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_not_answer_is_unavailable() {
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", closed.local_addr().expect("an address"));
    drop(closed);
    let params = json!({"url": "s3://lake", "store": store(&endpoint)});
    let error = connect("csv", "gone", &params).expect("a connection").check().await;
    let error = error.expect_err("nobody answers");
    assert!(matches!(error.kind(), SourceErrorKind::Unavailable { .. }), "{error}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[test]
fn what_cannot_be_meant_is_refused_at_its_place() {
    let with = |change: Value| {
        let mut store = store("https://s3.example");
        for (key, value) in change.as_object().into_iter().flatten() {
            store[key] = value.clone();
        }
        json!({"url": "s3://lake/x", "store": store})
    };
    let cases = [
        (with(json!({"endpoint": "http://x", "allow_http": false})), "store.endpoint"),
        (with(json!({"endpoint": "nowhere"})), "store.endpoint"),
        (with(json!({"endpoint": "https://a:canary@x"})), "store.endpoint"),
        (with(json!({"session_token": "canary"})), "store.session_token"),
        (with(json!({"anonymous": true})), "store.anonymous"),
        (with(json!({"secret": "canary"})), "store.secret"),
        (with(json!({"region": 7})), "store.region"),
        (json!({"url": "s3://lake/x"}), "store.access_key_id"),
        (json!({"url": "s3://lake", "store": {"access_key_id": "a"}}), "store.secret_access_key"),
        (json!({"url": "s3:///x", "store": {"anonymous": true}}), "url"),
        (json!({"url": "data", "store": {"anonymous": true}}), "store"),
    ];
    for (params, expected) in cases {
        let error = connect("csv", "lake", &params).expect_err(expected);
        let SourceErrorKind::Parameter { path, .. } = error.kind() else {
            panic!("{expected}: {error}");
        };
        assert_eq!(path, expected, "{error}");
        assert!(!format!("{error:?}{error}").contains("canary"), "{error:?}");
    }
}

/// A secret in clear would be a secret in Git.
#[test]
fn a_secret_in_clear_is_refused() {
    let params = json!({"url": "s3://lake", "store": store("https://s3.example")});
    let context = ConnectContext { name: "lake".to_owned(), ..ConnectContext::default() };
    let csv = kinds::find("csv").expect("a kind");
    let error = csv.connect(&params, &context).expect_err("a literal secret");
    assert!(error.to_string().contains("must come from the environment"), "{error}");
}
