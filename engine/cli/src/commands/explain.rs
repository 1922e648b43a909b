//! `engine explain`: the page of an error code, or which rule holds for each column of a node.

use clap::Args;
use engine_runtime::codes;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::explain::{self, Explanation, NodeExplanation};

use crate::invocation::Invocation;
use crate::options::Resources;
use crate::render::page;
use crate::render::table::{Align, Listing};

/// Explain an error code, or which rule holds for each column of an export, model or table
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
pub(crate) fn run(invocation: &Invocation, options: &Explain) -> Outcome<Exit> {
    let explained = match codes::find(&options.topic) {
        Some(code) => Explanation::Code(code),
        None => explain::explain(&invocation.context(&Resources::default())?, &options.topic)?,
    };
    match explained {
        Explanation::Code(code) => invocation
            .report(&page::object(code), |_| page::text(code, invocation.console.width))?,
        Explanation::Node(node) => invocation.report(&node, text)?,
    }
    Ok(Exit::Ok)
}

/// One line for each column with the rule that won, and below it one for each that lost.
fn text(node: &NodeExplanation) -> String {
    let mut listing = Listing::new(&[
        ("column", Align::Left),
        ("type", Align::Left),
        ("class", Align::Left),
        ("rule", Align::Left),
        ("does", Align::Left),
        ("at", Align::Left),
        ("", Align::Left),
    ]);
    for column in &node.columns {
        let column_type = column.column_type.as_deref().unwrap_or("-");
        let class = column.class.as_deref().unwrap_or("-");
        match &column.winner {
            Some(rule) => {
                listing.row([
                    &column.column,
                    column_type,
                    class,
                    &rule.rule,
                    &rule.does,
                    &rule.place,
                    "won",
                ]);
            }
            None => {
                listing.row([&column.column, column_type, class, "-", "not covered", "", ""]);
            }
        }
        for rule in &column.losers {
            let why = format!("lost: {}", rule.why.unwrap_or_default());
            listing.row(["", "", "", &rule.rule, &rule.does, &rule.place, &why]);
        }
    }
    format!("{}, from {}\n\n{}", node.node, node.from, listing.render())
}
