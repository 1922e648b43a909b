//! A finished run for people: how each export ended.

use engine_runtime::journal::Status;
use engine_runtime::report::{ExportReport, RunReport};

use super::table::{Align, Listing, bytes, count};

/// One line for each export.
pub(crate) fn text(report: &RunReport) -> String {
    let mut listing = Listing::new(&[
        ("export", Align::Left),
        ("result", Align::Left),
        ("snapshot", Align::Right),
        ("rows", Align::Right),
        ("chunks", Align::Right),
        ("bytes", Align::Right),
        ("loaded into", Align::Left),
    ]);
    for export in &report.exports {
        let number = |value: Option<u64>| value.map(count).unwrap_or_default();
        listing.row([
            export.export.clone(),
            result(export),
            number(export.snapshot),
            number(export.rows),
            number(export.chunks.map(|chunks| chunks as u64)),
            export.bytes.map(bytes).unwrap_or_default(),
            loads(export),
        ]);
    }
    format!("Run {}\n\n{}", report.run, listing.render())
}

fn result(export: &ExportReport) -> String {
    let word = match export.status {
        Status::Committed => "committed",
        Status::Reused => "unchanged",
        Status::Failed => "FAILED",
        Status::Skipped => "skipped",
    };
    match export.codes.first() {
        Some(code) => format!("{word} ({code})"),
        None if export.resumed_chunks > 0 => {
            format!("{word}, {} chunks of an earlier attempt", export.resumed_chunks)
        }
        None => word.to_owned(),
    }
}

fn loads(export: &ExportReport) -> String {
    let tables: Vec<String> =
        export.loads.iter().map(|load| format!("{}.{}", load.connection, load.table)).collect();
    tables.join(", ")
}
