//! What the store keeps of deletions: tombstones of an export, and the record of what went.
//!
//! Tombstones are numbered documents, each committed by one conditional put; the greatest number holds, and
//! those before it are removed.

use engine_bundle::context::{Context, Kind};
use engine_bundle::ids::FileId;
use engine_bundle::key::{KeySource, NamedKey, Purpose};
use engine_bundle::layout::{StoreObject, audit_path, tombstones_path, tombstones_prefix};
use engine_bundle::sealed;
use engine_tracking::retention::{Deletion, Tombstones};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions};

use crate::codes::run;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::keys::Keys;
use crate::seal::SealError;
use crate::store::{Store, new_id};
use crate::unseal::UnsealError;

/// Bytes of a document of tombstones.
const TOMBSTONES_BYTES_MAX: u64 = 64 << 20;
/// How often a document may be replaced between being listed and being read.
const ATTEMPTS_MAX: u32 = 5;

impl Store {
    /// The tombstones of an export, with the number of the document; 0 where there is none.
    ///
    /// # Errors
    /// The store cannot be read, or holds a document that was changed.
    pub async fn tombstones(
        &self,
        file: FileId,
        export: &str,
        keys: &dyn KeySource,
    ) -> Outcome<(u64, Tombstones)> {
        for attempt in 1.. {
            let Some(number) = self.numbers(file).await?.into_iter().max() else { break };
            match self.tombstones_of(file, export, number, keys).await {
                Ok(tombstones) => return Ok((number, tombstones)),
                // A later one has replaced it since it was listed.
                Err(error) if error.is_missing() && attempt < ATTEMPTS_MAX => {}
                Err(error) => return Err(error.diagnostic().into()),
            }
        }
        Ok((0, Tombstones::new()))
    }

    async fn tombstones_of(
        &self,
        file: FileId,
        export: &str,
        number: u64,
        keys: &dyn KeySource,
    ) -> Result<Tombstones, UnsealError> {
        let name = tombstones_path(file, number).unwrap_or_default();
        let bytes = self.read(&name, TOMBSTONES_BYTES_MAX).await?;
        let plain = sealed::open(keys, &self.tombstones_context(export, number), &bytes)
            .map_err(|error| UnsealError::sealed(&name, &error))?;
        Tombstones::parse(&plain).map_err(|error| UnsealError::tampered(&name, error.to_string()))
    }

    async fn numbers(&self, file: FileId) -> Outcome<Vec<u64>> {
        let prefix = Path::from(tombstones_prefix(file));
        let listed = self.objects().list(Some(&prefix)).map_ok(|meta| meta.location);
        let found: Vec<Path> = listed
            .try_collect()
            .await
            .map_err(|error| UnsealError::store(prefix.to_string(), &error).diagnostic())?;
        let number = |path: &Path| match StoreObject::parse(path.as_ref()) {
            Ok(StoreObject::Tombstones { number, .. }) => Some(number),
            _ => None,
        };
        Ok(found.iter().filter_map(number).collect())
    }

    /// Commits tombstones as the document after `number`; false where another was first.
    ///
    /// # Errors
    /// The store refuses them.
    pub async fn commit_tombstones(
        &self,
        file: FileId,
        export: &str,
        number: u64,
        tombstones: &Tombstones,
        keys: &Keys,
    ) -> Outcome<bool> {
        let internal = |what: &str| Diagnostic::new(&run::INTERNAL, what);
        let next = number.saturating_add(1);
        let path = tombstones_path(file, next).map_err(|_| internal("no number is left"))?;
        let plain = tombstones.to_bytes().map_err(|_| internal("tombstones cannot be written"))?;
        let context = self.tombstones_context(export, next);
        let bytes = self.sealed(Purpose::Data, &context, &plain, keys)?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.objects().put_opts(&Path::from(path), bytes.into(), options).await {
            Ok(_) => {}
            Err(object_store::Error::AlreadyExists { .. }) => return Ok(false),
            Err(error) => return Err(SealError::from(error).diagnostic().into()),
        }
        for old in self.numbers(file).await?.into_iter().filter(|old| *old < next) {
            let path = tombstones_path(file, old).unwrap_or_default();
            // One that stays is passed over: the greatest number holds.
            let _ = self.objects().delete(&Path::from(path)).await;
        }
        Ok(true)
    }

    /// Puts deletions on record, in a file of their own.
    ///
    /// # Errors
    /// The store refuses it.
    pub async fn record_deletions(
        &self,
        export: &str,
        deletions: &[Deletion],
        keys: &Keys,
    ) -> Outcome<()> {
        let id = new_id()?;
        let context = Context::named(Kind::Audit, self.project(), export, &id.to_string());
        let plain = serde_json::to_vec(deletions)
            .map_err(|_| Diagnostic::new(&run::INTERNAL, "a deletion cannot be written"))?;
        let bytes = self.sealed(Purpose::Audit, &context, &plain, keys)?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.objects().put_opts(&Path::from(audit_path(id)), bytes.into(), options).await {
            Ok(_) => Ok(()),
            Err(error) => Err(SealError::from(error).diagnostic().into()),
        }
    }

    fn sealed(
        &self,
        purpose: Purpose,
        context: &Context,
        plain: &[u8],
        keys: &Keys,
    ) -> Outcome<Vec<u8>> {
        let id = keys.active(purpose)?;
        let material = keys.find(&id).ok_or_else(|| SealError::Key.diagnostic())?;
        let sealed = sealed::seal(NamedKey { id: &id, material }, context, plain);
        Ok(sealed.map_err(|error| Diagnostic::new(&run::INTERNAL, error.to_string()))?)
    }

    fn tombstones_context(&self, export: &str, number: u64) -> Context {
        let object = format!("{}/tombstones/{number}", self.target());
        Context::named(Kind::Manifest, self.project(), export, &object)
    }
}
