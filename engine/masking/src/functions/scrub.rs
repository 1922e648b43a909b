//! `scrub`: free text without the values that can be recognised in it.
//!
//! ```text
//!  Ada called from +49 30 901820, write to ada@lovelace.org
//!   │              └─ phone ─────┘          └─ email ────────┘   by form, check digits and words
//!   └─ first_name, another column of the row
//!  Annamae called from +49 66 522893, write to 2hnlginqc7aqf3oehv5j4eadqy@example.com
//! ```
//!
//! What replaces a finding is what the function for such values gives under the same key: the
//! pseudonym in a note is the one in the column.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use self::dates::Slashes;
use self::findings::Forms;
use self::names::Dictionary;
use self::rewrite::{Scrubber, Slot, gather};
use super::national_id::Country;
use super::params::{self, nearest};
use crate::error::{BindError, BindErrorKind, MaskError, escape};
use crate::forms::{check_type, decode, is_text, logical, over_used_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

mod dates;
mod findings;
mod machines;
mod names;
mod numbers;
mod phones;
mod rewrite;
mod triggers;
mod words;

/// Free text without what can be recognised in it.
pub(super) struct Scrub;

/// Parameters of `scrub`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// What is looked for by its form: `email`, `url`, `card`, `iban`, `national_id`, `ssn`, `uuid`,
    /// `mac`, `ip`, `date`, `phone`. All of them if absent.
    find: Option<Vec<Kind>>,
    /// Other text columns of the row, whose values are looked for as whole words, in small and capital
    /// letters alike; of a value of several words, each of them too.
    #[serde(default)]
    also: Vec<String>,
    /// Lookups of the project, whose entries are looked for as whole words.
    #[serde(default)]
    words: Vec<String>,
    /// Whose national numbers are looked for, as `national_id` has it. If absent, those of all
    /// countries; numbers with a single check digit then need hyphens or a word before them that says what
    /// they are.
    countries: Option<Vec<Country>>,
    /// What replaces a finding, by its kind, column or lookup: `mask` (if absent, the function of that
    /// name, `redact` for dates and lookups), `linkage` (if absent, the rule's own) and `params`.
    #[serde(default)]
    replace: BTreeMap<String, Replacement>,
}

/// A function that replaces findings.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Replacement {
    /// The function.
    mask: Option<String>,
    /// The linkage whose pseudonyms it gives.
    linkage: Option<String>,
    /// Its parameters.
    #[serde(default)]
    params: Map<String, Value>,
}

/// What is looked for by its form; of two findings as long, the first kind stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// E-mail addresses.
    Email,
    /// Addresses of the web with a scheme, or that begin with `www.`.
    Url,
    /// Payment cards (Luhn).
    Card,
    /// IBANs (ISO 7064).
    Iban,
    /// National identity numbers, by their check characters.
    NationalId,
    /// Social security numbers of the United States.
    Ssn,
    /// UUIDs.
    Uuid,
    /// MAC addresses.
    Mac,
    /// IPv4 and IPv6 addresses.
    Ip,
    /// Dates of the calendar.
    Date,
    /// Phone numbers.
    Phone,
}

impl Kind {
    const COUNT: usize = Self::ALL.len();

    const ALL: [Self; 11] = [
        Self::Email,
        Self::Url,
        Self::Card,
        Self::Iban,
        Self::NationalId,
        Self::Ssn,
        Self::Uuid,
        Self::Mac,
        Self::Ip,
        Self::Date,
        Self::Phone,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Url => "url",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::NationalId => "national_id",
            Self::Ssn => "ssn",
            Self::Uuid => "uuid",
            Self::Mac => "mac",
            Self::Ip => "ip",
            Self::Date => "date",
            Self::Phone => "phone",
        }
    }

    /// The function that replaces it if none is named.
    fn function(self) -> &'static str {
        if self == Self::Date { "redact" } else { self.name() }
    }
}

fn examples() -> Vec<Example> {
    let example = |params, input, others, output| Example {
        params,
        input_type: DataType::Utf8,
        input,
        others,
        output,
    };
    vec![
        example(
            "{}",
            &[
                "Write to ada@lovelace.org or call +49 (0)30 901820.",
                "Paid order 4711 with 4111 1111 1111 1111 on 2024-02-29",
                "Refund to GB82 WEST 1234 5698 7654 32, please",
                "Version 10.0.19045.3693 fails at 13:05, 2.5 times",
            ],
            &[],
            &[
                "Write to 2hnlginqc7aqf3oehv5j4eadqy@example.com or call +49 (0)36 244332.",
                "Paid order 4711 with 4443 3364 0264 4293 on [redacted]",
                "Refund to GB50 TBZI 9480 1895 3865 06, please",
                "Version 10.0.19045.3693 fails at 13:05, 2.5 times",
            ],
        ),
        example(
            r#"{"find": ["email"], "also": ["first_name", "last_name"]}"#,
            &["Ms LOVELACE (Ada) asks for a refund", "Adamant"],
            &[("first_name", &["Ada", "Ada"]), ("last_name", &["Lovelace", "Lovelace"])],
            &["Ms Ziemann (Annamae) asks for a refund", "Adamant"],
        ),
        example(
            r#"{"find": ["date", "phone"], "words": ["words"], "replace": {"phone": {"mask": "partial", "params": {"kind": "phone"}}, "date": {"mask": "date_shift", "params": {"days": 30, "per": "id"}}}}"#,
            &["seen on 17.5.1984, tel. 030 901820", "seen on May 17, 1984 by Two"],
            &[("id", &["17", "18"])],
            &["seen on 08.05.1984, tel. *** ***820", "seen on 1984-06-01 by [redacted]"],
        ),
    ]
}

impl Function for Scrub {
    fn name(&self) -> &'static str {
        "scrub"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Values that can be recognised in a text (addresses, numbers with their check \
                      digits, dates, names from other columns and lookups) are replaced by the \
                      pseudonyms that their own functions give; the rest of the text stays.",
            privacy: "What is not recognised stays as it was: names that no column or lookup holds, \
                      nicknames, misspellings, numbers without their check digits, and what is told in \
                      words. A text may identify somebody without any of them. Redact texts that \
                      nobody needs.",
            nulls: "Null stays null, empty stays empty. A text without findings stays as it is. A \
                    finding that its function would leave as it is becomes `[redacted]`.",
            examples: examples(),
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn approximates(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let given: Params = params::parse(self, params, context)?;
        params::key(self, context)?;
        check_names(&given)?;
        let mut binder = Binder { replace: &given.replace, context, slots: vec![], inputs: vec![] };
        let named = given.countries.is_some();
        let countries = given.countries.unwrap_or_else(|| Country::ALL.to_vec());
        let find = given.find.unwrap_or_else(|| Kind::ALL.to_vec());
        let mut masks = [None; Kind::COUNT];
        for (kind, mask) in Kind::ALL.into_iter().zip(&mut masks) {
            if find.contains(&kind) && (kind != Kind::NationalId || !countries.is_empty()) {
                *mask = Some(binder.kind(kind, &countries)?);
            }
        }
        let columns = given.also.iter().map(|column| binder.column(column));
        let columns = columns.collect::<Result<_, _>>()?;
        let words = given.words.iter().map(|lookup| binder.lookup(lookup));
        let dictionaries = words.collect::<Result<_, _>>()?;
        let Binder { slots, inputs, .. } = binder;
        let slashes = Slashes::of(context.locale);
        let forms = Forms { masks, countries, named, slashes };
        let scrubber = Scrubber { forms, slots, columns, dictionaries };
        Ok(Box::new(Bound { input: context.input.clone(), inputs, scrubber }))
    }
}

/// Refuses a replacement for what is not looked for.
fn check_names(given: &Params) -> Result<(), BindError> {
    let find = given.find.as_deref().unwrap_or(&Kind::ALL);
    let kinds = find.iter().map(|kind| kind.name());
    let others = given.also.iter().chain(&given.words).map(String::as_str);
    let mut valid: Vec<String> = kinds.chain(others).map(str::to_owned).collect();
    valid.sort();
    valid.dedup();
    match given.replace.keys().find(|name| !valid.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let nearest = nearest(name, valid.iter().map(String::as_str));
            let kind = BindErrorKind::UnknownParameter { name: name.clone(), nearest, valid };
            Err(within(&format!("/replace/{}", escape(name)), BindError::whole(kind)))
        }
    }
}

/// The error of a part, with its place in the whole.
fn within(path: &str, mut error: BindError) -> BindError {
    error.path = format!("{path}{}", error.path);
    error
}

/// Binds the masks that replace.
struct Binder<'a, 'c> {
    replace: &'a BTreeMap<String, Replacement>,
    context: &'a BindContext<'c>,
    slots: Vec<Slot>,
    inputs: Vec<String>,
}

impl Binder<'_, '_> {
    /// The place of a kind's mask; of national numbers, of the first country's.
    fn kind(&mut self, kind: Kind, countries: &[Country]) -> Result<usize, BindError> {
        let first = self.slots.len();
        if kind != Kind::NationalId {
            return self.slot(kind.name(), kind.function(), kind == Kind::Date, None);
        }
        for country in countries {
            self.slot(kind.name(), kind.function(), false, Some(*country))?;
        }
        Ok(first)
    }

    /// A column's place among those read, and that of its mask.
    fn column(&mut self, column: &str) -> Result<(usize, usize), BindError> {
        params::check_column("also", column, self.context)?;
        if let Some(found) = (self.context.columns)(column).filter(|found| !is_text(found)) {
            let kind = BindErrorKind::ColumnType { name: column.to_owned(), found };
            return Err(BindError::at("also", kind));
        }
        let named = self.replace.get(column).is_some_and(|given| given.mask.is_some());
        if !named && !super::find(column).is_some_and(|function| function.accepts(&DataType::Utf8))
        {
            let expected = "for each column a function of its name, or one that `replace` names";
            return Err(BindError::out_of_range("also", expected)
                .hinted(format!("as in `replace: {{{column}: {{mask: full_name}}}}`")));
        }
        let slot = self.slot(column, column, false, None)?;
        Ok((self.input(column), slot))
    }

    /// A lookup's entries, and the place of their mask.
    fn lookup(&mut self, lookup: &str) -> Result<(Dictionary, usize), BindError> {
        let Some(entries) = self.context.lookups.get(lookup) else {
            let valid: Vec<String> = self.context.lookups.keys().cloned().collect();
            let nearest = nearest(lookup, valid.iter().map(String::as_str));
            let kind = BindErrorKind::UnknownLookup { name: lookup.to_owned(), nearest, valid };
            return Err(BindError::at("words", kind));
        };
        let Some(dictionary) = Dictionary::of(entries) else {
            return Err(BindError::out_of_range("words", "lookups of fewer or shorter entries"));
        };
        Ok((dictionary, self.slot(lookup, "redact", false, None)?))
    }

    /// Binds the mask for one kind of finding and gives its place.
    fn slot(
        &mut self,
        name: &str,
        default: &str,
        may_be_date: bool,
        country: Option<Country>,
    ) -> Result<usize, BindError> {
        let given = self.replace.get(name).cloned().unwrap_or_default();
        let path = format!("/replace/{}", escape(name));
        let wanted = given.mask.as_deref().unwrap_or(default);
        let function = super::find(wanted).filter(|function| function.name() != Scrub.name());
        let Some(function) = function else {
            let expected = "the name of a masking function other than `scrub`";
            return Err(within(&path, BindError::out_of_range("mask", expected)));
        };
        let dates = may_be_date && !function.accepts(&DataType::Utf8);
        let input = if dates { DataType::Date32 } else { DataType::Utf8 };
        let mut params = given.params;
        if let Some(country) = country.filter(|_| function.name() == Kind::NationalId.name()) {
            params.insert("country".to_owned(), country.code().into());
        }
        let key = match function.keyed() {
            true => (self.context.keys)(function, given.linkage.as_deref()),
            false => None,
        };
        let context = BindContext { input: &input, key: key.as_ref(), ..*self.context };
        let place = format!("{path}/params");
        let mask = function.bind(&Value::Object(params), &context).map_err(|error| {
            if error.path.is_empty() { within(&path, error) } else { within(&place, error) }
        })?;
        if mask.output() != input || mask.reads_masked() || mask.collect().is_some() {
            let expected = "a function that gives text for text, or dates for dates, row by row";
            return Err(within(&path, BindError::out_of_range("mask", expected)));
        }
        let inputs = mask.inputs().iter().map(|input| self.input(input)).collect();
        self.slots.push(Slot { mask, inputs, dates });
        Ok(self.slots.len() - 1)
    }

    /// The place of a column among those read.
    fn input(&mut self, column: &str) -> usize {
        self.inputs.iter().position(|known| known == column).unwrap_or_else(|| {
            self.inputs.push(column.to_owned());
            self.inputs.len() - 1
        })
    }
}

struct Bound {
    input: DataType,
    inputs: Vec<String>,
    scrubber: Scrubber,
}

impl Bound {
    fn rewrite(&self, plain: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        let scrubber = &self.scrubber;
        match plain.data_type() {
            DataType::Utf8 => Ok(Arc::new(scrubber.rewrite(plain.as_string::<i32>(), others)?)),
            DataType::LargeUtf8 => {
                Ok(Arc::new(scrubber.rewrite(plain.as_string::<i64>(), others)?))
            }
            DataType::Utf8View => {
                let texts = gather::<i32>(plain.as_string_view().iter(), plain)?;
                Ok(Arc::new(StringViewArray::from(&scrubber.rewrite(&texts, others)?)))
            }
            found => {
                Err(MaskError::UnexpectedType { expected: DataType::Utf8, found: found.clone() })
            }
        }
    }
}

impl Mask for Bound {
    /// A text of a dictionary differs from row to row where other columns are read.
    fn output(&self) -> DataType {
        match self.inputs.is_empty() {
            true => self.input.clone(),
            false => logical(&self.input).clone(),
        }
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves { null: true, ..Preserves::default() },
            may_return_input: true,
        }
    }

    fn inputs(&self) -> &[String] {
        &self.inputs
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        if self.inputs.is_empty() {
            return over_used_values(&self.input, column, |values| self.rewrite(values, &[]));
        }
        check_type(&self.input, column)?;
        if others.len() != self.inputs.len() {
            let expected = self.inputs.len();
            return Err(MaskError::UnexpectedInputs { expected, found: others.len() });
        }
        if let Some(other) = others.iter().find(|other| other.len() != column.len()) {
            return Err(MaskError::UnequalLengths { expected: column.len(), found: other.len() });
        }
        self.rewrite(&decode(&self.input, column)?, others)
    }
}
