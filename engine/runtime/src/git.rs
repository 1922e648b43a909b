//! The Git commit a project stands at, read from the repository's files, and its files at any commit,
//! asked of the `git` program.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::files;

/// Directories above the project that are looked at.
const LEVELS_MAX: usize = 64;
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The commit that `HEAD` names, as hexadecimal digits. `None` outside a repository, before the first
/// commit, or where the repository is laid out in a way this does not know.
pub fn commit(project: &Path) -> Option<String> {
    let directory = repository(&std::path::absolute(project).ok()?)?.join(".git");
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

/// Where the project lies in its repository, with `/` between folders; empty at the top of it. `None`
/// outside a repository.
pub fn place(project: &Path) -> Option<String> {
    let absolute = std::path::absolute(project).ok()?;
    let below = absolute.strip_prefix(repository(&absolute)?).ok()?;
    let parts: Option<Vec<&str>> = below.iter().map(std::ffi::OsStr::to_str).collect();
    parts.map(|parts| parts.join("/"))
}

/// The top of the repository that a folder is in.
fn repository(absolute: &Path) -> Option<&Path> {
    let mut above = absolute.ancestors().take(LEVELS_MAX);
    // A worktree has a file of that name, which leads to the repository's own.
    above.find(|folder| folder.join(".git").join("HEAD").is_file() || folder.join(".git").is_file())
}

fn text(path: &Path) -> Option<String> {
    let bytes = files::read(path, FILE_BYTES_MAX).ok()?;
    Some(String::from_utf8(bytes).ok()?.trim().to_owned())
}

fn digits(text: &str) -> Option<String> {
    let hexadecimal = text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal.then(|| text.to_owned())
}

/// Files of a commit that are read at most, and bytes of them together.
const FILES_MAX: usize = 50_000;
const BYTES_MAX: u64 = 256 << 20;

/// What of a project is configuration: the rest of a repository is not taken out of it.
const FOLDERS: [&str; 7] =
    ["sources", "policies", "models", "exports", "tests", "lookups", "macros"];
const ENDINGS: [&str; 5] = ["yml", "yaml", "sql", "csv", "json"];

/// A file at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path, relative to the project.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The project's configuration at what `reference` names, with the commit's digits.
///
/// # Errors
/// Why there is none, in words: no program `git`, no repository, no such commit, too many files.
pub fn files(project: &Path, reference: &str) -> Result<(String, Vec<File>), String> {
    // An option is no reference, whatever `git` would make of it.
    if reference.is_empty() || reference.starts_with('-') {
        return Err("that is no reference".to_owned());
    }
    let wanted = format!("{reference}^{{commit}}");
    let commit =
        output(project, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
    let commit = String::from_utf8(commit).unwrap_or_default().trim().to_owned();
    let commit = digits(&commit).ok_or_else(|| "there is no such commit".to_owned())?;
    let listed = output(project, &["ls-tree", "-r", "-z", "--name-only", &commit])?;
    let names: Vec<String> = listed
        .split(|byte| *byte == 0)
        .filter_map(|name| String::from_utf8(name.to_vec()).ok())
        .filter(|name| is_configuration(Path::new(name)))
        .collect();
    if names.len() > FILES_MAX {
        return Err(format!("it has more than {FILES_MAX} files"));
    }
    let bytes = contents(project, &commit, &names, u64::MAX)?;
    let files = names.into_iter().zip(bytes);
    Ok((commit, files.map(|(name, bytes)| File { path: name.into(), bytes }).collect()))
}

/// Files of the project's own folders, and those beside `engine.yml`.
fn is_configuration(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let mut parts = path.components();
    let first = parts.next();
    let folder = first.and_then(|first| first.as_os_str().to_str());
    let is_beside = parts.next().is_none();
    path.components().all(|part| matches!(part, Component::Normal(_)))
        && ending.is_some_and(|ending| ENDINGS.contains(&ending))
        && (is_beside || folder.is_some_and(|folder| FOLDERS.contains(&folder)))
}

fn git(project: &Path) -> Command {
    let mut command = Command::new("git");
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1");
    command.arg("-C").arg(project).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

fn output(project: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let ended = git(project).args(arguments).output();
    let ended = ended.map_err(|_| "the program `git` cannot be started".to_owned())?;
    if ended.status.success() {
        Ok(ended.stdout)
    } else {
        Err("there is no such commit".to_owned())
    }
}

/// Sets a value of the configuration of the clone that a project is in; whether that could be done.
pub fn configure(project: &Path, key: &str, value: &str) -> bool {
    let set = git(project).args(["config", "--local", key, value]).stdout(Stdio::null()).status();
    set.is_ok_and(|status| status.success())
}

/// The files below a project that the next commit will have, relative to it.
///
/// # Errors
/// The project is in no repository, or `git` cannot be started; in words.
pub fn staged(project: &Path) -> Result<Vec<String>, String> {
    let listed = output(project, &["ls-files", "-z", "--stage", "--", "."])
        .map_err(|_| "Git cannot list the files: is the project in a repository?".to_owned())?;
    let listed = String::from_utf8_lossy(&listed);
    let names = listed.split('\0').filter_map(|line| {
        let (entry, name) = line.split_once('\t')?;
        // Another repository inside of this one has no content here.
        let is_file = !entry.starts_with("160000") && entry.ends_with(" 0");
        is_file.then(|| name.to_owned())
    });
    Ok(names.collect())
}

/// The first bytes of files as the next commit will have them, in order.
///
/// # Errors
/// They cannot be read; in words.
pub fn staged_heads(
    project: &Path,
    names: Vec<String>,
    bytes_max: u64,
) -> Result<Vec<(String, Vec<u8>)>, String> {
    // An empty name of a commit is the index.
    let heads = contents(project, "", &names, bytes_max)?;
    Ok(names.into_iter().zip(heads).collect())
}

/// The contents of files, in order, each to so many bytes.
fn contents(
    project: &Path,
    commit: &str,
    names: &[String],
    bytes_max: u64,
) -> Result<Vec<Vec<u8>>, String> {
    let failed = || "its files cannot be read".to_owned();
    let mut child = git(project)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|_| failed())?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failed());
    };
    // A name with a line end would be two questions.
    let asked: String = names
        .iter()
        .filter(|name| !name.contains('\n'))
        .map(|name| format!("{commit}:./{name}\n"))
        .collect();
    let writer = thread::spawn(move || input.write_all(asked.as_bytes()));
    let mut reader = BufReader::new(output);
    let mut read = Vec::with_capacity(names.len());
    let mut left = BYTES_MAX;
    for name in names {
        if name.contains('\n') {
            read.push(Vec::new());
            continue;
        }
        let mut heading = String::new();
        reader.read_line(&mut heading).map_err(|_| failed())?;
        let size: u64 = heading
            .trim_end()
            .rsplit_once(' ')
            .and_then(|(_, size)| size.parse().ok())
            .ok_or_else(failed)?;
        let kept = size.min(bytes_max);
        left = left.checked_sub(kept).ok_or_else(|| "its files are too large".to_owned())?;
        let mut bytes = Vec::new();
        reader.by_ref().take(kept).read_to_end(&mut bytes).map_err(|_| failed())?;
        let rest = &mut reader.by_ref().take(size.saturating_sub(kept));
        io::copy(rest, &mut io::sink()).map_err(|_| failed())?;
        let mut end = [0; 1];
        reader.read_exact(&mut end).map_err(|_| failed())?;
        read.push(bytes);
    }
    drop(reader);
    let _ = writer.join();
    let _ = child.wait();
    Ok(read)
}
