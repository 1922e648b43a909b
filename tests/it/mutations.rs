//! What a plan compares is what a project means: a thousand changes of style are no change, and every
//! change of meaning is one.
//!
//! ```text
//!  chinook ─plan─▶ before.json ◀─plan --base─ chinook, restyled   []
//!                              ◀─plan --base─ chinook, edited     a change at least, or exit 65
//! ```
//!
//! Such a plan needs no data and no key, so there are none here.

use std::process::Command;
use std::thread;

use crate::harness::{Dice, Ended, Project, files_below};
use crate::repository::assert_none;
use crate::styles::{self, Files};

/// Projects that are restyled, and how often each of them is.
const RESTYLED: u64 = 50;
const STYLES: u64 = 20;

const BEFORE: &str = "before.json";

/// Chinook with a variable and conditions in its model, and an export that leaves rows out.
fn chinook() -> Project {
    let project = Project::copy_of("examples/chinook");
    for name in ["data/chinook.sqlite", "keyring.json", ".env"] {
        std::fs::remove_file(project.path(name)).unwrap();
    }
    project.replace("engine.yml", "vars:\n", "vars:\n  total_min: 1\n");
    let group = "group by customer";
    let conditions = format!(
        "where invoice.Total > {{{{ var('total_min') }}}} and customer.Country <> 'Atlantis'\n{group}"
    );
    project.replace("models/customer_spending.sql", group, &conditions);
    let from = "    from: ref('customer_spending')\n";
    project.replace("exports/sales.yml", from, &format!("{from}    where: Invoices > 0\n"));
    project.run(&["plan", "--quiet", "--out", BEFORE]).success();
    project
}

fn compared(project: &Project) -> Ended {
    project.run(&["plan", "--quiet", "--base", BEFORE, "--format", "json"])
}

/// Whether it ended well and names no change.
fn is_silent(ended: &Ended) -> bool {
    ended.status == Some(0) && ended.json()["changes"] == serde_json::json!([])
}

/// The plan without the SQL that stands beside it to be read: brackets that change nothing stay in it.
fn meaning(ended: &Ended) -> serde_json::Value {
    let mut plan = ended.json();
    plan["beside"] = serde_json::Value::Null;
    plan
}

/// Every YAML and SQL file.
fn files(project: &Project) -> Files {
    let files = files_below(project.root()).into_iter().filter(|file| {
        file.extension().is_some_and(|extension| extension == "yml" || extension == "sql")
    });
    files
        .map(|file| {
            let path = file.strip_prefix(project.root()).unwrap().to_str().unwrap().to_owned();
            let text = project.read(&path);
            (path, text)
        })
        .collect()
}

fn on_two_threads<T: Sync>(items: &[T], each: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        for half in items.chunks(items.len().div_ceil(2)) {
            scope.spawn(|| half.iter().for_each(&each));
        }
    });
}

#[test]
fn a_thousand_changes_of_style_change_no_plan() {
    let base = chinook();
    let same = compared(&base).success();
    assert!(is_silent(&same), "{same}");
    let files = files(&base);
    assert!(files.len() > 7, "{:?}", files.keys());
    let seeds: Vec<u64> = (0..RESTYLED).collect();
    on_two_threads(&seeds, |seed| {
        let (mut dice, mut restyled) = (Dice::new(*seed), files.clone());
        let how: Vec<String> =
            (0..STYLES).map(|_| styles::restyle(&mut restyled, &mut dice)).collect();
        let project = Project::empty();
        project.write(BEFORE, base.read(BEFORE));
        for (path, text) in &restyled {
            project.write(path, text);
        }
        let ended = compared(&project);
        assert!(
            meaning(&ended) == meaning(&same),
            "seed {seed}: {how:#?}\n{}\n{ended}",
            difference(&base, &project)
        );
    });
}

fn difference(left: &Project, right: &Project) -> String {
    let folders = [left.root(), right.root()];
    let output =
        Command::new("diff").args(["-ruN", "-x", "target"]).args(folders).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A file, a text that occurs in it, and another in its place.
type Edit = (&'static str, &'static str, &'static str);

const ENGINE: &str = "engine.yml";
const PROFILES: &str = "profiles.yml";
const CATALOGUE: &str = "exports/catalogue.yml";
const SALES: &str = "exports/sales.yml";
const SQL: &str = "models/customer_spending.sql";
const MODEL: &str = "models/customer_spending.yml";
const RULES: &str = "policies/masking.yml";
const SOURCES: &str = "sources/chinook.yml";

const GENRES: &str = "from: source('chinook', 'Genre')\n";
const GENRES_LOAD: &str = "load: [{connection: masked, table: Genre, mode: replace}]";

const MEANINGS: &[Edit] = &[
    // Variables.
    (ENGINE, "spending_step: 5", "spending_step: 10"),
    (ENGINE, "total_min: 1", "total_min: 2"),
    // The SQL of a model.
    (SQL, "'Atlantis'", "'atlantis'"),
    (SQL, " > {{", " >= {{"),
    (SQL, " > {{", " < {{"),
    (SQL, "<> 'Atlantis'", "= 'Atlantis'"),
    (SQL, " and customer", " or customer"),
    (SQL, "sum(", "avg("),
    (SQL, "sum(invoice.Total)", "sum(invoice.Total + 1)"),
    (SQL, "count(*)", "count(distinct invoice.Total)"),
    (SQL, "'Atlantis'\n", "'Atlantis' and 1 = 2\n"),
    (SQL, "as Spent", "as Expense"),
    (SQL, "  customer.Country,\n", ""),
    (SQL, "on invoice.CustomerId =", "on invoice.CustomerId <>"),
    // Masks.
    (RULES, "params: {keep: 2}", "params: {keep: 3}"),
    (RULES, "{days: 30,", "{days: 31,"),
    (RULES, "per: CustomerId", "per: InvoiceId"),
    (RULES, "mask: email", "mask: redact"),
    (RULES, "mask: redact", "mask: \"null\""),
    (RULES, "mask: token, linkage: customer}", "mask: token, linkage: client}"),
    (RULES, "mask: email}", "mask: email, key: other}"),
    // Rules and classes.
    (RULES, "    - {name: emails, match: {class: pii.email}, mask: email}\n", ""),
    (RULES, "mask: phone}", "keep: {owner: \"@sales\", reason: we call them}}"),
    (RULES, "{name: phones, match: {class: pii.phone}", "{name: phones, match: {column: Phone}"),
    (RULES, "figures:   {sensitive: false", "figures:   {sensitive: true"),
    (SOURCES, "class: pii.city", "class: pii.street"),
    (MODEL, "class: quasi.country", "class: figures"),
    // Sources.
    (SOURCES, "          - {name: Fax, type: string, class: pii.phone}\n", ""),
    (SOURCES, "name: Milliseconds, type: int64", "name: Milliseconds, type: string"),
    (SOURCES, "Milliseconds, type: int64, nullable: false", "Milliseconds, type: int64"),
    (SOURCES, "name: Total, type: \"decimal(10,2)\"", "name: Total, type: \"decimal(12,2)\""),
    (SOURCES, "          - {columns: [InvoiceId], table: Invoice, to: [InvoiceId]}\n", ""),
    // Exports.
    (SALES, "Invoices > 0", "Invoices > 1"),
    (SALES, "    where: Invoices > 0\n", ""),
    (CATALOGUE, "exports:\n", "exports:\n  - {name: more, from: \"source('chinook', 'Genre')\"}\n"),
    (CATALOGUE, "name: genres", "name: kinds"),
    (CATALOGUE, GENRES, "from: source('chinook', 'MediaType')\n"),
    (CATALOGUE, GENRES, "from: source('chinook', 'Genre')\n    partition_by: [Name]\n"),
    (CATALOGUE, GENRES, "from: source('chinook', 'Genre')\n    chunk: {rows: 10}\n"),
    (CATALOGUE, "encryption: modular", "encryption: sealed"),
    (CATALOGUE, GENRES_LOAD, "load: [{connection: masked, table: Kind, mode: replace}]"),
    (CATALOGUE, GENRES_LOAD, "load: [{connection: masked, table: Genre, mode: append}]"),
    (CATALOGUE, GENRES_LOAD, "load: [{connection: chinook, table: Genre, mode: replace}]"),
    (CATALOGUE, GENRES_LOAD, "load: []"),
    // Tests.
    (SALES, "    tests: [{k_anonymity: {columns: [BillingCountry], k: 5}}]\n", ""),
    (SALES, "k: 5}", "k: 4}"),
    (SALES, "k: 5}", "k: 5, severity: warn}"),
    (SALES, "tests: [", "tests: [{row_count: {min: 3}}, "),
    (SOURCES, "class: pii.email, tests: [not_null, unique]", "class: pii.email"),
    (SOURCES, "class: pii.employer}", "class: pii.employer, tests: [not_null]}"),
    // Whose it is.
    (ENGINE, "name: chinook", "name: chinook_two"),
    (PROFILES, "store:", "protected: true\n    store:"),
    // Who answers and until when, what is sensitive, where data comes from and goes to.
    (RULES, "quasi:     {sensitive: true", "quasi:     {sensitive: false"),
    (RULES, "catalogue: {sensitive: false", "catalogue: {sensitive: true"),
    (RULES, "@data-office\", reason: sales", "@sales\", reason: sales"),
    (RULES, "per country}", "per country, until: 2099-01-01}"),
    (SOURCES, "connection: chinook", "connection: masked"),
    (PROFILES, "target/store", "target/other"),
    (PROFILES, "path: target/masked.sqlite", "path: target/other.sqlite"),
    (PROFILES, "path: data/chinook.sqlite", "path: data/other.sqlite"),
];

/// Fails unless each of the edits is refused or seen.
fn assert_seen(edits: &[Edit]) {
    let base = chinook();
    let silent = std::sync::Mutex::new(Vec::new());
    on_two_threads(edits, |(path, old, new)| {
        let project = base.duplicate();
        project.replace(path, old, new);
        let ended = compared(&project);
        assert!(matches!(ended.status, Some(0 | 65)), "{path}: {new}\n{ended}");
        if is_silent(&ended) {
            silent.lock().unwrap().push(format!("{path}: {old:?} -> {new:?}"));
        }
    });
    assert_none("each edit gives a change or is refused", &silent.into_inner().unwrap());
}

#[test]
fn every_change_of_meaning_is_seen() {
    assert!(MEANINGS.len() >= 25);
    assert_seen(MEANINGS);
}

#[test]
fn a_new_owner_is_seen() {
    let base = chinook();
    base.own("data-office");
    assert!(!is_silent(&compared(&base).success()));
}
