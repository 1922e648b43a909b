//! The catalogue: one file per function, one line in [`ALL`].

use arrow::datatypes::DataType;

use crate::function::Function;

mod city;
mod company;
mod composed;
mod email;
mod first_name;
mod full_name;
mod last_name;
mod null;
mod params;
mod redact;
mod street;
mod token;

/// Every masking function, alphabetically.
pub const ALL: &[&dyn Function] = &[
    &city::City,
    &company::Company,
    &email::Email,
    &first_name::FirstName,
    &full_name::FullName,
    &last_name::LastName,
    &null::Null,
    &redact::Redact,
    &street::Street,
    &token::Token,
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
