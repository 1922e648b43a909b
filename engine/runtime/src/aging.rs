//! Rows whose time is over, in a run: they are not published, and a snapshot that stays is published again without
//! them before it is loaded. The border is that of the run's start, for every attempt at it.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use engine_bundle::ids::{FileId, RunId};
use engine_tracking::retention::Policy;

use crate::bind::BoundExport;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::expiry::{self, Age, Publishing, Rewriter};
use crate::fault;
use crate::keys::Keys;
use crate::records;
use crate::request::Context;
use crate::retention::{policies, policy_of, started_at};
use crate::rewatch::Rewatch;
use crate::store::{Store, Stored};
use crate::workspace::Workspace;

/// The rows of a run's exports.
pub struct Aging<'a> {
    /// The caller's context.
    pub context: &'a Context,
    /// The bound project.
    pub workspace: &'a Workspace,
    /// The store.
    pub store: &'a Store,
    /// The keys.
    pub keys: &'a Keys,
    /// The run.
    pub run: RunId,
}

impl Aging<'_> {
    fn policy(&self, export: &BoundExport) -> Outcome<Option<Policy>> {
        let project = &self.workspace.bound.project;
        let policies = policies(project)?;
        let declared = project.export(&export.name);
        Ok(declared.and_then(|export| policy_of(&policies, export)).cloned())
    }

    /// The plan of an export with those rows only whose time is not over.
    ///
    /// # Errors
    /// None is expected: the column was looked at when the export was bound.
    pub fn filtered(&self, export: &BoundExport, plan: LogicalPlan) -> Outcome<LogicalPlan> {
        let Some(policy) = self.policy(export)? else { return Ok(plan) };
        let schema: SchemaRef = Arc::new(plan.schema().as_arrow().clone());
        let Age::Border(border) = expiry::age(&policy, &schema, started_at(self.run)) else {
            return Ok(plan);
        };
        let stays = border.gone.is_not_true();
        let filtered = LogicalPlanBuilder::from(plan).filter(stays);
        let filtered = filtered.and_then(LogicalPlanBuilder::build);
        Ok(filtered.map_err(|error| fault::running(&error, &export.name))?)
    }

    /// The snapshot that follows one that would stay, with what is warned of; none where no row's time is over.
    ///
    /// # Errors
    /// A chunk that was changed, a test that does not hold for what is left, or the store refuses.
    pub async fn without_expired(
        &self,
        export: &BoundExport,
        file: FileId,
        head: &Stored,
    ) -> Outcome<Option<(Stored, Vec<Diagnostic>)>> {
        let Some(policy) = self.policy(export)? else { return Ok(None) };
        let rewriter = Rewriter::new(self.store, self.keys, file, self.workspace.limits);
        let now = started_at(self.run);
        let due = expiry::due(&rewriter, &policy, &head.manifest, now).await?;
        let Some(due) = due.filter(|due| !due.is_nothing()) else { return Ok(None) };
        let rewatch = Rewatch {
            root: &self.context.root,
            workspace: self.workspace,
            store: self.store,
            keys: self.keys,
        };
        let by = records::user(self.context);
        let publishing = Publishing {
            policy: &policy,
            by: &by,
            run: self.run,
            tested: Some((&rewatch, export)),
        };
        Ok(Some(publishing.publish(&rewriter, head, &due).await?))
    }
}
