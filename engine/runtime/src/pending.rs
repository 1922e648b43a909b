//! Events on their way to other systems: kept sealed in the store until they are taken.
//!
//! ```text
//!  event ──▶ outbox/<destination>/0000000007.json.enc ──send──▶ taken: removed
//!                                                      └──────▶ not: sent by the next command, the oldest first
//! ```
//!
//! An event is kept before it is first sent, so a process that is killed loses none; it may be sent twice, with the
//! same key. A destination is an id under a key, of its kind and whole URL, and a file opens only at its path: what was
//! meant for one URL is never sent to another.

mod kept;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};

use engine_bundle::ids::FileId;
use engine_bundle::layout::OUTBOX;
use engine_outbound::{Event as Message, Failure, Outbox, Receiver, Sender};
use futures::TryStreamExt;
use futures::future::join_all;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt, PutMode, PutOptions};
use tokio::sync::Mutex;
use tokio::time::timeout;

use self::kept::Kept;
use crate::clock;
use crate::codes::run;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::event::Undelivered;
use crate::keys::Keys;
use crate::records::{opened_at, sealed_at};
use crate::seal::SealError;
use crate::store::Store;
use crate::unseal::UnsealError;

/// Events that are kept for a destination.
pub const EVENTS_MAX: usize = 1_000;
/// Bytes that are kept for a destination.
pub const BYTES_MAX: u64 = 32 << 20;
/// Commands that come first before one gives up.
const ATTEMPTS_MAX: usize = 64;
/// The ending of a file.
const ENDING: &str = ".json.enc";
/// Digits of a file's number.
const DIGITS: usize = 10;

/// What is on its way to the destinations of a target.
pub struct Pending {
    store: Store,
    keys: Keys,
    outbox: Arc<Outbox>,
    /// Of each receiver, in their order.
    folders: Vec<String>,
    /// One sends at a time, so that events leave in their order.
    turn: Mutex<()>,
    /// What this process has kept.
    own: SyncMutex<Own>,
}

/// What a process has kept.
#[derive(Default)]
struct Own {
    all: BTreeSet<Path>,
    /// That of which nothing is on record yet.
    unrecorded: Vec<Path>,
}

/// A file of an event.
struct File {
    number: u64,
    meta: ObjectMeta,
}

impl Pending {
    /// What is on its way to these receivers.
    ///
    /// # Errors
    /// The keyring has no identifiers key.
    pub fn of(store: &Store, keys: &Keys, outbox: Arc<Outbox>) -> Outcome<Self> {
        let mut folders: Vec<String> = Vec::new();
        for receiver in outbox.receivers() {
            // Two that are told at one URL, of other topics or under another secret, are two.
            let place = receiver.place();
            let mut id = keys.destination_id(&place)?;
            let mut same = 1_u32;
            while folders.contains(&format!("{OUTBOX}/{id}")) {
                same = same.saturating_add(1);
                id = keys.destination_id(&zeroize::Zeroizing::new(format!("{} {same}", *place)))?;
            }
            folders.push(format!("{OUTBOX}/{id}"));
        }
        let own = SyncMutex::default();
        Ok(Self {
            store: store.clone(),
            keys: keys.clone(),
            outbox,
            folders,
            turn: Mutex::default(),
            own,
        })
    }

    fn destinations(&self) -> impl Iterator<Item = (&dyn Receiver, &str)> {
        self.outbox.receivers().zip(self.folders.iter().map(String::as_str))
    }

    /// Keeps events for whoever wants them; says for whom they could not be kept, or others were dropped.
    pub async fn keep(&self, events: &[Message]) -> Vec<Undelivered> {
        let mut failures = Vec::new();
        for (receiver, folder) in self.destinations() {
            let wanted = events.iter().filter(|event| receiver.request(event).is_some());
            for kept in wanted.filter_map(Kept::of) {
                let bytes_max = self.outbox.limits().body_bytes_max;
                if kept.body_bytes() > bytes_max {
                    // It would never leave.
                    let why = Failure::TooLarge(bytes_max).to_string();
                    failures.push(Undelivered { to: receiver.shown(), why });
                    continue;
                }
                let why = match self.keep_one(folder, &kept).await {
                    Ok(0) => continue,
                    Ok(dropped) => format!(
                        "the {dropped} oldest of those that were kept are dropped; {EVENTS_MAX} events and {} MiB are kept",
                        BYTES_MAX >> 20
                    ),
                    Err(_) => "one can neither be kept in the store nor sent".to_owned(),
                };
                failures.push(Undelivered { to: receiver.shown(), why });
            }
        }
        failures
    }

    /// Keeps an event after all others, and says how many were dropped for it.
    async fn keep_one(&self, folder: &str, kept: &Kept) -> Outcome<usize> {
        let plain = kept.to_bytes()?;
        for _ in 0..ATTEMPTS_MAX {
            let files = self.files(folder).await?;
            let number = files.last().map_or(1, |file| file.number.saturating_add(1));
            let path = Path::from(format!("{folder}/{number:010}{ENDING}"));
            let sealed = sealed_at(&self.store, &self.keys, &path, &plain)?;
            let bytes = sealed.len() as u64;
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            match self.store.objects().put_opts(&path, sealed.into(), options).await {
                Ok(_) => {
                    self.note(path);
                    return Ok(self.make_room(&files, bytes).await);
                }
                // Another command was first.
                Err(object_store::Error::AlreadyExists { .. }) => {}
                Err(error) => return Err(SealError::from(error).diagnostic().into()),
            }
        }
        Err(Diagnostic::new(&run::INTERNAL, "an event has no place in the store").into())
    }

    /// Removes the oldest files until there is room for one more.
    async fn make_room(&self, files: &[File], bytes: u64) -> usize {
        let sizes: Vec<u64> = files.iter().map(|file| file.meta.size).collect();
        let excess = excess(&sizes, bytes);
        for file in files.iter().take(excess) {
            self.remove(&file.meta.location).await;
        }
        excess
    }

    /// Sends what is kept, the oldest first, and says who did not take all of it.
    pub async fn send(&self) -> Vec<Undelivered> {
        if self.outbox.is_empty() {
            return Vec::new();
        }
        let _turn = self.turn.lock().await;
        let sender = &self.outbox.sender();
        let each = self.destinations().map(|(receiver, folder)| async move {
            let work = self.carry(sender.as_ref(), receiver, folder);
            let done = timeout(self.outbox.limits().whole_time, work).await;
            let why = match done {
                Ok(ended) => ended?,
                Err(_) => Failure::TimedOut.to_string(),
            };
            let left = self.files(folder).await.map_or(0, |files| files.len());
            let events = if left == 1 { "event is" } else { "events are" };
            let why = format!("{why}; {left} {events} kept, and sent again by the next command");
            (left > 0).then(|| Undelivered { to: receiver.shown(), why })
        });
        join_all(each).await.into_iter().flatten().collect()
    }

    /// Why not all was taken; none where all was.
    async fn carry(
        &self,
        sender: Result<&Sender, &Failure>,
        receiver: &dyn Receiver,
        folder: &str,
    ) -> Option<String> {
        let files = match self.files(folder).await {
            Ok(files) if files.is_empty() => return None,
            Ok(files) => files,
            Err(_) => return Some("what is kept for it cannot be listed".to_owned()),
        };
        let sender = match sender {
            Ok(sender) => sender,
            Err(failure) => return Some(failure.to_string()),
        };
        let mut why = None;
        for file in files {
            let path = &file.meta.location;
            let event = match self.read(path).await {
                Ok(event) => event,
                // Another command has sent it.
                Err(error) if error.is_missing() => continue,
                Err(_) => {
                    why =
                        Some("one of those that are kept was changed or cannot be read".to_owned());
                    continue;
                }
            };
            match sender.send(receiver, &event).await {
                Ok(()) => self.remove(path).await,
                Err(failure) if failure.is_of_event() => why = Some(failure.to_string()),
                Err(failure) => return Some(failure.to_string()),
            }
        }
        why
    }

    async fn read(&self, path: &Path) -> Result<Message, UnsealError> {
        let plain = opened_at(&self.store, &self.keys, path).await?;
        Kept::parse(&plain)
            .map(|kept| kept.event(clock::now()))
            .ok_or_else(|| UnsealError::tampered(path.as_ref(), "is no event"))
    }

    /// Removes what was kept for destinations that are no longer declared, and says how many events that were.
    pub async fn prune(&self) -> usize {
        let found = self.store.objects().list_with_delimiter(Some(&Path::from(OUTBOX))).await;
        let Ok(found) = found else { return 0 };
        let is_gone = |folder: &&Path| {
            let is_destination =
                folder.filename().is_some_and(|name| name.parse::<FileId>().is_ok());
            is_destination && !self.folders.iter().any(|known| known == folder.as_ref())
        };
        let mut removed = 0_usize;
        for folder in found.common_prefixes.iter().filter(is_gone) {
            for file in self.files(folder.as_ref()).await.unwrap_or_default() {
                self.remove(&file.meta.location).await;
                removed = removed.saturating_add(1);
            }
        }
        removed
    }

    /// How many of the events that this process has kept were not taken.
    pub async fn left(&self) -> usize {
        let mut left = 0_usize;
        for folder in &self.folders {
            let files = self.files(folder).await.unwrap_or_default();
            let own = self.own();
            left = left.saturating_add(
                files.iter().filter(|file| own.all.contains(&file.meta.location)).count(),
            );
        }
        left
    }

    fn note(&self, path: Path) {
        let mut own = self.own();
        own.all.insert(path.clone());
        own.unrecorded.push(path);
    }

    /// Takes note that what is kept tells of what is on record.
    pub fn settle(&self) {
        self.own().unrecorded.clear();
    }

    /// Takes back what was kept since then: what it tells of could not be put on record.
    pub async fn withdraw(&self) {
        let unrecorded = std::mem::take(&mut self.own().unrecorded);
        for path in &unrecorded {
            self.remove(path).await;
        }
    }

    /// A file that stays is sent once more, with the same key.
    async fn remove(&self, path: &Path) {
        let _ = self.store.objects().delete(path).await;
    }

    /// The files of a destination, the oldest first.
    async fn files(&self, folder: &str) -> Outcome<Vec<File>> {
        let prefix = Path::from(folder);
        let found: Result<Vec<ObjectMeta>, _> =
            self.store.objects().list(Some(&prefix)).try_collect().await;
        let found = found.map_err(|error| UnsealError::store(folder, &error).diagnostic())?;
        let mut files: Vec<File> = found
            .into_iter()
            .filter_map(|meta| {
                let stem = meta.location.filename()?.strip_suffix(ENDING)?;
                let is_number =
                    stem.len() == DIGITS && stem.bytes().all(|byte| byte.is_ascii_digit());
                let number = stem.parse().ok().filter(|_| is_number)?;
                Some(File { number, meta })
            })
            .collect();
        files.sort_by_key(|file| file.number);
        Ok(files)
    }

    fn own(&self) -> std::sync::MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many of the oldest go, so that there is room for one of `bytes` more.
fn excess(sizes: &[u64], bytes: u64) -> usize {
    let mut count = sizes.len().saturating_add(1);
    let mut sum = sizes.iter().fold(bytes, |sum, size| sum.saturating_add(*size));
    let mut gone = 0_usize;
    for size in sizes {
        if count <= EVENTS_MAX && sum <= BYTES_MAX {
            break;
        }
        (count, sum) = (count.saturating_sub(1), sum.saturating_sub(*size));
        gone = gone.saturating_add(1);
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_in_number_and_bytes() {
        assert_eq!(excess(&[], 1), 0);
        assert_eq!(excess(&vec![1; EVENTS_MAX - 1], 1), 0);
        assert_eq!(excess(&vec![1; EVENTS_MAX], 1), 1);
        assert_eq!(excess(&vec![1; EVENTS_MAX + 7], 1), 8);
        assert_eq!(excess(&[BYTES_MAX - 10, 5], 5), 0);
        assert_eq!(excess(&[BYTES_MAX - 10, 5], 6), 1);
        // The newest is kept whatever its size: it is no larger than what is sent.
        assert_eq!(excess(&[1, 1], BYTES_MAX), 2);
    }
}
