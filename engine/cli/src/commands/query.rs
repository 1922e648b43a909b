//! `engine query`: SQL over committed exports.

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::query;

use crate::invocation::Invocation;
use crate::options::{self, Resources};
use crate::render::rows;

/// Run SQL over committed exports
///
/// Exports are tables of the same name. A history NAME is the tables NAME_h, NAME_s and NAME_l, and the views NAME
/// (every version), NAME_current and NAME_as_of; with --as-of, an export's name stands for what it was then. The compiled SQL of an export or model is answered as it was
/// published, masked. Sealed chunks are read by range and decrypted in memory; no decrypted copy reaches a disk.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine query 'SELECT count(*) FROM customers'
  engine query --format json 'SELECT country, count(*) AS n FROM customers GROUP BY country'
  engine query --as-of 2026-01-31T12:00Z 'SELECT count(*) FROM customers'
  engine query --tenant acme 'SELECT * FROM customer_history_current'")]
pub(crate) struct Query {
    /// One SELECT
    #[arg(value_name = "SQL")]
    pub sql: String,

    #[command(flatten)]
    pub asked: options::Asked,

    #[command(flatten)]
    pub resources: Resources,
}

/// Answers, and writes the rows.
pub(crate) async fn run(invocation: &Invocation, options: &Query) -> Outcome<Exit> {
    let context = invocation.context(&options.resources)?;
    let answer = query::query(&context, &options.sql, &options.asked.bound()).await?;
    if let Some(export) = &answer.published {
        invocation
            .note(&format!("Compiled SQL: these are the rows as export {export} published them."));
    }
    invocation.document(&rows::text(&answer, invocation.global.format)?)?;
    Ok(Exit::Ok)
}
