//! A plan for people: for each export what is read, what happens to each column, where it goes.
//!
//! ```text
//!  customers  create  from crm.customers, sealed
//!    reads crm.customers
//!    column  type    class      treatment
//!    email   string  pii.email  email, rule emails
//! ```

use engine_runtime::plan::{Action, Plan, PlannedColumn, PlannedExport, PlannedTreatment};
use serde_json::Value;

use super::table::{Align, Listing};
use crate::console::printable;

/// The whole plan.
pub(crate) fn text(plan: &Plan) -> String {
    let mut text = format!("Plan of {} for target {}\n", plan.project, plan.target);
    for export in &plan.exports {
        text.push('\n');
        text.push_str(&one(export));
    }
    text.push('\n');
    text.push_str(&summary(plan));
    text
}

fn one(export: &PlannedExport) -> String {
    let mut lines = vec![format!("{}: {}", export.name, action(export))];
    lines.push(format!("  from {}, {}", export.from, export.encryption));
    if export.reads.len() != 1 || export.reads.first() != Some(&export.from) {
        lines.push(format!("  reads {}", export.reads.join(", ")));
    }
    if let Some(filter) = &export.filter {
        lines.push(format!("  where {}", printable(filter)));
    }
    if !export.partition_by.is_empty() {
        lines.push(format!("  partitioned by {}", export.partition_by.join(", ")));
    }
    let mut columns = Listing::new(&[
        ("column", Align::Left),
        ("type", Align::Left),
        ("class", Align::Left),
        ("treatment", Align::Left),
    ]);
    for column in &export.columns {
        let class = column.class.as_deref().unwrap_or("-");
        columns.row([&column.name, &column.data_type, class, &treatment(column)]);
    }
    lines.extend(columns.render().lines().map(|line| format!("  {line}")));
    for used in &export.indirect {
        let class = used.class.as_deref().unwrap_or("no class");
        lines.push(format!("  rows depend on {} ({class}): {}", used.column, used.how.join(", ")));
    }
    if !export.left_out.is_empty() {
        lines.push(format!("  left out: {}", export.left_out.join(", ")));
    }
    if !export.tests.is_empty() {
        lines.push(format!("  tests: {}", tests(&export.tests)));
    }
    if !export.tests_left_out.is_empty() {
        let left_out = tests(&export.tests_left_out);
        lines.push(format!("  not tested, because masks make other values: {left_out}"));
    }
    for load in &export.loads {
        let mode = match load.mode.as_str() {
            "replace" => "the table is dropped and made again",
            mode => mode,
        };
        lines.push(format!("  loaded into {}.{} ({mode})", load.connection, load.table));
    }
    lines.join("\n") + "\n"
}

/// Tests as a user would name them: `unique(customer_id)`.
fn tests(tests: &[Value]) -> String {
    let name = |test: &Value| {
        let text = |key: &str| test[key].as_str().unwrap_or_default().to_owned();
        match &test["k_anonymity"] {
            Value::Null => format!("{}({})", text("test"), text("column")),
            of => {
                let columns: Vec<&str> = of["columns"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                format!("k_anonymity({}; {})", columns.join(", "), of["k"])
            }
        }
    };
    tests.iter().map(name).collect::<Vec<_>>().join(", ")
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

fn treatment(column: &PlannedColumn) -> String {
    match &column.treatment {
        PlannedTreatment::Masked { rule, function, linkage, .. } => {
            let linkage = linkage.as_ref().map(|name| format!(", linkage {name}"));
            format!("{function} by rule {rule}{}", linkage.unwrap_or_default())
        }
        PlannedTreatment::Kept { rule, owner, reason, until } => {
            let until = until.as_ref().map(|day| format!(", until {day}")).unwrap_or_default();
            let exposed = if column.sensitive { "KEPT AS IT IS" } else { "kept" };
            format!("{exposed} by rule {rule}, {owner}: {reason}{until}")
        }
        PlannedTreatment::Open { by: Some(by), owner, reason, until } => {
            let until = until.as_ref().map(|day| format!(", until {day}")).unwrap_or_default();
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            format!("OPEN by {by}, {}: {}{until}", text(owner), text(reason))
        }
        PlannedTreatment::Open { by: None, .. } => {
            "open, shows no value of a sensitive column".to_owned()
        }
    }
}

fn summary(plan: &Plan) -> String {
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
    let (columns, masked) = plan.coverage();
    let mut text = format!(
        "{} exports: {}. {columns} columns: {masked} masked, {} kept.\n",
        plan.exports.len(),
        parts.join(", "),
        columns.saturating_sub(masked)
    );
    if !plan.base_known {
        text.push_str("The keyring was not opened, so the plan says nothing of what is stored.\n");
    }
    text
}
