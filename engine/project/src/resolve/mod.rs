//! Raw structs to a [`Project`]: names are looked up, defaults filled in, and everything
//! that is wrong is collected.
//!
//! ```text
//!  target ──▶ sources ──▶ classes, rules ──▶ models ──▶ exports ──▶ ambiguous rules
//! ```

mod datasets;
mod names;
mod policies;
mod reference;
mod sources;
mod target;
mod declared_tests;
mod retention;
mod tracking;

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::names::Findings;
use crate::location::{SourceMap, Spanned};
use crate::model::{Index, Project, Relation, RenderedSql};
use crate::node::Node;
use crate::problem::{Problem, Thing};
use crate::raw::{RawRoot, RawSections, RawTarget};
use crate::rules::{ColumnFacts, decide};

/// An SQL file under `models/`, rendered.
pub(crate) struct SqlFile {
    /// The stem of its name, at the start of the file.
    pub(crate) name: Spanned<String>,
    pub(crate) sql: RenderedSql,
    pub(crate) depends_on: Vec<Spanned<Relation>>,
}

/// Everything that was read.
pub(crate) struct Inputs {
    pub(crate) folder: PathBuf,
    pub(crate) root: RawRoot,
    pub(crate) target: Spanned<RawTarget>,
    pub(crate) target_name: Spanned<String>,
    pub(crate) sections: Vec<RawSections>,
    pub(crate) sql: Vec<SqlFile>,
    /// Relations that YAML scalars named with `source` and `ref`.
    pub(crate) relations: Vec<Spanned<Relation>>,
    pub(crate) vars: BTreeMap<String, serde_json::Value>,
    pub(crate) lookups: BTreeMap<String, String>,
    pub(crate) files: SourceMap,
}

/// Resolves a project.
///
/// # Errors
/// Everything that does not hold together.
pub(crate) fn resolve(inputs: Inputs) -> Result<Project, Vec<Problem>> {
    let mut findings = Findings::default();
    let Inputs {
        folder,
        root,
        target,
        target_name,
        mut sections,
        sql,
        relations,
        vars,
        lookups,
        files,
    } = inputs;
    findings.identifier("the project's name", &root.name);
    if root.edition.value != 2026 {
        findings.invalid("edition", "2026, the one edition this version knows", root.edition.at);
    }
    let target = target::resolve(&mut findings, target_name, target);
    let raw_sources =
        sections.iter_mut().flat_map(|section| std::mem::take(&mut section.sources)).collect();
    let sources = sources::resolve(&mut findings, raw_sources, &target);
    let classes: Vec<Node> =
        sections.iter_mut().filter_map(|section| section.classes.take()).collect();
    let classes = policies::classes(&mut findings, &classes);
    let raw_models =
        sections.iter_mut().flat_map(|section| std::mem::take(&mut section.models)).collect();
    let models = datasets::models(&mut findings, raw_models, sql);
    let masking = sections.iter_mut().filter_map(|section| section.masking.take()).collect();
    let (unclassified, rules) = policies::masking(&mut findings, masking);
    let raw_tracking = sections.iter_mut().filter_map(|section| section.tracking.take()).collect();
    let raw_retention =
        sections.iter_mut().flat_map(|section| std::mem::take(&mut section.retention)).collect();
    let raw_exports = sections.into_iter().flat_map(|section| section.exports).collect();
    let exports = datasets::exports(&mut findings, raw_exports, &root.defaults);
    let retention = retention::resolve(&mut findings, raw_retention, &exports);
    let tracking = tracking::resolve(&mut findings, raw_tracking, &sources, &exports, &retention);
    sources::references(&mut findings, &sources);
    let owners = owners(&mut findings, root.owners.as_ref());
    let index = Index::new(&sources, &models, &exports);
    let project = Project {
        index,
        name: root.name,
        owners,
        data: folder.clone(),
        root: folder,
        target,
        classes,
        unclassified,
        rules,
        sources,
        models,
        exports,
        retention,
        tracking,
        vars,
        lookups,
        files,
    };
    relations.iter().for_each(|relation| findings.relation(&project, relation));
    policies::check(&mut findings, &project);
    datasets::check(&mut findings, &project);
    ambiguous_rules(&mut findings, &project);
    if findings.problems.is_empty() { Ok(project) } else { Err(findings.problems) }
}

/// Who may approve a plan, with their public keys.
fn owners(findings: &mut Findings, node: Option<&Node>) -> BTreeMap<String, Vec<Spanned<String>>> {
    let entries = node.map(Node::entries).unwrap_or_default();
    let mut owners = BTreeMap::new();
    for (name, keys) in entries {
        findings.name("an owner's name", name);
        let texts = keys
            .items()
            .iter()
            .filter_map(|key| Some(Spanned::new(key.as_str()?.to_owned(), key.at)));
        let texts: Vec<Spanned<String>> = texts.collect();
        if texts.is_empty() || texts.len() != keys.items().len() {
            findings.invalid("an owner's keys", "a list of public keys in SSH's form", keys.at);
        }
        owners.insert(name.value.clone(), texts);
    }
    owners
}

/// Columns whose class and type are declared; others are decided when they are known.
fn ambiguous_rules(findings: &mut Findings, project: &Project) {
    let mut reported: Vec<Problem> = Vec::new();
    for (relation, column) in names::columns(project) {
        let facts = ColumnFacts {
            relation: &relation,
            column: &column.name.value,
            class: column.class.as_ref().map(|class| class.value.as_str()),
            column_type: column.column_type.map(|column_type| column_type.value),
        };
        let problem =
            decide(&project.rules, &facts).problem(&format!("{relation}.{}", column.name));
        // One pair of rules is one mistake, however many columns it hits.
        let known = |problem: &Problem| {
            reported.iter().any(|known| known.at == problem.at && known.related == problem.related)
        };
        if let Some(problem) = problem.filter(|problem| !known(problem)) {
            reported.push(problem);
        }
    }
    findings.problems.append(&mut reported);
}

impl Findings {
    /// Complains about a relation that does not exist.
    fn relation(&mut self, project: &Project, relation: &Spanned<Relation>) {
        let at = relation.at;
        match &relation.value {
            Relation::Table { source, table } => match project.source(source) {
                None => {
                    let among = project.sources.iter().map(|source| source.name.value.as_str());
                    self.unknown(Thing::Source, source, None, among, at);
                }
                Some(found) if found.table(table).is_none() => {
                    let among = found.tables.iter().map(|table| table.name.value.as_str());
                    self.unknown(
                        Thing::Table,
                        table,
                        Some(format!("source `{source}`")),
                        among,
                        at,
                    );
                }
                Some(_) => {}
            },
            Relation::Model { name } if project.model(name).is_none() => {
                let among = project.models.iter().map(|model| model.name.value.as_str());
                self.unknown(Thing::Model, name, None, among, at);
            }
            Relation::Model { .. } => {}
        }
    }
}
