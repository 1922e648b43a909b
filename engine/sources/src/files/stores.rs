//! The one place that decides which object store a URL belongs to.
//!
//! ```text
//!  data            a path relative to the project     local file system
//!  /srv/data       an absolute path                   local file system
//!  file:///srv     a file URL                         local file system
//!  s3://bucket/x   any other URL                      the store object_store has for it
//! ```
//!
//! Stores beyond the local one are built in by features of `object_store`; without its
//! feature a scheme is refused. Credentials come as store options, never in the URL.

use std::path::{Component, Path as FilePath, PathBuf};
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, parse_url_opts};
use url::Url;

use crate::connector::ConnectContext;
use crate::error::{SourceError, SourceErrorKind};
use crate::params::invalid;

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

/// Resolves a connection's `url`. Opens nothing.
///
/// # Errors
/// A URL that cannot be read, holds credentials, or has a scheme no store is built in for.
pub(crate) fn resolve(url: &str, context: &ConnectContext) -> Result<Place, SourceError> {
    if url.is_empty() {
        return Err(invalid("url", "must be a path or URL"));
    }
    if !url.contains("://") {
        return local(&context.base.join(url));
    }
    let parsed = Url::parse(url).map_err(|_| invalid("url", "must be a path or URL"))?;
    if !parsed.username().is_empty() || parsed.password().is_some() || parsed.query().is_some() {
        return Err(invalid("url", "must not hold credentials or a query").with_hint(
            "give credentials as store options, by reference to the environment or a file",
        ));
    }
    match parsed.scheme() {
        "file" => {
            let path = parsed
                .to_file_path()
                .map_err(|()| invalid("url", "must be a file URL with an absolute path"))?;
            local(&path)
        }
        // A memory store would be a new, empty one.
        "memory" => Err(unknown_scheme(parsed.scheme())),
        scheme => {
            remote(&parsed, context).ok_or_else(|| unknown_scheme(&context.shown("url", scheme)))
        }
    }
}

fn unknown_scheme(scheme: &str) -> SourceError {
    SourceError::new(SourceErrorKind::UnknownScheme { scheme: scheme.to_owned() })
        .with_hint("this build reads local files: a path, or a file:// URL")
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

/// The store's own error is dropped: it can quote options.
fn remote(url: &Url, context: &ConnectContext) -> Option<Place> {
    let (store, root) = parse_url_opts(url, context.store_options.clone()).ok()?;
    let authority = &url[..url::Position::BeforePath];
    let store_url = ObjectStoreUrl::parse(authority).ok()?;
    Some(Place { store: Arc::from(store), store_url, root, local: None })
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
        resolve(url, &context)
    }

    #[test]
    fn paths_and_file_urls_are_local() {
        for url in ["data", "./x/../data", "/projects/acme/data", "file:///projects/acme/data"] {
            assert_eq!(at(url).expect(url).root.as_ref(), "projects/acme/data", "{url}");
        }
    }

    #[test]
    fn what_is_not_built_in_is_refused_without_secrets() {
        for url in ["s3://bucket/data", "memory:///x", "ftp://host/x"] {
            let error = at(url).expect_err(url);
            assert!(matches!(error.kind(), SourceErrorKind::UnknownScheme { .. }), "{error}");
        }
        for url in ["s3://canary:canary@bucket/x", "file:///x?token=canary"] {
            let error = at(url).expect_err(url);
            assert!(!format!("{error:?}{error}").contains("canary"), "{error}");
        }
    }
}
