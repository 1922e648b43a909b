//! What is bound to a tenant shows nothing of another, and what has no tenants is withheld.

use crate::bank::{Bank, HISTORY};

/// What is tried to see rows of another branch. Each would say something if the branch's rows were looked at.
const CROSSINGS: [&str; 12] = [
    "SELECT branch FROM accounts",
    "SELECT branch FROM accounts WHERE branch = 'north' OR TRUE",
    "SELECT branch FROM book",
    "SELECT branch FROM book_h",
    "SELECT branch FROM book_current UNION ALL SELECT branch FROM book_as_of",
    "SELECT h.branch FROM book_s AS s JOIN book_h AS h ON h.hash_key = s.hash_key",
    "SELECT branch FROM accounts AS a WHERE EXISTS (SELECT 1 FROM book_h AS h WHERE h.branch <> a.branch)",
    "SELECT branch FROM (SELECT * FROM book_h EXCEPT SELECT * FROM book_h WHERE branch = 'south')",
    "WITH book_h AS (SELECT * FROM book_h) SELECT branch FROM book_h",
    "SELECT branch FROM accounts WHERE 1 / CASE WHEN branch = 'north' THEN 0 ELSE 1 END = 1",
    "SELECT branch FROM book WHERE CAST(CASE WHEN branch = 'north' THEN 'x' ELSE '1' END AS INT) = 1",
    "SELECT branch FROM moves WHERE 1 / CASE WHEN branch = 'north' THEN 0 ELSE 1 END = 1",
];

#[test]
fn a_tenant_sees_nothing_of_another() {
    let history = "\
tracking:
  history:
    - {name: book, of: export('accounts'), key: [account_id], tenant: branch}
    - {name: flow, of: export('moves'), key: [move_id], tenant: branch}
";
    let mut bank = Bank::new(11, history);
    for _ in 0..3 {
        bank.run();
        bank.change();
    }
    for sql in CROSSINGS {
        let asked = ["query", "--tenant", "south", "--format", "json", sql];
        let rows = bank.project.run(&asked).success().rows();
        assert!(rows.iter().all(|row| row["branch"] == "south"), "{sql}");
    }
    let count = |tenant: &[&str], sql: &str| {
        let asked = [&["query", "--format", "json"], tenant, &[sql]].concat();
        bank.project.run(&asked).success().rows()[0]["n"].as_i64().unwrap()
    };
    for table in ["accounts", "book", "book_h", "book_s", "book_current", "moves", "flow_s"] {
        let sql = format!("SELECT count(*) AS n FROM {table}");
        let (south, north) = (["--tenant", "south"], ["--tenant", "north"]);
        let (south, north) = (count(&south, &sql), count(&north, &sql));
        assert!(south > 0 && north > 0, "{table}");
        assert_eq!(south + north, count(&[], &sql), "{table}");
        assert_eq!(count(&["--tenant", "nobody"], &sql), 0, "{table}");
    }
    let load = ["load", "accounts", "--to", "copy", "--tenant", "south"];
    bank.project.run(&load).success();
    let copy = rusqlite::Connection::open(bank.project.path("target/copy.sqlite")).unwrap();
    let branches = "SELECT group_concat(DISTINCT branch) FROM accounts";
    let branches: String = copy.query_row(branches, [], |row| row.get(0)).unwrap();
    assert_eq!(branches, "south");
    // How a plan is carried out would count what lies below.
    for sql in ["EXPLAIN ANALYZE SELECT * FROM accounts", "EXPLAIN SELECT * FROM book"] {
        bank.project
            .run(&["query", "--tenant", "south", sql])
            .status(64)
            .says("no query over rows");
    }
    let shown = bank.project.run(&["show", "accounts", "--tenant", "south", "--format", "json"]);
    assert!(shown.success().rows().iter().all(|row| row["branch"] == "south"));
}

#[test]
fn a_table_without_tenants_is_withheld() {
    let bank = Bank::new(2, HISTORY);
    bank.run();
    let asked = ["query", "--tenant", "south", "SELECT count(*) FROM moves"];
    bank.project.run(&asked).status(4).says("E1024").says("`moves` has no tenant column");
    bank.project.run(&["show", "moves", "--tenant", "south"]).status(4).says("E1024");
    bank.project.replace("exports/bank.yml", "{name: moves,", "{name: moves, tenant: branch,");
    bank.project.run(&asked).success();
    bank.project.replace("exports/bank.yml", "tenant: branch,", "tenant: brnch,");
    bank.project
        .run(&["plan"])
        .status(65)
        .says("has no column `brnch`")
        .says("did you mean `branch`?");
}
