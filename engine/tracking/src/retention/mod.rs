//! Retention: what has to go, when, and what stays whatever a policy says.
//!
//! Data in, data out. The caller lists what is in the store ([`Inventory`], [`Record`]), says what
//! time it is, and is told what is [due](fn@due); it does that, in the order given here.
//!
//! ```text
//!              a policy wants it gone              grace is over
//!   ┌──────┐ ─────────────────────────▶ ┌────────────┐ ───────────▶ ┌───────────┐
//!   │ live │                            │ tombstoned │              │ collected │
//!   └──────┘ ◀───────────────────────── └────────────┘              └───────────┘
//!              nothing wants it gone       since T;                   chunks first, then the
//!              any more, or a hold         readers pass               manifest; the tombstone
//!              was placed                  over it                    stays, with its digest
//! ```
//!
//! # Which snapshots go
//!
//! A snapshot goes when **any** rule of any policy of its export wants it gone: the strictest wins.
//!
//! - `keep: N`: it is not among the last N versions. Versions are counted, not what is left of them,
//!   so nothing comes back because something else went; fewer than N may be left. The newest never
//!   goes by this rule, and `keep: 0` is refused.
//! - `max_age`: it was committed longer ago than that. **The newest goes, too**: nothing is kept
//!   longer than it may be. It is flagged [`is_newest`](Item::is_newest), and has its grace like any
//!   other. No snapshot counts as younger than one committed after it, so what goes by age is always
//!   a beginning of the chain, and an older state never becomes the newest again.
//! - `rows`: it holds expired rows, and is not the newest. The newest is made to do without them by
//!   a further snapshot ([`Rewrite`]); then it is no longer the newest. Manifests name each other's
//!   digests, so older ones cannot be written anew. Expired rows are out of readers' sight at the
//!   next `apply`, and out of the store one grace later.
//!
//! Older means strictly older; [`Span`] says how days, months and years are reckoned.
//!
//! # Which chunks go
//!
//! - With the last snapshots that name them, at once: these have had their grace. A chunk that any
//!   other snapshot names, live or tombstoned, stays. A run may therefore take chunks over from a
//!   live snapshot without fear, as long as it lasts no longer than the grace.
//! - Named by none: a killed run left it, or a running one is about to commit it. After 24 hours
//!   since it was last written it is tombstoned, and destroyed when its grace is over; a snapshot
//!   that names it meanwhile restores it. [`reserved`](Inventory::reserved) ones stay.
//! - An export without any policy keeps even those.
//!
//! # Holds
//!
//! While any policy of an export is on hold, nothing of it goes: no tombstone is made, none is acted
//! on, no row expires, no leftover is collected. What is tombstoned is live again, and has a
//! new grace when the hold ends. What would have gone is listed as [`held`](Due::held).
//!
//! # Grace
//!
//! Counts from the tombstone, by the policies as they are now: where several want a thing gone, the
//! shortest. A tombstone from the future counts from its moment, and so never shorter.
//!
//! # Clocks
//!
//! `now` may jump. Nothing is destroyed in the run of `apply` that first wants it gone, so one jump
//! ahead destroys no more than what was tombstoned before; and when the clock is right again, what
//! should not have been tombstoned is restored. [`suspicious`] finds jumps, for the caller to refuse.
//!
//! # How it is done
//!
//! ```text
//!  1  due.tombstones()    conditional commit of the document; refused: begin again
//!  2  Deletion::of()      on record
//!  3  due.destroy         in its order: copy to `cold` first, then destroy chunks, then manifests,
//!                         the oldest first
//!  4  due.rewrite         the next snapshot, by conditional commit
//! ```
//!
//! Interrupted anywhere, the whole is begun again. What was destroyed is not in the next inventory;
//! a snapshot half destroyed still has its manifest and tombstone, and goes on being destroyed,
//! unless a hold came in between, which keeps what is left. A thing is
//! collected when an inventory shows it gone; only then does its tombstone say so.
//!
//! The next commit of an export follows the greatest version of store and
//! [tombstones](Tombstones::newest_version), and names that one's digest, be it collected or not.

mod clock;
mod deletion;
mod due;
mod export;
mod inventory;
mod judge;
mod policy;
mod records;
mod rows;
mod span;
mod tombstones;

pub use clock::{Suspicion, suspicious, suspicious_among};
pub use deletion::{DELETION_VERSION, Deletion, digest_of};
pub use due::{Due, Hold, Item, Summary, Totals};
pub use export::due;
pub use inventory::{Chunk, Inventory, Record, Snapshot};
pub use policy::{LegalHold, Policy, PolicyError, RecordClass, RowRule, SnapshotRule};
pub use records::due_records;
pub use rows::{ChunkFate, CutOff, Rewrite, chunk_fate, cut_offs};
pub use span::{Moment, Span, SpanError};
pub use tombstones::{Cause, FORMAT_VERSION, Reason, Tombstone, Tombstones, TombstonesError, What};
