//! How findings, progress and documents look: for people, and as lines of JSON for programs.

pub(crate) mod excerpt;
pub(crate) mod ink;

pub(crate) mod diagnostics;
pub(crate) mod kept;
pub(crate) mod lines;
pub(crate) mod page;
pub(crate) mod planned;
pub(crate) mod progress;
pub(crate) mod ran;
pub(crate) mod rows;
pub(crate) mod table;
