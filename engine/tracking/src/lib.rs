//! What is kept over time, and for how long: schemas of sources and what changed in them.
//!
//! ```text
//!  schema ─┬─▶ changes ─┬─▶ policy   ignored, warned of, failed
//!  (a      │  (of two   └─▶ log      kept, newest first; Markdown, text
//!  record) │   records)
//!          └─▶ ddl                   PostgreSQL
//!
//!  policies + inventory + now ──▶ retention ──▶ what is due
//!  records ──▶ runs ──▶ chains, executions as they stand, statistics, reports
//!  rows + the last state ──▶ history ──▶ what a load appends; views; changed fields
//! ```
//!
//! Data in, data out. What is deliberately absent: files, stores, a clock, keys and connectors. Callers
//! read catalogs, bring the digest that stands for texts nobody asked to keep, and write what comes out.

pub mod schema;

pub mod changes;

pub mod policy;

pub mod log;

pub mod ddl;

pub mod retention;

pub mod history;

pub mod runs;

#[cfg(test)]
mod reference;

pub use changes::{Change, ChangeKind, compare};
pub use log::{ChangeLog, Entry};
pub use policy::{OnChange, Reaction, Verdict};
pub use schema::SourceSchema;
