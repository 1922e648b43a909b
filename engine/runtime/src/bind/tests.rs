//! The tests of an export: those it names, and those of the table or model it publishes.
//!
//! ```text
//!  of a column of a table or model        of the export
//!    not_null, unique, leak                 hold for what is published, masked or not
//!    accepted_values, range, regex,         hold for values that are kept; a mask makes others of them
//!      freshness
//!    relationships                          asked of the values before they are masked: masks may part
//!                                           what belongs together
//!  of a table or model
//!    row_count                              holds when the export has no filter
//!    expression                             holds when the columns it names are published as they are
//!    k_anonymity, l_diversity               hold for those of their columns that are published, through
//!                                           models too
//! ```

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::{DataType, Field, Schema};
use engine_masking::has_digest;
use engine_project::{Column, ColumnTest, Declared, Export, Project, Relation, Spanned, TableTest};
use regex::Regex;
use serde_json::Value;

use super::condition::condition;
use super::exports::unknown_column;
use super::subject::Subject;
use super::treatment::{BoundColumn, Treatment};
use crate::codes::config::INVALID_VALUE;
use crate::diagnostic::Diagnostic;
use crate::flow::{Kind, Kinds};
use crate::observe::is_moment;
use crate::types::type_name;

type Test = Declared<TableTest>;

/// The tests of a table or model as a whole.
pub(super) fn of_relation<'p>(project: &'p Project, relation: &Relation) -> &'p [Test] {
    match relation {
        Relation::Table { source, table } => {
            project.table(source, table).map_or(&[], |table| &table.tests)
        }
        Relation::Model { name } => project.model(name).map_or(&[], |model| &model.tests),
    }
}

/// Every test of an export, its own first; and those of what it publishes that do not hold for it.
pub(super) fn of(
    subject: &Subject<'_>,
    export: &Export,
    columns: &[BoundColumn],
) -> (Vec<Test>, Vec<Test>) {
    let (project, from) = (subject.project, &export.from.value);
    let mut tests = export.tests.clone();
    let mut left_out = Vec::new();
    let mut add = |test: Test, holds: bool| {
        if !holds {
            left_out.push(test);
        } else if !tests.iter().any(|own| same(&own.test, &test.test)) {
            tests.push(test);
        }
    };
    for column in columns {
        let declared = project.columns(from);
        let declared = declared.iter().find(|declared| declared.name.value == column.name);
        for (test, holds) in declared.iter().flat_map(|declared| of_column(declared, column)) {
            add(test, holds);
        }
    }
    for (test, holds) in upstream(subject, columns) {
        add(test, holds);
    }
    for test in of_relation(project, from) {
        let published = published(subject, export, columns, &test.test);
        let holds = published.is_some();
        add(
            Declared { test: published.unwrap_or_else(|| test.test.clone()), ..test.clone() },
            holds,
        );
    }
    (tests, left_out)
}

/// The tests of tables that a model passes columns on of, as these are named in the export, and whether
/// they hold for it: groups do, which nobody must be alone in; what else a table promises of its rows
/// need not hold for those of a model.
fn upstream(subject: &Subject<'_>, columns: &[BoundColumn]) -> Vec<(Test, bool)> {
    let Relation::Model { .. } = subject.from else { return Vec::new() };
    let mut copies: BTreeMap<&Relation, BTreeMap<&str, &str>> = BTreeMap::new();
    for column in columns {
        let copied =
            column.reach.sources.direct().filter(|(_, kinds)| *kinds == Kinds::of(Kind::Copied));
        for (origin, _) in copied {
            if let Some(name) = &origin.column {
                copies.entry(&origin.relation).or_default().insert(name, &column.name);
            }
        }
    }
    // Where rows are put together, one row may stand for many, and groups of rows say nothing of people.
    let puts_together = |kind: Kind| matches!(kind, Kind::Group | Kind::Distinct);
    let mut of_rows = subject.reach.sources.indirect();
    let is_summed_up = of_rows.any(|(_, kinds)| kinds.iter().any(puts_together));
    let mut found = Vec::new();
    for (table, names) in copies {
        let named = |column: &Spanned<String>| {
            names.get(column.value.as_str()).map(|name| Spanned::new((*name).to_owned(), column.at))
        };
        for declared in subject.project.columns(table) {
            let Some(column) = named(&declared.name) else { continue };
            for test in &declared.tests {
                let of_export =
                    TableTest::Column { column: column.clone(), test: test.test.clone() };
                found.push((
                    Declared { test: of_export, severity: test.severity, at: test.at },
                    false,
                ));
            }
        }
        for declared in of_relation(subject.project, table) {
            let all = |columns: &[Spanned<String>]| -> Option<Vec<Spanned<String>>> {
                let there: Vec<_> = columns.iter().filter_map(named).collect();
                (!there.is_empty()).then_some(there)
            };
            let renamed = match &declared.test {
                TableTest::KAnonymity { columns, k } => {
                    all(columns).map(|columns| TableTest::KAnonymity { columns, k: *k })
                }
                TableTest::LDiversity { columns, sensitive, l } => {
                    named(sensitive).zip(all(columns)).map(|(sensitive, columns)| {
                        TableTest::LDiversity { columns, sensitive, l: *l }
                    })
                }
                _ => None,
            };
            let holds = renamed.is_some() && !is_summed_up;
            let test = renamed.unwrap_or_else(|| declared.test.clone());
            found.push((Declared { test, severity: declared.severity, at: declared.at }, holds));
        }
    }
    found
}

/// The tests of a column, and whether they hold for what becomes of it.
fn of_column(declared: &Column, column: &BoundColumn) -> Vec<(Test, bool)> {
    let of_export = |test: &ColumnTest| TableTest::Column {
        column: Spanned::new(column.name.clone(), declared.name.at),
        test: test.clone(),
    };
    let one = |declared: &Declared<ColumnTest>| {
        let Declared { test, severity, at } = declared;
        let test_of_export = Declared { test: of_export(test), severity: *severity, at: *at };
        (test_of_export, holds(test, column))
    };
    declared.tests.iter().map(one).collect()
}

fn holds(test: &ColumnTest, column: &BoundColumn) -> bool {
    match (test, &column.treatment) {
        (ColumnTest::NotNull, Treatment::Masked { properties, .. }) => properties.preserves.null,
        (ColumnTest::NotNull, Treatment::Computed { .. }) => false,
        (ColumnTest::NotNull | ColumnTest::Unique | ColumnTest::Leak, _) => true,
        (ColumnTest::Relationships { .. }, _) => true,
        (_, Treatment::Kept { .. } | Treatment::Open(_)) => true,
        (_, Treatment::Masked { .. } | Treatment::Computed { .. }) => false,
    }
}

/// A test of a table or model as it holds for the columns that are published of it; none where it does
/// not.
fn published(
    subject: &Subject<'_>,
    export: &Export,
    columns: &[BoundColumn],
    test: &TableTest,
) -> Option<TableTest> {
    let find = |name: &str| columns.iter().find(|column| column.name == name);
    let there = |names: &[Spanned<String>]| -> Option<Vec<Spanned<String>>> {
        let there: Vec<_> =
            names.iter().filter(|name| find(&name.value).is_some()).cloned().collect();
        (!there.is_empty()).then_some(there)
    };
    match test {
        TableTest::RowCount { .. } => export.filter.is_none().then(|| test.clone()),
        TableTest::KAnonymity { columns, k } => {
            Some(TableTest::KAnonymity { columns: there(columns)?, k: *k })
        }
        TableTest::LDiversity { columns, sensitive, l } => find(&sensitive.value)
            .and(there(columns))
            .map(|columns| TableTest::LDiversity { columns, sensitive: sensitive.clone(), l: *l }),
        TableTest::Expression { sql } => {
            // One that cannot be read at all is reported where the export's own are.
            let Ok(condition) = condition(subject, sql, subject.schema, "") else {
                return Some(test.clone());
            };
            let as_it_is =
                |name: &String| find(name).is_some_and(|column| column.treatment.is_as_read());
            condition.columns.iter().all(as_it_is).then(|| test.clone())
        }
        TableTest::Column { column, test: of_column } => {
            holds(of_column, find(&column.value)?).then(|| test.clone())
        }
    }
}

fn same(left: &TableTest, right: &TableTest) -> bool {
    match (left, right) {
        (
            TableTest::Column { column: left, test: of_left },
            TableTest::Column { column: right, test: of_right },
        ) => left.value == right.value && of_left == of_right,
        _ => false,
    }
}

/// Tests that could not be asked of what is published: a column is not there, or a mask has made text of
/// a number.
pub(super) fn misfits(
    subject: &Subject<'_>,
    tests: &[Test],
    columns: &[BoundColumn],
) -> Vec<Diagnostic> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let known: BTreeSet<&str> = names.iter().copied().collect();
    let within = format!("export `{}`", subject.export);
    let mut found = Vec::new();
    for test in tests {
        let missing = test.test.columns().filter(|column| !known.contains(column.value.as_str()));
        let mut missing = missing.map(|column| unknown_column(&within, column, &names)).peekable();
        if missing.peek().is_none() {
            found.extend(misfit(subject, test, columns));
        }
        found.extend(missing);
    }
    found
}

fn misfit(subject: &Subject<'_>, test: &Test, columns: &[BoundColumn]) -> Option<Diagnostic> {
    if let TableTest::Expression { sql } = &test.test {
        let fields = columns.iter().map(|column| Field::clone(&column.output));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        return condition(subject, sql, &schema, "the expression of a test")
            .err()
            .map(|found| *found);
    }
    let find = |name: &Spanned<String>| columns.iter().find(|column| column.name == name.value);
    if let TableTest::Column { column, test: asked } = &test.test {
        return of_one_column(test, find(column)?, asked);
    }
    let nested = test.test.columns().filter_map(find);
    nested.into_iter().find_map(|column| nested_column(test, column))
}

fn of_one_column(test: &Test, published: &BoundColumn, asked: &ColumnTest) -> Option<Diagnostic> {
    let found = plain(published.output.data_type());
    let (what, help) = match asked {
        ColumnTest::Range { min, max } if !both(min, max).all(|bound| ordered(bound, found)) => {
            ("the bounds of `range` do not fit", BOUNDS)
        }
        ColumnTest::AcceptedValues { values } if !values.iter().all(|one| equal(one, found)) => {
            ("the values of `accepted_values` do not fit", VALUES)
        }
        ColumnTest::Freshness { .. } if !is_moment(found) => ("`freshness` does not fit", MOMENTS),
        ColumnTest::Regex { pattern } if Regex::new(pattern).is_err() => {
            return Some(unreadable(test));
        }
        ColumnTest::Leak if published.treatment.shows_values() => {
            let message = format!("`leak` cannot hold for `{}`", published.name);
            let finding = Diagnostic::new(&INVALID_VALUE, message).at(test.at, "is not masked");
            return Some(finding.help("every value of a column that is published as it is can be read; mask it, or take the test away"));
        }
        ColumnTest::Unique | ColumnTest::Leak | ColumnTest::Relationships { .. } => {
            return nested_column(test, published);
        }
        _ => return None,
    };
    let type_name = type_name(published.output.data_type());
    let message = format!("{what} `{}`, which is published as {type_name}", published.name);
    Some(Diagnostic::new(&INVALID_VALUE, message).at(test.at, "cannot be compared").help(help))
}

/// Lists and structs are not compared.
fn nested_column(test: &Test, column: &BoundColumn) -> Option<Diagnostic> {
    let types = [column.input.data_type(), column.output.data_type()];
    if types.into_iter().all(has_digest) {
        return None;
    }
    let name = test.test.name();
    let message = format!("`{name}` does not fit `{}`, which holds lists or structs", column.name);
    let finding = Diagnostic::new(&INVALID_VALUE, message).at(test.at, "cannot be compared");
    Some(finding.help("take the parts that matter out of it in a model, as columns of their own"))
}

const BOUNDS: &str = "bounds are numbers for columns of numbers, and text such as 2030-12-31 for dates; a mask such as bucket or noise keeps numbers";
const VALUES: &str = "values are numbers for columns of numbers, true and false for booleans, and text for all others";
const MOMENTS: &str = "only dates and timestamps have an age";

fn unreadable(test: &Test) -> Diagnostic {
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
