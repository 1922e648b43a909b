//! Every command that touches data, on record: what was done, by whom, how it went.
//!
//! ```text
//!  Record ──append──▶ Line ─────────────▶ store        one chain per writer and class, MAC by MAC
//!                                            │
//!              verify ◀── faults   lines ◀───┘
//!                                    │ fold, for one tenant or all
//!                                    ▼
//!                                Operations ──┬──▶ crashed     ends of those that have none
//!                                             ├──▶ statistics  durations, trends, anomalies, volumes
//!                                             ├──▶ report      text, Markdown, JSON, HTML
//!                                             └──▶ export      OpenLineage, Prometheus
//!                                  lines ──┬─────▶ export      NDJSON, CSV
//!                                          └─────▶ summary     what they amount to, kept beside them
//! ```
//!
//! Data in, data out: the clock, the key of the MAC, the store and the question of whether a process
//! still lives are the caller's.

mod hex;
mod instant;
mod plain;
mod script;

pub mod record;

pub mod chain;

mod fold;

mod filter;

mod overview;

pub mod summary;

mod crash;

pub mod statistics;

pub mod export;

pub mod report;

pub use crash::{Closing, crashed};
pub use filter::Filter;
pub use fold::{Folded, Operation, Scope, fold};
pub use hex::{ExecutionId, Hex, HexError, Mac, WriterId};
pub use overview::{Glance, NodeGlance, Overview};
pub use record::{
    Event, EventKind, Execution, Failure, Message, Node, Object, ObjectKind, Privacy, Record,
    State, Status, Volume,
};
pub use script::{Class, ScriptType, WordError};
