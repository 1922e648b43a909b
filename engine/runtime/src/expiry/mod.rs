//! Rows that leave an object of the store: only the chunks that hold any of them are written again.
//!
//! ```text
//!  snapshot 7   chunk a   chunk b   chunk c       what goes: no row of a, some of b, all of c
//!                  │         │
//!                  │         ▼ read, filter, seal
//!  snapshot 8   chunk a   chunk d                 follows 7; exists when its manifest is committed
//! ```
//!
//! Which rows go is a condition on published columns; by whose wish is for the caller to know. Killed anywhere,
//! snapshot 7 is as it was, and chunk d is one that no snapshot names, which retention collects.

mod border;
mod rewrite;
mod retest;
mod due;
mod publish;

pub use border::{Age, Border, age, datable};
pub use due::{Due, due, mark};
pub use publish::Publishing;
pub use retest::needs_tests;
pub use rewrite::{Counted, Rewriter, bare, successor};
