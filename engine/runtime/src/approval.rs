//! Approvals: SSH signatures over a plan's digest, in small files beside the plan.
//!
//! ```text
//!  plan.json                the plan
//!  plan.json.dpo.sig        owner @dpo's signature, as `ssh-keygen -Y sign -n engine-plan` makes it
//! ```
//!
//! Signed is the text that [`message`] gives, so a signature is for one plan and one owner. The format is
//! OpenSSH's (PROTOCOL.sshsig), the one that Git uses for commits; whoever has `ssh-keygen` can check it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use engine_project::{Project, Spanned};
use ssh_key::{PublicKey, SshSig};

use crate::codes::run;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::files;
use crate::plan::Plan;

/// What such signatures are for; one that was made for something else does not count.
pub const NAMESPACE: &str = "engine-plan";

/// Bytes of a signature file.
const SIGNATURE_BYTES_MAX: u64 = 64 << 10;

/// The text that an owner signs.
#[must_use]
pub fn message(plan: &Plan, owner: &str) -> String {
    format!("engine plan approval v1\n{}\n{owner}\n", plan.digest)
}

/// Where an owner's approval of a plan stands.
#[must_use]
pub fn path(plan: &Path, owner: &str) -> PathBuf {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let owner: String = owner.chars().filter(|letter| plain(*letter)).collect();
    let mut name = plan.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{owner}.sig"));
    plan.with_file_name(name)
}

/// Whether a signature is one of the owner's over this plan.
#[must_use]
pub fn is_valid(plan: &Plan, owner: &str, keys: &[Spanned<String>], signature: &str) -> bool {
    let Ok(signature) = signature.parse::<SshSig>() else { return false };
    let message = message(plan, owner);
    let keys = keys.iter().filter_map(|key| PublicKey::from_openssh(&key.value).ok());
    let mut valid = keys.map(|key| key.verify(NAMESPACE, message.as_bytes(), &signature).is_ok());
    valid.any(|valid| valid)
}

/// The owners who approved a plan that stands in a file.
///
/// # Errors
/// A signature beside it that is not its owner's over this plan.
pub fn owners(project: &Project, file: &Path, plan: &Plan) -> Outcome<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut wrong = Vec::new();
    for (owner, keys) in &project.owners {
        let path = path(file, owner);
        let Ok(bytes) = files::read(&path, SIGNATURE_BYTES_MAX) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        if is_valid(plan, owner, keys, &text) {
            found.insert(owner.clone());
        } else {
            let message =
                format!("`{}` is no approval of `{}` by {owner}", path.display(), file.display());
            wrong.push(
                Diagnostic::new(&run::APPROVAL_INVALID, message).help(
                    "approve the plan as it is now with `engine approve`, or remove the file",
                ),
            );
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(Failure::from(wrong)) }
}

/// Whose approval a plan still needs, each with what for: the owner that a change names, or anybody where
/// it names none.
#[must_use]
pub fn missing(plan: &Plan, approved: &BTreeSet<String>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for change in plan.widenings() {
        let is_approved = match &change.owner {
            Some(owner) => approved.contains(owner),
            None => !approved.is_empty(),
        };
        if !is_approved {
            let column = change.column.as_ref().map(|name| format!(".{name}")).unwrap_or_default();
            let owner = change.owner.as_deref().unwrap_or("an owner");
            found.insert(format!("{owner} for {}{column}", change.node));
        }
    }
    found.into_iter().collect()
}
