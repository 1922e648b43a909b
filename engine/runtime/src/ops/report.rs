//! `report`: what was done in the last days, how it went, and whether all is well.

use std::sync::Arc;

use chrono::{DateTime, Days, Utc};
use engine_project::Project;
use engine_tracking::runs::Scope;
use engine_tracking::runs::chain::Line;
use engine_tracking::runs::export::{self, Gauges};
use engine_tracking::runs::report::{EVENTS_MAX, Health, Report, Store as StoreHealth};
use engine_tracking::runs::statistics::Window;

use super::retention;
use crate::clock;
use crate::codes::run;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::keys::{self, Keys};
use crate::records::Records;
use crate::request::Context;
use crate::rotation;
use crate::store;
use crate::summaries::Known;
use crate::tenant::scope;
use crate::workspace;

/// A report, with the records it is made from where these were asked for.
pub struct Reported {
    /// The report.
    pub report: Report,
    scope: Scope,
    lines: Vec<Line>,
}

/// What a report is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Summaries, as far as they go, and the records after them.
    Summaries,
    /// Every record: needed where the records themselves are written.
    Everything,
}

/// Makes the report of the last `days`: of one tenant, of commands that were bound to it, with nothing of the
/// system, which is everybody's.
///
/// # Errors
/// The project, the keys or the store cannot be opened, or a file of records was changed.
pub async fn report(
    context: &Context,
    days: u32,
    tenant: Option<&str>,
    reading: Reading,
) -> Outcome<Reported> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let asked = clock::instant();
    let store = store::open(&project)?;
    let records = Records::of(context, &store, &keys)?;
    let (lines, known) = match reading {
        Reading::Summaries => (Vec::new(), records.known().await?),
        Reading::Everything => {
            let (lines, faults) = records.examined().await?;
            let known = Known::of(&lines, faults);
            (lines, known)
        }
    };
    let latency_us = u64::try_from(clock::instant().duration_since(asked).as_micros());
    let now = clock::now();
    let since =
        now.checked_sub_days(Days::new(u64::from(days))).unwrap_or(DateTime::<Utc>::MIN_UTC);
    let scope = scope(tenant);
    let health = match &scope {
        Scope::All => Health {
            store: StoreHealth::Reachable { latency_us: latency_us.unwrap_or(u64::MAX) },
            keys: rotation::ages(&project, &keys)?,
            retention_overdue: Some(overdue(context, &project, &keys).await?),
            audit: Some(known.audit()),
            ..Health::default()
        },
        Scope::Tenant(_) => Health::default(),
    };
    let overview = known.overview(&scope, since, EVENTS_MAX)?;
    let name = &project.name.value;
    let report = Report::of(name, &scope, &overview, Window { since, now }, health);
    Ok(Reported { report, scope, lines })
}

/// How many things retention should have removed.
async fn overdue(context: &Context, project: &Arc<Project>, keys: &Keys) -> Outcome<u64> {
    let due = retention::foreseen(context, project, keys, None).await?;
    let overdue =
        due.iter().map(|export| export.destroy.snapshots.saturating_add(export.destroy.chunks));
    Ok(overdue.fold(0, u64::saturating_add))
}

impl Reported {
    /// The warning that keys are to be replaced; none where none is.
    #[must_use]
    pub fn warning(&self) -> Option<Failure> {
        rotation::warning(&rotation::due(&self.report.health.keys, self.report.made))
    }

    /// As one page of HTML that needs nothing else.
    #[must_use]
    pub fn html(&self) -> String {
        self.report.to_html()
    }

    /// As Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        self.report.to_markdown()
    }

    /// As JSON.
    ///
    /// # Errors
    /// None that is known.
    pub fn json(&self) -> Outcome<String> {
        let text = self.report.to_json();
        Ok(text.map_err(|_| Diagnostic::new(&run::INTERNAL, "the report cannot be written"))?)
    }

    /// The records themselves for a SIEM, as one JSON object a line.
    #[must_use]
    pub fn ndjson(&self) -> String {
        export::ndjson(&self.lines, &self.scope)
    }

    /// The same as CSV.
    #[must_use]
    pub fn csv(&self) -> String {
        export::csv(&self.lines, &self.scope)
    }

    /// Metrics in Prometheus's text format.
    #[must_use]
    pub fn prometheus(&self) -> String {
        let health = &self.report.health;
        let gauges = Gauges {
            now: self.report.made,
            store_is_up: match health.store {
                StoreHealth::Unknown => None,
                StoreHealth::Reachable { .. } => Some(true),
                StoreHealth::Unreachable => Some(false),
            },
            keys: health
                .keys
                .iter()
                .filter_map(|key| {
                    let left = key.rotation_due?.signed_duration_since(self.report.made);
                    Some((key.id(), left.num_seconds()))
                })
                .collect(),
            retention_overdue: health.retention_overdue,
            chain_faults: health.audit.as_ref().map(|audit| audit.fault_count),
        };
        export::prometheus(&self.report.statistics, &gauges)
    }
}
