//! `engine report`: what was done in the last days, and whether all is well.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::plan;
use engine_runtime::ops::report::{self, Reading, Reported};

use crate::invocation::Invocation;
use crate::options::{Format, Resources};

/// Columns of a report that goes to a file or pipe.
const WIDTH: usize = 120;

/// Report what was done in the last days: success, durations, volumes, errors, the system's health
///
/// Made from the records in the store; no row of data is read. Records that stand in large files are told from
/// summaries that were made when the records were verified; the report says which those are, and `engine verify
/// --audit` verifies all of them again.
#[derive(Args, Clone, Debug)]
#[command(
    name = "report",
    after_help = "Examples:
  engine report --days 7
  engine report --report html=report.html --report md=report.md
  engine report --days 365 --report csv=audit.csv --report prom=engine.prom
  engine report --tenant acme"
)]
pub(crate) struct ReportRuns {
    /// How many days back
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub days: u32,

    /// Of commands that were bound to this tenant, as it was named there: nothing of others, nor of the system
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,

    /// Writes a file as well: html, md or json (the report), csv or ndjson (the records, for a SIEM), prom (metrics for
    /// Prometheus); may be given several times
    #[arg(long, value_name = "FORMAT=FILE")]
    pub report: Vec<File>,
}

/// A file that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    kind: Kind,
    path: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Html,
    Markdown,
    Json,
    Csv,
    Ndjson,
    Prometheus,
}

impl FromStr for File {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kinds = "html, md, json, csv, ndjson, prom";
        let (kind, path) = text
            .split_once('=')
            .filter(|(_, path)| !path.is_empty())
            .ok_or_else(|| format!("is written FORMAT=FILE, with one of {kinds}"))?;
        let kind = match kind {
            "html" => Kind::Html,
            "md" => Kind::Markdown,
            "json" => Kind::Json,
            "csv" => Kind::Csv,
            "ndjson" => Kind::Ndjson,
            "prom" => Kind::Prometheus,
            _ => return Err(format!("formats there are: {kinds}")),
        };
        Ok(Self { kind, path: path.into() })
    }
}

impl File {
    fn text(&self, reported: &Reported) -> Outcome<String> {
        Ok(match self.kind {
            Kind::Html => reported.html(),
            Kind::Markdown => reported.markdown(),
            Kind::Json => reported.json()?,
            Kind::Csv => reported.csv(),
            Kind::Ndjson => reported.ndjson(),
            Kind::Prometheus => reported.prometheus(),
        })
    }
}

/// Makes it, writes the files, and shows it.
pub(crate) async fn run(invocation: &Invocation, options: &ReportRuns) -> Outcome<Exit> {
    let context = invocation.context(&Resources::default())?;
    let needs_records = |file: &File| matches!(file.kind, Kind::Csv | Kind::Ndjson);
    let reading = match options.report.iter().any(needs_records) {
        true => Reading::Everything,
        false => Reading::Summaries,
    };
    let tenant = options.tenant.as_deref();
    let reported = report::report(&context, options.days, tenant, reading).await?;
    for file in &options.report {
        plan::report(&file.path, &file.text(&reported)?)?;
    }
    let width = invocation.console.paper.width.unwrap_or(WIDTH);
    invocation.document(&match invocation.global.format {
        Format::Human => reported.report.to_text(width),
        Format::Json => reported.json()?,
    })?;
    if let Some(warning) = reported.warning() {
        invocation.warn(&warning);
    }
    Ok(Exit::Ok)
}
