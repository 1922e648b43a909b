//! YAML text in, checked project out.
//!
//! ```text
//!  files ─read─▶ text ─yaml─▶ Node ─template─▶ Node ─shape─▶ raw ─resolve─▶ Project
//!                        (places kept)    (Jinja)   (JSON Schema)    (names)
//! ```
//!
//! Every step collects all its errors. There is no arrow, no tokio, no clock and no
//! environment in this crate: the environment is handed in by the caller.

// Leaves first: a module uses only modules above it.
mod location;
mod secret;
mod suggest;
mod types;

mod node;
mod problem;

mod message;
mod model;
mod duration;
mod scalar;

pub mod canonical;
mod pattern;
pub mod rules;
pub mod select;

mod template;
mod yaml;

mod de;
mod raw;
mod render;

mod resolve;
pub mod schema;
mod shape;

mod literal;
mod read;

mod load;

pub use load::{LoadOptions, load};
pub use location::{FileId, Location, SourceFile, SourceMap, Spanned};
pub use model::{
    Action, Approval, Chunking, Class, Column, ColumnPattern, ColumnTest, Connection, Declared,
    Encryption, Execution, Export, History, HistoryReference, Indirect, KeyProvider, Keys, Load,
    LoadMode, Mask, Match, MinGroup, Model, OnChange, Project, RecordAges, Reference, Relation,
    RenderedSql, Retention, RowRule, Rule, SchemaTracking, Segment, Severity, Source, Table,
    TableTest, Target, Tracking, Unclassified, When, identifier,
};
pub use model::{Destination, Topic};
pub use node::{Node, Value};
pub use problem::{Problem, ProblemKind, Problems, Thing};
pub use rules::{ColumnFacts, Decision, WhyLost, decide};
pub use secret::Setting;
pub use select::{Selection, Selector, States, select};
pub use suggest::nearest;
pub use types::{ColumnType, Date, ParseTypeError, TypePattern};
