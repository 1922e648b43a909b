//! Made-up people and addresses: their parts agree with each other, for every locale.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use engine_masking::{Uniqueness, find};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::arrays::text;
use crate::bound::{bind, texts};
use crate::dictionaries::{ascii, locales, masked, section, values};
use crate::distribution::assert_even;

/// Numbers of entities, each in two rows.
fn entities(rows: usize) -> ArrayRef {
    Arc::new((0..rows).map(|row| Some((row / 2) as i64)).collect::<Int64Array>())
}

fn parts(
    function: &str,
    part: &str,
    more: &Value,
    others: &[ArrayRef],
    rows: usize,
) -> Vec<String> {
    let mut params = json!({"part": part, "per": "id"});
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    masked(function, &params, &values(rows), others)
}

#[test]
fn the_parts_of_a_person_agree_in_every_locale() {
    const ROWS: usize = 400;
    let ids = [entities(ROWS)];
    for locale in locales("person", json!({"part": "email", "per": "id"})) {
        let part = |part| parts("person", part, &json!({"locale": locale}), &ids, ROWS);
        let (first, last, full) = (part("first_name"), part("last_name"), part("full_name"));
        let (users, emails, genders) = (part("user_name"), part("email"), part("gender"));
        let file = if locale == "en_GB" { "en" } else { &locale };
        for row in 0..ROWS {
            let (first, last, full) = (&first[row], &last[row], &full[row]);
            let orders =
                [format!("{first} {last}"), format!("{last} {first}"), format!("{last}{first}")];
            assert!(orders.contains(full), "{locale}: {full}");
            let handle = format!("{}.{}", ascii(first), ascii(last));
            let number = users[row].strip_prefix(&handle).unwrap();
            assert!((1..=9_999).contains(&number.parse::<u32>().unwrap()), "{}", users[row]);
            let local = emails[row].strip_suffix("@example.com").unwrap();
            let end = local.strip_prefix(&format!("{handle}.")).unwrap();
            assert!(end.len() == 16 && local.len() <= 64, "{local}");
            assert!(local.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'));
            assert!(section_has(file, &genders[row], first), "{locale}: {first}");
        }
        for part in [&first, &last, &full, &users, &genders] {
            assert!(part.chunks(2).all(|of_one| of_one[0] == of_one[1]), "{locale}");
        }
        assert!(emails.iter().collect::<BTreeSet<_>>().len() == ROWS, "{locale}");
    }
}

fn section_has(file: &str, gender: &str, first: &str) -> bool {
    use std::cell::RefCell;
    thread_local! {
        static KNOWN: RefCell<BTreeMap<(String, String), BTreeSet<String>>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        let names = known.entry((file.to_owned(), gender.to_owned()));
        names
            .or_insert_with(|| section(file, &format!("first_{gender}")).into_iter().collect())
            .contains(first)
    })
}

#[test]
fn a_column_that_says_the_gender_decides_it_for_all_parts() {
    const ROWS: usize = 300;
    let drawn = parts("person", "gender", &json!({}), &[entities(ROWS)], ROWS);
    let share = drawn.iter().filter(|gender| *gender == "female").count();
    assert!((100..200).contains(&share), "{share}");
    let said: ArrayRef = Arc::new(StringArray::from(drawn));
    let unknown: ArrayRef = Arc::new(StringArray::from(vec!["?"; ROWS]));
    let other: ArrayRef = Arc::new(StringArray::from(vec!["m"; ROWS]));
    for part in ["first_name", "last_name", "full_name", "user_name", "email"] {
        let alone = parts("person", part, &json!({"locale": "cs"}), &[entities(ROWS)], ROWS);
        let more = json!({"locale": "cs", "gender": "sex"});
        let with = |sexes: &ArrayRef| {
            parts("person", part, &more, &[entities(ROWS), Arc::clone(sexes)], ROWS)
        };
        assert_eq!(with(&said), alone, "{part}");
        assert_eq!(with(&unknown), alone, "{part}");
        assert_ne!(with(&other), alone, "{part}");
    }
}

#[test]
fn addresses_and_unique_user_names_differ_wherever_values_do() {
    const ROWS: usize = 50_000;
    let one: ArrayRef = Arc::new(Int64Array::from(vec![7; ROWS]));
    for (part, more) in [("email", json!({})), ("user_name", json!({"unique": true}))] {
        let found = parts("person", part, &more, std::slice::from_ref(&one), ROWS);
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), ROWS, "{part}");
        let mut params = json!({"part": part, "per": "id"});
        params["unique"] = more.get("unique").cloned().unwrap_or(json!(false));
        let mask = bind(find("person").unwrap(), &params, &DataType::Utf8).unwrap();
        assert_eq!(mask.properties().uniqueness, Uniqueness::Injective { bits: 80 });
    }
    let found = masked("user_name", &json!({"unique": true}), &values(ROWS), &[]);
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), ROWS);
}

#[test]
fn rows_without_an_entity_are_null_and_forms_do_not_matter() {
    let column = [Some("a"), Some("b"), None, Some(""), Some("c"), Some("a")];
    let ids = [Some("1"), None, Some("1"), Some("1"), Some("2"), Some("1")];
    let column: ArrayRef = Arc::new(StringArray::from(column.to_vec()));
    let ids: ArrayRef = Arc::new(StringArray::from(ids.to_vec()));
    let coded = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    for (function, part) in [("person", "email"), ("person", "full_name"), ("address", "postcode")]
    {
        let params = json!({"part": part, "per": "id"});
        let apply = |form: &DataType, ids: &ArrayRef| {
            let mask = bind(find(function).unwrap(), &params, form).unwrap();
            texts(&mask.apply(&cast(&column, form).unwrap(), std::slice::from_ref(ids)).unwrap())
        };
        let expected = apply(&DataType::Utf8, &ids);
        assert_eq!(expected[1..4], [None, None, Some(String::new())]);
        assert_eq!(expected[0], expected[5]);
        for form in [DataType::LargeUtf8, DataType::Utf8View, coded.clone()] {
            assert_eq!(apply(&form, &ids), expected, "{function} {part} {form}");
            assert_eq!(apply(&form, &cast(&ids, &coded).unwrap()), expected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_entity_is_one_person_whatever_its_columns_hold(
        rows in proptest::collection::vec((text(), text(), text()), 1..20),
        locale in proptest::sample::select(vec!["de", "ja", "ko", "pl", "pt_BR", "ru"]),
    ) {
        let column = |pick: fn(&(String, String, String)) -> &String| -> ArrayRef {
            Arc::new(rows.iter().map(|row| Some(pick(row).as_str())).collect::<StringArray>())
        };
        let (ids, left, right) = (column(|row| &row.0), column(|row| &row.1), column(|row| &row.2));
        let part = |part: &str, column: &ArrayRef| {
            let params = json!({"part": part, "per": "id", "locale": locale});
            masked("person", &params, column, std::slice::from_ref(&ids))
        };
        let (first, last, full) = (part("first_name", &left), part("last_name", &right), part("full_name", &left));
        let emails = part("email", &right);
        for row in 0..rows.len() {
            if !rows[row].1.is_empty() && !rows[row].2.is_empty() {
                prop_assert!(full[row].starts_with(&first[row]) || full[row].starts_with(&last[row]));
                prop_assert!(full[row].ends_with(&first[row]) || full[row].ends_with(&last[row]));
                let handle = format!("{}.{}.", ascii(&first[row]), ascii(&last[row]));
                prop_assert!(emails[row].starts_with(&handle));
            }
        }
    }
}

/// Whether a postcode has this form.
fn has_form(form: &str, code: &str) -> bool {
    form.chars().count() == code.chars().count()
        && form.chars().zip(code.chars()).all(|(form, found)| match form {
            '#' => found.is_ascii_digit(),
            '*' => "1346789".contains(found),
            '?' => found.is_ascii_uppercase(),
            other => other == found,
        })
}

#[test]
fn the_parts_of_an_address_agree_in_every_locale() {
    const ROWS: usize = 400;
    let ids = [entities(ROWS)];
    let codes = section_of_countries();
    for locale in locales("address", json!({"part": "city", "per": "id"})) {
        let part = |part| parts("address", part, &json!({"locale": locale}), &ids, ROWS);
        let (cities, regions, postcodes) = (part("city"), part("region"), part("postcode"));
        let (streets, countries) = (part("street"), part("country"));
        let code =
            parts("address", "country", &json!({"locale": locale, "form": "alpha2"}), &ids, ROWS);
        let places = section(&locale, "place");
        let mut met = BTreeSet::new();
        for row in 0..ROWS {
            let place = places.iter().find(|place| {
                let fields: Vec<&str> = place.split('|').collect();
                fields[1] == cities[row]
                    && fields[2] == regions[row]
                    && has_form(fields[0], &postcodes[row])
            });
            met.insert(place.unwrap_or_else(|| panic!("{locale}: {}", postcodes[row])));
        }
        assert_eq!(met.len(), places.len(), "{locale}: every place is met");
        for part in [&cities, &regions, &postcodes, &streets, &countries] {
            assert!(part.chunks(2).all(|of_one| of_one[0] == of_one[1]), "{locale}");
        }
        let file = if locale == "en_GB" { "en" } else { &locale };
        let names = section(file, "country");
        let place = codes.iter().position(|known| known[..2] == code[0]).unwrap();
        assert!(countries.iter().all(|name| *name == names[place]), "{locale}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a test that reads a file of its crate")]
fn section_of_countries() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/countries.txt");
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn addresses_are_in_the_country_that_the_column_says() {
    const SAID: [(&str, &str); 8] = [
        ("DE", "de"),
        ("fra", "fr"),
        ("Japan", "ja"),
        ("日本", "ja"),
        ("UK", "en_GB"),
        (" españa ", "es"),
        ("BR", "pt_BR"),
        ("Atlantis", "it"),
    ];
    const ROWS: usize = 800;
    let countries: ArrayRef = Arc::new(
        SAID.iter().map(|(said, _)| Some(*said)).cycle().take(ROWS).collect::<StringArray>(),
    );
    let coded: ArrayRef = Arc::new(
        SAID.iter()
            .map(|(said, _)| Some(*said))
            .cycle()
            .take(ROWS)
            .collect::<DictionaryArray<Int32Type>>(),
    );
    let more = json!({"locale": "it", "country": "land"});
    for part in ["city", "postcode", "street"] {
        let found = parts("address", part, &more, &[entities(ROWS), Arc::clone(&countries)], ROWS);
        let same = parts("address", part, &more, &[entities(ROWS), Arc::clone(&coded)], ROWS);
        assert_eq!(found, same, "{part}");
        for (_, locale) in SAID {
            let own = parts("address", part, &json!({"locale": locale}), &[entities(ROWS)], ROWS);
            for row in (0..ROWS).filter(|row| SAID[row % SAID.len()].1 == locale) {
                assert_eq!(found[row], own[row], "{part} in {locale}");
            }
        }
    }
}

/// Forms of national postcodes, `9` for a digit and `A` for a letter: Universal Postal Union, "Postal addressing
/// systems", as the regular expressions of Google's address data have them.
const FORMS: &[(&str, &[&str])] = &[
    ("ar", &["99999"]),
    ("cs", &["999 99"]),
    ("da", &["9999"]),
    ("de", &["99999"]),
    ("en", &["99999"]),
    ("en_GB", &["A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA"]),
    ("es", &["99999"]),
    ("fa", &["99999-99999"]),
    ("fi", &["99999"]),
    ("fr", &["99999"]),
    ("it", &["99999"]),
    ("ja", &["999-9999"]),
    ("ko", &["99999"]),
    ("nb", &["9999"]),
    ("nl", &["9999 AA"]),
    ("pl", &["99-999"]),
    ("pt", &["9999-999"]),
    ("pt_BR", &["99999-999"]),
    ("ru", &["999999"]),
    ("sv", &["999 99"]),
    ("tr", &["99999"]),
    ("zh", &["999999"]),
    ("zh_TW", &["999999"]),
];

#[test]
fn postcodes_have_the_form_of_their_country() {
    assert_eq!(
        locales("postcode", json!({})),
        FORMS.iter().map(|(locale, _)| *locale).collect::<Vec<_>>()
    );
    for (locale, forms) in FORMS {
        for code in masked("postcode", &json!({"locale": locale}), &values(500), &[]) {
            let form: String = code
                .chars()
                .map(|character| match character {
                    '0'..='9' => '9',
                    'A'..='Z' => 'A',
                    other => other,
                })
                .collect();
            assert!(forms.contains(&form.as_str()), "{locale}: {code}");
        }
    }
}

#[test]
fn people_and_places_are_equally_likely() {
    const ROWS: usize = 40_000;
    let ids: ArrayRef = Arc::new((0..ROWS as i64).map(Some).collect::<Int64Array>());
    let part = |function, part, more: Value| {
        parts(function, part, &more, std::slice::from_ref(&ids), ROWS)
    };
    assert_even(part("person", "gender", json!({})).iter(), 2);
    assert_even(part("person", "last_name", json!({"locale": "ko"})).iter(), 112);
    for locale in ["es", "ja", "pt_BR"] {
        let places = section(locale, "place").len();
        assert_even(part("address", "city", json!({"locale": locale})).iter(), places);
    }
    let women: ArrayRef = Arc::new(StringArray::from(vec!["f"; ROWS]));
    let more = json!({"locale": "de", "gender": "sex"});
    let names = parts("person", "first_name", &more, &[Arc::clone(&ids), women], ROWS);
    assert_even(names.iter(), 200);
    let codes = part("address", "postcode", json!({"locale": "nl"}));
    assert_even(codes.iter().map(|code| code.as_bytes()[3]), 10);
    assert_even(codes.iter().map(|code| code.as_bytes()[5]), 14);
    assert_even(codes.iter().map(|code| code.as_bytes()[6]), 14);
}
