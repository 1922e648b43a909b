//! `engine history`: the operations on record.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::{Args, Subcommand};
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::history::RowHistory;
use engine_runtime::ops::history;
use engine_runtime::tracking::runs::{Filter, Operation, State};

use crate::console::printable;
use crate::invocation::Invocation;
use crate::options::{self, Format, Resources};
use crate::render::table::{Align, Listing, count};

/// Print what was done, newest first: runs, loads, queries, tests, decryptions, approvals, uses of keys, deletions
///
/// On record are run, retry, load, query, show, test, verify, retention apply, metadata extract, decrypt, history
/// and show, keys export, and approve where the keys are at hand: each begins with a record, and does nothing where
/// it cannot be written. keys init is on record as soon as there are keys. Not on record are init, compile, plan,
/// lineage, explain, debug, keys list, history and report, which open no row of data.
///
/// Records lie sealed in the store, each with the MAC of the one before it: `engine verify --audit` shows whether
/// any was removed or changed. They hold names, counts and codes, the tenant whom a command was bound to, and no other
/// value of data.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine history --since 2026-01-01 --status failed
  engine history --export customers --format json
  engine history --tenant acme
  engine history rows customer_history --key 17")]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct History {
    #[command(subcommand)]
    pub of: Option<Of>,

    /// From this day on
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub since: Option<DateTime<Utc>>,

    /// Those in this state: started, running, success or failed; may be given several times
    #[arg(long, value_name = "STATUS", value_parser = state)]
    pub status: Vec<State>,

    /// Those that name this export
    #[arg(long, value_name = "EXPORT")]
    pub export: Option<String>,

    /// Those that this user asked for
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,

    /// Those of commands that were bound to this tenant, as it was named there; none that was bound to no tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,

    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub limit: usize,
}

/// What the history is of, where it is not of operations.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Of {
    Rows(Rows),
}

/// Print the versions of one row: when it came, what changed, when it was gone
///
/// Values are those that were published, masked as they are. The key is looked up by its hash: give it as it is
/// published.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine history rows customer_history --key 17
  engine history rows orders --tenant acme --key order_id=5 --key line=2")]
pub(crate) struct Rows {
    /// The history
    pub history: String,

    /// Value of a key column, as COLUMN=VALUE, or alone where there is one column
    #[arg(long, value_name = "VALUE", required = true)]
    pub key: Vec<String>,

    #[command(flatten)]
    pub asked: options::Asked,
}

/// Prints the versions of one row.
async fn rows(invocation: &Invocation, options: &Rows) -> Outcome<Exit> {
    let context = invocation.context(&Resources::default())?;
    let asked = options.asked.bound();
    let found = history::rows(&context, &options.history, &options.key, &asked).await?;
    if found.versions.is_empty() && invocation.global.format == Format::Human {
        invocation.note("No row with this key was ever there.");
        return Ok(Exit::NothingSelected);
    }
    let is_empty = found.versions.is_empty();
    invocation.report(&found, versions)?;
    Ok(if is_empty { Exit::NothingSelected } else { Exit::Ok })
}

/// Versions with their changed columns, a line each.
fn versions(found: &RowHistory) -> String {
    let mut text = String::new();
    for version in &found.versions {
        let (number, date) = (version.version, &version.load_date);
        text.push_str(&format!("version {number}  {date}  {}\n", version.kind));
        let width = version.fields.iter().map(|field| field.column.chars().count()).max();
        for field in &version.fields {
            let shown = |value: &Option<String>| {
                value.as_ref().map_or_else(|| "NULL".to_owned(), |value| printable(value))
            };
            let column = printable(&field.column);
            let values = match version.kind {
                "inserted" | "returned" => shown(&field.after),
                "deleted" => shown(&field.before),
                _ => format!("{} -> {}", shown(&field.before), shown(&field.after)),
            };
            text.push_str(&format!("  {column:<width$}  {values}\n", width = width.unwrap_or(0)));
        }
    }
    text
}

fn day(text: &str) -> Result<DateTime<Utc>, String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    let day = day.map_err(|_| "must be a day, such as 2026-01-31".to_owned())?;
    Ok(day.and_time(NaiveTime::MIN).and_utc())
}

fn state(text: &str) -> Result<State, String> {
    let words = || State::ALL.map(State::word);
    let found = State::ALL.into_iter().find(|state| state.word() == text);
    found.ok_or_else(|| format!("must be one of {}", words().join(", ")))
}

/// Prints them.
pub(crate) async fn run(invocation: &Invocation, options: &History) -> Outcome<Exit> {
    if let Some(Of::Rows(options)) = &options.of {
        return rows(invocation, options).await;
    }
    let context = invocation.context(&Resources::default())?;
    let filter = Filter {
        since: options.since,
        status: options.status.clone(),
        export: options.export.clone(),
        user: options.user.clone(),
        ..Filter::default()
    };
    let tenant = options.tenant.as_deref();
    let operations = history::history(&context, &filter, tenant, options.limit).await?;
    if operations.is_empty() && invocation.global.format == Format::Human {
        invocation.note("Nothing is on record.");
        return Ok(Exit::Ok);
    }
    invocation.report(&operations, |operations| text(operations))?;
    Ok(Exit::Ok)
}

fn text(operations: &[Operation]) -> String {
    let mut listing = Listing::new(&[
        ("started", Align::Left),
        ("command", Align::Left),
        ("target", Align::Left),
        ("status", Align::Left),
        ("seconds", Align::Right),
        ("rows", Align::Right),
        ("user", Align::Left),
        ("about", Align::Left),
    ]);
    for operation in operations {
        let code = operation.error.as_ref().map(|error| format!(" ({})", error.code));
        let seconds = operation.duration_us.map(|micros| format!("{:.3}", micros as f64 / 1e6));
        let about: Vec<&str> =
            operation.objects.iter().map(|object| object.name.as_str()).collect();
        listing.row([
            operation.started.format("%Y-%m-%d %H:%M:%S").to_string(),
            operation.script_type.word().to_owned(),
            operation.script_name.clone(),
            format!("{}{}", operation.status.word(), code.unwrap_or_default()),
            seconds.unwrap_or_default(),
            count(operation.volume.rows_written),
            printable(operation.user.as_deref().unwrap_or_default()),
            printable(&about.join(", ")),
        ]);
    }
    listing.render()
}
