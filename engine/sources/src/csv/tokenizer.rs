//! Text to records.
//!
//! ```text
//!  record  := field (delimiter field)* (row end | end of file)
//!  field   := quote ( not quote | quote quote | escape any )* quote
//!           | not (delimiter | row end)*          a quote inside is literal
//! ```
//!
//! The grammar is RFC 4180's, with delimiters and row ends of any length. One function
//! over a slice, without state: a record is either wholly there or asked for again with
//! more text. The csv-core library cannot be used here: it does not tell quoted fields
//! from unquoted ones, which decides what is null, and knows single bytes only; the tests
//! compare with it wherever the two overlap.
//!
//! Where csv-core guesses, this refuses: text after a closing quote and a quote that is
//! never closed usually mean another dialect, and columns read by the wrong dialect could
//! end up under the wrong mask.

use std::ops::Range;

/// How text is cut into records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Between fields; not empty.
    pub(crate) delimiter: String,
    /// Around fields.
    pub(crate) quote: Option<u8>,
    /// Before a literal character inside quotes.
    pub(crate) escape: Option<u8>,
    /// After records.
    pub(crate) row_end: RowEnd,
    /// Whether white space around fields is dropped.
    pub(crate) trim: bool,
}

/// What ends a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowEnd {
    /// `\n`, `\r\n` or `\r`, each where it occurs.
    Any,
    /// This text; not empty.
    Exact(String),
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Where its content is: in the text, or in the record's `unescaped`.
    range: Range<usize>,
    rewritten: bool,
    /// Whether it was quoted; then it is never null.
    pub(crate) quoted: bool,
}

impl Field {
    /// Whether it has no content.
    pub(crate) fn is_empty(&self) -> bool {
        self.range.is_empty()
    }
}

/// A record's fields; reused from record to record.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) fields: Vec<Field>,
    /// Contents that differ from the text, because of doubled or escaped characters.
    unescaped: String,
}

impl Record {
    /// A field's content, given the text the record was read from.
    pub(crate) fn content<'a>(&'a self, field: &Field, text: &'a str) -> &'a str {
        let from = if field.rewritten { &self.unescaped } else { text };
        from.get(field.range.clone()).unwrap_or_default()
    }
}

/// What was found at the start of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A record of this many bytes, its row end included.
    Record(usize),
    /// The start of a record; more text is needed.
    Part,
    /// Nothing: the end of the file.
    End,
    /// No record of this dialect.
    Malformed(&'static str),
}

/// What stands at a position.
enum At {
    Delimiter(usize),
    RowEnd(usize),
    /// Too little text to tell.
    Unknown,
    Other,
}

/// How a field ended: where the next one starts, or what the record's end is.
enum Step {
    Next(usize),
    Done(Found),
}

impl Dialect {
    /// Reads the record at the start of `text`. `last` says that no text follows.
    pub(crate) fn record(&self, text: &str, last: bool, record: &mut Record) -> Found {
        record.fields.clear();
        record.unescaped.clear();
        if text.is_empty() {
            return if last { Found::End } else { Found::Part };
        }
        let mut position = 0;
        loop {
            let start = if self.trim { self.skip_blanks(text, position) } else { position };
            let opened = self.quote.is_some() && text.as_bytes().get(start).copied() == self.quote;
            let step = if opened {
                self.quoted(text, start + 1, last, record)
            } else {
                self.unquoted(text, position, last, record)
            };
            match step {
                Step::Next(next) => position = next,
                Step::Done(found) => return found,
            }
        }
    }

    fn unquoted(&self, text: &str, start: usize, last: bool, record: &mut Record) -> Step {
        let mut end = start;
        loop {
            end = match self.candidate(text.as_bytes(), end) {
                Some(candidate) => candidate,
                None if last => text.len(),
                None => return Step::Done(Found::Part),
            };
            let at = if end == text.len() { At::RowEnd(0) } else { self.at(text, end, last) };
            if matches!(at, At::Other) {
                end += 1;
                continue;
            }
            let mut range = start..end;
            if self.trim {
                let content = text.get(range.clone()).unwrap_or_default();
                let leading = content.len() - content.trim_start().len();
                let trimmed = content.trim().len();
                range = start + leading..start + leading + trimmed;
            }
            record.fields.push(Field { range, rewritten: false, quoted: false });
            return after(&at, end);
        }
    }

    /// A quoted field whose content starts at `start`.
    fn quoted(&self, text: &str, start: usize, last: bool, record: &mut Record) -> Step {
        let bytes = text.as_bytes();
        let unclosed = || {
            Step::Done(if last {
                Found::Malformed("a quoted field is not closed")
            } else {
                Found::Part
            })
        };
        let rewritten_start = record.unescaped.len();
        let (mut copied, mut position) = (start, start);
        loop {
            let Some(mark) = self.mark(bytes, position) else { return unclosed() };
            let Some(following) = text.get(mark + 1..) else { return unclosed() };
            let is_quote = bytes.get(mark).copied() == self.quote;
            if is_quote && following.is_empty() && !last {
                return Step::Done(Found::Part);
            }
            if is_quote && following.as_bytes().first().copied() != self.quote {
                let rewritten = copied != start;
                let range = if rewritten {
                    record.unescaped.push_str(text.get(copied..mark).unwrap_or_default());
                    rewritten_start..record.unescaped.len()
                } else {
                    start..mark
                };
                record.fields.push(Field { range, rewritten, quoted: true });
                return self.closed(text, mark + 1, last);
            }
            // A doubled quote, or an escape: what follows it is literal.
            let Some(literal) = following.chars().next() else { return unclosed() };
            record.unescaped.push_str(text.get(copied..mark).unwrap_or_default());
            copied = mark + 1;
            position = mark + 1 + literal.len_utf8();
        }
    }

    /// What follows a closing quote.
    fn closed(&self, text: &str, end: usize, last: bool) -> Step {
        let end = if self.trim { self.skip_blanks(text, end) } else { end };
        if end == text.len() {
            return if last { after(&At::RowEnd(0), end) } else { Step::Done(Found::Part) };
        }
        after(&self.at(text, end, last), end)
    }

    /// The next position where a delimiter or row end may start.
    fn candidate(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        let delimiter = self.delimiter.as_bytes().first().copied()?;
        let found = match &self.row_end {
            RowEnd::Any => memchr::memchr3(delimiter, b'\n', b'\r', rest),
            RowEnd::Exact(end) => {
                memchr::memchr2(delimiter, end.as_bytes().first().copied()?, rest)
            }
        };
        found.map(|found| from + found)
    }

    /// The next quote or escape.
    fn mark(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        let found = match (self.quote, self.escape) {
            (Some(quote), Some(escape)) => memchr::memchr2(quote, escape, rest),
            (Some(quote), None) => memchr::memchr(quote, rest),
            (None, _) => None,
        };
        found.map(|found| from + found)
    }

    fn at(&self, text: &str, position: usize, last: bool) -> At {
        let Some(rest) = text.as_bytes().get(position..) else { return At::Unknown };
        let cut =
            |whole: &str| !last && rest.len() < whole.len() && whole.as_bytes().starts_with(rest);
        if rest.starts_with(self.delimiter.as_bytes()) {
            return At::Delimiter(self.delimiter.len());
        }
        let row_end = match &self.row_end {
            RowEnd::Any => match rest {
                [b'\n', ..] => At::RowEnd(1),
                [b'\r', b'\n', ..] => At::RowEnd(2),
                [b'\r'] if !last => At::Unknown,
                [b'\r', ..] => At::RowEnd(1),
                _ => At::Other,
            },
            RowEnd::Exact(end) if rest.starts_with(end.as_bytes()) => At::RowEnd(end.len()),
            RowEnd::Exact(end) if cut(end) => At::Unknown,
            RowEnd::Exact(_) => At::Other,
        };
        if matches!(row_end, At::Other) && cut(&self.delimiter) { At::Unknown } else { row_end }
    }

    /// Skips spaces and tabs that are not a delimiter.
    fn skip_blanks(&self, text: &str, from: usize) -> usize {
        let rest = text.get(from..).unwrap_or_default();
        let blanks = rest.trim_start_matches([' ', '\t']);
        if self.delimiter.starts_with([' ', '\t']) {
            from
        } else {
            from + rest.len() - blanks.len()
        }
    }
}

fn after(at: &At, end: usize) -> Step {
    match at {
        At::Delimiter(length) => Step::Next(end + length),
        At::RowEnd(length) => Step::Done(Found::Record(end + length)),
        At::Unknown => Step::Done(Found::Part),
        At::Other => Step::Done(Found::Malformed("a closing quote is followed by text")),
    }
}

#[cfg(test)]
mod tests {
    use csv_core::{ReadRecordResult, ReaderBuilder};
    use proptest::prelude::*;

    use super::*;

    fn dialect(delimiter: &str, row_end: RowEnd) -> Dialect {
        Dialect {
            delimiter: delimiter.to_owned(),
            quote: Some(b'"'),
            escape: None,
            row_end,
            trim: false,
        }
    }

    type Rows = Vec<Vec<(String, bool)>>;

    /// All records of a text that is complete.
    fn records(dialect: &Dialect, mut text: &str) -> Result<Rows, &'static str> {
        let (mut record, mut rows) = (Record::default(), Vec::new());
        loop {
            match dialect.record(text, true, &mut record) {
                Found::Record(length) => {
                    let fields = record.fields.iter();
                    let content =
                        |field: &Field| (record.content(field, text).to_owned(), field.quoted);
                    rows.push(fields.map(content).collect());
                    text = &text[length..];
                }
                Found::End => return Ok(rows),
                Found::Malformed(what) => return Err(what),
                Found::Part => panic!("no more text can come"),
            }
        }
    }

    fn plain(rows: &Rows) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|(field, _)| field.clone()).collect()).collect()
    }

    /// The same text by csv-core.
    fn oracle(text: &str, escape: Option<u8>) -> Vec<Vec<String>> {
        let mut reader = ReaderBuilder::new().escape(escape).build();
        let (mut rows, mut input) = (Vec::new(), text.as_bytes());
        let (mut output, mut ends) = (vec![0; text.len() + 16], vec![0; text.len() + 16]);
        loop {
            let (mut written, mut fields) = (0, 0);
            loop {
                let (result, read, out, end) =
                    reader.read_record(input, &mut output[written..], &mut ends[fields..]);
                input = &input[read..];
                written += out;
                fields += end;
                match result {
                    ReadRecordResult::InputEmpty => {}
                    ReadRecordResult::Record => break,
                    ReadRecordResult::End => return rows,
                    other => panic!("{other:?}"),
                }
            }
            let mut start = 0;
            let field = |end: &usize| {
                let field = String::from_utf8(output[start..*end].to_vec()).expect("text");
                start = *end;
                field
            };
            rows.push(ends[..fields].iter().map(field).collect());
        }
    }

    #[test]
    fn quotes_and_line_ends() {
        let any = dialect(",", RowEnd::Any);
        let rows = records(&any, "a,\"b \"\"x\"\"\r\n,\",\r\"\",c\n,").expect("three records");
        let field = |text: &str, quoted| (text.to_owned(), quoted);
        assert_eq!(
            rows,
            [
                vec![field("a", false), field("b \"x\"\r\n,", true), field("", false)],
                vec![field("", true), field("c", false)],
                vec![field("", false), field("", false)],
            ]
        );
        assert_eq!(records(&any, "\"a\"b\n"), Err("a closing quote is followed by text"));
        assert_eq!(records(&any, "\"a\n"), Err("a quoted field is not closed"));
    }

    #[test]
    fn long_delimiters_and_row_ends() {
        let long = dialect("||", RowEnd::Exact("<§>\n".to_owned()));
        let rows = records(&long, "a|b||\"c||d\"<§>\n|||x<§\n<§>\n").expect("two records");
        assert_eq!(plain(&rows), [["a|b", "c||d"], ["", "|x<§\n"]]);
    }

    #[test]
    fn trimming_keeps_what_is_quoted() {
        let trimming = Dialect { trim: true, ..dialect(",", RowEnd::Any) };
        let rows = records(&trimming, "  a b , \" c \" ,\t\n").expect("a record");
        let field = |text: &str, quoted| (text.to_owned(), quoted);
        assert_eq!(rows, [[field("a b", false), field(" c ", true), field("", false)]]);
    }

    #[test]
    fn escapes() {
        let escaping = Dialect { escape: Some(b'\\'), ..dialect(",", RowEnd::Any) };
        let rows = records(&escaping, "\"a\\\"b\\ä\\\\\",\\x\n").expect("a record");
        assert_eq!(plain(&rows), [["a\"bä\\", "\\x"]]);
    }

    proptest! {
        /// Well-formed text reads as csv-core reads it, blank lines apart.
        #[test]
        fn it_agrees_with_csv_core(text in "([ab,\"\n\rä\\\\]|\"\"|\",\"|\"\n){0,24}", escape in prop::option::of(Just(b'\\'))) {
            let ours = records(&Dialect { escape, ..dialect(",", RowEnd::Any) }, &text);
            if let Ok(rows) = ours {
                let rows: Rows = rows.into_iter().filter(|row| row != &[(String::new(), false)]).collect();
                prop_assert_eq!(plain(&rows), oracle(&text, escape));
            }
        }

        /// Text that a writer quoted comes back as it was.
        #[test]
        fn what_is_quoted_comes_back(rows in prop::collection::vec(prop::collection::vec("[a|<>,\"\r\nä]{0,6}", 2..4), 0..5)) {
            for dialect in [dialect(",", RowEnd::Any), dialect("||", RowEnd::Exact("<>".to_owned()))] {
                let end = match &dialect.row_end { RowEnd::Any => "\r\n", RowEnd::Exact(end) => end };
                let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
                let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(&dialect.delimiter) + end;
                let text: String = rows.iter().map(line).collect();
                prop_assert_eq!(&plain(&records(&dialect, &text).expect("well-formed")), &rows);
            }
        }

        /// A record that is found early is the one that is found with all text: no cut
        /// between two reads changes anything.
        #[test]
        fn cuts_change_nothing(text in "([ab|<>,\"\n\rä]){0,24}", at in 0_usize..24, which in 0..2) {
            let dialect = [dialect(",", RowEnd::Any), dialect("||", RowEnd::Exact("<>".to_owned()))][which as usize].clone();
            let cut = text.char_indices().nth(at).map_or(text.len(), |(cut, _)| cut);
            let (mut part, mut whole) = (Record::default(), Record::default());
            let found = dialect.record(&text[..cut], false, &mut part);
            if let Found::Record(_) = found {
                prop_assert_eq!(found, dialect.record(&text, true, &mut whole));
                prop_assert_eq!(part.fields, whole.fields);
            }
        }
    }
}
