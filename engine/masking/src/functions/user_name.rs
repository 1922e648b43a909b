//! `user_name`: a user name made of a first and a last name, chosen by key.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::composed::find_locale;
use super::names::{Names, SUFFIX_BITS};
use super::params;
use crate::dictionaries::{Gender, Locale};
use crate::error::{BindError, MaskError};
use crate::forms::{is_text, map_text_keyed, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::lanes::Lanes;
use crate::normal::{Normal, normalize};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Draws after which a value that keeps coming out as itself is left empty, which never happens.
const DRAWS_MAX: usize = 64;

/// Every value becomes a user name, chosen by key.
pub(super) struct UserName;

/// Parameters of `user_name`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Language, or language and region, of the names; the project's locale if absent. Chinese characters are
    /// written as they are read in Mandarin, in every locale.
    locale: Option<String>,
    /// Ends user names in 16 keyed characters that keep them apart, instead of a number.
    #[serde(default)]
    unique: bool,
    /// Done to the text before it is keyed, so that spellings map alike.
    #[serde(default)]
    normalize: Vec<Normal>,
}

impl Function for UserName {
    fn name(&self) -> &'static str {
        "user_name"
    }

    fn doc(&self) -> Doc {
        let example = |params, output| Example {
            params,
            input_type: DataType::Utf8,
            input: &["ada", "hopper1906"],
            others: &[],
            output,
        };
        Doc {
            summary: "Every value becomes a user name: a first and a last name of the locale in ASCII, and a number, \
                      chosen by key.",
            privacy: "Only which rows held equal values remains. Never gives the value itself.",
            nulls: "Null stays null, empty stays empty.",
            examples: vec![
                example("{}", &["ayana.gerhold5592", "cassandre.hudson9290"]),
                example(r#"{"locale": "cs"}"#, &["estela.najmanova5224", "irma.rehackova6180"]),
                example(
                    r#"{"unique": true}"#,
                    &["ayana.gerhold.bhc4rcpsn4ti73dy", "cassandre.hudson.khz5nnggldmo236t"],
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
        let Params { locale, unique, normalize } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let has_names = |_: &'static Locale| true;
        let locale = find_locale(locale.as_deref(), context, has_names)?;
        // Where last names say the gender, first and last name are of one.
        let genders: &[Gender] = if locale.has_last_names_by_gender() {
            &[Gender::Female, Gender::Male]
        } else {
            &[Gender::Any]
        };
        let names = genders.iter().map(|gender| Names::new(locale, *gender)).collect();
        Ok(Box::new(Bound { input: context.input.clone(), key, names, unique, normalize }))
    }
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    /// Those of anybody, or by gender.
    names: Vec<Names>,
    unique: bool,
    normalize: Vec<Normal>,
}

impl Bound {
    fn write(&self, value: &str, mut draw: Draw<'_>, out: &mut Vec<u8>) {
        if self.unique {
            // The names take the first two words of the block, the gender its last one, and the end 80 bits
            // that lie between.
            let block = *draw.bytes();
            let words = [draw.next_u64(), draw.next_u64()];
            let gender = usize::from(block.last().copied().unwrap_or_default() >> 7);
            if let Some(names) = self.names.get(gender).or(self.names.first()) {
                names.write_unique(words, block.get(16..).unwrap_or_default(), out);
            }
            return;
        }
        let start = out.len();
        for _ in 0..DRAWS_MAX {
            let gender = if self.names.len() > 1 { draw.below(2) as usize } else { 0 };
            let words = [draw.next_u64(), draw.next_u64(), draw.next_u64()];
            if let Some(names) = self.names.get(gender) {
                names.write_user_name(words, out);
            }
            if out.get(start..) != Some(value.as_bytes()) {
                return;
            }
            out.truncate(start);
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
            uniqueness: if self.unique {
                Uniqueness::Injective { bits: SUFFIX_BITS }
            } else {
                Uniqueness::Lossy
            },
            preserves: Preserves { null: true, ..Preserves::default() },
            may_return_input: false,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |values| {
            let hash = |value: &str, lanes: &mut Lanes<'_>| {
                lanes.push(normalize(&self.normalize, value).as_bytes());
            };
            map_text_keyed(values, &self.key, hash, |value, (), draw, out| {
                self.write(value, draw, out);
            })
        })
    }
}
