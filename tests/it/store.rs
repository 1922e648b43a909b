//! A store to tamper with: two snapshots of both exports, and which file of it is what.
//!
//! ```text
//!  edition 0 ─▶ people 1, contacts 1        old
//!  edition 1 ─▶ people 2, contacts 2        new
//! ```

use std::path::Path;

use serde_json::Value;

use crate::harness::{Ended, Project};
use crate::people;

/// Rows of each snapshot.
pub(crate) const ROWS: usize = 160;
/// Chunks of each snapshot.
pub(crate) const CHUNKS: usize = 8;

/// The files of one export, as paths in the project's folder, and its newest rows.
#[derive(Clone)]
pub(crate) struct Files {
    /// The export.
    pub(crate) export: &'static str,
    /// Chunks of the first snapshot.
    pub(crate) old: Vec<String>,
    /// Chunks of the second one.
    pub(crate) new: Vec<String>,
    /// Both manifests.
    pub(crate) manifests: [String; 2],
    /// The rows of the second snapshot.
    pub(crate) rows: Vec<Value>,
}

/// A project with such a store.
pub(crate) struct Store {
    /// The project.
    pub(crate) project: Project,
    /// The sealed export.
    pub(crate) people: Files,
    /// The modular one.
    pub(crate) contacts: Files,
}

impl Store {
    /// Runs a project twice.
    pub(crate) fn of(project: Project) -> Self {
        people::source(&project, 0, ROWS);
        project.run(&["run"]).success();
        let old = people::chunks(&project);
        people::source(&project, 1, ROWS);
        project.run(&["run"]).success();
        let files = |export, is_modular: bool| {
            let of_export: Vec<String> = people::chunks(&project)
                .into_iter()
                .filter(|path| path.ends_with(".parquet") == is_modular)
                .collect();
            let (old, new): (Vec<_>, Vec<_>) =
                of_export.into_iter().partition(|path| old.contains(path));
            let folder = Path::new(&new[0]).ancestors().nth(2).unwrap().to_str().unwrap();
            let manifests =
                people::manifests(&project).into_iter().filter(|path| path.starts_with(folder));
            Files {
                export,
                manifests: manifests.collect::<Vec<_>>().try_into().unwrap(),
                rows: project.query(&format!("select * from {export}")),
                old,
                new,
            }
        };
        let [people, contacts] = [files("people", false), files("contacts", true)];
        for files in [&people, &contacts] {
            assert_eq!(
                (files.rows.len(), files.old.len(), files.new.len()),
                (ROWS, CHUNKS, CHUNKS)
            );
        }
        Self { project, people, contacts }
    }

    /// A store of the usual project.
    pub(crate) fn usual() -> Self {
        Self::of(people::project(ROWS, ROWS / CHUNKS))
    }

    /// A copy to tamper with.
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            project: self.project.duplicate(),
            people: self.people.clone(),
            contacts: self.contacts.clone(),
        }
    }

    /// Both exports.
    pub(crate) fn exports(&self) -> [&Files; 2] {
        [&self.people, &self.contacts]
    }

    /// The bytes of a file.
    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.project.path(path)).unwrap()
    }

    /// Puts other bytes in place of a file.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        self.project.write(path, bytes);
    }

    /// Flips one bit of a file.
    pub(crate) fn flip(&self, path: &str, bit: u64) {
        let mut bytes = self.bytes(path);
        let bits = bytes.len() as u64 * 8;
        let bit = usize::try_from(bit % bits).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        self.put(path, &bytes);
    }

    /// Exchanges two files.
    pub(crate) fn swap(&self, left: &str, right: &str) {
        let bytes = self.bytes(left);
        self.put(left, &self.bytes(right));
        self.put(right, &bytes);
    }

    /// Removes a file.
    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.project.path(path)).unwrap();
    }

    /// Fails unless `verify` names these files, each with one of the reasons, and nothing else.
    #[track_caller]
    pub(crate) fn assert_reported(&self, files: &[&str], reasons: &[&str]) {
        let ended = self.project.run(&["verify", "--log-format", "json"]);
        assert_refused(&ended, files, reasons);
        let findings = ended.findings();
        for file in files {
            let found = findings.iter().any(|(_, message)| message.contains(name(file)));
            assert!(found, "{file} is not reported\n{ended}");
        }
        assert_eq!(findings.len(), files.len(), "{ended}");
    }

    /// Fails unless `query` and `show` refuse an export, and name one of these files with a reason.
    #[track_caller]
    pub(crate) fn assert_unreadable(&self, export: &str, files: &[&str], reasons: &[&str]) {
        let sql = format!("select * from {export}");
        for arguments in
            [["query", &sql, "--log-format", "json"], ["show", export, "--log-format", "json"]]
        {
            let ended = self.project.run(&arguments);
            // A preview reads no further than it must.
            if arguments[0] == "show" && ended.status == Some(0) && files.len() < CHUNKS {
                continue;
            }
            assert_refused(&ended, files, reasons);
            assert!(ended.stdout.is_empty(), "{ended}");
        }
    }

    /// Fails unless both exports can be read, and hold what they held.
    #[track_caller]
    pub(crate) fn assert_readable(&self, export: &Files) {
        let rows = self.project.query(&format!("select * from {}", export.export));
        assert!(rows == export.rows, "{} rows differ", export.export);
    }
}

/// Fails unless the command was refused for one of these files and reasons, in every finding.
#[track_caller]
pub(crate) fn assert_refused(ended: &Ended, files: &[&str], reasons: &[&str]) {
    // 1 something is not what it was, 69 of no version that is known, 77 of no key that is known.
    assert!(matches!(ended.status, Some(1 | 69 | 77)), "{ended}");
    let findings = ended.findings();
    assert!(!findings.is_empty(), "{ended}");
    for (_, message) in &findings {
        assert!(files.iter().any(|file| message.contains(name(file))), "{message}\n{ended}");
        assert!(reasons.iter().any(|reason| message.contains(reason)), "{message}\n{ended}");
    }
}

/// A file's path in the store.
fn name(path: &str) -> &str {
    path.strip_prefix("target/store/").unwrap()
}
