//! From the errors of libraries to diagnostics.
//!
//! Two worlds: while a query is *planned*, a library's text quotes the user's SQL and schema, which are
//! configuration, and may be shown. While it *runs*, the text may quote a cell; only errors that are
//! known to hold none are shown, and everything else is replaced by words of our own.

mod source;

use std::error::Error;

use datafusion::common::Span;
use datafusion::error::DataFusionError;
use engine_project::{Location, RenderedSql};
use engine_sources::source_error;

use crate::codes::{run, sql};
use crate::diagnostic::Diagnostic;
use crate::masks::resolver::ResolveError;

pub use source::diagnose;

/// An error of planning a model's SQL, shown in the user's file.
pub fn planning(error: &DataFusionError, model: &RenderedSql) -> Diagnostic {
    let whole = model.locate(0, model.text.len());
    if let DataFusionError::SQL(parser, _) = error.find_root() {
        let text = strip_position(&parser.to_string());
        let at = position(&parser.to_string())
            .map_or(whole, |(line, column)| model.locate_line_column(line, column));
        return Diagnostic::new(&sql::SQL_SYNTAX, "the SQL cannot be parsed").at(at, text);
    }
    let (message, span) = words(error);
    let at = span.map_or(whole, |span| span_location(span, model));
    let diagnostic = Diagnostic::new(&sql::SQL_PLAN, "the SQL cannot be planned").at(at, message);
    match error.diagnostic().and_then(|found| found.helps.first()) {
        Some(help) => diagnostic.help(help.message.clone()),
        None => diagnostic,
    }
}

/// An error of planning SQL that stands in no file, or whose place is known only as a whole.
pub fn planning_text(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::SQL(parser, _) => parser.to_string(),
        _ => words(error).0,
    }
}

fn words(error: &DataFusionError) -> (String, Option<Span>) {
    match error.diagnostic() {
        Some(found) => (found.message.clone(), found.span),
        None => {
            let text = error.find_root().strip_backtrace();
            let text = text.strip_prefix("Error during planning: ").unwrap_or(&text).to_owned();
            (text.lines().next().unwrap_or_default().to_owned(), None)
        }
    }
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

fn strip_position(text: &str) -> String {
    let text = text.strip_prefix("sql parser error: ").unwrap_or(text);
    text.rsplit_once(" at Line: ").map_or(text, |(before, _)| before).to_owned()
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
        return Diagnostic::new(
            &run::MASK_FAILED,
            format!("a mask refused a batch of `{node}`: {found}"),
        );
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
        _ => Diagnostic::new(&run::EXECUTION, format!("`{node}` could not be executed")),
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

    #[test]
    fn the_parsers_position_is_read_and_removed() {
        let text = "sql parser error: Expected: an expression, found: FROM at Line: 3, Column: 14";
        assert_eq!(position(text), Some((3, 14)));
        assert_eq!(strip_position(text), "Expected: an expression, found: FROM");
        assert_eq!(position("no place"), None);
    }
}
