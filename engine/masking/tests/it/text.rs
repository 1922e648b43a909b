//! What masks that leave part of a text promise about that part.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, DictionaryArray, Int8Array, StringArray};
use arrow::datatypes::DataType;
use engine_masking::{EXAMPLE_MASTER, Mask, find};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::arrays::text;
use crate::bound::{bind, texts};

fn masked(function: &str, params: &Value, values: &[&str]) -> Vec<String> {
    let mask = bind(find(function).unwrap(), params, &DataType::Utf8).unwrap();
    let column: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
    texts(&mask.apply(&column, &[]).unwrap()).into_iter().map(Option::unwrap).collect()
}

const LOCK: &str = "🔒";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_kind_shows_a_text_whole(value in text().prop_filter("no lock", |text| !text.contains(LOCK))) {
        for kind in ["name", "address", "email", "phone", "card", "id", "url", "postcode"] {
            let masked = masked("partial", &json!({"kind": kind, "with": LOCK}), &[&value]).remove(0);
            let says_something = value.chars().any(char::is_alphanumeric);
            prop_assert!(!says_something || masked.contains(LOCK), "{} {}", kind, masked);
            for shown in masked.split(LOCK).filter(|shown| !shown.starts_with("http")) {
                prop_assert!(value.contains(shown), "{} shows {}", kind, shown);
            }
            if !matches!(kind, "email" | "url" | "name") {
                let shown: String = masked.split(LOCK).collect();
                let count = |text: &str| text.chars().filter(|character| character.is_alphanumeric()).count();
                prop_assert!(count(&shown) * 2 <= value.chars().count(), "{} {}", kind, masked);
            }
        }
    }
}

/// What `scrub` makes of one text.
fn scrubbed(params: &Value, text: &str) -> String {
    masked("scrub", params, &[text]).remove(0)
}

/// The same without parameters.
fn plainly(values: &[&str]) -> Vec<String> {
    static MASK: LazyLock<Box<dyn Mask>> =
        LazyLock::new(|| bind(find("scrub").unwrap(), &json!({}), &DataType::Utf8).unwrap());
    let column: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
    texts(&MASK.apply(&column, &[]).unwrap()).into_iter().map(Option::unwrap).collect()
}

/// Values published as examples by those who made the rules, and the function for each.
const PUBLISHED: &[(&str, &str, &[&str])] = &[
    (
        "email",
        "{}",
        &[
            "ada@lovelace.org",
            "very.common@example.org",
            "user.name+tag+sorting@example.co.uk",
            "Zoë@müller.example",
        ],
    ),
    (
        "url",
        "{}",
        &[
            "https://datatracker.ietf.org/doc/html/rfc3986#section-1.1.2",
            "ftp://ftp.is.co.za/rfc/rfc1808.txt",
            "http://www.ietf.org/rfc/rfc2396.txt",
            "www.lovelace.org/notes",
        ],
    ),
    (
        "card",
        "{}",
        &[
            "4111 1111 1111 1111",
            "5555555555554444",
            "3782 822463 10005",
            "6011-1111-1111-1117",
            "30569309025904",
        ],
    ),
    (
        "iban",
        "{}",
        &[
            "GB82 WEST 1234 5698 7654 32",
            "DE89370400440532013000",
            "FR14 2004 1010 0505 0001 3M02 606",
            "NO93 8601 1117 947",
            "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
        ],
    ),
    ("ssn", "{}", &["536-90-4399"]),
    ("uuid", "{}", &["f81d4fae-7dec-11d0-a765-00a0c91e6bf6"]),
    ("mac", "{}", &["00-00-5E-00-53-01", "00:00:5e:00:53:ff", "0000.5e00.5301"]),
    ("ip", "{}", &["192.0.2.1", "198.51.100.255", "2001:db8::8a2e:370:7334", "fe80::1"]),
    (
        "phone",
        "{}",
        &[
            "+49 30 23125 000",
            "+1 (201) 555-0123",
            "(415) 555-0132",
            "+44 20 7946 0958",
            "0049 30 23125000",
            "030 23125000",
            "01 99 00 12 34",
        ],
    ),
    ("national_id", r#"{"country": "es"}"#, &["54362315-K", "X-2482300-W"]),
    ("national_id", r#"{"country": "be"}"#, &["85.07.30-033 28"]),
    ("national_id", r#"{"country": "br"}"#, &["390.533.447-05"]),
    ("national_id", r#"{"country": "ch"}"#, &["756.9217.0769.85"]),
    ("national_id", r#"{"country": "cl"}"#, &["12.531.909-2"]),
    ("national_id", r#"{"country": "fi"}"#, &["131052-308T"]),
    ("national_id", r#"{"country": "fr"}"#, &["2 95 10 99 126 111 93"]),
    ("national_id", r#"{"country": "it"}"#, &["RCCMNL83S18D969H"]),
    ("national_id", r#"{"country": "se"}"#, &["880320-0016"]),
];

#[test]
fn every_published_value_is_found_and_becomes_what_its_function_gives() {
    for (function, params, values) in PUBLISHED {
        let params: Value = serde_json::from_str(params).unwrap();
        for (value, own) in values.iter().zip(masked(function, &params, values)) {
            for (before, after) in
                [("", ""), ("see ", ", please"), ("Ä (", ")."), ("東京 ", " 🔒"), ("\n", "\n")]
            {
                let text = format!("{before}{value}{after}");
                assert_eq!(plainly(&[&text]).remove(0), format!("{before}{own}{after}"), "{text}");
            }
        }
    }
    for date in ["2024-02-29", "29.02.2024", "02/29/2024", "29 February 2024", "March 3rd, 2024"] {
        assert_eq!(plainly(&[&format!("on {date}.")]).remove(0), "on [redacted].");
    }
}

#[test]
fn what_only_looks_alike_stays() {
    for text in [
        "order 4711, order 100234, invoice 2024-000123, ticket #8812345",
        "order 44051401359 and order 111222333",
        "version 10.0.19045.3693, v1.2.3.4, 1.2.24, release 2.14.0-rc.1",
        "2.5 times, 1,234.56 EUR, 0.123456789, 3.14159265358979, 1e10, 50%",
        "at 13:05, at 13:05:00, 1700000000, 1700000000123, 10:30-11:45",
        "4111 1111 1111 1112, GB82 WEST 1234 5698 7654 33, 666-90-4399",
        "std::vec<int> a::b, C:\\temp, key: value, 16:9, @ada, meet @ 5",
        "2023-02-29, 31.04.2024, 12/2024, Q3 2024, in 2024, May 2024",
        "300.1.1.1, 1.2.3, 00:1b:21:aa:bb, f81d4fae-7dec-11d0-a765",
        "a brown cow. www. Hotel 901820, room 12, 40 x 60 cm, A4, B12",
        "x@y, ada@localhost, http:, ://, +1500000, (12), 7-8 pm",
    ] {
        assert_eq!(plainly(&[text]).remove(0), text);
    }
}

#[test]
fn a_linkage_of_its_own_gives_the_pseudonyms_of_that_linkage() {
    let mail: ArrayRef = Arc::new(StringArray::from(vec!["ada@lovelace.org"]));
    let email = find("email").unwrap();
    let other =
        crate::bound::bind_with(email, &json!({}), &DataType::Utf8, &EXAMPLE_MASTER, "customer")
            .unwrap();
    let own = texts(&other.apply(&mail, &[]).unwrap()).remove(0).unwrap();
    let params = json!({"replace": {"email": {"linkage": "customer"}}});
    assert_eq!(scrubbed(&params, "to ada@lovelace.org"), format!("to {own}"));
    let params = json!({"replace": {"email": {"mask": "redact", "params": {"with": "…"}}}});
    assert_eq!(scrubbed(&params, "to ada@lovelace.org"), "to …");
}

#[test]
fn names_of_other_columns_become_their_pseudonyms() {
    let params = json!({"also": ["first_name", "full_name"]});
    for input in [
        DataType::Utf8,
        DataType::Utf8View,
        DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
    ] {
        let mask = bind(find("scrub").unwrap(), &params, &input).unwrap();
        let column = crate::bound::column(
            &input,
            &[
                Some("ADA met ada lovelace, 1 ADAMANT"),
                None,
                Some("Grace Zoë, Ada"),
                Some("Ms Hopper's note"),
            ],
        );
        let first: ArrayRef =
            Arc::new(StringArray::from(vec![Some("Ada"), Some("Ada"), Some("Zoë"), None]));
        let full: ArrayRef = Arc::new(StringArray::from(vec![
            Some("Ada Lovelace"),
            Some("x"),
            None,
            Some("Grace Hopper"),
        ]));
        let (name, zoe) = (
            masked("first_name", &json!({}), &["Ada"]).remove(0),
            masked("first_name", &json!({}), &["Zoë"]).remove(0),
        );
        let (ada, grace) = (
            masked("full_name", &json!({}), &["Ada Lovelace"]).remove(0),
            masked("full_name", &json!({}), &["Grace Hopper"]).remove(0),
        );
        let last = grace.split_whitespace().next_back().unwrap();
        let found = texts(&mask.apply(&column, &[first, full]).unwrap());
        let expected = [
            Some(format!("{name} met {ada}, 1 ADAMANT")),
            None,
            Some(format!("Grace {zoe}, Ada")),
            Some(format!("Ms {last}'s note")),
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn a_dictionary_loses_the_texts_that_no_row_uses() {
    let values: ArrayRef = Arc::new(StringArray::from(vec!["a secret told in words", "open"]));
    let column: ArrayRef = Arc::new(DictionaryArray::new(Int8Array::from(vec![1, 1, 1]), values));
    let mask = bind(find("scrub").unwrap(), &json!({}), column.data_type()).unwrap();
    let masked = mask.apply(&column, &[]).unwrap();
    assert_eq!(masked.as_any_dictionary().values().len(), 1);
    assert_eq!(texts(&masked), texts(&column));
}

#[test]
fn dates_move_as_those_of_their_entity_do() {
    let shift = json!({"days": 30, "per": "id"});
    let dates: ArrayRef =
        crate::bound::column(&DataType::Date32, &[Some("1984-05-17"), Some("1984-05-17")]);
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["17", "18"]));
    let mask = bind(find("date_shift").unwrap(), &shift, &DataType::Date32).unwrap();
    let moved = texts(&mask.apply(&dates, &[Arc::clone(&ids)]).unwrap());
    let params = json!({"replace": {"date": {"mask": "date_shift", "params": shift}}});
    let mask = bind(find("scrub").unwrap(), &params, &DataType::Utf8).unwrap();
    let notes: ArrayRef = Arc::new(StringArray::from(vec!["on 1984-05-17", "on May 17, 1984"]));
    let found = texts(&mask.apply(&notes, &[ids]).unwrap());
    let expected: Vec<_> =
        moved.into_iter().map(|date| date.map(|date| format!("on {date}"))).collect();
    assert_eq!(found, expected);
}

/// A value that is recognised wherever it stands between spaces.
fn recognised() -> impl Strategy<Value = String> {
    let card = "4[0-9]{14}".prop_map(|digits| {
        let check = (0..10).find(|check| {
            let all = format!("{digits}{check}");
            let sum: u32 = all
                .bytes()
                .rev()
                .enumerate()
                .map(|(place, digit)| match (u32::from(digit - b'0'), place % 2) {
                    (digit, 0) => digit,
                    (digit, _) => digit * 2 / 10 + digit * 2 % 10,
                })
                .sum();
            sum.is_multiple_of(10)
        });
        format!("{digits}{}", check.unwrap())
    });
    prop_oneof![
        "[a-z]{1,8}(\\.[a-z]{1,8})?@[a-z]{1,8}\\.(org|de|example)",
        "\\+49 [1-9][0-9]{1,3} [0-9]{5,7}",
        "\\([2-9][0-9]{2}\\) [2-9][0-9]{2}-[0-9]{4}",
        card,
        any::<[u8; 4]>().prop_map(|address| std::net::Ipv4Addr::from(address).to_string()),
        "https?://[a-z]{1,8}\\.org/[a-z0-9]{0,8}",
        "[1-2][0-9]{3}-0[1-9]-[0-2][1-8]".prop_filter("a year of our time", |date| (1800..2200)
            .contains(&date[..4].parse::<i32>().unwrap())),
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}"
            .prop_filter("has digits", |id| id.len() == 36),
        "[0-9][0-9a-f](:[0-9a-f]{2}){5}",
    ]
}

#[test]
fn a_long_text_of_anything_takes_no_longer_than_many_short_ones() {
    for part in [
        "漢12345",
        "1://",
        "awww.",
        "5551234567@x.org ",
        "1 ",
        "a:",
        "+49 ",
        "漢字2024",
        "(",
        "12.",
        "4111 ",
        "a@a@",
    ] {
        let long = part.repeat(40_000 / part.len());
        let rows = vec![part.repeat(10); long.len() / part.len() / 10];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let time = |values: &[&str]| {
            let start = std::time::Instant::now();
            let _masked = plainly(values);
            start.elapsed()
        };
        let (short, long) = (time(&rows), time(&[&long]));
        assert!(
            long < short * 20 + std::time::Duration::from_secs(2),
            "{part}: {long:?}, {short:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_recognised_survives(values in proptest::collection::vec(recognised(), 1..4), between in "é[a-zA-Zäé]{0,9}[🔒,;]?") {
        let text = values.join(&format!(" {between} "));
        let masked = plainly(&[&text]).remove(0);
        for value in &values {
            prop_assert!(!masked.contains(value.as_str()), "{} in {}", value, masked);
        }
        let kept = format!(" {between} ");
        prop_assert_eq!(masked.matches(&kept).count(), text.matches(&kept).count());
    }

    #[test]
    fn a_text_without_digits_and_signs_stays(text in "[\\PC&&[^0-9@:w]]{0,80}") {
        prop_assert_eq!(plainly(&[&text]).remove(0), text);
    }

    #[test]
    fn rows_do_not_look_at_each_other(values in proptest::collection::vec(prop_oneof![recognised(), text(), "[0-9 +w.@:/-]{0,30}"], 0..12)) {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let together = plainly(&values);
        for (value, masked) in values.iter().zip(together) {
            prop_assert_eq!(plainly(&[value]).remove(0), masked);
        }
    }
}
