//! `engine show`: the first rows of an export, masked.

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::query;

use crate::invocation::Invocation;
use crate::options::{self, Resources};
use crate::render::rows;

/// Print the first rows of a committed export, masked as they are
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine show customers
  engine show customers --limit 100 --format json")]
pub(crate) struct Show {
    /// The export
    pub export: String,

    /// How many rows
    #[arg(long, short, value_name = "N", default_value = "10", value_parser = options::count)]
    pub limit: usize,

    #[command(flatten)]
    pub asked: options::Asked,
}

/// Reads the rows, and writes them.
pub(crate) async fn run(invocation: &Invocation, options: &Show) -> Outcome<Exit> {
    let context = invocation.context(&Resources::default())?;
    let answer =
        query::show(&context, &options.export, options.limit, &options.asked.bound()).await?;
    invocation.document(&rows::text(&answer, invocation.global.format)?)?;
    Ok(Exit::Ok)
}
