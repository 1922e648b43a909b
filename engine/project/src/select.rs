//! Choosing nodes by text, as dbt does.
//!
//! ```text
//!  selector   [n+|@] method:value [+n]   + before: and what it is made from; + after: and what is made from it;
//!                                        a number: that many steps; @: what is made from it, with all that is
//!                                        made from
//!             a,b                        what both select
//!  methods    (none)   name of an export, model or table; with *
//!             tag:     a tag
//!             source:  crm, or crm.customers; with *
//!             class:   tables, models and their exports with a column of this class or one below it
//!             column:  tables, models and their exports with this column: source.table.column,
//!                      model.column, or a column's name alone; with *
//!             state:   new, for exports that were not there before; modified, for those and all others
//!                      that changed
//!             export:  name of an export; with *
//!             model:   name of a model; with *
//! ```
//!
//! Several selectors select what any of them does.

use std::collections::{BTreeMap, BTreeSet};

use crate::location::Spanned;
use crate::model::{ColumnPattern, Export, Model, Project, Relation, ancestors};
use crate::pattern::glob;
use crate::problem::ProblemKind;
use crate::suggest::nearest;

const METHODS: [&str; 7] = ["tag", "source", "class", "column", "state", "export", "model"];
const STATES: [&str; 2] = ["new", "modified"];

/// What a selector looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Method {
    Name(String),
    Tag(String),
    Source { source: String, table: Option<String> },
    Class(String),
    Column(ColumnName),
    State(State),
    Export(String),
    Model(String),
}

/// A column, by its whole name or by the last part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ColumnName {
    Whole(ColumnPattern),
    Last(String),
}

/// What an export is, compared with what was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Modified,
}

/// Exports that are not as they were before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States {
    /// Those that were not there.
    pub new: BTreeSet<String>,
    /// Those that were there, and changed.
    pub changed: BTreeSet<String>,
}

/// One selector: what all its parts select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector(Vec<Part>);

/// A part of a selector. A step leads along the graph from a node to the next; so many are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    method: Method,
    upstream: usize,
    downstream: usize,
    /// Whether everything that is made from it is selected with all that is made from.
    closed: bool,
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
        text.trim()
            .split(',')
            .map(|part| Part::parse(part, text))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether what it selects depends on what was there before.
    #[must_use]
    pub fn needs_states(&self) -> bool {
        self.0.iter().any(|part| matches!(part.method, Method::State(_)))
    }
}

/// The steps of an operator: a number, or all there are.
fn steps(digits: &str) -> Option<usize> {
    if digits.is_empty() { Some(usize::MAX) } else { digits.parse().ok() }
}

impl Part {
    /// Reads a part of the selector `text`.
    fn parse(part: &str, text: &str) -> Result<Self, ProblemKind> {
        let syntax = |detail: String| ProblemKind::SelectorSyntax { detail };
        let (closed, rest) = part.strip_prefix('@').map_or((false, part), |rest| (true, rest));
        let before = rest.split_once('+').and_then(|(digits, rest)| Some((steps(digits)?, rest)));
        let (upstream, rest) = before.unwrap_or((0, rest));
        let after = rest.rsplit_once('+').and_then(|(rest, digits)| Some((steps(digits)?, rest)));
        let (downstream, rest) = after.unwrap_or((0, rest));
        if rest.is_empty() {
            return Err(syntax(format!("`{text}` names nothing")));
        }
        if rest.contains(['@', '+']) || rest.contains(char::is_whitespace) {
            return Err(syntax(format!(
                "`{text}` holds a character that has no meaning here; operators are `+` and `@`"
            )));
        }
        let method = Method::parse(rest, text)?;
        Ok(Self { method, upstream, downstream, closed })
    }
}

impl Method {
    fn parse(rest: &str, text: &str) -> Result<Self, ProblemKind> {
        let syntax = |detail: String| ProblemKind::SelectorSyntax { detail };
        Ok(match rest.split_once(':') {
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
            Some(("column", name)) => Method::Column(match name.contains('.') {
                true => ColumnName::Whole(ColumnPattern::parse(name).ok_or_else(|| {
                    syntax(format!("`{name}` is no column: write source.table.column"))
                })?),
                false => ColumnName::Last(name.to_owned()),
            }),
            Some(("state", "new")) => Method::State(State::New),
            Some(("state", "modified")) => Method::State(State::Modified),
            Some(("state", state)) => {
                let near = nearest(state, STATES)
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                return Err(syntax(format!(
                    "`{state}` is no state{near}; there are new, modified"
                )));
            }
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
        })
    }
}

/// Selects nodes. Without selectors, everything; then what `exclude` selects is taken out. `states` are
/// what [`Selector::needs_states`] is about.
#[must_use]
pub fn select(
    project: &Project,
    include: &[Selector],
    exclude: &[Selector],
    states: &States,
) -> Selection {
    let mut chosen = if include.is_empty() { all(project) } else { any(project, include, states) };
    for node in any(project, exclude, states) {
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

fn any(project: &Project, selectors: &[Selector], states: &States) -> BTreeSet<NodeId> {
    let everything = all(project);
    let mut made: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for child in &everything {
        for parent in parents(project, child) {
            made.entry(parent).or_default().push(child.clone());
        }
    }
    let graph = Graph { everything, made };
    let mut chosen = BTreeSet::new();
    for Selector(parts) in selectors {
        let each = parts.iter().map(|part| part.selected(project, states, &graph));
        let both = each.reduce(|left, right| left.intersection(&right).cloned().collect());
        chosen.extend(both.unwrap_or_default());
    }
    chosen
}

/// All nodes, and what is made from each directly.
struct Graph {
    everything: BTreeSet<NodeId>,
    made: BTreeMap<NodeId, Vec<NodeId>>,
}

impl Part {
    fn selected(&self, project: &Project, states: &States, graph: &Graph) -> BTreeSet<NodeId> {
        let parents = |node: &NodeId| parents(project, node);
        let children = |node: &NodeId| graph.made.get(node).cloned().unwrap_or_default();
        let holds = |node: &&NodeId| self.method.holds(project, states, node);
        let mut found: BTreeSet<NodeId> = graph.everything.iter().filter(holds).cloned().collect();
        let above = reach(&found, self.upstream, parents);
        let below = reach(&found, if self.closed { usize::MAX } else { self.downstream }, children);
        found.extend(below);
        if self.closed {
            found.extend(reach(&found, usize::MAX, parents));
        }
        found.extend(above);
        found
    }
}

/// Everything that can be reached in so many steps.
fn reach(
    from: &BTreeSet<NodeId>,
    steps: usize,
    step: impl Fn(&NodeId) -> Vec<NodeId>,
) -> BTreeSet<NodeId> {
    let mut reached = BTreeSet::new();
    let mut edge: Vec<NodeId> = from.iter().cloned().collect();
    let mut left = steps;
    while left > 0 && !edge.is_empty() {
        let next = edge.iter().flat_map(&step);
        edge = next.filter(|node| reached.insert(node.clone())).collect();
        left -= 1;
    }
    reached
}

impl Method {
    fn holds(&self, project: &Project, states: &States, node: &NodeId) -> bool {
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
            (Self::Column(column), NodeId::Relation(relation)) => {
                column.is_of(project, relation, None)
            }
            (Self::Column(column), NodeId::Export(name)) => {
                project.export(name).is_some_and(|export| {
                    column.is_of(project, &export.from.value, export.columns.as_deref())
                })
            }
            (Self::State(state), NodeId::Export(name)) => {
                let is_new = states.new.contains(name);
                is_new || (*state == State::Modified && states.changed.contains(name))
            }
            _ => false,
        }
    }
}

impl ColumnName {
    /// Whether a table or model declares such a column, among those that are `listed`.
    fn is_of(
        &self,
        project: &Project,
        relation: &Relation,
        listed: Option<&[Spanned<String>]>,
    ) -> bool {
        let declared = project.columns(relation).iter().map(|column| &column.name.value);
        let listed_names = listed.into_iter().flatten().map(|column| &column.value);
        declared.chain(listed_names).any(|name| {
            let is_listed = listed.is_none_or(|all| all.iter().any(|one| one.value == *name));
            let is_meant = match self {
                Self::Whole(pattern) => pattern.matches(relation, name),
                Self::Last(pattern) => glob(pattern, name),
            };
            is_listed && is_meant
        })
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
