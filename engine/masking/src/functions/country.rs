//! `country`: a country, by name or code, chosen by key.

use std::sync::Arc;

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::composed::{Composed, find_locale};
use super::params;
use super::parts::{Part, distinct};
use crate::dictionaries::{Locale, countries};
use crate::error::BindError;
use crate::forms::is_text;
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::normal::Normal;

/// Every value becomes a country, chosen by key.
pub(super) struct Country;

/// How a country is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    /// Its name in the locale's language.
    #[default]
    Name,
    /// Two letters: ISO 3166-1 alpha-2.
    Alpha2,
    /// Three letters: ISO 3166-1 alpha-3.
    Alpha3,
}

/// Parameters of `country`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// How it is written: `name` (the default), `alpha2` or `alpha3` (ISO 3166-1).
    #[serde(default)]
    form: Form,
    /// Language of the names; the project's locale if absent.
    locale: Option<String>,
    /// Done to the text before it is keyed, so that spellings map alike.
    #[serde(default)]
    normalize: Vec<Normal>,
}

impl Function for Country {
    fn name(&self) -> &'static str {
        "country"
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
            summary: "Every value becomes one of the 249 countries of ISO 3166-1, chosen by key.",
            privacy: "Only which rows held equal values remains. Never gives the value itself.",
            nulls: "Null stays null, empty stays empty.",
            examples: vec![
                example("{}", &["France", "Peru"], &["Papua New Guinea", "Cook Islands"]),
                example(
                    r#"{"locale": "de"}"#,
                    &["France", "Peru"],
                    &["Papua-Neuguinea", "Cookinseln"],
                ),
                example(r#"{"form": "alpha2"}"#, &["FR", "PE"], &["LY", "CD"]),
                example(r#"{"form": "alpha3"}"#, &["FRA", "PER"], &["LKA", "NGA"]),
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
        let Params { form, locale, normalize } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        if form != Form::Name && locale.is_some() {
            return Err(BindError::out_of_range("locale", "a locale for `form: name` only"));
        }
        let has_names = |locale: &'static Locale| !locale.country_names().is_empty();
        let names = match form {
            Form::Name => find_locale(locale.as_deref(), context, has_names)?.country_names(),
            Form::Alpha2 => countries().iter().map(|(alpha2, _)| *alpha2).collect(),
            Form::Alpha3 => countries().iter().map(|(_, alpha3)| *alpha3).collect(),
        };
        let parts = vec![Part::Pick(distinct(names.into_iter()))];
        Ok(Box::new(Composed::new(context.input.clone(), key, parts, normalize)))
    }
}

/// The country of a locale's places, as it is written there.
pub(super) fn of_locale(locale: &'static Locale, form: Form) -> Arc<str> {
    let all = countries();
    let place = all.iter().position(|(alpha2, _)| *alpha2 == locale.country).unwrap_or_default();
    let text = match form {
        Form::Name => locale.country_names().get(place).copied(),
        Form::Alpha2 => all.get(place).map(|(alpha2, _)| *alpha2),
        Form::Alpha3 => all.get(place).map(|(_, alpha3)| *alpha3),
    };
    text.unwrap_or(locale.country).into()
}
