//! The catalogue: one file per function, one line in [`ALL`].

use arrow::datatypes::DataType;

use crate::function::Function;

mod address;
mod aes_siv;
mod age;
mod bucket;
mod card;
mod choice;
mod city;
mod clip;
mod company;
mod composed;
mod constant;
mod country;
mod date_shift;
mod datetime_shift;
mod default;
mod digit_pattern;
mod domain;
mod elements;
mod email;
mod ff1;
mod ff1_number;
mod fields;
mod first_name;
mod flip;
mod full_name;
mod gender;
mod geohash;
mod hash;
mod iban;
mod identifier;
mod imei;
mod ip;
mod isbn;
mod isin;
mod job;
mod json;
mod json_draft;
mod json_text;
mod last_name;
mod location_jitter;
mod lookup;
mod mac;
mod map;
mod names;
mod national_id;
mod national_rules;
mod nested;
mod noise;
mod null;
mod number;
mod otherwise;
mod params;
mod partial;
mod parts;
mod person;
mod phone;
mod phone_plans;
mod phone_shape;
mod postcode;
mod range;
mod rank_preserving;
mod redact;
mod round;
mod scrub;
mod sentence;
mod shuffle;
mod ssn;
mod street;
mod template;
mod time_noise;
mod token;
mod truncate;
mod url;
mod user_agent;
mod user_name;
mod uuid;
mod vat;
mod vat_rules;
mod vin;
mod word;
mod zip3;

/// Every masking function, alphabetically.
pub const ALL: &[&dyn Function] = &[
    &address::Address,
    &aes_siv::AesSiv,
    &age::Age,
    &bucket::Bucket,
    &card::Card,
    &choice::Choice,
    &city::City,
    &clip::Clip,
    &company::Company,
    &constant::Constant,
    &country::Country,
    &date_shift::DateShift,
    &datetime_shift::DatetimeShift,
    &default::Default,
    &elements::Elements,
    &email::Email,
    &ff1::Ff1,
    &ff1_number::Ff1Number,
    &fields::Fields,
    &first_name::FirstName,
    &flip::Flip,
    &full_name::FullName,
    &geohash::Geohash,
    &hash::Hash,
    &iban::Iban,
    &imei::Imei,
    &ip::Ip,
    &isbn::Isbn,
    &isin::Isin,
    &job::Job,
    &json::Json,
    &last_name::LastName,
    &location_jitter::LocationJitter,
    &lookup::Lookup,
    &mac::Mac,
    &map::MapMask,
    &national_id::NationalId,
    &noise::Noise,
    &null::Null,
    &number::NumberIn,
    &partial::Partial,
    &person::Person,
    &phone::Phone,
    &postcode::Postcode,
    &rank_preserving::RankPreserving,
    &redact::Redact,
    &round::Round,
    &scrub::Scrub,
    &sentence::Sentence,
    &ssn::Ssn,
    &street::Street,
    &template::Template,
    &time_noise::TimeNoise,
    &token::Token,
    &truncate::Truncate,
    &url::Url,
    &user_agent::UserAgent,
    &user_name::UserName,
    &uuid::Uuid,
    &vat::Vat,
    &vin::Vin,
    &word::Word,
    &zip3::Zip3,
];

/// Functions that must have seen the whole column before they mask a row ([`crate::Mask::collect`]).
pub const WHOLE: &[&dyn Function] = &[&shuffle::Shuffle];

/// Every function there is.
pub fn all() -> impl Iterator<Item = &'static dyn Function> {
    ALL.iter().chain(WHOLE).copied()
}

/// The function of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Function> {
    all().find(|function| function.name() == name)
}

/// Names of the functions that take columns of this type, alphabetically.
#[must_use]
pub fn fitting(input: &DataType) -> Vec<&'static str> {
    ALL.iter().filter(|function| function.accepts(input)).map(|function| function.name()).collect()
}
