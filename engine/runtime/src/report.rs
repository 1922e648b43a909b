//! How a run ended, export by export.

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Failure};
use crate::exit::Exit;
use crate::history::HistoryDone;
use crate::journal::Status;
use crate::operation::Told;
use crate::retention::ExportRetention;

/// How a run ended.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// The run's id.
    pub run: String,
    /// Its exports, in order.
    pub exports: Vec<ExportReport>,
    /// Why the failed ones failed.
    #[serde(skip)]
    pub failures: Vec<Failure>,
    /// What should be looked at though nothing failed.
    #[serde(skip)]
    pub warnings: Vec<Failure>,
    /// What retention did at its end, export by export.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retention: Vec<ExportRetention>,
    /// What goes on record of all of them.
    #[serde(skip)]
    pub told: Told,
}

/// What goes on record of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportTold {
    /// Rows that its sources handed to its plan.
    pub rows_read: u64,
    /// Rows it wrote, where at least one of its columns is masked.
    pub rows_masked: u64,
    /// How long it took, loads included.
    pub duration_us: u64,
}

/// How one export of a run ended.
#[derive(Debug, Clone, Serialize)]
pub struct ExportReport {
    /// The export.
    pub export: String,
    /// How it ended.
    pub status: Status,
    /// The newest snapshot.
    pub snapshot: Option<u64>,
    /// Its rows.
    pub rows: Option<u64>,
    /// Its chunks.
    pub chunks: Option<usize>,
    /// Its bytes in the store.
    pub bytes: Option<u64>,
    /// Chunks that an earlier attempt had written.
    pub resumed_chunks: usize,
    /// What its histories were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub histories: Vec<HistoryDone>,
    /// What was loaded.
    pub loads: Vec<LoadDone>,
    /// The codes of what went wrong.
    pub codes: Vec<String>,
    /// What should be looked at though nothing went wrong.
    #[serde(skip)]
    pub warnings: Vec<Diagnostic>,
    /// What goes on record.
    #[serde(skip)]
    pub told: ExportTold,
}

/// A finished load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadDone {
    /// The connection.
    pub connection: String,
    /// The table.
    pub table: String,
    /// Rows loaded.
    pub rows: u64,
}

impl RunReport {
    /// The exit code: the first failure's, or ok.
    pub fn exit(&self) -> Exit {
        self.failures.iter().map(Failure::exit).max().unwrap_or(Exit::Ok)
    }
}
