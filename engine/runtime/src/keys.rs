//! The project's keyring: found, opened with what the target names, and handed to those who need it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_bundle::derive::subkey;
use engine_bundle::ids::FileId;
use engine_bundle::key::{KeyId, KeyName, KeySource, Purpose};
use engine_bundle::keyring::{
    FILE_BYTES_MAX, KeyState, Keyring, KeyringError, OpenKeyring, Protection, Provider,
};
use engine_bundle::secret::{KeyMaterial, Secret};
use engine_masking::DigestKey;
use engine_project::{KeyProvider, Project};
use zeroize::Zeroizing;

use crate::clock;
use crate::codes::{Code, keys};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::files;
use crate::masks::resolver::MaskKeys;
use crate::masks::spec::KeyRef;
use crate::masks::versions::MaskingKeys;
use crate::request::Context;

/// Separates the keys of digests from other keys.
const DIGEST_LABEL: &str = "engine row digest v1";
/// Separates the key of digests of catalogs' texts from other keys.
const WORDS_LABEL: &str = "engine catalog words v1";
/// Separates the key of the MACs of run records from other keys.
const RECORDS_LABEL: &str = "engine run records v1";
/// Where the keyring lies when the target names no place.
const KEYRING_FILE: &str = "keyring.json";
/// The environment variable that holds the passphrase when the target names none.
pub const PASSPHRASE_VARIABLE: &str = "ENGINE_PASSPHRASE";

/// Gives texts of catalogs their digests.
pub struct WordDigests(KeyMaterial);

impl WordDigests {
    /// 16 hexadecimal digits: enough to tell that a text changed, and keyed, so that none can be guessed.
    pub fn of(&self, text: &str) -> String {
        FileId::new(&self.0, "", text).to_string()
    }
}

/// The opened keyring of a project.
#[derive(Clone)]
pub struct Keys {
    open: Arc<OpenKeyring>,
    bytes: Arc<[u8]>,
}

impl KeySource for Keys {
    fn find(&self, id: &KeyId) -> Option<&KeyMaterial> {
        self.open.find(id)
    }
}

/// Where the project's keyring lies.
pub fn keyring_path(project: &Project) -> PathBuf {
    let named = project.target.keys.keyring.as_ref().map(|path| path.value.reveal());
    let path = project.root.join(named.unwrap_or(KEYRING_FILE));
    path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path)
}

/// Where it lies, as it may stand in a message: a path that comes from the environment may not.
pub fn shown_path(project: &Project) -> PathBuf {
    match &project.target.keys.keyring {
        Some(path) if path.value.is_secret() => PathBuf::from(path.value.shown()),
        _ => keyring_path(project),
    }
}

/// The versions of the masking keys as the keyring's file lists them, without opening it.
pub fn listed(project: &Project) -> MaskingKeys {
    let bytes = files::read(&keyring_path(project), FILE_BYTES_MAX as u64).ok();
    let keyring = bytes.and_then(|bytes| Keyring::parse(&bytes).ok());
    let versions = keyring.map(|keyring| {
        let mut versions = BTreeMap::new();
        for entry in keyring.list() {
            if entry.id.purpose == Purpose::Masking && entry.state == KeyState::Active {
                versions.insert(entry.id.name.as_str().to_owned(), entry.id.version.get());
            }
        }
        versions
    });
    MaskingKeys { versions }
}

/// Opens the project's keyring.
///
/// # Errors
/// No keyring, no secret to open it with, or the wrong one.
pub fn open(project: &Project, context: &Context) -> Outcome<Keys> {
    opened(project, context).map_err(|failure| failure.in_project(project))
}

/// Whether the key that opens the keyring is given, right or wrong. A passphrase may be asked for.
pub fn has_key(project: &Project, context: &Context) -> bool {
    match &project.target.keys.provider {
        KeyProvider::Passphrase { .. } => true,
        KeyProvider::Environment { env } => context.environment.contains_key(&env.value),
        KeyProvider::File { path } => project.root.join(path.value.reveal()).exists(),
    }
}

/// Whether the keyring can be opened without anybody being asked: it is there, and so is what opens it.
pub fn is_at_hand(project: &Project, context: &Context) -> bool {
    let is_given = match &project.target.keys.provider {
        KeyProvider::Passphrase { env } => {
            let variable = env.as_ref().map_or(PASSPHRASE_VARIABLE, |name| name.value.as_str());
            context.environment.contains_key(variable)
        }
        KeyProvider::Environment { .. } | KeyProvider::File { .. } => has_key(project, context),
    };
    is_given && keyring_path(project).exists()
}

fn opened(project: &Project, context: &Context) -> Outcome<Keys> {
    let shown = shown_path(project);
    let bytes = read(&keyring_path(project), &shown)?;
    let keyring = Keyring::parse(&bytes).map_err(|error| refusal(&error, &shown))?;
    let secret = secret(project, context, keyring.provider())?;
    let open = keyring.open(&secret).map_err(|error| refusal(&error, &shown))?;
    Ok(Keys { open: Arc::new(open), bytes: bytes.into() })
}

/// Makes a keyring with one key of each purpose.
///
/// # Errors
/// There is one already, or no secret to protect it with.
pub fn create(project: &Project, context: &Context) -> Outcome<Keys> {
    created(project, context).map_err(|failure| failure.in_project(project))
}

fn created(project: &Project, context: &Context) -> Outcome<Keys> {
    let shown = shown_path(project);
    let protection = match &project.target.keys.provider {
        KeyProvider::Passphrase { .. } => Protection::passphrase(),
        KeyProvider::Environment { .. } => Protection::Environment,
        KeyProvider::File { .. } => Protection::KeyFile,
    };
    let provider = match protection {
        Protection::Environment => Provider::Environment,
        Protection::KeyFile => Provider::KeyFile,
        Protection::Argon2id { .. } | Protection::Pbkdf2 { .. } => Provider::Passphrase,
    };
    let secret = secret(project, context, provider)?;
    let (_, mut open) = Keyring::create(protection, &secret, &Keyring::default_keys())
        .map_err(|error| refusal(&error, &shown))?;
    open.note_day(&clock::now().format("%Y-%m-%d").to_string());
    let bytes = open.to_bytes();
    files::create_private(&keyring_path(project), &bytes).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Diagnostic::new(&keys::KEYRING_EXISTS, format!("there is a keyring at `{}`", shown.display()))
                .help("a new keyring could open nothing that the old one sealed; move it away first if that is meant")
        }
        _ => unreadable(&shown, "cannot be written"),
    })?;
    Ok(Keys { open: Arc::new(open), bytes: bytes.into() })
}

fn read(path: &Path, shown: &Path) -> Outcome<Vec<u8>> {
    files::read(path, FILE_BYTES_MAX as u64).map_err(|error| {
        let finding = match error.kind() {
            io::ErrorKind::NotFound => Diagnostic::new(
                &keys::KEYRING_MISSING,
                format!("there is no keyring at `{}`", shown.display()),
            )
            .help("make one with `engine keys init`, or restore the project's own"),
            io::ErrorKind::InvalidData => refusal(&KeyringError::TooLarge, shown),
            _ => unreadable(shown, "cannot be read"),
        };
        finding.into()
    })
}

fn unreadable(path: &Path, what: &str) -> Diagnostic {
    Diagnostic::new(&keys::KEY_FILE, format!("`{}` {what}", path.display()))
        .help("check that it is a file, and the rights of the user who runs the engine")
}

fn secret(project: &Project, context: &Context, provider: Provider) -> Outcome<Secret> {
    match (provider, &project.target.keys.provider) {
        (Provider::Passphrase, configured) => {
            let variable = match configured {
                KeyProvider::Passphrase { env: Some(name) } => name.value.as_str(),
                _ => PASSPHRASE_VARIABLE,
            };
            let given = context.passphrase.passphrase(variable).ok_or_else(|| {
                Diagnostic::new(&keys::NO_PASSPHRASE, "the keyring needs its passphrase").help(format!(
                    "set {variable} in the environment or in `.env`, name a file with --passphrase-file, or type it at a terminal"
                ))
            })?;
            Ok(Secret::new(given.as_bytes().to_vec()))
        }
        (Provider::Environment, KeyProvider::Environment { env }) => {
            let given = context.environment.get(&env.value).ok_or_else(|| {
                let message = format!("environment variable `{}` is not set", env.value);
                Diagnostic::new(&keys::KEY_ENVIRONMENT, message)
                    .at(env.at, "not set")
                    .help("it holds the key that opens the keyring: 32 bytes in base64 or hexadecimal digits")
            })?;
            Ok(Secret::new(given.as_bytes().to_vec()))
        }
        (Provider::KeyFile, KeyProvider::File { path }) => {
            let file = project.root.join(path.value.reveal());
            let bytes = files::read(&file, 4096).map_err(|_| {
                Diagnostic::new(&keys::KEY_FILE, "the key file cannot be read")
                    .at(path.at, "this file")
                    .help("check that the file exists and may be read; relative paths start at the project's folder")
            })?;
            Ok(Secret::new(bytes))
        }
        (wanted, _) => Err(Diagnostic::new(
            &keys::KEYRING_MALFORMED,
            format!("the keyring is opened by {wanted}, and the target names another provider"),
        )
        .at(project.target.keys.at, "names another provider")
        .help(format!("name {wanted} here, or the keyring that belongs to this target"))
        .into()),
    }
}

fn refusal(error: &KeyringError, path: &Path) -> Diagnostic {
    let code: &'static Code = match error {
        KeyringError::WrongPassphrase => &keys::WRONG_PASSPHRASE,
        KeyringError::WrongKey { provider: Provider::Environment }
        | KeyringError::KeyFormat { provider: Provider::Environment } => &keys::KEY_ENVIRONMENT,
        KeyringError::WrongKey { .. } | KeyringError::KeyFormat { .. } => &keys::KEY_FILE,
        KeyringError::PassphraseTooShort => &keys::WEAK_PASSPHRASE,
        KeyringError::NoActiveKey { .. } | KeyringError::NoSuchKey { .. } => &keys::KEY_UNKNOWN,
        KeyringError::Random(_) => &keys::RANDOM,
        _ => &keys::KEYRING_MALFORMED,
    };
    // "A wrong passphrase says so and nothing else."
    if matches!(error, KeyringError::WrongPassphrase) {
        return Diagnostic::new(code, "wrong passphrase");
    }
    let help = if code == &keys::KEYRING_MALFORMED {
        "restore the file from a copy you trust"
    } else {
        error.hint()
    };
    match error {
        // About what was given, not about the file.
        KeyringError::PassphraseTooShort | KeyringError::Random(_) => {
            Diagnostic::new(code, error.to_string()).help(help)
        }
        _ => Diagnostic::new(code, format!("`{}`: {error}", path.display())).help(help),
    }
}

impl Keys {
    /// The keyring as it lies in the project: wrapped keys only.
    pub fn wrapped(&self) -> &[u8] {
        &self.bytes
    }

    /// The opened keyring.
    pub fn keyring(&self) -> &OpenKeyring {
        &self.open
    }

    /// The id of the key that new files of this purpose are sealed with.
    ///
    /// # Errors
    /// The keyring has no active key of that purpose.
    pub fn active(&self, purpose: Purpose) -> Outcome<KeyId> {
        self.open
            .active(purpose, &KeyName::default_name())
            .map(|key| key.id.clone())
            .map_err(|error| refusal(&error, Path::new(KEYRING_FILE)).into())
    }

    /// The directory of an export in the store.
    ///
    /// # Errors
    /// The keyring has no identifiers key.
    pub fn file_id(&self, project: &str, export: &str) -> Outcome<FileId> {
        Ok(FileId::new(self.identifiers()?, project, export))
    }

    /// The key of the digests of an export's rows and values: by them tests compare, and name what failed.
    ///
    /// # Errors
    /// The keyring has no identifiers key.
    pub fn digest_key(&self, project: &str, export: &str) -> Outcome<DigestKey> {
        let parts = [project.as_bytes(), export.as_bytes()];
        let derived = subkey(self.identifiers()?, DIGEST_LABEL, &parts).map_err(|_| {
            Diagnostic::new(&crate::codes::run::INTERNAL, "no key could be derived")
        })?;
        Ok(DigestKey::new(*derived.expose()))
    }

    /// The digests by which texts of catalogs are compared without being recorded.
    ///
    /// # Errors
    /// The keyring has no identifiers key.
    pub fn word_digests(&self, project: &str) -> Outcome<WordDigests> {
        let derived = subkey(self.identifiers()?, WORDS_LABEL, &[project.as_bytes()]);
        let derived = derived.map_err(|_| {
            Diagnostic::new(&crate::codes::run::INTERNAL, "no key could be derived")
        })?;
        Ok(WordDigests(derived))
    }

    /// The id under which this place writes run records: 16 hexadecimal digits.
    ///
    /// # Errors
    /// The keyring has no identifiers key.
    pub fn writer_id(&self, place: &str) -> Outcome<String> {
        Ok(FileId::new(self.identifiers()?, "run records", place).to_string())
    }

    /// The id of a destination of events: 16 hexadecimal digits that say nothing of its URL.
    ///
    /// # Errors
    /// The keyring has no identifiers key.
    pub fn destination_id(&self, place: &str) -> Outcome<FileId> {
        Ok(FileId::new(self.identifiers()?, "destination of events", place))
    }

    /// The key of the MACs of run records.
    ///
    /// # Errors
    /// The keyring has no audit key.
    pub fn record_key(&self) -> Outcome<Zeroizing<[u8; 32]>> {
        let key = self.open.active(Purpose::Audit, &KeyName::default_name());
        let key = key.map_err(|error| refusal(&error, Path::new(KEYRING_FILE)))?;
        let derived = subkey(key.material, RECORDS_LABEL, &[]).map_err(|_| {
            Diagnostic::new(&crate::codes::run::INTERNAL, "no key could be derived")
        })?;
        Ok(Zeroizing::new(*derived.expose()))
    }

    fn identifiers(&self) -> Outcome<&KeyMaterial> {
        let key = self.open.active(Purpose::Identifiers, &KeyName::default_name());
        Ok(key.map_err(|error| refusal(&error, Path::new(KEYRING_FILE)))?.material)
    }

    fn masking(&self) -> impl Iterator<Item = (KeyRef, KeyId, KeyState)> {
        let entries = self.open.list().into_iter();
        entries.filter(|entry| entry.id.purpose == Purpose::Masking).map(|entry| {
            let name = entry.id.name.as_str().to_owned();
            (KeyRef { name, version: entry.id.version.get() }, entry.id, entry.state)
        })
    }

    /// The masking keys, for masks to be made with.
    pub fn mask_keys(&self) -> MaskKeys {
        let keys = self.masking().filter_map(|(reference, id, _)| {
            let material = self.open.find(&id)?;
            Some((reference, Zeroizing::new(*material.expose())))
        });
        MaskKeys::Opened(keys.collect())
    }

    /// The newest active version of each masking key.
    pub fn masking_versions(&self) -> MaskingKeys {
        let mut versions = BTreeMap::new();
        for (reference, _, state) in self.masking() {
            if state == KeyState::Active {
                let newest = versions.entry(reference.name).or_insert(reference.version);
                *newest = reference.version.max(*newest);
            }
        }
        MaskingKeys { versions: Some(versions) }
    }
}
