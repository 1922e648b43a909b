//! From a checked project to one whose names mean something: connections, schemas, functions, keys.
//!
//! ```text
//!  Project ─tables─▶ schemas ─models─▶ plans ─exports─▶ treatments ─▶ BoundProject
//!          (declared or            (SQL in DataFusion)   (rules, masks,
//!           read from catalogs)                           keys)
//! ```
//!
//! Every step collects all its findings.

mod connecting;
mod tables;
mod reach;
mod decision;
mod groups;
mod models;
mod subject;
mod condition;
mod refusals;
mod applied;
mod treatment;
mod computed;
mod fork;
mod indirect;
mod policy;
mod sql;
mod tests;
mod exports;
mod histories;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::execution::context::{SessionContext, SessionState};
use engine_project::{ColumnTest, Date, Project, Relation, SourceMap, TableTest};
use engine_sources::{Connection, ContentStatistics, TableRequest};
use tracing::{Instrument, debug_span};

use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::masks::resolver::Resolver;
use crate::masks::versions::MaskingKeys;

pub use applied::AppliedMask;
pub use condition::Filter;
pub use decision::{Decided, Judged};
pub use exports::BoundExport;
pub use indirect::IndirectUse;
pub use models::BoundModel;
pub use reach::{Carried, ColumnReach, Reaches, RelationReach, Released};
pub use tables::{Connections, request};
pub use treatment::{BoundColumn, Computed, Fork, Kept, Otherwise, Treatment};

/// The schema of the session in which models stand.
pub const MODELS_SCHEMA: &str = "models";

/// Where table schemas come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schemas {
    /// From declarations only; nothing is opened. A table without declared types is refused.
    Declared,
    /// From declarations where they are complete, from the sources' catalogs otherwise. No row is read.
    Catalogs,
    /// From the sources, ready to be read.
    Sources,
}

/// What binding needs besides the project.
pub struct Binding<'a> {
    /// The session that plans the SQL.
    pub session: &'a SessionContext,
    /// Its state with the functions of the masks: a copy costs more than the plan of an export.
    pub state: &'a SessionState,
    /// Keys and dictionaries of the masks.
    pub resolver: &'a Arc<Resolver>,
    /// The newest version of each masking key, by name.
    pub keys: &'a MaskingKeys,
    /// Where schemas come from.
    pub schemas: Schemas,
    /// The exports that are bound; all of them, and all models, when none are named.
    pub only: Option<&'a BTreeSet<String>>,
    /// Decides which approvals have expired.
    pub today: Date,
}

impl Binding<'_> {
    /// Whether an export is bound.
    fn takes(&self, export: &str) -> bool {
        self.only.is_none_or(|only| only.contains(export))
    }
}

/// A table that can be fingerprinted, and read when it was bound to its source.
#[derive(Clone)]
pub struct BoundTable {
    /// Where it is read; absent when only declarations were used.
    pub connection: Option<Arc<dyn Connection>>,
    /// What is asked of the connection.
    pub request: TableRequest,
    /// What its source says of the contents of its columns, where it may be asked and answers.
    pub statistics: BTreeMap<String, ContentStatistics>,
}

/// A project whose names, types, masks and keys all exist.
pub struct BoundProject {
    /// The checked project.
    pub project: Arc<Project>,
    /// Its files, to show places in.
    pub files: Arc<SourceMap>,
    /// The target's connections, not yet opened.
    pub connections: BTreeMap<String, Arc<dyn Connection>>,
    /// The tables that models and exports read.
    pub tables: BTreeMap<Relation, BoundTable>,
    /// Its models, by name.
    pub models: BTreeMap<String, BoundModel>,
    /// What flows into every table and model.
    pub reaches: Reaches,
    /// Its exports, in declared order.
    pub exports: Vec<BoundExport>,
}

impl BoundProject {
    /// The export of this name.
    pub fn export(&self, name: &str) -> Option<&BoundExport> {
        self.exports.iter().find(|export| export.name == name)
    }

    /// Every source table that an export is made from or its tests look at, in order.
    pub fn looks_at(&self, export: &BoundExport) -> Vec<Relation> {
        let mut found = self.reads(&export.from);
        found.extend(export.related().flat_map(|to| self.reads(to)));
        found.sort();
        found.dedup();
        found
    }

    /// Every source table a relation is made from, directly or through models, in order.
    pub fn reads(&self, of: &Relation) -> Vec<Relation> {
        let mut found = Vec::new();
        let mut waiting = vec![of.clone()];
        while let Some(relation) = waiting.pop() {
            match &relation {
                Relation::Table { .. } if !found.contains(&relation) => found.push(relation),
                Relation::Table { .. } => {}
                Relation::Model { name } => {
                    let model = self.project.model(name);
                    waiting.extend(
                        model.iter().flat_map(|model| &model.depends_on).map(|on| on.value.clone()),
                    );
                }
            }
        }
        found.sort();
        found
    }
}

/// Everything below the exports: what can be read, and what flows into it.
pub struct Upstream {
    /// The target's connections, not yet opened.
    pub connections: BTreeMap<String, Arc<dyn Connection>>,
    /// The tables that models and exports read.
    pub tables: BTreeMap<Relation, BoundTable>,
    /// The models, by name.
    pub models: BTreeMap<String, BoundModel>,
    /// What flows into every table and model.
    pub reaches: Reaches,
}

/// Binds a project.
///
/// # Errors
/// All findings of the first step that has any.
pub async fn bind(project: Arc<Project>, binding: &Binding<'_>) -> Outcome<BoundProject> {
    let upstream = upstream(&project, binding).await?;
    let exports =
        debug_span!("bind_exports").in_scope(|| exports::bind(&project, &upstream, binding));
    let files = Arc::new(project.files.clone());
    let exports = exports.and_then(|exports| {
        let findings = histories::check(&project, &exports);
        if findings.is_empty() { Ok(exports) } else { Err(findings) }
    });
    let exports =
        exports.map_err(|findings| Failure::from(sorted(findings, &files)).with_files(&files))?;
    let Upstream { connections, tables, models, reaches } = upstream;
    Ok(BoundProject { project, files, connections, tables, models, reaches, exports })
}

/// Binds tables and models, and no export: enough to say what an export would show.
///
/// # Errors
/// All findings of the first step that has any.
pub async fn upstream(project: &Project, binding: &Binding<'_>) -> Outcome<Upstream> {
    let files = Arc::new(project.files.clone());
    let bound = upstream_steps(project, binding).await;
    bound.map_err(|findings| Failure::from(sorted(findings, &files)).with_files(&files))
}

async fn upstream_steps(
    project: &Project,
    binding: &Binding<'_>,
) -> Result<Upstream, Vec<Diagnostic>> {
    let connections = tables::connect(project)?;
    let reached = reached(project, binding);
    let bind_tables = async {
        let tables = tables::register(project, &connections, &reached, binding).await?;
        let reaches = tables::reaches(project, &tables, binding).await;
        Ok::<_, Vec<Diagnostic>>((tables, reaches))
    };
    let (tables, mut reaches) = bind_tables.instrument(debug_span!("bind_tables")).await?;
    let models = debug_span!("bind_models")
        .in_scope(|| models::register(project, &reached, &mut reaches, binding))?;
    Ok(Upstream { connections, tables, models, reaches })
}

/// The tables and models that are read for what is bound, those of tests of relationships too.
fn reached(project: &Project, binding: &Binding<'_>) -> BTreeSet<Relation> {
    let exports = project.exports.iter().filter(|export| binding.takes(&export.name.value));
    let mut waiting: Vec<Relation> = Vec::new();
    for export in exports {
        let from = &export.from.value;
        let of_columns = project.columns(from).iter().flat_map(|column| &column.tests);
        let of_columns = of_columns.map(|declared| &declared.test);
        let of_tables = export.tests.iter().chain(tests::of_relation(project, from));
        let of_tables = of_tables.filter_map(|declared| match &declared.test {
            TableTest::Column { test, .. } => Some(test),
            _ => None,
        });
        waiting.extend(of_columns.chain(of_tables).filter_map(|test| match test {
            ColumnTest::Relationships { to, .. } => Some(to.clone()),
            _ => None,
        }));
        waiting.push(from.clone());
    }
    if binding.only.is_none() {
        let models = project.models.iter().map(|model| model.name.value.clone());
        waiting.extend(models.map(|name| Relation::Model { name }));
    }
    let mut reached = BTreeSet::new();
    while let Some(relation) = waiting.pop() {
        if let Relation::Model { name } = &relation {
            let model = project.model(name);
            let on = model.iter().flat_map(|model| &model.depends_on);
            waiting.extend(on.map(|on| on.value.clone()).filter(|on| !reached.contains(on)));
        }
        reached.insert(relation);
    }
    reached
}

/// By file and place, each finding once: a rule that holds for ten columns is wrong once, and the
/// places where that matters stand together.
fn sorted(mut diagnostics: Vec<Diagnostic>, files: &SourceMap) -> Vec<Diagnostic> {
    let place = |diagnostic: &Diagnostic| {
        diagnostic.at.as_ref().map(|(at, _)| {
            let path = files.get(at.file).map(|file| file.path.clone()).unwrap_or_default();
            (path, at.start)
        })
    };
    diagnostics.sort_by_key(place);
    let mut found: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    for diagnostic in diagnostics {
        let same = |other: &&mut Diagnostic| {
            other.code == diagnostic.code
                && other.at == diagnostic.at
                && other.message == diagnostic.message
        };
        let here = |other: &&mut Diagnostic| place(other) == place(&diagnostic);
        match found.iter_mut().rev().take_while(here).find(same) {
            Some(other) => {
                for related in diagnostic.related {
                    if !other.related.contains(&related) {
                        other.related.push(related);
                    }
                }
            }
            None => found.push(diagnostic),
        }
    }
    found
}

/// The connections of a project's target, not yet opened.
///
/// # Errors
/// Every connection whose kind or settings are wrong.
pub fn connect_all(project: &Project) -> Outcome<BTreeMap<String, Arc<dyn Connection>>> {
    let files = Arc::new(project.files.clone());
    tables::connect(project)
        .map_err(|findings| Failure::from(sorted(findings, &files)).with_files(&files))
}
