//! `mac`: a keyed permutation of MAC addresses.
//!
//! ```text
//!  vendor (24 bits) ─┬─ group and local bit, 2 bits ─ tweak ─┬─▶ address
//!  device (24 bits) ─┴─ the other 46 ─ keyed permutation ────┘
//!
//!  keep_vendor:  vendor ── tweak ──┬─▶ vendor ‖ device'
//!                device ── keyed permutation of 24 bits
//! ```

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::error::{BindError, MaskError};
use crate::forms::{is_text, map_read, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::permutation::{Permutation, Tweaked};
use crate::properties::{Preserves, Properties, Uniqueness};

/// The bits of the first byte that say what kind of address it is: IEEE 802, group and local.
const KIND_BITS: u32 = 2;
/// Bits after the first byte.
const REST_BITS: u32 = 40;
/// Bits of the part a vendor gives out.
const DEVICE_BITS: u32 = 24;

/// A keyed permutation of MAC addresses.
pub(super) struct Mac;

/// Parameters of `mac`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Keeps the first three bytes, which say who made the device.
    #[serde(default)]
    keep_vendor: bool,
}

impl Function for Mac {
    fn name(&self) -> &'static str {
        "mac"
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
            summary: "Every MAC address becomes another, by key, written the same way, and no two \
                      become the same.",
            privacy: "Whether an address is one of a group or locally given remains, and which rows \
                      held equal values; the vendor, too, if it is kept. Whoever holds the key can \
                      compute the value. One address may stay itself by chance.",
            nulls: "Null stays null, empty stays empty. What is no address of six bytes \
                    (`aa:bb:cc:dd:ee:ff`, `aa-bb-…`, `aabb.ccdd.eeff`, `aabbccddeeff`, letters of one \
                    case) becomes null.",
            examples: vec![
                example(
                    "{}",
                    &["00:1b:44:11:3a:b7", "00-1B-44-11-3A-B7"],
                    &["24:6e:2c:5a:54:d9", "24-6E-2C-5A-54-D9"],
                ),
                example(
                    r#"{"keep_vendor": true}"#,
                    &["00:1b:44:11:3a:b7", "001b.4411.3ab8"],
                    &["00:1b:44:95:75:1b", "001b.4429.65a7"],
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
        let Params { keep_vendor } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let half_bits = if keep_vendor { DEVICE_BITS / 2 } else { (48 - KIND_BITS) / 2 };
        let permutation = Permutation::new(&key.secret("aes"), half_bits);
        Ok(Box::new(Bound { input: context.input.clone(), permutation, keep_vendor }))
    }
}

/// How an address is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    /// Between groups; none if there is one group.
    separator: Option<u8>,
    /// Digits of a group.
    group: usize,
    capital: bool,
}

#[inline]
fn read(text: &str) -> Option<(u64, Form)> {
    let bytes = text.as_bytes();
    let (separator, group) = match (bytes.len(), bytes.get(2), bytes.get(4)) {
        (12, ..) => (None, 12),
        (14, _, Some(b'.')) => (Some(b'.'), 4),
        (17, Some(separator @ (b':' | b'-')), _) => (Some(*separator), 2),
        _ => return None,
    };
    let (mut address, mut small, mut capital) = (0_u64, false, false);
    for (place, byte) in bytes.iter().enumerate() {
        if separator.is_some() && place % (group + 1) == group {
            if Some(*byte) != separator {
                return None;
            }
            continue;
        }
        let digit = char::from(*byte).to_digit(16)?;
        small |= byte.is_ascii_lowercase();
        capital |= byte.is_ascii_uppercase();
        address = address << 4 | u64::from(digit);
    }
    (!(small && capital)).then_some((address, Form { separator, group, capital }))
}

#[inline]
fn write(address: u64, form: Form, out: &mut Vec<u8>) {
    for place in 0..12_usize {
        if place > 0 && place.is_multiple_of(form.group) {
            out.extend(form.separator);
        }
        let digit = (address >> (44 - 4 * place) & 0xf) as u8;
        out.push(match (digit, form.capital) {
            (0..10, _) => b'0' + digit,
            (_, true) => b'A' + digit - 10,
            (_, false) => b'a' + digit - 10,
        });
    }
}

struct Bound {
    input: DataType,
    permutation: Permutation,
    keep_vendor: bool,
}

impl Bound {
    fn taken_apart(&self, address: u64) -> Tweaked {
        if self.keep_vendor {
            let value = u128::from(address & (u64::MAX >> 40));
            return Tweaked { tweak: address >> DEVICE_BITS, value };
        }
        let tweak = address >> REST_BITS & 0b11;
        let (high, rest) = (address >> (REST_BITS + KIND_BITS), address & (u64::MAX >> 24));
        Tweaked { tweak, value: u128::from(high << REST_BITS | rest) }
    }

    fn put_together(&self, Tweaked { tweak, value }: Tweaked) -> u64 {
        // At most 46 bits.
        let value = value as u64;
        if self.keep_vendor {
            return tweak << DEVICE_BITS | value;
        }
        let (high, rest) = (value >> REST_BITS, value & (u64::MAX >> 24));
        high << (REST_BITS + KIND_BITS) | tweak << REST_BITS | rest
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
            uniqueness: Uniqueness::Bijective,
            preserves: Preserves {
                length: true,
                format: true,
                prefix: self.keep_vendor,
                null: true,
                ..Preserves::default()
            },
            may_return_input: true,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |values| {
            map_read(
                values,
                |text| read(text).map(|(address, form)| (self.taken_apart(address), form)),
                |numbers| self.permutation.permute(numbers),
                |number, form, out| write(self.put_together(number), form, out),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_is_read_and_written() {
        for text in [
            "00:1b:44:11:3a:b7",
            "00-1B-44-11-3A-B7",
            "001b.4411.3ab7",
            "001B44113AB7",
            "00:11:22:33:44:55",
        ] {
            let (address, form) = read(text).unwrap();
            let mut out = Vec::new();
            write(address, form, &mut out);
            assert_eq!(out, text.as_bytes());
        }
        for text in
            ["00:1b:44:11:3a", "00:1b:44:11:3a-b7", "00:1B:44:11:3a:b7", "00:1b:44:11:3a:bg", "0é"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn taking_apart_is_undone() {
        for keep_vendor in [true, false] {
            let permutation = Permutation::new(&[1; 32], 12);
            let bound = Bound { input: DataType::Utf8, permutation, keep_vendor };
            for address in (0..48).map(|bit| 1 << bit).chain([0, (1 << 48) - 1]) {
                assert_eq!(bound.put_together(bound.taken_apart(address)), address);
            }
        }
    }
}
