//! `person`: one part of a made-up person, the same person for all rows of an entity.
//!
//! ```text
//!  entity ── keyed block ─┬─ gender, unless a column says it
//!                         ├─ first name ─┬─▶ full name
//!                         ├─ last name ──┼─▶ user name (with a number)
//!                         └─ the block ──┴─▶ e-mail address (with 80 bits of block and value)
//! ```

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::composed::find_locale;
use super::email::is_domain;
use super::names::{Names, SUFFIX_BITS};
use super::{gender, params};
use crate::canonical::{for_each, map_drawn};
use crate::dictionaries::{Gender, Locale, Piece};
use crate::error::{BindError, MaskError};
use crate::forms::{check_others, decode, is_text, logical, map_rows};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::LinkageKey;
use crate::normal::{Normal, normalize};
use crate::properties::{Preserves, Properties, Uniqueness};

/// One part of a person.
pub(super) struct Person;

/// Which part of the person the column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum PersonPart {
    FirstName,
    LastName,
    FullName,
    UserName,
    Email,
    Gender,
}

/// Parameters of `person`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// What the column shows: `first_name`, `last_name`, `full_name`, `user_name`, `email` or `gender` (`female`
    /// or `male`). User names and addresses are the names in ASCII; Chinese characters as they are read in Mandarin.
    part: PersonPart,
    /// Column of the same row that says whose data it is. Columns with the same `per`, `locale` and `gender`
    /// under one linkage show parts of the same person.
    per: String,
    /// Language, or language and region, of the names; the project's locale if absent.
    locale: Option<String>,
    /// Column of the same row that says the gender, as for `first_name`. It is read and not shown, but the
    /// name tells it. Drawn by key if absent, or if it says none.
    gender: Option<String>,
    /// Ends user names in 16 keyed characters that keep them apart, as e-mail addresses are, instead of a
    /// number.
    #[serde(default)]
    unique: bool,
    /// The domain of e-mail addresses: `example.com` if absent, which is reserved (RFC 2606) and receives no mail.
    domain: Option<String>,
    /// Done to the column's own text before it is keyed into what keeps user names and e-mail addresses apart.
    #[serde(default)]
    normalize: Vec<Normal>,
}

impl Function for Person {
    fn name(&self) -> &'static str {
        "person"
    }

    fn doc(&self) -> Doc {
        const PER: &[(&str, &[&str])] =
            &[("customer_id", &["17", "18", "17"]), ("sex", &["f", "m", "f"])];
        let example = |params, input, output| Example {
            params,
            input_type: DataType::Utf8,
            input,
            others: PER,
            output,
        };
        let names: &[&str] = &["Ada", "Alan", "Ada"];
        Doc {
            summary: "Every value becomes a part of a made-up person that the row's entity always has: first, last, \
                      full and user name, e-mail address and gender agree with each other.",
            privacy: "Which rows are of one entity remains, whatever the column held, and the gender if its column is \
                      named. Chance may give a person their own first name, last name or gender.",
            nulls: "Null stays null, empty stays empty. A row without an entity becomes null.",
            examples: vec![
                example(
                    r#"{"part": "first_name", "per": "customer_id"}"#,
                    names,
                    &["Keith", "Jaquan", "Keith"],
                ),
                example(
                    r#"{"part": "full_name", "per": "customer_id", "gender": "sex"}"#,
                    &["Ada Lovelace", "Alan Turing", "A. Lovelace"],
                    &["Leola Dicki", "Jaquan Collins", "Leola Dicki"],
                ),
                example(
                    r#"{"part": "user_name", "per": "customer_id", "gender": "sex"}"#,
                    &["ada", "alan", "ada"],
                    &["leola.dicki7042", "jaquan.collins9453", "leola.dicki7042"],
                ),
                example(
                    r#"{"part": "email", "per": "customer_id", "gender": "sex"}"#,
                    &["ada@lovelace.org", "alan@turing.org", "countess@lovelace.org"],
                    &[
                        "leola.dicki.bjn6pcjuujedtvi7@example.com",
                        "jaquan.collins.viqet75vlmkzqvk7@example.com",
                        "leola.dicki.g6xidli4pbzm7uhs@example.com",
                    ],
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
        let params: Params = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let Params { part, per, locale, gender, unique, domain, normalize } = params;
        let refuse = |parameter, expected: &str| Err(BindError::out_of_range(parameter, expected));
        params::check_column("per", &per, context)?;
        if let Some(column) = &gender {
            params::check_column("gender", column, context)?;
        }
        if part == PersonPart::Gender && gender.is_some() {
            return refuse("gender", "no column: the part `gender` would show what it says");
        }
        if unique && part != PersonPart::UserName {
            return refuse("unique", "`unique` with `part: user_name` only");
        }
        match &domain {
            Some(_) if part != PersonPart::Email => {
                return refuse("domain", "a domain with `part: email` only");
            }
            Some(domain) if !is_domain(domain) => {
                return refuse(
                    "domain",
                    "a domain name of letters, digits, `-` and dots, as in `example.com`",
                );
            }
            _ => {}
        }
        let locale = find_locale(locale.as_deref(), context, Locale::has_genders)?;
        Ok(Box::new(Bound {
            input: context.input.clone(),
            key,
            part,
            is_unique: unique || part == PersonPart::Email,
            inputs: std::iter::once(per).chain(gender).collect(),
            full: locale.full,
            female: Names::new(locale, Gender::Female),
            male: Names::new(locale, Gender::Male),
            domain: domain.unwrap_or_else(|| "example.com".to_owned()),
            normalize,
        }))
    }
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    part: PersonPart,
    is_unique: bool,
    /// The entity column, and that of the gender if there is one.
    inputs: Vec<String>,
    full: &'static [Piece],
    female: Names,
    male: Names,
    domain: String,
    normalize: Vec<Normal>,
}

/// The keyed block of an entity: four words, which choose its gender, first name, last name and number.
type Block = [u8; 32];

fn words(block: &Block) -> [u64; 4] {
    let mut words = [0; 4];
    let (chunks, _) = block.as_chunks::<8>();
    for (word, bytes) in words.iter_mut().zip(chunks) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

impl Bound {
    /// For each row that shows something, what keeps it apart from all others.
    fn ends(&self, column: &ArrayRef, entities: &[Option<Block>]) -> Result<Vec<Block>, MaskError> {
        let mut lanes = self.key.lanes();
        let mut keyed = Vec::with_capacity(64);
        for_each(column.as_ref(), |row, value| {
            if let (Some(value), Some(Some(block))) = (value, entities.get(row))
                && !value.is_empty()
            {
                // Text is UTF-8; another value does not come here.
                let text = str::from_utf8(value).unwrap_or_default();
                keyed.clear();
                keyed.extend_from_slice(block);
                keyed.extend_from_slice(normalize(&self.normalize, text).as_bytes());
                lanes.push(&keyed);
            }
            Ok(())
        })?;
        Ok(lanes.finish().to_vec())
    }

    fn write(&self, block: &Block, said: Gender, end: &Block, out: &mut Vec<u8>) {
        let [gender, first, last, number] = words(block);
        let is_female = match said {
            Gender::Female => true,
            Gender::Male => false,
            Gender::Any => gender >> 63 == 0,
        };
        let names = if is_female { &self.female } else { &self.male };
        match self.part {
            PersonPart::FirstName => out.extend_from_slice(names.first(first).as_bytes()),
            PersonPart::LastName => out.extend_from_slice(names.last(last).as_bytes()),
            PersonPart::FullName => {
                for piece in self.full {
                    out.extend_from_slice(match piece {
                        Piece::First => names.first(first).as_bytes(),
                        Piece::Last => names.last(last).as_bytes(),
                        Piece::Text(text) => text.as_bytes(),
                        _ => b"",
                    });
                }
            }
            PersonPart::UserName if !self.is_unique => {
                names.write_user_name([first, last, number], out);
            }
            PersonPart::UserName => names.write_unique([first, last], end, out),
            PersonPart::Email => {
                names.write_unique([first, last], end, out);
                out.push(b'@');
                out.extend_from_slice(self.domain.as_bytes());
            }
            PersonPart::Gender => {
                out.extend_from_slice(if is_female { b"female" } else { b"male" });
            }
        }
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        logical(&self.input).clone()
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: if self.is_unique {
                Uniqueness::Injective { bits: SUFFIX_BITS }
            } else {
                Uniqueness::Lossy
            },
            preserves: Preserves {
                null: true,
                format: self.part == PersonPart::Email,
                ..Preserves::default()
            },
            may_return_input: !self.is_unique,
        }
    }

    fn inputs(&self) -> &[String] {
        &self.inputs
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        let plain = decode(&self.input, column)?;
        check_others(self.inputs.len(), others, column)?;
        let entities = match others.first() {
            Some(per) => map_drawn(per, &self.key, |draw| *draw.bytes())?,
            None => Vec::new(),
        };
        let genders = others.get(1).map(gender::of_rows).transpose()?.unwrap_or_default();
        let ends = if self.is_unique { self.ends(&plain, &entities)? } else { Vec::new() };
        let mut ends = ends.iter();
        map_rows(&plain, |row, out| {
            let Some(Some(block)) = entities.get(row) else { return false };
            let end = ends.next().unwrap_or(block);
            self.write(block, genders.get(row).copied().unwrap_or(Gender::Any), end, out);
            true
        })
    }
}
