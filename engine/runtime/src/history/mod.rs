//! The history of an export's rows, in the store: what each snapshot brought is appended.
//!
//! ```text
//!  export's snapshot ──▶ record ──▶ <name>_h   hub        each in the layout of an export: chunks, and
//!                          │        <name>_l   links      manifests that name all chunks so far
//!                          └──────▶ <name>_s   satellite  committed last: it names the versions of the others
//!
//!  stored ──▶ tables ──▶ <name>, <name>_current, <name>_as_of …   for queries, of one tenant or all
//!         └─▶ rows                                                 what became of one key
//! ```
//!
//! A load is there when the satellite's manifest is. A run that is killed before leaves chunks that nothing names,
//! and versions of hub and links that no satellite names: the next load goes on from what the satellite names.

mod layout;
mod stored;
mod compared;
mod commit;
mod record;
mod fence;
mod tables;
mod rows;

pub use compared::exact;
pub(crate) use fence::Fenced;
pub use layout::{Layout, is_own, refused};
pub use record::{Caught, HistoryDone, Recorder};
pub use rows::{RowHistory, of_key};
pub use stored::{Document, Recorded, Shelf, Snapshot, all_tables, same_key};
pub(crate) use tables::beside;
pub use tables::{Asked, Bound, Opened};
