//! Summaries of run records: a report over many thousand operations opens few files.
//!
//! ```text
//!  files of a chain    [1 … 900][901 … 2,100][2,101 … 2,950] [2,951][2,953][2,955] …
//!                      └─── large enough to stay as they are ┘└── read each time ──┘
//!  summaries           [1 … 2,100.summary  ][… 2,950.summary]
//! ```
//!
//! They are made where small files become large ones, from lines that were verified for it, and joined when they
//! are many. One is used where it continues its chain (position and MAC) and every file it was made from is
//! there, as long as it was; what these hold is not read again then, which is what a report says. Whatever does
//! not fit is passed over, and the lines are read: so a crash at any moment leaves all as it was told before.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use engine_bundle::layout::RUNS;
use engine_tracking::runs::chain::{
    ChainId, Fault, Head, Known as KnownOf, Line, MarkKind, merge, verify,
};
use engine_tracking::runs::report::{Audit, Earlier};
use engine_tracking::runs::summary::{Opened, Summary, SummedFile, Verified, shared};
use engine_tracking::runs::{Folded, Mac, Overview, Record, Scope, fold};
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use crate::clock;
use crate::codes::run;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::records::{
    FILES_AT_ONCE, File, LIMITS, LISTINGS_MAX, Records, chain_of, files_of, folder,
};
use crate::seal::SealError;
use crate::unseal::UnsealError;

/// The ending of summaries.
const ENDING: &str = ".summary.enc";
/// Bytes of the files that are summed up at once.
const PIECE_BYTES_MAX: u64 = 8 << 20;
/// Bytes beyond which a summary is not joined with the next.
const JOINED_BYTES_MAX: u64 = 4 << 20;

/// What the records of a store amount to.
pub struct Known {
    summaries: Vec<Opened>,
    folded: Folded,
    records: u64,
    faults: Vec<Fault>,
}

/// A summary as it lies in the store.
struct Lying {
    path: Path,
    bytes: u64,
    opened: Opened,
}

/// What is in the folder of records.
struct Found {
    files: BTreeMap<ChainId, Vec<File>>,
    summaries: BTreeMap<ChainId, Vec<Lying>>,
    heads: Vec<Head>,
    anchors: Vec<Head>,
}

impl Known {
    /// What lines amount to that were all read.
    #[must_use]
    pub fn of(lines: &[Line], faults: Vec<Fault>) -> Self {
        let folded = fold(lines.iter().map(Line::record), &Scope::All);
        Self { summaries: Vec::new(), folded, records: lines.len() as u64, faults }
    }

    /// Executions and events of `scope`, at a glance; of those events that summaries hold, the newest
    /// `events_max` since a moment.
    ///
    /// # Errors
    /// A summary is malformed.
    pub fn overview(
        &self,
        scope: &Scope,
        since: DateTime<Utc>,
        events_max: usize,
    ) -> Outcome<Overview<'_>> {
        let mut overview = Overview::of(&self.folded, scope);
        for summary in &self.summaries {
            let added = overview.add(summary, scope, since, events_max);
            added.map_err(|error| Diagnostic::new(&run::INTERNAL, error.to_string()))?;
        }
        Ok(overview)
    }

    /// What of the chains was verified now, what earlier, and what is wrong.
    #[must_use]
    pub fn audit(&self) -> Audit {
        let earlier = self.summaries.iter().map(|summary| {
            let header = summary.header();
            Earlier {
                chain: header.chain,
                first: header.first,
                last: header.last,
                at: header.verified.at,
                by: header.verified.by.clone(),
            }
        });
        Audit::of(self.records, &self.faults).with_earlier(earlier.collect())
    }
}

impl Records<'_> {
    /// What the records amount to: by summaries as far as these go, by lines from there.
    ///
    /// # Errors
    /// The store cannot be read, or a file was changed.
    pub async fn known(&self) -> Outcome<Known> {
        for attempt in 1.. {
            let found = self.found(Marks::All).await?;
            match self.known_of(found).await {
                // Files have become part of larger ones since they were listed.
                Err(Stopped::Missing(_)) if attempt < LISTINGS_MAX => {}
                Err(Stopped::Missing(error)) => return Err(error.diagnostic().into()),
                Err(Stopped::Failed(failure)) => return Err(failure),
                Ok(known) => return Ok(known),
            }
        }
        Err(Diagnostic::new(&run::INTERNAL, "run records cannot be read").into())
    }

    async fn found(&self, marks: Marks) -> Outcome<Found> {
        let listed = self.listed(RUNS).await?;
        let anchors = self.marks(&listed, MarkKind::Anchor).await?;
        let heads = match marks {
            Marks::All => self.marks(&listed, MarkKind::Head).await?,
            Marks::Anchors => Vec::new(),
        };
        let mut summaries: BTreeMap<ChainId, Vec<Lying>> = BTreeMap::new();
        let is_one = |meta: &&ObjectMeta| meta.location.as_ref().ends_with(ENDING);
        let mut lying = futures::stream::iter(listed.iter().filter(is_one).cloned())
            .map(|meta| async move { self.lying(meta).await })
            .buffered(FILES_AT_ONCE);
        while let Some(lying) = lying.next().await {
            // One that cannot be opened is none: the lines say it all.
            if let Some(lying) = lying {
                summaries.entry(lying.opened.header().chain).or_default().push(lying);
            }
        }
        drop(lying);
        for of_chain in summaries.values_mut() {
            of_chain.sort_by_key(|one| (one.opened.header().first, one.opened.header().last));
        }
        let mut files: BTreeMap<ChainId, Vec<File>> = BTreeMap::new();
        for file in files_of(listed) {
            files.entry(file.chain).or_default().push(file);
        }
        Ok(Found { files, summaries, heads, anchors })
    }

    async fn lying(&self, meta: ObjectMeta) -> Option<Lying> {
        let plain = self.opened(&meta.location).await.ok()?;
        let opened = Opened::parse(plain).ok()?;
        let is_here = chain_of(&meta.location) == Some(opened.header().chain);
        is_here.then_some(Lying { path: meta.location, bytes: meta.size, opened })
    }

    async fn known_of(&self, mut found: Found) -> Result<Known, Stopped> {
        loop {
            let summaries = found.used();
            let of_summaries = names_of(&summaries);
            let is_left = |file: &&File| !of_summaries.contains(file.path.as_ref());
            let left: Vec<File> = found.files.values().flatten().filter(is_left).cloned().collect();
            let lines = self.read(left).await?;
            let records = beside(&summaries, &lines)?;
            let opened: Vec<&Opened> = summaries.iter().map(|one| &one.opened).collect();
            let twice = shared(&opened, &records);
            if !twice.is_empty() {
                found.summaries.retain(|chain, _| !twice.contains(chain));
                continue;
            }
            let ends: Vec<Head> = opened.iter().map(|one| one.header().end()).collect();
            let anchors = [ends.as_slice(), &found.anchors].concat();
            let seen = opened.iter().flat_map(|one| &one.header().seen);
            let heads: Vec<Head> = found.heads.iter().chain(seen).copied().collect();
            let known = KnownOf { heads: &heads, anchors: &anchors };
            let mut faults = verify(&lines, known, &self.mac());
            faults.extend(unheaded(&ends, &lines, &heads));
            let summed = opened.iter().map(|one| {
                let header = one.header();
                header.last.saturating_sub(header.first).saturating_add(1)
            });
            let records_count = summed.fold(lines.len() as u64, u64::saturating_add);
            let folded = fold(&records, &Scope::All);
            let kept: BTreeSet<Path> = summaries.iter().map(|one| one.path.clone()).collect();
            let all = found.summaries.into_values().flatten();
            let summaries = all.filter(|one| kept.contains(&one.path)).map(|one| one.opened);
            let summaries = summaries.collect();
            return Ok(Known { summaries, folded, records: records_count, faults });
        }
    }

    /// Sums up files that stay as they are, and removes summaries that are of no use any more: what retention
    /// takes goes with them.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn summarize(&self) -> Outcome<()> {
        let found = self.found(Marks::Anchors).await?;
        for (chain, files) in &found.files {
            let used = found.used_of(*chain);
            let mut kept: Vec<Part<'_>> = used.iter().map(|one| Part::Lying(one)).collect();
            let end = used.last().map(|one| one.opened.header().end());
            let begin = end.or_else(|| found.anchor(*chain));
            for made in self.made(files, &used, begin).await? {
                kept.push(Part::Made(Box::new(made)));
                while let Some(joined) = join(&kept) {
                    kept.truncate(kept.len().saturating_sub(2));
                    kept.push(Part::Made(Box::new(joined)));
                }
            }
            self.replace(*chain, &kept, found.summaries.get(chain)).await?;
        }
        let is_gone = |chain: &&ChainId| !found.files.contains_key(chain);
        for chain in found.summaries.keys().filter(is_gone) {
            self.replace(*chain, &[], found.summaries.get(chain)).await?;
        }
        Ok(())
    }

    /// Summaries of the files that stay as they are and are in none yet.
    async fn made(
        &self,
        files: &[File],
        used: &[&Lying],
        begin: Option<Head>,
    ) -> Outcome<Vec<Summary>> {
        let covered = names_of(used);
        let open: Vec<&File> =
            files.iter().filter(|file| !covered.contains(file.path.as_ref())).collect();
        let now = clock::now();
        let stays = |file: &&File| LIMITS.is_large(file.meta.size) || month(file) != month_of(now);
        let count = open.iter().rposition(stays).map_or(0, |last| last.saturating_add(1));
        let mut end = begin;
        let mut made = Vec::new();
        for piece in pieces(open.get(..count).unwrap_or_default()) {
            let lines = self.read(piece.iter().map(|file| (*file).clone()).collect()).await;
            // Damaged, or gone by now: whoever reads the lines says so.
            let Ok(lines) = lines else { break };
            let newest = piece.iter().map(|file| month(file)).max().unwrap_or_default();
            let verified = Verified { at: now, by: [self.user().to_owned()].into() };
            let names = piece.iter().map(|file| summed(file)).collect();
            let summary = Summary::of(&lines, end, names, newest, verified, &self.mac());
            let Some(summary) = summary else { break };
            end = Some(summary.header().end());
            made.push(summary);
        }
        Ok(made)
    }

    /// Writes the summaries of a chain that are new, and removes those that are not among them.
    async fn replace(
        &self,
        chain: ChainId,
        kept: &[Part<'_>],
        before: Option<&Vec<Lying>>,
    ) -> Outcome<()> {
        let mut paths: BTreeSet<Path> = BTreeSet::new();
        for part in kept {
            match part {
                Part::Lying(lying) => {
                    paths.insert(lying.path.clone());
                }
                Part::Made(summary) => {
                    let header = summary.header();
                    let (first, last) = (header.first, header.last);
                    let name = format!("{}/{first:010}-{last:010}{ENDING}", folder(chain));
                    let path = Path::from(name);
                    let plain = summary.to_bytes().map_err(|_| malformed())?;
                    let sealed = self.sealed(&path, &plain)?;
                    let put = self.store().objects().put(&path, sealed.into()).await;
                    put.map_err(|error| SealError::from(error).diagnostic())?;
                    paths.insert(path);
                }
            }
        }
        let before = before.into_iter().flatten().map(|one| &one.path);
        self.discard(before.filter(|path| !paths.contains(path))).await;
        Ok(())
    }

    /// Summaries that are used and yet say other things than their lines do.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn contradicted(&self, lines: &[Line]) -> Outcome<Vec<Path>> {
        let found = self.found(Marks::Anchors).await?;
        let mut wrong = Vec::new();
        for one in found.used() {
            let Ok(summary) = one.opened.whole() else {
                wrong.push(one.path.clone());
                continue;
            };
            let header = summary.header();
            let is_inside = |line: &&Line| {
                let place = line.place();
                place.chain == header.chain
                    && (header.first..=header.last).contains(&place.position)
            };
            let inside: Vec<Line> = lines.iter().filter(is_inside).cloned().collect();
            let before = header.first.checked_sub(1).filter(|position| *position > 0);
            let before =
                before.map(|position| Head { chain: header.chain, position, mac: header.prev });
            let again = Summary::of(
                &merge(vec![inside]),
                before,
                Vec::new(),
                String::new(),
                header.verified.clone(),
                &self.mac(),
            );
            if !again.is_some_and(|again| again.says_as(&summary)) {
                wrong.push(one.path.clone());
            }
        }
        Ok(wrong)
    }
}

/// Which marks of chains are needed.
#[derive(Clone, Copy)]
enum Marks {
    All,
    /// One that nobody needs may be damaged, or of another keyring.
    Anchors,
}

/// Why reading stopped.
enum Stopped {
    /// A file is not there any more.
    Missing(UnsealError),
    Failed(Failure),
}

impl From<UnsealError> for Stopped {
    fn from(error: UnsealError) -> Self {
        if error.is_missing() {
            Self::Missing(error)
        } else {
            Self::Failed(error.diagnostic().into())
        }
    }
}

impl From<Diagnostic> for Stopped {
    fn from(finding: Diagnostic) -> Self {
        Self::Failed(finding.into())
    }
}

impl Found {
    /// The summaries that stand for their lines, by chain and position.
    fn used(&self) -> Vec<&Lying> {
        self.files.keys().flat_map(|chain| self.used_of(*chain)).collect()
    }

    fn anchor(&self, chain: ChainId) -> Option<Head> {
        let of_chain = self.anchors.iter().filter(|anchor| anchor.chain == chain);
        of_chain.max_by_key(|anchor| anchor.position).copied()
    }

    fn used_of(&self, chain: ChainId) -> Vec<&Lying> {
        let (Some(files), Some(summaries)) = (self.files.get(&chain), self.summaries.get(&chain))
        else {
            return Vec::new();
        };
        let sizes: BTreeMap<&str, u64> =
            files.iter().map(|file| (file.path.as_ref(), file.meta.size)).collect();
        let is_there = |file: &SummedFile| sizes.get(file.name.as_str()) == Some(&file.bytes);
        let anchor = self.anchor(chain);
        let mut end = anchor.map_or((0, Mac::ZERO), |anchor| (anchor.position, anchor.mac));
        let mut used: Vec<&Lying> = Vec::new();
        loop {
            let follows = |one: &&Lying| {
                let header = one.opened.header();
                end.0.checked_add(1) == Some(header.first)
                    && header.prev == end.1
                    && header.files.iter().all(is_there)
            };
            // The longest: shorter ones were joined to make it.
            let Some(next) = summaries.iter().rev().find(follows) else { break };
            let header = next.opened.header();
            end = (header.last, header.mac);
            used.push(next);
        }
        // A line before the end that is in none of them may be a copy, or may not.
        let covered = names_of(&used);
        let is_loose = |file: &File| !covered.contains(file.path.as_ref()) && file.first <= end.0;
        if files.iter().any(is_loose) { Vec::new() } else { used }
    }
}

/// The files that summaries were made from.
fn names_of<'l>(summaries: &[&'l Lying]) -> BTreeSet<&'l str> {
    let files = summaries.iter().flat_map(|one| &one.opened.header().files);
    files.map(|file| file.name.as_str()).collect()
}

/// Chains of which nothing but a summary is known, and no head: what came after it may be gone.
fn unheaded(ends: &[Head], lines: &[Line], heads: &[Head]) -> Vec<Fault> {
    let last = ends.chunk_by(|one, other| one.chain == other.chain).filter_map(<[Head]>::last);
    let goes_on = |end: &&Head| lines.iter().any(|line| line.place().chain == end.chain);
    let is_headed = |end: &&Head| heads.iter().any(|head| head.chain == end.chain);
    let loose = last.filter(|end| !goes_on(end) && !is_headed(end));
    loose.map(|end| Fault::Unheaded { chain: end.chain, found: end.position }).collect()
}

/// Records that no summary has folded, in the order of the lines.
fn beside(summaries: &[&Lying], lines: &[Line]) -> Result<Vec<Record>, Stopped> {
    let mut records: Vec<(ChainId, u64, Record)> = Vec::new();
    for summary in summaries {
        let rest = summary.opened.rest().map_err(|_| malformed())?;
        let chain = summary.opened.header().chain;
        records.extend(rest.into_iter().map(|(position, record)| (chain, position, record)));
    }
    records.extend(lines.iter().map(|line| {
        let place = line.place();
        (place.chain, place.position, line.record().clone())
    }));
    records.sort_by_key(|(chain, position, _)| (*chain, *position));
    Ok(records.into_iter().map(|(_, _, record)| record).collect())
}

/// A summary of a chain: as it lies, or just made.
enum Part<'a> {
    Lying(&'a Lying),
    Made(Box<Summary>),
}

/// The last two summaries as one, where that is worth it: each is then at least twice as large as the next, so
/// that there are few, and each record is written again few times. Those of different months stay apart.
fn join(kept: &[Part<'_>]) -> Option<Summary> {
    let [.., one, other] = kept else { return None };
    let size = |part: &Part<'_>| match part {
        Part::Lying(lying) => Some(lying.bytes),
        Part::Made(summary) => summary.to_bytes().ok().map(|bytes| bytes.len() as u64),
    };
    let (before, after) = (size(one)?, size(other)?);
    let is_worth = before <= after.saturating_mul(2);
    if !is_worth || before.saturating_add(after) > JOINED_BYTES_MAX {
        return None;
    }
    let whole = |part: &Part<'_>| match part {
        Part::Lying(lying) => lying.opened.whole().ok(),
        Part::Made(summary) => Some(Summary::clone(summary)),
    };
    let (one, other) = (whole(one)?, whole(other)?);
    if one.header().month != other.header().month {
        return None;
    }
    one.joined(other)
}

/// Files in their order, cut where they are too many bytes for one summary, or of another month.
fn pieces<'f>(files: &[&'f File]) -> Vec<Vec<&'f File>> {
    let mut pieces: Vec<Vec<&File>> = Vec::new();
    let mut bytes = 0_u64;
    for file in files {
        let grown = bytes.saturating_add(file.meta.size);
        match pieces.last_mut() {
            Some(piece)
                if grown <= PIECE_BYTES_MAX
                    && piece.last().is_some_and(|last| month(last) == month(file)) =>
            {
                piece.push(file);
                bytes = grown;
            }
            _ => {
                pieces.push(vec![file]);
                bytes = file.meta.size;
            }
        }
    }
    pieces
}

fn month(file: &File) -> String {
    month_of(file.meta.last_modified)
}

fn month_of(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m").to_string()
}

fn summed(file: &File) -> SummedFile {
    SummedFile { name: file.path.to_string(), bytes: file.meta.size }
}

fn malformed() -> Diagnostic {
    Diagnostic::new(&run::INTERNAL, "a summary of run records is malformed")
}
