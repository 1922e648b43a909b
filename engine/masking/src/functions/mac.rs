//! `mac`: a keyed permutation of MAC addresses.
//!
//! ```text
//!  vendor (24 bits) ─┬─ group and local bit, 2 bits ─ tweak ─┬─▶ address
//!  device (24 bits) ─┴─ the other 46 ─ FF1, radix 2 ─────────┘
//!
//!  keep_vendor:  vendor ── tweak ──┬─▶ vendor ‖ device'
//!                device ── FF1, radix 2, of 24 bits
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::otherwise::{Misfits, Otherwise};
use super::params;
use crate::error::{BindError, MaskError};
use crate::feistel::{Direction, Lane, Permutation};
use crate::forms::{is_text, map_read, over_values_counted};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// The bits of the first byte that say what kind of address it is: IEEE 802, group and local.
const KIND_BITS: u32 = 2;
/// Bits after the first byte.
const REST_BITS: u32 = 40;
/// Bits of the part a vendor gives out.
const DEVICE_BITS: u32 = 24;
/// Bytes of the tweak: a vendor's.
const TWEAK_BYTES: usize = 3;
/// Bits below the tweak.
const BELOW_TWEAK: u32 = u128::BITS - 8 * TWEAK_BYTES as u32;

/// A keyed permutation of MAC addresses.
pub(super) struct Mac;

/// Parameters of `mac`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Keeps the first three bytes, which say who made the device.
    #[serde(default)]
    keep_vendor: bool,
    /// What becomes of a text that is no address.
    #[serde(default)]
    otherwise: Otherwise,
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
                      restore every value. One address may stay itself by chance.",
            nulls: "Null stays null, empty stays empty. What is no address of six bytes \
                    (`aa:bb:cc:dd:ee:ff`, `aa-bb-…`, `aabb.ccdd.eeff`, `aabbccddeeff`, letters of one \
                    case) is an error, or what `otherwise` says. Capitals and small letters are one \
                    value; it is restored in small ones if the masked address has no letters.",
            examples: vec![
                example(
                    "{}",
                    &["00:1b:44:11:3a:b7", "00-1B-44-11-3A-B7"],
                    &["50:4a:73:d6:27:89", "50-4A-73-D6-27-89"],
                ),
                example(
                    r#"{"keep_vendor": true}"#,
                    &["00:1b:44:11:3a:b7", "001b.4411.3ab8"],
                    &["00:1b:44:44:52:cd", "001b.4473.6a89"],
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
        let Params { keep_vendor, otherwise } = params::parse(self, params, context)?;
        let permutation = Arc::new(Permutation::of(&params::key(self, context)?, 2, TWEAK_BYTES));
        let (input, misfits) = (context.input.clone(), otherwise.bound(context)?);
        let direction = Direction::Mask;
        Ok(Box::new(Bound { input, permutation, keep_vendor, misfits, direction }))
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

#[derive(Clone)]
struct Bound {
    input: DataType,
    permutation: Arc<Permutation>,
    keep_vendor: bool,
    misfits: Misfits,
    direction: Direction,
}

impl Bound {
    /// Half of the bits that are permuted.
    fn half_bits(&self) -> u32 {
        (if self.keep_vendor { DEVICE_BITS } else { 48 - KIND_BITS }) / 2
    }

    fn taken_apart(&self, address: u64) -> Lane {
        let (tweak, value) = if self.keep_vendor {
            (address >> DEVICE_BITS, address & (u64::MAX >> 40))
        } else {
            let (high, rest) = (address >> (REST_BITS + KIND_BITS), address & (u64::MAX >> 24));
            (address >> REST_BITS & 0b11, high << REST_BITS | rest)
        };
        let half_bits = self.half_bits();
        Lane {
            length: 2 * half_bits as usize,
            first: value >> half_bits,
            second: value & (u64::MAX >> (64 - half_bits)),
            tweak: u128::from(tweak) << BELOW_TWEAK,
        }
    }

    fn put_together(&self, lane: Lane) -> u64 {
        // At most 24 bits.
        let tweak = (lane.tweak >> BELOW_TWEAK) as u64;
        let value = lane.first << self.half_bits() | lane.second;
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
        let all_fit = self.misfits.all_fit();
        Properties {
            deterministic: true,
            reversible: all_fit,
            uniqueness: if all_fit { Uniqueness::Bijective } else { Uniqueness::Lossy },
            preserves: Preserves {
                length: all_fit,
                format: all_fit,
                prefix: self.keep_vendor,
                null: true,
                ..Preserves::default()
            },
            may_return_input: true,
        }
    }

    fn inverse(&self) -> Option<Box<dyn Mask>> {
        let direction = self.direction.reversed();
        self.misfits
            .all_fit()
            .then(|| -> Box<dyn Mask> { Box::new(Self { direction, ..self.clone() }) })
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Ok(self.apply_counted(column, others)?.0)
    }

    fn apply_counted(
        &self,
        column: &ArrayRef,
        _others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        self.misfits.settle(over_values_counted(&self.input, column, |values| {
            map_read(
                values,
                |text| read(text).map(|(address, form)| (self.taken_apart(address), form)),
                |numbers| self.permutation.permute(numbers, self.direction),
                |number, form, out| write(self.put_together(number), form, out),
                |text, out| self.misfits.write(text, out),
            )
        })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{EXAMPLE_MASTER, LinkageKey};

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
            let key = LinkageKey::derive(&EXAMPLE_MASTER, 1, "example", "mac", 1);
            let permutation = Arc::new(Permutation::of(&key, 2, TWEAK_BYTES));
            let (misfits, direction) = (Misfits::Error, Direction::Mask);
            let input = DataType::Utf8;
            let bound = Bound { input, permutation, keep_vendor, misfits, direction };
            for address in (0..48).map(|bit| 1 << bit).chain([0, (1 << 48) - 1]) {
                assert_eq!(bound.put_together(bound.taken_apart(address)), address);
            }
        }
    }
}
