//! `imei`: another number of a mobile device.

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::identifier::{self, Keyed, Prefix, Scheme, is_like, part_mut, set_last};
use super::params;
use crate::check_digits::{digit_of, luhn};
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};

/// Another IMEI.
pub(super) struct Imei;

/// Parameters of `imei`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Keeps the first eight digits, the type allocation code: they name the model.
    #[serde(default)]
    keep_model: bool,
}

impl Function for Imei {
    fn name(&self) -> &'static str {
        "imei"
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
            summary: "An IMEI of 15 digits becomes another with a right check digit (Luhn), written alike.",
            privacy: "Which rows held equal numbers remains, and the device model if it is kept. The device may exist.",
            nulls: identifier::NULLS,
            examples: vec![
                example(
                    "{}",
                    &["49-015420-323751-8", "490154203237518", "490154203237519"],
                    &["42-989595-008627-8", "429895950086278", "654292932196384"],
                ),
                example(r#"{"keep_model": true}"#, &["490154203237518"], &["490154204298956"]),
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { keep_model } = params::parse(self, params, context)?;
        let prefix = if keep_model { Prefix::Kept } else { Prefix::Hidden };
        identifier::bound(
            self,
            context,
            Number { kept: if keep_model { MODEL } else { 0 } },
            prefix,
        )
    }
}

/// How many digits stay at the start.
struct Number {
    kept: usize,
}

/// Digits of the type allocation code.
const MODEL: usize = 8;

/// 3GPP TS 23.003, section 6.2.1 and annex B: 14 digits, and Luhn's.
impl Scheme for Number {
    fn fits(&self, id: &[u8]) -> bool {
        is_like(id, b"999999999999999")
    }

    fn replace(&self, id: &mut [u8], keyed: &mut Keyed<'_>) {
        keyed.replace(part_mut(id, self.kept, 14));
    }

    fn seal(&self, id: &mut [u8]) -> bool {
        set_last(id, |rest| Some(digit_of(luhn(rest))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::identifier::tests::{check, check_single_errors};

    #[test]
    fn published_numbers() {
        // The GSM Association's example, and one of 3GPP's tests.
        for kept in [0, MODEL] {
            check(Number { kept }, &["49-015420-323751-8", "356938035643809"]);
            check_single_errors(&Number { kept }, "490154203237518");
        }
    }
}
