//! What goes of a history by its age, compared with the plain model: version by version, key by key, link by link.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::*;
use arrow::compute::{filter_record_batch, not};
use engine_tracking::history::*;
use proptest::prelude::*;

use crate::model::{Chance, Key, Model, State, Version};
use crate::store::{Store, hashes};

const LOADS: usize = 12;

/// What marks a version besides its age.
fn is_marked(version: &Version) -> bool {
    version.values.as_ref().is_some_and(|values| values.amount == Some(-1))
}

/// The versions that stay, as anyone would say it: from the first one on that neither it nor a later one of its key
/// goes.
fn staying(versions: &[Version], border: i64) -> Vec<Version> {
    let mut kept: Vec<Version> = Vec::new();
    for (number, version) in versions.iter().enumerate() {
        let end = versions.get(number + 1).map(|next| next.date);
        let goes =
            version.values.is_some() && (is_marked(version) || end.is_some_and(|end| end < border));
        match (goes, &version.values) {
            (true, _) => kept.clear(),
            (false, None) if kept.is_empty() => {}
            (false, _) => kept.push(version.clone()),
        }
    }
    kept
}

/// Everything that goes, by the kernels, in so many parts.
fn expire(store: &mut Store, border: i64, parts: u32) -> Option<i64> {
    let mut first_end = None;
    let mut gone: [Vec<BooleanArray>; 3] = Default::default();
    let mut merged = |table: usize, chunk: usize, rows: &BooleanArray| {
        let known = gone[table].get(chunk).map(|known| arrow::compute::or(known, rows).unwrap());
        match known {
            Some(both) => gone[table][chunk] = both,
            None => gone[table].push(rows.clone()),
        }
    };
    for part in Part::all(parts) {
        let mut ages = Ages::new(part);
        let mut first = 0;
        for chunk in &store.satellite {
            let amounts = chunk["amount"].as_primitive::<arrow::datatypes::Int64Type>();
            let marked: BooleanArray = amounts.iter().map(|one| one.map(|one| one == -1)).collect();
            ages.insert(&Recorded::of(chunk).unwrap(), Some(&marked), first).unwrap();
            first += chunk.num_rows() as u64;
        }
        let expired = ages.judge(Some(border));
        first_end = first_end.into_iter().chain(expired.first_end()).min();
        let positions: BTreeSet<u64> = expired.positions().iter().copied().collect();
        assert_eq!(positions.len(), expired.positions().len(), "a row goes once");
        let mut thinned = Thinned::new(&store.vault, &expired);
        for (number, chunk) in store.hub.iter().enumerate() {
            merged(0, number, &expired.is_gone(hashes(chunk, HASH_KEY)));
            thinned.hub(chunk).unwrap();
        }
        let mut first = 0;
        for (number, chunk) in store.satellite.iter().enumerate() {
            let rows = first..first + chunk.num_rows() as u64;
            first = rows.end;
            let rows: BooleanArray = rows.map(|row| Some(positions.contains(&row))).collect();
            thinned.version(&filter_record_batch(chunk, &not(&rows).unwrap()).unwrap()).unwrap();
            merged(1, number, &rows);
        }
        for (number, chunk) in store.links.iter().enumerate() {
            merged(2, number, &thinned.is_gone(chunk).unwrap());
        }
    }
    let [hub, satellite, links] = gone;
    for (chunks, gone) in
        [(&mut store.hub, hub), (&mut store.satellite, satellite), (&mut store.links, links)]
    {
        for (chunk, gone) in chunks.iter_mut().zip(gone) {
            *chunk = filter_record_batch(chunk, &not(&gone).unwrap()).unwrap();
        }
        chunks.retain(|chunk| chunk.num_rows() > 0);
    }
    first_end
}

/// What stays, and when the first of it ended.
fn expected(model: &Model, border: i64) -> (BTreeMap<Key, Vec<Version>>, Option<i64>) {
    let kept =
        model.versions.iter().map(|(key, versions)| (key.clone(), staying(versions, border)));
    let kept: BTreeMap<Key, Vec<Version>> = kept.filter(|(_, kept)| !kept.is_empty()).collect();
    let ends = kept.values().flat_map(|versions| {
        let pairs = versions.windows(2).filter(|pair| pair[0].values.is_some());
        pairs.map(|pair| pair[1].date)
    });
    (kept.clone(), ends.min())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_stays_is_what_the_model_says(seed in any::<u64>()) {
        let mut chance = Chance(seed);
        let (mut store, mut model) = (Store::new(), Model::default());
        let (mut state, mut date) = (State::new(), 0);
        for _ in 0..LOADS {
            date += 1 + chance.below(1_000) as i64;
            state = chance.after(&state);
            store.load(date, &state, &mut chance).unwrap();
            model.load(date, &state);
            if chance.below(3) > 0 {
                continue;
            }
            let border = chance.below(date as u64 + 2) as i64;
            let parts = 1 + chance.below(4) as u32;
            let first_end = expire(&mut store, border, parts);
            let (kept, expected_end) = expected(&model, border);
            prop_assert_eq!(&store.versions(), &kept);
            prop_assert_eq!(first_end, expected_end);
            let hub: BTreeSet<Key> = store.keys().into_values().collect();
            prop_assert_eq!(hub, kept.keys().cloned().collect::<BTreeSet<_>>());
            model.versions = kept;
            let cities = model.versions.iter().flat_map(|(key, versions)| {
                let cities = versions.iter().filter_map(|one| one.values.as_ref()?.city.clone());
                cities.map(|city| (key.clone(), city))
            });
            // A key that stays whole keeps the links of its recorded versions, which are all it ever had.
            model.links = cities.collect();
            crate::loads::links_are_those_of_the_model(&store, &model);
            // Nothing more goes by the same border.
            let before = store.versions();
            expire(&mut store, border, 1);
            prop_assert_eq!(&store.versions(), &before);
        }
    }
}

#[test]
fn parts_keep_to_the_memory_that_is_stated() {
    assert_eq!(expiry_parts(0, 1), 1);
    assert_eq!(expiry_parts(1_000, 2 * expiry_bytes(1_000)), 1);
    assert_eq!(expiry_parts(1_000, expiry_bytes(1_000)), 2);
    assert_eq!(expiry_parts(u64::MAX, 1), 4096);
}
