//! Where a piece of configuration stands: file, byte range, and the text to show.
//!
//! ```text
//!  SourceMap ──FileId──▶ SourceFile { path, text }
//!                              ▲
//!  Location { file, start..end }┘        bytes, end exclusive
//! ```

use std::fmt;
use std::sync::Arc;

/// The number of a file in its [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub(crate) u32);

/// A byte range of one file; `start..end`, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// First byte after the range.
    pub end: u32,
}

impl Location {
    /// A range of bytes; an offset beyond 4 GiB, which no read file reaches, saturates.
    #[must_use]
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let end = u32::try_from(end).unwrap_or(u32::MAX).max(start);
        Self { file, start, end }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// Whether the range holds no byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A value and the place the user wrote it. Equality ignores nothing: two equal values
/// from different places differ; compare `value` where the place does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub at: Location,
}

impl<T> Spanned<T> {
    /// Pairs a value with its place.
    #[must_use]
    pub const fn new(value: T, at: Location) -> Self {
        Self { value, at }
    }

    /// Another value at the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), at: self.at }
    }
}

impl<T: fmt::Display> fmt::Display for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// A file as it is shown in messages. The text of `profiles.yml` has every literal
/// that looks like a secret overwritten with `*`, byte for byte, so ranges stay right.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path relative to the project, with `/`.
    pub path: String,
    /// The text to show.
    pub text: Arc<str>,
}

impl SourceFile {
    /// Line and column (both from 1; the column counts characters) of a byte offset.
    #[must_use]
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let mut end = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let before = self.text.get(..end).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

/// All files that were read, in the order they were read.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// The file of an id of this map; `None` for an id of another map.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0u32..).map(FileId).zip(&self.files)
    }

    /// The file with this path relative to the project.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<FileId> {
        self.iter().find(|(_, file)| file.path == path).map(|(id, _)| id)
    }

    /// Path, line and column of a place, as `path:line:column`.
    #[must_use]
    pub fn describe(&self, at: Location) -> String {
        match self.get(at.file) {
            Some(file) => {
                let (line, column) = file.line_column(at.start);
                format!("{}:{line}:{column}", file.path)
            }
            None => String::from("unknown place"),
        }
    }

    /// The id that the next added file will have.
    pub(crate) fn next_id(&self) -> FileId {
        FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX))
    }

    pub(crate) fn add(&mut self, path: String, text: &str) -> FileId {
        let id = self.next_id();
        self.files.push(SourceFile { path, text: Arc::from(text) });
        id
    }
}
