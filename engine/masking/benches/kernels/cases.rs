//! Functions of the catalogue bound to parameters and to a column that is natural for them.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;
use engine_masking::{ALL, BindContext, EXAMPLE_MASTER, Function, LinkageKey, Lookups, Mask, find};
use serde_json::Value;

use crate::inputs::{Form, Natural, ROWS, column, dictionary, formed, plain};

/// A function, its parameters, and the column it is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    function: &'static str,
    /// Those of the first example if absent.
    params: Option<&'static str>,
    /// The values of the first example, again and again, if absent.
    natural: Option<Natural>,
    form: Form,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.form {
            Form::Plain => "plain",
            Form::View => "view",
            Form::Dictionary => "dictionary",
        };
        write!(f, "{} {form}", self.function)
    }
}

/// A mask and what it is applied to.
pub(crate) struct Ready {
    pub(crate) mask: Box<dyn Mask>,
    pub(crate) column: ArrayRef,
    pub(crate) others: Vec<ArrayRef>,
}

impl Ready {
    /// The masked column.
    pub(crate) fn apply(&self) -> ArrayRef {
        self.mask
            .apply(&self.column, &self.others)
            .expect("the column is what the mask was bound to")
    }
}

impl Case {
    /// A function with parameters, on a column of a form.
    pub(crate) const fn new(
        function: &'static str,
        params: &'static str,
        natural: Natural,
        form: Form,
    ) -> Self {
        Self { function, params: Some(params), natural: Some(natural), form }
    }

    /// A function with the parameters and the values that are natural for it.
    pub(crate) fn natural(function: &'static str, form: Form) -> Self {
        Self { function, params: params(function), natural: natural(function), form }
    }

    /// Binds the function under the published key, and makes its columns.
    pub(crate) fn ready(self) -> Ready {
        self.bound().expect("the parameters fit the function and the column")
    }

    fn bound(self) -> Option<Ready> {
        let function = find(self.function).expect("the function is in the catalogue");
        let example = function.doc().examples.into_iter().next().expect("there is an example");
        let params = self.params.unwrap_or(example.params);
        let column = match self.natural {
            Some(natural) => column(natural, self.form),
            None => {
                let values: ArrayRef = Arc::new(StringArray::from(example.input.to_vec()));
                let values = cast(&values, &example.input_type).expect("an example reads");
                let row = |row: usize| row as u64 % values.len() as u64;
                let rows = arrow::array::UInt64Array::from_iter_values((0..ROWS).map(row));
                formed(&take(&values, &rows, None).expect("every row has a value"), self.form)
            }
        };
        let mask = bind(function, params, column.data_type())?;
        // Other columns are read as they come from files: as views.
        let others =
            mask.inputs().iter().map(|_| self::column(Natural::Digits, Form::View)).collect();
        Some(Ready { mask, column, others })
    }

    /// Whether the function can be measured without more than its column and others of digits.
    fn is_whole(self) -> bool {
        self.bound().is_some_and(|Ready { mask, column, others }| {
            let others: Vec<_> = others.iter().map(|other| other.slice(0, 1)).collect();
            mask.apply(&column.slice(0, 1), &others).is_ok()
        })
    }

    /// The same on a dictionary of so many rows.
    pub(crate) fn ready_with_rows(self, rows: usize) -> Ready {
        let ready = self.ready();
        let natural = self.natural.unwrap_or(Natural::Texts);
        let column = dictionary(&plain(natural, ROWS), rows);
        Ready { column, ..ready }
    }
}

/// A function bound under the published key, without lists of the project; none if it needs them.
fn bind(function: &dyn Function, params: &str, input: &DataType) -> Option<Box<dyn Mask>> {
    let key_of = |function: &dyn Function, linkage: &str| {
        LinkageKey::derive(&EXAMPLE_MASTER, 1, linkage, function.name(), function.abi())
    };
    let key = key_of(function, "example");
    let context = BindContext {
        input,
        key: function.keyed().then_some(&key),
        locale: None,
        lookups: &Lookups::new(),
        columns: &|_| Some(DataType::Utf8View),
        name: Some("column"),
        keys: &|function, linkage| Some(key_of(function, linkage.unwrap_or("example"))),
    };
    let params: Value = serde_json::from_str(params).expect("parameters are JSON");
    function.bind(&params, &context).ok()
}

/// What the values of a function's column are, where its examples are not enough of them.
fn natural(function: &str) -> Option<Natural> {
    Some(match function {
        "aes_siv" | "choice" | "constant" | "default" | "hash" | "redact" | "token" => {
            Natural::Texts
        }
        "first_name" | "last_name" | "full_name" | "city" | "company" | "street" | "job"
        | "user_name" | "word" | "sentence" | "country" => Natural::Names,
        "postcode" | "zip3" => Natural::Postcodes,
        "partial" => Natural::Names,
        "ff1" => Natural::Digits,
        "email" => Natural::Emails,
        "phone" => Natural::Phones,
        "ip" => Natural::Addresses,
        "mac" => Natural::Macs,
        "uuid" => Natural::Uuids,
        "url" => Natural::Urls,
        "scrub" => Natural::Notes,
        "ff1_number" | "number" | "null" => Natural::Integers,
        "noise" | "bucket" | "round" | "clip" | "rank_preserving" => Natural::Decimals,
        "age" | "date_shift" | "truncate" => Natural::Dates,
        "datetime_shift" | "time_noise" => Natural::Instants,
        "flip" => Natural::Booleans,
        _ => return None,
    })
}

/// Parameters for the natural column, where those of the first example are for another type.
fn params(function: &str) -> Option<&'static str> {
    Some(match function {
        "bucket" => r#"{"width": 10}"#,
        "clip" => r#"{"min": 100, "max": 90000}"#,
        "constant" => r#"{"value": "x"}"#,
        "choice" => r#"{"values": ["a", "b", "c"]}"#,
        "ff1_number" => r#"{"min": 0, "max": 999999}"#,
        "noise" => r#"{"amount": 10}"#,
        "number" => r#"{"min": 0, "max": 999999}"#,
        "partial" => r#"{"keep_first": 1, "keep_last": 2}"#,
        "round" => r#"{"multiple": 5}"#,
        "truncate" => r#"{"unit": "month"}"#,
        _ => return None,
    })
}

/// Every function of the catalogue that has an example which is no nested value, and needs no lists of a project;
/// those of text in each form.
pub(crate) fn catalogue() -> Vec<Case> {
    let mut cases = Vec::new();
    for function in ALL {
        let Some(example) = function.doc().examples.into_iter().next() else { continue };
        let case = Case::natural(function.name(), Form::Plain);
        let input = case.natural.map(|natural| plain(natural, 1).data_type().clone());
        let input = input.unwrap_or(example.input_type);
        let forms: &[Form] = match input {
            DataType::Utf8 => &[Form::Plain, Form::View, Form::Dictionary],
            nested if nested.is_nested() => &[],
            _ => &[Form::Plain],
        };
        let cases_of = forms.iter().map(|form| Case { form: *form, ..case });
        cases.extend(cases_of.filter(|case| case.is_whole()));
    }
    cases
}
