//! `isin`: another securities number.

use arrow::datatypes::DataType;
use serde_json::Value;

use super::identifier::{self, NoParams, Prefix, Rule, is_like, part, part_mut, set_last};
use super::params;
use crate::check_digits::{digit_of, luhn, value_of};
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};

/// Another ISIN.
pub(super) struct Isin;

impl Function for Isin {
    fn name(&self) -> &'static str {
        "isin"
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
            summary: "An ISIN becomes another of the same country with a right check digit; letters stay letters and digits digits.",
            privacy: "The country, and where the number has letters, remain. The security may exist.",
            nulls: identifier::NULLS,
            examples: vec![example(
                "{}",
                &["US0378331005", "DE000BAY0017", "US0378331006"],
                &["US8443606061", "DE550MEC2156", "MT6400018987"],
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

/// ISO 6166: two letters, nine characters, and Luhn's digit over all with letters written as 10 to 35.
static RULE: Rule = Rule {
    fits: |id| is_like(id, b"AA*********9"),
    replace: |id, keyed| keyed.replace(part_mut(id, 2, 11)),
    seal: |id| {
        set_last(id, |rest| {
            let mut digits = [b'0'; 22];
            let mut free = digits.iter_mut();
            let mut length = 0;
            for byte in rest {
                let value = value_of(*byte);
                if value > 9 {
                    *free.next()? = digit_of(value / 10);
                    length += 1;
                }
                *free.next()? = digit_of(value);
                length += 1;
            }
            Some(digit_of(luhn(part(&digits, 0, length))))
        })
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::identifier::tests::{check, check_single_errors, passes};

    #[test]
    fn published_numbers() {
        // ISO 6166's own example (Apple), BAE Systems, Bayer, Deutsche Telekom.
        check(&RULE, &["US0378331005", "GB0002634946", "DE000BAY0017", "DE0005557508"]);
        check_single_errors(&&RULE, "US0378331005");
        assert!(!passes(&&RULE, "US037833100"));
    }
}
