//! Git's diff driver: `git diff` and `git log -p` show sealed metadata in clear to whoever has the key.
//!
//! Git asks a program for the text of each version of a file (`textconv`). Which program that is stands in
//! the configuration of the clone, which is not committed: each clone registers it once.

use std::path::Path;

use crate::git;

/// The driver's name.
const DRIVER: &str = "engine-metadata";

/// Registers the driver in the clone that the project is in; false where it is in none.
pub fn register(project: &Path) -> bool {
    let Some(place) = git::place(project) else { return false };
    let folder = if place.is_empty() { ".".to_owned() } else { place };
    // Git runs it at the top of the clone, by a shell, with the file as argument. Without the program Git
    // would stop: then nothing is shown.
    let quoted = folder.replace('\'', "'\\''");
    let show = format!("engine --quiet --project-dir '{quoted}' metadata show \"$1\"");
    let command = format!("show() {{ {show} 2>/dev/null || true; }}; show");
    git::configure(project, &format!("diff.{DRIVER}.textconv"), &command)
}
