//! `engine load`: a committed export into a database.

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::load;

use crate::invocation::Invocation;
use crate::options::Resources;
use crate::render::table::{Align, Listing, count};

/// Load a committed export into a connection
///
/// The load happens whole or not at all, inside one transaction of the database.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine load customers --to uat
  engine load customers --to acme_uat --tenant acme")]
pub(crate) struct Load {
    /// The export
    pub export: String,

    /// The connection; table and mode are those under `load:` of the export, or its name and replace
    #[arg(long, value_name = "CONNECTION")]
    pub to: String,

    /// Loads the rows of this tenant only, named as its column shows it; the tenant goes on record, sealed
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,

    #[command(flatten)]
    pub resources: Resources,
}

/// Loads, and lists the tables that were written.
pub(crate) async fn run(invocation: &Invocation, options: &Load) -> Outcome<Exit> {
    let context = invocation.context(&options.resources)?;
    let done =
        load::load(&context, &options.export, &options.to, options.tenant.as_deref()).await?;
    invocation.report(&done, |done| {
        let mut listing = Listing::new(&[
            ("connection", Align::Left),
            ("table", Align::Left),
            ("rows", Align::Right),
        ]);
        for load in done {
            listing.row([&load.connection, &load.table, &count(load.rows)]);
        }
        listing.render()
    })?;
    Ok(Exit::Ok)
}
