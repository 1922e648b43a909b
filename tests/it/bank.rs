//! Accounts of a bank whose rows come, change, go and come back, with a history of them.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use crate::harness::{Dice, KEY_VARIABLE, Project};

const SOURCES: &str = "\
sources:
  - name: bank
    connection: bank
    tables:
      - name: accounts
        key: [account_id]
        columns:
          - {name: branch, type: string, class: public}
          - {name: account_id, type: int64, class: id.account}
          - {name: owner, type: string, class: pii.name}
          - {name: city, type: string, class: public}
          - {name: amount, type: int64, class: public}
      - name: moves
        key: [move_id]
        columns:
          - {name: move_id, type: int64, class: public}
          - {name: branch, type: string, class: public}
          - {name: account_id, type: int64, class: id.account}
";

const POLICIES: &str = "\
classes:
  id: {sensitive: true}
  pii: {sensitive: true}
  public: {sensitive: false}
masking:
  rules:
    - {name: ids, match: {class: id}, mask: token, linkage: account}
    - {name: names, match: {class: pii.name}, mask: first_name}
    - {name: open, match: {class: public}, keep: {owner: '@tests', reason: names nobody}}
";

const EXPORTS: &str = "\
exports:
  - {name: accounts, from: \"source('bank', 'accounts')\"}
  - {name: moves, from: \"source('bank', 'moves')\"}
";

pub(crate) const HISTORY: &str = "\
tracking:
  history:
    - {name: book, of: export('accounts'), key: [account_id], tenant: branch}
";

/// A row of the source: branch, owner, city, amount.
type Account = (&'static str, String, String, Option<u64>);

/// The source's table.
pub(crate) struct Bank {
    pub(crate) project: Project,
    pub(crate) accounts: BTreeMap<u64, Account>,
    dice: Dice,
}

impl Bank {
    pub(crate) fn new(seed: u64, history: &str) -> Self {
        let profiles = format!(
            "default: dev\ntargets:\n  dev:\n    store: file://target/store\n    \
             keys: {{provider: environment, keyring: keyring.json, env: {KEY_VARIABLE}}}\n    \
             connections:\n      bank: {{type: csv, url: data}}\n      \
             copy: {{type: sqlite, path: target/copy.sqlite}}\n"
        );
        let mut project = Project::of(&[
            ("engine.yml", "name: bank\nedition: 2026\n"),
            ("profiles.yml", &profiles),
            ("sources/bank.yml", SOURCES),
            ("policies/masking.yml", POLICIES),
            ("policies/tracking.yml", history),
            ("exports/bank.yml", EXPORTS),
            ("data/moves.csv", "move_id,branch,account_id\n1,north,1\n2,north,1\n3,south,2\n"),
        ]);
        project.set("HOSTNAME", "machine");
        project.run(&["keys", "init"]).success();
        let mut bank = Self { project, accounts: BTreeMap::new(), dice: Dice::new(seed) };
        for id in 1..=40 {
            let account = bank.account(id);
            bank.accounts.insert(id, account);
        }
        bank.write();
        bank
    }

    pub(crate) fn account(&mut self, id: u64) -> Account {
        let branch = if id.is_multiple_of(2) { "south" } else { "north" };
        let (owner, city) = (self.dice.below(50), self.dice.below(5));
        let amount = self.dice.below(4);
        (branch, format!("owner {owner}"), format!("city {city}"), (amount > 0).then_some(amount))
    }

    /// Some accounts come, go, come back or change.
    pub(crate) fn change(&mut self) {
        for _ in 0..8 {
            let id = 1 + self.dice.below(60);
            match self.dice.below(3) {
                0 => {
                    self.accounts.remove(&id);
                }
                _ => {
                    let account = self.account(id);
                    self.accounts.insert(id, account);
                }
            }
        }
        self.write();
    }

    pub(crate) fn write(&self) {
        let mut text = "branch,account_id,owner,city,amount\n".to_owned();
        for (id, (branch, owner, city, amount)) in &self.accounts {
            let amount = amount.map(|amount| amount.to_string()).unwrap_or_default();
            writeln!(text, "{branch},{id},{owner},{city},{amount}").unwrap();
        }
        self.project.write("data/accounts.csv", text);
    }

    pub(crate) fn run(&self) {
        self.project.run(&["run", "--quiet"]).success();
    }

    /// The rows of the export as they are published now, by their published key.
    pub(crate) fn published(&self) -> BTreeMap<String, Value> {
        by_key(self.project.query("SELECT * FROM accounts"))
    }

    /// The date of the newest load.
    pub(crate) fn loaded(&self) -> String {
        let sql = "SELECT CAST(max(load_date) AS VARCHAR) AS date FROM book_s";
        let date = self.project.query(sql)[0]["date"].as_str().unwrap().to_owned();
        // A load that changed nothing has no rows of its date.
        date.replace(' ', "T").replace("UTC", "Z")
    }
}

pub(crate) fn by_key(rows: Vec<Value>) -> BTreeMap<String, Value> {
    let count = rows.len();
    let rows: BTreeMap<String, Value> =
        rows.into_iter().map(|row| (row["account_id"].to_string(), row)).collect();
    assert_eq!(rows.len(), count, "a key stands once");
    rows
}

/// What holds now, in the columns of the export.
pub(crate) const CURRENT: &str = "SELECT branch, account_id, owner, city, amount FROM book_current";
