//! Annotations as GitHub Actions takes them from a step's output: `::warning file=…,line=…::text`.

use engine_runtime::plan::{Change, Plan};

use super::{marked, place, sentence};

/// Warnings of a step that are shown; more are dropped by the platform, so the last one counts them.
const WARNINGS_MAX: usize = 10;

pub(super) fn text(plan: &Plan) -> String {
    let changes: Vec<&Change> = marked(plan).collect();
    let (shown, left) = if changes.len() <= WARNINGS_MAX {
        (changes.as_slice(), 0)
    } else {
        let shown = changes.get(..WARNINGS_MAX - 1).unwrap_or_default();
        (shown, changes.len() - shown.len())
    };
    let mut text: String = shown.iter().map(|change| annotation(change)).collect();
    if left > 0 {
        text.push_str(&format!("::warning title=Plan::{left} more changes are in the plan\n"));
    }
    text
}

fn annotation(change: &Change) -> String {
    let at = place(change)
        .map(|(file, line, column)| format!("file={},line={line},col={column},", property(file)));
    let title = property(&format!("Plan: {}", change.kind.replace('_', " ")));
    let text = data(&sentence(change));
    format!("::warning {}title={title}::{text}\n", at.unwrap_or_default())
}

/// Text after the colons, where `%` and line ends have a meaning.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text of a property, where `:` and `,` have one as well.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
