//! What a caller hands to every operation: where the project is, what opens its keys, who listens.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::event::Observer;

/// Gives the passphrase when one is needed. Called at most once per command.
pub trait PassphraseSource: Send + Sync {
    /// The passphrase, or `None` when there is none to be had. `variable` is the environment variable
    /// that the target names.
    fn passphrase(&self, variable: &str) -> Option<Zeroizing<String>>;
}

/// Where a command works and with what.
#[derive(Clone)]
pub struct Context {
    /// The project's directory.
    pub root: PathBuf,
    /// The target asked for; the project's default when absent.
    pub target: Option<String>,
    /// Variables of the command line.
    pub vars: BTreeMap<String, String>,
    /// The environment, `.env` included.
    pub environment: BTreeMap<String, String>,
    /// Where the passphrase comes from.
    pub passphrase: Arc<dyn PassphraseSource>,
    /// Who is told how a run goes.
    pub observer: Arc<dyn Observer>,
    /// `--jobs`: streams that run at once. The target's or 2 when absent.
    pub jobs: Option<usize>,
    /// `--memory`: bytes for operators that hold rows. The target's or 1 GiB when absent.
    pub memory_bytes: Option<usize>,
    /// `--batch-rows`: rows of a batch. The target's when absent.
    pub batch_rows: Option<usize>,
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Context").field("root", &self.root).finish_non_exhaustive()
    }
}

/// What happens to an export whose inputs did not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// It keeps its snapshot.
    #[default]
    Unchanged,
    /// It is written again.
    Nothing,
}
