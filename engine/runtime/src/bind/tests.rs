//! The tests of an export: those it names, and those of the columns it publishes.
//!
//! ```text
//!  column of a table or model          of the export
//!    not_null, unique                    hold for what is published, masked or not
//!    accepted_values, range, regex       hold for values that are kept; a mask makes others of them
//!    relationships                       asked of the sources themselves: masks may part what belongs together
//! ```

use arrow::datatypes::DataType;
use engine_project::{Column, ColumnTest, Export, ExportTest, Project, Spanned};
use regex::Regex;
use serde_json::Value;

use super::policy::{BoundColumn, Treatment};
use crate::codes::config::INVALID_VALUE;
use crate::diagnostic::Diagnostic;
use crate::types::type_name;

/// Every test of an export, its own first; and those of its columns that are not run.
pub(super) fn of(
    project: &Project,
    export: &Export,
    columns: &[BoundColumn],
) -> (Vec<Spanned<ExportTest>>, Vec<ExportTest>) {
    let mut tests = export.tests.clone();
    let mut left_out = Vec::new();
    for column in columns {
        let declared = project.columns(&export.from.value);
        let declared = declared.iter().find(|declared| declared.name.value == column.name);
        for (test, holds) in declared.iter().flat_map(|declared| of_column(declared, column)) {
            if !holds {
                left_out.push(test.value);
            } else if !tests.iter().any(|own| same(&own.value, &test.value)) {
                tests.push(test);
            }
        }
    }
    (tests, left_out)
}

/// The tests of a column, and whether they hold for what becomes of it.
fn of_column(declared: &Column, column: &BoundColumn) -> Vec<(Spanned<ExportTest>, bool)> {
    let holds = |test: &ColumnTest| match (test, &column.treatment) {
        (ColumnTest::NotNull, Treatment::Masked { properties, .. }) => properties.preserves.null,
        (ColumnTest::NotNull | ColumnTest::Unique, _) => true,
        (ColumnTest::Relationships { .. }, _) => true,
        (_, Treatment::Kept { .. } | Treatment::Open(_)) => true,
        (_, Treatment::Masked { .. }) => false,
    };
    let of_export = |test: &Spanned<ColumnTest>| ExportTest::Column {
        column: Spanned::new(column.name.clone(), declared.name.at),
        test: test.value.clone(),
    };
    let tests = declared.tests.iter();
    tests.map(|test| (Spanned::new(of_export(test), test.at), holds(&test.value))).collect()
}

fn same(left: &ExportTest, right: &ExportTest) -> bool {
    match (left, right) {
        (
            ExportTest::Column { column: left, test: of_left },
            ExportTest::Column { column: right, test: of_right },
        ) => left.value == right.value && of_left == of_right,
        _ => false,
    }
}

/// Tests that could not be asked of what is published: a mask may have made text of a number.
pub(super) fn misfits(tests: &[Spanned<ExportTest>], columns: &[BoundColumn]) -> Vec<Diagnostic> {
    let misfit = |test: &Spanned<ExportTest>| {
        let ExportTest::Column { column, test: asked } = &test.value else { return None };
        let published = columns.iter().find(|published| published.name == column.value)?;
        let found = plain(published.output.data_type());
        let (what, help) = match asked {
            ColumnTest::Range { min, max }
                if !both(min, max).all(|bound| ordered(bound, found)) =>
            {
                ("the bounds of `range` do not fit", BOUNDS)
            }
            ColumnTest::AcceptedValues { values }
                if !values.iter().all(|one| equal(one, found)) =>
            {
                ("the values of `accepted_values` do not fit", VALUES)
            }
            ColumnTest::Regex { pattern } if Regex::new(pattern).is_err() => {
                return Some(unreadable(test));
            }
            _ => return None,
        };
        let published = type_name(published.output.data_type());
        let message = format!("{what} `{}`, which is published as {published}", column.value);
        Some(Diagnostic::new(&INVALID_VALUE, message).at(test.at, "cannot be compared").help(help))
    };
    tests.iter().filter_map(misfit).collect()
}

const BOUNDS: &str = "bounds are numbers for columns of numbers, and text such as 2030-12-31 for dates; a mask such as bucket or noise keeps numbers";
const VALUES: &str = "values are numbers for columns of numbers, true and false for booleans, and text for all others";

fn unreadable(test: &Spanned<ExportTest>) -> Diagnostic {
    Diagnostic::new(&INVALID_VALUE, "the pattern of `regex` cannot be read")
        .at(test.at, "not a regular expression")
        .help("patterns are those of the Rust crate `regex`: no look-around, no back references")
}

fn both<'v>(min: &'v Option<Value>, max: &'v Option<Value>) -> impl Iterator<Item = &'v Value> {
    min.iter().chain(max)
}

fn plain(found: &DataType) -> &DataType {
    match found {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}

fn ordered(bound: &Value, found: &DataType) -> bool {
    (found.is_numeric() && bound.is_number()) || (found.is_temporal() && bound.is_string())
}

fn equal(value: &Value, found: &DataType) -> bool {
    match found {
        DataType::Boolean => value.is_boolean(),
        number if number.is_numeric() => value.is_number(),
        _ => value.is_string(),
    }
}
