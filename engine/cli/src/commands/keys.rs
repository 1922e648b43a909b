//! `engine keys`: the keyring.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::keys::{self, KeysReport};

use crate::console::written;
use crate::invocation::Invocation;
use crate::options::Resources;
use crate::render::table::{Align, Listing};

/// Make, list and hand out keys
#[derive(Args, Clone, Debug)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub command: KeysCommand,
}

/// What to do with the keyring.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum KeysCommand {
    Init(KeysInit),
    List(KeysList),
    Export(KeysExport),
}

/// Make the target's keyring, with one key for each purpose
///
/// The keyring holds wrapped keys only and may be copied. Whoever loses its passphrase loses what was
/// sealed: there is no way around it.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine keys init
  engine keys init --passphrase-file /run/secrets/engine")]
pub(crate) struct KeysInit {}

/// Print the keys' purposes, names, versions and states; never a key
#[derive(Args, Clone, Debug)]
pub(crate) struct KeysList {}

/// Write a key in clear to a file, for a recipient without this program
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine keys export --purpose data --to data.key      opens sealed chunks with any Tink library")]
pub(crate) struct KeysExport {
    /// What the key is for: data or metadata
    #[arg(long, value_name = "PURPOSE", default_value = "data")]
    pub purpose: String,

    /// The file to write; it must not exist
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}

/// Does it, and lists the keys it was done to.
pub(crate) async fn run(invocation: &Invocation, options: &Keys) -> Outcome<Exit> {
    match &options.command {
        KeysCommand::Init(_) => {
            let report = keys::init(&invocation.context_to_create()?).await?;
            invocation.report(&report, text)?;
            invocation.note("Keep a copy of what opens it: nothing can replace it.");
        }
        KeysCommand::List(_) => {
            let report = keys::list(&invocation.context(&Resources::default())?)?;
            invocation.report(&report, text)?;
        }
        KeysCommand::Export(options) => {
            let context = invocation.context(&Resources::default())?;
            let key = keys::export(&context, &options.purpose, &options.to).await?;
            invocation.report(&key, |key| {
                let file = options.to.display();
                format!(
                    "{} key {}, version {}, written in clear to {file}",
                    key.purpose, key.name, key.version
                )
            })?;
        }
    }
    Ok(Exit::Ok)
}

fn text(report: &KeysReport) -> String {
    let mut listing = Listing::new(&[
        ("purpose", Align::Left),
        ("name", Align::Left),
        ("version", Align::Right),
        ("state", Align::Left),
    ]);
    for key in &report.keys {
        listing.row([key.purpose.as_str(), &key.name, &key.version.to_string(), key.state]);
    }
    format!("Keyring {}\n\n{}", written(&report.keyring), listing.render())
}
