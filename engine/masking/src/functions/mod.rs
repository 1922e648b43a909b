//! The catalogue: one file per function, one line in [`ALL`].

use arrow::datatypes::DataType;

use crate::function::Function;

mod null;
mod params;
mod redact;

/// Every masking function, alphabetically.
pub const ALL: &[&dyn Function] = &[&null::Null, &redact::Redact];

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
