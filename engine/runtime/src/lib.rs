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

// Leaves first: a module uses only modules above it.
pub mod clock;
pub mod exit;
pub mod event;
pub mod files;
pub mod git;
pub mod request;
pub mod types;
pub mod codes;
pub mod diagnostic;
pub mod problems;
pub mod session;
pub mod masks;
pub mod observe;
pub mod seal;
pub mod unseal;
pub mod fault;
pub mod tenant;
pub mod flow;
pub mod meaning;
pub mod bind;
pub mod keys;
pub mod rotation;
pub mod store;
pub mod graves;
pub mod tip;
pub mod records;
pub mod datasets;
pub mod pending;
pub mod outward;
pub mod summaries;
pub mod operation;
pub mod cold;
pub mod retention;
pub mod heads;
pub mod checks;
pub mod definition;
pub mod facts;
pub mod plan;
pub mod approval;
pub mod lookups;
pub mod workspace;
pub mod metadata;
pub mod selection;
pub mod journal;
pub mod execute;
pub mod publish;
pub mod history;
pub mod record_tables;
pub mod report;
pub mod resume;
pub mod delivery;
pub mod rewatch;
pub mod expiry;
pub mod keeping;
pub mod thinning;
pub mod aging;
pub mod whole;
pub mod produce;
pub mod ops;

pub use engine_project as project;
pub use engine_tracking as tracking;
