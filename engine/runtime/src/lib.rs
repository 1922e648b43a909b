//! Bind, compile, plan, execute: the crate that joins the others.
//!
//! ```text
//!  project ─▶ workspace ─▶ bind ─▶ compile ─▶ seal ─▶ store      ops: one file per command
//!  masking ─▶ masks ──────┘                    unseal ◀──┘
//!  sources ─▶ bind::tables      bundle ─▶ keys, store, seal, unseal
//! ```
//!
//! What is deliberately absent: printing, arguments, the environment, the process. Those are the
//! program's; this crate takes data and gives reports.

pub mod clock;
pub mod exit;
pub mod event;
pub mod files;
pub mod request;
pub mod codes;
pub mod diagnostic;
pub mod problems;
pub mod session;
pub mod masks;
pub mod seal;
pub mod store;
pub mod unseal;
pub mod fault;
pub mod compile;
pub mod bind;
pub mod keys;
pub mod checks;
pub mod definition;
pub mod plan;
pub mod workspace;
pub mod selection;
pub mod git;
pub mod journal;
pub mod heads;
pub mod execute;
pub mod publish;
pub mod resume;
pub mod delivery;
pub mod produce;
pub mod ops;

/// What tells this build from others: its version and the versions of its masks' mappings follow from it.
pub const BUILD: &str = concat!(env!("CARGO_PKG_NAME"), "-", env!("CARGO_PKG_VERSION"));

pub use engine_project as project;
