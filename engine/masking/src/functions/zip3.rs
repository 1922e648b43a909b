//! `zip3`: the first three digits of a US ZIP code, where enough people share them.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::error::{BindError, MaskError};
use crate::forms::{Fit, is_text, map_text_counted, over_values_counted};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// First three digits whose ZIP code areas had 20,000 people or fewer, by the census of 2010.
const SPARSE: &[&str; 18] = &[
    "036", "059", "102", "202", "203", "204", "205", "369", "556", "692", "753", "772", "821",
    "823", "878", "879", "884", "893",
];
/// What stands for those, and for what is no ZIP code: 45 CFR 164.514(b)(2)(i)(B).
const HIDDEN: &str = "000";
/// There are no more.
const ALSO_MAX: usize = 1_000;

/// The first three digits.
pub(super) struct Zip3;

/// Parameters of `zip3`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Further first three digits that become `000`, as in `["821"]`.
    #[serde(default)]
    also: Vec<String>,
}

impl Function for Zip3 {
    fn name(&self) -> &'static str {
        "zip3"
    }

    fn doc(&self) -> Doc {
        let example = |params, input, output| Example {
            params,
            input_type: DataType::Utf8,
            input,
            others: &[],
            output,
        };
        Doc {
            summary: "Every US ZIP code becomes its first three digits, and 000 where those stand \
                      for 20,000 people or fewer by the census of 2010 (HIPAA's safe harbor).",
            privacy: "The area of the first three digits remains.",
            nulls: "Null stays null, empty stays empty. What is no ZIP code of five digits, with or \
                    without four more, becomes 000 and is counted.",
            examples: vec![
                example(
                    "{}",
                    &["94110", "94110-1234", "03601", "SW1A 1AA"],
                    &["941", "941", "000", "000"],
                ),
                example(r#"{"also": ["941"]}"#, &["94110", "10001"], &["000", "100"]),
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn approximates(&self) -> bool {
        true
    }

    fn keyed(&self) -> bool {
        false
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { also } = params::parse(self, params, context)?;
        let three =
            |text: &String| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        if also.len() > ALSO_MAX || !also.iter().all(three) {
            return Err(BindError::out_of_range("also", "texts of three digits, at most 1000"));
        }
        Ok(Box::new(Bound { input: context.input.clone(), also }))
    }
}

/// The first three digits of a ZIP code: `12345`, `12345-6789` or `123456789`.
#[inline]
fn first_three(text: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let whole = match text.split_once('-') {
        Some((five, four)) => five.len() == 5 && four.len() == 4 && digits(five) && digits(four),
        None => matches!(text.len(), 5 | 9) && digits(text),
    };
    text.get(..3).filter(|_| whole)
}

struct Bound {
    input: DataType,
    also: Vec<String>,
}

impl Bound {
    #[inline]
    fn write(&self, text: &str, out: &mut Vec<u8>) -> Fit {
        let Some(first) = first_three(text) else {
            out.extend_from_slice(HIDDEN.as_bytes());
            return Fit::Replaced;
        };
        let sparse = SPARSE.contains(&first) || self.also.iter().any(|also| also == first);
        out.extend_from_slice((if sparse { HIDDEN } else { first }).as_bytes());
        Fit::Right
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        self.input.clone()
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves { null: true, ..Preserves::default() },
            // The text `000` is no ZIP code, and what stands for one.
            may_return_input: true,
        }
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Ok(self.apply_counted(column, others)?.0)
    }

    fn apply_counted(
        &self,
        column: &ArrayRef,
        _others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        over_values_counted(&self.input, column, |values| {
            map_text_counted(values, |_, text, out| self.write(text, out))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_zip_code() {
        for text in ["12345", "12345-6789", "123456789"] {
            assert_eq!(first_three(text), Some("123"), "{text}");
        }
        for text in ["1234", "123456", "12345-678", "1234-56789", "12a45", "١٢٣٤٥", " 12345"] {
            assert_eq!(first_three(text), None, "{text}");
        }
        assert!(SPARSE.is_sorted());
    }
}
