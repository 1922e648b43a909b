//! How findings, progress and documents look: for people, and as lines of JSON for programs.

pub(crate) mod diagnostics;
pub(crate) mod lines;
pub(crate) mod page;
pub(crate) mod progress;
pub(crate) mod table;
