//! SQLite databases: reading their catalog and rows, and loading tables.
//!
//! ```text
//!  catalog ──▶ tables, columns, keys, references, declared types
//!  described ▶ all of it, to be recorded
//!  filters ──▶ the part of a WHERE that SQLite evaluates as DataFusion would
//!  reader  ──▶ SELECT … on a blocking thread ──▶ batches
//!  loader  ◀── batches, inside one transaction
//! ```

pub(crate) mod database;

pub(crate) mod catalog;

mod statement;

mod recorded_types;

pub(crate) mod described;

pub(crate) mod filters;

pub(crate) mod reader;

pub(crate) mod ddl;

pub(crate) mod bind;

pub(crate) mod receipt;

pub(crate) mod loader;
