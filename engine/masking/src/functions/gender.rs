//! Reading whose name it is from another column of the row.

use arrow::array::{Array, ArrayRef, AsArray};

use crate::canonical::for_each;
use crate::dictionaries::Gender;
use crate::error::MaskError;

/// What counts as female, in lower case: codes (of ISO/IEC 5218 the 2), and words of the locales.
const FEMALE: &[&str] = &[
    "2",
    "f",
    "w",
    "female",
    "woman",
    "girl",
    "mrs",
    "ms",
    "miss",
    "weiblich",
    "frau",
    "femme",
    "féminin",
    "feminin",
    "féminine",
    "madame",
    "mme",
    "mujer",
    "femenino",
    "femenina",
    "señora",
    "donna",
    "femmina",
    "femminile",
    "signora",
    "feminino",
    "feminina",
    "mulher",
    "senhora",
    "vrouw",
    "vrouwelijk",
    "mevrouw",
    "kvinna",
    "kvinde",
    "kvinne",
    "kvinnlig",
    "kvindelig",
    "kvinnelig",
    "nainen",
    "kobieta",
    "żeńska",
    "žena",
    "ženský",
    "ženské",
    "kadın",
    "bayan",
    "ж",
    "жен",
    "женский",
    "женщина",
    "أنثى",
    "انثى",
    "زن",
    "女",
    "女性",
    "女士",
    "여",
    "여성",
    "여자",
];

/// What counts as male.
const MALE: &[&str] = &[
    "1",
    "m",
    "male",
    "man",
    "boy",
    "mr",
    "männlich",
    "mann",
    "herr",
    "homme",
    "masculin",
    "monsieur",
    "hombre",
    "masculino",
    "señor",
    "uomo",
    "maschio",
    "maschile",
    "signore",
    "homem",
    "senhor",
    "mannelijk",
    "meneer",
    "manlig",
    "mandlig",
    "mand",
    "mannlig",
    "mies",
    "mężczyzna",
    "męska",
    "muž",
    "mužský",
    "mužské",
    "erkek",
    "bay",
    "м",
    "муж",
    "мужской",
    "мужчина",
    "ذكر",
    "مرد",
    "男",
    "男性",
    "先生",
    "남",
    "남성",
    "남자",
];

/// The gender that a value says, capitals and white space aside; others say none.
pub(super) fn read(value: &[u8]) -> Gender {
    let Ok(text) = str::from_utf8(value) else { return Gender::Any };
    let text = text.trim().to_lowercase();
    if FEMALE.contains(&text.as_str()) {
        Gender::Female
    } else if MALE.contains(&text.as_str()) {
        Gender::Male
    } else {
        Gender::Any
    }
}

/// The gender each row says; a dictionary's entries are read once each.
pub(super) fn of_rows(column: &ArrayRef) -> Result<Vec<Gender>, MaskError> {
    map_rows(column, Gender::Any, read)
}

/// What `read` makes of each row's canonical value, `absent` where it is null. A dictionary's entries are
/// read once each, and so is a value that stands in many rows after one another.
pub(super) fn map_rows<T: Copy>(
    column: &ArrayRef,
    absent: T,
    read: impl Fn(&[u8]) -> T,
) -> Result<Vec<T>, MaskError> {
    let Some(dictionary) = column.as_any_dictionary_opt() else {
        let mut mapped = Vec::with_capacity(column.len());
        let mut last: (Vec<u8>, Option<T>) = (Vec::new(), None);
        for_each(column.as_ref(), |_, value| {
            mapped.push(match (value, last.1) {
                (None, _) => absent,
                (Some(value), Some(known)) if last.0 == value => known,
                (Some(value), _) => {
                    let found = read(value);
                    last.0.clear();
                    last.0.extend_from_slice(value);
                    last.1 = Some(found);
                    found
                }
            });
            Ok(())
        })?;
        return Ok(mapped);
    };
    if dictionary.values().is_empty() {
        return Ok(vec![absent; column.len()]);
    }
    let entries = map_rows(dictionary.values(), absent, read)?;
    let keys = dictionary.normalized_keys().into_iter().enumerate();
    let entry = |key: usize| entries.get(key).copied().unwrap_or(absent);
    Ok(keys.map(|(row, key)| if column.is_null(row) { absent } else { entry(key) }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{DictionaryArray, Int64Array, StringArray};
    use arrow::datatypes::Int8Type;
    use std::sync::Arc;

    #[test]
    fn words_and_codes_of_many_languages() {
        for text in ["F", "f", " Female", "WEIBLICH", "w", "Mujer", "女", "Ж", "2", "KADIN"] {
            // Capitals of Turkish are not those of other languages.
            let expected = if text == "KADIN" { Gender::Any } else { Gender::Female };
            assert_eq!(read(text.as_bytes()), expected, "{text}");
        }
        for text in ["M", "male", "Männlich", "HOMME", "男", "М", "1"] {
            assert_eq!(read(text.as_bytes()), Gender::Male, "{text}");
        }
        for text in ["", "x", "divers", "0", "9", "unknown", "mm"] {
            assert_eq!(read(text.as_bytes()), Gender::Any, "{text}");
        }
        assert!(FEMALE.iter().all(|word| !MALE.contains(word)));
        for word in FEMALE.iter().chain(MALE) {
            assert_eq!(&word.to_lowercase(), word);
        }
    }

    #[test]
    fn codes_and_dictionaries_are_read() {
        use Gender::{Any, Female, Male};
        let codes: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(2), Some(0)]));
        assert_eq!(of_rows(&codes), Ok(vec![Male, Any, Female, Any]));
        let words: DictionaryArray<Int8Type> =
            vec![Some("f"), Some("f"), None, Some("m")].into_iter().collect();
        let words: ArrayRef = Arc::new(words);
        assert_eq!(of_rows(&words), Ok(vec![Female, Female, Any, Male]));
        let empty: ArrayRef = Arc::new(StringArray::from(Vec::<&str>::new()));
        assert_eq!(of_rows(&empty), Ok(Vec::new()));
    }
}
