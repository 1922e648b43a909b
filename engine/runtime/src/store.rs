//! The store: exports' manifests and chunks, behind an object store.
//!
//! A snapshot exists when its manifest does. A manifest is committed by one conditional put, which only
//! one of two writers wins.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use engine_bundle::context::Context;
use engine_bundle::digest::Digest;
use engine_bundle::ids::{FileId, RunId};
use engine_bundle::key::{KeyId, KeySource, NamedKey};
use engine_bundle::keyring::{FILE_BYTES_MAX, Keyring};
use engine_bundle::layout::{
    KEYRING, StoreObject, chunk_path, chunks_prefix, manifest_path, manifests_prefix,
};
use engine_bundle::manifest::{Chunk, MANIFEST_BYTES_MAX, Manifest};
use engine_bundle::sealed;
use engine_project::Project;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::clock;
use crate::codes::{keys as key_codes, run, store};
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::files;
use crate::keys::Keys;
use crate::seal::SealError;
use crate::unseal::UnsealError;

/// The store of a target.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    directory: PathBuf,
    project: String,
    target: String,
}

/// The right to publish into a store. Ends with the process at the latest.
#[derive(Debug)]
pub struct RunLock(#[expect(dead_code, reason = "held for its lock")] files::Lock);

/// A manifest as it lies in the store.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The manifest.
    pub manifest: Manifest,
    /// The digest of its canonical bytes.
    pub digest: Digest,
}

/// Whether a commit was the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// The snapshot exists from now on.
    Done(Digest),
    /// Another writer committed this version first.
    Lost,
}

/// The directory of exports.
const EXPORTS: &str = "exports";

/// Opens the target's store; makes its directory when it is one.
///
/// # Errors
/// A URL no store is built in for, or a directory that cannot be made.
pub fn open(project: &Project) -> Outcome<Store> {
    let setting = &project.target.store;
    let url = setting.value.reveal();
    let path = match url.split_once("://") {
        Some(("file", path)) => path,
        None => url,
        Some(_) => {
            let finding = Diagnostic::new(&store::STORE_URL, "no store of this kind is built in")
                .at(setting.at, "this URL")
                .help("use file:// and a directory");
            return Err(Failure::from(finding).in_project(project));
        }
    };
    let directory = project.root.join(path);
    let objects = open_directory(&directory).map_err(|error| {
        let message = format!("the store cannot be opened: {}", error.kind());
        let finding = Diagnostic::new(&store::STORE_UNAVAILABLE, message)
            .at(setting.at, "this directory")
            .help("check that it is a directory, or can be made one, and the rights to it");
        Failure::from(finding).in_project(project)
    })?;
    Ok(Store {
        objects: Arc::new(objects),
        directory,
        project: project.name.value.clone(),
        target: project.target.name.value.clone(),
    })
}

fn open_directory(directory: &FilePath) -> std::io::Result<LocalFileSystem> {
    std::fs::create_dir_all(directory)?;
    LocalFileSystem::new_with_prefix(directory)
        .map_err(|_| std::io::ErrorKind::NotADirectory.into())
}

impl Store {
    /// The objects themselves.
    pub fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    /// The directory that it is.
    pub fn directory(&self) -> &FilePath {
        &self.directory
    }

    /// Takes the lock that one run at a time holds. Commits are conditional besides, so that a store
    /// that knows no locks is safe too.
    ///
    /// # Errors
    /// Another run holds it, or the directory cannot be written.
    pub fn lock(&self) -> Outcome<RunLock> {
        let taken = files::lock(&self.directory.join("run.lock")).map_err(|_| {
            Diagnostic::new(&store::STORE_UNAVAILABLE, "the store's lock cannot be taken")
        })?;
        let lock = taken.ok_or_else(|| {
            Diagnostic::new(&store::STORE_LOCKED, "another run is at work on this store")
                .help("wait until it has ended, and run again")
        })?;
        Ok(RunLock(lock))
    }

    /// The project whose exports it holds.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The target it is the store of.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The versions whose manifests exist, ascending.
    ///
    /// # Errors
    /// The store cannot be listed.
    pub async fn versions(&self, file: FileId) -> Outcome<Vec<u64>> {
        let dated = self.dated_versions(file).await?;
        Ok(dated.into_iter().map(|(version, _)| version).collect())
    }

    /// The versions whose manifests exist, ascending, with the moment they were written.
    ///
    /// # Errors
    /// The store cannot be listed.
    pub async fn dated_versions(&self, file: FileId) -> Outcome<Vec<(u64, DateTime<Utc>)>> {
        let prefix = Path::from(manifests_prefix(file));
        let found: Vec<ObjectMeta> = self
            .objects
            .list(Some(&prefix))
            .try_collect()
            .await
            .map_err(|error| UnsealError::store(prefix.to_string(), &error).diagnostic())?;
        let mut versions: Vec<(u64, DateTime<Utc>)> = found
            .iter()
            .filter_map(|meta| match StoreObject::parse(meta.location.as_ref()) {
                Ok(StoreObject::Manifest { version, .. }) => Some((version, meta.last_modified)),
                _ => None,
            })
            .collect();
        versions.sort_unstable();
        Ok(versions)
    }

    /// The folders of exports, whosever they are.
    ///
    /// # Errors
    /// The store cannot be listed.
    pub async fn exports(&self) -> Outcome<Vec<FileId>> {
        let prefix = Path::from(EXPORTS);
        let found = self
            .objects
            .list_with_delimiter(Some(&prefix))
            .await
            .map_err(|error| UnsealError::store(prefix.to_string(), &error).diagnostic())?;
        let folders = found.common_prefixes.iter().filter_map(Path::filename);
        let mut folders: Vec<FileId> = folders.filter_map(|name| name.parse().ok()).collect();
        folders.sort();
        Ok(folders)
    }

    /// The chunk files of an export with their sizes, whether a manifest names them or not.
    ///
    /// # Errors
    /// The store cannot be listed.
    pub async fn chunk_files(&self, file: FileId) -> Outcome<Vec<(String, u64)>> {
        let prefix = Path::from(chunks_prefix(file));
        let mut found: Vec<(String, u64)> = self
            .objects
            .list(Some(&prefix))
            .map_ok(|meta| (meta.location.to_string(), meta.size))
            .try_collect()
            .await
            .map_err(|error| UnsealError::store(prefix.to_string(), &error).diagnostic())?;
        found.sort();
        Ok(found)
    }

    /// Whether every chunk of a snapshot is there, with its length.
    ///
    /// # Errors
    /// The store cannot be listed.
    pub async fn holds(&self, file: FileId, manifest: &Manifest) -> Outcome<bool> {
        let found: BTreeMap<String, u64> = self.chunk_files(file).await?.into_iter().collect();
        let is_there = |chunk: &Chunk| {
            found.get(&chunk_path(file, chunk.id, manifest.encryption)) == Some(&chunk.bytes)
        };
        Ok(manifest.chunks.iter().all(is_there))
    }

    /// The manifest of a version.
    ///
    /// # Errors
    /// It is missing, was changed, or was sealed with a key that is not held.
    pub async fn manifest(
        &self,
        file: FileId,
        export: &str,
        version: u64,
        keys: &dyn KeySource,
    ) -> Result<Stored, UnsealError> {
        let name = manifest_path(file, version)
            .map_err(|_| UnsealError::missing(format!("snapshot {version} of {export}")))?;
        let bytes = self.read(&name, MANIFEST_BYTES_MAX as u64).await?;
        let context = Context::manifest(&self.project, export, version);
        let plain = sealed::open(keys, &context, &bytes)
            .map_err(|error| UnsealError::sealed(&name, &error))?;
        let manifest = Manifest::parse(&plain)
            .map_err(|error| UnsealError::tampered(&name, error.to_string()))?;
        let right = manifest.version == version
            && manifest.export == export
            && manifest.project == self.project;
        if !right {
            return Err(UnsealError::tampered(&name, "is the manifest of another snapshot"));
        }
        if manifest.target != self.target {
            let words = format!("was published for target `{}`", manifest.target);
            return Err(UnsealError::tampered(&name, words).mended_by(
                "give every target a store of its own, and bring nothing from one to another",
            ));
        }
        Ok(Stored { digest: Digest::of(&plain), manifest })
    }

    /// Seals and commits a manifest under its version.
    ///
    /// # Errors
    /// The manifest contradicts itself, or the store refuses it.
    pub async fn commit(
        &self,
        file: FileId,
        manifest: &Manifest,
        key: &KeyId,
        keys: &Keys,
    ) -> Outcome<Commit> {
        let internal = |what: String| Diagnostic::new(&run::INTERNAL, what);
        let plain = manifest.to_bytes().map_err(|error| internal(error.to_string()))?;
        let path =
            manifest_path(file, manifest.version).map_err(|error| internal(error.to_string()))?;
        let material = keys.find(key).ok_or_else(|| SealError::Key.diagnostic())?;
        let context = Context::manifest(&self.project, &manifest.export, manifest.version);
        let bytes = sealed::seal(NamedKey { id: key, material }, &context, &plain)
            .map_err(|error| internal(error.to_string()))?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.objects.put_opts(&Path::from(path), bytes.into(), options).await {
            Ok(_) => Ok(Commit::Done(Digest::of(&plain))),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Commit::Lost),
            Err(error) => Err(SealError::from(error).diagnostic().into()),
        }
    }

    /// Puts the wrapped keyring beside the data, so that a recipient has it with the store.
    ///
    /// # Errors
    /// The store refuses it, or holds another keyring, whose data could not be opened any more.
    pub async fn publish_keyring(&self, keys: &Keys) -> Outcome<()> {
        match self.published_keyring().await {
            Ok(bytes) if *bytes == *keys.wrapped() => return Ok(()),
            Ok(bytes) => {
                let copy = Keyring::parse(&bytes);
                if copy.is_ok_and(|copy| !copy.is_copy_of(keys.keyring())) {
                    let message = format!("{KEYRING}: the store holds another keyring");
                    return Err(Diagnostic::new(&key_codes::KEYRING_EXISTS, message)
                        .help("use the keyring that this store was made with, or another store")
                        .into());
                }
            }
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error.diagnostic().into()),
        }
        let bytes = keys.wrapped().to_vec();
        match self.objects.put(&Path::from(KEYRING), bytes.into()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(SealError::from(error).diagnostic().into()),
        }
    }

    /// The wrapped keyring that lies beside the data.
    ///
    /// # Errors
    /// It is missing, longer than a keyring may be, or the store cannot be read.
    pub async fn published_keyring(&self) -> Result<bytes::Bytes, UnsealError> {
        self.read(KEYRING, FILE_BYTES_MAX as u64).await
    }

    pub(crate) async fn read(
        &self,
        name: &str,
        bytes_max: u64,
    ) -> Result<bytes::Bytes, UnsealError> {
        let path = Path::from(name);
        let found =
            self.objects.get(&path).await.map_err(|error| UnsealError::store(name, &error))?;
        if found.meta.size > bytes_max {
            return Err(UnsealError::tampered(name, "is longer than it may be"));
        }
        found.bytes().await.map_err(|error| UnsealError::store(name, &error))
    }
}

/// A new id for an operation that begins now.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn new_id() -> Outcome<RunId> {
    let id = RunId::new(u64::try_from(clock::now().timestamp_millis()).unwrap_or(0));
    Ok(id.map_err(|_| {
        Diagnostic::new(&key_codes::RANDOM, "no random bytes for an operation's id")
    })?)
}
