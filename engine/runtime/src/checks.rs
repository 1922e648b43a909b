//! Tests of an export's rows, run as SQL over the finished chunks before the snapshot is committed. A
//! test that fails stops the commit. Results are counts; no value leaves a test.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::execution::context::SessionContext;
use engine_bundle::manifest::{TestResult, TestStatus};
use engine_project::{ColumnTest, ExportTest, Relation, Spanned};
use serde_json::{Value, json};

use crate::codes::run;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::fault;
use crate::unseal::SnapshotTable;

/// The name under which the candidate snapshot stands in the session of its tests.
const CANDIDATE: &str = "candidate";

/// A test as canonical JSON, for definitions and plans.
pub fn describe(test: &ExportTest) -> Value {
    match test {
        ExportTest::KAnonymity { columns, k } => {
            let columns: Vec<&str> = columns.iter().map(|column| column.value.as_str()).collect();
            json!({ "k_anonymity": { "columns": columns, "k": k } })
        }
        ExportTest::Column { column, test } => {
            let parameters = match test {
                ColumnTest::NotNull | ColumnTest::Unique => Value::Null,
                ColumnTest::AcceptedValues { values } => json!(values),
                ColumnTest::Relationships { to, field } => json!([to.to_string(), field]),
                ColumnTest::Range { min, max } => json!([min, max]),
                ColumnTest::Regex { pattern } => json!(pattern),
            };
            json!({ "test": test.name(), "column": column.value, "parameters": parameters })
        }
    }
}

/// Where tests are asked.
pub struct Grounds<'a> {
    /// A session of its own for the candidate snapshot.
    pub session: &'a SessionContext,
    /// The candidate.
    pub candidate: SnapshotTable,
    /// The session that has the sources.
    pub sources: &'a SessionContext,
    /// What the export is made from.
    pub from: &'a Relation,
    /// The export's name.
    pub export: &'a str,
}

/// Runs the tests over a candidate snapshot, and those of relationships over the sources.
///
/// # Errors
/// A test that cannot be executed. A test that fails is a result, not an error.
pub async fn run(grounds: Grounds<'_>, tests: &[Spanned<ExportTest>]) -> Outcome<Vec<TestResult>> {
    let Grounds { session, candidate, sources, from, export } = grounds;
    let refused = |error| fault::running(&error, export);
    session.register_table(CANDIDATE, Arc::new(candidate)).map_err(refused)?;
    let mut results = Vec::with_capacity(tests.len());
    for test in tests {
        let result = match &test.value {
            ExportTest::Column { column, test: ColumnTest::Relationships { to, field } } => {
                let sql = orphans(from, &column.value, to, field);
                let name = format!("relationships({})", column.value);
                one(sources, export, (name, "relationships", sql)).await?
            }
            own => one(session, export, statement(own)).await?,
        };
        results.push(result);
    }
    session.deregister_table(CANDIDATE).map_err(refused)?;
    Ok(results)
}

/// The rows of `from` whose value in `column` does not stand in `field` of `to`.
fn orphans(from: &Relation, column: &str, to: &Relation, field: &str) -> String {
    let (column, field) = (quoted(column), quoted(field));
    format!(
        "SELECT count(*) FROM {} AS of WHERE of.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {} AS at WHERE at.{field} = of.{column})",
        from.quoted(),
        to.quoted()
    )
}

async fn one(
    session: &SessionContext,
    export: &str,
    (name, kind, sql): (String, &'static str, String),
) -> Outcome<TestResult> {
    let refused = |error| fault::running(&error, export);
    let frame = session.sql(&sql).await.map_err(|error| {
        let words = fault::planning_text(&error);
        Diagnostic::new(
            &run::TEST_FAILED,
            format!("test `{name}` of `{export}` cannot be run: {words}"),
        )
    })?;
    let batches = frame.collect().await.map_err(refused)?;
    let number = |column: usize| {
        let batch = batches.iter().find(|batch| batch.num_rows() == 1)?;
        let array = batch.columns().get(column)?.as_primitive_opt::<Int64Type>()?;
        array.iter().next().flatten().and_then(|value| u64::try_from(value).ok())
    };
    // A test that gives no number has not passed.
    let failures = number(0).ok_or_else(|| {
        let message = format!("test `{name}` of `{export}` gave no result");
        Diagnostic::new(&run::TEST_FAILED, message)
    })?;
    let status = if failures == 0 { TestStatus::Passed } else { TestStatus::Failed };
    Ok(TestResult { name, kind: kind.to_owned(), status, failures, measured: number(1) })
}

/// Name, kind, and a query that gives the number of failures and, where one is measured, a number.
fn statement(test: &ExportTest) -> (String, &'static str, String) {
    match test {
        ExportTest::KAnonymity { columns, k } => {
            let list: Vec<String> = columns.iter().map(|column| quoted(&column.value)).collect();
            let list = list.join(", ");
            let names: Vec<&str> = columns.iter().map(|column| column.value.as_str()).collect();
            let sql = format!(
                "SELECT count(*) FILTER (WHERE size < {k}), min(size) FROM (SELECT count(*) AS size FROM {CANDIDATE} GROUP BY {list})"
            );
            (format!("k_anonymity({})", names.join(", ")), "k_anonymity", sql)
        }
        ExportTest::Column { column, test } => {
            let name = format!("{}({})", test.name(), column.value);
            (name, test.name(), column_statement(&quoted(&column.value), test))
        }
    }
}

fn column_statement(column: &str, test: &ColumnTest) -> String {
    let count = |condition: String| format!("SELECT count(*) FROM {CANDIDATE} WHERE {condition}");
    match test {
        ColumnTest::NotNull => count(format!("{column} IS NULL")),
        ColumnTest::Unique => format!(
            "SELECT count(*) FROM (SELECT {column} FROM {CANDIDATE} WHERE {column} IS NOT NULL GROUP BY {column} HAVING count(*) > 1)"
        ),
        ColumnTest::AcceptedValues { values } => {
            let list: Vec<String> = values.iter().map(literal).collect();
            count(format!("{column} NOT IN ({})", list.join(", ")))
        }
        ColumnTest::Range { min, max } => {
            let low = min.iter().map(|min| format!("{column} < {}", literal(min)));
            let high = max.iter().map(|max| format!("{column} > {}", literal(max)));
            count(low.chain(high).collect::<Vec<_>>().join(" OR "))
        }
        ColumnTest::Regex { pattern } => {
            let pattern = pattern.replace('\'', "''");
            count(format!(
                "{column} IS NOT NULL AND NOT regexp_like(CAST({column} AS VARCHAR), '{pattern}')"
            ))
        }
        // Asked of the sources.
        ColumnTest::Relationships { .. } => count("false".to_owned()),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => other.to_string(),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The findings of failed tests, most serious first; `results` are those of `tests`, in their order.
pub fn findings(
    export: &str,
    tests: &[Spanned<ExportTest>],
    results: &[TestResult],
) -> Vec<Diagnostic> {
    let failed = tests.iter().zip(results);
    let failed = failed.filter(|(_, result)| result.status == TestStatus::Failed);
    let mut findings: Vec<Diagnostic> =
        failed.map(|(test, result)| finding(export, result).at(test.at, "this test")).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.code.exit));
    findings
}

fn finding(export: &str, result: &TestResult) -> Diagnostic {
    let TestResult { name, kind, failures, measured, .. } = result;
    if kind == "k_anonymity" {
        let smallest = measured.map(|size| format!("; the smallest has {}", counted(size, "row")));
        let message = format!(
            "`{export}`: {} smaller than {name} allows{}",
            if *failures == 1 { "1 group is".to_owned() } else { format!("{failures} groups are") },
            smallest.unwrap_or_default()
        );
        Diagnostic::new(&run::K_ANONYMITY, message)
            .help("coarsen the columns (bucket, truncate), or leave one out; nothing was published")
    } else {
        let what = if kind == "unique" { "value" } else { "row" };
        let message = format!("`{export}`: {name} fails for {}", counted(*failures, what));
        Diagnostic::new(&run::TEST_FAILED, message)
            .help("mend the data, filter such rows out with `where`, or change the test; nothing was published")
    }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
