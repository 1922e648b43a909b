//! `isbn`: another book number.

use arrow::datatypes::DataType;
use serde_json::Value;

use super::identifier::{self, NoParams, Prefix, Rule, are_digits, part, part_mut, set_last};
use super::params;
use crate::check_digits::{digit_of, weighted};
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};

/// Another ISBN.
pub(super) struct Isbn;

impl Function for Isbn {
    fn name(&self) -> &'static str {
        "isbn"
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
            summary: "An ISBN of 10 or 13 characters becomes another with a right check digit. Separators and the prefix 978 or 979 stay.",
            privacy: "Which rows held equal numbers, and how they are written, remain. The book may exist.",
            nulls: identifier::NULLS,
            examples: vec![example(
                "{}",
                &["978-0-306-40615-7", "9780306406157", "0-306-40615-2", "0-306-40615-3"],
                &["978-1-622-43053-6", "9781622430536", "3-851-32258-4", "4-736-91953-9"],
            )],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<NoParams>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        identifier::bound_plain(self, params, context, &RULE, Prefix::Kept)
    }
}

/// ISO 2108: of 13 digits with the check digit of an EAN, or of 10 with one by modulus 11 (X is 10).
static RULE: Rule = Rule {
    fits: |id| match id.len() {
        13 => are_digits(id) && (id.starts_with(b"978") || id.starts_with(b"979")),
        10 => {
            let (last, rest) = (part(id, 9, 10), part(id, 0, 9));
            are_digits(rest) && (are_digits(last) || last == b"X")
        }
        _ => false,
    },
    replace: |id, keyed| {
        let end = id.len().saturating_sub(1);
        keyed.replace(part_mut(id, end.saturating_sub(9), end));
    },
    seal: |id| {
        set_last(id, |rest| match rest.len() {
            12 => Some(digit_of((10 - weighted(rest, &EAN) % 10) % 10)),
            _ => Some(match (11 - weighted(rest, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 {
                10 => b'X',
                digit => digit_of(digit),
            }),
        })
    },
};

/// Weights of an EAN-13 (GS1 General Specifications, section 7.9).
const EAN: [u32; 12] = [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::identifier::tests::{check, check_single_errors, passes};

    #[test]
    fn published_numbers() {
        // The ISBN Users' Manual's, and a number that ends with X.
        check(&RULE, &["978-0-306-40615-7", "0-306-40615-2", "0-8044-2957-X", "0-8044-2957-x"]);
        check_single_errors(&&RULE, "9780306406157");
        check_single_errors(&&RULE, "0306406152");
        assert!(!passes(&&RULE, "977-0-306-40615-7"));
    }
}
