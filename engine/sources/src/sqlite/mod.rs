//! SQLite databases: reading their catalog and rows, and loading tables.
//!
//! ```text
//!  catalog ──▶ tables, columns, keys, references, declared types
//!  filters ──▶ the part of a WHERE that SQLite evaluates as DataFusion would
//!  reader  ──▶ SELECT … on a blocking thread ──▶ batches
//!  loader  ◀── batches, inside one transaction
//! ```

pub(crate) mod database;

pub(crate) mod catalog;

pub(crate) mod filters;

pub(crate) mod reader;

pub(crate) mod ddl;

pub(crate) mod bind;

pub(crate) mod receipt;

pub(crate) mod loader;
