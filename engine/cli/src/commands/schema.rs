//! `engine schema`: JSON Schemas of the project's files.

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::schema;

use crate::invocation::Invocation;

/// Print the JSON Schema of a kind of project file
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine schema project > project.schema.json")]
pub(crate) struct Schema {
    /// The kind: engine, profiles or project
    pub kind: String,
}

/// Writes the schema, which is JSON whatever the format.
pub(crate) fn run(invocation: &Invocation, options: &Schema) -> Outcome<Exit> {
    invocation.document(&schema::text(&schema::schema(&options.kind)?))?;
    Ok(Exit::Ok)
}
