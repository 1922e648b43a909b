//! `address`: one part of a made-up address, the same address for all rows of an entity.
//!
//! ```text
//!  entity ── keyed stream ─┬─ place ─┬─▶ city
//!                          │         ├─▶ region
//!                          │         ├─▶ postcode: the place's digits, then drawn ones
//!                          │         └─▶ country of the locale
//!                          └─ words ───▶ street and house number
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::composed::find_locale;
use super::country::{Form, of_locale};
use super::gender::map_rows as read_rows;
use super::params;
use super::parts::{Part, parts, postcode};
use crate::canonical::map_drawn;
use crate::dictionaries::{Gender, LOCALES, Locale, Place, locale};
use crate::error::{BindError, MaskError};
use crate::forms::{check_others, decode, is_text, logical, map_rows};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::LinkageKey;
use crate::properties::{Preserves, Properties, Uniqueness};

/// One part of an address.
pub(super) struct Address;

/// Which part of the address the column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum AddressPart {
    Street,
    City,
    Postcode,
    Region,
    Country,
}

/// Parameters of `address`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// What the column shows: `street` (with the house number), `city`, `postcode`, `region` or `country`.
    part: AddressPart,
    /// Column of the same row that says whose address it is. Columns with the same `per`, `locale` and `country`
    /// under one linkage show parts of the same address.
    per: String,
    /// Language, or language and region, that says the country of the addresses; the project's locale if absent.
    locale: Option<String>,
    /// Column of the same row that says the country, by code or name: addresses are there, if there is a locale
    /// for it, else where `locale` says.
    country: Option<String>,
    /// How the country is written: `name` (the default), `alpha2` or `alpha3` (ISO 3166-1).
    form: Option<Form>,
}

impl Function for Address {
    fn name(&self) -> &'static str {
        "address"
    }

    fn doc(&self) -> Doc {
        const PER: &[(&str, &[&str])] =
            &[("customer_id", &["17", "18", "17"]), ("land", &["DE", "fra", "DE"])];
        let example = |params, input, output| Example {
            params,
            input_type: DataType::Utf8,
            input,
            others: PER,
            output,
        };
        let cities: &[&str] = &["London", "Paris", "Rome"];
        let codes: &[&str] = &["10117", "75001", "10119"];
        Doc {
            summary: "Every value becomes a part of a made-up address that the row's entity always has: street, city, \
                      postcode, region and country agree with each other.",
            privacy: "Which rows are of one entity remains, whatever the column held, and the country if its column \
                      is named. Towns are real, streets are made up; chance may give an entity its own town.",
            nulls: "Null stays null, empty stays empty. A row without an entity becomes null.",
            examples: vec![
                example(
                    r#"{"part": "city", "per": "customer_id"}"#,
                    cities,
                    &["San Francisco", "Boston", "San Francisco"],
                ),
                example(
                    r#"{"part": "postcode", "per": "customer_id"}"#,
                    codes,
                    &["94122", "02165", "94122"],
                ),
                example(
                    r#"{"part": "city", "per": "customer_id", "country": "land"}"#,
                    cities,
                    &["Magdeburg", "Paris", "Magdeburg"],
                ),
                example(
                    r#"{"part": "postcode", "per": "customer_id", "country": "land"}"#,
                    codes,
                    &["39122", "75006", "39122"],
                ),
                example(
                    r#"{"part": "country", "per": "customer_id", "locale": "de", "form": "alpha3"}"#,
                    &["GBR", "FRA", "ITA"],
                    &["DEU", "DEU", "DEU"],
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
        let Params { part, per, locale, country, form } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        params::check_column("per", &per, context)?;
        if form.is_some() && part != AddressPart::Country {
            return Err(BindError::out_of_range("form", "a form with `part: country` only"));
        }
        if country.is_some() && part == AddressPart::Country {
            let expected = "no column: the part `country` would show what it says";
            return Err(BindError::out_of_range("country", expected));
        }
        let usual = find_locale(locale.as_deref(), context, has_addresses)?;
        let mut areas = vec![Area::new(usual, form.unwrap_or_default())];
        let mut area_of = HashMap::new();
        if let Some(column) = &country {
            params::check_column("country", column, context)?;
            for locale in LOCALES.iter().filter(|locale| has_addresses(locale)) {
                let area = if std::ptr::eq(locale, usual) { 0 } else { areas.len() };
                if area > 0 {
                    areas.push(Area::new(locale, Form::Name));
                }
                area_of.extend(spellings(locale).into_iter().map(|spelling| (spelling, area)));
            }
        }
        let inputs = std::iter::once(per).chain(country).collect();
        Ok(Box::new(Bound { input: context.input.clone(), key, part, inputs, areas, area_of }))
    }
}

fn has_addresses(locale: &'static Locale) -> bool {
    !locale.street.is_empty() && !locale.places().is_empty()
}

/// How a locale's country is written, in lower case: both codes, its own name and the English one.
fn spellings(own: &'static Locale) -> Vec<String> {
    let codes = [Form::Alpha2, Form::Alpha3].map(|form| of_locale(own, form));
    let english = locale("en").map(Locale::country_names).unwrap_or_default();
    let mut names = vec![of_locale(own, Form::Name)];
    let all = crate::dictionaries::countries().iter().zip(english);
    names.extend(all.filter(|((code, _), _)| *code == own.country).map(|(_, name)| name.into()));
    names.extend((own.country == "GB").then(|| "uk".into()));
    names.extend((own.country == "US").then(|| "usa".into()));
    codes.iter().chain(&names).map(|spelling| spelling.to_lowercase()).collect()
}

/// Where addresses can be.
struct Area {
    places: Vec<Place>,
    street: Vec<Part>,
    country: Arc<str>,
}

impl Area {
    fn new(locale: &'static Locale, form: Form) -> Self {
        let street = parts(locale, locale.street, Gender::Any);
        Self { places: locale.places(), street, country: of_locale(locale, form) }
    }
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    part: AddressPart,
    /// The entity column, and that of the country if there is one.
    inputs: Vec<String>,
    /// The usual one first.
    areas: Vec<Area>,
    /// The area of a country, by its spellings in lower case.
    area_of: HashMap<String, usize>,
}

impl Bound {
    /// The number of the area that a value of the country column says.
    fn area(&self, country: &[u8]) -> usize {
        let text = str::from_utf8(country).unwrap_or_default().trim().to_lowercase();
        self.area_of.get(&text).copied().unwrap_or_default()
    }

    fn write(&self, area: &Area, block: [u8; 32], out: &mut Vec<u8>) {
        let mut draw = self.key.draw(block);
        let place = area.places.get(draw.below(area.places.len() as u64) as usize);
        let code = draw.next_u64();
        let Some(place) = place else { return };
        match self.part {
            AddressPart::Street => area.street.iter().for_each(|part| part.write(&mut draw, out)),
            AddressPart::City => out.extend_from_slice(place.city.as_bytes()),
            AddressPart::Postcode => postcode(place.postcode, code, out),
            AddressPart::Region => out.extend_from_slice(place.region.as_bytes()),
            AddressPart::Country => out.extend_from_slice(area.country.as_bytes()),
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
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves { null: true, ..Preserves::default() },
            may_return_input: true,
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
        let areas = match others.get(1) {
            Some(countries) => read_rows(countries, 0, |value| self.area(value))?,
            None => Vec::new(),
        };
        map_rows(&plain, |row, out| {
            let Some(Some(block)) = entities.get(row) else { return false };
            let area = areas.get(row).copied().unwrap_or_default();
            let Some(area) = self.areas.get(area) else { return false };
            self.write(area, *block, out);
            true
        })
    }
}
