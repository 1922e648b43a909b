//! What masks that leave part of a text promise about that part.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use engine_masking::find;
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
