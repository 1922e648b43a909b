//! The catalogue: one file per function, one line in [`ALL`].

use arrow::datatypes::DataType;

use crate::function::Function;

mod aes_siv;
mod bucket;
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
mod last_name;
mod noise;
mod null;
mod params;
mod partial;
mod phone;
mod redact;
mod street;
mod token;
mod truncate;

/// Every masking function, alphabetically.
pub const ALL: &[&dyn Function] = &[
    &aes_siv::AesSiv,
    &bucket::Bucket,
    &city::City,
    &company::Company,
    &constant::Constant,
    &date_shift::DateShift,
    &email::Email,
    &ff1::Ff1,
    &ff1_number::Ff1Number,
    &first_name::FirstName,
    &full_name::FullName,
    &last_name::LastName,
    &noise::Noise,
    &null::Null,
    &partial::Partial,
    &phone::Phone,
    &redact::Redact,
    &street::Street,
    &token::Token,
    &truncate::Truncate,
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
