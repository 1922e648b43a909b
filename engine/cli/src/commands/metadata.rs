//! `engine metadata`: the recorded schemas of sources, and what changed in them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine_runtime::codes::tracking;
use engine_runtime::diagnostic::{Diagnostic, Failure, Outcome};
use engine_runtime::exit::Exit;
use engine_runtime::ops::metadata::{self, ExtractReport, Extracted};
use engine_runtime::ops::reveal;

use crate::console::{printable, written};
use crate::invocation::Invocation;
use crate::options::{Format, Resources};
use crate::render::table::counted;

/// Record the schemas of sources in Git, sealed, and say what changed in them
#[derive(Args, Clone, Debug)]
pub(crate) struct Metadata {
    #[command(subcommand)]
    pub command: MetadataCommand,
}

/// What to do with the records.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum MetadataCommand {
    Extract(Extract),
    Decrypt(Decrypt),
    History(History),
    Clean(Clean),
    Check(Check),
    Show(Show),
    DiffDriver(DiffDriver),
}

/// Read the catalogs of the tracked sources, and record what changed
///
/// Writes sealed files under metadata/, to be committed. Where nothing changed, nothing is written. What the
/// policy says `fail` for is refused, and then nothing is written at all.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine metadata extract
  engine metadata extract crm          one source
  engine metadata extract --accept     records changes that the policy refuses")]
pub(crate) struct Extract {
    /// Sources; all that a policy tracks when none is named
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Records changes that the policy refuses, too
    #[arg(long)]
    pub accept: bool,
}

/// Write what is recorded in clear to metadata/decrypted, which must not be committed
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine metadata decrypt
  engine metadata decrypt --table crm.customers")]
pub(crate) struct Decrypt {
    /// One table: its name, or source.table
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,

    /// All tables, which is what happens anyway
    #[arg(long, conflicts_with = "table")]
    pub all: bool,
}

/// Print what changed in the schemas, newest first, from the sealed files
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine metadata history --since 2026-01-01
  engine metadata history --table crm.customers --markdown")]
pub(crate) struct History {
    /// One table, under its present name and those it had
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,

    /// From this day on
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub since: Option<String>,

    /// One line for each time something changed
    #[arg(long)]
    pub summary: bool,

    /// As Markdown
    #[arg(long, conflicts_with = "summary")]
    pub markdown: bool,
}

/// Remove metadata/decrypted
#[derive(Args, Clone, Debug)]
pub(crate) struct Clean {}

/// Refuse a commit that has decrypted metadata, secrets of a machine or raw data: for a Git hook or CI
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine metadata check
  engine metadata check --allow 'data/*.csv'
  echo 'engine metadata check' > .git/hooks/pre-commit")]
pub(crate) struct Check {
    /// Lets files through whose path in the project matches; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub allow: Vec<String>,
}

/// Print a sealed file of metadata in clear: what Git's diff driver runs
///
/// Prints nothing without the key, so that a diff shows nothing to others.
#[derive(Args, Clone, Debug)]
pub(crate) struct Show {
    /// The file, under any name
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Have `git diff` and `git log -p` show sealed metadata in clear in this clone
///
/// Sets `diff.engine-metadata.textconv` in the clone's configuration; `.gitattributes` of the project names
/// the driver. `engine init` does this in a new project.
#[derive(Args, Clone, Debug)]
pub(crate) struct DiffDriver {}

fn day(text: &str) -> Result<String, String> {
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d");
    day.map(|day| day.to_string()).map_err(|_| "must be a day, such as 2026-01-31".to_owned())
}

/// Does it.
pub(crate) async fn run(invocation: &Invocation, options: &Metadata) -> Outcome<Exit> {
    if let MetadataCommand::Show(options) = &options.command {
        return show(invocation, options).await;
    }
    let context = invocation.context(&Resources::default())?;
    match &options.command {
        MetadataCommand::Extract(options) => {
            let report = metadata::extract(&context, &options.sources, options.accept).await?;
            for warning in &report.warnings {
                invocation.warn(&Failure::from(warning.clone()));
            }
            invocation.report(&report, extracted)?;
        }
        MetadataCommand::Decrypt(options) => {
            let report = reveal::decrypt(&context, options.table.as_deref()).await?;
            invocation.report(&report, |report| {
                let files = counted(report.files.len() as u64, "file");
                format!("{files} written in clear to {}", written(&report.folder))
            })?;
            invocation
                .note("Remove them with `engine metadata clean`; they must not be committed.");
        }
        MetadataCommand::History(options) => history(invocation, &context, options).await?,
        MetadataCommand::Clean(_) => {
            let was_there = metadata::clean(&context)?;
            let words = if was_there { "removed" } else { "nothing was there" };
            invocation
                .report(&serde_json::json!({ "removed": was_there }), |_| words.to_owned())?;
        }
        MetadataCommand::Check(options) => return check(invocation, &context, options),
        MetadataCommand::Show(options) => return show(invocation, options).await,
        MetadataCommand::DiffDriver(_) => {
            metadata::register(&context)?;
            invocation.note("`git diff` shows sealed metadata of this clone in clear from now on.");
        }
    }
    Ok(Exit::Ok)
}

/// Whatever is missing, nothing is shown, and Git goes on.
async fn show(invocation: &Invocation, options: &Show) -> Outcome<Exit> {
    let context = invocation.context_unasked().ok();
    let Some(context) = context else { return Ok(Exit::Ok) };
    if let Some(text) = reveal::shown(&context, &options.file).await {
        invocation.document(&text)?;
    }
    Ok(Exit::Ok)
}

async fn history(
    invocation: &Invocation,
    context: &engine_runtime::request::Context,
    options: &History,
) -> Outcome<()> {
    let log = reveal::history(context, options.table.as_deref(), options.since.as_deref()).await?;
    if invocation.global.format == Format::Human && log.entries.is_empty() {
        invocation.note("Nothing changed.");
        return Ok(());
    }
    invocation.report(&log, |log| match (options.markdown, options.summary) {
        (true, _) => log.to_markdown(),
        (false, true) => {
            let line = |entry: &engine_runtime::tracking::log::Entry| {
                printable(&format!("{}  {}  {}", entry.time, entry.source, entry.summary)) + "\n"
            };
            log.entries.iter().map(line).collect()
        }
        (false, false) => log.to_text(),
    })
}

fn check(
    invocation: &Invocation,
    context: &engine_runtime::request::Context,
    options: &Check,
) -> Outcome<Exit> {
    let unwanted = metadata::check(context, &options.allow)?;
    if unwanted.is_empty() {
        invocation.note("Nothing in the index that must not be committed.");
        return Ok(Exit::Ok);
    }
    let findings: Vec<Diagnostic> = unwanted
        .iter()
        .map(|one| {
            let message = format!("`{}` must not be committed: {}", printable(&one.path), one.what);
            Diagnostic::new(&tracking::COMMIT_REFUSED, message)
                .help(format!("take it out: git rm --cached -- '{}'", printable(&one.path)))
        })
        .collect();
    Err(Failure::from(findings))
}

fn extracted(report: &ExtractReport) -> String {
    report.sources.iter().map(one).collect()
}

fn one(source: &Extracted) -> String {
    let mut text = format!("{}: {}\n", source.source, printable(&source.summary));
    for change in &source.changes {
        let line = engine_runtime::tracking::log::line(change);
        text.push_str(&format!("  {}\n", printable(&line)));
    }
    for file in &source.archived {
        text.push_str(&format!("  archived {file}\n"));
    }
    text
}
