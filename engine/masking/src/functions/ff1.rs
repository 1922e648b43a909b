//! `ff1`: a reversible permutation of texts of one alphabet and length.
//!
//! ```text
//!  4111-1111 1111-1234     passed through: -     kept: keep_first, keep_last
//!       ││││ ││││          FF1 over the others; the tweak is what is kept, the column's name
//!       ││││ ││││          (`tweak: column_name`), and the entity of `per`
//!  4111-8036 5527-1234
//! ```

mod kernel;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use self::kernel::Domain;
use super::domain::{self, SmallDomain};
use super::otherwise::Otherwise;
use super::params::{self, ENDS_MAX, TEXT_BYTES_MAX};
use crate::alphabet::{Alphabet, Named};
use crate::canonical::map_drawn;
use crate::error::{BindError, MaskError};
use crate::feistel::{Direction, Modulus, Permutation, TWEAK_BYTES};
use crate::forms::{decode, is_text, logical, only, over_values_counted};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Texts of one alphabet, permuted.
pub(super) struct Ff1;

/// Parameters of `ff1`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The characters of the values, by name (default `digits`).
    alphabet: Option<Named>,
    /// The characters of the values, one after the other, instead of `alphabet`: 2 to 65536, each once.
    characters: Option<String>,
    /// Characters that stay where they are and do not count, as the `-` of a number in groups.
    #[serde(default)]
    passthrough: String,
    /// Characters kept at the start, of any kind; at most 1000.
    #[serde(default)]
    keep_first: u32,
    /// Characters kept at the end, of any kind; at most 1000.
    #[serde(default)]
    keep_last: u32,
    /// What else is part of the tweak. Without it, columns of one linkage map alike, so that they can be
    /// joined; a rule without a linkage has a key of its own anyway.
    tweak: Option<Tweak>,
    /// Column of the same row that is part of the tweak, so that equal values of different entities
    /// become different ones. Restoring needs it, unmasked.
    per: Option<String>,
    /// What becomes of a value that does not fit: with other characters, shorter than the ends that are
    /// kept, longer than 256 characters, or of a length that has fewer than a million values.
    #[serde(default)]
    otherwise: Otherwise,
    /// Allows lengths that have 100 to 999999 values: who answers for it, and why.
    allow_small_domain: Option<SmallDomain>,
}

/// What can be part of the tweak besides what is kept and the entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Tweak {
    /// The name of the masked column: equal values of two columns become different ones.
    ColumnName,
}

impl Function for Ff1 {
    fn name(&self) -> &'static str {
        "ff1"
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
            summary: "Every text becomes another of the same length and alphabet (FF1 of NIST SP \
                      800-38G); no two become the same, and the key restores them.",
            privacy: "The length, what is passed through or kept, and which rows held equal \
                      values remain. Whoever holds the key can restore every value.",
            nulls: "Null stays null, empty stays empty. A value that does not fit is an error, or \
                    what `otherwise` says.",
            examples: vec![
                example(
                    "{}",
                    &["4111111111111111", "4111111111111112", "07312345"],
                    &["7388764248496723", "9589686089084580", "12166236"],
                ),
                example(
                    r#"{"passthrough": "- ", "keep_first": 4, "keep_last": 4, "otherwise": "redact"}"#,
                    &["4111-1111-1111-1111", "4111 1111 1111 1111", "4111-1111"],
                    &["4111-4801-6171-1111", "4111 4801 6171 1111", "[redacted]"],
                ),
                example(
                    r#"{"alphabet": "upper_alphanumeric", "keep_first": 3}"#,
                    &["DE-7K2P9QX", "AT-7K2P9QX"],
                    &["DE-JTZH7L6", "AT-6XTQXO8"],
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

    fn reads_name(&self, params: &Value) -> bool {
        params.get("tweak").is_some_and(|tweak| !tweak.is_null())
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let given: Params = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let alphabet = alphabet(&given)?;
        for (name, kept) in [("keep_first", given.keep_first), ("keep_last", given.keep_last)] {
            if kept > ENDS_MAX {
                return Err(BindError::out_of_range(name, "at most 1000 characters"));
            }
        }
        if let Some(name) = &given.per {
            params::check_column("per", name, context)?;
        }
        let least = domain::least(given.allow_small_domain.as_ref())?;
        let radix = alphabet.radix();
        let name = given.tweak.map(|Tweak::ColumnName| context.name.unwrap_or_default().to_owned());
        let kept = given.keep_first > 0 || given.keep_last > 0;
        let tweaked = kept || name.is_some() || given.per.is_some();
        let permutation = Permutation::of(&key, radix, if tweaked { TWEAK_BYTES } else { 0 });
        let domain = Domain {
            simple: !tweaked && given.passthrough.is_empty(),
            alphabet,
            permutation,
            by_radix: Modulus::new(radix.into()),
            length_min: kernel::length_min(radix, least),
            keep_first: given.keep_first as usize,
            keep_last: given.keep_last as usize,
            misfits: given.otherwise.bound(context)?,
            name,
            key,
        };
        Ok(Box::new(Bound {
            input: context.input.clone(),
            domain: Arc::new(domain),
            per: given.per.into_iter().collect(),
            direction: Direction::Mask,
        }))
    }
}

fn alphabet(given: &Params) -> Result<Alphabet, BindError> {
    let (name, characters) = match (given.alphabet, &given.characters) {
        (Some(_), Some(_)) => {
            let expected = "either `alphabet` or `characters`, not both";
            return Err(BindError::out_of_range("characters", expected));
        }
        (None, Some(characters)) => ("characters", characters.clone()),
        (named, None) => ("alphabet", named.unwrap_or_default().characters()),
    };
    if Alphabet::new(&characters, "").is_none() {
        return Err(BindError::out_of_range(name, "2 to 65536 characters, each of them once"));
    }
    let passed = &given.passthrough;
    let alphabet = Alphabet::new(&characters, passed).filter(|_| passed.len() <= TEXT_BYTES_MAX);
    alphabet.ok_or_else(|| {
        let expected =
            "characters that are not of the alphabet, each of them once, at most 1000 bytes";
        BindError::out_of_range("passthrough", expected)
    })
}

struct Bound {
    input: DataType,
    domain: Arc<Domain>,
    /// The entity column, if any.
    per: Vec<String>,
    direction: Direction,
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        if self.per.is_empty() { self.input.clone() } else { logical(&self.input).clone() }
    }

    fn properties(&self) -> Properties {
        let all_fit = self.domain.misfits.all_fit();
        // Values of different entities may become the same one.
        let bijective = all_fit && self.per.is_empty();
        Properties {
            deterministic: true,
            reversible: all_fit,
            uniqueness: if bijective { Uniqueness::Bijective } else { Uniqueness::Lossy },
            preserves: Preserves {
                length: all_fit,
                format: all_fit,
                prefix: self.domain.keep_first > 0,
                order: false,
                null: true,
            },
            // A permutation may leave a value where it is.
            may_return_input: true,
        }
    }

    fn inputs(&self) -> &[String] {
        &self.per
    }

    fn inverse(&self) -> Option<Box<dyn Mask>> {
        let direction = self.direction.reversed();
        self.domain.misfits.all_fit().then(|| -> Box<dyn Mask> {
            Box::new(Self {
                input: self.output(),
                domain: Arc::clone(&self.domain),
                per: self.per.clone(),
                direction,
            })
        })
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Ok(self.apply_counted(column, others)?.0)
    }

    fn apply_counted(
        &self,
        column: &ArrayRef,
        others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        if self.per.is_empty() {
            let masked = over_values_counted(&self.input, column, |values| {
                self.domain.permute(values, None, self.direction)
            })?;
            return self.domain.misfits.settle(masked);
        }
        let plain = decode(&self.input, column)?;
        let entities =
            map_drawn(only(others, column)?, &self.domain.key, |entity| *entity.bytes())?;
        let (masked, unfit) = self.domain.permute(&plain, Some(&entities), self.direction)?;
        self.domain.misfits.settle((masked, unfit.len() as u64))
    }
}
