//! Run records whose time is over: the beginning of each chain goes, and an anchor stands for it.
//!
//! ```text
//!  0000000001-0000000512   0000000513-0000000700   0000000701        expired up to 600
//!  ──────── gone ────────  ─▶ 0000000601-0000000700                  anchor.json: 600
//! ```
//!
//! The anchor is written first. Lines before it that are still there are no fault, and go with the next attempt;
//! what is written again lies there twice for a moment, which is none either.

use std::collections::BTreeMap;

use engine_bundle::layout::{RUNS, StoreObject};
use engine_tracking::retention::{Moment, Policy, RecordClass, Span, suspicious_among};
use engine_tracking::runs::Record;
use engine_tracking::runs::chain::{ChainId, Line, MarkKind};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use super::{ENDING, File, Records, folder, internal};
use crate::diagnostic::Outcome;
use crate::seal::SealError;
use crate::unseal::UnsealError;

/// The directory of records of deletions.
const AUDIT: &str = "audit";

/// What went of the records of one class, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsDue {
    /// The class, as policies call it.
    pub class: String,
    /// How old they may be.
    pub age: String,
    /// Records.
    pub records: u64,
    /// Their files' bytes, those aside of files that are written again.
    pub bytes: u64,
    /// The earliest moment of any of them.
    pub oldest: Option<Moment>,
    /// The latest moment of any of them.
    pub newest: Option<Moment>,
}

/// The expired records of one class.
pub struct Expired {
    /// How many they are.
    pub due: RecordsDue,
    /// What they are called, for the digest of what went.
    pub names: Vec<String>,
    chains: Vec<(ChainId, Beginning)>,
    audit: Vec<Path>,
}

/// The expired beginning of a chain.
struct Beginning {
    /// Files of which every line is expired.
    whole: Vec<File>,
    /// The file of which some are, with the lines that stay.
    cut: Option<(File, Vec<Line>)>,
    /// Its lines.
    lines: Vec<Line>,
}

impl Records<'_> {
    /// The records that are older than their class may be and its grace, by class; none while a hold is in force, or
    /// while the clock contradicts the files.
    ///
    /// # Errors
    /// The store cannot be read, or a file was changed.
    pub async fn expired(&self, policy: &Policy, now: Moment) -> Outcome<Vec<Expired>> {
        let held = policy.legal_hold.as_ref().is_some_and(|hold| hold.is_in_force(now));
        if held || policy.records.is_empty() {
            return Ok(Vec::new());
        }
        let files = self.files(RUNS).await?;
        let moments: Vec<Moment> = files.iter().map(|file| file.meta.last_modified).collect();
        if suspicious_among(now, &moments).is_some() {
            return Ok(Vec::new());
        }
        let mut chains: BTreeMap<ChainId, Vec<File>> = BTreeMap::new();
        for file in files {
            chains.entry(file.chain).or_default().push(file);
        }
        let mut expired = Vec::new();
        for (class, age) in &policy.records {
            let border = policy.grace.before(age.before(now));
            let mut found = Expired::none(*class, age);
            for (chain, files) in &mut chains {
                if RecordClass::from(chain.class) == *class {
                    let beginning = self.beginning(std::mem::take(files), border).await?;
                    found.add(*chain, beginning);
                }
            }
            if *class == RecordClass::Compliance {
                self.add_audit(&mut found, border).await?;
            }
            expired.push(found);
        }
        Ok(expired)
    }

    /// Records of deletions: each is a file of its own.
    async fn add_audit(&self, found: &mut Expired, border: Moment) -> Outcome<()> {
        let prefix = Path::from(AUDIT);
        let listed: Result<Vec<ObjectMeta>, _> =
            self.store.objects().list(Some(&prefix)).try_collect().await;
        let listed =
            listed.map_err(|error| UnsealError::store(prefix.to_string(), &error).diagnostic())?;
        for meta in listed {
            let Ok(StoreObject::Audit { run }) = StoreObject::parse(meta.location.as_ref()) else {
                continue;
            };
            let millis = i64::try_from(run.unix_millis()).unwrap_or(i64::MAX);
            let at = Moment::from_timestamp_millis(millis).unwrap_or(Moment::MAX_UTC);
            if at < border {
                found.due.count(1, meta.size, at, at);
                found.names.push(meta.location.to_string());
                found.audit.push(meta.location);
            }
        }
        Ok(())
    }

    /// Has them go.
    ///
    /// # Errors
    /// The store refuses; what is left goes with the next attempt.
    pub async fn remove(&self, expired: Expired) -> Outcome<()> {
        for (chain, beginning) in expired.chains {
            self.remove_beginning(chain, beginning).await?;
        }
        for path in expired.audit {
            self.delete(&path).await?;
        }
        Ok(())
    }

    /// What of a chain's files is expired. Reads on until a line is not.
    async fn beginning(&self, files: Vec<File>, border: Moment) -> Outcome<Beginning> {
        let mut beginning = Beginning { whole: Vec::new(), cut: None, lines: Vec::new() };
        for file in files {
            let lines = match self.read_one(&file).await {
                Ok(lines) => lines,
                // It has become part of a larger file since it was listed: the next command goes on.
                Err(error) if error.is_missing() => break,
                Err(error) => return Err(error.diagnostic().into()),
            };
            let expired = count(&lines, border);
            let stays = lines.get(expired..).unwrap_or_default().to_vec();
            beginning.lines.extend(lines.into_iter().take(expired));
            match (expired, stays.is_empty()) {
                (_, true) => beginning.whole.push(file),
                (0, false) => break,
                (_, false) => {
                    beginning.cut = Some((file, stays));
                    break;
                }
            }
        }
        Ok(beginning)
    }

    async fn remove_beginning(&self, chain: ChainId, beginning: Beginning) -> Outcome<()> {
        let Some(last) = beginning.lines.last().map(Line::place) else { return Ok(()) };
        let known = self.marked(chain, MarkKind::Anchor).await?;
        if known.is_none_or(|known| known.position < last.position) {
            self.mark(MarkKind::Anchor, last).await?;
        }
        if let Some((file, stays)) = beginning.cut {
            self.write_rest(chain, &stays).await?;
            self.delete(&file.path).await?;
        }
        for file in beginning.whole {
            self.delete(&file.path).await?;
        }
        Ok(())
    }

    /// Writes the lines that stay under a name of their own; there already where an attempt was interrupted.
    async fn write_rest(&self, chain: ChainId, lines: &[Line]) -> Outcome<()> {
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Ok(()) };
        let mut text = Vec::new();
        for line in lines {
            text.extend(line.to_bytes().map_err(|_| internal("a record cannot be written"))?);
            text.push(b'\n');
        }
        let (first, last) = (first.place().position, last.place().position);
        let path = Path::from(format!("{}/{first:010}-{last:010}{ENDING}", folder(chain)));
        self.create(&path, &text).await.map(|_| ())
    }

    async fn delete(&self, path: &Path) -> Outcome<()> {
        match self.store.objects().delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(SealError::from(error).diagnostic().into()),
        }
    }
}

impl Expired {
    fn none(class: RecordClass, age: &Span) -> Self {
        let due = RecordsDue {
            class: class_word(class).to_owned(),
            age: age.to_string(),
            records: 0,
            bytes: 0,
            oldest: None,
            newest: None,
        };
        Self { due, names: Vec::new(), chains: Vec::new(), audit: Vec::new() }
    }

    fn add(&mut self, chain: ChainId, beginning: Beginning) {
        let moments = || beginning.lines.iter().filter_map(moment);
        if let (Some(oldest), Some(newest)) = (moments().min(), moments().max()) {
            let bytes = beginning.whole.iter().map(|file| file.meta.size);
            let bytes = bytes.fold(0, u64::saturating_add);
            self.due.count(beginning.lines.len() as u64, bytes, oldest, newest);
            let name = |line: &Line| format!("{chain}/{}", line.place().position);
            self.names.extend(beginning.lines.iter().map(name));
            self.chains.push((chain, beginning));
        }
    }
}

impl RecordsDue {
    fn count(&mut self, records: u64, bytes: u64, oldest: Moment, newest: Moment) {
        self.records = self.records.saturating_add(records);
        self.bytes = self.bytes.saturating_add(bytes);
        self.oldest = Some(self.oldest.map_or(oldest, |known| known.min(oldest)));
        self.newest = Some(self.newest.map_or(newest, |known| known.max(newest)));
    }

    /// Whether none goes.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.records == 0
    }
}

/// How many lines from the first on are expired.
fn count(lines: &[Line], border: Moment) -> usize {
    let mut expired = 0;
    for (position, line) in lines.iter().enumerate() {
        match moment(line) {
            Some(at) if at < border => expired = position.saturating_add(1),
            Some(_) => break,
            // It goes with the next that tells of a moment.
            None => {}
        }
    }
    expired
}

/// When what a line tells of happened.
fn moment(line: &Line) -> Option<Moment> {
    match line.record() {
        Record::Status(status) => Some(status.time),
        Record::Event(event) => Some(event.time),
        Record::Execution(_) => None,
    }
}

/// How policies call a class.
fn class_word(class: RecordClass) -> &'static str {
    match class {
        RecordClass::Executions => "executions",
        RecordClass::Security => "security",
        RecordClass::Compliance => "compliance",
        RecordClass::Schemas => "schemas",
        RecordClass::Logs => "logs",
        RecordClass::Quarantine => "quarantine",
    }
}
