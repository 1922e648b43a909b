//! Tests of an export's rows: their words in plans and definitions, and what is said of those that fail.
//! Results are counts, and handles of what failed; no value leaves a test.

use engine_bundle::manifest::{TestResult, TestStatus};
use engine_project::{ColumnTest, Declared, Severity, Spanned, TableTest};
use serde_json::{Value, json};

use crate::codes::{Code, run};
use crate::diagnostic::Diagnostic;
use crate::observe::Measured;

/// A test as canonical JSON, for definitions and plans.
pub fn describe(test: &Declared<TableTest>) -> Value {
    let mut described = match &test.test {
        TableTest::KAnonymity { columns, k } => {
            json!({ "k_anonymity": { "columns": names(columns), "k": k } })
        }
        TableTest::LDiversity { columns, sensitive, l } => json!({
            "l_diversity": { "columns": names(columns), "sensitive": sensitive.value, "l": l }
        }),
        TableTest::RowCount { min, max } => json!({ "row_count": { "min": min, "max": max } }),
        TableTest::Expression { sql } => json!({ "expression": { "sql": sql.value } }),
        TableTest::Column { column, test } => {
            let parameters = match test {
                ColumnTest::NotNull | ColumnTest::Unique | ColumnTest::Leak => Value::Null,
                ColumnTest::AcceptedValues { values } => json!(values),
                ColumnTest::Relationships { to, field } => json!([to.to_string(), field]),
                ColumnTest::Range { min, max } => json!([min, max]),
                ColumnTest::Regex { pattern } => json!(pattern),
                ColumnTest::Freshness { max_age_seconds } => json!(max_age_seconds),
            };
            json!({ "test": test.name(), "column": column.value, "parameters": parameters })
        }
    };
    if test.severity == Severity::Warn {
        described["severity"] = json!("warn");
    }
    described
}

fn names(columns: &[Spanned<String>]) -> Vec<&str> {
    columns.iter().map(|column| column.value.as_str()).collect()
}

/// What a manifest says of the outcome of each test.
pub fn results(tests: &[Declared<TableTest>], measured: Vec<Measured>) -> Vec<TestResult> {
    let one = |(test, measured): (&Declared<TableTest>, Measured)| TestResult {
        name: name(&test.test),
        kind: kind(&test.test).to_owned(),
        status: match (measured.failures, test.severity) {
            (0, _) => TestStatus::Passed,
            (_, Severity::Warn) => TestStatus::Warned,
            (_, Severity::Error) => TestStatus::Failed,
        },
        failures: measured.failures,
        measured: measured.measured,
        handles: measured.handles,
    };
    tests.iter().zip(measured).map(one).collect()
}

fn kind(test: &TableTest) -> &'static str {
    match test {
        TableTest::KAnonymity { .. } => "k_anonymity",
        TableTest::LDiversity { .. } => "l_diversity",
        TableTest::RowCount { .. } => "row_count",
        TableTest::Expression { .. } => "expression",
        TableTest::Column { test, .. } => test.name(),
    }
}

/// A test in a few words: `range(total)`.
fn name(test: &TableTest) -> String {
    let of = match test {
        TableTest::KAnonymity { columns, .. } => names(columns).join(", "),
        TableTest::LDiversity { columns, sensitive, .. } => {
            format!("{} by {}", sensitive.value, names(columns).join(", "))
        }
        TableTest::RowCount { .. } => return "row_count".to_owned(),
        TableTest::Expression { sql } => sql.value.clone(),
        TableTest::Column { column, .. } => column.value.clone(),
    };
    format!("{}({of})", kind(test))
}

/// What is said of tests that did not hold, most serious first; `results` are those of `tests`, in their
/// order.
pub fn findings(
    export: &str,
    tests: &[Declared<TableTest>],
    results: &[TestResult],
    rows: &Rows<'_>,
) -> Vec<Diagnostic> {
    let failed = tests.iter().zip(results);
    let failed = failed.filter(|(_, result)| result.status != TestStatus::Passed);
    let mut findings: Vec<Diagnostic> = failed
        .map(|(test, result)| {
            let found = finding(export, &test.test, result, rows).at(test.at, "this test");
            if result.status == TestStatus::Warned { found.as_warning() } else { found }
        })
        .collect();
    findings.sort_by_key(|finding| (finding.level, std::cmp::Reverse(finding.code.exit)));
    findings
}

/// The rows that were tested.
pub struct Rows<'a> {
    /// The columns that handles of rows are made of.
    pub key: &'a [String],
    /// What has become of the rows, for the end of a sentence.
    pub fate: &'a str,
}

fn finding(export: &str, test: &TableTest, result: &TestResult, rows: &Rows<'_>) -> Diagnostic {
    let (code, mend) = cause(test);
    let found = Diagnostic::new(code, format!("`{export}`: {}", said(test, result)));
    let which = handles(export, test, result, rows);
    found.help(format!("{mend}; {}{which}", rows.fate))
}

/// The code of a test that does not hold, and how to mend that.
fn cause(test: &TableTest) -> (&'static Code, &'static str) {
    match test {
        TableTest::KAnonymity { .. } => {
            (&run::K_ANONYMITY, "coarsen the columns (bucket, truncate), or leave one out")
        }
        TableTest::LDiversity { .. } => {
            (&run::L_DIVERSITY, "coarsen the columns that make the groups, or leave one out")
        }
        TableTest::Column { test: ColumnTest::Leak, .. } => (
            &run::LEAK,
            "use a mask whose results are no values of the column, or another dictionary",
        ),
        TableTest::RowCount { .. } => (
            &run::TEST_FAILED,
            "look for what is missing or doubled in the source, or change the test",
        ),
        TableTest::Column { test: ColumnTest::Freshness { .. }, .. } => (
            &run::TEST_FAILED,
            "look whether the source is still filled and no moment lies ahead, or change the test",
        ),
        TableTest::Column { .. } | TableTest::Expression { .. } => (
            &run::TEST_FAILED,
            "mend the data, filter such rows out with `where`, or change the test",
        ),
    }
}

/// What does not hold.
fn said(test: &TableTest, result: &TestResult) -> String {
    let TestResult { name, failures, measured, .. } = result;
    let failures = *failures;
    match test {
        TableTest::KAnonymity { .. } => {
            let smallest =
                measured.map(|size| format!("; the smallest has {}", counted(size, "row")));
            let (groups, are) =
                (counted(failures, "group"), if failures == 1 { "is" } else { "are" });
            format!("{groups} {are} smaller than {name} allows{}", smallest.unwrap_or_default())
        }
        TableTest::LDiversity { sensitive, .. } => {
            let least = measured.map(|size| format!("; the least has {size}"));
            let (groups, have) =
                (counted(failures, "group"), if failures == 1 { "has" } else { "have" });
            format!(
                "{groups} {have} fewer different values of `{}` than {name} asks for{}",
                sensitive.value,
                least.unwrap_or_default()
            )
        }
        TableTest::Column { column, test: ColumnTest::Leak } => {
            let values = counted(failures, "value");
            format!("{values} of `{}` can be read in what it was masked to", column.value)
        }
        TableTest::RowCount { min, max } => {
            let rows = counted(measured.unwrap_or_default(), "row");
            let low = min.map(|min| format!(", and at least {min} are asked for"));
            let high = max.map(|max| format!(", and at most {max} are allowed"));
            format!("it has {rows}{}{}", low.unwrap_or_default(), high.unwrap_or_default())
        }
        TableTest::Column { column, test: ColumnTest::Freshness { max_age_seconds } } => {
            let age = age(*max_age_seconds);
            format!("the newest value of `{}` is not of the last {age}", column.value)
        }
        TableTest::Column { .. } | TableTest::Expression { .. } => {
            let what = if result.kind == "unique" { "value" } else { "row" };
            format!("{name} fails for {}", counted(failures, what))
        }
    }
}

/// Handles, and the columns they are made of.
fn handles(export: &str, test: &TableTest, result: &TestResult, rows: &Rows<'_>) -> String {
    if result.handles.is_empty() {
        return String::new();
    }
    let own = match test {
        TableTest::KAnonymity { columns, .. } | TableTest::LDiversity { columns, .. } => {
            names(columns)
        }
        TableTest::Column {
            column,
            test: ColumnTest::Unique | ColumnTest::Leak | ColumnTest::Relationships { .. },
        } => vec![column.value.as_str()],
        _ => rows.key.iter().map(String::as_str).collect(),
    };
    let columns: Vec<String> =
        own.iter().map(|name| format!(", \"{}\"", name.replace('"', "\"\""))).collect();
    let more = if (result.handles.len() as u64) < result.failures { ", …" } else { "" };
    format!("\nrow_handle('{export}'{}): {}{more}", columns.concat(), result.handles.join(", "))
}

/// Seconds in the largest unit that says them exactly.
fn age(seconds: u64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let exact = units.iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    let (unit, name) = exact.copied().unwrap_or((1, "second"));
    counted(seconds / unit, name)
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
