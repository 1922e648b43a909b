//! Delimited text (RFC 4180 and its many relatives): options, records, rows.
//!
//! ```text
//!  text ──tokenizer──▶ record: fields, quoted or not ──reader──▶ cells of the wanted columns
//! ```

pub(crate) mod tokenizer;

pub(crate) mod options;

pub(crate) mod reader;
