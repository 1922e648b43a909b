//! `engine approve`: an owner's signature over a plan.

use std::path::PathBuf;

use clap::Args;
use engine_runtime::diagnostic::Outcome;
use engine_runtime::exit::Exit;
use engine_runtime::ops::approve::{self, Signing};

use crate::console::written;
use crate::invocation::Invocation;
use crate::options::Resources;

/// Approve a plan: sign its digest as one of the owners in engine.yml
///
/// The signature is written beside the plan, to be committed with it. A protected target runs a plan that
/// widens what can be read only when the owners of every such change approved it.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  engine approve plan.json --owner @dpo --key ~/.ssh/id_ed25519
  engine approve plan.json --owner @dpo | ssh-keygen -Y sign -n engine-plan -f key.pub > dpo.sig
  engine approve plan.json --owner @dpo --signature dpo.sig")]
pub(crate) struct Approve {
    /// The plan, as `engine plan --out` wrote it
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Who approves it
    #[arg(long, value_name = "OWNER")]
    pub owner: String,
    /// SSH key to sign with, by `ssh-keygen`
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// A signature that was made elsewhere
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub signature: Option<PathBuf>,
}

/// Approves, or prints what is to be signed.
pub(crate) async fn run(invocation: &Invocation, options: &Approve) -> Outcome<Exit> {
    let from = match (&options.key, &options.signature) {
        (Some(key), _) => Signing::Key(key),
        (None, Some(signature)) => Signing::Signature(signature),
        (None, None) => {
            invocation.document(&approve::message(&options.plan, &options.owner)?)?;
            return Ok(Exit::Ok);
        }
    };
    let context = invocation.context(&Resources::default())?;
    let approved = approve::approve(&context, &options.plan, &options.owner, from).await?;
    invocation.report(&approved, |approved| {
        format!("{} approved plan {}", approved.owner, approved.plan)
    })?;
    invocation.note(&format!("The approval is in {}.", written(&approved.file)));
    Ok(Exit::Ok)
}
