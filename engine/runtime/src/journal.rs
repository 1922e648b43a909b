//! The journal of a run: `target/run_results.json`, one JSON object a line, appended as things happen,
//! so that a killed run leaves what it had done. It holds names, ids and counts, never a value.
//!
//! ```text
//!  {"line":"run", …}                      once, first
//!  {"line":"export", …}                   an export begins: what it is made from
//!  {"line":"chunk", …}                    a chunk is complete in the store
//!  {"line":"outcome", …}                  an export ended
//!  {"line":"end", …}                      the run ended; absent after a kill
//! ```

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files;

/// Bytes of a journal that is read back.
const JOURNAL_BYTES_MAX: u64 = 256 << 20;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// A run, or another attempt of it, began.
    Run {
        /// The run's id.
        run: String,
        /// 1 for the run itself, then one more for each retry.
        attempt: u32,
        /// The target.
        target: String,
        /// The exports it was asked for, in order.
        exports: Vec<String>,
        /// When, in UTC.
        started_at: String,
    },
    /// An export began to be written.
    Export {
        /// The export.
        export: String,
        /// The digest of its definition.
        definition: String,
        /// The version of the engine that writes it.
        engine: String,
        /// The fingerprints of what it reads, by table.
        sources: Vec<(String, String)>,
        /// Streams that write it.
        partitions: usize,
        /// Whether a retry may go on inside it.
        resumable: bool,
    },
    /// A chunk is complete in the store.
    Chunk {
        /// The export.
        export: String,
        /// The chunk's id.
        id: String,
        /// The stream that wrote it.
        partition: usize,
        /// Its rows.
        rows: u64,
        /// Its bytes in the store.
        bytes: u64,
        /// The digest of those bytes.
        digest: String,
    },
    /// An export ended.
    Outcome {
        /// The export.
        export: String,
        /// How.
        status: Status,
        /// The snapshot that now is the newest, where there is one.
        snapshot: Option<u64>,
        /// Its rows.
        rows: Option<u64>,
        /// The codes of what went wrong.
        codes: Vec<String>,
    },
    /// The run ended.
    End {
        /// The exit status.
        exit: u8,
        /// When, in UTC.
        ended_at: String,
    },
}

/// How an export ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A new snapshot was committed.
    Committed,
    /// Nothing had changed; the last snapshot stays.
    Reused,
    /// It failed; the last snapshot stays.
    Failed,
    /// It was not tried.
    Skipped,
}

/// Bytes of the note of which operation is at work.
const MARKER_BYTES_MAX: u64 = 1 << 10;

/// The journal of the current run.
#[derive(Debug, Clone)]
pub struct Journal {
    path: PathBuf,
}

impl Journal {
    /// The journal of the project in `root`.
    pub fn of(root: &Path) -> Self {
        let path = root.join("target").join("run_results.json");
        Self { path: path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the right to write it; `None` when another run has it. Lines of two runs, of two targets for
    /// example, could not be told apart by a retry.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn lock(&self) -> io::Result<Option<files::Lock>> {
        files::lock(&self.path.with_file_name("run.lock"))
    }

    /// Notes which operation is at work here, until [`Journal::unmark`].
    ///
    /// # Errors
    /// Those of the file system.
    pub fn mark(&self, operation: &str) -> io::Result<()> {
        files::write(&self.marker(), operation.as_bytes())
    }

    /// The operation that was at work here and never ended.
    #[must_use]
    pub fn marked(&self) -> Option<String> {
        let bytes = files::read(&self.marker(), MARKER_BYTES_MAX).ok()?;
        String::from_utf8(bytes).ok().filter(|operation| !operation.is_empty())
    }

    /// Notes that it ended.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn unmark(&self) -> io::Result<()> {
        files::write(&self.marker(), b"")
    }

    fn marker(&self) -> PathBuf {
        self.path.with_file_name("at_work")
    }

    /// Begins a new journal, in place of the last run's.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn begin(&self, first: &Line) -> io::Result<()> {
        files::write(&self.path, text(first)?.as_bytes())
    }

    /// Begins another attempt after the whole lines of those before it: what a full disk cut short must
    /// not swallow the line that follows it.
    ///
    /// # Errors
    /// Those of the file system; `InvalidData` as [`Journal::read`].
    pub fn begin_again(&self, first: &Line) -> io::Result<()> {
        let mut whole = String::new();
        for line in &self.read()? {
            whole.push_str(&text(line)?);
        }
        whole.push_str(&text(first)?);
        files::write(&self.path, whole.as_bytes())
    }

    /// Appends a line.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn append(&self, line: &Line) -> io::Result<()> {
        files::append(&self.path, text(line)?.as_bytes())
    }

    /// The lines of the last run. A last line that was cut short by a kill is left out.
    ///
    /// # Errors
    /// Those of the file system; `InvalidData` when a line before the last is not of a journal.
    pub fn read(&self) -> io::Result<Vec<Line>> {
        let bytes = files::read(&self.path, JOURNAL_BYTES_MAX)?;
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole.lines().map(|line| {
            serde_json::from_str(line)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not a line of a journal"))
        });
        lines.collect()
    }
}

fn text(line: &Line) -> io::Result<String> {
    let mut text = serde_json::to_string(line).map_err(io::Error::other)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cut_short_is_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::of(directory.path());
        let end = Line::End { exit: 0, ended_at: "2026-01-01T00:00:00Z".to_owned() };
        journal.begin(&end).unwrap();
        journal.append(&end).unwrap();
        files::append(&journal.path, b"{\"line\":\"en").unwrap();
        assert_eq!(journal.read().unwrap(), vec![end.clone(), end.clone()]);
        journal.begin_again(&end).unwrap();
        assert_eq!(journal.read().unwrap(), vec![end.clone(), end.clone(), end]);
    }
}
