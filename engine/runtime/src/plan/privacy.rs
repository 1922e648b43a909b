//! What can be read afterwards that could not be read before, and the other way round.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::base::{
    Before, BeforeColumn, BeforeExport, BeforeTreatment, Details, Word, conditional, mask_words,
};
use super::change::{Change, Section};
use super::document::{Action, PlannedColumn, PlannedExport, PlannedTreatment};
use super::inside;
use super::treated::SOME_VALUES;

/// What a mask that shows this may show more of with other parameters: which way they went is not known.
const GRADED: [&str; 7] =
    ["length", "format", "prefix", "order", "about the value", "part of the value", SOME_VALUES];

/// Of these, what is only the form of a value.
const FORM: [&str; 2] = ["length", "format"];

/// The changes of one export's columns.
pub(super) fn changes(export: &PlannedExport, before: Option<&BeforeExport>) -> Vec<Change> {
    let mut found = Vec::new();
    let details = before.and_then(|before| before.details.as_ref());
    for column in &export.columns {
        let was = before.and_then(|before| before.column(&column.name));
        match was {
            None => found.push(added(export, column, before.is_none())),
            Some(was) => found.extend(changed(export, column, was, details)),
        }
        let params = was.and_then(|was| match &was.treatment {
            BeforeTreatment::Masked { params, .. } => Some(params),
            BeforeTreatment::Clear(_) => None,
        });
        found.extend(inside::changes(export, column, params));
    }
    if let Some(details) = details {
        found.extend(of_rows(export, details));
    }
    let gone = before.into_iter().flat_map(|before| &before.columns);
    let gone = gone.filter(|was| !export.columns.iter().any(|column| column.name == was.name));
    found.extend(gone.map(|was| {
        Change::new(Section::Privacy, "removed", &export.name, "is no longer published")
            .of(&was.name)
            .between(Some(was.treatment.words()), None)
    }));
    found
}

/// Other rows, tests that no longer hold the export back, columns that decide about rows.
fn of_rows(export: &PlannedExport, was: &Details) -> Vec<Change> {
    let line = |kind: &str, reason: &str| {
        Change::new(Section::Privacy, kind, &export.name, reason).widening(true)
    };
    let mut found = Vec::new();
    if export.parts.get("filter") != was.parts.get("filter") {
        let change = line("filter", "has another filter: rows that were left out may be published");
        found.push(change.between(was.filter.clone(), export.filter.clone()));
    }
    let gone = was.tests.iter().filter(|test| !export.tests.contains(test));
    found.extend(gone.map(|test| {
        line("test_removed", "no longer has to pass this test")
            .between(Some(test.to_string()), None)
    }));
    for used in export.indirect.iter().filter(|used| !was.indirect.contains(&used.column)) {
        let reason =
            format!("its rows now depend on a sensitive column, as {}", used.how.join(", "));
        found.push(line("indirect", &reason).between(None, Some(used.column.clone())));
    }
    found
}

fn added(export: &PlannedExport, column: &PlannedColumn, is_new_export: bool) -> Change {
    let what = if is_new_export { "of a new export" } else { "is published for the first time" };
    let (kind, widens) = match &column.treatment {
        PlannedTreatment::Masked { shows, .. } if is_graded(shows) => ("partly_readable", true),
        PlannedTreatment::Masked { .. } => ("masked_column", false),
        PlannedTreatment::Kept { .. } => ("readable_column", true),
        PlannedTreatment::Open { by, .. } => ("readable_column", by.is_some()),
    };
    let change = Change::new(Section::Privacy, kind, &export.name, reason(column, what));
    owned(change, column).of(&column.name).between(None, Some(words(column))).widening(widens)
}

/// Why a column is treated as it is, after what happened to it.
fn reason(column: &PlannedColumn, what: &str) -> String {
    let because = match &column.treatment {
        PlannedTreatment::Masked { rule, .. } => format!("by rule {rule}"),
        PlannedTreatment::Kept { rule, reason, .. } => format!("kept by rule {rule}: {reason}"),
        PlannedTreatment::Open { by: Some(by), reason, .. } => {
            format!("open by {by}: {}", reason.clone().unwrap_or_default())
        }
        PlannedTreatment::Open { by: None, .. } => "shows no sensitive value".to_owned(),
    };
    format!("{what}, {because}")
}

fn owned(mut change: Change, column: &PlannedColumn) -> Change {
    change.owner = match &column.treatment {
        PlannedTreatment::Kept { owner, .. } => Some(owner.clone()),
        PlannedTreatment::Open { owner, .. } => owner.clone(),
        PlannedTreatment::Masked { when, .. } => when.as_ref().and_then(|when| when.owner.clone()),
    };
    change
}

fn words(column: &PlannedColumn) -> String {
    match &column.treatment {
        PlannedTreatment::Masked { function, params, when, .. } => {
            conditional(mask_words(function, params), when.as_deref())
        }
        PlannedTreatment::Kept { .. } | PlannedTreatment::Open { .. } => "as it is".to_owned(),
    }
}

/// A column that can be read, and is made of something else: other source columns, or other SQL where it
/// is sensitive, or somebody took its classes off.
fn made_otherwise(
    export: &PlannedExport,
    column: &PlannedColumn,
    was: &BeforeColumn,
    details: Option<&Details>,
    line: &dyn Fn(&str, bool, &str) -> Change,
) -> Option<Change> {
    let before = was.sources.as_ref()?;
    let new = column.sources.iter().filter(|source| !before.contains(&source.column));
    let new: Vec<&str> = new.map(|source| source.column.as_str()).collect();
    if !new.is_empty() {
        let change = line("other_source", true, "is readable, and made from other columns");
        return Some(change.between(Some(before.join(", ")), Some(new.join(", "))));
    }
    let on_a_word = match &column.treatment {
        PlannedTreatment::Kept { .. } => column.sensitive,
        PlannedTreatment::Open { by, .. } => by.is_some(),
        PlannedTreatment::Masked { .. } => false,
    };
    let models = |parts: &BTreeMap<String, String>| parts.get("models").cloned();
    let other = details.is_some_and(|details| models(&details.parts) != models(&export.parts));
    (on_a_word && other)
        .then(|| line("made_otherwise", true, "is readable, and made by models that changed"))
}

/// Who answers for a column, until when, and why. Whoever answered before has to agree to a change of that.
fn vouched(
    column: &PlannedColumn,
    was: &Word,
    line: &dyn Fn(&str, bool, &str) -> Change,
) -> Vec<Change> {
    let Some(now) = Word::of(&column.treatment) else { return Vec::new() };
    let mut found = Vec::new();
    let text = |text: &str| Some(text.to_owned());
    if now.owner != was.owner {
        let mut change = line("other_owner", true, "somebody else answers for it than before");
        change = change.between(text(&was.owner), text(&now.owner));
        change.owner = Some(was.owner.clone());
        found.push(change);
    }
    let day = |until: &Option<String>| until.clone().or_else(|| text("without end"));
    if now.until != was.until {
        // Days are written YYYY-MM-DD, so that they sort as text; no day is the latest.
        let longer = match (&was.until, &now.until) {
            (Some(was), Some(now)) => now > was,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let change = line("until", longer, "can be read until another day");
        found.push(change.between(day(&was.until), day(&now.until)));
    }
    if now.expression != was.expression {
        let change = line("other_expression", true, "is readable, and computed otherwise");
        found.push(change.between(was.expression.clone(), now.expression.clone()));
    }
    if now.reason != was.reason {
        let change = line("other_reason", false, "can be read for another reason");
        found.push(change.between(text(&was.reason), text(&now.reason)));
    }
    found
}

/// Classes whose data counts as sensitive, or no longer does.
pub(super) fn classes(exports: &[PlannedExport], before: &Before) -> Vec<Change> {
    let mut flipped: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    for export in exports {
        let was = before.exports.get(&export.name);
        for column in &export.columns {
            let was = was.and_then(|was| was.column(&column.name)).and_then(|was| was.sensitive);
            let is_open = matches!(column.treatment, PlannedTreatment::Open { .. });
            if let (Some(was), Some(class), false) = (was, &column.class, is_open)
                && was != column.sensitive
            {
                *flipped.entry((class, column.sensitive)).or_default() += 1;
            }
        }
    }
    let line = |((class, sensitive), columns): ((&str, bool), usize)| {
        let words = if columns == 1 { "column" } else { "columns" };
        let (kind, reason) = if sensitive {
            ("sensitive_class", format!("counts as sensitive: {columns} {words}"))
        } else {
            let reason = format!(
                "no longer counts as sensitive: {columns} {words} could be let through on nobody's word"
            );
            ("open_class", reason)
        };
        Change::new(Section::Privacy, kind, class, reason).widening(!sensitive)
    };
    flipped.into_iter().map(line).collect()
}

fn changed(
    export: &PlannedExport,
    column: &PlannedColumn,
    was: &BeforeColumn,
    details: Option<&Details>,
) -> Vec<Change> {
    let line = |kind: &str, widens: bool, what: &str| {
        let change = Change::new(Section::Privacy, kind, &export.name, reason(column, what));
        owned(change, column)
            .of(&column.name)
            .between(Some(was.treatment.words()), Some(words(column)))
            .widening(widens)
    };
    let mut found = Vec::new();
    match (&was.treatment, &column.treatment) {
        (BeforeTreatment::Clear(_), PlannedTreatment::Masked { .. }) => {
            found.push(line("masked", false, "was readable, is masked"));
        }
        // Which columns it was made from nobody wrote down, and it is made anew.
        (BeforeTreatment::Clear(_), _) if was.sources.is_none() => {
            if export.action == Action::Rebuild {
                found.push(line(
                    "made_anew",
                    true,
                    "is readable, and the export's definition changed",
                ));
            }
        }
        (BeforeTreatment::Clear(word), _) => {
            found.extend(made_otherwise(export, column, was, details, &line));
            found
                .extend(word.as_ref().map(|word| vouched(column, word, &line)).unwrap_or_default());
        }
        (
            BeforeTreatment::Masked { .. },
            PlannedTreatment::Kept { .. } | PlannedTreatment::Open { .. },
        ) => found.push(line("unmasked", true, "was masked, becomes readable")),
        (
            BeforeTreatment::Masked { function, params, linkage, shows, when, .. },
            PlannedTreatment::Masked {
                function: now,
                params: given,
                linkage: space,
                shows: seen,
                when: condition,
                ..
            },
        ) => {
            if when != condition {
                let what = "is masked under another condition";
                found.push(line("condition", is_graded(seen), what));
            }
            found.extend(
                mask(shows.as_deref(), function, params, seen, now, given)
                    .map(|(kind, widens, what)| line(kind, widens, &what)),
            );
            if linkage != space && function == now {
                let shown = |name: &Option<String>| name.clone().unwrap_or_default();
                let what = "is linked to other columns than before";
                let mut change = line("linkage", true, what);
                change.before = Some(format!("linkage {}", shown(linkage)));
                change.after = Some(format!("linkage {}", shown(space)));
                found.push(change);
            }
        }
    }
    if was.class != column.class {
        let mut change = line("class", false, "has another class");
        change.before = was.class.clone();
        change.after.clone_from(&column.class);
        found.push(change);
    }
    found
}

fn is_graded(shows: &[String]) -> bool {
    shows.iter().any(|word| GRADED.contains(&word.as_str()) && !FORM.contains(&word.as_str()))
}

/// How one mask compares with another: the kind of the change, whether it widens, and the words.
fn mask(
    before: Option<&[String]>,
    function: &str,
    params: &Map<String, Value>,
    seen: &[String],
    now: &str,
    given: &Map<String, Value>,
) -> Option<(&'static str, bool, String)> {
    if function == now {
        if Value::Object(params.clone()) == Value::Object(given.clone()) {
            return None;
        }
        let graded = seen.iter().any(|word| GRADED.contains(&word.as_str()));
        let words = if graded {
            "has other parameters, with which it may show more"
        } else {
            "has other parameters"
        };
        return Some(("parameters", graded, words.to_owned()));
    }
    let Some(before) = before else {
        if seen.iter().all(|word| word == "nulls") {
            return Some(("stronger", false, "its mask shows nothing of the value".to_owned()));
        }
        // A manifest says which function it was, not what that shows.
        return Some(("other_mask", true, "has another mask, which may show more".to_owned()));
    };
    let gained: Vec<&str> =
        seen.iter().filter(|word| !before.contains(word)).map(String::as_str).collect();
    if !gained.is_empty() {
        return Some(("weaker", true, format!("its mask now shows {}", gained.join(", "))));
    }
    let lost: Vec<&str> =
        before.iter().filter(|word| !seen.contains(word)).map(String::as_str).collect();
    if lost.is_empty() {
        return Some(("other_mask", false, "has another mask, which shows no more".to_owned()));
    }
    Some(("stronger", false, format!("its mask no longer shows {}", lost.join(", "))))
}

/// What makes two masked columns joinable: function, key and linkage.
type Space = (String, String, String);

/// Columns of several exports that can be joined now and could not before.
pub(super) fn linkability(exports: &[PlannedExport], before: &Before) -> Vec<Change> {
    let mut now: BTreeMap<Space, BTreeSet<(String, String)>> = BTreeMap::new();
    for export in exports {
        for column in &export.columns {
            if let PlannedTreatment::Masked {
                function, key: Some(key), linkage: Some(linkage), shows, ..
            } = &column.treatment
                // Dates that were shifted alike are not keys that could be joined.
                && !shows.iter().any(|word| word == "about the value")
            {
                let space = (function.clone(), key_name(key), linkage.clone());
                now.entry(space).or_default().insert((export.name.clone(), column.name.clone()));
            }
        }
    }
    now.iter().filter_map(|(space, columns)| linked(space, columns, before)).collect()
}

/// The name of a masking key, without its version.
pub(super) fn key_name(key: &str) -> String {
    key.split('@').next().unwrap_or_default().to_owned()
}

/// The line of a space that holds columns of several exports, and one that was not in it.
fn linked(space: &Space, columns: &BTreeSet<(String, String)>, before: &Before) -> Option<Change> {
    let (function, _, linkage) = space;
    let was_in = |(export, column): &&(String, String)| {
        let was = before.exports.get(export).and_then(|export| export.column(column));
        was.is_some_and(|was| match &was.treatment {
            BeforeTreatment::Masked {
                function, key: Some(key), linkage: Some(linkage), ..
            } => (function, &key_name(key), linkage) == (&space.0, &space.1, &space.2),
            _ => false,
        })
    };
    let names = |columns: Vec<&(String, String)>| {
        let names = columns.into_iter().map(|(export, column)| format!("{export}.{column}"));
        Some(names.collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty())
    };
    let exports: BTreeSet<&String> = columns.iter().map(|(export, _)| export).collect();
    let old: Vec<&(String, String)> = columns.iter().filter(was_in).collect();
    if exports.len() < 2 || old.len() == columns.len() {
        return None;
    }
    let reason = format!(
        "columns of {} exports can be joined: {function} gives equal values equal pseudonyms",
        exports.len()
    );
    Some(
        Change::new(Section::Privacy, "linkable", format!("linkage {linkage}"), reason)
            .between(names(old), names(columns.iter().collect()))
            .widening(true),
    )
}
