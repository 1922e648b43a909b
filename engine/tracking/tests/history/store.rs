//! A history in memory, kept as a run keeps one in a store: chunks of hub, satellite and links.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::*;
use arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use arrow::datatypes::*;
use chrono::DateTime;
use engine_tracking::history::*;

use crate::model::{Chance, Key, State, Values, Version};

pub(crate) struct Store {
    pub(crate) vault: Vault,
    pub(crate) hub: Vec<RecordBatch>,
    pub(crate) satellite: Vec<RecordBatch>,
    pub(crate) links: Vec<RecordBatch>,
    newest: Option<i64>,
}

pub(crate) fn export() -> Schema {
    Schema::new(vec![
        Field::new("name", DataType::Utf8, true),
        Field::new("id", DataType::Utf8, false),
        Field::new("amount", DataType::Int64, true),
        Field::new("org", DataType::Int32, false),
        Field::new("city", DataType::Utf8, true),
    ])
}

pub(crate) fn vault() -> Vault {
    let city = Reference { name: "city".into(), columns: vec!["city".into()], tenant: None };
    Vault::new("people", &export(), &["id"], Some("org"), &[city]).unwrap()
}

pub(crate) fn batch(rows: &[(&Key, &Values)]) -> RecordBatch {
    let texts = |of: &dyn Fn(&(&Key, &Values)) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let columns: Vec<ArrayRef> = vec![
        texts(&|row| row.1.name.clone()),
        texts(&|row| Some(row.0.1.clone())),
        Arc::new(rows.iter().map(|row| row.1.amount).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| Some(row.0.0)).collect::<Int32Array>()),
        texts(&|row| row.1.city.clone()),
    ];
    RecordBatch::try_new(Arc::new(export()), columns).unwrap()
}

impl Store {
    pub(crate) fn new() -> Self {
        let (hub, satellite, links) = Default::default();
        Self { vault: vault(), hub, satellite, links, newest: None }
    }

    /// Loads a state, cut and ordered by chance. Nothing is kept when it is refused.
    pub(crate) fn load(
        &mut self,
        date: i64,
        state: &State,
        chance: &mut Chance,
    ) -> Result<Tally, HistoryError> {
        let moment = |micros| DateTime::from_timestamp_micros(micros).unwrap();
        let load = Load::new(moment(date), "test", self.newest.map(moment));
        let mut rows: Vec<_> = state.iter().collect();
        shuffle(&mut rows, chance);
        let batches: Vec<_> = rows.chunks(1 + chance.below(60) as usize).map(batch).collect();
        let (mut hub, mut satellite, mut links) = (Vec::new(), Vec::new(), Vec::new());
        let mut tally = Tally::default();
        let parts = 1 + chance.below(4) as u32;
        for part in Part::all(parts) {
            let mut current = CurrentState::new(&load, part, chance.below(100) as usize);
            for chunk in shuffled(&self.satellite, chance) {
                current.insert(&Recorded::of(&chunk)?)?;
            }
            let mut comparison = current.compare()?;
            for batch in &batches {
                let hashed = self.vault.hash(batch)?;
                let outcomes = comparison.probe(&hashed.keys, &hashed.diffs)?;
                hub.push(self.vault.hub_rows(batch, &hashed, &outcomes, &load)?);
                satellite.push(self.vault.satellite_rows(batch, &hashed, &outcomes, &load)?);
                links.extend(self.vault.link_rows(batch, &hashed, &outcomes, &load)?);
            }
            let findings = comparison.finish()?;
            for gone in findings.gone(1 + chance.below(5) as usize) {
                let (keys, versions) = gone?;
                satellite.push(self.vault.closing_rows(&keys, &versions, &load)?);
            }
            tally = tally + findings.tally();
        }
        load.settle(tally)?;
        assert_eq!(
            satellite.iter().map(RecordBatch::num_rows).sum::<usize>() as u64,
            tally.appended()
        );
        let mut known = LinkState::new(Part::WHOLE, 0);
        for chunk in &self.links {
            known.insert(hashes(chunk, LINK_HASH_KEY))?;
        }
        for links in links {
            let new = known.insert(hashes(&links, LINK_HASH_KEY))?;
            self.links.push(filter_record_batch(&links, &new)?);
        }
        let is_chunk = |batch: &RecordBatch| batch.num_rows() > 0;
        self.links.retain(is_chunk);
        self.hub.extend(hub.into_iter().filter(is_chunk));
        self.satellite.extend(satellite.into_iter().filter(is_chunk));
        self.newest = self.newest.max(Some(date));
        Ok(tally)
    }

    /// What the chunks say, in the words of the model.
    pub(crate) fn versions(&self) -> BTreeMap<Key, Vec<Version>> {
        let keys = self.keys();
        let mut versions: BTreeMap<Key, Vec<Version>> = BTreeMap::new();
        for chunk in &self.satellite {
            let text = |name: &str, row: usize| {
                let column = chunk[name].as_string::<i32>();
                column.is_valid(row).then(|| column.value(row).to_owned())
            };
            for row in 0..chunk.num_rows() {
                let amount = chunk["amount"].as_primitive::<Int64Type>();
                let values = Values {
                    name: text("name", row),
                    amount: amount.is_valid(row).then(|| amount.value(row)),
                    city: text("city", row),
                };
                let deleted = chunk[IS_DELETED].as_boolean().value(row);
                let nothing = Values { name: None, amount: None, city: None };
                assert!(!deleted || values == nothing);
                assert_eq!(deleted, hashes(chunk, HASH_DIFF).value(row) == NO_DIFF);
                let key = &keys[hashes(chunk, HASH_KEY).value(row)];
                versions.entry(key.clone()).or_default().push(Version {
                    number: chunk[VERSION].as_primitive::<Int64Type>().value(row),
                    date: chunk[LOAD_DATE].as_primitive::<TimestampMicrosecondType>().value(row),
                    values: (!deleted).then_some(values),
                });
            }
        }
        versions.values_mut().for_each(|versions| versions.sort());
        versions
    }

    /// The rows of the satellite of each key, by version.
    pub(crate) fn by_key(&self) -> BTreeMap<Key, RecordBatch> {
        let all = concat_batches(self.vault.satellite_schema(), &self.satellite).unwrap();
        let numbers = all[VERSION].as_primitive::<Int64Type>();
        let rows_of = |hash: &[u8]| {
            let rows = 0..all.num_rows() as u32;
            let keys = hashes(&all, HASH_KEY);
            let mut rows: Vec<u32> = rows.filter(|row| keys.value(*row as usize) == hash).collect();
            rows.sort_by_key(|row| numbers.value(*row as usize));
            take_record_batch(&all, &UInt32Array::from(rows)).unwrap()
        };
        self.keys().into_iter().map(|(hash, key)| (key, rows_of(&hash))).collect()
    }

    /// Hash keys and keys, as the hub has them; each must be there once.
    pub(crate) fn keys(&self) -> BTreeMap<Vec<u8>, Key> {
        let mut keys = BTreeMap::new();
        for chunk in &self.hub {
            for row in 0..chunk.num_rows() {
                let org = chunk["org"].as_primitive::<Int32Type>().value(row);
                let key = (org, chunk["id"].as_string::<i32>().value(row).to_owned());
                let hash = hashes(chunk, HASH_KEY).value(row).to_vec();
                assert!(keys.insert(hash, key).is_none(), "a key twice in the hub");
            }
        }
        keys
    }
}

pub(crate) fn hashes<'a>(batch: &'a RecordBatch, name: &str) -> &'a FixedSizeBinaryArray {
    batch[name].as_fixed_size_binary()
}

fn shuffle<T>(items: &mut [T], chance: &mut Chance) {
    for last in (1..items.len()).rev() {
        items.swap(last, chance.below(last as u64 + 1) as usize);
    }
}

/// Chunks in another order, with their rows in another order; now and then, one of them twice.
fn shuffled(chunks: &[RecordBatch], chance: &mut Chance) -> Vec<RecordBatch> {
    let mut chunks = chunks.to_vec();
    chunks.extend(chunks.first().cloned().filter(|_| chance.below(3) == 0));
    shuffle(&mut chunks, chance);
    let chunks = chunks.iter().map(|chunk| {
        let mut rows: Vec<u32> = (0..chunk.num_rows() as u32).collect();
        shuffle(&mut rows, chance);
        take_record_batch(chunk, &UInt32Array::from(rows)).unwrap()
    });
    chunks.collect()
}
