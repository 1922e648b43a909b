//! The contract every masking function keeps, checked on the whole catalogue.

mod bound;

mod arrays;

mod conformance;
mod distribution;
mod examples;
mod parameters;
mod vectors;
