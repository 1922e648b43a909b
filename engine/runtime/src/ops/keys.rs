//! `keys`: the keyring made, listed, and one key of it handed to a recipient.

use std::path::{Path, PathBuf};

use engine_bundle::key::{KeyId, Purpose};
use engine_bundle::keyring::{KeyEntry, KeyState};
use engine_tracking::runs::{Object, ObjectKind, ScriptType};
use serde::Serialize;

use crate::codes::{commands, keys as codes};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::files;
use crate::keys::{self, Keys};
use crate::operation::{Scene, Told};
use crate::request::Context;
use crate::store;
use crate::workspace;

/// A keyring's keys, without the keys.
#[derive(Debug, Clone, Serialize)]
pub struct KeysReport {
    /// Where the keyring lies, unless the place is a secret.
    pub keyring: PathBuf,
    /// Its keys.
    pub keys: Vec<ListedKey>,
}

/// One key of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedKey {
    /// What it is for.
    pub purpose: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// `active` or `retired`.
    pub state: &'static str,
}

fn listed(entry: &KeyEntry) -> ListedKey {
    ListedKey {
        purpose: entry.id.purpose.to_string(),
        name: entry.id.name.to_string(),
        version: entry.id.version.get(),
        state: match entry.state {
            KeyState::Active => "active",
            KeyState::Retired => "retired",
        },
    }
}

/// Makes the target's keyring, with one key of each purpose.
///
/// # Errors
/// There is one already, or nothing to protect it with.
pub async fn init(context: &Context) -> Outcome<KeysReport> {
    let project = workspace::load(context)?;
    // Where it goes on record; without a keyring nothing can.
    let store = store::open(&project)?;
    let made = keys::create(&project, context)?;
    let entries = made.keyring().list();
    let objects = entries.iter().map(|entry| object(&entry.id)).collect();
    let report = KeysReport {
        keyring: keys::shown_path(&project),
        keys: entries.iter().map(listed).collect(),
    };
    let scene = Scene::of(context, &project, &made, &store)?;
    scene.recorded(ScriptType::KEYS_INIT, objects, async { Ok(report) }, |_| Told::default()).await
}

/// A key as what an operation is about.
fn object(id: &KeyId) -> Object {
    let name = format!("{}/{}/{}", id.purpose, id.name, id.version);
    Object { kind: ObjectKind::Key, name }
}

/// Lists the keys.
///
/// # Errors
/// There is no keyring, or it cannot be opened.
pub fn list(context: &Context) -> Outcome<KeysReport> {
    let project = workspace::load(context)?;
    let opened = keys::open(&project, context)?;
    let entries = opened.keyring().list();
    Ok(KeysReport {
        keyring: keys::shown_path(&project),
        keys: entries.iter().map(listed).collect(),
    })
}

/// Writes the active key of a purpose in clear, as hexadecimal digits, to a new private file.
///
/// # Errors
/// A purpose whose keys are not for recipients, or a file that exists.
pub async fn export(context: &Context, purpose: &str, to: &Path) -> Outcome<ListedKey> {
    let project = workspace::load(context)?;
    let opened = keys::open(&project, context)?;
    let Ok(wanted @ (Purpose::Data | Purpose::Metadata)) = purpose.parse() else {
        let message = format!("a key for `{purpose}` is not handed out");
        return Err(Diagnostic::new(&codes::KEY_UNKNOWN, message)
            .help(
                "keys for data and metadata are for recipients; masking keys would undo the masks",
            )
            .into());
    };
    let id = opened.active(wanted)?;
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &opened, &store)?;
    let work = async { written(&opened, &id, to) };
    scene.recorded(ScriptType::KEYS_EXPORT, vec![object(&id)], work, |_| Told::default()).await
}

fn written(opened: &Keys, id: &KeyId, to: &Path) -> Outcome<ListedKey> {
    let internal = |_| Diagnostic::new(&codes::KEY_UNKNOWN, "the key is not in the keyring");
    let text = opened.keyring().export(id).map_err(internal)?.to_hex();
    files::create_private(to, format!("{}\n", &*text).as_bytes()).map_err(|error| {
        let what = if error.kind() == std::io::ErrorKind::AlreadyExists {
            "exists already"
        } else {
            "cannot be written"
        };
        Diagnostic::new(&commands::OUTPUT_UNWRITABLE, format!("{} {what}", to.display()))
    })?;
    Ok(ListedKey {
        purpose: id.purpose.to_string(),
        name: id.name.to_string(),
        version: id.version.get(),
        state: "active",
    })
}
