//! `lineage`: what a column is made from, what is made of it, and where its values can be seen.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use engine_project::{Action, Export, Project, Relation};
use serde::Serialize;

use crate::bind::{Decided, Judged, Reaches};
use crate::codes::commands;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::flow::{Influence, Kind, Kinds, Origin};
use crate::request::Context;
use crate::workspace;

/// Where a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// A source's table.
    Table,
    /// A model.
    Model,
    /// An export.
    Export,
}

/// A column, or the rows, of a table, model or export.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Point {
    /// Where it stands.
    pub layer: Layer,
    /// The table, as `source.table`, the model or the export.
    pub node: String,
    /// The column; none for which rows there are.
    pub column: Option<String>,
}

/// One point depends on another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The one that is depended on.
    pub from: Point,
    /// The one that depends.
    pub to: Point,
    /// How: `copied`, `filter`; for a column of an export what happens to it on the way out.
    pub how: Vec<String>,
    /// Whether values of `from` can be seen in `to`.
    pub shows_values: bool,
}

/// A column of an export in which values of the asked one can be seen as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Visible {
    /// The points from the asked one to the export's, each with how it comes from the one before.
    pub path: Vec<(Point, Vec<String>)>,
}

/// The surroundings of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lineage {
    /// The column that was asked for.
    pub of: Point,
    /// Every edge upstream of it, when asked for.
    pub up: Vec<Edge>,
    /// Every edge downstream of it, when asked for.
    pub down: Vec<Edge>,
    /// Where its values can be seen, the nearest way to each.
    pub visible: Vec<Visible>,
    /// The classes of columns that have one.
    pub classes: BTreeMap<String, Vec<String>>,
}

/// `crm.customers.email`, `model profile.contact`, `export customers.email`, `rows of …`.
impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.column.is_none() {
            f.write_str("rows of ")?;
        }
        match self.layer {
            Layer::Table => {}
            Layer::Model => f.write_str("model ")?,
            Layer::Export => f.write_str("export ")?,
        }
        f.write_str(&self.node)?;
        match &self.column {
            Some(column) => write!(f, ".{column}"),
            None => Ok(()),
        }
    }
}

/// What is asked of the lineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directions {
    /// What the column is made from.
    pub up: bool,
    /// What is made of it.
    pub down: bool,
}

/// The lineage of a column.
///
/// # Errors
/// There is no such column, or tables and models cannot be bound. An export that would not compile is no
/// error.
pub async fn lineage(context: &Context, column: &str, asked: Directions) -> Outcome<Lineage> {
    let project = workspace::load(context)?;
    let upstream = workspace::upstream(&project, context).await?;
    let graph = Graph::new(&project, &upstream.reaches);
    let of = graph.find(column)?;
    let edges = |wanted: bool, next: fn(&Edge) -> (&Point, &Point)| {
        if wanted { graph.from(&of, next) } else { Vec::new() }
    };
    Ok(Lineage {
        up: edges(asked.up, |edge| (&edge.to, &edge.from)),
        down: edges(asked.down, |edge| (&edge.from, &edge.to)),
        visible: graph.visible(&of),
        classes: graph.classes,
        of,
    })
}

/// Every point and edge of a project.
struct Graph {
    points: BTreeSet<Point>,
    edges: Vec<Edge>,
    classes: BTreeMap<String, Vec<String>>,
}

impl Graph {
    fn new(project: &Arc<Project>, reaches: &Reaches) -> Self {
        let mut graph =
            Self { points: BTreeSet::new(), edges: Vec::new(), classes: BTreeMap::new() };
        for (relation, reach) in reaches.iter() {
            let rows = point(relation, None);
            graph.add(&rows, &reach.step);
            for column in &reach.columns {
                let to = point(relation, Some(&column.name));
                graph.add(&to, &column.step);
                // That a table's columns have a value in its rows says nothing.
                if rows.layer != Layer::Table {
                    graph.connect(rows.clone(), to.clone(), vec!["rows".to_owned()], false);
                }
                let classes: Vec<String> = Judged { project, relation, reach: column }
                    .candidates()
                    .into_iter()
                    .flatten()
                    .collect();
                if !classes.is_empty() {
                    graph.classes.insert(to.to_string(), classes);
                }
            }
        }
        for export in &project.exports {
            graph.add_export(project, reaches, export);
        }
        graph
    }

    fn connect(&mut self, from: Point, to: Point, how: Vec<String>, shows_values: bool) {
        self.points.insert(from.clone());
        self.points.insert(to.clone());
        self.edges.push(Edge { from, to, how, shows_values });
    }

    /// Adds what a point depends on right below.
    fn add(&mut self, to: &Point, step: &Influence) {
        self.points.insert(to.clone());
        for (origin, kinds) in step.iter() {
            let Origin { relation, column } = origin;
            let from = point(relation, column.as_deref());
            let how = if column.is_some() { words(kinds) } else { vec!["rows".to_owned()] };
            self.connect(from, to.clone(), how, !kinds.direct().is_empty());
        }
    }

    fn add_export(&mut self, project: &Project, reaches: &Reaches, export: &Export) {
        let relation = &export.from.value;
        let Some(reach) = reaches.get(relation) else { return };
        let at = |column: Option<&str>| Point {
            layer: Layer::Export,
            node: export.name.value.clone(),
            column: column.map(str::to_owned),
        };
        let published = |name: &str| match &export.columns {
            Some(columns) => columns.iter().any(|column| column.value == name),
            None => true,
        };
        self.connect(point(relation, None), at(None), vec!["rows".to_owned()], false);
        for name in &export.partition_by {
            let from = point(relation, Some(&name.value));
            self.connect(from, at(None), words(Kinds::of(Kind::Partition)), false);
        }
        for column in reach.columns.iter().filter(|column| published(&column.name)) {
            let (how, shows_values) =
                outcome(project, &Judged { project, relation, reach: column }.decided());
            let from = point(relation, Some(&column.name));
            self.connect(from, at(Some(&column.name)), vec![how], shows_values);
        }
    }

    /// The column of this name: `source.table.column`, or `name.column` of an export or model.
    fn find(&self, text: &str) -> Outcome<Point> {
        let spelled = |point: &Point| {
            let column = point.column.as_ref()?;
            Some(format!("{}.{column}", point.node))
        };
        // An export often has the name of the model it is made from, and comes after it.
        let layered = |point: &&Point| {
            point.to_string() == text || spelled(point).is_some_and(|spelled| spelled == text)
        };
        if let Some(point) = self.points.iter().rev().find(layered) {
            return Ok(point.clone());
        }
        let names: BTreeSet<String> = self.points.iter().filter_map(spelled).collect();
        let nearest = engine_project::nearest(text, names.iter().map(String::as_str));
        let message = format!("there is no column `{text}`");
        let help = match nearest {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name a column as source.table.column, or as model.column or export.column"
                .to_owned(),
        };
        Err(Diagnostic::new(&commands::UNKNOWN_TOPIC, message).help(help).into())
    }

    /// Every edge that can be reached, nearest first.
    fn from(&self, of: &Point, ends: fn(&Edge) -> (&Point, &Point)) -> Vec<Edge> {
        let mut by_start: BTreeMap<&Point, Vec<&Edge>> = BTreeMap::new();
        for edge in &self.edges {
            by_start.entry(ends(edge).0).or_default().push(edge);
        }
        let mut seen = BTreeSet::from([of]);
        let mut waiting = VecDeque::from([of]);
        let mut found = Vec::new();
        while let Some(point) = waiting.pop_front() {
            for edge in by_start.get(point).into_iter().flatten() {
                found.push((*edge).clone());
                let next = ends(edge).1;
                if seen.insert(next) {
                    waiting.push_back(next);
                }
            }
        }
        found
    }

    /// The shortest way to every column of an export in which values can be seen.
    fn visible(&self, of: &Point) -> Vec<Visible> {
        let shown: Vec<&Edge> = self.edges.iter().filter(|edge| edge.shows_values).collect();
        let mut came: BTreeMap<&Point, &Edge> = BTreeMap::new();
        let mut waiting = VecDeque::from([of]);
        let mut reached = Vec::new();
        while let Some(point) = waiting.pop_front() {
            for edge in shown.iter().filter(|edge| edge.from == *point) {
                if edge.to == *of || came.contains_key(&edge.to) {
                    continue;
                }
                came.insert(&edge.to, edge);
                waiting.push_back(&edge.to);
                if edge.to.layer == Layer::Export {
                    reached.push(&edge.to);
                }
            }
        }
        let way = |to: &Point| {
            let mut path = Vec::new();
            let mut at = to;
            while let Some(edge) = came.get(at) {
                path.push((edge.to.clone(), edge.how.clone()));
                at = &edge.from;
            }
            path.push((of.clone(), Vec::new()));
            path.reverse();
            Visible { path }
        };
        reached.into_iter().map(way).collect()
    }
}

fn point(relation: &Relation, column: Option<&str>) -> Point {
    let layer = match relation {
        Relation::Table { .. } => Layer::Table,
        Relation::Model { .. } => Layer::Model,
    };
    Point { layer, node: relation.to_string(), column: column.map(str::to_owned) }
}

fn words(kinds: Kinds) -> Vec<String> {
    kinds.iter().map(|kind| kind.word().to_owned()).collect()
}

/// What happens to a column on its way into an export, and whether its values can be seen there.
fn outcome(project: &Project, decided: &Decided<'_>) -> (String, bool) {
    match decided {
        Decided::Rule(rule, _) => {
            let (name, place) = (&rule.name.value, project.files.describe(rule.name.at));
            match &rule.action {
                Action::Mask(mask) => {
                    (format!("masked by {} of rule {name} ({place})", mask.function.value), false)
                }
                Action::Keep(approval) => {
                    let (owner, reason) = (&approval.owner.value, &approval.reason.value);
                    (format!("kept by rule {name}, {owner}: {reason} ({place})"), true)
                }
            }
        }
        Decided::Open(None) => ("open, shows no value of a sensitive column".to_owned(), true),
        Decided::Open(Some(released)) => {
            let by = format!("open by {}, {}: {}", released.by, released.owner, released.reason);
            (by, true)
        }
        Decided::Uncovered(_)
        | Decided::Ambiguous(_)
        | Decided::Differ(_)
        | Decided::ShowsMore(..) => ("refused, the export does not compile".to_owned(), false),
    }
}
