//! What is wrong with chains: `engine verify --audit`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use super::{super::hex::Mac, ChainId, Head, Line, MacOf};

/// What is known of chains besides their lines.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The newest places: of the store, and of whoever remembers one.
    pub heads: &'a [Head],
    /// The last places that retention removed.
    pub anchors: &'a [Head],
}

/// What is wrong with a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
#[non_exhaustive]
pub enum Fault {
    /// Lines are not there that others stand after.
    Missing {
        /// In which chain.
        chain: ChainId,
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// The content of a line is not that of its MAC: it was changed, or moved from elsewhere.
    Changed {
        /// In which chain.
        chain: ChainId,
        /// Where.
        position: u64,
    },
    /// A line that the engine did not write stands beside the one that it wrote, or beyond the end.
    Inserted {
        /// In which chain.
        chain: ChainId,
        /// Where.
        position: u64,
    },
    /// Two authentic lines for one place: the chain was written on from an earlier state.
    Forked {
        /// In which chain.
        chain: ChainId,
        /// Where.
        position: u64,
    },
    /// An authentic line does not follow the one before it.
    Unlinked {
        /// In which chain.
        chain: ChainId,
        /// Where.
        position: u64,
    },
    /// A line stands after one that follows it.
    Reordered {
        /// In which chain.
        chain: ChainId,
        /// Where.
        position: u64,
    },
    /// The end is not there.
    Truncated {
        /// Of which chain.
        chain: ChainId,
        /// The last position there is; 0 where there is none.
        found: u64,
        /// The last one that is known to have been.
        known: u64,
    },
    /// No head is known: whether the end is there cannot be told. Left by a writer that was stopped
    /// before it wrote its first head, or by who removed the head together with lines.
    Unheaded {
        /// Which chain.
        chain: ChainId,
        /// Its last position.
        found: u64,
    },
}

impl Fault {
    /// In which chain.
    #[must_use]
    pub const fn chain(&self) -> ChainId {
        match self {
            Self::Missing { chain, .. }
            | Self::Changed { chain, .. }
            | Self::Inserted { chain, .. }
            | Self::Forked { chain, .. }
            | Self::Unlinked { chain, .. }
            | Self::Reordered { chain, .. }
            | Self::Truncated { chain, .. }
            | Self::Unheaded { chain, .. } => *chain,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "chain {}: ", self.chain())?;
        match self {
            Self::Missing { first, last, .. } if first == last => {
                write!(out, "record {first} is missing")
            }
            Self::Missing { first, last, .. } => {
                write!(out, "records {first} to {last} are missing")
            }
            Self::Changed { position, .. } => write!(out, "record {position} was changed"),
            Self::Inserted { position, .. } => {
                write!(out, "a record was inserted at {position}")
            }
            Self::Forked { position, .. } => write!(out, "there are two records {position}"),
            Self::Unlinked { position, .. } => {
                write!(out, "record {position} does not follow the one before it")
            }
            Self::Reordered { position, .. } => write!(out, "record {position} is out of order"),
            Self::Truncated { found, known, .. } => {
                write!(out, "it ends at record {found}, and went on to {known}")
            }
            Self::Unheaded { found, .. } => {
                write!(out, "no head is known; it may have gone on after record {found}")
            }
        }
    }
}

/// Everything that is wrong with the chains of `lines`, sorted; nothing, if they are as they were
/// written.
///
/// `lines` are all there are, those of one chain in the order in which they are stored: files by
/// chain and first position. Lines beyond a head are no fault, nor are exact copies, nor lines before
/// an anchor that retention has not come to yet.
#[must_use]
pub fn verify(lines: &[Line], known: Known<'_>, mac: &MacOf<'_>) -> Vec<Fault> {
    let mut chains: BTreeMap<ChainId, Chain> = BTreeMap::new();
    let mut seen: Vec<Head> = Vec::new();
    for line in lines {
        let place = line.place();
        let chain = chains.entry(place.chain).or_default();
        if !line.is_authentic(mac) {
            chain.forged.insert(place.position);
            continue;
        }
        let lines = chain.authentic.entry(place.position).or_default();
        if lines.insert(place.mac, line.prev()).is_none() {
            chain.order.push(place.position);
            seen.extend(line.seen());
        }
    }
    for anchor in known.anchors {
        let chain = chains.entry(anchor.chain).or_default();
        chain.anchor = chain.anchor.max(Some((anchor.position, anchor.mac)));
    }
    for head in known.heads.iter().chain(&seen) {
        chains.entry(head.chain).or_default().heads.insert((head.position, head.mac));
    }
    let mut faults = BTreeSet::new();
    for (id, chain) in &chains {
        chain.judge(*id, &mut faults);
    }
    faults.into_iter().collect()
}

/// What was found of one chain.
#[derive(Default)]
struct Chain {
    /// By position: the MACs of authentic lines, and what each names as its predecessor.
    authentic: BTreeMap<u64, BTreeMap<Mac, Mac>>,
    /// Positions of lines that are not authentic.
    forged: BTreeSet<u64>,
    /// Positions of authentic lines as they are stored, without copies.
    order: Vec<u64>,
    anchor: Option<(u64, Mac)>,
    heads: BTreeSet<(u64, Mac)>,
}

impl Chain {
    fn judge(&self, chain: ChainId, faults: &mut BTreeSet<Fault>) {
        for position in self.forged.iter().copied() {
            let is_beside = self.authentic.contains_key(&position) || position > self.end();
            faults.insert(if is_beside {
                Fault::Inserted { chain, position }
            } else {
                Fault::Changed { chain, position }
            });
        }
        let forks = self.authentic.iter().filter(|(_, lines)| lines.len() > 1);
        faults.extend(forks.map(|(position, _)| Fault::Forked { chain, position: *position }));
        self.judge_order(chain, faults);
        self.judge_gaps(chain, faults);
        self.judge_links(chain, faults);
        self.judge_end(chain, faults);
    }

    fn anchored(&self) -> u64 {
        self.anchor.map_or(0, |(position, _)| position)
    }

    fn known(&self) -> u64 {
        self.heads.iter().next_back().map_or(0, |(position, _)| *position)
    }

    /// The last position for which somebody who has the key answers.
    fn end(&self) -> u64 {
        let authentic = self.authentic.keys().next_back().copied().unwrap_or(0);
        authentic.max(self.known()).max(self.anchored())
    }

    /// The last position where a line is, be it as it was written or changed.
    fn last(&self) -> u64 {
        let authentic = self.authentic.keys().next_back().copied().unwrap_or(0);
        let changed = self.forged.range(..=self.end()).next_back().copied().unwrap_or(0);
        authentic.max(changed).max(self.anchored())
    }

    fn judge_order(&self, chain: ChainId, faults: &mut BTreeSet<Fault>) {
        let mut greatest = 0;
        for position in self.order.iter().copied() {
            if position < greatest {
                faults.insert(Fault::Reordered { chain, position });
            }
            greatest = greatest.max(position);
        }
    }

    fn judge_gaps(&self, chain: ChainId, faults: &mut BTreeSet<Fault>) {
        let mut next = self.anchored().saturating_add(1);
        let positions: BTreeSet<u64> = self.authentic.keys().chain(&self.forged).copied().collect();
        for position in positions.range(next..).copied().take_while(|at| *at <= self.end()) {
            if position > next {
                let last = position.saturating_sub(1);
                faults.insert(Fault::Missing { chain, first: next, last });
            }
            next = position.saturating_add(1);
        }
    }

    fn judge_links(&self, chain: ChainId, faults: &mut BTreeSet<Fault>) {
        for (position, lines) in &self.authentic {
            let before = position.saturating_sub(1);
            let anchor = self.anchor.filter(|(anchored, _)| *anchored == before);
            let mut candidates: Vec<Mac> = anchor.map(|(_, mac)| mac).into_iter().collect();
            candidates.extend(self.authentic.get(&before).into_iter().flat_map(BTreeMap::keys));
            if before == 0 {
                candidates = vec![Mac::ZERO];
            }
            let is_loose = |prev: &Mac| !candidates.is_empty() && !candidates.contains(prev);
            if lines.values().any(is_loose) {
                faults.insert(Fault::Unlinked { chain, position: *position });
            }
        }
    }

    fn judge_end(&self, chain: ChainId, faults: &mut BTreeSet<Fault>) {
        let found = self.last();
        if self.heads.is_empty() && found > self.anchored() {
            faults.insert(Fault::Unheaded { chain, found });
        }
        let known = self.known();
        if known > found {
            faults.insert(Fault::Truncated { chain, found, known });
        }
        for (position, mac) in &self.heads {
            let anchor = self.anchor.filter(|(anchored, _)| anchored == position);
            let is_other = |lines: &BTreeMap<Mac, Mac>| !lines.contains_key(mac);
            let differs = anchor.is_some_and(|(_, anchored)| anchored != *mac)
                || self.authentic.get(position).is_some_and(is_other);
            if differs {
                faults.insert(Fault::Forked { chain, position: *position });
            }
        }
    }
}
