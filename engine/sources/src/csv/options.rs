//! What a project says of its delimited files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tokenizer::{Dialect, RowEnd};
use crate::error::SourceError;
use crate::files::compression::Compression;
use crate::files::encoding::Encoding;
use crate::params::invalid;

/// The largest bound on a record that can be asked for: Arrow's string offsets end at 2³¹.
const RECORD_BYTES_MAX: usize = 1 << 30;

/// How delimited files are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Csv")]
pub(crate) struct CsvOptions {
    /// What separates fields; one or more characters.
    pub(crate) delimiter: String,
    /// What a field that holds delimiters is enclosed in; null for files without quotes.
    pub(crate) quote: Option<char>,
    /// What makes a quote inside a quoted field literal, besides doubling it.
    pub(crate) escape: Option<char>,
    /// What ends a row; null for any of \n, \r\n and \r.
    pub(crate) row_end: Option<String>,
    /// Whether the first record names the columns. Without one, declared columns are taken
    /// by position, and others are called column_1, column_2, ….
    pub(crate) header: bool,
    /// Unquoted fields that stand for null. A quoted field never does.
    pub(crate) nulls: Vec<String>,
    /// Whether white space around fields is dropped; inside quotes it is kept.
    pub(crate) trim: bool,
    /// How the text is encoded.
    pub(crate) encoding: Encoding,
    /// How the file is compressed.
    pub(crate) compression: Compression,
    /// Longest record that is read, in bytes of UTF-8; a longer one is an error.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub(crate) max_record_bytes: usize,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: ",".to_owned(),
            quote: Some('"'),
            escape: None,
            row_end: None,
            header: true,
            nulls: vec![String::new()],
            trim: false,
            encoding: Encoding::Utf8,
            compression: Compression::Auto,
            max_record_bytes: 16 << 20,
        }
    }
}

impl CsvOptions {
    /// The dialect, where the options make one that can be read without guessing.
    ///
    /// # Errors
    /// A parameter that is empty, too long or ambiguous beside another.
    pub(crate) fn dialect(&self) -> Result<Dialect, SourceError> {
        if self.delimiter.is_empty() {
            return Err(invalid("delimiter", "must not be empty"));
        }
        if self.max_record_bytes == 0 || self.max_record_bytes > RECORD_BYTES_MAX {
            return Err(invalid("max_record_bytes", "must be between 1 and 1073741824"));
        }
        let row_end = match &self.row_end {
            None => RowEnd::Any,
            Some(text) if text.is_empty() => {
                return Err(invalid("row_end", "must not be empty; null stands for any line end"));
            }
            Some(text) => RowEnd::Exact(text.clone()),
        };
        let ambiguous = match &row_end {
            RowEnd::Any => self.delimiter.contains(['\n', '\r']),
            RowEnd::Exact(end) => {
                self.delimiter.starts_with(end.as_str()) || end.starts_with(&self.delimiter)
            }
        };
        if ambiguous {
            return Err(invalid("delimiter", "must not be mistakable for the row end"));
        }
        let quote = self.mark("quote", self.quote, &row_end)?;
        let escape = self.mark("escape", self.escape, &row_end)?;
        Ok(Dialect { delimiter: self.delimiter.clone(), quote, escape, row_end, trim: self.trim })
    }

    fn mark(
        &self,
        name: &str,
        mark: Option<char>,
        row_end: &RowEnd,
    ) -> Result<Option<u8>, SourceError> {
        let Some(mark) = mark else { return Ok(None) };
        let in_row_end = match row_end {
            RowEnd::Any => matches!(mark, '\n' | '\r'),
            RowEnd::Exact(end) => end.contains(mark),
        };
        if in_row_end || self.delimiter.contains(mark) {
            return Err(invalid(name, "must not be part of the delimiter or row end"));
        }
        match u8::try_from(mark) {
            Ok(byte) if byte.is_ascii() => Ok(Some(byte)),
            _ => Err(invalid(name, "must be an ASCII character")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(options: &serde_json::Value) -> String {
        let options: CsvOptions = crate::params::parse(options).expect("well-typed");
        options.dialect().expect_err("refused").kind().to_string()
    }

    #[test]
    fn ambiguous_dialects_are_refused() {
        assert!(refused(&json!({"delimiter": ""})).contains("delimiter"));
        assert!(refused(&json!({"delimiter": "\n"})).contains("delimiter"));
        assert!(refused(&json!({"delimiter": "|", "row_end": "||"})).contains("delimiter"));
        assert!(refused(&json!({"delimiter": "\"x"})).contains("quote"));
        assert!(refused(&json!({"quote": "ä"})).contains("ASCII"));
        assert!(refused(&json!({"row_end": ""})).contains("row_end"));
        assert!(refused(&json!({"max_record_bytes": 0})).contains("max_record_bytes"));
    }

    #[test]
    fn defaults_are_rfc_4180() {
        let options: CsvOptions = crate::params::parse(&json!({})).expect("defaults");
        assert_eq!(options, CsvOptions::default());
        let none: CsvOptions = crate::params::parse(&json!({"quote": null})).expect("no quotes");
        assert_eq!(none.dialect().expect("a dialect").quote, None);
    }
}
