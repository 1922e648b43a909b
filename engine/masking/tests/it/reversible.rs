//! What a reversible mask took, its inverse gives back; and a bijective one keeps values apart.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Decimal128Array, Int32Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use engine_masking::{ALL, Mask, MaskError, Uniqueness, find};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bound::{bind, bind_named, column, others, texts};

fn mask(function: &str, params: &Value, input: &DataType) -> Box<dyn Mask> {
    bind(find(function).unwrap(), params, input).unwrap()
}

fn strings(values: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(values.into_iter().map(Some).collect::<StringArray>())
}

fn leave() -> Value {
    json!({"owner": "data office", "reason": "legacy ids"})
}

#[test]
fn a_mask_has_an_inverse_if_it_says_that_it_is_reversible() {
    for function in ALL {
        for example in function.doc().examples {
            let params = serde_json::from_str(example.params).unwrap();
            let mask = bind(*function, &params, &example.input_type).unwrap();
            let name = function.name();
            let Some(inverse) = mask.inverse() else {
                assert!(!mask.properties().reversible, "{name}");
                continue;
            };
            assert!(mask.properties().reversible, "{name}");
            let rows: Vec<Option<&str>> = example.input.iter().copied().map(Some).collect();
            let raw = column(&example.input_type, &rows);
            let others = others(mask.as_ref(), example.others);
            let masked = mask.apply(&raw, &others).unwrap();
            assert_eq!(texts(&inverse.apply(&masked, &others).unwrap()), texts(&raw), "{name}");
            let twice = inverse.inverse().unwrap();
            assert_eq!(texts(&twice.apply(&raw, &others).unwrap()), texts(&masked), "{name}");
        }
    }
}

#[test]
fn every_value_of_a_small_domain_has_its_own_place_in_it() {
    let params = json!({"allow_small_domain": leave()});
    let all: Vec<String> = (0..1000).map(|number| format!("{number:03}")).collect();
    let digits = mask("ff1", &params, &DataType::Utf8);
    assert_eq!(digits.properties().uniqueness, Uniqueness::Bijective);
    let masked = texts(&digits.apply(&strings(all.clone()), &[]).unwrap());
    let masked: BTreeSet<String> = masked.into_iter().flatten().collect();
    assert_eq!(masked, all.into_iter().collect());

    let (min, max) = (-17, 600);
    let params = json!({"min": min, "max": max, "allow_small_domain": leave()});
    let all: Int32Array = (min..=max).collect();
    let numbers = mask("ff1_number", &params, &DataType::Int32);
    assert_eq!(numbers.properties().uniqueness, Uniqueness::Bijective);
    let masked = numbers.apply(&(Arc::new(all) as ArrayRef), &[]).unwrap();
    let numbers: BTreeSet<i32> =
        masked.as_any().downcast_ref::<Int32Array>().unwrap().iter().map(Option::unwrap).collect();
    assert_eq!(numbers, (min..=max).collect());
}

#[test]
fn what_does_not_fit_is_counted_and_never_shown() {
    let column: ArrayRef = Arc::new(StringArray::from(vec![
        Some("4111111111111111"),
        Some("12345"),
        Some(""),
        None,
        Some("41111111a1111111"),
        Some("４１１１１１１１"),
    ]));
    let ff1 = mask("ff1", &json!({}), &DataType::Utf8);
    assert_eq!(ff1.apply(&column, &[]).err(), Some(MaskError::DoesNotFit { count: 3 }));
    let redacted = mask("ff1", &json!({"otherwise": "redact"}), &DataType::Utf8);
    let redacted_texts = texts(&redacted.apply(&column, &[]).unwrap());
    let hidden = || Some("[redacted]".to_owned());
    assert_eq!(redacted_texts[1..], [hidden(), Some(String::new()), None, hidden(), hidden()]);
    assert!(redacted.inverse().is_none() && !redacted.properties().reversible);
    assert_eq!(redacted.properties().uniqueness, Uniqueness::Lossy);
    let nulled = mask("ff1", &json!({"otherwise": "null"}), &DataType::Utf8);
    assert_eq!(nulled.apply(&column, &[]).unwrap().null_count(), 4);

    let numbers: ArrayRef =
        Arc::new(Int64Array::from(vec![Some(0), Some(-1), None, Some(1 << 40)]));
    let params = |otherwise| json!({"min": 0, "max": 9_999_999, "otherwise": otherwise});
    let refused = mask("ff1_number", &params("error"), &DataType::Int64);
    assert_eq!(refused.apply(&numbers, &[]).err(), Some(MaskError::DoesNotFit { count: 2 }));
    let nulled = mask("ff1_number", &params("null"), &DataType::Int64);
    assert_eq!(nulled.apply(&numbers, &[]).unwrap().null_count(), 3);
}

#[test]
fn an_entry_of_a_dictionary_that_no_row_uses_is_not_held_against_it() {
    let values = StringArray::from(vec!["4111111111111111", "no digits"]);
    let keys = Int32Array::from(vec![0, 0, 0]);
    let column: ArrayRef = Arc::new(arrow::array::DictionaryArray::new(keys, Arc::new(values)));
    let ff1 = mask("ff1", &json!({}), column.data_type());
    assert_eq!(ff1.apply(&column, &[]).unwrap().len(), 3);
}

#[test]
fn formatting_does_not_matter_and_what_is_kept_and_the_entity_do() {
    let masked = |params: Value, values: &[&str]| -> Vec<String> {
        let ff1 = mask("ff1", &params, &DataType::Utf8);
        let column = strings(values.iter().copied().map(str::to_owned));
        let ids: Vec<&str> = ["1", "2"].into_iter().cycle().take(values.len()).collect();
        let others = others(ff1.as_ref(), &[("id", &ids)]);
        texts(&ff1.apply(&column, &others).unwrap()).into_iter().flatten().collect()
    };
    let ways = masked(json!({"passthrough": "- "}), &["4111-1111 1111", "411111111111"]);
    assert_eq!(ways[0].replace(['-', ' '], ""), ways[1]);
    assert_eq!((ways[0].find('-'), ways[0].find(' ')), (Some(4), Some(9)));
    let kept = masked(json!({"keep_first": 2}), &["DE00000000", "AT00000000"]);
    assert!(kept[0].starts_with("DE") && kept[1].starts_with("AT"));
    assert_ne!(kept[0][2..], kept[1][2..]);
    let entities = masked(json!({"per": "id"}), &["00000000"; 4]);
    assert!(entities[0] != entities[1] && entities[0] == entities[2]);
}

#[test]
fn the_name_of_the_column_is_part_of_the_tweak_if_it_is_asked_for() {
    let ff1 = find("ff1").unwrap();
    let column: ArrayRef = Arc::new(StringArray::from(vec!["4111111111111111"]));
    let masked = |params: &Value, name: &str| {
        let mask = bind_named(ff1, params, &DataType::Utf8, name).unwrap();
        let masked = mask.apply(&column, &[]).unwrap();
        assert_eq!(&mask.inverse().unwrap().apply(&masked, &[]).unwrap(), &column);
        texts(&masked)
    };
    let (plain, tweaked) = (json!({}), json!({"tweak": "column_name"}));
    assert!(!ff1.reads_name(&plain) && ff1.reads_name(&tweaked));
    assert_eq!(masked(&plain, "one"), masked(&plain, "other"));
    assert_ne!(masked(&tweaked, "one"), masked(&tweaked, "other"));
    assert_ne!(masked(&tweaked, "one"), masked(&plain, "one"));
}

#[test]
fn a_token_opens_beside_its_entity_only() {
    let mask = mask("aes_siv", &json!({"per": "id"}), &DataType::Utf8);
    assert_eq!(mask.properties().uniqueness, Uniqueness::Injective { bits: 128 });
    let raw = strings(["Ada".to_owned(), "Ada".to_owned()]);
    let ids = |ids: [&str; 2]| vec![Arc::new(StringArray::from(ids.to_vec())) as ArrayRef];
    let masked = mask.apply(&raw, &ids(["1", "2"])).unwrap();
    assert_ne!(texts(&masked)[0], texts(&masked)[1]);
    let inverse = mask.inverse().unwrap();
    assert_eq!(&inverse.apply(&masked, &ids(["1", "2"])).unwrap(), &raw);
    let wrong = inverse.apply(&masked, &ids(["1", "1"])).err();
    assert_eq!(wrong, Some(MaskError::DoesNotFit { count: 1 }));
    let nobody: ArrayRef = Arc::new(StringArray::from(vec![None, Some("2")]));
    assert_eq!(mask.apply(&raw, &[nobody]).err(), Some(MaskError::DoesNotFit { count: 1 }));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_come_back(
        values in proptest::collection::vec(proptest::option::of("[0-9a-f -]{20,90}"), 0..300),
        first in 0..6_u32,
        last in 0..6_u32,
        per: bool,
    ) {
        let mut params = json!({"alphabet": "hex", "passthrough": "- ", "keep_first": first, "keep_last": last});
        if per {
            params["per"] = json!("id");
        }
        // Enough digits are left.
        let fits = |value: &String| value.chars().filter(|c| !"- ".contains(*c)).count() >= 16;
        let values: Vec<Option<String>> = values.into_iter().filter(|value| value.as_ref().is_none_or(fits)).collect();
        let raw: ArrayRef = Arc::new(StringArray::from(values));
        for form in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))] {
            let raw = cast(&raw, &form).unwrap();
            let mask = mask("ff1", &params, &form);
            let ids: ArrayRef = Arc::new((0..raw.len()).map(|row| Some(format!("{}", row % 7))).collect::<StringArray>());
            let others = vec![ids; mask.inputs().len()];
            let masked = mask.apply(&raw, &others).unwrap();
            let restored = mask.inverse().unwrap().apply(&masked, &others).unwrap();
            prop_assert_eq!(texts(&restored), texts(&raw));
            for (before, after) in texts(&raw).iter().zip(texts(&masked)) {
                let (Some(before), Some(after)) = (before, after) else { continue };
                let shape = |text: &str| text.replace(|c: char| c.is_ascii_hexdigit(), "x");
                prop_assert_eq!(shape(before), shape(&after));
                prop_assert!(before != &after);
            }
        }
    }

    #[test]
    fn addresses_and_uuids_come_back(bits in proptest::collection::vec(any::<u128>(), 1..40)) {
        let hex = |bits: &u128| format!("{bits:032x}");
        let uuids = bits.iter().map(hex).map(|hex| {
            [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
        });
        let macs = bits.iter().map(|bits| hex(bits)[..12].to_uppercase());
        let six = bits.iter().map(|bits| std::net::Ipv6Addr::from_bits(*bits).to_string());
        let four = bits.iter().map(|bits| std::net::Ipv4Addr::from_bits(*bits as u32).to_string());
        for (function, params, raw) in [
            ("uuid", json!({}), strings(uuids)),
            ("mac", json!({}), strings(macs.clone())),
            ("mac", json!({"keep_vendor": true}), strings(macs)),
            ("ip", json!({}), strings(six.chain(four.clone()))),
            ("ip", json!({"algorithm": "crypto_pan"}), strings(four)),
        ] {
            let mask = mask(function, &params, &DataType::Utf8);
            prop_assert_eq!(mask.properties().uniqueness, Uniqueness::Bijective);
            let masked = mask.apply(&raw, &[]).unwrap();
            let restored = mask.inverse().unwrap().apply(&masked, &[]).unwrap();
            // The case of a MAC address is lost where the masked one has no letters.
            let texts = |column: &ArrayRef| texts(column).into_iter().flatten().map(|text| text.to_lowercase()).collect::<Vec<_>>();
            prop_assert_eq!(texts(&restored), texts(&raw), "{} {}", function, params);
        }
    }

    #[test]
    fn numbers_come_back(
        values in proptest::collection::vec(proptest::option::of(any::<i64>()), 0..300),
        wide in proptest::collection::vec(-(10_i128.pow(38) - 1)..10_i128.pow(38), 0..100),
    ) {
        let whole: ArrayRef = Arc::new(Int64Array::from(values.clone()));
        let some: ArrayRef = Arc::new(values.iter().map(|value| value.map(|value| value.rem_euclid(5_000_001) - 1_000_000)).collect::<Int64Array>());
        let decimals = Decimal128Array::from(wide).with_precision_and_scale(38, 4).unwrap();
        for (raw, params) in [
            (whole, json!({})),
            (some, json!({"min": -1_000_000, "max": 4_000_000})),
            (Arc::new(decimals) as ArrayRef, json!({})),
        ] {
            let mask = mask("ff1_number", &params, raw.data_type());
            let masked = mask.apply(&raw, &[]).unwrap();
            let restored = mask.inverse().unwrap().apply(&masked, &[]).unwrap();
            prop_assert_eq!(&restored, &raw);
            prop_assert_eq!(masked.null_count(), raw.null_count());
        }
    }
}
