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
use serde_json::Value;

use super::policy::{BoundColumn, Treatment};
use crate::codes::config::INVALID_VALUE;
use crate::diagnostic::Diagnostic;
use crate::types::type_name;

/// Every test of an export, its own first.
pub(super) fn of(
    project: &Project,
    export: &Export,
    columns: &[BoundColumn],
) -> Vec<Spanned<ExportTest>> {
    let mut tests = export.tests.clone();
    for column in columns {
        let declared = project.columns(&export.from.value);
        let declared = declared.iter().find(|declared| declared.name.value == column.name);
        for test in declared.iter().flat_map(|declared| of_column(declared, column)) {
            if !tests.iter().any(|own| same(&own.value, &test.value)) {
                tests.push(test);
            }
        }
    }
    tests
}

/// The tests of a column that hold for what becomes of it.
fn of_column(declared: &Column, column: &BoundColumn) -> Vec<Spanned<ExportTest>> {
    let holds = |test: &ColumnTest| match (test, &column.treatment) {
        (ColumnTest::NotNull, Treatment::Masked { properties, .. }) => properties.preserves.null,
        (ColumnTest::NotNull | ColumnTest::Unique, _) => true,
        (ColumnTest::Relationships { .. }, _) => true,
        (_, Treatment::Kept { .. }) => true,
        (_, Treatment::Masked { .. }) => false,
    };
    let held = declared.tests.iter().filter(|test| holds(&test.value));
    let of_export = |test: &Spanned<ColumnTest>| ExportTest::Column {
        column: Spanned::new(column.name.clone(), declared.name.at),
        test: test.value.clone(),
    };
    held.map(|test| Spanned::new(of_export(test), test.at)).collect()
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

/// Bounds that cannot be compared with what is published: a mask may have made text of a number.
pub(super) fn misfits(tests: &[Spanned<ExportTest>], columns: &[BoundColumn]) -> Vec<Diagnostic> {
    let misfit = |test: &Spanned<ExportTest>| {
        let ExportTest::Column { column, test: ColumnTest::Range { min, max } } = &test.value
        else {
            return None;
        };
        let published = columns.iter().find(|published| published.name == column.value)?;
        let found = published.output.data_type();
        let bounds = [min, max];
        let mut bounds = bounds.into_iter().flatten();
        if bounds.all(|bound| comparable(bound, found)) {
            return None;
        }
        let message = format!(
            "the bounds of `range` do not fit `{}`, which is published as {}",
            column.value,
            type_name(found)
        );
        Some(
            Diagnostic::new(&INVALID_VALUE, message)
                .at(test.at, "cannot be compared")
                .help("bounds are numbers for columns of numbers, and text such as 2030-12-31 for dates; a mask such as bucket or noise keeps numbers"),
        )
    };
    tests.iter().filter_map(misfit).collect()
}

fn comparable(bound: &Value, found: &DataType) -> bool {
    (found.is_numeric() && bound.is_number()) || (found.is_temporal() && bound.is_string())
}
