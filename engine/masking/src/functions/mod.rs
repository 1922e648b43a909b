//! The catalogue: one file per function, one line in [`ALL`].

use arrow::datatypes::DataType;

use crate::function::Function;

mod age;
mod bucket;
mod choice;
mod city;
mod clip;
mod company;
mod composed;
mod constant;
mod date_shift;
mod datetime_shift;
mod default;
mod email;
mod first_name;
mod flip;
mod full_name;
mod geohash;
mod hash;
mod ip;
mod last_name;
mod mac;
mod noise;
mod null;
mod number;
mod params;
mod partial;
mod phone;
mod redact;
mod round;
mod street;
mod time_noise;
mod token;
mod truncate;
mod url;
mod uuid;
mod zip3;

/// Every masking function, alphabetically.
pub const ALL: &[&dyn Function] = &[
    &age::Age,
    &bucket::Bucket,
    &choice::Choice,
    &city::City,
    &clip::Clip,
    &company::Company,
    &constant::Constant,
    &date_shift::DateShift,
    &datetime_shift::DatetimeShift,
    &default::Default,
    &email::Email,
    &first_name::FirstName,
    &flip::Flip,
    &full_name::FullName,
    &geohash::Geohash,
    &hash::Hash,
    &ip::Ip,
    &last_name::LastName,
    &mac::Mac,
    &noise::Noise,
    &null::Null,
    &number::NumberIn,
    &partial::Partial,
    &phone::Phone,
    &redact::Redact,
    &round::Round,
    &street::Street,
    &time_noise::TimeNoise,
    &token::Token,
    &truncate::Truncate,
    &url::Url,
    &uuid::Uuid,
    &zip3::Zip3,
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
