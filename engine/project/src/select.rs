//! Choosing nodes by text, as dbt does.
//!
//! ```text
//!  selector   [+] method:value [+]       + before: and what it is made from; + after: and what is made from it
//!  methods    (none)   name of an export, model or table; with *
//!             tag:     a tag
//!             source:  crm, or crm.customers; with *
//!             class:   tables, models and their exports with a column of this class or one below it
//!             export:  name of an export; with *
//!             model:   name of a model; with *
//! ```
//!
//! Several selectors select what any of them does.

use std::collections::BTreeSet;

use crate::model::{Export, Model, Project, Relation, ancestors};
use crate::pattern::glob;
use crate::problem::ProblemKind;
use crate::suggest::nearest;

const METHODS: [&str; 5] = ["tag", "source", "class", "export", "model"];

/// What a selector looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Method {
    Name(String),
    Tag(String),
    Source { source: String, table: Option<String> },
    Class(String),
    Export(String),
    Model(String),
}

/// One selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    method: Method,
    upstream: Reach,
    downstream: Reach,
}

/// Whether a selector goes along the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    None,
    All,
}

/// A node of the graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeId {
    /// A source table or model.
    Relation(Relation),
    /// An export, by name.
    Export(String),
}

/// What was selected, in the project's order. Empty means that nothing was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Exports by name.
    pub exports: Vec<String>,
    /// Models by name.
    pub models: Vec<String>,
    /// Source tables.
    pub tables: Vec<Relation>,
}

impl Selection {
    /// Whether nothing was selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exports.is_empty() && self.models.is_empty() && self.tables.is_empty()
    }
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// [`ProblemKind::SelectorSyntax`] for an unknown method or an empty name.
    pub fn parse(text: &str) -> Result<Self, ProblemKind> {
        let syntax = |detail: String| ProblemKind::SelectorSyntax { detail };
        let rest = text.trim();
        let (upstream, rest) =
            rest.strip_prefix('+').map_or((Reach::None, rest), |rest| (Reach::All, rest));
        let (downstream, rest) =
            rest.strip_suffix('+').map_or((Reach::None, rest), |rest| (Reach::All, rest));
        if rest.is_empty() {
            return Err(syntax(format!("`{text}` names nothing")));
        }
        if rest.contains(['@', '+', ',']) || rest.contains(char::is_whitespace) {
            return Err(syntax(format!(
                "`{text}` holds a character that has no meaning here; of operators there is `+`"
            )));
        }
        let method = match rest.split_once(':') {
            None => Method::Name(rest.to_owned()),
            Some((_, "")) => return Err(syntax(format!("`{text}` names nothing"))),
            Some(("tag", tag)) => Method::Tag(tag.to_owned()),
            Some(("source", name)) => match name.split_once('.') {
                Some((source, table)) => {
                    Method::Source { source: source.to_owned(), table: Some(table.to_owned()) }
                }
                None => Method::Source { source: name.to_owned(), table: None },
            },
            Some(("class", class)) => Method::Class(class.to_owned()),
            Some(("export", name)) => Method::Export(name.to_owned()),
            Some(("model", name)) => Method::Model(name.to_owned()),
            Some((method, _)) => {
                let near = nearest(method, METHODS)
                    .map(|near| format!("; did you mean `{near}:`?"))
                    .unwrap_or_default();
                let valid = METHODS.map(|method| format!("{method}:")).join(", ");
                return Err(syntax(format!(
                    "`{method}:` is no method{near}; methods there are: {valid}"
                )));
            }
        };
        Ok(Self { method, upstream, downstream })
    }
}

/// Selects nodes. Without selectors, everything; then what `exclude` selects is taken out.
#[must_use]
pub fn select(project: &Project, include: &[Selector], exclude: &[Selector]) -> Selection {
    let mut chosen = if include.is_empty() { all(project) } else { any(project, include) };
    for node in any(project, exclude) {
        chosen.remove(&node);
    }
    let is_chosen = |node: NodeId| chosen.contains(&node);
    let exports = project.exports.iter().map(|export| export.name.value.clone());
    let models = project.models.iter().map(|model| model.name.value.clone());
    Selection {
        exports: exports.filter(|name| is_chosen(NodeId::Export(name.clone()))).collect(),
        models: models
            .filter(|name| is_chosen(NodeId::Relation(Relation::Model { name: name.clone() })))
            .collect(),
        tables: tables(project)
            .filter(|relation| is_chosen(NodeId::Relation(relation.clone())))
            .collect(),
    }
}

/// What an export or model is made from, directly.
fn parents(project: &Project, node: &NodeId) -> Vec<NodeId> {
    match node {
        NodeId::Export(name) => project
            .export(name)
            .map(|export| NodeId::Relation(export.from.value.clone()))
            .into_iter()
            .collect(),
        NodeId::Relation(Relation::Model { name }) => {
            let depends_on = project.model(name).into_iter().flat_map(|model| &model.depends_on);
            depends_on.map(|relation| NodeId::Relation(relation.value.clone())).collect()
        }
        NodeId::Relation(Relation::Table { .. }) => Vec::new(),
    }
}

fn tables(project: &Project) -> impl Iterator<Item = Relation> {
    project.sources.iter().flat_map(|source| {
        source.tables.iter().map(|table| Relation::Table {
            source: source.name.value.clone(),
            table: table.name.value.clone(),
        })
    })
}

fn all(project: &Project) -> BTreeSet<NodeId> {
    let models =
        project.models.iter().map(|model| Relation::Model { name: model.name.value.clone() });
    let exports = project.exports.iter().map(|export| NodeId::Export(export.name.value.clone()));
    tables(project).chain(models).map(NodeId::Relation).chain(exports).collect()
}

fn any(project: &Project, selectors: &[Selector]) -> BTreeSet<NodeId> {
    let mut chosen = BTreeSet::new();
    for selector in selectors {
        let found: BTreeSet<NodeId> =
            all(project).into_iter().filter(|node| selector.method.holds(project, node)).collect();
        if selector.upstream == Reach::All {
            chosen.extend(reach(&found, |node| parents(project, node)));
        }
        if selector.downstream == Reach::All {
            let everything = all(project);
            let children = |node: &NodeId| {
                let made = everything.iter().filter(|child| parents(project, child).contains(node));
                made.cloned().collect()
            };
            chosen.extend(reach(&found, children));
        }
        chosen.extend(found);
    }
    chosen
}

/// Everything that can be reached by steps.
fn reach(from: &BTreeSet<NodeId>, step: impl Fn(&NodeId) -> Vec<NodeId>) -> BTreeSet<NodeId> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<NodeId> = from.iter().cloned().collect();
    while let Some(node) = waiting.pop() {
        waiting.extend(step(&node).into_iter().filter(|next| reached.insert(next.clone())));
    }
    reached
}

impl Method {
    fn holds(&self, project: &Project, node: &NodeId) -> bool {
        match (self, node) {
            (Self::Name(pattern) | Self::Export(pattern), NodeId::Export(name)) => {
                glob(pattern, name)
            }
            (
                Self::Name(pattern) | Self::Model(pattern),
                NodeId::Relation(Relation::Model { name }),
            ) => glob(pattern, name),
            (Self::Name(pattern), NodeId::Relation(Relation::Table { table, .. })) => {
                glob(pattern, table)
            }
            (
                Self::Source { source, table },
                NodeId::Relation(Relation::Table { source: of, table: name }),
            ) => glob(source, of) && table.as_ref().is_none_or(|pattern| glob(pattern, name)),
            (Self::Tag(tag), node) => tags(project, node).contains(tag),
            (Self::Class(class), NodeId::Relation(relation)) => has_class(project, relation, class),
            (Self::Class(class), NodeId::Export(name)) => project
                .export(name)
                .is_some_and(|export| has_class(project, &export.from.value, class)),
            _ => false,
        }
    }
}

fn tags<'p>(project: &'p Project, node: &NodeId) -> &'p [String] {
    match node {
        NodeId::Export(name) => project.export(name).map_or(&[], |Export { tags, .. }| tags),
        NodeId::Relation(Relation::Model { name }) => {
            project.model(name).map_or(&[], |Model { tags, .. }| tags)
        }
        NodeId::Relation(Relation::Table { source, table }) => {
            project.table(source, table).map_or(&[], |table| &table.tags)
        }
    }
}

fn has_class(project: &Project, relation: &Relation, class: &str) -> bool {
    let classes = project.columns(relation).iter().filter_map(|column| column.class.as_ref());
    classes.into_iter().any(|of_column| ancestors(&of_column.value).any(|above| above == class))
}
