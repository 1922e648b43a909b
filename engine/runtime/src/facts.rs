//! What a run puts on record of its exports: names, digests and counts of columns.

use engine_bundle::digest::Digest;
use engine_tracking::runs::Privacy;

use crate::bind::{BoundColumn, BoundProject, Treatment};
use crate::definition::Definition;
use crate::operation::{self, Told};

/// What is known of a run's exports before they are made.
#[must_use]
pub fn of(bound: &BoundProject) -> Told {
    let exports = &bound.exports;
    let definitions = exports
        .iter()
        .map(|export| format!("{} {}\n", export.name, Definition::of(bound, export).digest()));
    let sql = exports.iter().map(|export| format!("{}\n{}\n", export.name, export.sql));
    let digest = |text: String| Some(Digest::of(text.as_bytes()).to_string());
    let mut privacy = Privacy::default();
    for column in exports.iter().flat_map(|export| &export.columns) {
        count(&mut privacy, column);
    }
    Told {
        objects: operation::exports(exports.iter().map(|export| export.name.as_str())),
        plan: digest(definitions.collect()),
        sql: digest(sql.collect()),
        privacy: Some(privacy),
        ..Told::default()
    }
}

fn count(privacy: &mut Privacy, column: &BoundColumn) {
    let which = match &column.treatment {
        treatment if !treatment.shows_values() => &mut privacy.masked,
        Treatment::Open(None) if column.sensitive => &mut privacy.unclassified,
        Treatment::Open(None) => &mut privacy.open,
        _ => &mut privacy.kept,
    };
    *which = which.saturating_add(1);
}
