//! Values put together from words: the shared part of the functions for names,
//! streets, towns, companies, jobs and texts.
//!
//! ```text
//!  value ── keyed stream ──▶ index ─▶ word   for each piece of the locale's pattern
//!                          └ equal to the value? the next draws of the stream
//! ```

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::gender;
use super::params::{self, nearest};
use super::parts::{Entries, Part, distinct};
use crate::canonical::for_each;
use crate::dictionaries::{Gender, LOCALES, Locale, locale};
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{check_type, is_text, logical, map_text_keyed, only, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::lanes::Lanes;
use crate::normal::{Normal, normalize};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Draws after which a value that keeps coming out as itself is left empty. With two
/// words to choose from that happens once in 2^64 values.
const DRAWS_MAX: usize = 64;

/// Parameters of the functions that choose from words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Language, or language and region, of the words; the project's locale if absent.
    locale: Option<String>,
    /// A lookup of the project to choose whole values from, instead of the locale's words: the
    /// first fields of `lookups/NAME.csv`, which has no header.
    lookup: Option<String>,
    /// Done to the text before it is keyed, so that spellings map alike.
    #[serde(default)]
    normalize: Vec<Normal>,
}

/// Parameters of those whose words differ by gender.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GenderedParams {
    /// Language, or language and region, of the words; the project's locale if absent.
    locale: Option<String>,
    /// A lookup of the project to choose whole values from, instead of the locale's words: the
    /// first fields of `lookups/NAME.csv`, which has no header.
    lookup: Option<String>,
    /// Column of the same row that says the person's gender, as a word or letter of some languages (`f`, `m`,
    /// `female`, `Mann`, `mujer`, …) or a code of ISO/IEC 5218. It is read and not shown, but the name tells
    /// it. Other values give any name.
    gender: Option<String>,
    /// Done to the text before it is keyed, so that spellings map alike.
    #[serde(default)]
    normalize: Vec<Normal>,
}

impl From<Params> for GenderedParams {
    fn from(Params { locale, lookup, normalize }: Params) -> Self {
        Self { locale, lookup, gender: None, normalize }
    }
}

/// A function that puts values together from words. It says what is its own; the rest is the same for all.
pub(super) trait WordFunction: Send + Sync {
    /// Its name.
    const NAME: &'static str;
    /// What it does.
    const SUMMARY: &'static str;
    /// Example values.
    const INPUT: &'static [&'static str];
    /// What they become without parameters.
    const OUTPUT: &'static [&'static str];
    /// What they become with `locale: de`.
    const GERMAN: &'static [&'static str];
    /// Parameters with `gender: sex`, and what the values become where that is `f`, `m` and `f`; none if the words do
    /// not differ by gender.
    const GENDERED: Option<(&'static str, &'static [&'static str])> = None;

    /// The parts of a value in a locale, for a person of this gender; none where the locale has no words.
    fn parts(locale: &'static Locale, gender: Gender) -> Vec<Part>;
}

impl<W: WordFunction> Function for W {
    fn name(&self) -> &'static str {
        W::NAME
    }

    fn doc(&self) -> Doc {
        let example = |params, others, output: &'static [&'static str]| Example {
            params,
            input_type: DataType::Utf8,
            input: W::INPUT.get(..output.len()).unwrap_or_default(),
            others,
            output,
        };
        let mut examples =
            vec![example("{}", &[], W::OUTPUT), example(r#"{"locale": "de"}"#, &[], W::GERMAN)];
        if let Some((params, output)) = W::GENDERED {
            let sexes: &[(&str, &[&str])] = &[("sex", &["f", "m", "f"])];
            examples.push(example(params, sexes, output));
        }
        Doc {
            summary: W::SUMMARY,
            privacy: if W::GENDERED.is_none() {
                "Only which rows held equal values remains. Never gives the value itself."
            } else {
                "Only which rows held equal values remains, and the gender if its column is named. Never gives \
                 the value itself."
            },
            nulls: "Null stays null, empty stays empty.",
            examples,
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        if W::GENDERED.is_none() {
            params::schema::<Params>()
        } else {
            params::schema::<GenderedParams>()
        }
    }

    fn keyed(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let params: GenderedParams = if W::GENDERED.is_none() {
            params::parse::<Params>(self, params, context)?.into()
        } else {
            params::parse(self, params, context)?
        };
        let key = params::key(self, context)?;
        let GenderedParams { locale, lookup, gender, normalize } = params;
        let input = context.input.clone();
        if let Some(name) = lookup {
            if locale.is_some() {
                let expected = "either a lookup or a locale, not both";
                return Err(BindError::out_of_range("lookup", expected));
            }
            if gender.is_some() {
                let expected = "a locale's words: a lookup does not say which are whose";
                return Err(BindError::out_of_range("gender", expected));
            }
            let parts = vec![Part::Pick(lookup_entries(&name, context)?)];
            return Ok(Box::new(Composed::new(input, key, parts, normalize)));
        }
        let has = |locale: &'static Locale| {
            !W::parts(locale, Gender::Any).is_empty() && (gender.is_none() || locale.has_genders())
        };
        let locale = find_locale(locale.as_deref(), context, has).map_err(|error| {
            error.hinted("set `locale` to one of these, or `lookup` to a lookup of the project")
        })?;
        let mut mask = Composed::new(input, key, W::parts(locale, Gender::Any), normalize);
        if let Some(column) = gender {
            params::check_column("gender", &column, context)?;
            mask.gendered = Some(Gendered {
                column: [column],
                female: W::parts(locale, Gender::Female),
                male: W::parts(locale, Gender::Male),
            });
        }
        Ok(Box::new(mask))
    }
}

/// The locale asked for, else the project's, if it has what is wanted.
pub(super) fn find_locale(
    asked: Option<&str>,
    context: &BindContext<'_>,
    has: impl Fn(&'static Locale) -> bool,
) -> Result<&'static Locale, BindError> {
    let name = asked.or(context.locale).unwrap_or("en");
    if let Some(found) = locale(name).filter(|locale| has(locale)) {
        return Ok(found);
    }
    let valid: Vec<String> =
        LOCALES.iter().filter(|locale| has(locale)).map(|locale| locale.name.to_owned()).collect();
    let nearest = nearest(name, valid.iter().map(String::as_str));
    let kind = BindErrorKind::UnknownLocale { name: name.to_owned(), nearest, valid };
    let error =
        if asked.is_some() { BindError::at("locale", kind) } else { BindError::whole(kind) };
    Err(error.hinted("set `locale` to one of these"))
}

/// The different entries of a lookup of the project.
pub(super) fn lookup_entries(name: &str, context: &BindContext<'_>) -> Result<Entries, BindError> {
    let entries = distinct(lookup(name, context)?.iter().map(String::as_str));
    if entries.len() < 2 {
        let expected = "a lookup of at least two different entries";
        return Err(BindError::out_of_range("lookup", expected));
    }
    Ok(entries)
}

/// A lookup of the project, as it is.
pub(super) fn lookup<'a>(name: &str, context: &BindContext<'a>) -> Result<&'a [String], BindError> {
    context.lookups.get(name).map(|entries| &entries[..]).ok_or_else(|| {
        let valid: Vec<String> = context.lookups.keys().cloned().collect();
        let nearest = nearest(name, valid.iter().map(String::as_str));
        let kind = BindErrorKind::UnknownLookup { name: name.to_owned(), nearest, valid };
        BindError::at("lookup", kind)
    })
}

/// The mask of every function here.
pub(super) struct Composed {
    input: DataType,
    key: LinkageKey,
    parts: Vec<Part>,
    gendered: Option<Gendered>,
    normalize: Vec<Normal>,
}

/// What differs by gender, and the column that says it.
struct Gendered {
    column: [String; 1],
    female: Vec<Part>,
    male: Vec<Part>,
}

impl Composed {
    pub(super) fn new(
        input: DataType,
        key: LinkageKey,
        parts: Vec<Part>,
        normalize: Vec<Normal>,
    ) -> Self {
        Self { input, key, parts, gendered: None, normalize }
    }

    #[inline]
    fn write(&self, parts: &[Part], value: &str, mut draw: Draw<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        for _ in 0..DRAWS_MAX {
            for part in parts {
                part.write(&mut draw, out);
            }
            if out.get(start..) != Some(value.as_bytes()) {
                return;
            }
            out.truncate(start);
        }
    }

    /// Masks plain text. `genders` gives those of the values that are neither null nor empty.
    fn masked(
        &self,
        values: &ArrayRef,
        mut genders: impl Iterator<Item = Gender>,
    ) -> Result<ArrayRef, MaskError> {
        let hash = |value: &str, lanes: &mut Lanes<'_>| {
            lanes.push(normalize(&self.normalize, value).as_bytes());
            genders.next().unwrap_or(Gender::Any)
        };
        map_text_keyed(values, &self.key, hash, |value, gender, draw, out| {
            let parts = match (&self.gendered, gender) {
                (Some(gendered), Gender::Female) => &gendered.female,
                (Some(gendered), Gender::Male) => &gendered.male,
                _ => &self.parts,
            };
            self.write(parts, value, draw, out);
        })
    }

    fn masked_by_gender(
        &self,
        column: &ArrayRef,
        genders: &[Gender],
    ) -> Result<ArrayRef, MaskError> {
        let Some(dictionary) = column.as_any_dictionary_opt() else {
            let mut wanted = Vec::with_capacity(column.len());
            for_each(column.as_ref(), |row, value| {
                if value.is_some_and(|value| !value.is_empty()) {
                    wanted.extend(genders.get(row));
                }
                Ok(())
            })?;
            return self.masked(column, wanted.into_iter());
        };
        // Each entry once for each gender: what a row shows is one of the three.
        let values = dictionary.values();
        if values.is_empty() {
            return self
                .masked(values, std::iter::empty())
                .map(|empty| arrow::array::new_null_array(empty.data_type(), column.len()));
        }
        let of = |gender| self.masked(values, std::iter::repeat(gender));
        let all = [of(Gender::Any)?, of(Gender::Female)?, of(Gender::Male)?];
        let failed = |_| MaskError::Kernel { operation: "take the masked entries" };
        let all = concat(&[&all[0], &all[1], &all[2]]).map_err(failed)?;
        let keys = dictionary.normalized_keys().into_iter().zip(genders).enumerate();
        let places: UInt64Array = keys
            .map(|(row, (key, gender))| {
                let place = (*gender as usize).saturating_mul(values.len()).saturating_add(key);
                (!column.is_null(row)).then_some(place as u64)
            })
            .collect();
        take(&all, &places, None).map_err(failed)
    }
}

impl Mask for Composed {
    fn output(&self) -> DataType {
        // What a dictionary's entry becomes depends on the row, where the gender does.
        if self.gendered.is_some() { logical(&self.input).clone() } else { self.input.clone() }
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves { null: true, ..Preserves::default() },
            may_return_input: false,
        }
    }

    fn inputs(&self) -> &[String] {
        self.gendered.as_ref().map_or(&[], |gendered| &gendered.column)
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        if self.gendered.is_none() {
            return over_values(&self.input, column, |values| {
                self.masked(values, std::iter::empty())
            });
        }
        check_type(&self.input, column)?;
        let genders = gender::of_rows(only(others, column)?)?;
        self.masked_by_gender(column, &genders)
    }
}
