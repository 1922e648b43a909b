//! The cold store: what is about to be destroyed is copied there first, sealed as it is, and read back.
//!
//! ```text
//!  <store>/exports/<file id>/chunks/<id>  ─copy─▶  <cold>/<project>/<target>/exports/<file id>/chunks/<id>
//!                                         ◀─digest of both, read back─
//! ```
//!
//! Nothing is ever deleted or replaced there. Interrupted anywhere, what is complete there is not copied again.

use std::path::Path as FilePath;
use std::sync::Arc;

use engine_bundle::digest::{Digest, Digester};
use engine_project::{Project, Spanned};
use futures::StreamExt;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::io::AsyncWriteExt;

use crate::codes::store as codes;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::files;
use crate::seal::SealError;
use crate::store::Store;
use crate::unseal::UnsealError;

/// Bytes of one part of an upload, as for chunks.
const PART_BYTES: usize = 8 << 20;

/// A cold store.
pub struct Cold {
    objects: Arc<dyn ObjectStore>,
    prefix: String,
}

/// Where `cold` of a policy points: a `file://` URL, or the `url` of a connection to files. None where it is neither.
#[must_use]
pub fn place(project: &Project, cold: &Spanned<String>) -> Option<std::path::PathBuf> {
    let url = match project.target.connections.get(&cold.value) {
        Some(connection) => connection.params.get("url")?.reveal_json().as_str()?.to_owned(),
        None if cold.value.starts_with("file://") => cold.value.clone(),
        None => return None,
    };
    let path = match url.split_once("://") {
        Some(("file", path)) => path.to_owned(),
        Some(_) => return None,
        None => url,
    };
    Some(project.root.join(path))
}

impl Cold {
    /// Opens the cold store at a place; makes its directory.
    ///
    /// # Errors
    /// The directory cannot be made, or is in the store, or the store in it: a copy would be what is destroyed.
    pub fn open(place: &FilePath, store: &Store) -> Outcome<Self> {
        let refused = |what: &str| {
            Diagnostic::new(&codes::STORE_UNAVAILABLE, format!("the cold store {what}"))
                .help("name a directory of its own under `cold`; nothing was destroyed")
        };
        files::make_directory(place).map_err(|_| refused("cannot be made"))?;
        let (cold, warm) = (files::resolved(place), files::resolved(store.directory()));
        let (Ok(cold), Ok(warm)) = (cold, warm) else {
            return Err(refused("cannot be looked at").into());
        };
        if cold.starts_with(&warm) || warm.starts_with(&cold) {
            return Err(refused("and the store are one place").into());
        }
        let objects =
            LocalFileSystem::new_with_prefix(&cold).map_err(|_| refused("cannot be opened"))?;
        let prefix = format!("{}/{}", store.project(), store.target());
        Ok(Self { objects: Arc::new(objects), prefix })
    }

    /// Copies an object of the store, and reads the copy back. What is gone from the store was copied before.
    ///
    /// # Errors
    /// It cannot be written, or there is another of its name.
    pub async fn keep(&self, store: &Store, path: &Path) -> Outcome<()> {
        let there = Path::from(format!("{}/{path}", self.prefix));
        let Some(own) = digest(&**store.objects(), path).await? else { return Ok(()) };
        match digest(&*self.objects, &there).await? {
            Some(copy) if copy == own => return Ok(()),
            Some(_) => return Err(other(&there).into()),
            None => self.copy(store, path, &there).await?,
        }
        match digest(&*self.objects, &there).await? {
            Some(copy) if copy == own => Ok(()),
            _ => Err(other(&there).into()),
        }
    }

    async fn copy(&self, store: &Store, path: &Path, there: &Path) -> Outcome<()> {
        let refused = |error: object_store::Error| SealError::from(error).diagnostic();
        let unwritten = |error: std::io::Error| SealError::from_io(&error).diagnostic();
        let mut parts = store.objects().get(path).await.map_err(refused)?.into_stream();
        let mut copy =
            BufWriter::with_capacity(Arc::clone(&self.objects), there.clone(), PART_BYTES);
        while let Some(part) = parts.next().await {
            copy.put(part.map_err(refused)?).await.map_err(refused)?;
        }
        Ok(copy.shutdown().await.map_err(unwritten)?)
    }
}

/// The digest of an object; none where there is none.
async fn digest(objects: &dyn ObjectStore, path: &Path) -> Outcome<Option<Digest>> {
    let refused = |error: object_store::Error| UnsealError::store(path.to_string(), &error);
    let mut parts = match objects.get(path).await {
        Ok(found) => found.into_stream(),
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(refused(error).diagnostic().into()),
    };
    let mut digester = Digester::new();
    while let Some(part) = parts.next().await {
        digester.update(&part.map_err(|error| refused(error).diagnostic())?);
    }
    Ok(Some(digester.finish()))
}

fn other(path: &Path) -> Diagnostic {
    let message = format!("the cold store holds another {path} than the store");
    Diagnostic::new(&codes::STORE_UNAVAILABLE, message)
        .help("name another directory under `cold`; it was not destroyed in the store")
}
