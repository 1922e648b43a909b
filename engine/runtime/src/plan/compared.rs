//! A plan compared with its base, section by section.

use std::collections::{BTreeMap, BTreeSet};

use engine_project::{Action as RuleAction, Project};
use similar::TextDiff;
use tracing::debug_span;

use super::base::{Before, BeforeExport, BeforeTreatment};
use super::change::{Change, Section};
use super::document::{
    Action, BaseName, Coverage, Coverages, Plan, PlannedExport, PlannedLoad, PlannedTreatment,
};
use super::made::{Known, Scope};
use super::{privacy, schema};
use crate::bind::{BoundExport, BoundProject};

/// The plan of these exports of a bound project, compared with `base`, or with what is known of the
/// newest snapshots where there is none.
#[must_use]
pub fn plan(
    bound: &BoundProject,
    scope: Scope<'_>,
    exports: &[(&BoundExport, Known)],
    base: Option<(BaseName, Before)>,
) -> Plan {
    let mut plan = debug_span!("describe").in_scope(|| Plan::bare(bound, scope, exports));
    let comparing = debug_span!("compare").entered();
    let (name, mut before) = base.unwrap_or_else(|| {
        let name = if plan.base_known { BaseName::Store } else { BaseName::Nothing };
        (name, of_store(exports))
    });
    if !scope.select.is_empty() {
        before.keep_only(&plan);
    }
    let mut changes = Vec::new();
    if name != BaseName::Nothing {
        for export in &plan.exports {
            let was = before.exports.get(&export.name);
            changes.extend(privacy::changes(export, was));
        }
        changes.extend(privacy::classes(&plan.exports, &before));
        changes.extend(gone(&plan, scope, &before));
        changes.extend(privacy::linkability(&plan.exports, &before));
        changes.extend(schema::changes(&plan, &before));
        for export in &plan.exports {
            let was = before.exports.get(&export.name);
            let written = data(export, was);
            changes.extend(loads(export, was, written.is_some()));
            changes.extend(histories(export, was));
            changes.extend(written);
        }
        // Another target is another place by its nature.
        if !matches!(name, BaseName::Target(_)) {
            changes.extend(locations(&plan.locations, before.locations.as_ref()));
        }
        changes.extend(keys(&plan, &before));
        changes.extend(mappings(&plan, &before));
        changes.extend(owners(&plan, &before));
    }
    for change in &mut changes {
        change.place = place(&bound.project, &plan, change);
    }
    plan.coverage = Coverages {
        before: (name != BaseName::Nothing).then(|| covered_before(&before)),
        after: covered(&plan.exports),
    };
    plan.beside.sql_diff = sql_diff(&plan.beside.sql, before.sql.as_ref());
    changes.extend(gates(bound, &changes));
    // The most important first: what widens stands above what does not.
    changes.sort_by_key(|change| (change.section, !change.widens));
    plan.base = name;
    plan.changes = changes;
    comparing.exit();
    debug_span!("digest").in_scope(|| plan.sealed())
}

/// What the manifests of the newest snapshots say.
fn of_store(exports: &[(&BoundExport, Known)]) -> Before {
    let known = exports.iter().filter_map(|(export, known)| match known {
        Known::Snapshot(base) => Some((export.name.clone(), base.as_ref())),
        Known::Nothing | Known::NoSnapshot => None,
    });
    Before::of_snapshots(known)
}

/// Exports that are no longer there. A plan of a selection says nothing of the others.
fn gone(plan: &Plan, scope: Scope<'_>, before: &Before) -> Vec<Change> {
    if !scope.select.is_empty() {
        return Vec::new();
    }
    let there: BTreeSet<&String> = plan.exports.iter().map(|export| &export.name).collect();
    let gone = before.exports.keys().filter(|name| !there.contains(name));
    gone.map(|name| {
        Change::new(
            Section::Data,
            "export_removed",
            name,
            "is no longer in the project; its snapshots stay",
        )
    })
    .collect()
}

/// Lines around a change that a diff of SQL shows.
const DIFF_CONTEXT: usize = 2;

/// How SQL differs, as unified diffs. What is gone is no SQL of this plan.
fn sql_diff(
    now: &BTreeMap<String, String>,
    before: Option<&BTreeMap<String, String>>,
) -> BTreeMap<String, String> {
    let Some(before) = before else { return BTreeMap::new() };
    let nothing = String::new();
    let differing = now.iter().filter_map(|(node, sql)| {
        let was = before.get(node).unwrap_or(&nothing);
        (was != sql).then(|| {
            let diff = TextDiff::from_lines(was, sql);
            (node.clone(), diff.unified_diff().context_radius(DIFF_CONTEXT).to_string())
        })
    });
    differing.collect()
}

/// Whether an export is written again, and why.
fn data(export: &PlannedExport, was: Option<&BeforeExport>) -> Option<Change> {
    let line = |kind: &str, reason: String| {
        let expected = export
            .expected
            .map(|expected| format!("about {} rows, {} bytes", expected.rows, expected.bytes));
        Change::new(Section::Data, kind, &export.name, reason).between(None, expected)
    };
    let Some(was) = was else { return Some(line("new", "has no snapshot yet".to_owned())) };
    let changed = match &was.details {
        Some(details) => {
            let parts = &details.parts;
            let parts =
                export.parts.iter().filter(|(name, digest)| parts.get(*name) != Some(digest));
            parts.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
        }
        None if export.action == Action::Rebuild => vec!["definition"],
        None => Vec::new(),
    };
    if changed.is_empty() {
        return None;
    }
    Some(line("rebuild", format!("all rows are written again: changed {}", changed.join(", "))))
}

/// Loads that are new, and those of a snapshot that is written again.
fn loads(export: &PlannedExport, was: Option<&BeforeExport>, is_written: bool) -> Vec<Change> {
    let before = was.map(|was| was.details.as_ref().and_then(|details| details.loads.as_ref()));
    let is_new = |load: &PlannedLoad| match before {
        // Only what is known not to have been there is new.
        Some(Some(loads)) => !loads.contains(&load.name()),
        Some(None) => false,
        None => true,
    };
    let filled = export.loads.iter().filter(|load| is_written || is_new(load));
    let lines = filled.map(|load| {
        let (kind, reason) = match load.mode.as_str() {
            "replace" => ("table_replaced", "the table is dropped and made again"),
            _ => ("rows_appended", "rows are added to the table"),
        };
        Change::new(Section::Loads, kind, &export.name, reason)
            .between(None, Some(format!("{}.{}", load.connection, load.table)))
    });
    let mut found: Vec<Change> = lines.collect();
    let names: Vec<String> = export.loads.iter().map(PlannedLoad::name).collect();
    let gone = before.flatten().into_iter().flatten().filter(|name| !names.contains(name));
    found.extend(gone.map(|name| {
        Change::new(
            Section::Loads,
            "load_removed",
            &export.name,
            "is no longer loaded; the table stays",
        )
        .between(Some(name.clone()), None)
    }));
    found
}

/// Histories that begin or end, and what they keep although it is published no more.
fn histories(export: &PlannedExport, was: Option<&BeforeExport>) -> Vec<Change> {
    let Some(was) = was else { return Vec::new() };
    let line = |kind: &str, reason: &str| Change::new(Section::Data, kind, &export.name, reason);
    let mut found = Vec::new();
    let before = was.details.as_ref().and_then(|details| details.histories.as_ref());
    if let Some(before) = before {
        let new = export.histories.iter().filter(|history| !before.contains(history));
        found.extend(new.map(|history| {
            line("history_begins", "every version of its rows is kept from now on")
                .between(None, Some(history.words()))
        }));
        let gone = before.iter().filter(|history| !export.histories.contains(history));
        found.extend(gone.map(|history| {
            line("history_ends", "what it has recorded stays in the store")
                .between(Some(history.words()), None)
        }));
    }
    let names: Vec<&str> = export.histories.iter().map(|one| one.name.as_str()).collect();
    let published = |name: &str| export.columns.iter().any(|column| column.name == name);
    let gone = was.columns.iter().filter(|column| !published(&column.name));
    found.extend(gone.filter(|_| !names.is_empty()).map(|column| {
        let kept = line("history_keeps", "what was published of it stays in the history");
        kept.of(&column.name).between(None, Some(names.join(", ")))
    }));
    found
}

/// Data that is read from, or written to, another place than before.
fn locations(
    now: &BTreeMap<String, String>,
    before: Option<&BTreeMap<String, String>>,
) -> Vec<Change> {
    let Some(before) = before else { return Vec::new() };
    let line = |name: &String, was: Option<&String>, is: Option<&String>| {
        let reason = "data is read from or written to another place";
        Change::new(Section::Data, "place", name, reason).between(was.cloned(), is.cloned())
    };
    let changed = now.iter().filter(|(name, place)| before.get(*name) != Some(place));
    let changed = changed.map(|(name, place)| line(name, before.get(name), Some(place)));
    let gone = before.iter().filter(|(name, _)| !now.contains_key(*name));
    changed.chain(gone.map(|(name, place)| line(name, Some(place), None))).collect()
}

/// Keys whose version is another than before: pseudonyms change.
fn keys(plan: &Plan, before: &Before) -> Vec<Change> {
    let mut changed: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for export in &plan.exports {
        let was = before.exports.get(&export.name);
        for column in &export.columns {
            let PlannedTreatment::Masked { key: Some(key), .. } = &column.treatment else {
                continue;
            };
            let was = was.and_then(|was| was.column(&column.name)).map(|was| &was.treatment);
            let Some(BeforeTreatment::Masked { key: Some(before), .. }) = was else {
                continue;
            };
            if before != key {
                let versions = (privacy::key_name(key), before.clone(), key.clone());
                *changed.entry(versions).or_default() += 1;
            }
        }
    }
    let line = |((name, before, after), columns): ((String, String, String), usize)| {
        let words = if columns == 1 { "column" } else { "columns" };
        let reason =
            format!("pseudonyms of {columns} {words} change: nothing joins with older snapshots");
        Change::new(Section::Keys, "key_version", name, reason).between(Some(before), Some(after))
    };
    changed.into_iter().map(line).collect()
}

/// Functions whose mapping is another version than before: pseudonyms change.
fn mappings(plan: &Plan, before: &Before) -> Vec<Change> {
    let mut changed: BTreeMap<(String, u32, u32), Vec<String>> = BTreeMap::new();
    for export in &plan.exports {
        let was = before.exports.get(&export.name);
        for column in &export.columns {
            let PlannedTreatment::Masked { function, abi, .. } = &column.treatment else {
                continue;
            };
            let was = was.and_then(|was| was.column(&column.name)).map(|was| &was.treatment);
            if let Some(BeforeTreatment::Masked { function: same, abi: Some(older), .. }) = was
                && same == function
                && older != abi
            {
                let columns = changed.entry((function.clone(), *older, *abi)).or_default();
                columns.push(format!("{}.{}", export.name, column.name));
            }
        }
    }
    let line = |((function, before, after), columns): ((String, u32, u32), Vec<String>)| {
        let reason = format!(
            "the function maps anew: pseudonyms of {} change, and nothing joins with older snapshots",
            columns.join(", ")
        );
        let version = |abi| Some(format!("version {abi}"));
        Change::new(Section::Keys, "mapping", function, reason)
            .between(version(before), version(after))
    };
    changed.into_iter().map(line).collect()
}

/// Whoever can approve can widen, so an owner's new key is a widening itself.
fn owners(plan: &Plan, before: &Before) -> Vec<Change> {
    let Some(before) = &before.owners else { return Vec::new() };
    let mut found = Vec::new();
    for (name, keys) in &plan.owners {
        let was = before.get(name);
        let new = keys.iter().filter(|key| was.is_none_or(|was| !was.contains(key))).count();
        if new > 0 {
            let words = if new == 1 { "another key" } else { "other keys" };
            let reason = format!("may approve plans with {words} than before");
            found.push(Change::new(Section::Keys, "owner_key", name, reason).widening(true));
        }
    }
    let gone = before.keys().filter(|name| !plan.owners.contains_key(*name));
    let gone = gone.map(|name| {
        Change::new(Section::Keys, "owner_removed", name, "may no longer approve plans")
    });
    found.extend(gone);
    found
}

/// What stops a run, and what would let it pass.
fn gates(bound: &BoundProject, changes: &[Change]) -> Vec<Change> {
    let target = &bound.project.target;
    if !target.protected {
        return Vec::new();
    }
    let name = &target.name.value;
    let mut found = vec![Change::new(
        Section::Gates,
        "protected",
        name,
        "the target is protected: it runs only from a reviewed plan, with `engine run --plan FILE`",
    )];
    let widening = changes.iter().filter(|change| change.widens).count();
    if widening > 0 {
        let lines = if widening == 1 { "change widens" } else { "changes widen" };
        let owners: BTreeSet<&str> = changes
            .iter()
            .filter(|change| change.widens)
            .filter_map(|c| c.owner.as_deref())
            .collect();
        let owners: Vec<&str> = owners.into_iter().collect();
        let reason = format!("{widening} {lines} what can be read; owners: {}", owners.join(", "));
        found.push(Change::new(Section::Gates, "widening", name, reason));
    }
    found
}

fn covered(exports: &[PlannedExport]) -> Coverage {
    let columns = exports.iter().flat_map(|export| &export.columns);
    columns.fold(Coverage::default(), |mut sum, column| {
        sum.columns += 1;
        match &column.treatment {
            PlannedTreatment::Masked { .. } => sum.masked += 1,
            PlannedTreatment::Kept { .. } | PlannedTreatment::Open { by: Some(_), .. } => {
                sum.kept += 1;
            }
            PlannedTreatment::Open { by: None, .. } => {}
        }
        sum
    })
}

fn covered_before(before: &Before) -> Coverage {
    let columns = before.exports.values().flat_map(|export| &export.columns);
    columns.fold(Coverage::default(), |mut sum, column| {
        sum.columns += 1;
        match &column.treatment {
            BeforeTreatment::Masked { .. } => sum.masked += 1,
            BeforeTreatment::Clear(_) => sum.kept += 1,
        }
        sum
    })
}

/// File, line and column of what caused a change: the rule of a column, the description of a table, the
/// export.
fn place(project: &Project, plan: &Plan, change: &Change) -> Option<String> {
    let export = plan.exports.iter().find(|export| export.name == change.node);
    let column = change
        .column
        .as_ref()
        .and_then(|name| export?.columns.iter().find(|column| column.name == *name));
    let rule = column.and_then(|column| match &column.treatment {
        PlannedTreatment::Masked { rule, .. } | PlannedTreatment::Kept { rule, .. } => Some(rule),
        PlannedTreatment::Open { .. } => None,
    });
    let rule = rule.and_then(|name| project.rules.iter().find(|rule| rule.name.value == *name));
    if let (Section::Privacy, Some(rule)) = (change.section, rule) {
        let at = match &rule.action {
            RuleAction::Mask(mask) => mask.function.at,
            RuleAction::Keep(approval) => approval.at,
        };
        return Some(project.files.describe(at));
    }
    if let Some(export) = project.export(&change.node) {
        let load = export.loads.first().filter(|_| change.section == Section::Loads);
        return Some(project.files.describe(load.map_or(export.name.at, |load| load.at)));
    }
    let (source, table) = change.node.split_once('.')?;
    let table = project.table(source, table)?;
    let column = change.column.as_ref().and_then(|name| table.column(name));
    Some(project.files.describe(column.map_or(table.name.at, |column| column.name.at)))
}
