//! History of an export: every version of every row, and never a row changed.
//!
//! ```text
//!  export's batch ─┬─▶ hash ──▶ keys, diffs ──▶ diff ──▶ outcomes ──▶ rows ──▶ hub, satellite, links
//!                  │                             ▲                              │   (appended)
//!                  │     newest version of ──────┘                              ▼
//!  schema ─────────┴─▶ vault                key                               views ──▶ SQL
//!                                                                             fields ─▶ what changed
//! ```
//!
//! Arrow in, Arrow out. What is exported is masked already, so a history shows no more than its export
//! did, and is sealed like it. Callers read and write chunks, say when a load was, and execute the SQL.
//!
//! A run does, for one load:
//!
//! ```text
//!  1  load = Load::new(date, source, newest)         newest: of the last load, from its record
//!  2  parts_needed(keys + rows, memory)              keys: rows of the hub; rows: of the export
//!  3  for each Part: CurrentState::new(&load, …), insert the satellite's rows, compare()
//!  4  for each batch: vault.hash, probe, then hub_rows, satellite_rows, link_rows
//!  5  finish(); closing_rows of all that is gone()
//!  6  load.settle(sum of tallies)                    before anything is committed
//! ```
//!
//! What is kept no longer goes by [`Ages`]: versions that were superseded long ago, and rows that expired.
//!
//! A batch whose key is not unique is known at step 5 only, so what is written in step 4 must not be
//! visible before step 6.

mod columns;
mod diff;
mod encode;
mod entry;
mod error;
mod expiry;
mod fields;
mod hash;
mod links;
mod load;
mod rows;
mod segment;
mod table;
mod thinned;
mod vault;
mod views;

pub use columns::{
    HASH_DIFF, HASH_KEY, IS_CURRENT, IS_DELETED, LINK_HASH_KEY, LOAD_DATE, LOAD_END_DATE,
    RECORD_SOURCE, REFERENCE, REFERENCED_HASH_KEY, RESERVED, TENANT_HASH_KEY, VERSION,
};
pub use diff::{Comparison, CurrentState, Findings, Outcome, Recorded, bytes_needed, parts_needed};
pub use entry::{Part, partition_of};
pub use error::HistoryError;
pub use expiry::{Ages, Expired, expiry_bytes, expiry_parts};
pub use fields::{FieldChange, VersionChange, VersionKind};
pub use hash::{DIFF_BYTES, KEY_BYTES, NO_DIFF, hash_diffs, hash_keys, hash_links, hash_tenants};
pub use links::LinkState;
pub use load::{Load, Tally};
pub use rows::Hashed;
pub use thinned::Thinned;
pub use vault::{Reference, Vault, VaultTable};
pub use views::TenantKey;
