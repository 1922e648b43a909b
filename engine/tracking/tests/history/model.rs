//! A history as anyone would write it down: a list of versions for each key.

use std::collections::BTreeMap;

/// Tenant and number.
pub(crate) type Key = (i32, String);

/// What a row says beside its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Values {
    pub(crate) name: Option<String>,
    pub(crate) amount: Option<i64>,
    pub(crate) city: Option<String>,
}

/// An export at one time.
pub(crate) type State = BTreeMap<Key, Values>;

/// A version; no values in a closing record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) number: i64,
    pub(crate) date: i64,
    pub(crate) values: Option<Values>,
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) versions: BTreeMap<Key, Vec<Version>>,
    /// Which city each key was ever seen with.
    pub(crate) links: std::collections::BTreeSet<(Key, String)>,
}

impl Model {
    pub(crate) fn load(&mut self, date: i64, state: &State) {
        for (key, values) in state {
            let versions = self.versions.entry(key.clone()).or_default();
            if versions.last().is_none_or(|last| last.values.as_ref() != Some(values)) {
                let number = versions.last().map_or(0, |last| last.number) + 1;
                versions.push(Version { number, date, values: Some(values.clone()) });
            }
            self.links.extend(values.city.iter().map(|city| (key.clone(), city.clone())));
        }
        for (key, versions) in &mut self.versions {
            let there = versions.last().is_some_and(|last| last.values.is_some());
            if there && !state.contains_key(key) {
                let number = versions.last().map_or(0, |last| last.number) + 1;
                versions.push(Version { number, date, values: None });
            }
        }
    }
}

/// Numbers that only look random: SplitMix64 (G. Steele et al., Fast splittable pseudorandom number
/// generators, 2014).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    pub(crate) fn values(&mut self) -> Values {
        let mut text = |letter: &str| match self.below(4) {
            0 => None,
            digit => Some(format!("{letter}{digit}")),
        };
        Values { name: text("n"), city: text("c"), amount: Some(self.below(3) as i64 - 1) }
    }

    /// A state some time after `before`.
    pub(crate) fn after(&mut self, before: &State) -> State {
        let mut state = before.clone();
        state.retain(|_, _| self.below(8) > 0);
        for values in state.values_mut() {
            if self.below(6) == 0 {
                *values = self.values();
            }
        }
        for _ in 0..self.below(30) {
            let key = (self.below(3) as i32, format!("k{}", self.below(40)));
            let values = self.values();
            state.entry(key).or_insert(values);
        }
        state
    }
}
