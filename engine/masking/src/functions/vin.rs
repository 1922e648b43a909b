//! `vin`: another vehicle.

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::identifier::{self, Keyed, Prefix, Scheme, is_like, set};
use super::params;
use crate::check_digits::{digit_of, value_of};
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};

/// Another vehicle identification number.
pub(super) struct Vin;

/// Parameters of `vin`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Keeps the first three characters, which name the maker (ISO 3780).
    #[serde(default)]
    keep_maker: bool,
}

impl Function for Vin {
    fn name(&self) -> &'static str {
        "vin"
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
            summary: "A vehicle identification number becomes another with a right check digit; letters stay letters (never I, O or Q) and digits digits.",
            privacy: "Where the number has letters remains, and the maker if it is kept. The vehicle may exist.",
            nulls: identifier::NULLS,
            examples: vec![
                example(
                    "{}",
                    &["1M8GDM9AXKP042788", "1M8GDM9AXKP042789"],
                    &["7L7VLT0U8MU982330", "8A5ASN7IHSB655565"],
                ),
                example(r#"{"keep_maker": true}"#, &["1HGCM82633A004352"], &["1HGSA618X4T893197"]),
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
        let Params { keep_maker } = params::parse(self, params, context)?;
        let prefix = if keep_maker { Prefix::Kept } else { Prefix::Hidden };
        identifier::bound(
            self,
            context,
            Number { kept: if keep_maker { MAKER } else { 0 } },
            prefix,
        )
    }
}

/// How many characters stay at the start.
struct Number {
    kept: usize,
}

/// Characters of the world manufacturer identifier.
const MAKER: usize = 3;
/// Place of the check digit.
const CHECK: usize = 8;
/// Place of the model year, which has fewer characters than the others.
const YEAR: usize = 9;
/// Weights by place: 49 CFR 565.15, table IV. The check digit has none.
const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

/// ISO 3779 for the characters, 49 CFR 565.15 for the check digit: weighted values modulo 11, X
/// for 10.
impl Scheme for Number {
    fn fits(&self, id: &[u8]) -> bool {
        let check = id.get(CHECK).copied().unwrap_or_default();
        is_like(id, b"*****************")
            && !id.iter().any(|byte| matches!(byte, b'I' | b'O' | b'Q'))
            && (check.is_ascii_digit() || check == b'X')
    }

    fn replace(&self, id: &mut [u8], keyed: &mut Keyed<'_>) {
        for (place, byte) in id.iter_mut().enumerate().skip(self.kept) {
            *byte = match (byte.is_ascii_digit(), place) {
                (_, CHECK) => continue,
                (true, YEAR) => keyed.one_of(b"123456789"),
                (true, _) => keyed.digit(),
                (false, YEAR) => keyed.one_of(b"ABCDEFGHJKLMNPRSTVWXY"),
                (false, _) => keyed.one_of(b"ABCDEFGHJKLMNPRSTUVWXYZ"),
            };
        }
    }

    fn seal(&self, id: &mut [u8]) -> bool {
        let sum: u32 = id.iter().zip(WEIGHTS).map(|(byte, weight)| counted(*byte) * weight).sum();
        set(id, CHECK, if sum % 11 == 10 { b'X' } else { digit_of(sum % 11) });
        true
    }
}

/// What a character counts: 49 CFR 565.15, table III.
fn counted(byte: u8) -> u32 {
    match byte {
        b'A'..=b'I' => value_of(byte) - 9,
        b'J'..=b'R' => value_of(byte) - 18,
        b'S'..=b'Z' => value_of(byte) - 26,
        _ => value_of(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::identifier::tests::{check, check_single_errors, passes};

    #[test]
    fn published_numbers() {
        // Examples of Wikipedia and of the NHTSA's decoder; all ones is the well-known test.
        for kept in [0, MAKER] {
            check(
                Number { kept },
                &[
                    "1M8GDM9AXKP042788",
                    "5GZCZ43D13S812715",
                    "1HGCM82633A004352",
                    "11111111111111111",
                ],
            );
            check_single_errors(&Number { kept }, "1HGCM82633A004352");
            for wrong in ["1M8GDM9AXKP04278", "1M8GDM9AXKP0427I8", "1M8GDM9AXKP042789"] {
                assert!(!passes(&Number { kept }, wrong), "{wrong}");
            }
        }
    }
}
