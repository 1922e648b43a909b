//! A report of executions and of the system's health: `engine report`.
//!
//! ```text
//!  Statistics ─┐
//!              ├─▶ Report ──▶ JSON
//!  Health ─────┘      │
//!                     └─▶ View ──▶ text, Markdown, HTML     cards, checks, charts, tables
//! ```
//!
//! A report holds no cell value but tenants, as they were named. The renderings say the same in the same
//! order, since they are made of one view.

mod health;
mod html;
mod markdown;
mod text;
mod units;
mod view;

use serde::Serialize;

pub use health::{
    Audit, Check, Coverage, Earlier, FAULTS_MAX, Findings, Health, KeyHealth, Rotation, Store,
    Verdict,
};

use super::{
    fold::{Folded, Scope},
    instant,
    overview::Overview,
    record::Event,
    statistics::{self, Statistics, Window},
};
use crate::retention::Moment;

/// The version of the document that is written.
pub const FORMAT_VERSION: u32 = 1;

/// How many events are listed.
pub const EVENTS_MAX: usize = 20;

/// What is told of a project's executions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The project's name.
    pub project: String,
    /// Of which tenant; null for all.
    pub tenant: Option<String>,
    /// From when.
    #[serde(with = "instant")]
    pub since: Moment,
    /// Until when: the time at which it was made.
    #[serde(with = "instant")]
    pub made: Moment,
    /// What is well and what is not.
    pub checks: Vec<Check>,
    /// What executions amount to.
    pub statistics: Statistics,
    /// What security has to know of, in the window: the newest 20, that first.
    pub events: Vec<Event>,
    /// How many executions were recorded by half.
    pub incomplete: u64,
    /// What the checks are made of.
    pub health: Health,
}

impl Report {
    /// A report of what was folded for `scope`; executions before the window are history that durations
    /// are measured against.
    #[must_use]
    pub fn new(
        project: &str,
        scope: &Scope,
        folded: &Folded,
        window: Window,
        health: Health,
    ) -> Self {
        Self::of(project, scope, &Overview::of(folded, scope), window, health)
    }

    /// The same, of what is in view.
    #[must_use]
    pub fn of(
        project: &str,
        scope: &Scope,
        overview: &Overview<'_>,
        window: Window,
        health: Health,
    ) -> Self {
        let tenant = match scope {
            Scope::All => None,
            Scope::Tenant(tenant) => Some(tenant.clone()),
        };
        let health = health.with_privacy(overview, window);
        let inside = overview.events().iter().filter(|event| event.time >= window.since);
        Self {
            format_version: FORMAT_VERSION,
            project: project.to_owned(),
            tenant,
            since: window.since,
            made: window.now,
            checks: health.checks(window.now),
            statistics: statistics::of(overview, window),
            events: inside.rev().take(EVENTS_MAX).cloned().collect(),
            incomplete: overview.incomplete(),
            health,
        }
    }

    /// As JSON, indented, with a line break at the end.
    ///
    /// # Errors
    /// None that is known: every report has a JSON form.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }

    /// As plain text with sparklines, in lines of at most `width` characters, but at least 40.
    #[must_use]
    pub fn to_text(&self, width: usize) -> String {
        text::render(&view::of(self), width)
    }

    /// As Markdown. Names and messages are shown as they are: they link, mention and format nothing.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        markdown::render(&view::of(self))
    }

    /// As one page of HTML that needs nothing else: no script, no network, its style inside. It is
    /// light or dark as the reader's system is.
    #[must_use]
    pub fn to_html(&self) -> String {
        html::render(&view::of(self))
    }
}
