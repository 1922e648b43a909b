//! Outputs that were looked at once and committed under `tests/golden/`. `ENGINE_REWRITE=1` writes
//! them anew; otherwise a difference fails.

use serde_json::Value;

use crate::repository;

/// Fails unless `found` is the committed text of `tests/golden/<name>`.
#[track_caller]
pub(crate) fn assert_golden(name: &str, found: &str) {
    let path = repository::root().join("tests/golden").join(name);
    if std::env::var_os("ENGINE_REWRITE").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let same = expected.lines().zip(found.lines()).take_while(|(old, new)| old == new).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
    assert!(
        expected == found,
        "tests/golden/{name} has another line {}; if that is meant, run with ENGINE_REWRITE=1\n  \
         committed: {}\n  found:     {}",
        same + 1,
        line(&expected),
        line(found),
    );
}

/// A report without what differs from run to run or with the version of a library: the run's id, sizes
/// in bytes, and the width of columns.
pub(crate) fn settled(report: &str) -> String {
    let mut text = String::new();
    for line in report.lines() {
        let indent = line.len() - line.trim_start().len();
        let cells: Vec<&str> =
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let cells: Vec<&str> = cells.into_iter().map(settled_cell).collect();
        text.push_str(&" ".repeat(indent));
        text.push_str(&cells.join("  "));
        text.push('\n');
    }
    text
}

fn settled_cell(cell: &str) -> &str {
    let is_run = |id: &str| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    match cell.split_once(' ') {
        Some(("Run", id)) if is_run(id) => "Run [id]",
        Some((number, "B" | "KiB" | "MiB" | "GiB")) if number.parse::<f64>().is_ok() => "[size]",
        _ => cell,
    }
}

/// Rows of a query, one on each line.
pub(crate) fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

#[test]
fn what_differs_between_runs_is_settled() {
    let report = "Run 0123456789abcdef0123456789abcdef\n\n  a      10.3 KiB   12 B\n";
    assert_eq!(settled(report), "Run [id]\n\n  a  [size]  [size]\n");
    assert_eq!(settled("Run of the mill"), "Run of the mill\n");
}
