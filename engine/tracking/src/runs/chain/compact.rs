//! Many small files of lines into few large ones.

use std::num::NonZeroU64;

use chrono::Datelike as _;

use super::{ChainId, Line};
use crate::retention::Moment;

/// A file of lines in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordFile {
    /// What the caller calls it.
    pub name: String,
    /// The one chain whose lines it holds.
    pub chain: ChainId,
    /// The position of its first line.
    pub first: u64,
    /// When its first line was written.
    pub at: Moment,
    /// Its size.
    pub bytes: u64,
}

/// When files are worth a larger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactionLimits {
    /// No file grows beyond this by compaction.
    pub bytes_max: NonZeroU64,
    /// Fewer files than this are left alone.
    pub files_min: usize,
}

impl CompactionLimits {
    /// Whether a file of this size is left as it is.
    #[must_use]
    pub const fn is_large(&self, bytes: u64) -> bool {
        bytes >= self.bytes_max.get().div_ceil(2)
    }
}

/// Which files become one, by name, in the order of their lines.
///
/// Those of one chain and one month (UTC) only: retention removes whole files, and a file lies as
/// long as its newest record has to. A file that is half as large as one may be is left alone for good,
/// and so are few before it: nothing is written again and again, and what becomes one has no gap.
#[must_use]
pub fn compactable(files: &[RecordFile], limits: CompactionLimits) -> Vec<Vec<String>> {
    let mut files: Vec<&RecordFile> = files.iter().collect();
    files.sort_by_key(|file| (file.chain, file.first));
    let mut groups: Vec<Vec<&RecordFile>> = Vec::new();
    let mut bytes: u64 = 0;
    for file in files {
        if limits.is_large(file.bytes) {
            groups.push(Vec::new());
            continue;
        }
        let grown = bytes.saturating_add(file.bytes);
        match groups.last_mut() {
            Some(group)
                if grown <= limits.bytes_max.get()
                    && group.last().is_some_and(|last| go_together(last, file)) =>
            {
                group.push(file);
                bytes = grown;
            }
            _ => {
                groups.push(vec![file]);
                bytes = file.bytes;
            }
        }
    }
    groups.retain(|group| group.len() >= limits.files_min.max(2));
    let names = |group: Vec<&RecordFile>| group.iter().map(|file| file.name.clone()).collect();
    groups.into_iter().map(names).collect()
}

fn go_together(one: &RecordFile, other: &RecordFile) -> bool {
    let month = |file: &RecordFile| (file.at.year(), file.at.month());
    one.chain == other.chain && month(one) == month(other)
}

/// The lines of several files as one, by chain and position. Lines stay as they are, those that are
/// not authentic too; exact copies become one.
#[must_use]
pub fn merge(files: Vec<Vec<Line>>) -> Vec<Line> {
    let mut lines: Vec<Line> = files.into_iter().flatten().collect();
    lines.sort_by_key(|line| (line.place().chain, line.place().position));
    lines.dedup();
    lines
}
