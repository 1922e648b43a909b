//! How a run is going: redrawn lines on a terminal, plain lines in CI, lines of JSON for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine_runtime::event::{Event, Observer};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::lines;
use super::table::{bytes, count, counted};
use crate::console::{Console, Loudness};

/// One line of JSON for each event.
pub(crate) struct Json(pub Console);

impl Observer for Json {
    fn notice(&self, event: &Event) {
        self.0.tell(&lines::event(event));
    }
}

/// One line for what a person wants to know.
pub(crate) struct Plain(pub Console);

impl Observer for Plain {
    fn notice(&self, event: &Event) {
        if let Some(line) = words(event, self.0.loudness) {
            self.0.note(&line);
        }
    }
}

/// One redrawn line for each export that is being written; above them what is done.
pub(crate) struct Bars {
    console: Console,
    all: MultiProgress,
    exports: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Bars {
    /// Draws on stderr, at most ten times a second.
    pub(crate) fn new(console: Console) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        Self { console, all, exports: Mutex::new(BTreeMap::new()) }
    }

    fn start(&self, export: &str) {
        let style = "{spinner} {prefix}  {human_pos} rows  {rate}  {elapsed}";
        let bar = self.all.add(ProgressBar::no_length());
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style.with_key("rate", rate));
        }
        bar.set_prefix(export.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        self.bars().insert(export.to_owned(), bar);
    }

    fn end(&self, export: &str) {
        if let Some(bar) = self.bars().remove(export) {
            bar.finish_and_clear();
        }
    }

    fn bars(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, ProgressBar>> {
        self.exports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Bars {
    fn notice(&self, event: &Event) {
        match event {
            Event::ExportStarted { export } => self.start(export),
            Event::RowsWritten { export, rows } => {
                if let Some(bar) = self.bars().get(export) {
                    bar.inc(*rows);
                }
            }
            Event::ExportReused { export, .. }
            | Event::ExportCommitted { export, .. }
            | Event::ExportFailed { export, .. } => self.end(export),
            Event::RunStarted { .. }
            | Event::ChunkWritten { .. }
            | Event::HistoryRecorded { .. }
            | Event::ExportLoaded { .. } => {}
        }
        if !matches!(event, Event::ExportStarted { .. })
            && let Some(line) = words(event, self.console.loudness)
        {
            // Fails only when stderr is closed: then nobody is reading.
            let _ = self.all.println(line);
        }
    }
}

/// Rows a second, whole: what is behind the point changes too fast to read.
fn rate(state: &ProgressState, out: &mut dyn fmt::Write) {
    // A line that cannot be drawn is drawn at the next tick.
    let _ = write!(out, "{} rows/s", count(state.per_sec() as u64));
}

/// What to say about an event. Counts of rows would be a line for every batch.
fn words(event: &Event, loudness: Loudness) -> Option<String> {
    let verbose = loudness == Loudness::Verbose;
    match event {
        Event::RunStarted { run, exports } => {
            verbose.then(|| format!("run {run}: {}", counted(*exports as u64, "export")))
        }
        Event::ExportStarted { export } => Some(format!("{export}: writing")),
        Event::RowsWritten { .. } => None,
        Event::ChunkWritten { export, chunk, rows, bytes: size } => verbose
            .then(|| format!("{export}: chunk {chunk}, {} rows, {}", count(*rows), bytes(*size))),
        Event::ExportReused { export, snapshot } => {
            Some(format!("{export}: unchanged, snapshot {snapshot} stays"))
        }
        Event::ExportCommitted { export, snapshot, rows, chunks } => Some(format!(
            "{export}: snapshot {snapshot} committed, {} in {}",
            counted(*rows, "row"),
            counted(*chunks as u64, "chunk")
        )),
        Event::ExportLoaded { export, connection, table, rows } => {
            Some(format!("{export}: {} loaded into {connection}.{table}", counted(*rows, "row")))
        }
        Event::HistoryRecorded { history, snapshot, appended } => Some(format!(
            "{history}: snapshot {snapshot} recorded, {} appended",
            counted(*appended, "row")
        )),
        Event::ExportFailed { export, code } => Some(format!("{export}: failed ({code})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_told_to_the_verbose_only() {
        let event = Event::ChunkWritten {
            export: "customers".to_owned(),
            chunk: "c1".to_owned(),
            rows: 1000,
            bytes: 2048,
        };
        assert_eq!(words(&event, Loudness::Normal), None);
        assert_eq!(
            words(&event, Loudness::Verbose).as_deref(),
            Some("customers: chunk c1, 1,000 rows, 2.0 KiB")
        );
    }
}
