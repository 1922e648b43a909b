//! The text that a finding is drawn into: a file without control characters, its long lines cut to the
//! part around what is marked.
//!
//! ```text
//!  vars: {zeros: [0, 0, 0, …a megabyte…, 0, 0]}   ──▶   …, 0, 0, 0, 0, 0, …
//!                               ▲                                 ▲
//! ```
//!
//! Lines keep their numbers, and the place in the frame's title is that in the file.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// Bytes of a line that is drawn whole.
const LINE_BYTES_MAX: usize = 400;
/// Bytes that are left before what is marked in a line that is cut.
const BEFORE_BYTES: usize = 60;
/// Bytes of a line that is cut.
const CUT_BYTES: usize = 160;
/// What stands where a line was cut.
const ELLIPSIS: &str = "…";

/// A file's text as it is drawn, with the places of its marks.
pub(crate) struct Excerpt {
    path: String,
    text: String,
    marks: Vec<Mark>,
}

/// A place of the file, and where it came to stand.
#[derive(Clone, Copy)]
struct Mark {
    from: (usize, usize),
    start: usize,
    len: usize,
    /// Characters before it on its line of the file.
    column: usize,
}

impl Excerpt {
    /// The file's text with these places marked, each a byte offset and a length. A place that spans
    /// several lines is marked on its first one.
    pub(crate) fn new(path: &str, text: &str, places: &[(usize, usize)]) -> Self {
        let mut excerpt = Self {
            path: path.to_owned(),
            text: String::with_capacity(text.len()),
            marks: Vec::new(),
        };
        let mut begin = 0;
        for line in text.split_inclusive('\n') {
            excerpt.line(line, begin, places);
            begin += line.len();
        }
        // What is missing at the end of a file stands behind its last character.
        for place in places.iter().filter(|place| place.0 >= begin) {
            let last = text.rsplit('\n').next().unwrap_or_default();
            let (start, column) = (excerpt.text.len(), last.chars().count());
            excerpt.marks.push(Mark { from: *place, start, len: 0, column });
        }
        excerpt
    }

    /// Where a place stands here.
    pub(crate) fn span(&self, place: (usize, usize)) -> SourceSpan {
        let mark = self.marks.iter().find(|mark| mark.from == place);
        mark.map_or((0, 0), |mark| (mark.start, mark.len)).into()
    }

    fn line(&mut self, line: &str, begin: usize, places: &[(usize, usize)]) {
        let ending = line.len() - line.trim_end_matches(['\n', '\r']).len();
        let (content, ending) = line.split_at(line.len() - ending);
        let on_line: Vec<(usize, usize)> = places
            .iter()
            .copied()
            .filter(|(start, _)| (begin..begin + line.len()).contains(start))
            .collect();
        let first = on_line.iter().map(|(start, _)| start - begin).min().unwrap_or(0);
        let kept = window(content, first);
        if kept.start > 0 {
            self.text.push_str(ELLIPSIS);
        }
        let drawn = self.text.len();
        for place in on_line {
            let start = (place.0 - begin).min(content.len());
            let end = (start + place.1).min(content.len());
            let (start_kept, end_kept) =
                (start.clamp(kept.start, kept.end), end.clamp(kept.start, kept.end));
            self.marks.push(Mark {
                from: place,
                start: drawn + start_kept - kept.start,
                len: end_kept - start_kept,
                column: content.get(..start).map_or(0, |before| before.chars().count()),
            });
        }
        push_printable(&mut self.text, content.get(kept.clone()).unwrap_or_default());
        if kept.end < content.len() {
            self.text.push_str(ELLIPSIS);
        }
        self.text.push_str(ending);
    }
}

/// The part of a line to draw, on character boundaries.
fn window(line: &str, first: usize) -> Range<usize> {
    if line.len() <= LINE_BYTES_MAX {
        return 0..line.len();
    }
    let mut start = first.saturating_sub(BEFORE_BYTES).min(line.len());
    while !line.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = start.saturating_add(CUT_BYTES).min(line.len());
    while !line.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// Overwrites control characters, byte for byte, so that a file cannot drive the terminal and places
/// stay right.
fn push_printable(out: &mut String, text: &str) {
    for character in text.chars() {
        if character.is_control() && character != '\t' {
            out.extend(std::iter::repeat_n('?', character.len_utf8()));
        } else {
            out.push(character);
        }
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.text.read_span(span, lines_before, lines_after)?;
        let mark = self.marks.iter().find(|mark| mark.start == span.offset());
        // Without lines around it, the place itself is asked for, for the title.
        let column = match mark {
            Some(mark) if lines_before == 0 => mark.column,
            _ => contents.column(),
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.path.clone(),
            contents.data(),
            *contents.span(),
            contents.line(),
            column,
            contents.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, place: (usize, usize)) -> (String, String, usize) {
        let excerpt = Excerpt::new("a.yml", text, &[place]);
        let span = excerpt.span(place);
        let marked = excerpt.text[span.offset()..span.offset() + span.len()].to_owned();
        let column = excerpt.read_span(&span, 0, 0).unwrap().column();
        (excerpt.text, marked, column)
    }

    #[test]
    fn short_lines_stand_as_they_are_without_control_characters() {
        let (text, marked, column) = drawn("é: 1\nä\u{1b}[31m: wörd\n", (15, 5));
        assert_eq!((text.as_str(), marked.as_str(), column), ("é: 1\nä?[31m: wörd\n", "wörd", 8));
    }

    #[test]
    fn a_long_line_is_cut_around_its_mark() {
        let text = format!("a: [{} x{}]\nb: é\n", "0, ".repeat(100_000), ", é".repeat(100_000));
        let start = text.find('x').unwrap();
        let (cut, marked, column) = drawn(&text, (start, 1));
        assert_eq!((marked.as_str(), column), ("x", start));
        assert!(cut.len() < 400 && cut.starts_with('…') && cut.ends_with("…\nb: é\n"), "{cut}");
        // A long line beside the marked one is cut too.
        let (cut, marked, _) = drawn(&text, (text.len() - 3, 2));
        assert!(cut.len() < 400 && marked == "é", "{cut}");
    }

    #[test]
    fn a_mark_over_several_lines_ends_with_the_first() {
        assert_eq!(drawn("ab\r\ncd\nef", (1, 7)).1, "b");
        assert_eq!(drawn("ab\ncd", (5, 0)).1, "");
        assert_eq!(drawn("", (0, 0)).1, "");
    }

    #[test]
    fn places_outside_of_the_text_do_no_harm() {
        for place in [(2, 90), (3, 1), (90, 1)] {
            let _ = drawn("é\nb", place);
        }
    }
}
