//! The newest snapshots that runs of this project directory have seen, in `target/heads.json`. A store
//! that is behind them was rolled back: somebody removed manifests from its end, which the chain inside
//! the store cannot show; or tombstones, without which readers would see again what was deleted softly.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use engine_bundle::chain::Anchor;
use engine_bundle::digest::Digest;
use engine_bundle::ids::FileId;
use engine_bundle::layout::{manifest_path, tombstones_path};
use serde::{Deserialize, Serialize};

use crate::codes::store;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::files;
use crate::store::Stored;
use crate::tip::Tip;

const HEADS_BYTES_MAX: u64 = 16 << 20;

/// The file of heads of a project directory, as far as one target's store goes.
#[derive(Debug, Clone)]
pub struct Heads {
    path: PathBuf,
    target: String,
}

/// What was seen of an export before its store was read. Taken first, because another run may commit
/// while the store is read, and its snapshot would look removed.
#[derive(Debug, Clone)]
pub struct Seen {
    anchor: Option<Anchor>,
    tombstones: u64,
    file: FileId,
    path: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u64,
    digest: Digest,
    /// The number of the newest document of tombstones; 0 where there was none.
    #[serde(default, skip_serializing_if = "is_none")]
    tombstones: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_none(number: &u64) -> bool {
    *number == 0
}

impl Heads {
    /// The heads that runs in `root` have seen in the store of `target`.
    pub fn of(root: &Path, target: &str) -> Self {
        Self { path: root.join("target").join("heads.json"), target: target.to_owned() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The newest snapshot seen of an export.
    pub fn seen(&self, file: FileId) -> Seen {
        let head = self.read().get(&self.name(file)).copied();
        let anchor = head.map(|head| Anchor { version: head.version, digest: head.digest });
        let tombstones = head.map_or(0, |head| head.tombstones);
        Seen { anchor, tombstones, file, path: self.path.clone() }
    }

    /// Records the newest snapshot of an export.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn record(&self, file: FileId, stored: &Stored) -> io::Result<()> {
        let mut heads = self.read();
        let known = heads.get(&self.name(file)).copied();
        let head = Head {
            version: stored.manifest.version,
            digest: stored.digest,
            tombstones: known.map_or(0, |known| known.tombstones),
        };
        // A later one was recorded by a run beside this one.
        if known == Some(head) || known.is_some_and(|known| known.version > head.version) {
            return Ok(());
        }
        heads.insert(self.name(file), head);
        self.write(&heads)
    }

    /// Records the newest document of tombstones of an export of which a snapshot was seen.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn record_tombstones(&self, file: FileId, number: u64) -> io::Result<()> {
        let mut heads = self.read();
        match heads.get_mut(&self.name(file)) {
            Some(head) if head.tombstones < number => head.tombstones = number,
            Some(_) | None => return Ok(()),
        }
        self.write(&heads)
    }

    fn write(&self, heads: &BTreeMap<String, Head>) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(heads).map_err(io::Error::other)?;
        text.push('\n');
        files::write(&self.path, text.as_bytes())
    }

    fn read(&self) -> BTreeMap<String, Head> {
        // A missing file knows nothing; a damaged one is local state and is made anew.
        let bytes = files::read(&self.path, HEADS_BYTES_MAX).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Targets may share a keyring, and then an export has one file id in the stores of all of them.
    fn name(&self, file: FileId) -> String {
        format!("{}/{file}", self.target)
    }
}

impl Seen {
    /// The snapshot, when there is one.
    pub fn anchor(&self) -> Option<Anchor> {
        self.anchor
    }

    /// The number of the newest document of tombstones; 0 where there was none.
    pub fn tombstones(&self) -> u64 {
        self.tombstones
    }

    /// Checks that the store is not behind what was seen.
    ///
    /// # Errors
    /// It is behind.
    pub fn check(&self, export: &str, tip: &Tip) -> Outcome<()> {
        self.check_tombstones(export, tip.number())?;
        let known = tip.known();
        let Some(seen) = self.anchor else { return Ok(()) };
        let newest = known.map_or(0, |known| known.version);
        let replaced =
            known.is_some_and(|known| known.version == seen.version && known.digest != seen.digest);
        if newest >= seen.version && !replaced {
            return Ok(());
        }
        let name = manifest_path(self.file, seen.version).unwrap_or_default();
        let message = if replaced {
            format!("{name}: is not the snapshot {} of `{export}` that was committed", seen.version)
        } else {
            format!("{name}: is missing: the store ends with snapshot {newest} of `{export}`")
        };
        Err(Diagnostic::new(&store::ROLLED_BACK, message)
            .help(format!(
                "restore the store; if it was replaced on purpose, remove {}",
                self.path.display()
            ))
            .into())
    }

    /// Checks that no document of tombstones is missing that was seen.
    ///
    /// # Errors
    /// The newest is.
    pub fn check_tombstones(&self, export: &str, number: u64) -> Outcome<()> {
        if number >= self.tombstones {
            return Ok(());
        }
        let name = tombstones_path(self.file, self.tombstones).unwrap_or_default();
        let message = format!(
            "{name}: is missing: what retention took from readers of `{export}` would be back"
        );
        Err(Diagnostic::new(&store::ROLLED_BACK, message)
            .help(format!(
                "restore the store; if it was replaced on purpose, remove {}",
                self.path.display()
            ))
            .into())
    }
}
