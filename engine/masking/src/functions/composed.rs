//! Values put together from words: the shared part of the functions for names,
//! streets, towns and companies.
//!
//! ```text
//!  value ── keyed stream ──▶ index ─▶ word   for each piece of the locale's pattern
//!                          └ equal to the value? the next draws of the stream
//! ```

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params::{self, nearest};
use crate::dictionaries::{LOCALES, Locale, Piece, Words, locale};
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{is_text, map_text_keyed, over_values};
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

    /// The pieces of a value in a locale; none where the locale has no words for it.
    fn pattern(locale: &'static Locale) -> Vec<Piece>;
}

impl<W: WordFunction> Function for W {
    fn name(&self) -> &'static str {
        W::NAME
    }

    fn doc(&self) -> Doc {
        let example = |params, output| Example {
            params,
            input_type: DataType::Utf8,
            input: W::INPUT,
            others: &[],
            output,
        };
        Doc {
            summary: W::SUMMARY,
            privacy: "Only which rows held equal values remains. Never gives the value itself.",
            nulls: "Null stays null, empty stays empty.",
            examples: vec![example("{}", W::OUTPUT), example(r#"{"locale": "de"}"#, W::GERMAN)],
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
        bind(self, params, context, W::pattern)
    }
}

/// Binds a function whose pattern in a locale is what `pattern` gives; empty if the locale has none.
fn bind(
    function: &dyn Function,
    given: &Value,
    context: &BindContext<'_>,
    pattern: fn(&'static Locale) -> Vec<Piece>,
) -> Result<Box<dyn Mask>, BindError> {
    let Params { locale, lookup, normalize } = params::parse(function, given, context)?;
    let key = params::key(function, context)?;
    let pieces = match (lookup, locale) {
        (Some(_), Some(_)) => {
            let expected = "either a lookup or a locale, not both";
            return Err(BindError::out_of_range("lookup", expected));
        }
        (Some(name), None) => vec![Part::Pick(entries(&name, context)?)],
        (None, locale) => parts(&locale_pattern(locale.as_deref(), context, pattern)?),
    };
    Ok(Box::new(Bound { input: context.input.clone(), key, pieces, normalize }))
}

fn locale_pattern(
    asked: Option<&str>,
    context: &BindContext<'_>,
    pattern: fn(&'static Locale) -> Vec<Piece>,
) -> Result<Vec<Piece>, BindError> {
    let name = asked.or(context.locale).unwrap_or("en");
    let pieces = locale(name).map(pattern).unwrap_or_default();
    if !pieces.is_empty() {
        return Ok(pieces);
    }
    let has = |locale: &&'static Locale| !pattern(locale).is_empty();
    let valid: Vec<String> =
        LOCALES.iter().filter(has).map(|locale| locale.name.to_owned()).collect();
    let nearest = nearest(name, valid.iter().map(String::as_str));
    let kind = BindErrorKind::UnknownLocale { name: name.to_owned(), nearest, valid };
    let error =
        if asked.is_some() { BindError::at("locale", kind) } else { BindError::whole(kind) };
    Err(error.hinted("set `locale` to one of these, or `lookup` to a lookup of the project"))
}

fn entries(name: &str, context: &BindContext<'_>) -> Result<Entries, BindError> {
    let Some(entries) = context.lookups.get(name) else {
        let valid: Vec<String> = context.lookups.keys().cloned().collect();
        let nearest = nearest(name, valid.iter().map(String::as_str));
        let kind = BindErrorKind::UnknownLookup { name: name.to_owned(), nearest, valid };
        return Err(BindError::at("lookup", kind));
    };
    let entries = distinct(entries.iter().map(String::as_str));
    if entries.len() < 2 {
        let expected = "a lookup of at least two different entries";
        return Err(BindError::out_of_range("lookup", expected));
    }
    Ok(entries)
}

/// Entries in their order, without empty ones and repetitions: each is as likely.
fn distinct<'a>(entries: impl Iterator<Item = &'a str>) -> Entries {
    let mut seen = std::collections::HashSet::new();
    entries.filter(|entry| !entry.is_empty() && seen.insert(*entry)).map(Box::from).collect()
}

/// Words to choose from, each as likely as the others.
type Entries = Arc<[Box<str>]>;

/// The distinct words of a locale's list, made once: a project binds thousands of columns to few lists.
fn distinct_words(words: Words) -> Entries {
    static MADE: LazyLock<RwLock<HashMap<usize, Entries>>> = LazyLock::new(RwLock::default);
    // Lists are static: the place of one is its name.
    let list = words.as_ptr().addr();
    let made = MADE.read().unwrap_or_else(PoisonError::into_inner).get(&list).cloned();
    made.unwrap_or_else(|| {
        let made = distinct(words.iter().copied());
        let mut all = MADE.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(list).or_insert(made))
    })
}

fn parts(pieces: &[Piece]) -> Vec<Part> {
    let part = |piece: &Piece| match piece {
        Piece::Pick(words) => Part::Pick(distinct_words(words)),
        Piece::Number(max) => Part::Number(*max),
        Piece::Text(text) => Part::Text(text),
    };
    pieces.iter().map(part).collect()
}

enum Part {
    Pick(Entries),
    Number(u64),
    Text(&'static str),
}

impl Part {
    #[inline]
    fn write(&self, draw: &mut Draw<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Pick(words) => {
                let index = draw.below(words.len() as u64) as usize;
                out.extend_from_slice(words.get(index).map_or("", |word| word).as_bytes());
            }
            Self::Number(max) => {
                let number = draw.below(*max).saturating_add(1);
                out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            }
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    pieces: Vec<Part>,
    normalize: Vec<Normal>,
}

impl Bound {
    #[inline]
    fn write(&self, value: &str, mut draw: Draw<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        for _ in 0..DRAWS_MAX {
            for piece in &self.pieces {
                piece.write(&mut draw, out);
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
            uniqueness: Uniqueness::Lossy,
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
