//! Reads and writes the folder's files.

use std::path::{Path, PathBuf};

use engine_bundle::context::{Context, Kind};
use engine_bundle::key::{KeySource, NamedKey, Purpose};
use engine_bundle::sealed;
use engine_project::Project;
use engine_tracking::log::ChangeLog;
use engine_tracking::schema::SourceSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::index::{Index, Recorded};
use crate::codes::{run, tracking};
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::files;
use crate::keys::Keys;

/// The folder's name in a project.
pub(super) const FOLDER: &str = "metadata";
/// Where it is decrypted to; never committed.
pub const DECRYPTED: &str = "metadata/decrypted";
/// The index's name.
const INDEX: &str = "index";
/// The ending of its files.
pub(super) const ENDING: &str = ".enc";
/// Bytes of one of its files.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// Archives of one file on one day.
const ARCHIVES_MAX: u32 = 10_000;

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Schemas.
    Schemas,
    /// DDL.
    Ddl,
    /// Logs of changes.
    Changes,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Schemas, Self::Ddl, Self::Changes];

    /// The name of their folder.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schemas => "schemas",
            Self::Ddl => "ddl",
            Self::Changes => "changes",
        }
    }
}

/// The folder of a project, with the keys that open it.
#[derive(Clone)]
pub struct Folder<'k> {
    root: PathBuf,
    project: String,
    keys: &'k Keys,
}

impl<'k> Folder<'k> {
    /// The folder of a project, there or not.
    pub fn of(project: &Project, keys: &'k Keys) -> Self {
        let root = project.root.join(FOLDER);
        Self { root, project: project.name.value.clone(), keys }
    }

    /// The name of a source's file, without its ending.
    ///
    /// # Errors
    /// The keyring has no identifiers key.
    pub fn name(&self, part: Part, source: &str) -> Outcome<String> {
        let part = part.as_str();
        // No export has a `/` in its name, so no other file has this id.
        let id = self.keys.file_id(&self.project, &format!("{FOLDER}/{part}/{source}"))?;
        Ok(format!("{part}/{id}"))
    }

    /// What is recorded of a source; none where nothing is.
    ///
    /// # Errors
    /// The file cannot be read, or is not what was recorded.
    pub fn schema(&self, source: &str) -> Outcome<Option<SourceSchema>> {
        self.json(&self.name(Part::Schemas, source)?)
    }

    /// The log of a source's changes; empty where there is none.
    ///
    /// # Errors
    /// The file cannot be read, or is not what was recorded.
    pub fn log(&self, source: &str) -> Outcome<ChangeLog> {
        Ok(self.json(&self.name(Part::Changes, source)?)?.unwrap_or_default())
    }

    /// The index; empty where there is none.
    ///
    /// # Errors
    /// The file cannot be read, or is not what was recorded.
    pub fn index(&self) -> Outcome<Index> {
        Ok(self.json(INDEX)?.unwrap_or_else(|| Index::new(&self.project)))
    }

    /// A source's files as the index lists them; none where its log is empty.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn recorded(&self, source: &str, log: &ChangeLog) -> Outcome<Option<Recorded>> {
        let file = |part| Ok::<_, Failure>(format!("{}{ENDING}", self.name(part, source)?));
        let (schema, ddl, changes) = (file(Part::Schemas)?, file(Part::Ddl)?, file(Part::Changes)?);
        Ok(Recorded::of(schema, ddl, changes, log))
    }

    /// What a file holds; none where there is no such file.
    ///
    /// # Errors
    /// It cannot be read, or is not what was sealed under this name.
    pub fn read(&self, name: &str) -> Outcome<Option<Vec<u8>>> {
        let path = self.path(name);
        match files::read(&path, FILE_BYTES_MAX) {
            Ok(bytes) => self.opened(name, &bytes).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let message = format!("`{}` cannot be read: {}", shown(name), error.kind());
                Err(Diagnostic::new(&tracking::METADATA_DAMAGED, message)
                    .help("check the rights of the user who runs the engine")
                    .into())
            }
        }
    }

    /// Opens bytes as the file of a name.
    fn opened(&self, name: &str, bytes: &[u8]) -> Outcome<Vec<u8>> {
        sealed::open(self.keys, &self.context(name), bytes).map_err(|error| {
            let message = format!("`{}` {error}", shown(name));
            let finding = Diagnostic::new(&tracking::METADATA_DAMAGED, message);
            finding
                .help(
                    "restore it with `git checkout`; what was sealed under another name is refused",
                )
                .into()
        })
    }

    /// Opens bytes that are one of the folder's files, whichever: Git shows them without their name.
    ///
    /// # Errors
    /// They are none of this project's.
    pub fn guess(&self, bytes: &[u8], sources: &[String]) -> Outcome<Option<(String, Vec<u8>)>> {
        let index = self.index().unwrap_or_else(|_| Index::new(&self.project));
        let mut names = vec![INDEX.to_owned()];
        for source in sources.iter().chain(index.sources.keys()) {
            for part in Part::ALL {
                names.push(self.name(part, source)?);
            }
        }
        let archived = index.sources.values().flat_map(|recorded| &recorded.archived);
        names.extend(archived.map(|file| file.trim_end_matches(ENDING).to_owned()));
        let opened = |name: String| {
            let plain = sealed::open(self.keys, &self.context(&name), bytes).ok()?;
            Some((name, plain))
        };
        Ok(names.into_iter().find_map(opened))
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Outcome<Option<T>> {
        let Some(bytes) = self.read(name)? else { return Ok(None) };
        let read = serde_json::from_slice(&bytes).map_err(|_| {
            let message = format!("`{}` is of a form this version does not know", shown(name));
            Diagnostic::new(&tracking::METADATA_DAMAGED, message)
                .help("a newer engine may have written it: update this one")
        })?;
        Ok(Some(read))
    }

    /// Seals a document under a name, unless that is what stands there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, plain: &[u8]) -> Outcome<()> {
        // What cannot be opened is replaced: the source says what is true.
        if self.read(name).is_ok_and(|found| found.as_deref() == Some(plain)) {
            return Ok(());
        }
        let path = self.path(name);
        let sealed = self.sealed(name, plain)?;
        files::write(&path, &sealed).map_err(|error| Diagnostic::unwritable(&path, &error).into())
    }

    /// Writes the index.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_index(&self, index: &Index) -> Outcome<()> {
        self.write(INDEX, &document(index))
    }

    /// Puts a document aside under its name and the day; the name of the file, with its ending. What is already put
    /// aside on that day is not put aside again: whoever was killed in between does this twice.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn archive(&self, name: &str, day: &str, plain: &[u8]) -> Outcome<String> {
        for number in 1..=ARCHIVES_MAX {
            let suffix = if number == 1 { String::new() } else { format!("_{number}") };
            let archived = format!("{name}_{day}{suffix}");
            match self.read(&archived)? {
                Some(found) if found != plain => {}
                Some(_) => return Ok(format!("{archived}{ENDING}")),
                None => {
                    self.write(&archived, plain)?;
                    return Ok(format!("{archived}{ENDING}"));
                }
            }
        }
        let message = format!("there are {ARCHIVES_MAX} archives of one file on one day");
        Err(Diagnostic::new(&run::INTERNAL, message).into())
    }

    /// Removes files that were put aside; some may be gone.
    ///
    /// # Errors
    /// They cannot be removed.
    pub fn remove(&self, archives: &[String]) -> Outcome<()> {
        for archive in archives {
            let path = self.root.join(archive);
            files::remove(&path).map_err(|error| Diagnostic::unwritable(&path, &error))?;
        }
        Ok(())
    }

    fn sealed(&self, name: &str, plain: &[u8]) -> Outcome<Vec<u8>> {
        let id = self.keys.active(Purpose::Metadata)?;
        let sealed = self.keys.find(&id).map(|material| {
            sealed::seal(NamedKey { id: &id, material }, &self.context(name), plain)
        });
        match sealed {
            Some(Ok(sealed)) => Ok(sealed),
            Some(Err(_)) | None => {
                Err(Diagnostic::new(&run::INTERNAL, "a file of metadata could not be sealed")
                    .into())
            }
        }
    }

    fn context(&self, name: &str) -> Context {
        Context::named(Kind::Metadata, &self.project, "", name)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}{ENDING}"))
    }
}

/// A file of the folder, as it is named in messages.
fn shown(name: &str) -> String {
    Path::new(FOLDER).join(format!("{name}{ENDING}")).display().to_string()
}

/// A document's canonical bytes.
pub fn document<T: Serialize>(value: &T) -> Vec<u8> {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text.into_bytes()
}
