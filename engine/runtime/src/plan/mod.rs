//! The plan: what a run would read, mask and write, and what changes by that, as a canonical document
//! without any value.
//!
//! ```text
//!  BoundProject ──made──▶ Plan ──compared with a base──▶ changes: privacy, schema, data, keys
//! ```
//!
//! Equal projects, schemas and bases give equal bytes. The digest at its end binds all of it: a run that
//! was given a plan makes its own and compares.

mod change;
mod document;
mod made;
mod base;
mod treated;
mod privacy;
mod schema;
mod compared;

pub use base::{Before, BeforeColumn, BeforeExport, BeforeTreatment, Details, Word};
pub use change::{Change, Section};
pub use compared::plan;
pub use document::{
    Action, BaseName, Beside, Coverage, Coverages, Expected, FORMAT_VERSION, Plan,
    PlannedCollision, PlannedColumn, PlannedExport, PlannedField, PlannedHistory, PlannedLoad,
    PlannedReference, PlannedSource, PlannedTreatment, PlannedWhen,
};
pub use made::{Base, Described, Known, Scope, load_request};
