//! Which function a class of data calls for: what an error about an uncovered column
//! suggests.

use arrow::datatypes::DataType;

use crate::functions::{find, fitting};

/// Words of a class name, and the function that fits such data.
const WORDS: &[(&str, &str)] = &[
    ("account", "token"),
    ("address", "street"),
    ("age", "bucket"),
    ("amount", "noise"),
    ("balance", "noise"),
    ("birth_date", "date_shift"),
    ("birthday", "date_shift"),
    ("card", "card"),
    ("city", "city"),
    ("comment", "redact"),
    ("company", "company"),
    ("country", "country"),
    ("date", "date_shift"),
    ("date_of_birth", "date_shift"),
    ("dob", "date_shift"),
    ("email", "email"),
    ("employer", "company"),
    ("fax", "phone"),
    ("first_name", "first_name"),
    ("forename", "first_name"),
    ("free_text", "redact"),
    ("full_name", "full_name"),
    ("given_name", "first_name"),
    ("iban", "iban"),
    ("id", "token"),
    ("identifier", "token"),
    ("imei", "imei"),
    ("income", "noise"),
    ("ip", "ip"),
    ("ip_address", "ip"),
    ("isbn", "isbn"),
    ("isin", "isin"),
    ("job", "job"),
    ("job_title", "job"),
    ("last_name", "last_name"),
    ("latitude", "location_jitter"),
    ("longitude", "location_jitter"),
    ("mac_address", "mac"),
    ("mobile", "phone"),
    ("name", "full_name"),
    ("note", "redact"),
    ("occupation", "job"),
    ("organisation", "company"),
    ("organization", "company"),
    ("person", "full_name"),
    ("phone", "phone"),
    ("post_code", "truncate"),
    ("postal_code", "truncate"),
    ("postcode", "truncate"),
    ("profession", "job"),
    ("salary", "noise"),
    ("ssn", "ssn"),
    ("street", "street"),
    ("surname", "last_name"),
    ("telephone", "phone"),
    ("town", "city"),
    ("url", "url"),
    ("user_agent", "user_agent"),
    ("username", "token"),
    ("uuid", "uuid"),
    ("vat_id", "vat"),
    ("vat_number", "vat"),
    ("vin", "vin"),
    ("zip", "truncate"),
];

/// The function to suggest for a column of this class and type: by the last part of the class
/// name that says something, else by type. Always one that takes the type.
#[must_use]
pub fn suggest(class: &str, input: &DataType) -> &'static str {
    let fits = |name: &&'static str| find(name).is_some_and(|function| function.accepts(input));
    class
        .rsplit('.')
        .find_map(|part| by_word(&part.to_ascii_lowercase()).filter(fits))
        .or_else(|| by_type(input).filter(fits))
        .unwrap_or("null")
}

/// The entry of the whole part, or of the longest entry it ends with (`home_phone`).
fn by_word(part: &str) -> Option<&'static str> {
    let ends = |word: &str| {
        part.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_'))
    };
    let entry = WORDS.iter().filter(|(word, _)| ends(word)).max_by_key(|(word, _)| word.len());
    entry.map(|(_, function)| *function)
}

fn by_type(input: &DataType) -> Option<&'static str> {
    let fitting = fitting(input);
    ["redact", "date_shift", "noise"].into_iter().find(|name| fitting.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_that_says_something_wins() {
        assert_eq!(suggest("pii.email", &DataType::Utf8), "email");
        assert_eq!(suggest("pii.contact.home_phone", &DataType::LargeUtf8), "phone");
        assert_eq!(suggest("pii.name.first_name", &DataType::Utf8), "first_name");
        assert_eq!(suggest("quasi.birth_date", &DataType::Date32), "date_shift");
        assert_eq!(suggest("pii.client_ip_address", &DataType::Utf8), "ip");
        assert_eq!(suggest("pii.email.hash", &DataType::Utf8), "email");
    }

    #[test]
    fn a_function_that_does_not_take_the_type_is_not_suggested() {
        assert_eq!(suggest("pii.email", &DataType::Int64), "noise");
        assert_eq!(suggest("quasi.birth_date", &DataType::Utf8), "redact");
        assert_eq!(suggest("secret", &DataType::Boolean), "null");
        assert_eq!(suggest("", &DataType::Null), "null");
    }

    #[test]
    fn every_entry_names_a_function() {
        assert!(WORDS.is_sorted());
        assert!(WORDS.iter().all(|(_, function)| find(function).is_some()));
    }
}
