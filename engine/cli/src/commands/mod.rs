//! One file for each command: its options, one call of an operation, and how its report looks.

pub(crate) mod approve;
pub(crate) mod compile;
pub(crate) mod completions;
pub(crate) mod debug;
pub(crate) mod explain;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod lineage;
pub(crate) mod load;
pub(crate) mod metadata;
pub(crate) mod plan;
pub(crate) mod query;
pub(crate) mod report;
pub(crate) mod retention;
pub(crate) mod retry;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod test;
pub(crate) mod unmask;
pub(crate) mod verify;

use clap::Subcommand;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;

use crate::invocation::Invocation;

/// What to do.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Command {
    Init(init::Init),
    Debug(debug::Debug),
    Compile(compile::Compile),
    Plan(plan::Plan),
    Approve(approve::Approve),
    Run(run::Run),
    Retry(retry::Retry),
    Test(test::Test),
    Verify(verify::Verify),
    History(history::History),
    Report(report::ReportRuns),
    Query(query::Query),
    Show(show::Show),
    Load(load::Load),
    Unmask(unmask::Unmask),
    Metadata(metadata::Metadata),
    Retention(retention::Retention),
    Keys(keys::Keys),
    Schema(schema::Schema),
    Explain(explain::Explain),
    Lineage(lineage::ShowLineage),
    Completions(completions::Completions),
}

/// Carries out a command; `program` makes the whole command line, for completions.
///
/// # Errors
/// Why it stopped.
pub(crate) async fn run(
    invocation: &Invocation,
    command: Command,
    program: fn() -> clap::Command,
) -> Outcome<Exit> {
    match command {
        Command::Init(options) => init::run(invocation, &options),
        Command::Debug(_) => debug::run(invocation).await,
        Command::Compile(options) => compile::run(invocation, &options).await,
        Command::Plan(options) => plan::run(invocation, &options).await,
        Command::Approve(options) => approve::run(invocation, &options).await,
        Command::Run(options) => run::run(invocation, &options).await,
        Command::Retry(options) => retry::run(invocation, &options).await,
        Command::Test(options) => test::run(invocation, &options).await,
        Command::Verify(options) => verify::run(invocation, &options).await,
        Command::History(options) => history::run(invocation, &options).await,
        Command::Report(options) => report::run(invocation, &options).await,
        Command::Query(options) => query::run(invocation, &options).await,
        Command::Show(options) => show::run(invocation, &options).await,
        Command::Load(options) => load::run(invocation, &options).await,
        Command::Unmask(options) => unmask::run(invocation, &options).await,
        Command::Metadata(options) => metadata::run(invocation, &options).await,
        Command::Retention(options) => retention::run(invocation, &options).await,
        Command::Keys(options) => keys::run(invocation, &options).await,
        Command::Schema(options) => schema::run(invocation, &options),
        Command::Explain(options) => explain::run(invocation, &options).await,
        Command::Lineage(options) => lineage::run(invocation, &options).await,
        Command::Completions(options) => completions::run(invocation, &options, program()),
    }
}
