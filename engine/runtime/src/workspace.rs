//! From a caller's context to a loaded project, its session and its masks.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::execution::context::{SessionContext, SessionState};
use engine_project::{LoadOptions, Project};

use tracing::debug_span;

use crate::bind::{self, Binding, BoundProject, Schemas, Upstream, bind};
use crate::clock;
use crate::codes::run;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::keys::{self, Keys};
use crate::lookups;
use crate::masks::resolver::{MaskKeys, Resolver};
use crate::masks::udf;
use crate::masks::versions::MaskingKeys;
use crate::outward;
use crate::problems;
use crate::request::Context;
use crate::retention;
use crate::rotation;
use crate::session::{Limits, session};

/// Loads the project that a context names.
///
/// # Errors
/// Every problem of the first phase that has any.
pub fn load(context: &Context) -> Outcome<Arc<Project>> {
    let options = LoadOptions {
        target: context.target.clone(),
        environment: context.environment.clone(),
        vars: context.vars.clone(),
    };
    let loaded = debug_span!("load")
        .in_scope(|| engine_project::load(&context.root, &options).map(Arc::new));
    let project = loaded.map_err(problems::failure)?;
    // What is kept how long is judged at the end of a run: what cannot be meant is said at its start.
    retention::policies(&project)?;
    // So is who cannot be told of operations.
    outward::check(&project)?;
    // And an age of keys that nobody could tell the meaning of.
    rotation::max_age(&project)?;
    Ok(project)
}

/// The bounds a command works within: its options, the target's, or the defaults.
pub fn limits(project: &Project, context: &Context) -> Limits {
    let defaults = Limits::default();
    let execution = &project.target.execution;
    let to_usize = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Limits {
        jobs: context.jobs.or(execution.jobs.map(|jobs| jobs as usize)).unwrap_or(defaults.jobs),
        memory_bytes: context
            .memory_bytes
            .or(execution.memory_bytes.map(to_usize))
            .unwrap_or(defaults.memory_bytes),
        batch_rows: context.batch_rows.unwrap_or(execution.batch_rows as usize),
    }
}

/// A bound project with the session it was bound in.
pub struct Workspace {
    /// The session; its tables are the project's sources and models.
    pub session: SessionContext,
    /// Keys and dictionaries of the masks.
    pub resolver: Arc<Resolver>,
    /// The project.
    pub bound: BoundProject,
    /// What it works within.
    pub limits: Limits,
}

/// Binds a project in a session of its own; `only` these exports, and what they are made from.
///
/// # Errors
/// Every finding of the first step that has any.
pub async fn open(
    project: &Arc<Project>,
    context: &Context,
    keys: Access<'_>,
    schemas: Schemas,
    only: Option<&BTreeSet<String>>,
) -> Outcome<Workspace> {
    let bench = bench(project, context, keys)?;
    let bound = bind(Arc::clone(project), &bench.binding(schemas, only)).await?;
    let Bench { session, resolver, limits, .. } = bench;
    Ok(Workspace { session, resolver, bound, limits })
}

/// Binds the tables and models of a project, and no export; without keys.
///
/// # Errors
/// Every finding of the first step that has any.
pub async fn upstream(project: &Arc<Project>, context: &Context) -> Outcome<Upstream> {
    let listed = keys::listed(project);
    let bench = bench(project, context, Access::Listed(&listed))?;
    bind::upstream(project, &bench.binding(Schemas::Catalogs, None)).await
}

/// What a project is bound in.
struct Bench {
    session: SessionContext,
    state: SessionState,
    resolver: Arc<Resolver>,
    versions: MaskingKeys,
    limits: Limits,
}

impl Bench {
    fn binding<'a>(&'a self, schemas: Schemas, only: Option<&'a BTreeSet<String>>) -> Binding<'a> {
        Binding {
            session: &self.session,
            state: &self.state,
            resolver: &self.resolver,
            keys: &self.versions,
            schemas,
            only,
            today: clock::today(),
        }
    }
}

fn bench(project: &Project, context: &Context, keys: Access<'_>) -> Outcome<Bench> {
    let _span = debug_span!("make_masks").entered();
    let limits = limits(project, context);
    let session = new_session(limits)?;
    let lookups = lookups::read(project)?;
    let (mask_keys, versions) = match keys {
        Access::Opened(keys) => (keys.mask_keys(), keys.masking_versions()),
        Access::Listed(versions) => (MaskKeys::PlanOnly, versions.clone()),
    };
    let resolver = Arc::new(Resolver::new(mask_keys, None, lookups));
    for function in udf::functions(&resolver) {
        session.register_udf(function);
    }
    let state = session.state();
    Ok(Bench { session, state, resolver, versions, limits })
}

/// What is known of the keys.
#[derive(Clone, Copy)]
pub enum Access<'a> {
    /// They are open: values can be masked.
    Opened(&'a Keys),
    /// Their names and versions at most: for planning.
    Listed(&'a MaskingKeys),
}

/// A session within limits.
///
/// # Errors
/// None is expected.
pub fn new_session(limits: Limits) -> Outcome<SessionContext> {
    session(limits)
        .map_err(|_| Failure::from(Diagnostic::new(&run::INTERNAL, "no session could be made")))
}
