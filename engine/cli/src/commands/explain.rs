//! `engine explain`: the page of an error code, or what each column of a node is made from, which rule
//! holds for it, and what it shows.

use clap::Args;
use engine_runtime::codes;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::explain::{
    self, ColumnExplanation, Explanation, NodeExplanation, SourceExplanation,
};

use crate::console::printable;
use crate::invocation::Invocation;
use crate::options::Resources;
use crate::render::page;

/// Explain an error code, or each column of an export, model or table: what it is made from, which rule
/// holds and why, what a reader can learn
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine explain E0401
  engine explain customers
  engine explain crm.customers")]
pub(crate) struct Explain {
    /// A code, an export, a model, or source.table
    #[arg(value_name = "CODE|NODE")]
    pub topic: String,
}

/// Explains. A code needs no project, so that what is wrong with one can be looked up.
pub(crate) async fn run(invocation: &Invocation, options: &Explain) -> Outcome<Exit> {
    let explained = match codes::find(&options.topic) {
        Some(code) => Explanation::Code(code),
        None => {
            explain::explain(&invocation.context(&Resources::default())?, &options.topic).await?
        }
    };
    match explained {
        Explanation::Code(code) => invocation
            .report(&page::object(code), |_| page::text(code, invocation.console.width))?,
        Explanation::Node(node) => invocation.report(&node, text)?,
    }
    Ok(Exit::Ok)
}

/// A paragraph for each column.
fn text(node: &NodeExplanation) -> String {
    let mut text = format!("{}, from {}\n", node.node, node.from);
    for column in &node.columns {
        let column_type = column.column_type.as_deref().unwrap_or("type not known");
        text.push_str(&format!("\n{}, {column_type}\n", printable(&column.column)));
        for (word, line) in lines(column) {
            text.push_str(&format!("  {word:<6}  {}\n", printable(&line)));
        }
    }
    if !node.rows.is_empty() {
        text.push_str("\nWhich rows there are\n");
        for source in &node.rows {
            text.push_str(&format!("  from    {}\n", printable(&shown(source))));
        }
    }
    text
}

fn lines(column: &ColumnExplanation) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if column.sources.is_empty() {
        lines.push(("from", "no value of any column".to_owned()));
    }
    lines.extend(column.sources.iter().map(|source| ("from", shown(source))));
    if !column.classes.is_empty() {
        lines.push(("class", column.classes.join(", ")));
    }
    if let Some(rule) = &column.winner {
        lines.push(("rule", format!("{}: {}  ({})", rule.rule, rule.does, rule.place)));
    }
    for rule in &column.losers {
        let why = rule.why.unwrap_or_default();
        lines.push(("lost", format!("{}: {}, {why}  ({})", rule.rule, rule.does, rule.place)));
    }
    lines.push(("shows", column.learns.clone()));
    lines
}

fn shown(source: &SourceExplanation) -> String {
    let class = source.class.as_deref().unwrap_or("no class");
    format!("{} ({class}): {}", source.column, source.how.join(", "))
}
