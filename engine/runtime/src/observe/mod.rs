//! Tests of an export's rows, made while the rows pass by on their way into chunks.
//!
//! ```text
//!  source ─▶ mask ───────────────▶ published columns ─┬─▶ chunks
//!      └──▶ keyed digests of inputs ──────────────────┴─▶ Watcher, one per stream ─▶ Watch ─▶ results
//! ```
//!
//! A stream's watcher counts rows that fail a condition, and tallies keyed digests of values and groups;
//! nothing is read twice, and no value is held. What a mask is given arrives as digests only: the values
//! themselves go no further than the projection that masks them. The watch puts the streams together
//! before the snapshot is committed.

mod check;
mod digest;
mod results;
mod tally;
mod watcher;

pub use check::{Watch, Watching, is_moment};
pub use digest::{Input, handle_function, inputs_only, with_inputs};
pub use results::Measured;
pub use watcher::Watcher;

/// Where the tests of a project keep digests that memory has no room for, from its folder.
pub const SPILL_FOLDER: &str = "target/spill";
