//! `approve`: an owner's signature over a plan, checked before it is written beside the plan.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use engine_tracking::runs::ScriptType;

use crate::approval;
use crate::codes::{commands, run};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::files;
use crate::keys;
use crate::operation::{self, Scene, Told};
use crate::ops::plan;
use crate::request::Context;
use crate::store;
use crate::workspace;

/// Bytes of a signature that is taken over.
const SIGNATURE_BYTES_MAX: u64 = 64 << 10;

/// Where the signature comes from.
#[derive(Debug, Clone, Copy)]
pub enum Signing<'a> {
    /// Made now by `ssh-keygen`, with this key: a private key's file, or a public key's whose other half
    /// an agent or a token holds.
    Key(&'a Path),
    /// Made elsewhere, in this file.
    Signature(&'a Path),
}

/// An approval that was written.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Approved {
    /// The plan's digest.
    pub plan: String,
    /// Who approved it.
    pub owner: String,
    /// The file of the signature.
    pub file: PathBuf,
}

/// Writes an owner's approval beside the plan, and puts it on record where the keys are at hand. Where they are not,
/// the run that relies on it does.
///
/// # Errors
/// The project names no such owner, the plan was changed, or the signature is not the owner's over it.
pub async fn approve(
    context: &Context,
    file: &Path,
    owner: &str,
    from: Signing<'_>,
) -> Outcome<Approved> {
    let plan = plan::intact(file)?;
    let project = workspace::load(context)?;
    let Some(keys) = project.owners.get(owner) else {
        let known: Vec<&str> = project.owners.keys().map(String::as_str).collect();
        let near = engine_project::nearest(owner, known.iter().copied());
        let meant = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let message = format!("the project names no owner `{owner}`");
        return Err(Diagnostic::new(&commands::UNKNOWN_OWNER, message)
            .help(format!("{meant}owners in engine.yml: {known}"))
            .into());
    };
    let signature = match from {
        Signing::Key(key) => signed(key, &approval::message(&plan, owner))?,
        Signing::Signature(path) => {
            let bytes = files::read(path, SIGNATURE_BYTES_MAX)
                .map_err(|_| refused(format!("`{}` cannot be read", path.display())))?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
    };
    if !approval::is_valid(&plan, owner, keys, &signature) {
        return Err(refused(format!(
            "the signature is not made by a key of {owner} in engine.yml over this plan"
        ))
        .into());
    }
    let path = approval::path(file, owner);
    let write = async {
        let written = files::write(&path, signature.as_bytes());
        written.map_err(|error| Diagnostic::unwritable(&path, &error))?;
        Ok(Approved { plan: plan.digest.clone(), owner: owner.to_owned(), file: path.clone() })
    };
    if !keys::is_at_hand(&project, context) {
        return write.await;
    }
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &keys, &store)?;
    let told = |approved: &Approved| Told {
        plan: Some(approved.plan.clone()),
        approved_by: vec![approved.owner.clone()],
        ..Told::default()
    };
    let exports = plan.exports.iter().map(|export| export.name.as_str());
    scene.recorded(ScriptType::APPROVE, operation::exports(exports), write, told).await
}

/// The text that an owner signs, for whoever signs elsewhere.
///
/// # Errors
/// The plan cannot be read, or was changed.
pub fn message(file: &Path, owner: &str) -> Outcome<String> {
    Ok(approval::message(&plan::intact(file)?, owner))
}

/// A signature by `ssh-keygen`, which asks for a passphrase or a touch where the key needs one.
fn signed(key: &Path, message: &str) -> Outcome<String> {
    let failed = || refused(format!("`ssh-keygen` could not sign with `{}`", key.display()));
    let mut child = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", approval::NAMESPACE, "-f"])
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|_| refused("the program `ssh-keygen` cannot be started".to_owned()))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(message.as_bytes()).map_err(|_| failed())?;
    }
    let ended = child.wait_with_output().map_err(|_| failed())?;
    if !ended.status.success() {
        return Err(failed().into());
    }
    String::from_utf8(ended.stdout).map_err(|_| failed().into())
}

fn refused(message: String) -> Diagnostic {
    Diagnostic::new(&run::APPROVAL_INVALID, message).help(
        "sign with a key whose public half stands under `owners` in engine.yml; without --key, `engine \
         approve` prints what is to be signed",
    )
}
