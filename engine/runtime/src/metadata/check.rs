//! What must not be committed: decrypted metadata, secrets of a machine, raw data.

use std::collections::BTreeSet;
use std::path::Path;

use engine_bundle::sealed;
use glob::Pattern;
use serde::Serialize;

use super::folder::{DECRYPTED, FOLDER};
use crate::git;

/// First bytes of a file that tell what it is.
const HEAD_BYTES: u64 = 4096;

/// How files of data begin, whatever they are called.
const MAGIC: [(&[u8], &str); 4] = [
    (b"SQLite format 3\0", "a SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"PGDMP", "a dump of PostgreSQL"),
];

/// Endings of files of data that do not say so at their start.
const ENDINGS: [&str; 14] = [
    "csv", "tsv", "jsonl", "ndjson", "parquet", "arrow", "feather", "avro", "orc", "sqlite",
    "sqlite3", "db", "dump", "xlsx",
];
/// Endings of compression, before which the other stands.
const COMPRESSED: [&str; 4] = ["gz", "zst", "bz2", "xz"];

/// A file that must not be committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unwanted {
    /// Its path, relative to the project.
    pub path: String,
    /// What it is.
    pub what: String,
}

/// The files in Git's index below a project that must not be committed, but for those that `allow` matches.
///
/// # Errors
/// The project is in no repository, or `git` cannot be run; in words.
pub fn check(project: &Path, allow: &[Pattern]) -> Result<Vec<Unwanted>, String> {
    let paths = git::staged(project)?;
    let paths: BTreeSet<String> = paths
        .into_iter()
        .filter(|path| !allow.iter().any(|pattern| pattern.matches(path)))
        .collect();
    let names: Vec<String> = paths.into_iter().collect();
    let mut unwanted = Vec::new();
    let mut unsure = Vec::new();
    for path in names {
        match by_name(&path) {
            Some(what) => unwanted.push(Unwanted { path, what: what.to_owned() }),
            None => unsure.push(path),
        }
    }
    // What Git cannot be asked about cannot be let through.
    let (hidden, unsure): (Vec<String>, Vec<String>) =
        unsure.into_iter().partition(|path| path.contains(['\n', '\u{fffd}']));
    let what = "a file whose name hides what it is".to_owned();
    unwanted.extend(hidden.into_iter().map(|path| Unwanted { path, what: what.clone() }));
    for (path, head) in git::staged_heads(project, unsure, HEAD_BYTES)? {
        let what = by_content(&path, &head).map(str::to_owned);
        unwanted.extend(what.map(|what| Unwanted { path, what }));
    }
    unwanted.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(unwanted)
}

/// What a file is by its name; none where that says nothing bad.
fn by_name(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if path.starts_with(DECRYPTED) && path.get(DECRYPTED.len()..)?.starts_with('/') {
        return Some("decrypted metadata");
    }
    let sample = [".example", ".sample", ".template"].iter().any(|end| name.ends_with(end));
    if name == ".env" || (name.starts_with(".env.") && !sample) {
        return Some("the secrets of a machine");
    }
    // Dictionaries of masks and small tables of reference.
    if path.starts_with("lookups/") {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let plain = COMPRESSED.iter().find_map(|end| lower.strip_suffix(end)?.strip_suffix('.'));
    let ending = plain.unwrap_or(&lower).rsplit_once('.').map(|(_, ending)| ending);
    let is_data = ending.is_some_and(|ending| ENDINGS.contains(&ending));
    is_data.then_some("raw data, by its ending")
}

/// What a file is by its first bytes.
fn by_content(path: &str, head: &[u8]) -> Option<&'static str> {
    let is_metadata = path.strip_prefix(FOLDER).is_some_and(|rest| rest.starts_with('/'));
    let may_be_clear = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.starts_with(".git") || name.ends_with(".md")
    };
    if is_metadata && !may_be_clear(path) {
        return sealed::inspect(head).is_err().then_some("a file of metadata that is not sealed");
    }
    MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_must_not_be_committed() {
        for path in [
            "metadata/decrypted/index.json",
            ".env",
            "deep/.env",
            ".env.production",
            "data/people.csv",
            "data/people.CSV.gz",
            "dump.jsonl.zst",
            "a.parquet",
        ] {
            assert!(by_name(path).is_some(), "{path}");
        }
        for path in [
            "metadata/decrypted.md",
            "metadata/schemas/0123456789abcdef.enc",
            ".env.example",
            "lookups/countries.csv",
            "sources/crm.yml",
            "models/a.sql",
            "csv",
        ] {
            assert_eq!(by_name(path), None, "{path}");
        }
    }

    #[test]
    fn contents_that_must_not_be_committed() {
        assert!(by_content("metadata/index.enc", b"{}").is_some());
        assert!(by_content("notes.txt", b"SQLite format 3\0\x10").is_some());
        assert_eq!(by_content("notes.txt", b"hello"), None);
        assert_eq!(by_content("metadata/readme.md", b"hello"), None);
        assert!(by_content("metadata/schemas/crm.json", b"{}").is_some());
    }
}
