//! The catalogue: one file per function, one line in [`ALL`].

use arrow::datatypes::DataType;

use crate::function::Function;

mod aes_siv;
mod bucket;
mod card;
mod city;
mod company;
mod composed;
mod constant;
mod date_shift;
mod domain;
mod email;
mod ff1;
mod ff1_number;
mod first_name;
mod full_name;
mod iban;
mod identifier;
mod imei;
mod isbn;
mod isin;
mod last_name;
mod national_id;
mod national_rules;
mod noise;
mod null;
mod params;
mod partial;
mod phone;
mod redact;
mod ssn;
mod street;
mod token;
mod truncate;
mod vat;
mod vat_rules;
mod vin;

/// Every masking function, alphabetically.
pub const ALL: &[&dyn Function] = &[
    &aes_siv::AesSiv,
    &bucket::Bucket,
    &card::Card,
    &city::City,
    &company::Company,
    &constant::Constant,
    &date_shift::DateShift,
    &email::Email,
    &ff1::Ff1,
    &ff1_number::Ff1Number,
    &first_name::FirstName,
    &full_name::FullName,
    &iban::Iban,
    &imei::Imei,
    &isbn::Isbn,
    &isin::Isin,
    &last_name::LastName,
    &national_id::NationalId,
    &noise::Noise,
    &null::Null,
    &partial::Partial,
    &phone::Phone,
    &redact::Redact,
    &ssn::Ssn,
    &street::Street,
    &token::Token,
    &truncate::Truncate,
    &vat::Vat,
    &vin::Vin,
];

/// The function of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Function> {
    ALL.iter().copied().find(|function| function.name() == name)
}

/// Names of the functions that take columns of this type, alphabetically.
#[must_use]
pub fn fitting(input: &DataType) -> Vec<&'static str> {
    ALL.iter().filter(|function| function.accepts(input)).map(|function| function.name()).collect()
}
