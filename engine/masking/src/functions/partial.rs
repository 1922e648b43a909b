//! `partial`: the ends of a text stay, the middle is covered.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use self::kinds::Kind;
use super::params::{self, ENDS_MAX, is_one_grapheme};
use crate::error::{BindError, MaskError};
use crate::forms::{is_bytewise, is_text, map_text, over_values, repeat};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

mod kinds;

/// The ends stay, the middle is covered.
pub(super) struct Partial;

/// Parameters of `partial`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// What the values are: `name` shows initials, `address` what stands after the last comma but for
    /// words with digits, `email` the form `a***@e***.com`, `phone` the last two to four digits,
    /// `card` the last four digits, `id` the last four characters, `url` scheme and top-level domain,
    /// `postcode` the outward part. A value too short for that, or of another kind, is covered whole.
    kind: Option<Kind>,
    /// Characters kept at the start; at most 1000.
    #[serde(default)]
    keep_first: u32,
    /// Characters kept at the end; at most 1000.
    #[serde(default)]
    keep_last: u32,
    /// The character written for each covered one.
    #[serde(default = "star")]
    with: String,
    /// Least number of covered characters, at least 1: a shorter text is covered whole. If
    /// absent, as many as are kept, so that at most half of a text is shown.
    min_hidden: Option<u32>,
}

fn star() -> String {
    "*".to_owned()
}

impl Function for Partial {
    fn name(&self) -> &'static str {
        "partial"
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
            summary: "The first and last characters stay, or what a kind of value may show; each \
                      other one becomes `*`. Short texts are covered whole.",
            privacy: "The kept characters and the length remain; of e-mail and web addresses not \
                      the length. Not enough for names, or for values from a small set.",
            nulls: "Null stays null, empty stays empty.",
            examples: vec![
                example(
                    r#"{"keep_last": 4}"#,
                    &["4111111111111111", "1234567"],
                    &["************1111", "*******"],
                ),
                example(
                    r#"{"keep_first": 1, "keep_last": 1, "with": "•"}"#,
                    &["Zoë🇩🇪", "abc"],
                    &["Z••🇩🇪", "•••"],
                ),
                example(
                    r#"{"kind": "name"}"#,
                    &["Ada Lovelace", "Zoë 🇩🇪🇩🇪", "X"],
                    &["A** L*******", "Z** 🇩🇪*", "*"],
                ),
                example(
                    r#"{"kind": "address"}"#,
                    &["Unter den Linden 6, 10117 Berlin", "Main Street 5"],
                    &["***** *** ****** *, ***** Berlin", "*************"],
                ),
                example(
                    r#"{"kind": "email"}"#,
                    &["ada@lovelace.org", "not an address"],
                    &["a***@l***.org", "***"],
                ),
                example(
                    r#"{"kind": "phone"}"#,
                    &["+49 (0)30 901820", "901820", "110"],
                    &["+** (*)** **1820", "****20", "***"],
                ),
                example(
                    r#"{"kind": "card"}"#,
                    &["4111 1111 1111 1111", "4111"],
                    &["**** **** **** 1111", "****"],
                ),
                example(
                    r#"{"kind": "id"}"#,
                    &["RCCMNL83S18D969H", "756.9217.0769.85", "1234567"],
                    &["************969H", "***.****.**69.85", "*******"],
                ),
                example(
                    r#"{"kind": "url"}"#,
                    &["https://www.lovelace.org/notes?page=2", "lovelace"],
                    &["https://***.org/***", "***"],
                ),
                example(
                    r#"{"kind": "postcode"}"#,
                    &["SW1A 1AA", "10117", "94103-1234", "123"],
                    &["SW1A ***", "10***", "94***-****", "***"],
                ),
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        false
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { kind, keep_first, keep_last, with, min_hidden } =
            params::parse(self, params, context)?;
        for (name, keep) in [("keep_first", keep_first), ("keep_last", keep_last)] {
            if keep > ENDS_MAX {
                return Err(BindError::out_of_range(name, "a number from 0 to 1000"));
            }
        }
        if !is_one_grapheme(&with) {
            return Err(BindError::out_of_range("with", "one character"));
        }
        if kind.is_some() && (keep_first > 0 || keep_last > 0 || min_hidden.is_some()) {
            let expected = "either `kind`, or `keep_first`, `keep_last` and `min_hidden`";
            return Err(BindError::out_of_range("kind", expected));
        }
        let kept = keep_first + keep_last;
        let hidden = min_hidden.unwrap_or_else(|| kept.max(1));
        if !(1..=ENDS_MAX * 2).contains(&hidden) {
            return Err(BindError::out_of_range("min_hidden", "a number from 1 to 2000"));
        }
        Ok(Box::new(Bound {
            input: context.input.clone(),
            kind,
            first: keep_first as usize,
            last: keep_last as usize,
            length_min: (kept + hidden) as usize,
            with,
        }))
    }
}

struct Bound {
    input: DataType,
    kind: Option<Kind>,
    first: usize,
    last: usize,
    length_min: usize,
    with: String,
}

impl Bound {
    #[inline]
    fn write(&self, value: &str, out: &mut Vec<u8>) {
        let plain = is_bytewise(value);
        let length = if plain { value.len() } else { value.graphemes(true).count() };
        let (first, last) =
            if length >= self.length_min { (self.first, self.last) } else { (0, 0) };
        // `length_min` is more than both together.
        let hidden = length - first - last;
        let (start, end) = match plain {
            true => (first, length - last),
            false => (byte_of(value, first), byte_of(value, first + hidden)),
        };
        if let (true, [one]) = (plain, self.with.as_bytes()) {
            let written = out.len();
            out.extend_from_slice(value.as_bytes());
            out.get_mut(written + start..written + end).unwrap_or_default().fill(*one);
            return;
        }
        out.extend_from_slice(value.as_bytes().get(..start).unwrap_or_default());
        repeat(&self.with, hidden, out);
        out.extend_from_slice(value.as_bytes().get(end..).unwrap_or_default());
    }
}

/// Where the character of that number begins; the end if there are not so many.
fn byte_of(value: &str, character: usize) -> usize {
    value.grapheme_indices(true).nth(character).map_or(value.len(), |(byte, _)| byte)
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
                length: self.kind.is_none_or(Kind::keeps_length),
                prefix: self.first > 0 || self.kind.is_some_and(Kind::shows_prefix),
                null: true,
                ..Preserves::default()
            },
            may_return_input: true,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |values| match self.kind {
            Some(kind) => map_text(values, |value, out| kind.write(value, &self.with, out)),
            None => map_text(values, |value, out| self.write(value, out)),
        })
    }
}
