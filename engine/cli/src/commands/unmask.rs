//! `engine unmask`: restores what reversible masks hid.

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::unmask;

use crate::invocation::Invocation;
use crate::options::{self, Resources};
use crate::render::rows;

/// Restore the reversible columns of an export, for whoever holds its masking key; goes on record
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine unmask customers --column card
  engine unmask customers --where \"customer_id = '8cf1…'\" --format json")]
pub(crate) struct Unmask {
    /// The export
    pub export: String,

    /// Restores this column, and others not [default: all that can be restored]
    #[arg(long = "column", value_name = "COLUMN")]
    pub columns: Vec<String>,

    /// Restores only rows for which this SQL condition holds, over what is published
    #[arg(long = "where", value_name = "SQL")]
    pub filter: Option<String>,

    /// Restores at most so many rows [default: all]
    #[arg(long, short, value_name = "N", value_parser = options::count)]
    pub limit: Option<usize>,

    /// Sees the rows of this tenant only; the tenant goes on record, sealed
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,

    /// Does so even where the variable CI is set
    #[arg(long)]
    pub in_ci: bool,
}

/// Restores the rows, and writes them.
pub(crate) async fn run(invocation: &Invocation, options: &Unmask) -> Outcome<Exit> {
    let context = invocation.context(&Resources::default())?;
    let Unmask { export, columns, filter, limit, tenant, in_ci } = options.clone();
    let wanted = unmask::Wanted { export, columns, filter, limit, tenant, in_ci };
    let answer = unmask::unmask(&context, &wanted).await?;
    invocation.document(&rows::text(&answer, invocation.global.format)?)?;
    Ok(Exit::Ok)
}
