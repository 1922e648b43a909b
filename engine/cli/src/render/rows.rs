//! Rows of an export or an answer: a table for people, an array of objects for programs.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::json::WriterBuilder;
use arrow::json::writer::JsonArray;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use engine_runtime::codes::commands;
use engine_runtime::diagnostic::{Diagnostic, Failure, Outcome};
use engine_runtime::ops::query::QueryReport;

use super::table::{Align, Listing, count};
use crate::options::Format;

/// The rows in a format. Nulls are `NULL` for people and `null` in JSON, where every object has every
/// column; a column that stands twice in an answer is twice in its objects.
///
/// # Errors
/// A column whose type has no form in the format.
pub(crate) fn text(answer: &QueryReport, format: Format) -> Outcome<String> {
    let text = match format {
        Format::Human => table(answer),
        Format::Json => json(answer),
    };
    // What a library says about a value could quote it.
    text.map_err(|_| {
        let message = "a column of the answer has a type that cannot be written in this format";
        Failure::from(
            Diagnostic::new(&commands::OUTPUT_UNWRITABLE, message)
                .help("cast the column in the query, for example to VARCHAR"),
        )
    })
}

fn table(answer: &QueryReport) -> Result<String, ArrowError> {
    let fields = answer.schema.fields();
    let headings: Vec<(&str, Align)> = fields
        .iter()
        .map(|field| {
            let numeric = field.data_type().is_numeric();
            (field.name().as_str(), if numeric { Align::Right } else { Align::Left })
        })
        .collect();
    let mut listing = Listing::new(&headings);
    let mut rows = 0_u64;
    for batch in &answer.batches {
        rows = rows.saturating_add(batch.num_rows() as u64);
        add(&mut listing, batch)?;
    }
    let noun = if rows == 1 { "row" } else { "rows" };
    Ok(format!("{}\n\n{} {noun}", listing.render(), count(rows)))
}

fn add(listing: &mut Listing, batch: &RecordBatch) -> Result<(), ArrowError> {
    let options = FormatOptions::new().with_null("NULL").with_display_error(false);
    let columns = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options))
        .collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        let cells = columns
            .iter()
            .map(|column| column.value(row).try_to_string())
            .collect::<Result<Vec<_>, _>>()?;
        listing.row(cells);
    }
    Ok(())
}

fn json(answer: &QueryReport) -> Result<String, ArrowError> {
    let mut writer =
        WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(Vec::new());
    for batch in &answer.batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    let bytes = writer.into_inner();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(if text.is_empty() { String::from("[]") } else { text })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Decimal128Array, Int64Array, StringArray};

    use super::*;

    fn answer() -> QueryReport {
        let price = Decimal128Array::from(vec![Some(199), None]).with_precision_and_scale(10, 2);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(Int64Array::from(vec![1, 20]))),
            ("name", Arc::new(StringArray::from(vec![Some("a\u{1b}[1m"), None]))),
            ("price", Arc::new(price.unwrap())),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        QueryReport {
            schema: batch.schema(),
            batches: vec![batch],
            published: None,
            exports: Vec::new(),
            rows_read: 0,
        }
    }

    #[test]
    fn people_get_a_table() {
        let text = text(&answer(), Format::Human).unwrap();
        assert_eq!(
            text,
            "id  name        price\n 1  a\\u{1b}[1m   1.99\n20  NULL         NULL\n\n2 rows"
        );
    }

    #[test]
    fn programs_get_objects_with_every_column() {
        let text = text(&answer(), Format::Json).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value[0]["id"], 1);
        assert_eq!(value[1].as_object().unwrap().len(), 3);
        assert!(value[1]["name"].is_null() && value[1]["price"].is_null());
    }

    #[test]
    fn no_rows_are_a_table_without_rows_and_an_empty_array() {
        let none = QueryReport { batches: Vec::new(), ..answer() };
        assert_eq!(text(&none, Format::Human).unwrap(), "id  name  price\n\n0 rows");
        assert_eq!(text(&none, Format::Json).unwrap(), "[]");
    }
}
