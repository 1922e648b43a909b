//! `ssn`: another US Social Security number.

use arrow::datatypes::DataType;
use serde_json::Value;

use super::identifier::{self, NoParams, Prefix, Rule, is_like, part, part_mut};
use super::params;
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};

/// Another Social Security number.
pub(super) struct Ssn;

impl Function for Ssn {
    fn name(&self) -> &'static str {
        "ssn"
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
            summary: "A US Social Security number becomes another that could be issued: never area 000, 666 or 900 to 999, group 00 or serial 0000. Dashes stay.",
            privacy: "Which rows held equal numbers, and how they are written, remain. The number may be assigned to somebody.",
            nulls: identifier::NULLS,
            examples: vec![example(
                "{}",
                &["536-90-4399", "536904399", "666-12-3456"],
                &["534-03-6094", "534036094", "290-76-6055"],
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
        identifier::bound_plain(self, params, context, &RULE, Prefix::Hidden)
    }
}

/// Social Security Administration, "Social Security Number Randomization" (2011), and POMS
/// RM 10201.035: areas, groups and serials that are never issued.
pub(super) static RULE: Rule = Rule {
    fits: |id| {
        let (area, group, serial) = (part(id, 0, 3), part(id, 3, 5), part(id, 5, 9));
        is_like(id, b"999999999")
            && !matches!(area, b"000" | b"666")
            && !area.starts_with(b"9")
            && group != b"00"
            && serial != b"0000"
            && !PRINTED.contains(&id)
    },
    replace: |id, keyed| {
        keyed.number(1, 899, part_mut(id, 0, 3));
        keyed.number(1, 99, part_mut(id, 3, 5));
        keyed.number(1, 9_999, part_mut(id, 5, 9));
    },
    // There is no check digit.
    seal: |_| true,
};

/// Numbers that were printed in advertisements, and are invalid since.
const PRINTED: [&[u8]; 3] = [b"078051120", b"219099999", b"457555462"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::identifier::tests::{check, passes};

    #[test]
    fn areas_groups_and_serials() {
        check(&RULE, &["536-90-4399", "001-01-0001", "899999999"]);
        for never in [
            "000-12-3456",
            "666-12-3456",
            "900-12-3456",
            "987-65-4320",
            "123-00-4567",
            "123-45-0000",
            "078-05-1120",
            "12345678",
        ] {
            assert!(!passes(&&RULE, never), "{never}");
        }
    }
}
