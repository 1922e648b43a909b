//! Every example as its README tells it: run from a copy, compared with committed outputs, and searched
//! for anything of its source.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::golden::{assert_golden, lines, settled};
use crate::harness::{Ended, Project};
use crate::search::{BYTES_MIN, Needles};

/// Sensitive columns of Chinook whose masked values cannot be anybody's real ones: tokens, invented
/// addresses and numbers. First names, last names and cities come from a dictionary of real ones.
const CHINOOK_SENSITIVE: [(&str, &[&str]); 3] = [
    ("Customer", &["Company", "Address", "State", "PostalCode", "Phone", "Fax", "Email"]),
    ("Employee", &["Title", "Address", "State", "PostalCode", "Phone", "Fax", "Email"]),
    ("Invoice", &["BillingAddress", "BillingState", "BillingPostalCode"]),
];

/// Exports of Chinook that hold what was sensitive.
const CHINOOK_PEOPLE: [&str; 4] = ["customers", "employees", "invoices", "customer_spending"];

fn report(ended: Ended) -> String {
    let ended = ended.success();
    settled(&format!("{}\n{}", ended.stdout, ended.stderr))
}

#[test]
fn chinook_gives_what_was_committed() {
    let project = Project::copy_of("examples/chinook");
    assert_golden("chinook/plan.txt", &report(project.run(&["plan"])));
    assert_golden("chinook/run.txt", &report(project.run(&["run"])));
    let again = report(project.run(&["run"]));
    assert!(!again.contains("rows loaded") && !again.contains(": writing"), "{again}");
    assert_golden("chinook/run_again.txt", &again);
    assert_golden("chinook/verify.txt", &report(project.run(&["verify"])));
    assert_golden("chinook/explain_customers.txt", &report(project.run(&["explain", "customers"])));
    assert_golden("chinook/debug.txt", &report(project.run(&["debug"])));
    project.run(&["compile"]).success();
    for node in ["exports/customers.sql", "models/customer_spending.sql"] {
        assert_golden(
            &format!("chinook/compiled/{node}"),
            &project.read(&format!("target/compiled/{node}")),
        );
    }
}

#[test]
fn the_readme_shows_what_the_first_command_prints() {
    let root = crate::repository::root();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (_, shown) = readme.split_once("run --project-dir examples/chinook\n").unwrap();
    let (shown, _) = shown.split_once("\n```").unwrap();
    let printed = std::fs::read_to_string(root.join("tests/golden/chinook/run.txt")).unwrap();
    // The table is printed on stdout, and what follows beside it.
    let (printed, _) = printed.split_once("\n\nalbums: writing").unwrap();
    assert_eq!(settled(shown).trim_end(), printed);
}

#[test]
fn chinook_masks_as_it_did_when_it_was_committed() {
    let project = Project::copy_of("examples/chinook");
    project.run(&["run"]).success();
    for (export, key) in [("customers", "CustomerId"), ("employees", "EmployeeId")] {
        let rows = project.query(&format!("select * from {export} order by {key}"));
        assert_golden(&format!("chinook/{export}.jsonl"), &lines(&rows));
    }
    let top = "select Country, count(*) as customers, sum(Spent) as spent from customer_spending \
               group by Country order by customers desc, Country limit 5";
    assert_golden("chinook/spending.jsonl", &lines(&project.query(top)));
}

#[test]
fn joins_hold_in_the_masked_chinook() {
    let project = Project::copy_of("examples/chinook");
    project.run(&["run"]).success();
    let source = database(&project.path("data/chinook.sqlite"));
    let masked = database(&project.path("target/masked.sqlite"));
    // Each of these gives the same for both only when every foreign key found its row again.
    for sql in [
        "select c.Country, count(*), sum(i.Total) * 100 from Customer c join Invoice i using (CustomerId) \
         group by 1 order by 1",
        "select count(*), sum(l.Quantity) from Invoice i join InvoiceLine l using (InvoiceId) \
         join Track t using (TrackId) join Album a using (AlbumId) join Artist r using (ArtistId)",
        "select n, count(*) from (select count(*) as n from Employee e join Customer c \
         on c.SupportRepId = e.EmployeeId group by e.EmployeeId) group by n order by n",
        "select count(*), count(distinct boss.EmployeeId) from Employee e \
         join Employee boss on boss.EmployeeId = e.ReportsTo",
    ] {
        let expected = rows(&source, sql);
        assert!(!expected.is_empty(), "{sql}");
        assert_eq!(rows(&masked, sql), expected, "{sql}");
    }
    let spending = "select count(*) from CustomerSpending s join Customer c using (CustomerId)";
    assert_eq!(rows(&masked, spending), ["59"]);
}

#[test]
fn nothing_sensitive_of_chinook_is_left() {
    let project = Project::copy_of("examples/chinook");
    project.run(&["run"]).success();
    let source = database(&project.path("data/chinook.sqlite"));
    let mut searched = BTreeSet::new();
    for (table, columns) in CHINOOK_SENSITIVE {
        for column in columns {
            searched.extend(distinct(&source, table, &format!("\"{column}\"")));
        }
    }
    for table in ["Customer", "Employee"] {
        searched.extend(distinct(&source, table, "FirstName || ' ' || LastName"));
        searched.extend(distinct(&source, table, "LastName || ', ' || FirstName"));
    }
    let searched = Needles::new(searched);
    assert!(searched.count() > 300, "{} values are searched for only", searched.count());
    assert!(
        searched.found_in(&std::fs::read(project.path("data/chinook.sqlite")).unwrap()).is_some()
    );
    for export in CHINOOK_PEOPLE {
        let rows = lines(&project.query(&format!("select * from {export}")));
        searched.assert_absent(export, rows.as_bytes());
    }
    searched.assert_absent_below(&project.path("target"));
}

#[test]
fn names_and_cities_of_chinook_change_hands() {
    let project = Project::copy_of("examples/chinook");
    project.run(&["run"]).success();
    let source = database(&project.path("data/chinook.sqlite"));
    let masked = database(&project.path("target/masked.sqlite"));
    let sql = "select FirstName || '|' || LastName || '|' || City from Customer order by rowid";
    let (before, after) = (rows(&source, sql), rows(&masked, sql));
    assert_eq!((before.len(), after.len()), (59, 59));
    let pairs = |all: &[String]| -> BTreeSet<String> {
        let name = |row: &String| row.rsplit_once('|').unwrap().0.to_owned();
        all.iter().map(name).collect()
    };
    assert!(pairs(&before).is_disjoint(&pairs(&after)), "a customer's name is one of the source");
    let cities = |all: &[String]| -> BTreeSet<String> {
        all.iter().map(|row| row.rsplit_once('|').unwrap().1.to_owned()).collect()
    };
    assert!(cities(&before).is_disjoint(&cities(&after)), "a city is one of the source");
}

#[test]
fn a_new_project_runs_at_once() {
    let mut project = Project::empty();
    project.set("ENGINE_PASSPHRASE", "a passphrase of the tests");
    let init = project.run(&["init", "shop"]).success();
    assert_golden("project_template/init.txt", &settled(&init.stdout));
    let inside = |arguments: &[&str]| {
        let place = ["--project-dir", "shop"];
        project.run(&[arguments, &place].concat())
    };
    // Before there are keys, a plan is possible, and a run says what it lacks.
    inside(&["run"]).status(77).says("make one with `engine keys init`");
    assert_golden("project_template/keys_init.txt", &report(inside(&["keys", "init"])));
    inside(&["keys", "init"]).status(77).says("there is a keyring");
    assert_golden("project_template/plan.txt", &report(inside(&["plan"])));
    assert_golden("project_template/run.txt", &report(inside(&["run"])));
    assert_golden("project_template/verify.txt", &report(inside(&["verify"])));
    let sql = "select country, count(*) from customers group by country order by country";
    assert_golden("project_template/query.txt", &inside(&["query", sql]).success().stdout);
    let again = report(inside(&["run"]));
    assert_golden("project_template/run_again.txt", &again);
    let shown = inside(&["show", "customers", "--limit", "50"]).success().stdout;
    let raw = project.read("shop/data/customers.csv");
    let searched: BTreeSet<String> = raw
        .lines()
        .skip(1)
        // After id and names: e-mail, phone, street.
        .flat_map(|line| line.split(',').skip(3).take(3))
        .map(str::to_owned)
        .collect();
    let searched = Needles::new(searched);
    assert!(searched.count() > 120, "{} values are searched for only", searched.count());
    searched.assert_absent("show", shown.as_bytes());
    searched.assert_absent_below(&project.path("shop/target"));
}

#[test]
fn init_gives_the_example_as_it_stands() {
    let project = Project::empty();
    project.run(&["init", "music", "--example", "chinook"]).success();
    let run = project.run(&["run", "--project-dir", "music"]).success();
    assert_eq!(run.stdout.matches("committed").count(), 12, "{run}");
    project.run(&["init", "music"]).status(64).says("not empty");
    project.run(&["init", "other", "--example", "chinok"]).status(64).says("chinook");
}

fn database(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// Every row as text, its values joined.
fn rows(database: &Connection, sql: &str) -> Vec<String> {
    let mut statement = database.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let text = |column| match row.get_ref(column).unwrap() {
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            // A decimal stands as text or as a floating point number, which differ in the last digit.
            rusqlite::types::ValueRef::Real(real) => format!("{real:.0}"),
            rusqlite::types::ValueRef::Integer(integer) => integer.to_string(),
            other => format!("{other:?}"),
        };
        Ok((0..columns).map(text).collect::<Vec<_>>().join(" "))
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

fn distinct(database: &Connection, table: &str, expression: &str) -> Vec<String> {
    let sql =
        format!("select distinct {expression} from \"{table}\" where {expression} is not null");
    let mut found = rows(database, &sql);
    found.retain(|value| value.len() >= BYTES_MIN);
    found
}

#[test]
fn citizens_are_known_as_of_each_month_and_to_their_region_only() {
    let project = Project::copy_of("examples/citizen-profile");
    let planned = project.run(&["plan"]).success();
    // What a model two steps below let out is open on the word of its owner.
    planned.prints("OPEN by declassify, @privacy: five groups of many years");
    project.run(&["run"]).success();
    let rows = |arguments: &[&str]| {
        let asked = [&["query", "--format", "json"], arguments].concat();
        project.run(&asked).success().rows()
    };
    let groups = "SELECT age_group, life_stage, count(*) AS n, avg(risk_score) AS risk \
                  FROM profile GROUP BY 1, 2 ORDER BY 1, 2";
    let january = rows(&[groups]);
    let loaded = rows(&["SELECT CAST(max(load_date) AS VARCHAR) AS date FROM profile_history_s"]);
    let loaded = loaded[0]["date"].as_str().unwrap().replace(' ', "T");
    project.run(&["run", "--vars", "month=2026-02", "--vars", "day=2026-02-28"]).success();
    let february = rows(&[groups]);
    assert_ne!(january, february);
    assert_eq!(rows(&["--as-of", &loaded, groups]), january, "as it was");
    assert_eq!(rows(&["--as-of", "2999-01-01", groups]), february);
    let regions =
        "SELECT DISTINCT region FROM profile_history UNION SELECT region FROM eligibility";
    assert_eq!(rows(&["--tenant", "north", regions]), [serde_json::json!({"region": "north"})]);
    let small = rows(&["SELECT count(*) AS n FROM regions WHERE citizens < 10"]);
    assert_eq!(small[0]["n"], 0, "no group is small");
    let linked = rows(&[
        "SELECT count(*) AS n FROM eligibility_history_l AS l JOIN profile_history_h AS h \
                         ON h.hash_key = l.referenced_hash_key",
    ]);
    assert!(linked[0]["n"].as_i64().unwrap() > 400, "decisions refer to profiles");
    let expired = "SELECT count(*) AS n FROM eligibility WHERE expires_on <= decided_on";
    assert_eq!(rows(&[expired])[0]["n"], 0);
    // Nothing that names a citizen is in any answer.
    let all = rows(&["SELECT * FROM profile"]);
    let shown = serde_json::to_string(&all).unwrap();
    assert!(!shown.contains("@example.org") && !shown.contains("Arden"));
    project.run(&["verify"]).success();
}
