//! Where rows come from and go to.
//!
//! A [`Connector`] (one per kind: a file format or a database) makes a [`Connection`] of
//! the parameters a project gives; a connection lists tables, offers each as a
//! DataFusion table, and may have a [`Loader`] that writes rows.
//!
//! ```text
//!  parameters ──connect──▶ Connection ──table──▶ TableProvider ──scan──▶ record batches
//!                              │
//!                              └──loader──▶ Loader ◀── record batches
//! ```
//!
//! What is deliberately absent: masking, projects and keys. This crate reads and writes
//! what it is told to, and no error, log or file name of it ever holds a cell value.

// Leaves first: a module uses only those above it (blank lines keep rustfmt from sorting).
pub mod error;

mod params;

mod missing;

pub mod connector;

pub mod types;

mod recorded;

mod parse;

mod cells;

mod rows;

mod producer;

mod scan;

mod sqlite;

mod files;

mod csv;

mod jsonl;

pub mod kinds;

pub use connector::{
    Catalog, ConnectContext, Connection, Connector, ContentStatistics, DeclaredColumn,
    FoundReference, FoundTable, LoadMode, LoadReport, LoadRequest, Loader, TableRequest,
    TableState,
};
pub use error::{ParameterProblem, Place, SourceError, SourceErrorKind, source_error};

#[cfg(test)]
#[path = "../tests/conformance/mod.rs"]
mod conformance;
