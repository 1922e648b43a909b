//! What must remain, in the plainest words: hours since the first of January 2026, sets, and loops.
//!
//! Shares nothing with the engine: calendar periods are walked forwards day by day from where they
//! begin, and rules are looked up one by one for every snapshot.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Age {
    Hours(i64),
    Months(u32),
}

#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) number: usize,
    pub(crate) keep: Option<u64>,
    pub(crate) age: Option<Age>,
    pub(crate) rows: Option<Age>,
    pub(crate) grace: Age,
    /// A hold, with its last day.
    pub(crate) hold: Option<Option<i64>>,
}

impl Rules {
    pub(crate) fn new(number: usize) -> Self {
        let grace = Age::Hours(30 * 24);
        Self { number, keep: None, age: None, rows: None, grace, hold: None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Chunk(String),
    Snapshot(u64),
}

#[derive(Clone, Debug)]
pub(crate) struct ModelSnapshot {
    pub(crate) chunks: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct ModelChunk {
    pub(crate) hour: i64,
    /// The day of each row.
    pub(crate) rows: Vec<i64>,
}

/// One export.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) snapshots: BTreeMap<u64, ModelSnapshot>,
    pub(crate) chunks: BTreeMap<String, ModelChunk>,
    pub(crate) marked: BTreeMap<Key, i64>,
    /// Hours of all commits ever marked or present, by version.
    commits: BTreeMap<u64, i64>,
    ever: u64,
}

impl Model {
    pub(crate) fn commit(&mut self, hour: i64, chunks: Vec<String>) -> u64 {
        self.ever += 1;
        self.commits.insert(self.ever, hour);
        self.snapshots.insert(self.ever, ModelSnapshot { chunks });
        self.ever
    }

    pub(crate) fn apply(&mut self, rules: &[Rules], now: i64, written: i64) {
        if rules.iter().any(|rules| is_held(rules, now)) {
            self.marked.clear();
            return;
        }
        self.mark(rules, now);
        self.destroy(rules, now);
        if self.rewrite(rules, now, written) {
            self.mark(rules, now);
        }
    }

    fn mark(&mut self, rules: &[Rules], now: i64) {
        let mut keys: Vec<Key> = self.snapshots.keys().copied().map(Key::Snapshot).collect();
        keys.extend(self.chunks.keys().cloned().map(Key::Chunk));
        for key in keys {
            if self.who_wants(&key, rules, now).is_empty() {
                self.marked.remove(&key);
            } else {
                self.marked.entry(key).or_insert(now);
            }
        }
    }

    fn destroy(&mut self, rules: &[Rules], now: i64) {
        let mut going = BTreeSet::new();
        for (key, since) in &self.marked {
            let wanted_by = self.who_wants(key, rules, now);
            let written = match key {
                Key::Chunk(id) => self.chunks[id].hour,
                Key::Snapshot(_) => i64::MIN,
            };
            if wanted_by.iter().any(|rules| is_over((*since).max(written), rules.grace, now)) {
                going.insert(key.clone());
            }
        }
        let mut candidates = BTreeSet::new();
        for key in &going {
            self.marked.remove(key);
            match key {
                Key::Chunk(id) => drop(self.chunks.remove(id)),
                Key::Snapshot(version) => {
                    candidates.extend(self.snapshots.remove(version).unwrap().chunks);
                }
            }
        }
        for id in candidates {
            if !self.snapshots.values().any(|snapshot| snapshot.chunks.contains(&id)) {
                self.chunks.remove(&id);
                self.marked.remove(&Key::Chunk(id));
            }
        }
    }

    /// Which rules want a thing gone.
    fn who_wants<'a>(&self, key: &Key, rules: &'a [Rules], now: i64) -> Vec<&'a Rules> {
        let mut wanted_by = Vec::new();
        for rules in rules {
            let wants = match key {
                Key::Snapshot(version) => self.is_unwanted_snapshot(*version, rules, now),
                Key::Chunk(id) => {
                    let named = self.snapshots.values().any(|one| one.chunks.contains(id));
                    !named && now - self.chunks[id].hour >= 24
                }
            };
            if wants {
                wanted_by.push(rules);
            }
        }
        wanted_by
    }

    fn is_unwanted_snapshot(&self, version: u64, rules: &Rules, now: i64) -> bool {
        let newest = *self.snapshots.keys().max().unwrap();
        if rules.keep.is_some_and(|keep| version + keep <= self.ever) {
            return true;
        }
        // Every commit from this one on: present, or marked when it went.
        for (later, hour) in &self.commits {
            if *later >= version && rules.age.is_some_and(|age| is_over(*hour, age, now)) {
                return true;
            }
        }
        let chunks = &self.snapshots[&version].chunks;
        version < newest && chunks.iter().any(|id| self.expired(id, rules, now) > 0)
    }

    fn expired(&self, id: &str, rules: &Rules, now: i64) -> usize {
        let Some(age) = rules.rows else { return 0 };
        self.chunks[id].rows.iter().filter(|day| is_day_over(**day, age, now)).count()
    }

    fn rewrite(&mut self, rules: &[Rules], now: i64, written: i64) -> bool {
        let Some((&newest, snapshot)) = self.snapshots.last_key_value() else { return false };
        let key = Key::Snapshot(newest);
        let is_clean = snapshot
            .chunks
            .iter()
            .all(|id| rules.iter().all(|rules| self.expired(id, rules, now) == 0));
        if is_clean || !self.who_wants(&key, rules, now).is_empty() {
            return false;
        }
        let is_expired = |day: i64| {
            rules.iter().any(|rules| rules.rows.is_some_and(|age| is_day_over(day, age, now)))
        };
        let mut chunks = Vec::new();
        for id in snapshot.chunks.clone() {
            let rows = self.chunks[&id].rows.clone();
            let left: Vec<i64> = rows.iter().copied().filter(|day| !is_expired(*day)).collect();
            if left.len() == rows.len() {
                chunks.push(id);
            } else if !left.is_empty() {
                let anew = format!("{id}+{newest}");
                self.chunks.insert(anew.clone(), ModelChunk { hour: written, rows: left });
                chunks.push(anew);
            }
        }
        self.commit(now, chunks);
        true
    }
}

pub(crate) fn is_held(rules: &Rules, now: i64) -> bool {
    rules.hold.is_some_and(|until| until.is_none_or(|last| now < (last + 1) * 24))
}

/// Whether what happened at `then` is older than `age`.
pub(crate) fn is_over(then: i64, age: Age, now: i64) -> bool {
    match age {
        Age::Hours(hours) => now - then > hours,
        Age::Months(months) => (last_day(then.div_euclid(24), months) + 1) * 24 <= now,
    }
}

/// Whether all of a day is.
pub(crate) fn is_day_over(day: i64, age: Age, now: i64) -> bool {
    match age {
        Age::Hours(hours) => now - (day + 1) * 24 >= hours,
        Age::Months(_) => is_over(day * 24, age, now),
    }
}

/// The last day of a period of so many months that begins on `day`, found by walking.
fn last_day(day: i64, months: u32) -> i64 {
    let (start, mut month, mut first) = (day, 0_u32, 0_i64);
    // Months are counted from January 2020.
    let epoch = -2192;
    let mut at = epoch;
    while at + length(month) <= start {
        at += length(month);
        month += 1;
    }
    let of_month = start - at;
    for _ in 0..months {
        at += length(month);
        month += 1;
        first = at;
    }
    first + of_month.min(length(month) - 1)
}

fn length(month: u32) -> i64 {
    let year = 2020 + month / 12;
    match month % 12 {
        1 if year.is_multiple_of(4) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}
