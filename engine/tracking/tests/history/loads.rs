//! Twenty loads, compared row by row with the plain model after each.

use std::collections::BTreeSet;

use arrow::array::*;
use engine_tracking::history::*;
use proptest::prelude::*;

use crate::model::{Chance, Model, State, Values, Version};
use crate::store::{Store, batch, hashes};

const LOADS: usize = 20;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]
    #[test]
    fn twenty_loads_are_what_the_model_says(seed in any::<u64>()) {
        let mut chance = Chance(seed);
        let (mut store, mut model) = (Store::new(), Model::default());
        let mut loads: Vec<(i64, State)> = Vec::new();
        let mut state = State::new();
        let mut date = 0;
        for _ in 0..LOADS {
            date += 1 + chance.below(1_000_000) as i64;
            // Every fourth load or so finds what is there already.
            if chance.below(4) > 0 {
                state = chance.after(&state);
            }
            store.load(date, &state, &mut chance).unwrap();
            model.load(date, &state);
            loads.push((date, state.clone()));
            prop_assert_eq!(&store.versions(), &model.versions);

            again(&mut store, &loads, &mut chance);
            prop_assert_eq!(&store.versions(), &model.versions);
        }
        as_of_every_load(&store, &loads);
        links_are_those_of_the_model(&store, &model);
        changes_are_those_of_the_model(&store, &model);
    }
}

/// What was loaded is loaded again, be it the last or an earlier one: nothing is appended. Another state for
/// such a date is refused.
fn again(store: &mut Store, loads: &[(i64, State)], chance: &mut Chance) {
    let (date, state) = &loads[chance.below(loads.len() as u64) as usize];
    for (date, state) in [(date, state), (&loads[loads.len() - 1].0, &loads[loads.len() - 1].1)] {
        let tally = store.load(*date, state, chance).unwrap();
        assert_eq!((tally.appended(), tally.unchanged), (0, state.len() as u64));
    }
    let mut other = state.clone();
    other.insert((9, "other".into()), chance.values());
    let refused = store.load(*date, &other, chance).unwrap_err();
    assert!(matches!(refused, HistoryError::Late { rows: 1, .. }), "{refused}");
    if state.is_empty() {
        return;
    }
    let refused = store.load(*date, &State::new(), chance).unwrap_err();
    assert!(matches!(refused, HistoryError::Late { .. }), "{refused}");
}

fn as_of_every_load(store: &Store, loads: &[(i64, State)]) {
    let versions = store.versions();
    let as_of = |date: i64| -> State {
        let newest = versions.iter().filter_map(|(key, versions)| {
            let newest = versions.iter().rfind(|version| version.date <= date)?;
            Some((key.clone(), newest.values.clone()?))
        });
        newest.collect()
    };
    for (index, (date, state)) in loads.iter().enumerate() {
        assert_eq!(as_of(*date), *state);
        let before = index.checked_sub(1).map(|index| loads[index].1.clone());
        assert_eq!(as_of(date - 1), before.unwrap_or_default());
    }
}

pub(crate) fn links_are_those_of_the_model(store: &Store, model: &Model) {
    let keys = store.keys();
    let mut cities = std::collections::BTreeMap::new();
    for digit in 1..4 {
        let city = format!("c{digit}");
        let hash = hash_keys(None, &[std::sync::Arc::new(StringArray::from(vec![city.clone()]))]);
        cities.insert(hash.unwrap().value(0).to_vec(), city);
    }
    let mut links = BTreeSet::new();
    for chunk in &store.links {
        for row in 0..chunk.num_rows() {
            assert_eq!(chunk[REFERENCE].as_string::<i32>().value(row), "city");
            let key = &keys[hashes(chunk, HASH_KEY).value(row)];
            let city = &cities[hashes(chunk, REFERENCED_HASH_KEY).value(row)];
            assert!(links.insert((key.clone(), city.clone())), "a link twice");
        }
    }
    assert_eq!(links, model.links);
}

fn changes_are_those_of_the_model(store: &Store, model: &Model) {
    for (key, rows) in store.by_key() {
        let versions = &model.versions[&key];
        let changes = store.vault.changes(&rows).unwrap();
        assert_eq!(changes.len(), versions.len());
        let mut before: Option<&Version> = None;
        for (change, version) in changes.iter().zip(versions) {
            let (old, new) = (before.and_then(|before| before.values.as_ref()), &version.values);
            let kind = match (before, old, new) {
                (None, _, _) => VersionKind::Inserted,
                (_, _, None) => VersionKind::Deleted,
                (_, None, Some(_)) => VersionKind::Returned,
                _ => VersionKind::Changed,
            };
            let dated = (change.version, change.load_date.timestamp_micros(), change.kind);
            assert_eq!(dated, (version.number, version.date, kind));
            let (old, new) = (shown(old), shown(new.as_ref()));
            let expected = old.into_iter().zip(new).zip(["name", "amount", "city"]);
            let expected: Vec<FieldChange> = expected
                .filter(|((old, new), _)| old != new)
                .map(|((before, after), column)| FieldChange {
                    column: column.into(),
                    before,
                    after,
                })
                .collect();
            assert_eq!(change.fields, expected);
            before = Some(version);
        }
    }
}

fn shown(values: Option<&Values>) -> [Option<String>; 3] {
    let Some(values) = values else { return [None, None, None] };
    [values.name.clone(), values.amount.map(|amount| amount.to_string()), values.city.clone()]
}

#[test]
fn a_key_that_is_not_unique_is_counted() {
    let mut chance = Chance(1);
    let (key, values) = ((1, "k".to_owned()), chance.values());
    let vault = crate::store::vault();
    let load = Load::new("2024-01-01T00:00:00Z".parse().unwrap(), "test", None);
    let mut comparison = CurrentState::new(&load, Part::WHOLE, 0).compare().unwrap();
    for _ in 0..3 {
        let hashed = vault.hash(&batch(&[(&key, &values)])).unwrap();
        comparison.probe(&hashed.keys, &hashed.diffs).unwrap();
    }
    let refused = comparison.finish().err().unwrap();
    assert!(matches!(refused, HistoryError::NotUnique { rows: 2 }), "{refused}");
}

#[test]
fn a_satellite_that_contradicts_itself_is_refused() {
    let mut chance = Chance(2);
    let (key, mut values) = ((1, "k".to_owned()), chance.values());
    let load = Load::new("2024-01-01T00:00:00Z".parse().unwrap(), "test", None);
    let mut state = CurrentState::new(&load, Part::WHOLE, 0);
    for amount in [1, 2] {
        values.amount = Some(amount);
        let batch = batch(&[(&key, &values)]);
        let vault = crate::store::vault();
        let hashed = vault.hash(&batch).unwrap();
        let rows = vault.satellite_rows(&batch, &hashed, &[Outcome::New], &load).unwrap();
        state.insert(&Recorded::of(&rows).unwrap()).unwrap();
    }
    let refused = state.compare().err().unwrap();
    assert!(matches!(refused, HistoryError::Contradictions { rows: 1 }), "{refused}");
}

#[test]
fn parts_are_as_many_as_memory_asks_for() {
    let keys = 10_000_000;
    assert_eq!(parts_needed(keys, bytes_needed(keys) * 2), 1);
    let four = parts_needed(keys, 200 << 20);
    assert!((4..=5).contains(&four), "{four}");
    assert!(bytes_needed(keys / u64::from(four)) <= 200 << 20);
    assert!(bytes_needed(keys) < 700 << 20);
    assert_eq!(Part::new(2, 2), None);
}
