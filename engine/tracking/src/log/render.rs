//! A log for people: Markdown and plain text.
//!
//! Names and texts of a catalog are anybody's: neither form lets them start a line, and Markdown shows
//! them as they are instead of following them.

use super::ChangeLog;
use crate::changes::Change;

pub(super) fn markdown(log: &ChangeLog) -> String {
    let entries: Vec<_> = log
        .entries
        .iter()
        .map(|entry| {
            let heading = [&entry.time, &entry.source, &entry.summary].map(|text| escaped(text));
            let [time, source, summary] = heading;
            let mut lines = vec![format!("## {time} {source}: {summary}\n")];
            lines.extend(entry.changes.iter().map(|change| {
                let (kind, place, words) = phrase(change);
                let place = if place.is_empty() { place } else { format!(" {}", escaped(&place)) };
                let words = if words.is_empty() { words } else { format!(": {}", escaped(&words)) };
                format!("- **{kind}**{place}{words}\n")
            }));
            if !entry.archived.is_empty() {
                lines.push(format!("\nArchived: {}\n", escaped(&entry.archived.join(", "))));
            }
            if !entry.expired.is_empty() {
                lines.push(format!("\nExpired: {}\n", escaped(&entry.expired.join(", "))));
            }
            lines.insert(1, "\n".to_owned());
            lines.concat()
        })
        .collect();
    entries.join("\n")
}

pub(super) fn text(log: &ChangeLog) -> String {
    let mut lines = Vec::new();
    for entry in &log.entries {
        lines.push(format!("{}  {}  {}", entry.time, entry.source, entry.summary));
        for change in &entry.changes {
            let (kind, place, words) = phrase(change);
            let parts = [kind, place, words].into_iter().filter(|part| !part.is_empty());
            lines.push(format!("    {}", parts.collect::<Vec<_>>().join("  ")));
        }
        if !entry.archived.is_empty() {
            lines.push(format!("    archived  {}", entry.archived.join(", ")));
        }
        if !entry.expired.is_empty() {
            lines.push(format!("    expired   {}", entry.expired.join(", ")));
        }
    }
    lines.iter().map(|line| format!("{}\n", one_line(line))).collect()
}

/// A change in one line: `column removed customers.email: was text(40)`.
pub fn line(change: &Change) -> String {
    let (kind, place, words) = phrase(change);
    let place = if place.is_empty() { place } else { format!(" {place}") };
    let words = if words.is_empty() { words } else { format!(": {words}") };
    one_line(&format!("{kind}{place}{words}"))
}

/// Kind, place, and old and new in words: `column removed`, `customers.email`, `was text(40)`.
fn phrase(change: &Change) -> (String, String, String) {
    let (subject, verb) = change.kind.subject_and_verb();
    let place: Vec<_> = change.table.iter().chain(&change.column).map(String::as_str).collect();
    let words = match (&change.before, &change.after, verb) {
        (None, Some(after), "added") => after.clone(),
        (Some(before), None, "removed") => format!("was {before}"),
        (Some(before), Some(after), _) => format!("{before} → {after}"),
        (Some(before), None, _) => format!("{before} → none"),
        (None, Some(after), _) => format!("none → {after}"),
        (None, None, _) => String::new(),
    };
    (format!("{subject} {verb}"), place.join("."), words)
}

/// Text that Markdown shows as it is, on one line.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in one_line(text).chars() {
        if "\\`*_[]<>&|~#$!".contains(character) {
            shown.push('\\');
        }
        shown.push(character);
    }
    shown
}

/// Text without characters that break a line or turn its direction.
fn one_line(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        character if character.is_control() => '\u{fffd}',
        character => character,
    };
    text.chars().map(shown).collect()
}
