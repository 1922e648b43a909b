//! Writing: masked batches in, sealed chunks out.
//!
//! ```text
//!  batches ─▶ SealExec ─▶ router ─▶ chunk writer ─▶ Parquet ─▶ Tink stream ─▶ object store
//!             (one per    (one open  (row groups,    (1 MiB       (multipart,
//!             partition)  chunk per   zstd)          segments)     bounded)
//!                         value)
//! ```

mod error;
mod encoding;
mod chunk;
mod exec;
mod router;
mod sink;

pub use chunk::{ChunkSpec, ChunkTarget, MAGIC_ENCRYPTED, PARTITION_KEY};
pub use error::SealError;
pub use exec::{SealExec, SealServices, SealedChunk, decode_chunks};
pub use sink::ChunkSink;
