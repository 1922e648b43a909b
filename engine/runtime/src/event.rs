//! What a run tells whoever watches: names and counts, never values.

use serde::Serialize;

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// A run began.
    RunStarted {
        /// Its id.
        run: String,
        /// How many exports it will look at.
        exports: usize,
    },
    /// An export is being written.
    ExportStarted {
        /// The export.
        export: String,
    },
    /// Rows went through the masks and into chunks.
    RowsWritten {
        /// The export.
        export: String,
        /// Rows since the last such event.
        rows: u64,
    },
    /// A chunk is complete in the store.
    ChunkWritten {
        /// The export.
        export: String,
        /// The chunk's id.
        chunk: String,
        /// Its rows.
        rows: u64,
        /// Its bytes in the store.
        bytes: u64,
    },
    /// Nothing changed since the last snapshot, which stays.
    ExportReused {
        /// The export.
        export: String,
        /// The snapshot.
        snapshot: u64,
    },
    /// A snapshot was committed.
    ExportCommitted {
        /// The export.
        export: String,
        /// The snapshot.
        snapshot: u64,
        /// Its rows.
        rows: u64,
        /// Its chunks.
        chunks: usize,
    },
    /// A snapshot was loaded into a table of a connection.
    ExportLoaded {
        /// The export.
        export: String,
        /// The connection.
        connection: String,
        /// The table.
        table: String,
        /// Rows loaded.
        rows: u64,
    },
    /// What a snapshot brought was appended to a history.
    HistoryRecorded {
        /// The history.
        history: String,
        /// The snapshot of its export.
        snapshot: u64,
        /// Rows appended to its satellite.
        appended: u64,
    },
    /// An export was not committed, or not loaded.
    ExportFailed {
        /// The export.
        export: String,
        /// The code of the cause.
        code: &'static str,
    },
}

/// Listens to a run. Called from many threads; must not block.
pub trait Observer: Send + Sync {
    /// Takes note of an event.
    fn notice(&self, event: &Event);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn notice(&self, _: &Event) {}
}
