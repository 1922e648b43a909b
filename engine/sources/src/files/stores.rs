//! The one place that decides which object store a URL belongs to.
//!
//! ```text
//!  data            a path relative to the project     local file system
//!  /srv/data       an absolute path                   local file system
//!  file:///srv     a file URL                         local file system
//!  s3://bucket/x   a bucket and a directory of it     Amazon S3, or what speaks its protocol
//! ```
//!
//! Whatever reads files gets a store and a path, and does not know which store it is: another
//! one is an arm of [`resolve`]. Credentials come as the connection's `store`, never in the URL.

use std::path::{Component, Path as FilePath, PathBuf};
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use serde_json::Value;
use url::Url;

use super::s3::S3Options;
use crate::connector::ConnectContext;
use crate::error::{SourceError, SourceErrorKind};
use crate::params::{invalid, parse_below};

/// A directory of an object store.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The store.
    pub(crate) store: Arc<dyn ObjectStore>,
    /// What DataFusion knows the store by.
    pub(crate) store_url: ObjectStoreUrl,
    /// The directory, from the store's root.
    pub(crate) root: Path,
    /// The directory on this machine, where it is one.
    pub(crate) local: Option<PathBuf>,
}

/// Resolves a connection's `url`, with the options under its `store`. Opens nothing.
///
/// # Errors
/// A URL that cannot be read, holds credentials, or has a scheme no store is built in for; options
/// that the store does not have.
pub(crate) fn resolve(
    url: &str,
    options: &Value,
    context: &ConnectContext,
) -> Result<Place, SourceError> {
    if url.is_empty() {
        return Err(invalid("url", "must be a path or URL"));
    }
    if !url.contains("://") {
        without_options(options)?;
        return local(&context.base.join(url));
    }
    let parsed = Url::parse(url).map_err(|_| invalid("url", "must be a path or URL"))?;
    if !parsed.username().is_empty() || parsed.password().is_some() || parsed.query().is_some() {
        return Err(invalid("url", "must not hold credentials or a query")
            .with_hint("give credentials under `store`, by reference to the environment"));
    }
    match parsed.scheme() {
        "file" => {
            without_options(options)?;
            let path = parsed
                .to_file_path()
                .map_err(|()| invalid("url", "must be a file URL with an absolute path"))?;
            local(&path)
        }
        "s3" => s3(&parsed, options, context),
        scheme => Err(unknown_scheme(&context.shown("url", scheme))),
    }
}

fn without_options(options: &Value) -> Result<(), SourceError> {
    if options.is_null() { Ok(()) } else { Err(invalid("store", "must not stand beside a path")) }
}

fn unknown_scheme(scheme: &str) -> SourceError {
    SourceError::new(SourceErrorKind::UnknownScheme { scheme: scheme.to_owned() })
        .with_hint("files are read from this machine, by a path or a file:// URL, and from s3://")
}

fn local(path: &FilePath) -> Result<Place, SourceError> {
    let misfit = || invalid("url", "must be a path of this machine");
    let path = without_dots(&std::path::absolute(path).map_err(|_| misfit())?);
    let root = Path::from_absolute_path(&path).map_err(|_| misfit())?;
    Ok(Place {
        store: Arc::new(LocalFileSystem::new()),
        store_url: ObjectStoreUrl::local_filesystem(),
        root,
        local: Some(path),
    })
}

/// Resolves `.` and `..` by their text, as a URL would.
fn without_dots(path: &FilePath) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

fn s3(url: &Url, options: &Value, context: &ConnectContext) -> Result<Place, SourceError> {
    let options: S3Options = parse_below("store", options)?;
    let store = options.client(url, context)?;
    let root = Path::from_url_path(url.path());
    let root = root.map_err(|_| invalid("url", "must be a bucket and a directory of it"))?;
    Ok(Place { store, store_url: known_as(context)?, root, local: None })
}

/// Two connections to one bucket can have different credentials, so DataFusion must not take one's
/// store for the other's.
fn known_as(context: &ConnectContext) -> Result<ObjectStoreUrl, SourceError> {
    let digest = blake3::hash(context.name.as_bytes()).to_hex();
    let url = ObjectStoreUrl::parse(format!("connection://{digest}"));
    url.map_err(|_| invalid("url", "must be a path or URL"))
}

/// The kind of an object store's error. Its text is kept for local files only: a remote
/// store's can hold parts of requests.
pub(crate) fn replaced(error: object_store::Error) -> SourceError {
    use object_store::Error as E;
    let kind = match &error {
        E::NotFound { .. } => SourceErrorKind::NotFound,
        E::PermissionDenied { .. } | E::Unauthenticated { .. } => SourceErrorKind::Denied,
        E::Precondition { .. } => SourceErrorKind::Changed,
        E::Generic { store: "LocalFileSystem", source } if denied(source.as_ref()) => {
            SourceErrorKind::Denied
        }
        _ => SourceErrorKind::Unavailable { reason: "the store failed to answer".to_owned() },
    };
    let local = matches!(&error, E::Generic { store: "LocalFileSystem", .. });
    let made = SourceError::new(kind);
    if local { made.caused_by(error) } else { made }
}

fn denied(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(io) = current.downcast_ref::<std::io::Error>() {
            return io.kind() == std::io::ErrorKind::PermissionDenied;
        }
        next = current.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> Result<Place, SourceError> {
        let context = ConnectContext {
            name: "files".to_owned(),
            base: PathBuf::from("/projects/acme"),
            ..ConnectContext::default()
        };
        resolve(url, &Value::Null, &context)
    }

    #[test]
    fn paths_and_file_urls_are_local() {
        for url in ["data", "./x/../data", "/projects/acme/data", "file:///projects/acme/data"] {
            assert_eq!(at(url).expect(url).root.as_ref(), "projects/acme/data", "{url}");
        }
    }

    #[test]
    fn what_is_not_built_in_is_refused_without_secrets() {
        for url in ["gs://bucket/data", "memory:///x", "ftp://host/x"] {
            let error = at(url).expect_err(url);
            assert!(matches!(error.kind(), SourceErrorKind::UnknownScheme { .. }), "{error}");
        }
        for url in ["s3://canary:canary@bucket/x", "file:///x?token=canary"] {
            let error = at(url).expect_err(url);
            assert!(!format!("{error:?}{error}").contains("canary"), "{error}");
        }
    }
}
