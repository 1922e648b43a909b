//! The newest snapshots that runs of this project directory have seen, in `target/heads.json`. A store
//! that is behind them was rolled back: somebody removed manifests from its end, which the chain inside
//! the store cannot show.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use engine_bundle::chain::Anchor;
use engine_bundle::digest::Digest;
use engine_bundle::ids::FileId;
use serde::{Deserialize, Serialize};

use crate::codes::store;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::files;
use crate::store::Stored;

const HEADS_BYTES_MAX: u64 = 16 << 20;

/// The file of heads of a project directory.
#[derive(Debug, Clone)]
pub struct Heads {
    path: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u64,
    digest: Digest,
}

impl Heads {
    /// The heads of the project in `root`.
    pub fn of(root: &Path) -> Self {
        Self { path: root.join("target").join("heads.json") }
    }

    fn read(&self) -> BTreeMap<String, Head> {
        // A missing file knows nothing; a damaged one is local state and is made anew.
        let bytes = files::read(&self.path, HEADS_BYTES_MAX).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// The newest snapshot seen of an export.
    pub fn anchor(&self, file: FileId) -> Option<Anchor> {
        let head = *self.read().get(&file.to_string())?;
        Some(Anchor { version: head.version, digest: head.digest })
    }

    /// Checks that the store is not behind what was seen.
    ///
    /// # Errors
    /// It is behind.
    pub fn check(&self, file: FileId, export: &str, head: Option<&Stored>) -> Outcome<()> {
        let Some(seen) = self.anchor(file) else { return Ok(()) };
        let newest = head.map_or(0, |head| head.manifest.version);
        let replaced = head.is_some_and(|head| {
            head.manifest.version == seen.version && head.digest != seen.digest
        });
        if newest >= seen.version && !replaced {
            return Ok(());
        }
        let message = format!(
            "the store has snapshot {newest} of `{export}`, but snapshot {} was committed from here",
            seen.version
        );
        Err(Diagnostic::new(&store::ROLLED_BACK, message)
            .help(format!(
                "restore the store; if it was replaced on purpose, remove {}",
                self.path.display()
            ))
            .into())
    }

    /// Records the newest snapshot of an export.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn record(&self, file: FileId, stored: &Stored) -> io::Result<()> {
        let mut heads = self.read();
        let head = Head { version: stored.manifest.version, digest: stored.digest };
        if heads.insert(file.to_string(), head) == Some(head) {
            return Ok(());
        }
        let mut text = serde_json::to_string_pretty(&heads).map_err(io::Error::other)?;
        text.push('\n');
        files::write(&self.path, text.as_bytes())
    }
}
