//! Retention of histories: versions that were superseded long ago go, and so do rows whose time is over.
//!
//! ```text
//!  satellite ──▶ judge ──▶ marks: which rows of satellite, hub and links go
//!                            │
//!                            ▼
//!                          write ──▶ hub and links without them, then the satellite that names these
//!                            │
//!  keep ─────────────────────┴─────▶ tombstones for all snapshots of the tables that the satellite does not name
//! ```
//!
//! The tables are append-only but for this. A history's newest satellite holds all that is recorded, so snapshots of
//! its tables before the named ones serve nobody but a reader who began with them: they go when their grace is over,
//! and with them the chunks in which the rows were. A history without a policy keeps everything.

mod marks;
mod read;
mod judge;
mod write;
mod keep;

pub use keep::HistoryKeeper;
