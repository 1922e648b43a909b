//! Sensitive columns that decide which rows an export has, without their values being in it.

use std::collections::BTreeMap;

use datafusion::common::DFSchema;
use engine_project::{Export, Indirect};

use super::decision::Judged;
use super::reach::{Carried, Reaches};
use super::subject::Subject;
use super::treatment::{BoundColumn, Treatment};
use crate::codes::policy;
use crate::diagnostic::Diagnostic;
use crate::flow::{Influence, Kind, Kinds, Origin};

/// A sensitive column that decides about an export's rows, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndirectUse {
    /// The source column.
    pub origin: Origin,
    /// Its class.
    pub class: Carried,
    /// How.
    pub kinds: Kinds,
    /// What the class says of that; never [`Indirect::Deny`] in an export that compiles.
    pub severity: Indirect,
}

/// The sensitive columns that decide about an export's rows.
///
/// # Errors
/// Every column whose class denies it.
pub(super) async fn uses(
    subject: &Subject<'_>,
    export: &Export,
    filter: Option<&str>,
    columns: &[BoundColumn],
    reaches: &Reaches,
) -> Result<Vec<IndirectUse>, Vec<Diagnostic>> {
    let mut step = Influence::default();
    let own = |name: &str| Origin { relation: subject.from.clone(), column: Some(name.to_owned()) };
    for column in filter.iter().flat_map(|filter| named(subject, filter)) {
        step.insert(&own(&column), Kinds::of(Kind::Filter));
    }
    for column in columns {
        if let Treatment::Masked { fork: Some(fork), .. } = &column.treatment {
            for name in &fork.columns {
                step.insert(&own(name), Kinds::of(Kind::Condition));
            }
        }
    }
    for column in &export.partition_by {
        step.insert(&own(&column.value), Kinds::of(Kind::Partition));
    }
    let mut all = reaches.exposed(&step);
    all.add(&subject.reach.exposed);
    for column in columns {
        all.add(&column.reach.exposed.clone().without_values());
    }
    let mut found: BTreeMap<Origin, IndirectUse> = BTreeMap::new();
    for (origin, kinds) in all.indirect() {
        let Some(column) = reaches.column(origin) else { continue };
        let judged = Judged { project: subject.project, relation: &origin.relation, reach: column };
        for class in column.classes.iter().filter(|class| judged.is_sensitive(class)) {
            let severity = class
                .as_deref()
                .map_or_else(Indirect::default, |class| subject.project.indirect(class));
            let (origin, class) = (origin.clone(), class.clone());
            found.insert(origin.clone(), IndirectUse { origin, class, kinds, severity });
        }
    }
    let found: Vec<IndirectUse> =
        found.into_values().filter(|used| used.severity != Indirect::Allow).collect();
    let denied: Vec<Diagnostic> = found
        .iter()
        .filter(|used| used.severity == Indirect::Deny)
        .map(|used| refused(subject, used))
        .collect();
    if denied.is_empty() { Ok(found) } else { Err(denied) }
}

/// The columns a filter names; all of them where that cannot be told.
fn named(subject: &Subject<'_>, filter: &str) -> Vec<String> {
    let state = subject.binding.state;
    let planned = DFSchema::try_from(subject.schema.clone())
        .and_then(|schema| state.create_logical_expr(filter, &schema));
    match planned {
        Ok(expr) => expr.column_refs().into_iter().map(|column| column.name.clone()).collect(),
        Err(_) => subject.schema.fields().iter().map(|field| field.name().clone()).collect(),
    }
}

fn refused(subject: &Subject<'_>, used: &IndirectUse) -> Diagnostic {
    let class = used.class.as_deref().unwrap_or("none");
    let how: Vec<&str> = used.kinds.iter().map(Kind::word).collect();
    let message = format!(
        "the rows of export `{}` depend on `{}`, of class `{class}`",
        subject.export, used.origin
    );
    Diagnostic::new(&policy::INDIRECT, message)
        .at(subject.at, format!("as {}", how.join(" and ")))
        .help(
            "take the column out of the condition or key, declassify the model's column it goes \
             through, or set `indirect: warn` for the class",
        )
}
