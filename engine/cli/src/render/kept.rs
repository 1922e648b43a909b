//! What retention means for an export, for people.

use engine_runtime::metadata::ArchivesDue;
use engine_runtime::ops::retention::Unclaimed;
use engine_runtime::records::RecordsDue;
use engine_runtime::retention::{Amount, ExportRetention, HistoryDue, RowsDue};

use super::table::{bytes, counted};
use crate::console::printable;

/// What retention means for an export, in lines.
pub(crate) fn one(export: &ExportRetention) -> String {
    let basis = export.basis.as_ref().map(|basis| format!(", {basis}")).unwrap_or_default();
    let policy = export.policy.as_ref().map(|name| format!("policy {name}"));
    let policy = policy.unwrap_or_else(|| "no policy".to_owned());
    let what = export.history.as_ref().map_or("", |_| "history ");
    let mut text = format!("{what}{}: {policy}{}\n", export.export, printable(&basis));
    let newest = if export.newest_goes { ", the newest among them" } else { "" };
    for (words, amount, more) in [
        ("deleted softly", &export.tombstone, newest),
        ("destroyed", &export.destroy, ""),
        ("kept by a legal hold", &export.held, ""),
    ] {
        if !amount.is_nothing() {
            text.push_str(&format!("  {words}: {}{more}\n", shown(amount)));
        }
    }
    if let Some(rows) = &export.rows {
        text.push_str(&format!("  {}\n", of_rows(rows)));
    }
    if let Some(history) = &export.history {
        text.push_str(&format!("  {}\n", of_versions(history)));
    }
    if export.restored > 0 {
        text.push_str(&format!("  live again: {}\n", counted(export.restored as u64, "snapshot")));
    }
    if export.is_nothing() && export.held.is_nothing() {
        text.push_str("  nothing is due\n");
    }
    text
}

/// What becomes of rows by their age.
pub(crate) fn of_rows(rows: &RowsDue) -> String {
    let by = printable(&rows.by);
    if !rows.has_age {
        return format!(
            "rows older than {}: the newest snapshot has no {by} to tell by; run the export",
            rows.older_than
        );
    }
    let undated = match rows.undated {
        0 => String::new(),
        count => format!("; {} without {by} stay", counted(count, "row")),
    };
    format!(
        "rows older than {} by {by}: {} in {} go now{undated}; runs publish none",
        rows.older_than,
        counted(rows.rows, "row"),
        counted(rows.chunks, "chunk"),
    )
}

/// What becomes of the versions of a history.
pub(crate) fn of_versions(history: &HistoryDue) -> String {
    let superseded = history.superseded_for.as_ref();
    let superseded = superseded.map(|span| format!("superseded for {span}"));
    let aged = history
        .by
        .as_ref()
        .map(|(by, older_than)| format!("older than {older_than} by {}", printable(by)));
    let unknown = match (history.has_age, &aged) {
        (false, Some(aged)) => format!("; {aged}: it has no such column to tell by"),
        _ => String::new(),
    };
    let undated = match (history.undated, &history.by) {
        (1.., Some((by, _))) => {
            format!("; {} without {} stay", counted(history.undated, "version"), printable(by))
        }
        _ => String::new(),
    };
    let rules: Vec<String> =
        superseded.into_iter().chain(aged.filter(|_| history.has_age)).collect();
    if rules.is_empty() {
        return format!("versions{}", unknown.replacen(';', "", 1));
    }
    let links = match history.links {
        0 => String::new(),
        links => format!(", {}", counted(links, "link")),
    };
    format!(
        "versions {}: {} in {} go now, and with them {}{links}{undated}{unknown}",
        rules.join(" or "),
        counted(history.versions, "version"),
        counted(history.chunks, "chunk"),
        counted(history.keys, "key"),
    )
}

/// What becomes of run records of one class.
pub(crate) fn of_records(due: &RecordsDue) -> String {
    let what = counted(due.records, "record");
    format!("run records, {}: {what} older than {} and the grace\n", due.class, due.age)
}

/// What becomes of archives of a source's schema.
pub(crate) fn of_archives(due: &ArchivesDue) -> String {
    let files = counted(due.files.len() as u64, "archive");
    format!(
        "schema of {}: {files} under metadata/ by policy {}\n",
        printable(&due.source),
        due.policy
    )
}

/// A folder that no policy reaches.
pub(crate) fn of_unclaimed(found: &Unclaimed) -> String {
    format!(
        "{}: {}, {}, {} of no export of this project; a policy reaches it by the name it had: `former_exports`\n",
        found.folder,
        counted(found.snapshots, "snapshot"),
        counted(found.chunks, "chunk"),
        bytes(found.bytes)
    )
}

/// How much, and from when.
pub(crate) fn shown(amount: &Amount) -> String {
    let between = match (&amount.oldest, &amount.newest) {
        (Some(oldest), Some(newest)) if oldest != newest => format!(", {oldest} to {newest}"),
        (Some(oldest), _) => format!(", {oldest}"),
        (None, _) => String::new(),
    };
    format!(
        "{}, {}, {}, {}{between}",
        counted(amount.snapshots, "snapshot"),
        counted(amount.chunks, "chunk"),
        counted(amount.rows, "row"),
        bytes(amount.bytes)
    )
}
