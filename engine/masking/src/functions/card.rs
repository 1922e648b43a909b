//! `card`: another payment card number.

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::identifier::{self, Keyed, Prefix, Scheme, are_digits, part_mut, set};
use super::params;
use crate::check_digits::{digit_of, luhn_sum};
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};

/// Digits of the issuer prefix that may stay: what PCI DSS 4.0, requirement 3.4.1, allows to be
/// shown of every card.
const ISSUER: usize = 6;
/// Digits at the end that may stay.
const LAST: usize = 4;
/// Digits that are replaced at least: else the issuer prefix is replaced too.
const HIDDEN_MIN: usize = 5;

/// Another payment card number.
pub(super) struct Card;

/// Parameters of `card`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Keeps the first six digits, which name the issuer, of numbers of 15 digits and more.
    #[serde(default)]
    keep_issuer: bool,
    /// Keeps the last four digits.
    #[serde(default)]
    keep_last_four: bool,
}

impl Function for Card {
    fn name(&self) -> &'static str {
        "card"
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
            summary: "A payment card number becomes another of as many digits with a right check \
                      digit (Luhn), written alike. Separators do not matter to the digits.",
            privacy: "The number of digits and how they are written remain. With both ends kept, \
                      100,000 numbers of 16 digits are possible, and the ends may point to one \
                      card. The number may be assigned to somebody: never charge it.",
            nulls: identifier::NULLS,
            examples: vec![
                example(
                    "{}",
                    &["4111 1111 1111 1111", "4111111111111111", "4111 1111 1111 1112"],
                    &["4443 3364 0264 4293", "4443336402644293", "8418 3886 3597 7096"],
                ),
                example(
                    r#"{"keep_issuer": true, "keep_last_four": true}"#,
                    &["5555-5555-5555-4444"],
                    &["5555-5504-5201-4444"],
                ),
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
        let Params { keep_issuer, keep_last_four } = params::parse(self, params, context)?;
        let issuer = if keep_issuer { ISSUER } else { 0 };
        let last = if keep_last_four { LAST } else { 0 };
        let prefix = if keep_issuer { Prefix::Kept } else { Prefix::Hidden };
        identifier::bound(self, context, Number { issuer, last }, prefix)
    }
}

/// Whether digits could be a card's, and their check digit is right.
pub(super) fn passes(id: &[u8]) -> bool {
    could_be(id) && luhn_sum(id).is_multiple_of(10)
}

/// ISO/IEC 7812-1: up to 19 digits; networks issue none of fewer than 12.
fn could_be(id: &[u8]) -> bool {
    (12..=19).contains(&id.len()) && are_digits(id)
}

/// How many digits stay at each end.
struct Number {
    issuer: usize,
    last: usize,
}

impl Scheme for Number {
    fn fits(&self, id: &[u8]) -> bool {
        could_be(id)
    }

    fn replace(&self, id: &mut [u8], keyed: &mut Keyed<'_>) {
        let end = id.len().saturating_sub(self.last);
        let start = if end >= self.issuer + HIDDEN_MIN { self.issuer } else { 0 };
        keyed.replace(part_mut(id, start, end));
        if start == 0 {
            set(id, 0, keyed.one_of(b"123456789"));
        }
    }

    /// The last digit that does not stay makes the sum right. It counts once, not twice, as both
    /// the last digit and the fifth from the end do.
    fn seal(&self, id: &mut [u8]) -> bool {
        let Some(place) = id.len().checked_sub(self.last + 1) else { return false };
        set(id, place, b'0');
        let check = digit_of((10 - luhn_sum(id) % 10) % 10);
        set(id, place, check);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::identifier::tests::{check, check_single_errors, passes};

    #[test]
    fn the_networks_test_numbers() {
        let numbers = [
            "4111 1111 1111 1111",
            "5555-5555-5555-4444",
            "378282246310005",
            "6011111111111117",
            "30569309025904",
            "6759649826438453",
            "4222222222222",
        ];
        for (issuer, last) in [(0, 0), (ISSUER, 0), (0, LAST), (ISSUER, LAST)] {
            check(Number { issuer, last }, &numbers);
            check_single_errors(&Number { issuer, last }, "4111111111111111");
            assert!(!passes(&Number { issuer, last }, "41111111111"));
        }
    }

    #[test]
    fn what_is_to_stay_stays() {
        let key = crate::LinkageKey::derive(&crate::EXAMPLE_MASTER, 1, "l", "f", 1);
        let mut keyed = Keyed::of(key.prf(b"1"));
        let both = Number { issuer: ISSUER, last: LAST };
        for (number, start) in [(&b"4111111111111111"[..], &b"411111"[..]), (b"4222222222222", b"")]
        {
            let mut id = number.to_vec();
            both.replace(&mut id, &mut keyed);
            assert!(both.seal(&mut id) && luhn_sum(&id).is_multiple_of(10));
            assert!(id.starts_with(start) && id.ends_with(&number[number.len() - 4..]));
        }
    }
}
