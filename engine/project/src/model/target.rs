//! A target: a named environment of `profiles.yml`.

use std::collections::BTreeMap;

use crate::location::{Location, Spanned};
use crate::model::events::Destination;
use crate::node::Node;
use crate::secret::Setting;

/// A named environment: where results go, with which keys, from and to which databases.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name.
    pub name: Spanned<String>,
    /// URL of the store; `file://` paths that are relative are relative to the project.
    pub store: Spanned<Setting>,
    /// Whether runs need a reviewed plan.
    pub protected: bool,
    /// Where the key that opens the keyring comes from.
    pub keys: Keys,
    /// Connections by name.
    pub connections: BTreeMap<String, Connection>,
    /// Who is told of operations.
    pub events: Vec<Destination>,
    /// How much of the machine a run may use.
    pub execution: Execution,
}

/// Where the keyring is and what opens it.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Path of the keyring, relative to the project; `None` for the store's `keys/keyring.json`.
    pub keyring: Option<Spanned<Setting>>,
    /// What opens it.
    pub provider: KeyProvider,
    /// How old a key may become before it is to be replaced, as it is written.
    pub max_age: Option<Spanned<String>>,
    /// Where the section stands.
    pub at: Location,
}

/// What opens the keyring. Holds names and paths only, no secret text.
#[derive(Clone, Debug)]
pub enum KeyProvider {
    /// A passphrase; `env` names the variable that may hold it.
    Passphrase {
        /// Name of the environment variable.
        env: Option<Spanned<String>>,
    },
    /// 32 bytes, encoded, in an environment variable.
    Environment {
        /// Name of the environment variable.
        env: Spanned<String>,
    },
    /// 32 bytes in a file.
    File {
        /// Path relative to the project.
        path: Spanned<Setting>,
    },
}

/// A database or file location that can be read or loaded.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its name.
    pub name: Spanned<String>,
    /// The connector's name, such as `sqlite`; checked by whoever knows the connectors.
    pub kind: Spanned<String>,
    /// Every other key, for the connector: always a mapping.
    pub params: Node,
}

/// How much of the machine a run may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Streams that read, mask and write at once, at least 1; `None` leaves it to the machine.
    pub jobs: Option<u32>,
    /// Memory for query execution in bytes; `None` leaves it to the runtime.
    pub memory_bytes: Option<u64>,
    /// Rows of a record batch, at least 1.
    pub batch_rows: u32,
}

impl Default for Execution {
    fn default() -> Self {
        Self { jobs: None, memory_bytes: None, batch_rows: 8192 }
    }
}
