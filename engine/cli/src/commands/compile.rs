//! `engine compile`: the SQL of every export, offline.

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::compile;

use crate::invocation::Invocation;
use crate::options::{Resources, Selection};
use crate::render::table::{Align, Listing};

/// Write the SQL of each model and export to target/compiled, offline
///
/// No source, store or key is opened. Masks stand in the SQL as functions. Equal projects give
/// byte-identical files.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine compile
  engine compile --select customers && cat target/compiled/exports/customers.sql")]
pub(crate) struct Compile {
    #[command(flatten)]
    pub selection: Selection,
}

/// Compiles, and lists what was written.
pub(crate) async fn run(invocation: &Invocation, options: &Compile) -> Outcome<Exit> {
    let context = invocation.context(&Resources::default())?;
    let report = compile::compile(&context, &options.selection.wanted()).await?;
    invocation.report(&report, |report| {
        let mut listing =
            Listing::new(&[("node", Align::Left), ("kind", Align::Left), ("SQL", Align::Left)]);
        for node in &report.nodes {
            listing.row([node.name.as_str(), node.kind, &node.file]);
        }
        listing.render()
    })?;
    Ok(Exit::Ok)
}
