//! Run records in the store: who did what, when, and how it went.
//!
//! ```text
//!  runs/<writer>/<class>/0000000007.ndjson.enc              lines from position 7 on, sealed
//!  runs/<writer>/<class>/0000000001-0000000512.ndjson.enc   small files made one
//!  runs/<writer>/<class>/head.json                          the newest line, under a MAC
//!  runs/<writer>/<class>/0000000001-0000008000.summary.enc  what lines amount to: see `summaries`
//! ```
//!
//! A file is put on condition that there is none of its name: of two commands that write at once, one finds the
//! other's line and goes on after it. What is recorded holds no value of data: names of the project, counts,
//! digests under a key, codes.

mod expiry;

use std::collections::BTreeMap;

use engine_bundle::context::{Context as SealedContext, Kind};
use engine_bundle::key::{KeySource, NamedKey, Purpose};
use engine_bundle::layout::RUNS;
use engine_bundle::sealed;
use engine_tracking::runs::chain::{
    self, ChainId, CompactionLimits, Fault, Head, Known, Line, Mark, MarkKind, RecordFile, Writer,
    compactable,
};
use engine_tracking::runs::{Class, Record, WriterId};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt, PutMode, PutOptions};
use zeroize::Zeroizing;

use crate::codes::{run, store as codes};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::keys::Keys;
use crate::request::Context;
use crate::seal::SealError;
use crate::store::Store;
use crate::unseal::UnsealError;

pub use expiry::{Expired, RecordsDue};

/// Bytes of a file of records.
pub(crate) const FILE_BYTES_MAX: u64 = 16 << 20;
/// Records of a file: one is some hundred bytes, so that a file stays far below what may be read.
const RECORDS_AT_ONCE: usize = 4_000;
/// Files that are read at once.
pub(crate) const FILES_AT_ONCE: usize = 16;
/// Writers that come first before a command gives up.
const ATTEMPTS_MAX: usize = 64;
/// How often a file may go between being listed and being read.
pub(crate) const LISTINGS_MAX: u32 = 10;
/// Small files that are left alone, and the size of what they become.
pub(crate) const LIMITS: CompactionLimits = CompactionLimits {
    bytes_max: std::num::NonZeroU64::MIN.saturating_add((1 << 20) - 1),
    files_min: 64,
};
/// The ending of files of lines.
const ENDING: &str = ".ndjson.enc";

/// The records of a store.
pub struct Records<'s> {
    store: &'s Store,
    keys: &'s Keys,
    mac_key: Zeroizing<[u8; 32]>,
    writer: WriterId,
    user: String,
}

/// A file of lines, by its name.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) path: Path,
    pub(crate) chain: ChainId,
    pub(crate) first: u64,
    /// Its last line, where it was made of small files.
    pub(crate) last: Option<u64>,
    pub(crate) meta: ObjectMeta,
}

impl<'s> Records<'s> {
    /// The records of a store, to be written by this machine and folder.
    ///
    /// # Errors
    /// The keyring has no key for them.
    pub fn of(context: &Context, store: &'s Store, keys: &'s Keys) -> Outcome<Self> {
        let here = std::path::absolute(&context.root).unwrap_or_default();
        let place = format!("{}:{}", host(context).unwrap_or_default(), here.display());
        let writer = keys.writer_id(&place)?;
        let writer = writer.parse().map_err(|_| internal("a writer's id cannot be made"))?;
        Ok(Self { store, keys, mac_key: keys.record_key()?, writer, user: user(context) })
    }

    /// Who is at work.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn store(&self) -> &'s Store {
        self.store
    }

    pub(crate) fn mac(&self) -> impl Fn(&[u8]) -> [u8; 32] + '_ {
        |bytes| *blake3::keyed_hash(&self.mac_key, bytes).as_bytes()
    }

    /// Appends records to the ends of this writer's chains.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn append(&self, records: Vec<Record>) -> Outcome<()> {
        let mut classes: BTreeMap<Class, Vec<Record>> = BTreeMap::new();
        for record in records {
            classes.entry(record.class()).or_default().push(record);
        }
        for (class, records) in classes {
            for records in records.chunks(RECORDS_AT_ONCE) {
                self.append_to(ChainId { writer: self.writer, class }, records).await?;
            }
        }
        Ok(())
    }

    async fn append_to(&self, chain: ChainId, records: &[Record]) -> Outcome<()> {
        let mut head = self.marked(chain, MarkKind::Head).await?;
        for _ in 0..ATTEMPTS_MAX {
            let mut writer = Writer::new(self.writer, head.as_slice());
            let mut text = Vec::new();
            for record in records {
                let line = writer.append(record.clone(), &self.mac());
                let line = line.map_err(|_| internal("a record cannot be written"))?;
                text.extend(line.to_bytes().map_err(|_| internal("a record cannot be written"))?);
                text.push(b'\n');
            }
            let first = head.map_or(1, |head| head.position.saturating_add(1));
            let path = Path::from(format!("{}/{first:010}{ENDING}", folder(chain)));
            if self.create(&path, &text).await? {
                for head in writer.heads() {
                    self.mark(MarkKind::Head, head).await?;
                }
                return Ok(());
            }
            // Somebody was first: the chain's end is where the newest file ends.
            head = self.end(chain).await?;
        }
        Err(Diagnostic::new(&codes::STORE_LOCKED, "others write run records all the time")
            .help("run the command again")
            .into())
    }

    /// The last line of a chain: of the file that begins last, or of one that is said to end later.
    async fn end(&self, chain: ChainId) -> Outcome<Option<Head>> {
        for attempt in 1.. {
            let files = self.files(&folder(chain)).await?;
            let last = files.iter().max_by_key(|file| file.first);
            let longest = files.iter().max_by_key(|file| file.end());
            let newest = last.into_iter().chain(longest).cloned().collect();
            match self.read(newest).await {
                Ok(lines) => {
                    return Ok(chain::heads(&lines).into_iter().find(|head| head.chain == chain));
                }
                // It has become part of a larger file since it was listed.
                Err(error) if error.is_missing() && attempt < LISTINGS_MAX => {}
                Err(error) => return Err(error.diagnostic().into()),
            }
        }
        Ok(None)
    }

    /// Whether the file was made; false where there is one of this name.
    async fn create(&self, path: &Path, plain: &[u8]) -> Outcome<bool> {
        let sealed = self.sealed(path, plain)?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.objects().put_opts(path, sealed.into(), options).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(SealError::from(error).diagnostic().into()),
        }
    }

    pub(crate) fn sealed(&self, path: &Path, plain: &[u8]) -> Outcome<Vec<u8>> {
        sealed_at(self.store, self.keys, path, plain)
    }

    /// The plaintext of a file of records, or of a summary of them.
    pub(crate) async fn opened(&self, path: &Path) -> Result<Vec<u8>, UnsealError> {
        opened_at(self.store, self.keys, path).await
    }

    /// Every line there is.
    ///
    /// # Errors
    /// The store cannot be read, or a file was changed.
    pub async fn lines(&self) -> Outcome<Vec<Line>> {
        self.lines_of(RUNS).await
    }

    async fn lines_of(&self, folder: &str) -> Outcome<Vec<Line>> {
        for attempt in 1.. {
            match self.read(self.files(folder).await?).await {
                Ok(lines) => return Ok(lines),
                // It has become part of a larger file since it was listed.
                Err(error) if error.is_missing() && attempt < LISTINGS_MAX => {}
                Err(error) => return Err(error.diagnostic().into()),
            }
        }
        Ok(Vec::new())
    }

    async fn files(&self, folder: &str) -> Outcome<Vec<File>> {
        Ok(files_of(self.listed(folder).await?))
    }

    /// Everything in a folder.
    pub(crate) async fn listed(&self, folder: &str) -> Outcome<Vec<ObjectMeta>> {
        let prefix = Path::from(folder);
        let listed: Result<Vec<ObjectMeta>, _> =
            self.store.objects().list(Some(&prefix)).try_collect().await;
        Ok(listed.map_err(|error| UnsealError::store(prefix.to_string(), &error).diagnostic())?)
    }

    pub(crate) async fn read(&self, files: Vec<File>) -> Result<Vec<Line>, UnsealError> {
        let each =
            futures::stream::iter(files).map(|file| async move { self.read_one(&file).await });
        let each: Vec<Vec<Line>> = each.buffered(FILES_AT_ONCE).try_collect().await?;
        Ok(chain::merge(each))
    }

    async fn read_one(&self, file: &File) -> Result<Vec<Line>, UnsealError> {
        let name = file.path.as_ref();
        let plain = self.opened(&file.path).await?;
        let lines = plain.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let lines: Result<Vec<Line>, _> = lines.map(Line::parse).collect();
        lines.map_err(|error| UnsealError::tampered(name, error.to_string()))
    }

    pub(crate) async fn marked(&self, chain: ChainId, kind: MarkKind) -> Outcome<Option<Head>> {
        let name = mark_path(chain, kind);
        let bytes = match self.store.read(&name, FILE_BYTES_MAX).await {
            Ok(bytes) => bytes,
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error.diagnostic().into()),
        };
        let mark = Mark::parse(&bytes, &self.mac());
        let mark =
            mark.map_err(|error| UnsealError::tampered(&name, error.to_string()).diagnostic())?;
        Ok(Some(mark.head).filter(|head| mark.kind == kind && head.chain == chain))
    }

    async fn mark(&self, kind: MarkKind, head: Head) -> Outcome<()> {
        let bytes = Mark { kind, head }.to_bytes(&self.mac());
        let bytes = bytes.map_err(|_| internal("the head of a chain cannot be written"))?;
        let path = Path::from(mark_path(head.chain, kind));
        match self.store.objects().put(&path, bytes.into()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(SealError::from(error).diagnostic().into()),
        }
    }

    /// Every line there is, and what is wrong with the chains.
    ///
    /// # Errors
    /// The store cannot be read, or a file was changed.
    pub async fn examined(&self) -> Outcome<(Vec<Line>, Vec<Fault>)> {
        let lines = self.lines().await?;
        let listed = self.listed(RUNS).await?;
        let heads = self.marks(&listed, MarkKind::Head).await?;
        let anchors = self.marks(&listed, MarkKind::Anchor).await?;
        let known = Known { heads: &heads, anchors: &anchors };
        let faults = chain::verify(&lines, known, &self.mac());
        Ok((lines, faults))
    }

    /// The marks of a kind, of all chains.
    pub(crate) async fn marks(&self, listed: &[ObjectMeta], kind: MarkKind) -> Outcome<Vec<Head>> {
        let is_one = |meta: &&ObjectMeta| meta.location.filename() == Some(mark_name(kind));
        let chains = listed.iter().filter(is_one).filter_map(|meta| chain_of(&meta.location));
        let marks: Vec<Option<Head>> = futures::stream::iter(chains)
            .map(|chain| self.marked(chain, kind))
            .buffered(FILES_AT_ONCE)
            .try_collect()
            .await?;
        Ok(marks.into_iter().flatten().collect())
    }

    /// Makes small files one, where there are many in a chain, and sums up what stays as it is.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn compact(&self) -> Outcome<()> {
        let files = self.files(RUNS).await?;
        for of_chain in files.chunk_by(|one, other| one.chain == other.chain) {
            let left = self.without_copies(of_chain.to_vec()).await?;
            let described: Vec<RecordFile> = left.iter().map(described).collect();
            for group in compactable(&described, LIMITS) {
                let chosen = left.iter().filter(|file| group.contains(&file.path.to_string()));
                self.merge(chosen.cloned().collect()).await?;
            }
        }
        self.summarize().await
    }

    /// Removes small files whose lines all stand in a large one: left by one that was interrupted.
    async fn without_copies(&self, mut files: Vec<File>) -> Outcome<Vec<File>> {
        for large in files.clone().iter().filter(|file| file.last.is_some()) {
            let is_inside = |file: &File| {
                file.path != large.path && file.first >= large.first && file.end() <= large.last
            };
            let (inside, others): (Vec<File>, Vec<File>) = files.into_iter().partition(is_inside);
            files = others;
            if inside.is_empty() {
                continue;
            }
            let (Ok(whole), Ok(copies)) =
                (self.read(vec![large.clone()]).await, self.read(inside.clone()).await)
            else {
                // Damaged, or somebody else is at it.
                files.extend(inside);
                continue;
            };
            if copies.iter().all(|line| whole.contains(line)) {
                self.discard(inside.iter().map(|file| &file.path)).await;
            } else {
                files.extend(inside);
            }
        }
        files.sort_by_key(|file| (file.chain, file.first));
        Ok(files)
    }

    async fn merge(&self, chosen: Vec<File>) -> Outcome<()> {
        let Some(chain) = chosen.first().map(|file| file.chain) else { return Ok(()) };
        // Else somebody is at it, or they are damaged, or of another keyring: whoever reads them says so.
        let Ok(lines) = self.read(chosen.clone()).await else { return Ok(()) };
        if let Some(merged) = self.merged(chain, &lines).await? {
            let paths = chosen.iter().map(|file| &file.path);
            self.discard(paths.filter(|path| **path != merged)).await;
        }
        Ok(())
    }

    /// Removes files that are not needed any more. One that stays is a copy, and no fault.
    pub(crate) async fn discard(&self, paths: impl Iterator<Item = &Path>) {
        for path in paths {
            let _ = self.store.objects().delete(path).await;
        }
    }

    /// The one file that has just these lines now; none where there is none.
    async fn merged(&self, chain: ChainId, lines: &[Line]) -> Outcome<Option<Path>> {
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Ok(None) };
        let mut text = Vec::new();
        for line in lines {
            text.extend(line.to_bytes().map_err(|_| internal("a record cannot be written"))?);
            text.push(b'\n');
        }
        let (first, last) = (first.place().position, last.place().position);
        let path = Path::from(format!("{}/{first:010}-{last:010}{ENDING}", folder(chain)));
        if self.create(&path, &text).await? {
            return Ok(Some(path));
        }
        // Left by one that was interrupted before it removed the small files.
        let listed = self.files(&folder(chain)).await?;
        let left: Vec<File> = listed.into_iter().filter(|file| file.path == path).collect();
        Ok(self.read(left).await.is_ok_and(|found| found == lines).then_some(path))
    }
}

/// A document of records, sealed so that it opens only at its place in this store.
pub(crate) fn sealed_at(store: &Store, keys: &Keys, path: &Path, plain: &[u8]) -> Outcome<Vec<u8>> {
    let id = keys.active(Purpose::Audit)?;
    let material = keys.find(&id).ok_or_else(|| SealError::Key.diagnostic())?;
    let sealed = sealed::seal(NamedKey { id: &id, material }, &context(store, path), plain);
    Ok(sealed.map_err(|_| internal("a record cannot be sealed"))?)
}

/// The plaintext of a document that was sealed for its place in this store.
pub(crate) async fn opened_at(
    store: &Store,
    keys: &Keys,
    path: &Path,
) -> Result<Vec<u8>, UnsealError> {
    let name = path.as_ref();
    let bytes = store.read(name, FILE_BYTES_MAX).await?;
    sealed::open(keys, &context(store, path), &bytes)
        .map_err(|error| UnsealError::sealed(name, &error))
}

fn context(store: &Store, path: &Path) -> SealedContext {
    let object = format!("{}/{path}", store.target());
    SealedContext::named(Kind::RunRecord, store.project(), "", &object)
}

impl File {
    /// Its last line, as far as its name says.
    fn end(&self) -> Option<u64> {
        self.last.or(Some(self.first))
    }
}

/// The files of lines among all, by chain and first line.
pub(crate) fn files_of(listed: Vec<ObjectMeta>) -> Vec<File> {
    let mut files: Vec<File> = listed.into_iter().filter_map(file).collect();
    files.sort_by(|one, other| {
        (one.chain, one.first, &one.path).cmp(&(other.chain, other.first, &other.path))
    });
    files
}

fn described(file: &File) -> RecordFile {
    RecordFile {
        name: file.path.to_string(),
        chain: file.chain,
        first: file.first,
        at: file.meta.last_modified,
        bytes: file.meta.size,
    }
}

/// The folder of a chain.
pub(crate) fn folder(chain: ChainId) -> String {
    format!("{RUNS}/{}/{}", chain.writer, chain.class.word())
}

fn mark_path(chain: ChainId, kind: MarkKind) -> String {
    format!("{}/{}", folder(chain), mark_name(kind))
}

const fn mark_name(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Head => "head.json",
        MarkKind::Anchor => "anchor.json",
    }
}

/// The chain whose folder a path is in.
pub(crate) fn chain_of(path: &Path) -> Option<ChainId> {
    let mut parts = path.as_ref().split('/').skip(1);
    let writer = parts.next()?.parse().ok()?;
    let word = parts.next()?;
    let class = Class::ALL.into_iter().find(|class| class.word() == word)?;
    Some(ChainId { writer, class })
}

/// A file of lines by its name; none where it is another.
fn file(meta: ObjectMeta) -> Option<File> {
    let path = meta.location.clone();
    let chain = chain_of(&path)?;
    let stem = path.filename()?.strip_suffix(ENDING)?;
    let mut ends = stem.split('-');
    let first = ends.next()?.parse().ok()?;
    let last = ends.next().and_then(|last| last.parse().ok());
    Some(File { path, chain, first, last, meta })
}

/// The name of this machine; none where it cannot be told.
pub fn host(context: &Context) -> Option<String> {
    let named = context.environment.get("HOSTNAME").cloned();
    let asked = || {
        let text =
            crate::files::read(std::path::Path::new("/proc/sys/kernel/hostname"), 1_024).ok()?;
        Some(String::from_utf8(text).ok()?.trim().to_owned())
    };
    named.or_else(asked).filter(|name| !name.is_empty())
}

/// Who runs the engine, as the environment says.
pub fn user(context: &Context) -> String {
    let named = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME"];
    let found = named.iter().find_map(|name| context.environment.get(*name));
    found.cloned().unwrap_or_else(|| "unknown".to_owned())
}

fn internal(what: &str) -> Diagnostic {
    Diagnostic::new(&run::INTERNAL, what)
}
