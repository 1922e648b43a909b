//! `engine lineage`: what a column is made from, what is made of it, and where it can be seen.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::lineage::{self, Directions, Edge, Layer, Lineage, Point};

use crate::console::printable;
use crate::invocation::Invocation;
use crate::options::Resources;

/// Show what a column is made from, what is made of it, and why it is visible
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine lineage crm.customers.email --down
  engine lineage customer_spending.Spent --up
  engine lineage crm.customers.country --why-visible
  engine lineage crm.customers.email --dot | dot -Tsvg > email.svg")]
pub(crate) struct ShowLineage {
    /// A column: source.table.column, model.column or export.column
    #[arg(value_name = "COLUMN")]
    pub column: String,
    /// Only what it is made from
    #[arg(long)]
    pub up: bool,
    /// Only what is made of it
    #[arg(long, conflicts_with = "up")]
    pub down: bool,
    /// Only where its values can be seen, and who answers for it
    #[arg(long, conflicts_with_all = ["up", "down"])]
    pub why_visible: bool,
    /// A graph in the DOT language
    #[arg(long, conflicts_with = "why_visible")]
    pub dot: bool,
}

/// Shows the lineage.
pub(crate) async fn run(invocation: &Invocation, options: &ShowLineage) -> Outcome<Exit> {
    let context = invocation.context(&Resources::default())?;
    let asked = Directions { up: !options.down, down: !options.up };
    let found = lineage::lineage(&context, &options.column, asked).await?;
    invocation.report(&found, |found| {
        if options.dot {
            dot(found)
        } else if options.why_visible {
            visible(found)
        } else {
            trees(found)
        }
    })?;
    Ok(Exit::Ok)
}

fn trees(found: &Lineage) -> String {
    let mut text = format!("{}\n", labelled(found, &found.of));
    if !found.up.is_empty() {
        text.push_str("\nmade from\n");
        let tree = Tree { found, edges: &found.up, ends: |edge| (&edge.to, &edge.from) };
        tree.below(&found.of, "", &mut BTreeSet::new(), &mut text);
    }
    if !found.down.is_empty() {
        text.push_str("\nmade of it\n");
        let tree = Tree { found, edges: &found.down, ends: |edge| (&edge.from, &edge.to) };
        tree.below(&found.of, "", &mut BTreeSet::new(), &mut text);
    }
    text
}

/// A tree of edges: a point that stands in it already is named and not unfolded again.
struct Tree<'a> {
    found: &'a Lineage,
    edges: &'a [Edge],
    ends: fn(&Edge) -> (&Point, &Point),
}

impl<'a> Tree<'a> {
    fn below(&self, of: &Point, indent: &str, seen: &mut BTreeSet<&'a Point>, text: &mut String) {
        // That its rows are part of each column of a model need not be said of every one.
        let is_own_column = |edge: &Edge| {
            let next = (self.ends)(edge).1;
            of.column.is_none() && next.node == of.node && next.layer == of.layer
        };
        let mut edges: Vec<&'a Edge> = self
            .edges
            .iter()
            .filter(|edge| (self.ends)(edge).0 == of && !is_own_column(edge))
            .collect();
        edges.sort_by_key(|edge| !edge.shows_values);
        for (position, edge) in edges.iter().enumerate() {
            let is_last = position + 1 == edges.len();
            let next = (self.ends)(edge).1;
            let branch = if is_last { "└─" } else { "├─" };
            let is_new = seen.insert(next);
            let leaf = !self.edges.iter().any(|edge| (self.ends)(edge).0 == next);
            let again = if is_new || leaf { "" } else { " …" };
            let label = labelled(self.found, next);
            let how = printable(&edge.how.join(", "));
            text.push_str(&format!("{indent}{branch} {how}: {label}{again}\n"));
            if is_new {
                let deeper = if is_last { "   " } else { "│  " };
                self.below(next, &format!("{indent}{deeper}"), seen, text);
            }
        }
    }
}

fn labelled(found: &Lineage, point: &Point) -> String {
    let name = point.to_string();
    let classes = found.classes.get(&name).map(|classes| format!(" ({})", classes.join(", ")));
    printable(&format!("{name}{}", classes.unwrap_or_default()))
}

fn visible(found: &Lineage) -> String {
    let of = labelled(found, &found.of);
    if found.visible.is_empty() {
        return format!("{of} is visible in no export\n");
    }
    let count = found.visible.len();
    let columns = if count == 1 { "column" } else { "columns" };
    let mut text = format!("{of} is visible in {count} {columns}\n");
    for way in &found.visible {
        let Some((to, _)) = way.path.last() else { continue };
        text.push_str(&format!("\n{}\n", labelled(found, to)));
        for (point, how) in way.path.iter().skip(1) {
            let how = printable(&how.join(", "));
            text.push_str(&format!("  {how}: {}\n", labelled(found, point)));
        }
    }
    text
}

/// The graph in the DOT language of Graphviz.
fn dot(found: &Lineage) -> String {
    let quoted =
        |text: &str| format!("\"{}\"", printable(text).replace('\\', "\\\\").replace('"', "\\\""));
    let mut text = String::from("digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n");
    let edges: Vec<&Edge> = found.up.iter().chain(&found.down).collect();
    let points: BTreeSet<&Point> =
        edges.iter().flat_map(|edge| [&edge.from, &edge.to]).chain([&found.of]).collect();
    for point in points {
        let style = match point.layer {
            Layer::Table => "",
            Layer::Model => ", style=rounded",
            Layer::Export => ", style=bold",
        };
        let label = quoted(&labelled(found, point));
        let _ = writeln!(text, "  {} [label={label}{style}];", quoted(&point.to_string()));
    }
    for edge in edges {
        let style = if edge.shows_values { "" } else { ", style=dashed" };
        let (from, to) = (quoted(&edge.from.to_string()), quoted(&edge.to.to_string()));
        let how = quoted(&edge.how.join(", "));
        let _ = writeln!(text, "  {from} -> {to} [label={how}{style}];");
    }
    text.push_str("}\n");
    text
}
