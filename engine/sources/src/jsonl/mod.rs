//! JSON lines: one JSON object per line, UTF-8.
//!
//! ```text
//!  text ──lines──▶ arrow-json ──▶ scalars as text ──▶ cells of the declared types
//!                             └─▶ lists, structs as they are
//! ```

pub(crate) mod options;

pub(crate) mod lines;

pub(crate) mod decoding;

pub(crate) mod reader;
