//! `phone`: another valid number of the same region and kind.
//!
//! ```text
//!  +49 (0)30 901820 ──▶ Germany, fixed line, 8 digits ──▶ the n-th of all such numbers, n keyed
//!                        └ valid nowhere: other digits in the same shape, and counted
//! ```

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use super::phone_plans::{Found, Plan, international, national, region};
use super::phone_shape::{HIDDEN_MIN, Shape};
use crate::error::{BindError, MaskError};
use crate::forms::{is_text, map_text_keyed, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::lanes::Lanes;
use crate::properties::{Preserves, Properties, Uniqueness};

/// Regions a number may become one of whose country is not kept: with numbers of many lengths.
const COUNTRIES: &[&str] = &[
    "US", "FR", "ES", "NL", "GB", "SE", "PL", "DE", "AU", "JP", "BR", "IN", "AT", "FI", "NO", "IS",
];

/// A number of the same region and kind.
pub(super) struct Phone;

/// Parameters of `phone`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The region of numbers without a country code, as in `DE`. Without it they have no region: they
    /// are masked by their shape, and counted.
    region: Option<String>,
    /// Keeps the country code of an international number (`+49`, `0049`); else the number becomes one of
    /// another region.
    #[serde(default = "yes")]
    keep_country: bool,
    /// Keeps the area code, or what the first digits are where there are no areas, if four digits stay
    /// to be hidden. It says where somebody lives.
    #[serde(default)]
    keep_area: bool,
    /// How a valid number is written.
    #[serde(default)]
    format: Format,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// As it was.
    #[default]
    Input,
    /// As in `+4930901820` (ITU-T E.164).
    E164,
}

fn yes() -> bool {
    true
}

impl Function for Phone {
    fn name(&self) -> &'static str {
        "phone"
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
            summary: "A phone number becomes another valid one of its region, kind and length; country \
                      code and formatting stay. Formatting does not matter to the digits: \
                      `+49 30 901820` and `0049-30901820` stay the same number.",
            privacy: "The country, whether it is a mobile number, the number of digits and how they are \
                      written remain, and the area if it is kept. The number may be assigned to \
                      somebody: never call or text it.",
            nulls: "Null stays null, empty stays empty. A number that is valid in no region known here \
                    gets other digits in its shape, and is counted; what is no phone number (other \
                    letters than the x of an extension, or no digits) becomes ten digits.",
            examples: vec![
                example(
                    "{}",
                    &["+49 (0)30 901820", "0049 (0)30-901820", "+1 (415) 555-0132"],
                    &["+49 (0)36 244332", "0049 (0)36-244332", "+1 (208) 275-1880"],
                ),
                example(
                    r#"{"region": "DE", "keep_area": true, "format": "e164"}"#,
                    &["030 901820", "+49 30 901820", "0151 23456789"],
                    &["+4930191728", "+4930191728", "+4915124761391"],
                ),
                example(
                    r#"{"keep_country": false}"#,
                    &["+49 30 901820", "030 901820", "ask Ada"],
                    &["+46 67 268410", "024 925381", "9251444050"],
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
        let Params { region: name, keep_country, keep_area, format } =
            params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let region = match name {
            None => None,
            Some(name) => Some(region(&name).ok_or_else(|| {
                BindError::out_of_range("region", "a region of ISO 3166, as in `DE`")
            })?),
        };
        let input = context.input.clone();
        Ok(Box::new(Bound { input, key, region, keep_country, keep_area, format }))
    }
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    region: Option<&'static Plan>,
    keep_country: bool,
    keep_area: bool,
    format: Format,
}

/// What is known of a value.
struct Read {
    shape: Shape,
    found: Option<Found>,
}

impl Bound {
    /// Reads a value, and what is keyed into `keyed`: a valid number in the form of E.164.
    fn read(&self, value: &str, keyed: &mut Vec<u8>) -> Read {
        let shape = Shape::read(value, keyed);
        let found = match (shape.is_number, keyed.strip_prefix(b"+")) {
            (false, _) => None,
            (true, Some(digits)) => international(digits),
            (true, None) => self.region.and_then(|plan| national(keyed, plan)),
        };
        if let Some(Found { plan, before, .. }) = found {
            let is_international = keyed.starts_with(b"+");
            let number = keyed.split_off(before + usize::from(is_international));
            keyed.clear();
            keyed.extend([b"+", plan.code.as_bytes(), &number].into_iter().flatten());
        }
        Read { shape, found }
    }

    /// Whether the value became a valid number.
    fn write(&self, value: &str, read: &Read, mut draw: Draw<'_>, out: &mut Vec<u8>) -> bool {
        if let Some(found) = read.found
            && self.write_valid(value, &read.shape, found, &mut draw, out)
        {
            return true;
        }
        read.shape.write(value, self.keep_country, draw, out);
        false
    }

    fn write_valid(
        &self,
        value: &str,
        shape: &Shape,
        found: Found,
        draw: &mut Draw<'_>,
        out: &mut Vec<u8>,
    ) -> bool {
        let digits: Vec<u8> = value.bytes().filter(u8::is_ascii_digit).skip(shape.exit).collect();
        let Some((before, number)) = digits.split_at_checked(found.before) else { return false };
        let is_international = shape.country > 0;
        let (plan, kind) = match is_international && !self.keep_country {
            true => match another(found, number.len(), draw) {
                Some(other) => other,
                None => return false,
            },
            false => (found.plan, found.kind),
        };
        let Some(pattern) = plan.kind(kind) else { return false };
        let length = found.plan.code.len() + number.len() - plan.code.len();
        let area = if self.keep_area && self.keep_country { plan.area(number) } else { 0 };
        let area = if number.len() >= area + HIDDEN_MIN { area } else { 0 };
        let kept = number.get(..area).unwrap_or_default();
        let count = pattern.count_of(kept, length);
        if count < 2 {
            return false;
        }
        let index = draw.below(count);
        let mut other = Vec::with_capacity(length);
        pattern.write(kept, length, index, &mut other);
        if other == number && plan.code == found.plan.code {
            other.clear();
            pattern.write(kept, length, (index + 1) % count, &mut other);
        }
        if self.format == Format::E164 {
            out.extend([b"+", plan.code.as_bytes(), &other].into_iter().flatten());
            return true;
        }
        let code = if is_international { plan.code.as_bytes() } else { b"" };
        let trunk = before.get(if is_international { found.plan.code.len() } else { 0 }..);
        let exit: &[u8] = if shape.exit > 0 { b"00" } else { b"" };
        let parts = [exit, code, trunk.unwrap_or_default(), &other[..]];
        lay_out(value, parts.into_iter().flatten().copied(), out);
        true
    }
}

/// The plan and kind of another region whose numbers have as many digits, its country code among them.
fn another(found: Found, digits: usize, draw: &mut Draw<'_>) -> Option<(&'static Plan, usize)> {
    let digits = found.plan.code.len() + digits;
    let fits = |plan: &&'static Plan| {
        if plan.code == found.plan.code {
            return None;
        }
        let left = digits.checked_sub(plan.code.len());
        let numbers = |kind| Some(plan.kind(kind)?.count_of(b"", left?));
        let kind = [found.kind, 0].into_iter().find(|kind| numbers(*kind) > Some(1));
        kind.map(|kind| (*plan, kind))
    };
    let plans: Vec<_> =
        COUNTRIES.iter().filter_map(|name| region(name)).filter_map(|plan| fits(&plan)).collect();
    plans.get(draw.below(plans.len() as u64) as usize).copied()
}

/// Writes digits where the value has some.
fn lay_out(value: &str, mut digits: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    let mut bytes = [0_u8; 4];
    for character in value.chars() {
        match character.is_ascii_digit() {
            true => out.extend(digits.next()),
            false => out.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes()),
        }
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
            preserves: Preserves {
                format: self.format == Format::Input,
                prefix: self.keep_country && self.format == Format::Input,
                null: true,
                ..Preserves::default()
            },
            may_return_input: false,
        }
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Ok(self.apply_counted(column, others)?.0)
    }

    /// Of a dictionary, entries are counted.
    fn apply_counted(
        &self,
        column: &ArrayRef,
        _others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        let mut unfit = 0;
        let masked = over_values(&self.input, column, |values| {
            let mut digits = Vec::with_capacity(32);
            let hash = |value: &str, lanes: &mut Lanes<'_>| {
                let read = self.read(value, &mut digits);
                lanes.push(&digits);
                read
            };
            map_text_keyed(values, &self.key, hash, |value, read, draw, out| {
                unfit += u64::from(!self.write(value, &read, draw, out));
            })
        })?;
        Ok((masked, unfit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::EXAMPLE_MASTER;
    use arrow::array::{AsArray, StringArray};
    use std::sync::Arc;

    const NUMBERS: &str = include_str!("../../data/phone_numbers.tsv");

    fn bound(region: Option<&'static Plan>, keep_country: bool, keep_area: bool) -> Bound {
        let key = LinkageKey::derive(&EXAMPLE_MASTER, 1, "example", "phone", 1);
        Bound { input: DataType::Utf8, key, region, keep_country, keep_area, format: Format::Input }
    }

    fn masked(mask: &Bound, values: Vec<String>) -> (Vec<String>, u64) {
        let column: ArrayRef = Arc::new(StringArray::from(values));
        let (masked, unfit) = mask.apply_counted(&column, &[]).unwrap();
        (masked.as_string::<i32>().iter().flatten().map(str::to_owned).collect(), unfit)
    }

    fn valid() -> Vec<String> {
        let lines = NUMBERS.lines().filter(|line| !line.starts_with('#'));
        let fields = lines.filter_map(|line| line.split_once('\t'));
        fields
            .filter(|(_, region)| !region.is_empty())
            .map(|(digits, _)| format!("+{digits}"))
            .collect()
    }

    #[test]
    fn a_valid_number_becomes_another_of_its_region_and_kind() {
        let numbers = valid();
        for keep_area in [false, true] {
            let (masked, unfit) = masked(&bound(None, true, keep_area), numbers.clone());
            let (mut none, mut shared) = (0, 0);
            for (before, after) in numbers.iter().zip(&masked) {
                assert!(before != after && before.len() == after.len(), "{before} gives {after}");
                let old = international(&before.as_bytes()[1..]).unwrap();
                let Some(new) = international(&after.as_bytes()[1..]) else {
                    none += 1;
                    continue;
                };
                assert_eq!(new.plan.code, old.plan.code);
                let same = (new.plan.region, new.kind) == (old.plan.region, old.kind);
                shared += usize::from(!same);
                let area = old.plan.area(&before.as_bytes()[1 + old.before..]);
                let kept = 1 + old.before + area;
                if same && keep_area && before.len() >= kept + HIDDEN_MIN {
                    assert_eq!(before[..kept], after[..kept]);
                }
            }
            assert!(none <= unfit, "{none} of {unfit} became no number");
            // Regions of one code share numbers, of no place above all; and kinds do.
            assert!(shared * 50 < numbers.len(), "{shared}");
            // Numbers of which a region has one only.
            assert!(unfit < 20, "{unfit}");
        }
    }

    #[test]
    fn a_country_that_is_not_kept_becomes_another() {
        let (masked, unfit) = masked(&bound(None, false, false), valid());
        let changed = valid().into_iter().zip(&masked).filter(|(before, after)| {
            let old = international(&before.as_bytes()[1..]).unwrap();
            let new = international(&after.as_bytes()[1..]);
            new.is_some_and(|new| new.plan.code != old.plan.code)
        });
        assert!(changed.count() as u64 >= valid().len() as u64 - unfit);
        assert!(unfit < 50, "{unfit}");
    }

    #[test]
    fn inside_and_outside_the_region_it_is_one_number() {
        let mask = bound(region("DE"), true, false);
        let values = ["030 901820", "30901820", "+49 30 901820", "0049 (0)30/901820"];
        let (masked, unfit) = masked(&mask, values.map(str::to_owned).to_vec());
        let national = |text: &str| -> String {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            digits[digits.len() - 8..].to_owned()
        };
        assert!(masked.iter().all(|text| national(text) == national(&masked[0])), "{masked:?}");
        assert!(masked[0].starts_with('0') && masked[3].starts_with("0049 (0)"), "{masked:?}");
        assert_eq!(unfit, 0);
    }

    #[test]
    fn what_is_valid_nowhere_is_counted() {
        let values = ["+49 1", "+999 123456", "030 901820", "ask Ada", "", "+1 555 000 0000"];
        let (masked, unfit) = masked(&bound(None, true, false), values.map(str::to_owned).to_vec());
        assert_eq!(unfit, 5);
        assert!(
            masked.iter().zip(values).all(|(after, before)| before.is_empty() || after != before)
        );
    }
}
