//! The Git commit a project stands at, read from the repository's files; no program is started.

use std::path::Path;

use crate::files;

/// Directories above the project that are looked at.
const LEVELS_MAX: usize = 64;
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The commit that `HEAD` names, as hexadecimal digits. `None` outside a repository, before the first
/// commit, or where the repository is laid out in a way this does not know.
pub fn commit(project: &Path) -> Option<String> {
    let absolute = std::path::absolute(project).ok()?;
    let directory = absolute
        .ancestors()
        .take(LEVELS_MAX)
        .map(|above| above.join(".git"))
        .find(|candidate| candidate.join("HEAD").is_file())?;
    let head = text(&directory.join("HEAD"))?;
    let Some(reference) = head.strip_prefix("ref: ") else { return digits(&head) };
    if let Some(commit) = text(&directory.join(reference)) {
        return digits(&commit);
    }
    let packed = text(&directory.join("packed-refs"))?;
    packed.lines().find_map(|line| {
        let (commit, name) = line.split_once(' ')?;
        if name == reference { digits(commit) } else { None }
    })
}

fn text(path: &Path) -> Option<String> {
    let bytes = files::read(path, FILE_BYTES_MAX).ok()?;
    Some(String::from_utf8(bytes).ok()?.trim().to_owned())
}

fn digits(text: &str) -> Option<String> {
    let hexadecimal = text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal.then(|| text.to_owned())
}
