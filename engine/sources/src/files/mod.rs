//! Tables made of files: where they are, which there are, and how they are read.
//!
//! ```text
//!  url + path ──stores──▶ object store ──listing──▶ files, sorted by name
//!                                                     │
//!        columnar (Parquet, Arrow) ◀──────────────────┼──────────────▶ text (CSV, JSON lines)
//!        DataFusion's own scan                        │                fetch ▶ decompress ▶ decode
//!                                                     ▼                ▶ rows, a file at a time
//!                                              connection: check, discover, fingerprint
//! ```

mod s3;

pub(crate) mod stores;

pub(crate) mod listing;

pub(crate) mod fetch;

pub(crate) mod compression;

pub(crate) mod encoding;

pub(crate) mod text;

pub(crate) mod ipc;

pub(crate) mod guard;

pub(crate) mod columnar;

pub(crate) mod connection;
