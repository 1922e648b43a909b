//! Words, names and places of every locale: that functions have them, choose them evenly, and by gender.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int16Type};
use engine_masking::{BindErrorKind, find};
use serde_json::{Value, json};

use crate::bound::{bind, bind_with, texts};
use crate::distribution::assert_even;

/// The locales a function has, as it says when asked for one that is not there.
pub(crate) fn locales(function: &str, mut params: Value) -> Vec<String> {
    params["locale"] = json!("xx");
    let error = bind(find(function).unwrap(), &params, &DataType::Utf8).err().unwrap();
    match *error.kind {
        BindErrorKind::UnknownLocale { valid, .. } => valid,
        other => panic!("{function}: {other}"),
    }
}

/// The lines of a section of a locale's file.
#[expect(clippy::disallowed_methods, reason = "a test that reads a file of its crate")]
pub(crate) fn section(locale: &str, name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/{locale}.txt"));
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().skip_while(|line| *line != format!("# {name}")).skip(1);
    lines.take_while(|line| !line.starts_with("# ")).map(str::to_owned).collect()
}

/// A name as user names have it.
pub(crate) fn ascii(name: &str) -> String {
    let letters = deunicode::deunicode(name);
    let letters = letters.chars().filter(char::is_ascii_alphanumeric).take(20);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Different values.
pub(crate) fn values(count: usize) -> ArrayRef {
    Arc::new((0..count).map(|row| Some(format!("value {row}"))).collect::<StringArray>())
}

/// What a function makes of a column beside others, none of it null.
pub(crate) fn masked(
    function: &str,
    params: &Value,
    column: &ArrayRef,
    others: &[ArrayRef],
) -> Vec<String> {
    let mask = bind(find(function).unwrap(), params, column.data_type()).unwrap();
    let masked = texts(&mask.apply(column, others).unwrap());
    masked.into_iter().map(Option::unwrap).collect()
}

const FUNCTIONS: [&str; 12] = [
    "first_name",
    "last_name",
    "full_name",
    "street",
    "city",
    "postcode",
    "country",
    "company",
    "job",
    "user_name",
    "word",
    "sentence",
];

#[test]
fn every_dictionary_function_has_twelve_locales_at_least() {
    let column = values(200);
    for function in FUNCTIONS {
        let locales = locales(function, json!({}));
        assert!(locales.len() >= 23, "{function}: {locales:?}");
        for locale in &locales {
            let found = masked(function, &json!({"locale": locale}), &column, &[]);
            let kinds: BTreeSet<&String> = found.iter().collect();
            assert!(kinds.len() >= 20, "{function} {locale}: {kinds:?}");
            let odd = found.iter().find(|text| text.trim() != text.as_str() || text.is_empty());
            assert_eq!(odd, None, "{function} {locale}");
        }
    }
    for (function, params) in [
        ("person", json!({"part": "email", "per": "id"})),
        ("address", json!({"part": "city", "per": "id"})),
        ("first_name", json!({"gender": "sex"})),
    ] {
        assert!(locales(function, params).len() >= 23, "{function}");
    }
}

#[test]
fn words_of_every_locale_are_equally_likely() {
    let column = values(20_000);
    for function in ["last_name", "job", "word", "country"] {
        for locale in locales(function, json!({})) {
            let found = masked(function, &json!({"locale": locale}), &column, &[]);
            let kinds = found.iter().collect::<BTreeSet<_>>().len();
            assert_even(found.iter(), kinds);
        }
    }
}

#[test]
fn keys_choose_as_evenly_as_values_do() {
    let column = values(200);
    let mut found = Vec::new();
    for number in 0..200_u8 {
        let params = json!({"locale": "de"});
        let job = find("job").unwrap();
        let mask = bind_with(job, &params, &DataType::Utf8, &[number; 32], "l").unwrap();
        found.extend(texts(&mask.apply(&column, &[]).unwrap()).into_iter().flatten());
    }
    // 200 values under 200 keys; then what all keys make of one value.
    assert_even(found.iter(), 80);
    for value in [0, 99] {
        let of_value: Vec<&String> = found.iter().skip(value).step_by(200).collect();
        assert!(of_value.iter().collect::<BTreeSet<_>>().len() > 60);
    }
}

#[test]
fn an_entry_that_stands_twice_is_chosen_twice_as_often_if_so_asked() {
    let column = values(60_000);
    let count = |params: Value| {
        let mut counts = BTreeMap::new();
        for word in masked("lookup", &params, &column, &[]) {
            *counts.entry(word).or_insert(0_usize) += 1;
        }
        ["one", "two", "three"].map(|word| counts[word])
    };
    // The lookup is one, two, three, two.
    for found in count(json!({"lookup": "words"})) {
        assert!(found.abs_diff(20_000) < 600, "{found}");
    }
    for (found, expected) in count(json!({"lookup": "words", "weighted": true})).into_iter().zip([
        15_000,
        30_000,
        15_000_usize,
    ]) {
        assert!(found.abs_diff(expected) < 600, "{found} of {expected}");
    }
}

#[test]
fn names_are_of_the_gender_that_the_column_says() {
    let column = values(600);
    let said = [Some("f"), Some("Male"), Some("divers"), None, Some("2"), Some(" M ")];
    let sexes: ArrayRef = Arc::new(said.iter().copied().cycle().take(600).collect::<StringArray>());
    for locale in locales("first_name", json!({"gender": "sex"})) {
        let file = if locale == "en_GB" { "en" } else { &locale };
        let of = |name| section(file, name).into_iter().collect::<BTreeSet<_>>();
        let (women, men) = (of("first_female"), of("first_male"));
        let params = json!({"locale": locale, "gender": "sex"});
        let found = masked("first_name", &params, &column, std::slice::from_ref(&sexes));
        let anybody = masked("first_name", &json!({"locale": locale}), &column, &[]);
        for (row, name) in found.iter().enumerate() {
            match row % 6 {
                0 | 4 => assert!(women.contains(name), "{locale}: {name}"),
                1 | 5 => assert!(men.contains(name), "{locale}: {name}"),
                _ => assert_eq!(name, &anybody[row], "{locale}"),
            }
        }
    }
}

/// First and last names in ASCII.
type Folded = (BTreeSet<String>, BTreeSet<String>);

#[test]
fn last_names_agree_with_first_names_where_they_differ() {
    let column = values(600);
    for locale in ["cs", "pl", "ru"] {
        let of = |name| section(locale, name).into_iter().collect::<BTreeSet<_>>();
        let women = (of("first_female"), of("last_female"));
        let men = (of("first_male"), of("last_male"));
        for name in masked("full_name", &json!({"locale": locale}), &column, &[]) {
            let (first, last) = name.split_once(' ').unwrap();
            let fits = |names: &(BTreeSet<String>, BTreeSet<String>)| {
                names.0.contains(first) && names.1.contains(last)
            };
            assert!(fits(&women) || fits(&men), "{locale}: {name}");
        }
        for unique in [false, true] {
            let params = json!({"locale": locale, "unique": unique});
            let ascii = |names: &(BTreeSet<String>, BTreeSet<String>)| {
                let of = |names: &BTreeSet<String>| names.iter().map(|name| ascii(name)).collect();
                (of(&names.0), of(&names.1))
            };
            let (women, men): (Folded, Folded) = (ascii(&women), ascii(&men));
            for name in masked("user_name", &params, &column, &[]) {
                let (first, rest) = name.split_once('.').unwrap();
                let end = if unique { rest.rsplit_once('.').unwrap().0 } else { rest };
                let last = end.trim_end_matches(|last: char| last.is_ascii_digit());
                let fits = |names: &Folded| names.0.contains(first) && names.1.contains(last);
                assert!(fits(&women) || fits(&men), "{locale}: {name}");
            }
        }
    }
}

#[test]
fn the_form_of_the_columns_does_not_matter_to_names_by_gender() {
    let names = [Some("Ada"), None, Some(""), Some("Alan"), Some("Ada"), Some("Kim")];
    let sexes = [Some("f"), Some("f"), Some("m"), Some("m"), Some("m"), None];
    let plain: ArrayRef = Arc::new(StringArray::from(names.to_vec()));
    let sexes: ArrayRef = Arc::new(StringArray::from(sexes.to_vec()));
    let coded: ArrayRef = Arc::new(names.into_iter().collect::<DictionaryArray<Int16Type>>());
    let coded_sexes = cast(&sexes, coded.data_type()).unwrap();
    for function in ["first_name", "last_name", "full_name"] {
        let params = json!({"gender": "sex", "locale": "pl"});
        let apply = |column: &ArrayRef, sexes: &ArrayRef| {
            let mask = bind(find(function).unwrap(), &params, column.data_type()).unwrap();
            let masked = mask.apply(column, std::slice::from_ref(sexes)).unwrap();
            assert_eq!(masked.data_type(), &mask.output());
            texts(&masked)
        };
        let expected = apply(&plain, &sexes);
        assert_eq!(expected[1..3], [None, Some(String::new())]);
        assert_ne!(expected[0], expected[4], "{function}: another gender, another name");
        for (column, sexes) in [(&coded, &sexes), (&plain, &coded_sexes), (&coded, &coded_sexes)] {
            assert_eq!(apply(column, sexes), expected, "{function}");
        }
        let sliced = apply(&coded.slice(3, 3), &sexes.slice(3, 3));
        assert_eq!(sliced, expected[3..], "{function}");
        let nothing = apply(&coded.slice(1, 1), &sexes.slice(1, 1));
        assert_eq!(nothing, [None], "{function}");
    }
}

#[test]
fn countries_are_those_of_iso_3166() {
    let column = values(20_000);
    for (form, length) in [("alpha2", 2), ("alpha3", 3)] {
        let found: BTreeSet<String> =
            masked("country", &json!({"form": form}), &column, &[]).into_iter().collect();
        assert_eq!(found.len(), 249);
        assert!(found.iter().all(|code| {
            code.len() == length && code.bytes().all(|byte| byte.is_ascii_uppercase())
        }));
        for known in if length == 2 { ["DE", "GB", "TW"] } else { ["DEU", "GBR", "TWN"] } {
            assert!(found.contains(known), "{known}");
        }
    }
    let german = masked("country", &json!({"locale": "de"}), &column, &[]);
    assert!(german.iter().any(|name| name == "Österreich"));
}
