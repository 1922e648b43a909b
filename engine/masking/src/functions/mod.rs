//! The catalogue: one file per function, one line in [`ALL`].

use arrow::datatypes::DataType;

use crate::function::Function;

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
mod date_shift;
mod datetime_shift;
mod default;
mod domain;
mod email;
mod ff1;
mod ff1_number;
mod first_name;
mod flip;
mod full_name;
mod geohash;
mod hash;
mod iban;
mod identifier;
mod imei;
mod ip;
mod isbn;
mod isin;
mod last_name;
mod mac;
mod national_id;
mod national_rules;
mod noise;
mod null;
mod number;
mod params;
mod partial;
mod phone;
mod redact;
mod round;
mod shuffle;
mod ssn;
mod street;
mod time_noise;
mod token;
mod truncate;
mod url;
mod uuid;
mod vat;
mod vat_rules;
mod vin;
mod zip3;

/// Every masking function, alphabetically.
pub const ALL: &[&dyn Function] = &[
    &aes_siv::AesSiv,
    &age::Age,
    &bucket::Bucket,
    &card::Card,
    &choice::Choice,
    &city::City,
    &clip::Clip,
    &company::Company,
    &constant::Constant,
    &date_shift::DateShift,
    &datetime_shift::DatetimeShift,
    &default::Default,
    &email::Email,
    &ff1::Ff1,
    &ff1_number::Ff1Number,
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
    &last_name::LastName,
    &mac::Mac,
    &national_id::NationalId,
    &noise::Noise,
    &null::Null,
    &number::NumberIn,
    &partial::Partial,
    &phone::Phone,
    &redact::Redact,
    &round::Round,
    &ssn::Ssn,
    &street::Street,
    &time_noise::TimeNoise,
    &token::Token,
    &truncate::Truncate,
    &url::Url,
    &uuid::Uuid,
    &vat::Vat,
    &vin::Vin,
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
