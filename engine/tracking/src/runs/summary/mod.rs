//! What lines of a chain amount to, kept beside them: executions that are over, folded once.
//!
//! ```text
//!  lines 1 ◀── 2 ◀── … ◀── 8,000 ◀── 8,001 ◀── …
//!  └──── verified, folded ─────┘      └─ read each time
//!            │
//!            ▼
//!  Summary   header: chain, first and last position, the MACs around them, the files, who verified them when
//!            executions that are over, events          a row each, texts once
//!            rest: records of what is not over          as they are
//! ```
//!
//! A summary stands for its lines and for nothing else: it begins after the MAC that its first line names as
//! its predecessor and ends with the MAC of its last one, and is used where the chain is that one and the
//! files it was made from are there. It is never used instead of the lines where these are examined. It holds
//! the records of many, so who stores it seals it, as the lines are sealed; sealed, it is not untrusted when
//! it is read.
//!
//! Executions of a summary and what is folded beside it must have no id in common: see [`shared`].

mod bytes;
mod row;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use self::bytes::{Sink, Source, Texts};
use super::{
    chain::{ChainId, Head, Line, MacOf},
    fold::{Folded, Operation, Scope, event_order, fold},
    hex::{ExecutionId, Mac},
    instant,
    overview::{NodeGlance, Place},
    record::{Event, Record},
    script::ScriptType,
};
use crate::retention::Moment;

/// The version of the format that is written, and the only one that is read.
pub const FORMAT_VERSION: u32 = 1;

/// Why bytes are no summary. They are not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SummaryError {
    /// Not what is written, or of another version.
    #[error("a summary of run records is malformed")]
    Malformed,
}

/// A file of lines that a summary was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SummedFile {
    /// Its name.
    pub name: String,
    /// Its size as it is stored.
    pub bytes: u64,
}

/// Who verified lines, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// When; of several times the earliest.
    #[serde(with = "instant")]
    pub at: Moment,
    /// Who.
    pub by: BTreeSet<String>,
}

/// What a summary was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    format_version: u32,
    /// Of which chain.
    pub chain: ChainId,
    /// The position of its first line.
    pub first: u64,
    /// What that names as its predecessor.
    pub prev: Mac,
    /// The position of its last line.
    pub last: u64,
    /// The MAC of that.
    pub mac: Mac,
    /// The newest heads of other chains that the lines have seen.
    pub seen: Vec<Head>,
    /// The files of the lines.
    pub files: Vec<SummedFile>,
    /// The month (UTC) in which the newest of the files was written, as `2026-11`: files go month by month.
    pub month: String,
    /// Who verified the lines, and when.
    pub verified: Verified,
    types: usize,
    operations: usize,
    events: usize,
    rest: usize,
    /// Where the rows of events begin, after the first one of all.
    events_at: usize,
    /// Where the rest begins.
    rest_at: usize,
}

impl Header {
    /// The last line, which stands for all of them.
    #[must_use]
    pub const fn end(&self) -> Head {
        Head { chain: self.chain, position: self.last, mac: self.mac }
    }
}

/// What lines amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    header: Header,
    /// Those that are over, by start and id.
    operations: Vec<Operation>,
    events: Vec<Event>,
    /// Records of the others, with their positions.
    rest: Vec<(u64, Record)>,
}

impl Summary {
    /// The summary of lines that follow `before`, or begin their chain; none where they do not, are not
    /// authentic, or leave one out.
    #[must_use]
    pub fn of(
        lines: &[Line],
        before: Option<Head>,
        files: Vec<SummedFile>,
        month: String,
        verified: Verified,
        mac: &MacOf<'_>,
    ) -> Option<Self> {
        let chain = lines.first()?.place().chain;
        let mut end = before.map_or((0, Mac::ZERO), |head| (head.position, head.mac));
        let (first, prev) = (end.0.checked_add(1)?, end.1);
        let mut seen: BTreeMap<ChainId, Head> = BTreeMap::new();
        for line in lines {
            let place = line.place();
            let follows = place.position == end.0.checked_add(1)? && line.prev() == end.1;
            if place.chain != chain || !follows || !line.is_authentic(mac) {
                return None;
            }
            end = (place.position, place.mac);
            newest(&mut seen, line.seen());
        }
        let records: Vec<(u64, Record)> =
            lines.iter().map(|line| (line.place().position, line.record().clone())).collect();
        let parts = Parts::of(records);
        let header = Header {
            format_version: FORMAT_VERSION,
            chain,
            first,
            prev,
            last: end.0,
            mac: end.1,
            seen: seen.into_values().collect(),
            files,
            month,
            verified,
            types: 0,
            operations: 0,
            events: 0,
            rest: 0,
            events_at: 0,
            rest_at: 0,
        };
        Some(Self::with(header, parts))
    }

    fn with(header: Header, parts: Parts) -> Self {
        let Parts { operations, events, rest } = parts;
        let types: HashSet<&str> =
            operations.iter().map(|operation| operation.script_type.word()).collect();
        let header = Header {
            types: types.len(),
            operations: operations.len(),
            events: events.len(),
            rest: rest.len(),
            events_at: 0,
            rest_at: 0,
            ..header
        };
        Self { header, operations, events, rest }
    }

    /// What it was made from.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// This and the summary that follows it as one; none where it does not follow, or says something of an
    /// execution that is over in this one, or that was begun in it and is over by itself there.
    #[must_use]
    pub fn joined(mut self, next: Self) -> Option<Self> {
        let (one, other) = (&self.header, &next.header);
        let follows = one.chain == other.chain
            && one.last.checked_add(1) == Some(other.first)
            && one.mac == other.prev;
        let over = |operations: &[Operation]| -> HashSet<ExecutionId> {
            operations.iter().map(|operation| operation.id).collect()
        };
        let (before, after) = (over(&self.operations), over(&next.operations));
        let is_in = |ids: &HashSet<ExecutionId>, (_, record): &(u64, Record)| {
            !matches!(record, Record::Event(_)) && ids.contains(&record.execution())
        };
        let is_shared = !before.is_disjoint(&after)
            || self.rest.iter().any(|record| is_in(&after, record))
            || next.rest.iter().any(|record| is_in(&before, record));
        if !follows || is_shared {
            return None;
        }
        let mut seen: BTreeMap<ChainId, Head> = BTreeMap::new();
        newest(&mut seen, &one.seen);
        newest(&mut seen, &other.seen);
        let verified = Verified {
            at: one.verified.at.min(other.verified.at),
            by: one.verified.by.union(&other.verified.by).cloned().collect(),
        };
        let header = Header {
            last: other.last,
            mac: other.mac,
            seen: seen.into_values().collect(),
            files: [one.files.as_slice(), &other.files].concat(),
            month: other.month.clone(),
            verified,
            ..one.clone()
        };
        self.rest.extend(next.rest);
        let mut parts = Parts::of(self.rest);
        parts.operations.extend(self.operations);
        parts.operations.extend(next.operations);
        parts.operations.sort_by_key(|operation| (operation.started, operation.id));
        parts.events.extend(self.events);
        parts.events.extend(next.events);
        parts.events.sort_by(event_order);
        Some(Self::with(header, parts))
    }

    /// Whether it says of its lines what another one says, whoever made it from which files.
    #[must_use]
    pub fn says_as(&self, other: &Self) -> bool {
        let place = |header: &Header| (header.chain, header.first, header.last, header.mac);
        place(&self.header) == place(&other.header)
            && (&self.operations, &self.events, &self.rest)
                == (&other.operations, &other.events, &other.rest)
    }

    /// As bytes, to be sealed.
    ///
    /// # Errors
    /// None that is known: what was folded has rows.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SummaryError> {
        let mut sink = Sink::default();
        // They come first, so that they are known by their numbers.
        let types: BTreeSet<&str> =
            self.operations.iter().map(|operation| operation.script_type.word()).collect();
        types.into_iter().for_each(|word| sink.text(word));
        sink.rows.clear();
        for operation in &self.operations {
            row::write(&mut sink, operation)?;
        }
        let events_at = sink.rows.len();
        for event in &self.events {
            row::write_event(&mut sink, event)?;
        }
        let rest_at = sink.rows.len();
        for (position, record) in &self.rest {
            sink.number(*position);
            let text = serde_json::to_string(record).map_err(|_| SummaryError::Malformed)?;
            sink.text(&text);
        }
        let header = Header { events_at, rest_at, ..self.header.clone() };
        let mut out = serde_json::to_vec(&header).map_err(|_| SummaryError::Malformed)?;
        out.push(b'\n');
        sink.finish(&mut out);
        Ok(out)
    }
}

fn newest(seen: &mut BTreeMap<ChainId, Head>, heads: &[Head]) {
    for head in heads {
        let known = seen.entry(head.chain).or_insert(*head);
        if head.position > known.position {
            *known = *head;
        }
    }
}

/// Records by what becomes of them.
struct Parts {
    operations: Vec<Operation>,
    events: Vec<Event>,
    rest: Vec<(u64, Record)>,
}

impl Parts {
    fn of(records: Vec<(u64, Record)>) -> Self {
        let Folded { mut operations, .. } = fold(records.iter().map(|(_, one)| one), &Scope::All);
        operations.retain(|operation| operation.status.is_end() && row::fits(operation));
        let over: HashSet<ExecutionId> = operations.iter().map(|operation| operation.id).collect();
        let (mut events, mut rest) = (Vec::new(), Vec::new());
        for (position, record) in records {
            match record {
                Record::Event(event) if row::nanos(event.time).is_some() => events.push(event),
                Record::Execution(_) | Record::Status(_) if over.contains(&record.execution()) => {}
                record => rest.push((position, record)),
            }
        }
        events.sort_by(event_order);
        Self { operations, events, rest }
    }
}

/// A summary as it was read: what is looked at is looked up in its bytes.
#[derive(Clone, Debug)]
pub struct Opened {
    header: Header,
    bytes: Vec<u8>,
    texts: Texts,
    types: Vec<ScriptType>,
    ids: Vec<ExecutionId>,
    /// Where the rows begin.
    rows: usize,
}

impl Opened {
    /// Opens what [`Summary::to_bytes`] wrote.
    ///
    /// # Errors
    /// The bytes are no summary of this version.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, SummaryError> {
        let malformed = |_| SummaryError::Malformed;
        let line = bytes.iter().position(|byte| *byte == b'\n').ok_or(SummaryError::Malformed)?;
        let header = bytes.get(..line).unwrap_or_default();
        let header: Header = serde_json::from_slice(header).map_err(malformed)?;
        if header.format_version != FORMAT_VERSION {
            return Err(SummaryError::Malformed);
        }
        let mut source = Source::new(&bytes, line.saturating_add(1));
        let texts = Texts::read(&mut source)?;
        if header.types > texts.len() {
            return Err(SummaryError::Malformed);
        }
        let word = |number| texts.get(number)?.parse().map_err(|_| SummaryError::Malformed);
        let types: Result<Vec<ScriptType>, SummaryError> = (0..header.types).map(word).collect();
        let ids = (0..header.operations).map(|_| source.id()).collect::<Result<_, _>>()?;
        let (rows, types) = (source.place(), types?);
        Ok(Self { header, texts, types, ids, rows, bytes })
    }

    /// What it was made from.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// How many executions it holds that are over.
    #[must_use]
    pub const fn operation_count(&self) -> usize {
        self.header.operations
    }

    /// Shows every execution that is over, its number, and where its row begins.
    pub(super) fn each<'a>(
        &'a self,
        mut see: impl FnMut(SeenRow<'a, '_>, usize, usize),
    ) -> Result<(), SummaryError> {
        let mut source = Source::new(&self.bytes, self.rows);
        let mut nodes = Vec::new();
        for (number, id) in self.ids.iter().enumerate() {
            let at = source.place();
            let row = row::read(*id, &mut source, &self.texts, &self.types, &mut nodes)?;
            see(SeenRow { tenant: row.tenant, glance: row.glance, nodes: &nodes }, number, at);
        }
        Ok(())
    }

    /// The execution whose row is there.
    pub(super) fn operation(&self, place: Place) -> Result<Operation, SummaryError> {
        let id = self.ids.get(place.number).ok_or(SummaryError::Malformed)?;
        let mut source = Source::new(&self.bytes, place.at);
        let mut nodes = Vec::new();
        row::read(*id, &mut source, &self.texts, &self.types, &mut nodes)?.operation(&nodes)
    }

    fn section(&self, at: usize) -> Source<'_> {
        Source::new(&self.bytes, self.rows.saturating_add(at))
    }

    /// Events of a scope since a moment: at most so many, the newest, in the order of [`Folded`].
    pub(super) fn newest_events(
        &self,
        scope: &Scope,
        since: Moment,
        count_max: usize,
    ) -> Result<Vec<Event>, SummaryError> {
        let mut source = self.section(self.header.events_at);
        let mut rows = Vec::new();
        for _ in 0..self.header.events {
            let row = row::read_event(&mut source, &self.texts)?;
            if row.time >= since && scope.holds(row.tenant) {
                rows.push(row);
            }
        }
        let mut events: Vec<Event> = Vec::new();
        for row in rows.iter().rev() {
            if events.len() == count_max {
                break;
            }
            let event = row.event()?;
            if events.last() != Some(&event) {
                events.push(event);
            }
        }
        events.reverse();
        Ok(events)
    }

    /// Records of what is not over, with their positions.
    ///
    /// # Errors
    /// It is malformed.
    pub fn rest(&self) -> Result<Vec<(u64, Record)>, SummaryError> {
        let mut source = self.section(self.header.rest_at);
        let mut rest = Vec::with_capacity(self.header.rest.min(self.bytes.len()));
        for _ in 0..self.header.rest {
            let position = source.number()?;
            let text = source.text(&self.texts)?;
            rest.push((position, serde_json::from_str(text).map_err(|_| SummaryError::Malformed)?));
        }
        if source.is_at_end() { Ok(rest) } else { Err(SummaryError::Malformed) }
    }

    /// All of it, to be joined with another.
    ///
    /// # Errors
    /// It is malformed.
    pub fn whole(&self) -> Result<Summary, SummaryError> {
        let mut places = Vec::with_capacity(self.ids.len());
        self.each(|_, number, at| places.push(Place { part: 0, number, at }))?;
        let operations: Result<Vec<Operation>, SummaryError> =
            places.into_iter().map(|place| self.operation(place)).collect();
        let events = self.newest_events(&Scope::All, Moment::MIN_UTC, usize::MAX)?;
        let parts = Parts { operations: operations?, events, rest: self.rest()? };
        Ok(Summary::with(self.header.clone(), parts))
    }
}

/// An execution as it is shown by [`Opened::each`].
pub(super) struct SeenRow<'a, 'n> {
    pub(super) tenant: Option<&'a str>,
    pub(super) glance: super::overview::Glance<'a>,
    pub(super) nodes: &'n [NodeGlance<'a>],
}

/// Whether summaries, or one of them and records beside them, say something of the same execution: then what
/// they say must be folded together, from the lines. Gives the chains of those that do.
#[must_use]
pub fn shared<'r>(
    summaries: &[&Opened],
    beside: impl IntoIterator<Item = &'r Record>,
) -> BTreeSet<ChainId> {
    let mut owners: Vec<(ExecutionId, Option<usize>)> = Vec::new();
    for (number, summary) in summaries.iter().enumerate() {
        owners.extend(summary.ids.iter().map(|id| (*id, Some(number))));
    }
    let beside = beside.into_iter().filter(|record| !matches!(record, Record::Event(_)));
    owners.extend(beside.map(|record| (record.execution(), None)));
    // Ids begin with the time: mostly they are in order.
    owners.sort();
    let mut chains = BTreeSet::new();
    for same in owners.chunk_by(|one, other| one.0 == other.0) {
        let is_alone = same.iter().all(|(_, owner)| Some(owner) == same.first().map(|one| &one.1));
        if same.len() > 1 && !(is_alone && same.iter().all(|(_, owner)| owner.is_none())) {
            let owning = same.iter().filter_map(|(_, owner)| summaries.get((*owner)?));
            chains.extend(owning.map(|summary| summary.header.chain));
        }
    }
    chains
}
