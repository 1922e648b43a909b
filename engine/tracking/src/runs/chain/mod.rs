//! Records in chains: what was taken out, put in or changed later on shows.
//!
//! ```text
//!   writer a, execution     1 ◀── 2 ◀── 3 ◀── 4          head 4
//!   writer a, security      1 ◀── 2                      head 2
//!   writer b, execution     1 ◀── 2 ◀── 3                head 3
//!                                 └─ seen: head 4 of a's
//! ```
//!
//! Each line holds the MAC of the one before it and its own, over its position, its chain, what it
//! has seen of others and its record.
//!
//! # Several writers
//!
//! One store has many writers, and none waits for another: **each writer has chains of its own, one
//! for each class of record.** A chain belongs to one writer at a time, which puts each line into the
//! store under a name made of chain and position, on condition that there is none of that name; who
//! loses reads the chain's end and goes on from there. Classes are kept for different times, so each
//! has its chain: retention takes away the beginning of one, never its middle.
//!
//! A chain alone cannot show that it was cut off, or is gone altogether. Two things do:
//!
//! - a [`Mark`] per chain, written after its line: the **head**, the newest position and its MAC. The
//!   store may lag a line behind, and lines beyond the head are no fault;
//! - what a line has **seen**: a writer notes the heads of others' chains in its own next line. To
//!   take a chain back unnoticed, all chains that have seen it must be taken back, too.
//!
//! Whoever takes the whole store back to an earlier day, marks included, is found out only by who
//! remembers a head from elsewhere: the caller passes such a head in with the others.
//!
//! # Retention
//!
//! What it removes is the beginning of a chain; it leaves an **anchor**, the mark of the last line
//! removed. Anchors are sealed as heads are, so that nobody removes lines and says it was retention.
//!
//! # Compaction
//!
//! Small files become a large one with their [lines as they are](merge). Interrupted, it leaves some
//! twice: an exact copy says nothing new, and is no fault.

mod compact;
mod line;
mod mark;
mod verify;
mod writer;

pub use compact::{CompactionLimits, RecordFile, compactable, merge};
pub use line::{FORMAT_VERSION, Line, LineError, read};
pub use mark::{Mark, MarkError, MarkKind};
pub use verify::{Fault, Known, verify};
pub use writer::{Writer, heads};

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    hex::{Mac, WriterId},
    script::Class,
};

/// Makes a MAC of bytes, under a key that the caller holds.
pub type MacOf<'a> = dyn Fn(&[u8]) -> [u8; 32] + 'a;

/// The name of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainId {
    /// Who writes it.
    pub writer: WriterId,
    /// Of which records it is made.
    pub class: Class,
}

impl fmt::Display for ChainId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.writer, self.class.word())
    }
}

/// A place in a chain, and what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Of which chain.
    pub chain: ChainId,
    /// The position, from 1.
    pub position: u64,
    /// The MAC of the line there.
    pub mac: Mac,
}
