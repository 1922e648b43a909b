//! From the errors of libraries to diagnostics.
//!
//! Two worlds: while a query is *planned*, a library's text quotes the user's SQL and schema, which are
//! configuration, and may be shown. While it *runs*, the text may quote a cell; only errors that are
//! known to hold none are shown, and everything else is replaced by words of our own.

mod source;

use std::error::Error;

use datafusion::common::{SchemaError, Span};
use datafusion::error::DataFusionError;
use engine_project::{Location, RenderedSql, nearest};
use engine_sources::source_error;

use crate::codes::{run, sql};
use crate::diagnostic::Diagnostic;
use crate::masks::resolver::ResolveError;

pub use source::diagnose;

/// An error of planning a model's SQL, shown in the user's file.
pub fn planning(error: &DataFusionError, model: &RenderedSql) -> Diagnostic {
    let whole = model.locate(0, model.text.len());
    if let DataFusionError::SQL(parser, _) = error.find_root() {
        let text = parser.to_string();
        let at = match position(&text) {
            Some((line, column)) => word_at(model, line, column),
            // Without a place, the text ended too early.
            None => model.locate(model.text.trim_end().len().saturating_sub(1), model.text.len()),
        };
        return Diagnostic::new(&sql::SQL_SYNTAX, "the SQL cannot be parsed")
            .at(at, parsing(&text));
    }
    let place = |span: Option<Span>| span.map_or(whole, |span| span_location(span, model));
    if let Some(Unknown { name, nearest, valid }) = unknown_column(error) {
        let span = error.diagnostic().and_then(|found| found.span);
        let label = match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "not a column here".to_owned(),
        };
        return Diagnostic::new(&sql::SQL_PLAN, format!("there is no column `{name}`"))
            .at(place(span), label)
            .help(format!("columns there are: {}", valid.join(", ")));
    }
    let (message, span) = words(error);
    let diagnostic =
        Diagnostic::new(&sql::SQL_PLAN, "the SQL cannot be planned").at(place(span), message);
    match help(error) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// An error of planning SQL that stands in no file, or whose place is known only as a whole.
pub fn planning_text(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::SQL(parser, _) => parsing(&parser.to_string()),
        _ => words(error).0,
    }
}

/// A column that SQL names and that is not there.
pub struct Unknown {
    /// As it is written.
    pub name: String,
    /// The column it is near to.
    pub nearest: Option<String>,
    /// The columns there are.
    pub valid: Vec<String>,
}

/// The column that an error of planning is about.
pub fn unknown_column(error: &DataFusionError) -> Option<Unknown> {
    let DataFusionError::SchemaError(found, _) = error.find_root() else { return None };
    let SchemaError::FieldNotFound { field, valid_fields } = found.as_ref() else { return None };
    let mut valid: Vec<String> = Vec::new();
    for column in valid_fields {
        if !valid.contains(&column.name) {
            valid.push(column.name.clone());
        }
    }
    let nearest = nearest(&field.name, valid.iter().map(String::as_str)).map(str::to_owned);
    Some(Unknown { name: field.name.clone(), nearest, valid })
}

fn words(error: &DataFusionError) -> (String, Option<Span>) {
    match error.diagnostic() {
        Some(found) => (lowered(&found.message), found.span),
        None => {
            let text = error.find_root().strip_backtrace();
            let text = text.strip_prefix("Error during planning: ").unwrap_or(&text);
            (lowered(text.lines().next().unwrap_or_default()), None)
        }
    }
}

/// A sentence as the middle of one: with a small first letter, unless a second capital one follows.
fn lowered(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// What a library suggests: in so many words, or in the second line of its text.
fn help(error: &DataFusionError) -> Option<String> {
    let found = error.diagnostic().and_then(|found| found.helps.first());
    let suggested = || {
        let text = error.find_root().strip_backtrace();
        let line = text.lines().find(|line| line.starts_with("Did you mean"))?;
        Some(lowered(line))
    };
    found.map(|help| lowered(&help.message)).or_else(suggested)
}

/// The place of the word that begins at a line and column of the rendered text.
fn word_at(model: &RenderedSql, line: u64, column: u64) -> Location {
    let start = model.locate_line_column(line, column);
    let line =
        usize::try_from(line).ok().and_then(|line| model.text.lines().nth(line.checked_sub(1)?));
    let skip = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let rest = line.unwrap_or_default().chars().skip(skip);
    let word: usize = rest
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .map(char::len_utf8)
        .sum();
    let length = u32::try_from(word).unwrap_or(0).max(start.end.saturating_sub(start.start));
    Location { end: start.start.saturating_add(length), ..start }
}

fn span_location(span: Span, model: &RenderedSql) -> Location {
    let start = model.locate_line_column(span.start.line, span.start.column);
    let end = model.locate_line_column(span.end.line, span.end.column);
    if end.file == start.file && end.start > start.start {
        Location { file: start.file, start: start.start, end: end.start }
    } else {
        start
    }
}

/// The line and column at the end of the parser's message: `… at Line: 3, Column: 14`.
fn position(text: &str) -> Option<(u64, u64)> {
    let (_, place) = text.rsplit_once("at Line: ")?;
    let (line, rest) = place.split_once(", Column: ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((line.parse().ok()?, digits.parse().ok()?))
}

/// The parser's message without the place: `expected an expression, found FROM`.
fn parsing(text: &str) -> String {
    let text = text.strip_prefix("sql parser error: ").unwrap_or(text);
    let text = text.rsplit_once(" at Line: ").map_or(text, |(before, _)| before);
    let text = text.replacen("Expected: ", "expected ", 1).replacen(", found: ", ", found ", 1);
    lowered(&text.replace("found EOF", "found the end"))
}

/// An error of a query that was running. Shows no text of a library that may hold a cell.
pub fn running(error: &DataFusionError, node: &str) -> Diagnostic {
    if let Some(found) = source_error(error) {
        return diagnose(found);
    }
    if let Some(found) = find::<crate::seal::SealError>(error) {
        return found.diagnostic();
    }
    if let Some(found) = find::<crate::unseal::UnsealError>(error) {
        return found.diagnostic();
    }
    if let Some(found) = find::<engine_masking::MaskError>(error) {
        let help = match found {
            engine_masking::MaskError::DoesNotFit { .. } => {
                "give the mask an `otherwise`, or another mask to the column; nothing was published"
            }
            _ => "lower `execution.batch_rows` of the target, or look at the column and its mask",
        };
        let message = format!("a mask refused a batch of `{node}`: {found}");
        return Diagnostic::new(&run::MASK_FAILED, message).help(help);
    }
    if let Some(found) = find::<ResolveError>(error) {
        return Diagnostic::new(
            &run::MASK_FAILED,
            format!("a mask of `{node}` cannot be bound: {found}"),
        );
    }
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => {
            Diagnostic::new(&run::OUT_OF_MEMORY, format!("`{node}` needs more memory than its limit"))
                .help("raise `--memory` (or `execution.memory` of the target), or lower `--jobs`; rows are never spilled to disk")
        }
        DataFusionError::ArrowError(..) => {
            Diagnostic::new(&run::VALUE_CONVERSION, format!("a value in `{node}` could not be converted or computed"))
                .help("look at the casts, divisions and date functions of the model; use try_cast where values may not fit")
        }
        _ => Diagnostic::new(&run::EXECUTION, format!("`{node}` could not be executed"))
            .help("look at the functions in its SQL: one of them refuses some row; its own words are not shown because they could quote it"),
    }
}

/// Finds an error of a type inside a DataFusion error, through contexts and shared plan nodes.
pub fn find<T: Error + 'static>(error: &DataFusionError) -> Option<&T> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<T>() {
            return Some(found);
        }
        if let Some(DataFusionError::External(inner)) = current.downcast_ref::<DataFusionError>()
            && let Some(found) = inner.downcast_ref::<T>()
        {
            return Some(found);
        }
        if let Some(DataFusionError::ObjectStore(inner)) = current.downcast_ref::<DataFusionError>()
            && let Some(found) = find_in(inner.source())
        {
            return Some(found);
        }
        next = current.source();
    }
    None
}

fn find_in<'a, T: Error + 'static>(mut next: Option<&'a (dyn Error + 'static)>) -> Option<&'a T> {
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<T>() {
            return Some(found);
        }
        next = current.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::words;
    use engine_sources::{SourceError, SourceErrorKind};

    #[test]
    fn a_source_that_others_write_to_is_named() {
        let of =
            |kind| diagnose(&SourceError::new(kind).in_connection("crm").in_file("crm.sqlite"));
        let golden = include_str!("../../../../tests/diagnostics/elsewhere/E0506.txt");
        assert_eq!(words(&of(SourceErrorKind::Changed)), golden);
        let golden = include_str!("../../../../tests/diagnostics/elsewhere/E0507.txt");
        assert_eq!(words(&of(SourceErrorKind::Locked)), golden);
    }

    #[test]
    fn a_mask_that_refuses_a_batch_is_named() {
        let refused = engine_masking::MaskError::BatchTooLarge { bytes_max: 7 };
        let error = DataFusionError::External(Box::new(refused)).context("while masking");
        let finding = running(&DataFusionError::Shared(std::sync::Arc::new(error)), "customers");
        let golden = include_str!("../../../../tests/diagnostics/elsewhere/E0803.txt");
        assert_eq!(words(&finding), golden);
    }

    #[test]
    fn the_parsers_position_is_read_and_removed() {
        let text = "sql parser error: Expected: an expression, found: FROM at Line: 3, Column: 14";
        assert_eq!(position(text), Some((3, 14)));
        assert_eq!(parsing(text), "expected an expression, found FROM");
        assert_eq!(position("no place"), None);
    }
}
