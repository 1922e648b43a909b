//! Rows in history: what each load found is kept, compared with a plain model, asked for as of a moment, bound to
//! a tenant that no query gets around, and whole after any kill.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::bank::{Bank, CURRENT, HISTORY, by_key};
use crate::harness::Dice;

const LOADS: usize = 20;
const KILLS: u64 = 25;

/// A version as a plain model has it: number, whether the key was gone, and the row.
type Versions = BTreeMap<String, Vec<(i64, bool, Value)>>;

/// What a load does to the model.
fn load(model: &mut Versions, state: &BTreeMap<String, Value>) {
    for (key, row) in state {
        let versions = model.entry(key.clone()).or_default();
        let next = versions.last().map_or(1, |(number, ..)| number + 1);
        match versions.last() {
            Some((_, false, known)) if known == row => {}
            _ => versions.push((next, false, row.clone())),
        }
    }
    for (key, versions) in model.iter_mut() {
        let (number, was_gone, _) = versions.last().unwrap().clone();
        if !state.contains_key(key) && !was_gone {
            versions.push((number + 1, true, Value::Null));
        }
    }
}

#[test]
fn twenty_loads_are_what_a_plain_model_says() {
    let mut bank = Bank::new(7, HISTORY);
    let mut model = Versions::new();
    let mut states: Vec<(String, BTreeMap<String, Value>)> = Vec::new();
    for number in 0..LOADS {
        if number > 0 {
            bank.change();
        }
        bank.run();
        let state = bank.published();
        load(&mut model, &state);
        states.push((bank.loaded(), state));
    }
    // Every version, number by number and value by value.
    let columns = ["branch", "account_id", "owner", "city", "amount"];
    let rows = bank.project.query("SELECT * FROM book ORDER BY account_id, version");
    let mut recorded = Versions::new();
    for row in rows {
        let gone = row["is_deleted"].as_bool().unwrap();
        let values = columns.map(|name| (name.to_owned(), row[name].clone())).into_iter().collect();
        let values = if gone { Value::Null } else { Value::Object(values) };
        let versions = recorded.entry(row["account_id"].to_string()).or_default();
        versions.push((row["version"].as_i64().unwrap(), gone, values));
    }
    assert_eq!(recorded, model);
    assert!(model.values().any(|versions| versions.len() > 3), "keys changed, went and came back");
    // The state of each load, by the export's own name and by the view.
    for (date, state) in &states {
        for table in ["accounts", "book_as_of"] {
            let sql = format!("SELECT {} FROM {table}", columns.join(", "));
            let answer = ["query", "--as-of", date, "--format", "json", &sql];
            let rows = by_key(bank.project.run(&answer).success().rows());
            assert_eq!(rows, *state, "{table} as of {date}");
        }
        let show = ["show", "accounts", "--limit", "999", "--as-of", date, "--format", "json"];
        assert_eq!(by_key(bank.project.run(&show).success().rows()), *state, "{date}");
    }
    let (_, newest) = states.last().unwrap();
    assert_eq!(bank.project.query("SELECT * FROM book_h").len(), model.len());
    assert_eq!(bank.project.query("SELECT 1 FROM book_current").len(), newest.len());
    let open = "SELECT 1 FROM book WHERE is_current AND load_end_date IS NULL";
    assert_eq!(bank.project.query(open).len(), newest.len());
    // Loads that bring nothing new append nothing.
    let before = bank.project.query("SELECT * FROM book_s").len();
    bank.project.run(&["run", "--force", "--quiet"]).success();
    bank.run();
    assert_eq!(bank.project.query("SELECT * FROM book_s").len(), before);
    bank.project.run(&["verify"]).success().prints("book_s");
}

#[test]
fn one_row_is_told_version_by_version() {
    let mut bank = Bank::new(3, HISTORY);
    bank.run();
    bank.accounts.get_mut(&1).unwrap().2 = "Delft".to_owned();
    bank.write();
    bank.run();
    let key = "SELECT DISTINCT account_id AS id FROM book WHERE city = 'Delft'";
    let key = bank.project.query(key)[0]["id"].as_str().unwrap().to_owned();
    bank.accounts.remove(&1);
    bank.write();
    bank.run();
    let rows = ["history", "rows", "book", "--key", &key, "--tenant", "north"];
    let told = bank.project.run(&rows).success();
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert!(lines[0].starts_with("version 1 ") && lines[0].ends_with("inserted"), "{told}");
    assert!(told.stdout.contains(" -> Delft"), "{told}");
    assert!(told.stdout.contains("version 3 ") && told.stdout.contains("deleted"), "{told}");
    let json = bank.project.run(&[&rows[..], &["--format", "json"]].concat()).success().json();
    assert_eq!(json["versions"][1]["fields"][0]["after"], "Delft");
    // A key is that of a tenant.
    bank.project.run(&["history", "rows", "book", "--key", &key]).status(4).says("E1024");
    let of_another = ["history", "rows", "book", "--key", &key, "--tenant", "south"];
    bank.project.run(&of_another).status(3).says("No row with this key");
    bank.project
        .run(&["history", "rows", "bok", "--key", "1"])
        .status(65)
        .says("did you mean `book`?");
    let wrong = ["history", "rows", "book", "--key", "x=1", "--key", "2", "--tenant", "north"];
    bank.project.run(&wrong).status(64).says("--key account_id=");
}

#[test]
fn what_nothing_is_known_of_is_not_answered() {
    let bank = Bank::new(5, HISTORY);
    bank.run();
    let as_of = |moment: &str, sql: &str| bank.project.run(&["query", "--as-of", moment, sql]);
    let begins = as_of("2020-01-01", "SELECT count(*) FROM accounts").status(64);
    begins.says("E1023").says("history `book` begins at ");
    as_of("2020-01-01T10:00+02:00", "SELECT count(*) FROM book").status(64).says("E1023");
    let untracked = as_of("2999-01-01", "SELECT count(*) FROM moves").status(64);
    untracked.says("E1023").says("export `moves` has no history");
    as_of("2999-01-01T12:00Z", "SELECT count(*) FROM accounts").success();
    as_of("yesterday", "SELECT 1").status(64).says("must be a moment, such as");
}

#[test]
fn loads_that_would_lie_are_refused_and_lose_nothing() {
    let bank = Bank::new(9, HISTORY);
    bank.run();
    let versions = "SELECT * FROM book_s ORDER BY hash_key, version";
    let before = bank.project.query(versions);
    // Two rows of one key: the snapshot is there, the history as it was.
    let text = bank.project.read("data/accounts.csv");
    bank.project.write("data/accounts.csv", format!("{text}north,1,Eve,Rome,9\n"));
    bank.project
        .run(&["run"])
        .status(1)
        .says("E1022")
        .says("rows that repeat the key of another: 1");
    assert_eq!(bank.project.query(versions), before);
    bank.project.write("data/accounts.csv", &text);
    // What cannot be recorded is passed over for what comes after it.
    let mut bank = bank;
    bank.change();
    bank.project.run(&["run"]).success().says("snapshot 2 of `accounts` is passed over");
    let state = bank.published();
    assert_eq!(by_key(bank.project.query(CURRENT)), state);
    let before = bank.project.query(versions);
    // Another key would tell everything apart from what is recorded.
    let policy = bank.project.read("policies/tracking.yml");
    bank.project.replace("policies/tracking.yml", "key: [account_id]", "key: [account_id, city]");
    bank.project.run(&["run"]).status(1).says("was begun of export `accounts` with key account_id");
    bank.project.run(&["query", "SELECT 1 FROM book"]).status(1).says("was begun of export");
    bank.project.write("policies/tracking.yml", policy);
    assert_eq!(bank.project.query(versions), before);
    // A key of another type would hash to something else, for every row.
    bank.project.replace(
        "policies/masking.yml",
        "mask: token, linkage: account",
        "keep: {owner: '@tests', reason: a test}",
    );
    bank.project.run(&["run"]).status(1).says("E1022");
    assert_eq!(bank.project.query(versions), before);
}

/// Loads do not wait for what a history refuses, and the refusal is seen all the same.
#[test]
fn a_snapshot_that_is_not_recorded_is_loaded() {
    let bank = Bank::new(31, &HISTORY.replace("[account_id]", "[city]"));
    let load = "{name: accounts, load: [{connection: copy, table: accounts}],";
    bank.project.replace("exports/bank.yml", "{name: accounts,", load);
    bank.project.run(&["run"]).status(1).says("E1022");
    let copy = rusqlite::Connection::open(bank.project.path("target/copy.sqlite")).unwrap();
    let rows: i64 = copy.query_row("SELECT count(*) FROM accounts", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 40);
    let of_tenant = ["load", "accounts", "--to", "copy", "--tenant", "south"];
    bank.project.run(&of_tenant).status(4).says("by every run, for all tenants");
}

/// What was recorded of an export that was begun anew is not gone on from.
#[test]
fn an_export_that_was_taken_back_is_noticed() {
    let mut bank = Bank::new(37, HISTORY);
    for _ in 0..3 {
        bank.run();
        bank.change();
    }
    let exports = bank.project.path("target/store/exports");
    let newest = |folder: &std::path::Path| folder.join("manifests/0000000003.json.enc");
    let manifests: Vec<_> =
        std::fs::read_dir(&exports).unwrap().map(|one| one.unwrap().path()).collect();
    let of_history = bank.project.run(&["verify", "--format", "json"]).success().json();
    assert_eq!(of_history["exports"][2]["export"], "book_h");
    // The export's own manifests: the one folder with three, whose removal the history survives.
    let mut taken = 0;
    for folder in manifests.iter().filter(|folder| newest(folder).exists()) {
        let copy = bank.project.duplicate();
        let name = folder.file_name().unwrap();
        let manifest = newest(&copy.path("target/store/exports").join(name));
        std::fs::remove_file(manifest).unwrap();
        std::fs::remove_file(copy.path("target/heads.json")).unwrap();
        let ended = copy.run(&["run", "--force", "--select", "accounts"]);
        if ended.stderr.contains("is not there any more") {
            ended.status(1).says("E1022");
            taken += 1;
        }
    }
    assert_eq!(taken, 1, "the export's own");
}

#[test]
fn columns_may_come_and_go_and_unchanged_rows_have_no_new_version() {
    let bank = Bank::new(13, HISTORY);
    bank.run();
    let rows = bank.project.query("SELECT 1 FROM book_s").len();
    let exports = bank.project.read("exports/bank.yml");
    let without = "\"source('bank', 'accounts')\", columns: [branch, account_id, owner, city]";
    bank.project.replace("exports/bank.yml", "\"source('bank', 'accounts')\"", without);
    bank.run();
    // The column that is gone was null in the rows without an amount, and is null now.
    let amounts = bank.accounts.values().filter(|account| account.3.is_some()).count();
    assert_eq!(bank.project.query("SELECT 1 FROM book_s").len(), rows + amounts);
    let kept = "SELECT 1 FROM book WHERE amount IS NOT NULL";
    assert_eq!(bank.project.query(kept).len(), amounts, "what was published once stays");
    bank.project.write("exports/bank.yml", exports);
    bank.run();
    assert_eq!(bank.project.query("SELECT 1 FROM book_s").len(), rows + 2 * amounts);
    bank.project.replace(
        "sources/bank.yml",
        "{name: amount, type: int64",
        "{name: amount, type: string",
    );
    bank.project.run(&["run"]).status(1).says("other types in columns amount");
    bank.project.run(&["verify"]).success();
}

#[test]
fn references_are_links() {
    let history = "\
tracking:
  history:
    - {name: book, of: export('accounts'), key: [account_id], tenant: branch}
    - name: flow
      of: export('moves')
      key: [move_id]
      tenant: branch
      references: [{columns: [account_id], to: book}]
";
    let bank = Bank::new(17, history);
    bank.run();
    let linked = "SELECT h.account_id, l.reference FROM flow_l AS l \
                  JOIN book_h AS h ON h.hash_key = l.referenced_hash_key";
    let links = bank.project.query(linked);
    assert_eq!(links.len(), 3);
    assert!(links.iter().all(|link| link["reference"] == "account_id"));
    // A link is recorded once, however often it is seen; one that ends stays.
    bank.project.write("data/moves.csv", "move_id,branch,account_id\n1,north,1\n2,north,3\n");
    bank.run();
    assert_eq!(bank.project.query("SELECT 1 FROM flow_l").len(), 4);
    // A reference that is left out leaves its links, and does not begin anew when it is back.
    let declared = bank.project.read("policies/tracking.yml");
    let without = declared.replace("      references: [{columns: [account_id], to: book}]\n", "");
    bank.project.write("policies/tracking.yml", without);
    bank.project.run(&["run", "--force", "--quiet"]).success();
    assert_eq!(bank.project.query("SELECT 1 FROM flow_l").len(), 4);
    bank.project.write("policies/tracking.yml", &declared);
    bank.project.run(&["run", "--force", "--quiet"]).success();
    assert_eq!(bank.project.query("SELECT 1 FROM flow_l").len(), 4);
    bank.project.replace("policies/tracking.yml", "to: book", "to: bok");
    bank.project.run(&["plan"]).status(65).says("E1020").says("did you mean `book`?");
    bank.project.replace("policies/tracking.yml", "[account_id], to: bok", "[move_id], to: book");
    bank.project.run(&["plan"]).status(65).says("E1021").says("refers to nothing");
}

#[test]
fn a_kill_at_any_moment_loses_and_doubles_nothing() {
    let mut bank = Bank::new(23, HISTORY);
    bank.run();
    let started = std::time::Instant::now();
    bank.change();
    bank.run();
    let whole = started.elapsed();
    let mut dice = Dice::new(29);
    for _ in 0..KILLS {
        bank.change();
        let running = bank.project.start(&["run", "--quiet"]);
        let share = dice.below(1_000) as f64 / 1_000.0;
        sleep(Duration::from_secs_f64(whole.as_secs_f64() * share));
        running.kill();
    }
    bank.change();
    bank.run();
    bank.project.run(&["verify"]).success();
    let state = bank.published();
    assert_eq!(by_key(bank.project.query(CURRENT)), state);
    let twice = "SELECT hash_key FROM book_s GROUP BY hash_key, version HAVING count(*) > 1 \
                 UNION ALL SELECT hash_key FROM book_h GROUP BY hash_key HAVING count(*) > 1";
    assert!(bank.project.query(twice).is_empty());
    let gaps = "SELECT hash_key FROM book_s GROUP BY hash_key HAVING max(version) <> count(*)";
    assert!(bank.project.query(gaps).is_empty());
    let in_hub: BTreeSet<String> = bank
        .project
        .query("SELECT account_id FROM book_h")
        .iter()
        .map(|row| row["account_id"].to_string())
        .collect();
    assert!(state.keys().all(|key| in_hub.contains(key)));
}

#[test]
fn a_plan_says_what_is_kept() {
    let bank = Bank::new(1, "tracking: {}\n");
    bank.project.run(&["plan", "--out", "before.json"]).success();
    bank.project.write("policies/tracking.yml", HISTORY);
    let plan = ["plan", "--base", "before.json", "--report", "md=plan.md"];
    let planned = bank.project.run(&plan).success();
    planned.prints("history begins: book (key account_id, tenant branch)");
    assert!(bank.project.read("plan.md").contains("kept in history book"));
    bank.run();
    let without = "\"source('bank', 'accounts')\", columns: [branch, account_id, owner, city]";
    bank.project.replace("exports/bank.yml", "\"source('bank', 'accounts')\"", without);
    let planned = bank.project.run(&["plan"]).success();
    planned.prints("accounts.amount  history keeps: book");
}

#[test]
fn names_of_histories_are_nobody_elses() {
    let taken = "{name: accounts, of: export('accounts'), key: [account_id]}";
    let bank = Bank::new(1, HISTORY);
    bank.project.write("policies/tracking.yml", format!("tracking:\n  history:\n    - {taken}\n"));
    bank.project.run(&["plan"]).status(65).says("`accounts` is there already");
    let two = "tracking:\n  history:\n    \
               - {name: a, of: export('accounts'), key: [account_id]}\n    \
               - {name: a_h, of: export('moves'), key: [move_id]}\n";
    bank.project.write("policies/tracking.yml", two);
    bank.project.run(&["plan"]).status(65).says("`a_h` is there already");
    let tenants = "tracking:\n  history:\n    \
               - {name: a, of: export('accounts'), key: [account_id], tenant: branch}\n    \
               - {name: b, of: export('accounts'), key: [account_id], tenant: city}\n";
    bank.project.write("policies/tracking.yml", tenants);
    bank.project.run(&["plan"]).status(65).says("should be `branch`, as elsewhere");
    let former = format!("{HISTORY}retention:\n  - {{name: r, former_exports: [book_h]}}\n");
    bank.project.write("policies/tracking.yml", former);
    bank.project.run(&["plan"]).status(65).says("this is a table of a history");
    let expiring =
        format!("{HISTORY}retention:\n  - {{name: r, rows: {{older_than: 1y, by: day}}}}\n");
    bank.project.write("policies/tracking.yml", expiring);
    bank.project.replace("exports/bank.yml", "{name: accounts,", "{name: accounts, retention: r,");
    bank.project.run(&["plan"]).status(65).says("by which rows of the export expire");
    let export = "tracking:\n  history:\n    - {name: a, of: accounts, key: [account_id]}\n";
    bank.project.write("policies/tracking.yml", export);
    bank.project.run(&["plan"]).status(65).says("should be `export('name')`");
}
