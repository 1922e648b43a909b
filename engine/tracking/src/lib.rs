//! What is kept over time, and for how long: schemas of sources and what changed in them.
//!
//! Data in, data out: nothing here reads a file, a clock or a key.

pub mod schema;

pub mod changes;

pub mod policy;

pub mod log;
