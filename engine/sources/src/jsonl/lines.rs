//! A file's lines, in bounded memory.

use std::io::Read;

use crate::error::{SourceError, SourceErrorKind};
use crate::files::encoding::{Encoding, TextInput};

/// Text that is read ahead of the line at hand, at least.
const AHEAD_BYTES: usize = 64 << 10;

/// Lines of one file that are not blank, with their number.
pub(crate) struct Lines {
    input: TextInput,
    bytes_max: usize,
    text: String,
    /// Where the next line starts in `text`.
    start: usize,
    /// Number of the line last given out.
    line: u64,
}

impl Lines {
    /// The lines of this input, each of at most `bytes_max` bytes.
    pub(crate) fn new(input: Box<dyn Read + Send>, bytes_max: usize) -> Self {
        let input = TextInput::new(input, Encoding::Utf8);
        Self { input, bytes_max, text: String::new(), start: 0, line: 0 }
    }

    /// The next line that is not blank, without its end, and its number from 1.
    ///
    /// # Errors
    /// Failures of the input, malformed UTF-8, and a line that is too long.
    pub(crate) fn next(&mut self) -> Result<Option<(&str, u64)>, SourceError> {
        loop {
            let Some(range) = self.next_range()? else { return Ok(None) };
            let blank = self.text.get(range.clone()).is_none_or(|line| line.trim().is_empty());
            if !blank {
                let line = self.text.get(range).unwrap_or_default();
                return Ok(Some((line, self.line)));
            }
        }
    }

    fn next_range(&mut self) -> Result<Option<std::ops::Range<usize>>, SourceError> {
        loop {
            let rest = self.text.get(self.start..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest.as_bytes());
            let length = match end {
                Some(end) => end,
                None if self.input.ended() && rest.is_empty() => return Ok(None),
                None => rest.len(),
            };
            if length > self.bytes_max {
                let kind = SourceErrorKind::RecordTooLong { bytes_max: self.bytes_max };
                return Err(SourceError::new(kind).at_line(self.line.saturating_add(1)));
            }
            if end.is_some() || self.input.ended() {
                let range = self.start..self.start + length;
                self.start = (range.end + usize::from(end.is_some())).min(self.text.len());
                self.line = self.line.saturating_add(1);
                return Ok(Some(range));
            }
            let held = rest.len();
            self.text.drain(..self.start.min(self.text.len()));
            self.start = 0;
            // At least doubled, so that a long line is not looked at too often.
            self.input.fill(&mut self.text, held.max(AHEAD_BYTES))?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, bytes_max: usize) -> Result<Vec<(String, u64)>, SourceError> {
        let mut lines = Lines::new(Box::new(std::io::Cursor::new(text.to_owned())), bytes_max);
        let mut found = Vec::new();
        while let Some((line, number)) = lines.next()? {
            found.push((line.to_owned(), number));
        }
        Ok(found)
    }

    #[test]
    fn blank_lines_count_and_are_left_out() {
        let found = lines("\u{feff}a\r\n\n \t\nb\nc", 10).expect("three lines");
        let expected = [("a\r", 1), ("b", 4), ("c", 5)];
        assert_eq!(found, expected.map(|(line, number)| (line.to_owned(), number)));
        assert_eq!(lines("", 1).expect("none"), []);
    }

    #[test]
    fn a_long_line_is_refused_with_its_number() {
        let error = lines("a\nbbbb\n", 3).expect_err("too long");
        assert_eq!(error.place().line, Some(2));
        assert_eq!(error.kind(), &SourceErrorKind::RecordTooLong { bytes_max: 3 });
    }
}
