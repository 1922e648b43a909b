//! Puts records at the ends of a writer's chains.

use std::collections::BTreeMap;

use super::{
    super::{hex::WriterId, record::Record, script::Class},
    ChainId, Head, Line, LineError, MacOf,
};

/// The ends of one writer's chains, where its next lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    id: WriterId,
    ends: BTreeMap<Class, Head>,
    seen: Vec<Head>,
}

impl Writer {
    /// A writer that goes on after those of `heads` that are of its own chains.
    #[must_use]
    pub fn new(id: WriterId, heads: &[Head]) -> Self {
        let mut ends: BTreeMap<Class, Head> = BTreeMap::new();
        for head in heads.iter().filter(|head| head.chain.writer == id) {
            let end = ends.entry(head.chain.class).or_insert(*head);
            if head.position > end.position {
                *end = *head;
            }
        }
        Self { id, ends, seen: Vec::new() }
    }

    /// Notes the heads of others in the next line that is appended, whichever chain it is of. Those
    /// that have moved since the last time are enough.
    pub fn witness(&mut self, heads: &[Head]) {
        self.seen.extend(heads.iter().filter(|head| head.chain.writer != self.id));
        self.seen.sort_unstable();
        self.seen.dedup();
    }

    /// The next line of the chain for the record's class.
    ///
    /// # Errors
    /// None that is known: every record has a JSON form. The chain is then as it was.
    pub fn append(&mut self, record: Record, mac: &MacOf<'_>) -> Result<Line, LineError> {
        let class = record.class();
        let chain = ChainId { writer: self.id, class };
        let before = self.ends.get(&class).copied();
        let line = Line::new(chain, before, self.seen.clone(), record, mac)?;
        self.seen.clear();
        self.ends.insert(class, line.place());
        Ok(line)
    }

    /// The newest place of each of its chains.
    #[must_use]
    pub fn heads(&self) -> Vec<Head> {
        self.ends.values().copied().collect()
    }
}

/// The newest place of each chain among `lines`: what a writer finds when a head lags behind.
#[must_use]
pub fn heads(lines: &[Line]) -> Vec<Head> {
    let mut newest: BTreeMap<ChainId, Head> = BTreeMap::new();
    for place in lines.iter().map(Line::place) {
        let head = newest.entry(place.chain).or_insert(place);
        if place.position > head.position {
            *head = place;
        }
    }
    newest.into_values().collect()
}
