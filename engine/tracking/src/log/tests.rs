//! Tests of the log: its order, its filters, how it reads.

use super::*;

fn change(kind: ChangeKind, place: &str, before: &str, after: &str) -> Change {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (table, column) = place.split_once('.').unwrap_or((place, ""));
    Change {
        kind,
        table: some(table),
        column: some(column),
        before: some(before),
        after: some(after),
    }
}

fn log() -> ChangeLog {
    let mut log = ChangeLog::default();
    log.record(Entry::new(
        "2026-11-20T08:00:00Z",
        "crm",
        vec![
            change(ChangeKind::TableAdded, "logs", "", "2 columns"),
            change(ChangeKind::ColumnRemoved, "clients.fax", "text(40)", ""),
            change(ChangeKind::ColumnRemoved, "clients.telex", "text", ""),
        ],
    ));
    let mut entry = Entry::new(
        "2026-11-21T08:00:00Z",
        "crm",
        vec![
            change(ChangeKind::TableRenamed, "customers", "clients", "customers"),
            change(ChangeKind::DefaultChanged, "customers.vip", "", "false"),
        ],
    );
    entry.archived = vec!["crm-1.json".into()];
    log.record(entry);
    log
}

#[test]
fn the_last_entry_comes_first() {
    let summaries: Vec<_> = log().entries.into_iter().map(|entry| entry.summary).collect();
    assert_eq!(
        summaries,
        [
            "1 table renamed; 1 default changed in customers",
            "1 table added; 2 columns removed in clients"
        ]
    );
}

#[test]
fn a_summary_counts_tables_where_there_are_several() {
    let changes = ["a.x", "b.x", "b.y"].map(|at| change(ChangeKind::IndexChanged, at, "", ""));
    assert_eq!(summary(&changes), "3 indexes changed in 2 tables");
    assert_eq!(summary(&[]), "nothing changed");
}

#[test]
fn a_day_keeps_itself_and_what_came_later() {
    assert_eq!(log().since("2026-11-20"), log());
    assert_eq!(log().since("2026-11-21").entries.len(), 1);
    assert_eq!(log().since("2026-11-22").entries.len(), 0);
}

#[test]
fn a_table_is_followed_to_the_names_it_had() {
    let of_table = log().of_table("customers");
    let summaries: Vec<_> = of_table.entries.iter().map(|entry| entry.summary.as_str()).collect();
    assert_eq!(
        summaries,
        ["1 table renamed; 1 default changed in customers", "2 columns removed in clients"]
    );
    assert_eq!(log().of_table("logs").entries.len(), 1);
    assert_eq!(log().of_table("nothing").entries.len(), 0);
}

#[test]
fn a_log_reads_as_lines() {
    let lines = "\
2026-11-21T08:00:00Z  crm  1 table renamed; 1 default changed in customers
    table renamed  customers  clients → customers
    default changed  customers.vip  none → false
    archived  crm-1.json
2026-11-20T08:00:00Z  crm  1 table added; 2 columns removed in clients
    table added  logs  2 columns
    column removed  clients.fax  was text(40)
    column removed  clients.telex  was text
";
    assert_eq!(log().to_text(), lines);
}

#[test]
fn a_log_reads_as_markdown() {
    let expected = "\
## 2026-11-21T08:00:00Z crm: 1 table renamed; 1 default changed in customers

- **table renamed** customers: clients → customers
- **default changed** customers.vip: none → false

Archived: crm-1.json

## 2026-11-20T08:00:00Z crm: 1 table added; 2 columns removed in clients

- **table added** logs: 2 columns
- **column removed** clients.fax: was text(40)
- **column removed** clients.telex: was text
";
    assert_eq!(log().to_markdown(), expected);
}

#[test]
fn names_neither_start_lines_nor_become_markup() {
    let mut log = ChangeLog::default();
    let hostile = "a\n# b <img> [x](y) `c` *d*\u{202e}";
    log.record(Entry::new("t", "s", vec![change(ChangeKind::TableAdded, hostile, "", "1 column")]));
    assert_eq!(
        log.to_markdown(),
        "## t s: 1 table added\n\n- **table added** \
         a \\# b \\<img\\> \\[x\\](y) \\`c\\` \\*d\\*\u{fffd}: 1 column\n"
    );
    assert_eq!(log.to_text().lines().count(), 2);
}

#[test]
fn a_log_is_read_as_it_was_written_in_its_own_version_only() {
    let json = serde_json::to_string(&log()).unwrap();
    assert_eq!(serde_json::from_str::<ChangeLog>(&json).unwrap(), log());
    let other = serde_json::from_str::<ChangeLog>(r#"{"format_version":2,"entries":[]}"#);
    assert!(other.unwrap_err().to_string().contains("version 2"));
}
