//! A history as it lies in the store: the newest satellite, and the hub and links that it names.

use arrow::datatypes::Schema;
use engine_bundle::digest::Digest;
use engine_bundle::ids::FileId;
use engine_bundle::key::KeyId;
use engine_bundle::manifest::{Manifest, Predecessor};
use engine_project::Project;
use engine_tracking::history::{Vault, VaultTable};
use engine_tracking::retention::Moment;
use serde::{Deserialize, Serialize};

use super::layout::{Layout, is_own, refused};
use crate::codes::{run, tracking};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::heads::Heads;
use crate::keys::Keys;
use crate::publish::lost;
use crate::store::{Commit, Store, Stored};
use crate::tip::Tip;
use crate::unseal::{UnsealError, arrow_schema};

/// What a satellite's manifest says of its load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The export.
    pub export: String,
    /// The columns of the key.
    pub key: Vec<String>,
    /// The column of the tenant.
    pub tenant: Option<String>,
    /// The columns of the export at this load, in its order.
    pub columns: Vec<String>,
    /// The date of the first load, in microseconds since 1970.
    pub begun: i64,
    /// The date of this load.
    pub load_date: i64,
    /// The first date at which a version that is there was superseded, or its row gone; none where none was.
    pub first_end: Option<i64>,
    /// The snapshot of the export that was loaded.
    pub snapshot: Snapshot,
    /// The hub's manifest.
    pub hub: Snapshot,
    /// The names of its references.
    pub references: Vec<String>,
    /// The manifest of the links, where there ever were references.
    pub links: Option<Snapshot>,
}

/// A snapshot by version and digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Its version.
    pub version: u64,
    /// The digest of its manifest.
    pub digest: Digest,
}

impl Snapshot {
    /// The snapshot of a manifest.
    #[must_use]
    pub fn of(stored: &Stored) -> Self {
        Self { version: stored.manifest.version, digest: stored.digest }
    }
}

/// The newest load of a history.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What was loaded.
    pub document: Document,
    /// The satellite.
    pub satellite: Stored,
    /// The hub as the satellite names it.
    pub hub: Stored,
    /// The links as the satellite names them.
    pub links: Option<Stored>,
}

impl Recorded {
    /// When the newest load was.
    #[must_use]
    pub fn load_date(&self) -> Moment {
        moment(self.document.load_date)
    }

    /// When the first load was: nothing is known of before.
    #[must_use]
    pub fn begun(&self) -> Moment {
        moment(self.document.begun)
    }

    /// Its columns as they are recorded, with those of the references declared now whose links are recorded.
    ///
    /// # Errors
    /// A column has a type that this version cannot read.
    pub fn vault(&self, layout: &Layout) -> Outcome<Vault> {
        let mut fields = Vec::new();
        for stored in [&self.hub, &self.satellite] {
            let schema = readable(&stored.manifest)?;
            fields.extend(schema.fields().iter().filter(|field| !is_own(field.name())).cloned());
        }
        let schema = Schema::new(fields);
        let layout = layout.referring_by(&self.document.references).within(&schema);
        let vault = layout.vault(&schema);
        Ok(vault.map_err(|error| refused(&layout.name, &error))?)
    }

    /// A table of it.
    #[must_use]
    pub fn table(&self, table: VaultTable) -> Option<&Stored> {
        match table {
            VaultTable::Hub => Some(&self.hub),
            VaultTable::Satellite => Some(&self.satellite),
            VaultTable::Links => self.links.as_ref(),
        }
    }
}

/// The schema of a table.
///
/// # Errors
/// A column has a type that this version cannot read.
pub(super) fn readable(manifest: &Manifest) -> Outcome<Schema> {
    let unknown = |_| Diagnostic::new(&run::INTERNAL, "a column's type cannot be read");
    Ok(arrow_schema(manifest).map_err(unknown)?)
}

/// A moment by its microseconds since 1970.
pub(super) fn moment(micros: i64) -> Moment {
    Moment::from_timestamp_micros(micros).unwrap_or_default()
}

/// The ends of a history's tables.
pub struct Ends {
    /// What the next hub follows.
    pub hub: Option<Predecessor>,
    /// What the next satellite follows.
    pub satellite: Option<Predecessor>,
    /// What the next links follow.
    pub links: Option<Predecessor>,
    /// The newest load; none before the first, or where it is deleted softly.
    pub recorded: Option<Recorded>,
}

/// Where histories are found.
pub struct Shelf<'a> {
    /// The store.
    pub store: &'a Store,
    /// The keys.
    pub keys: &'a Keys,
    /// What was seen of it before.
    pub heads: &'a Heads,
}

impl Shelf<'_> {
    /// The directory of a table.
    ///
    /// # Errors
    /// The keyring has no key for identifiers.
    pub fn file(&self, history: &str, table: VaultTable) -> Outcome<FileId> {
        self.keys.file_id(self.store.project(), &table.of(history))
    }

    /// The newest load of a history; none before the first.
    ///
    /// # Errors
    /// A manifest is missing or not what it should be, or the store was rolled back.
    pub async fn recorded(&self, layout: &Layout) -> Outcome<Option<Recorded>> {
        let name = VaultTable::Satellite.of(&layout.name);
        let tip = self.tip(&layout.name, VaultTable::Satellite).await?;
        let Some(satellite) = tip.readable() else { return Ok(None) };
        let document = satellite.manifest.described.clone().unwrap_or_default();
        let document: Document = serde_json::from_value(document).map_err(|_| {
            let what = "does not say what it is the history of";
            UnsealError::tampered(&name, what).diagnostic()
        })?;
        let hub = self.named(&layout.name, VaultTable::Hub, document.hub).await?;
        let links = match document.links {
            Some(links) => Some(self.named(&layout.name, VaultTable::Links, links).await?),
            None => None,
        };
        Ok(Some(Recorded { document, satellite, hub, links }))
    }

    /// The ends of all tables, and the newest load.
    ///
    /// # Errors
    /// As [`Shelf::recorded`], or the history was begun with another key.
    pub async fn ends(&self, layout: &Layout) -> Outcome<Ends> {
        let recorded = self.recorded(layout).await?;
        if let Some(recorded) = &recorded {
            same_key(layout, &recorded.document)?;
        }
        let links = match layout.has_links() {
            true => self.tip(&layout.name, VaultTable::Links).await?.predecessor(),
            false => None,
        };
        Ok(Ends {
            hub: self.tip(&layout.name, VaultTable::Hub).await?.predecessor(),
            satellite: self.tip(&layout.name, VaultTable::Satellite).await?.predecessor(),
            links,
            recorded,
        })
    }

    /// The end of a table's chain.
    ///
    /// # Errors
    /// A manifest is not what it should be, or the store was rolled back.
    pub async fn tip(&self, history: &str, table: VaultTable) -> Outcome<Tip> {
        let (file, name) = (self.file(history, table)?, table.of(history));
        let seen = self.heads.seen(file);
        let tip = self.store.tip(file, &name, self.keys).await?;
        seen.check(&name, &tip)?;
        Ok(tip)
    }

    /// Commits the next manifest of a table.
    ///
    /// # Errors
    /// Another run committed one first, or the store refuses it.
    pub async fn commit(
        &self,
        history: &str,
        table: VaultTable,
        manifest: Manifest,
        key: &KeyId,
    ) -> Outcome<Stored> {
        let file = self.file(history, table)?;
        match self.store.commit(file, &manifest, key, self.keys).await? {
            Commit::Done(digest) => {
                let stored = Stored { manifest, digest };
                let noted = self.heads.record(file, &stored);
                noted.map_err(|error| Diagnostic::unwritable(self.heads.path(), &error))?;
                Ok(stored)
            }
            Commit::Lost => Err(lost(manifest.version, &manifest.export).into()),
        }
    }

    /// The manifest that a satellite names.
    async fn named(&self, history: &str, table: VaultTable, wanted: Snapshot) -> Outcome<Stored> {
        let (file, name) = (self.file(history, table)?, table.of(history));
        let stored = self.store.manifest(file, &name, wanted.version, self.keys).await;
        let stored = stored.map_err(|error| error.diagnostic())?;
        if stored.digest != wanted.digest {
            let what = "is not the one that the satellite names";
            return Err(UnsealError::tampered(&name, what).diagnostic().into());
        }
        Ok(stored)
    }
}

/// Hash keys of another key would tell everything apart from what is recorded.
///
/// # Errors
/// It was begun of another export, or with another key or tenant.
pub fn same_key(layout: &Layout, document: &Document) -> Outcome<()> {
    let said = (&layout.export, &layout.key, &layout.tenant);
    if said == (&document.export, &document.key, &document.tenant) {
        return Ok(());
    }
    let tenant = document.tenant.as_ref().map(|tenant| format!(", tenant {tenant}"));
    let message = format!(
        "history `{}` was begun of export `{}` with key {}{}",
        layout.name,
        document.export,
        document.key.join(", "),
        tenant.unwrap_or_default()
    );
    Err(Diagnostic::new(&tracking::HISTORY_REFUSED, message)
        .help("give the history with the new key or export a name of its own; this one stays as it is")
        .into())
}

/// The names of all tables of a project's histories, in declared order.
pub fn all_tables(project: &Project) -> Vec<(Layout, VaultTable)> {
    let of = |layout: Layout| {
        let links = layout.has_links().then_some(VaultTable::Links);
        let tables = [VaultTable::Hub, VaultTable::Satellite].into_iter().chain(links);
        tables.map(move |table| (layout.clone(), table)).collect::<Vec<_>>()
    };
    Layout::all(project).flat_map(of).collect()
}
