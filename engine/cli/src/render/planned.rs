//! A plan for people: what changes, the most important first, then for each export what is read, what
//! happens to each column, where it goes.
//!
//! ```text
//!  Privacy: 1 change widens what can be read
//!    ! customers.email  unmasked: email -> as it is
//!        was masked, becomes readable, kept by rule open: a test  @dpo  policies/keep.yml:4:5
//!
//!  customers: rebuild, its definition changed since snapshot 1
//!    column  type    class      treatment
//!    email   string  pii.email  email, rule emails
//! ```

use std::collections::HashMap;

use engine_runtime::plan::{
    Action, BaseName, Change, Plan, PlannedColumn, PlannedExport, PlannedTreatment, Section,
};
use serde_json::Value;

use super::ink::Ink;
use super::kept;
use super::table::{Align, Listing};
use crate::console::{Paper, printable};

/// What is said of a sensitive column that is not masked.
const EXPOSED: &str = "KEPT AS IT IS";

/// The whole plan.
pub(crate) fn text(plan: &Plan, paper: Paper) -> String {
    let heading = format!("Plan of {} for target {}, {}", plan.project, plan.target, base(plan));
    let mut text = paper.lines(0, &heading);
    for section in Section::ALL {
        text.push_str(&changes(plan, section, paper));
    }
    if !plan.beside.rotation.is_empty() {
        text.push_str(&format!("\n{}\n", paper.paint(Ink::Heading, "Keys to rotate")));
        for key in &plan.beside.rotation {
            let when = if key.is_overdue { "overdue since" } else { "due by" };
            text.push_str(&paper.lines(4, &format!("{}  {when} {}", key.key, key.due)));
        }
    }
    if !plan.beside.retention.is_empty() {
        text.push_str(&format!("\n{}\n", paper.paint(Ink::Heading, "Retention")));
        for export in &plan.beside.retention {
            for line in kept::one(export).lines() {
                let indent = line.len().saturating_sub(line.trim_start().len());
                text.push_str(&paper.lines(indent.saturating_add(4), line.trim_start()));
            }
        }
    }
    for export in &plan.exports {
        text.push('\n');
        text.push_str(&one(export, paper));
    }
    text.push('\n');
    text.push_str(&summary(plan, paper));
    text
}

fn base(plan: &Plan) -> String {
    match &plan.base {
        BaseName::Nothing => "compared with nothing".to_owned(),
        BaseName::Store => "compared with the newest snapshots".to_owned(),
        BaseName::Plan(digest) => format!("compared with plan {}", short(digest)),
        BaseName::Commit(commit) => format!("compared with commit {}", short(commit)),
        BaseName::Target(target) => format!("compared with the snapshots of target {target}"),
    }
}

fn short(digits: &str) -> &str {
    let start = digits.rfind(':').map_or(0, |at| at + 1);
    digits.get(start..start + 12).unwrap_or(digits)
}

/// The lines of a section; nothing where there are none.
fn changes(plan: &Plan, section: Section, paper: Paper) -> String {
    let all = plan.changes.iter().filter(|change| change.section == section);
    // A new export with thirty masked columns is one line, not thirty: none of them can be read.
    let (folded, shown): (Vec<&Change>, Vec<&Change>) =
        all.partition(|change| change.kind == "masked_column" && !change.widens);
    if folded.is_empty() && shown.is_empty() {
        return String::new();
    }
    let widening = shown.iter().filter(|change| change.widens).count();
    let mut heading = paper.paint(Ink::Heading, section.title());
    if section == Section::Privacy {
        let (before, after) = (plan.coverage.before.unwrap_or_default(), plan.coverage.after);
        let words = if widening == 1 { "change widens" } else { "changes widen" };
        let ink = if widening == 0 { Ink::Plain } else { Ink::Alarm };
        let more = paper.paint(ink, &format!("{widening} {words} what can be read"));
        heading.push_str(&format!(
            ": {more}; masked {} of {} columns before, {} of {} after",
            before.masked, before.columns, after.masked, after.columns
        ));
    }
    let mut text = format!("\n{}", paper.lines(0, &heading));
    for group in alike(&shown) {
        text.push_str(&line(plan, &group, paper));
    }
    let mut nodes: Vec<&str> = folded.iter().map(|change| change.node.as_str()).collect();
    nodes.dedup();
    for node in nodes {
        let count = folded.iter().filter(|change| change.node == node).count();
        let words = if count == 1 { "new column, masked" } else { "new columns, all masked" };
        text.push_str(&paper.lines(4, &format!("{}  {count} {words}", printable(node))));
    }
    text
}

/// Changes that only differ in their columns, together, each group where its first stands.
fn alike<'a>(changes: &[&'a Change]) -> Vec<Vec<&'a Change>> {
    let mut places: HashMap<_, usize> = HashMap::new();
    let mut groups: Vec<Vec<&Change>> = Vec::new();
    for change in changes {
        let Change { kind, before, after, reason, owner, place, column, .. } = *change;
        let key = (kind, before, after, reason, owner, place);
        let group = column.as_ref().map(|_| *places.entry(key).or_insert(groups.len()));
        match group.and_then(|group| groups.get_mut(group)) {
            Some(group) => group.push(change),
            None => groups.push(vec![change]),
        }
    }
    groups
}

/// What changes, in which columns, and why.
fn line(plan: &Plan, group: &[&Change], paper: Paper) -> String {
    let Some(change) = group.first() else { return String::new() };
    let (mark, ink) = if change.widens { ("!", Ink::Alarm) } else { (" ", Ink::Plain) };
    let kind = change.kind.replace('_', " ");
    let from_to = match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!(": {before} -> {after}"),
        (Some(before), None) => format!(": was {before}"),
        (None, Some(after)) => format!(": {after}"),
        (None, None) => String::new(),
    };
    let mut names: Vec<String> = Vec::new();
    for change in group {
        // The columns of one export stand together.
        let known = names.last_mut().filter(|name| name.starts_with(&format!("{}.", change.node)));
        match (&change.column, known) {
            (Some(column), Some(name)) => name.push_str(&format!(", {column}")),
            (Some(column), None) => names.push(format!("{}.{column}", change.node)),
            (None, _) => names.push(change.node.clone()),
        }
    }
    let (what, below) = match names.as_slice() {
        [name] if group.len() == 1 => (name.clone(), &[][..]),
        names => (format!("{} columns", group.len()), names),
    };
    let first = printable(&format!("{what}  {kind}{from_to}"));
    let mut text = paper.lines(2, &paper.paint(ink, &format!("{mark} {first}")));
    for name in below {
        text.push_str(&paper.lines(6, &printable(name)));
    }
    let reason = plan.table_words(change).unwrap_or_else(|| change.reason.clone());
    let mut why = printable(&reason);
    for (by, ink) in [(&change.owner, Ink::Heading), (&change.place, Ink::Quiet)] {
        let by = by.as_ref().map(|by| paper.paint(ink, &printable(by)));
        why.extend(by.map(|by| format!("  {by}")));
    }
    text.push_str(&paper.lines(6, &why));
    text
}

fn one(export: &PlannedExport, paper: Paper) -> String {
    let heading = paper.paint(Ink::Heading, &export.name);
    let mut text = paper.lines(0, &format!("{heading}: {}", action(export)));
    let (above, below) = around(export);
    for line in above {
        text.push_str(&paper.lines(2, &line));
    }
    text.push_str(&columns(export, paper));
    for line in below {
        text.push_str(&paper.lines(2, &line));
    }
    text
}

/// What stands above and below the columns of an export.
fn around(export: &PlannedExport) -> (Vec<String>, Vec<String>) {
    let mut lines = vec![format!("from {}, {}", export.from, export.encryption)];
    if export.reads.len() != 1 || export.reads.first() != Some(&export.from) {
        lines.push(format!("reads {}", export.reads.join(", ")));
    }
    if let Some(filter) = &export.filter {
        lines.push(format!("where {}", printable(filter)));
    }
    if !export.partition_by.is_empty() {
        lines.push(format!("partitioned by {}", export.partition_by.join(", ")));
    }
    let above = std::mem::take(&mut lines);
    for used in &export.indirect {
        let class = used.class.as_deref().unwrap_or("no class");
        lines.push(format!("rows depend on {} ({class}): {}", used.column, used.how.join(", ")));
    }
    if !export.left_out.is_empty() {
        lines.push(format!("left out: {}", export.left_out.join(", ")));
    }
    if !export.tests.is_empty() {
        lines.push(format!("tests: {}", tests(&export.tests)));
    }
    if !export.tests_left_out.is_empty() {
        let left_out = tests(&export.tests_left_out);
        lines.push(format!("not tested, because what is published differs: {left_out}"));
    }
    for history in &export.histories {
        lines.push(format!("every version kept in history {}", history.words()));
    }
    for load in &export.loads {
        let mode = match load.mode.as_str() {
            "replace" => "the table is dropped and made again",
            mode => mode,
        };
        lines.push(format!("loaded into {}.{} ({mode})", load.connection, load.table));
    }
    (above, lines)
}

/// What happens to each column; what can be read afterwards stands out.
fn columns(export: &PlannedExport, paper: Paper) -> String {
    let mut columns = Listing::new(&[
        ("column", Align::Left),
        ("type", Align::Left),
        ("class", Align::Left),
        ("treatment", Align::Left),
    ]);
    for column in &export.columns {
        let class = column.class.as_deref().unwrap_or("-");
        columns.row([&column.name, &column.data_type, class, &said(column)]);
    }
    let drawn = columns.render_within(paper.width.map(|width| width.saturating_sub(2)));
    let line =
        |line: &str| format!("  {}\n", line.replace(EXPOSED, &paper.paint(Ink::Alarm, EXPOSED)));
    drawn.lines().map(line).collect()
}

/// Tests as a user would name them: `unique(customer_id)`.
fn tests(tests: &[Value]) -> String {
    tests.iter().map(test).collect::<Vec<_>>().join(", ")
}

fn test(test: &Value) -> String {
    let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
    let list = |of: &Value| {
        let names = of.as_array().into_iter().flatten().filter_map(Value::as_str);
        names.collect::<Vec<_>>().join(", ")
    };
    let bound = |of: &Value, words: &str| of.as_u64().map(|bound| format!("{words} {bound}"));
    let (k, l) = (&test["k_anonymity"], &test["l_diversity"]);
    let (rows, holds) = (&test["row_count"], &test["expression"]);
    let name = if k.is_object() {
        format!("k_anonymity({}; {})", list(&k["columns"]), k["k"])
    } else if l.is_object() {
        format!("l_diversity({} by {}; {})", text(&l["sensitive"]), list(&l["columns"]), l["l"])
    } else if rows.is_object() {
        let bounds = [bound(&rows["min"], "at least"), bound(&rows["max"], "at most")];
        format!("row_count({})", bounds.into_iter().flatten().collect::<Vec<_>>().join(", "))
    } else if holds.is_object() {
        format!("expression({})", printable(&text(&holds["sql"])))
    } else {
        format!("{}({})", text(&test["test"]), text(&test["column"]))
    };
    if test["severity"] == "warn" { format!("{name} (warns)") } else { name }
}

fn action(export: &PlannedExport) -> String {
    let base = export.base.map(|base| format!("snapshot {base}")).unwrap_or_default();
    match export.action {
        Action::Create => String::from("create the first snapshot"),
        Action::Rebuild => format!("rebuild, its definition changed since {base}"),
        Action::Refresh => format!("refresh if its source changed since {base}"),
        Action::Unknown => String::from("unknown, the store was not looked at"),
    }
}

/// What happens to a column, and how likely values that must stay distinct do not.
fn said(column: &PlannedColumn) -> String {
    let collision = column.collision.as_ref().map(|one| format!("; {}", one.words()));
    treatment(column) + &collision.unwrap_or_default()
}

fn treatment(column: &PlannedColumn) -> String {
    match &column.treatment {
        PlannedTreatment::Masked { rule, function, linkage, when, .. } => {
            let linkage = linkage.as_ref().map(|name| format!(", linkage {name}"));
            let when = when.as_ref().map(|when| format!(", {}", when.words()));
            let said = [linkage, when].into_iter().flatten().collect::<String>();
            format!("{function} by rule {rule}{said}")
        }
        PlannedTreatment::Kept { rule, owner, reason, until } => {
            let until = until.as_ref().map(|day| format!(", until {day}")).unwrap_or_default();
            let exposed = if column.sensitive { EXPOSED } else { "kept" };
            format!("{exposed} by rule {rule}, {owner}: {reason}{until}")
        }
        PlannedTreatment::Open { by: Some(by), owner, reason, until, expression } => {
            let sql = expression.as_ref().map(|sql| format!(" ({sql})")).unwrap_or_default();
            let until = until.as_ref().map(|day| format!(", until {day}")).unwrap_or_default();
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            format!("OPEN by {by}{sql}, {}: {}{until}", text(owner), text(reason))
        }
        PlannedTreatment::Open { by: None, .. } => {
            "open, shows no value of a sensitive column".to_owned()
        }
    }
}

fn summary(plan: &Plan, paper: Paper) -> String {
    let number = |wanted: Action| plan.exports.iter().filter(|e| e.action == wanted).count();
    let counted = [
        (number(Action::Create), "to create"),
        (number(Action::Rebuild), "to rebuild"),
        (number(Action::Refresh), "to refresh if the source changed"),
        (number(Action::Unknown), "not compared with the store"),
    ];
    let parts: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    let covered = plan.coverage.after;
    let counted = format!(
        "{} {}: {}. {} columns: {} masked, {} kept.",
        plan.exports.len(),
        if plan.exports.len() == 1 { "export" } else { "exports" },
        parts.join(", "),
        covered.columns,
        covered.masked,
        covered.kept
    );
    let mut text = paper.lines(0, &counted);
    if !plan.base_known {
        let unknown = "The keyring was not opened, so the plan says nothing of what is stored.";
        text.push_str(&paper.lines(0, unknown));
    }
    text
}
