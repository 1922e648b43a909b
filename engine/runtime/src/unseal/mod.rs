//! Reading: sealed chunks as a table, without a decrypted copy anywhere.
//!
//! ```text
//!  SQL ─▶ SnapshotTable ─▶ Parquet scan ─▶ UnsealStore ─▶ object store
//!         (the chunks of    (projection,    (opens only the    (ciphertext
//!          one manifest)     pruning)        1 MiB segments     ranges)
//!                                            a range touches)
//! ```

mod error;
pub mod footer;
mod store;
pub mod changed;
mod table;

pub use error::UnsealError;
pub use footer::chunk_file;
pub use store::{SealedFile, UnsealStore};
pub use table::{SnapshotTable, arrow_schema};
