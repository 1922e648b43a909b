//! Everything a database's catalog says, in the words of [`engine_tracking::schema`]: what is recorded of a
//! source to be compared with later.
//!
//! SQLite's pragmas know the columns, keys, references and indexes. What they leave out, such as checks and the
//! names of constraints, is read from the statement that made the table, which SQLite keeps.

use std::collections::BTreeMap;

use engine_tracking::schema::{
    ColumnSchema, ForeignKey, Generated, Identity, Index, IndexColumn, Key, ReferenceAction,
    TableSchema, Term, Words,
};
use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Row};

use super::catalog::{Table, references, table, table_names};
use super::database::replaced;
use super::recorded_types::recorded_type;
use super::statement::{self, Made, MadeIndex};
use crate::error::SourceError;

/// Every table and view of a database, by name.
///
/// # Errors
/// A database that cannot be read.
pub(crate) fn tables(database: &Connection) -> Result<Vec<TableSchema>, SourceError> {
    let names = table_names(database)?;
    names.iter().map(|name| described(database, name)).collect()
}

fn described(database: &Connection, name: &str) -> Result<TableSchema, SourceError> {
    let found = table(database, name)?;
    let made = match sql_of(database, "table", name)? {
        Some(sql) => statement::made(&sql),
        None => Made::default(),
    };
    let mut described = TableSchema::new(name, columns(database, &found, &made)?);
    let key = found.key();
    if !key.is_empty() {
        described.primary_key = Some(Key { name: made.primary_key_name, columns: key });
    }
    for part in indexes(database, name)? {
        match part {
            Found::Unique(columns) => {
                let name = made.key_names.get(&lower(&columns)).cloned();
                described.unique.push(Key { name, columns });
            }
            Found::Index(index) => described.indexes.push(index),
        }
    }
    described.checks = made.checks;
    described.foreign_keys = foreign_keys(database, name, &made.reference_names)?;
    Ok(described)
}

/// Names as SQLite compares them.
fn lower(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.to_ascii_lowercase()).collect()
}

/// The statement that made an object; none for what SQLite made by itself.
fn sql_of(database: &Connection, kind: &str, name: &str) -> Result<Option<String>, SourceError> {
    let sql = "SELECT sql FROM sqlite_schema WHERE type = ?1 AND name = ?2";
    let found = database.query_row(sql, [kind, name], |row| row.get::<_, Option<String>>(0));
    found.optional().map(Option::flatten).map_err(|error| replaced(&error))
}

/// All rows of a pragma.
fn rows<T>(
    database: &Connection,
    sql: &str,
    name: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, SourceError> {
    let mut statement = database.prepare(sql).map_err(|error| replaced(&error))?;
    let rows = statement.query_map([name], read).map_err(|error| replaced(&error))?;
    rows.collect::<Result<_, _>>().map_err(|error| replaced(&error))
}

fn get<T: FromSql>(row: &Row<'_>, name: &str) -> rusqlite::Result<T> {
    row.get(name)
}

fn columns(
    database: &Connection,
    found: &Table,
    made: &Made,
) -> Result<Vec<ColumnSchema>, SourceError> {
    // 2 and 3 mark columns that are computed when they are read, and when they are written.
    let sql = "SELECT name, dflt_value, hidden FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid";
    let more = rows(database, sql, &found.name, |row| {
        Ok((get(row, "name")?, (get(row, "dflt_value")?, get(row, "hidden")?)))
    })?;
    let more: BTreeMap<String, (Option<String>, i64)> = more.into_iter().collect();
    let columns = found.columns.iter().map(|column| {
        let (default, hidden) = more.get(&column.name).cloned().unwrap_or_default();
        let written = made.columns.get(&column.name.to_ascii_lowercase());
        let mut described = ColumnSchema::new(&column.name, recorded_type(&column.declared));
        described.declared = Some(column.declared.clone()).filter(|text| !text.is_empty());
        described.nullable = !column.never_null;
        described.default = default.map(Words::kept);
        if matches!(hidden, 2 | 3) {
            let expression = written.and_then(|written| written.generated.clone());
            let expression = Words::kept(expression.unwrap_or_default());
            described.generated = Some(Generated { stored: hidden == 3, expression });
        }
        described.collation = written.and_then(|written| written.collation.clone());
        described.identity =
            written.is_some_and(|written| written.counts_up).then_some(Identity::ByDefault);
        described
    });
    Ok(columns.collect())
}

/// What an index stands for.
enum Found {
    /// A unique constraint.
    Unique(Vec<String>),
    /// An index that somebody made.
    Index(Index),
}

fn indexes(database: &Connection, table: &str) -> Result<Vec<Found>, SourceError> {
    let sql = "SELECT name, \"unique\", origin FROM pragma_index_list(?1)";
    let listed: Vec<(String, bool, String)> = rows(database, sql, table, |row| {
        Ok((get(row, "name")?, get(row, "unique")?, get(row, "origin")?))
    })?;
    let mut found = Vec::new();
    for (name, unique, origin) in listed {
        // The key's own index is the key.
        if origin == "pk" {
            continue;
        }
        let sql = "SELECT name, \"desc\" FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno";
        let parts: Vec<(Option<String>, bool)> =
            rows(database, sql, &name, |row| Ok((get(row, "name")?, get(row, "desc")?)))?;
        if origin == "u" {
            found.push(Found::Unique(parts.into_iter().filter_map(|(name, _)| name).collect()));
            continue;
        }
        let made = match sql_of(database, "index", &name)? {
            Some(sql) => statement::made_index(&sql),
            None => MadeIndex::default(),
        };
        let columns = parts.into_iter().enumerate().map(|(position, (name, descending))| {
            let expression = || made.terms.get(position).cloned().unwrap_or_default();
            let term =
                name.map_or_else(|| Term::Expression(Words::kept(expression())), Term::Column);
            IndexColumn { term, descending }
        });
        found.push(Found::Index(Index {
            columns: columns.collect(),
            predicate: made.predicate.map(Words::kept),
            method: None,
            name,
            unique,
        }));
    }
    Ok(found)
}

fn foreign_keys(
    database: &Connection,
    table: &str,
    names: &BTreeMap<Vec<String>, String>,
) -> Result<Vec<ForeignKey>, SourceError> {
    let sql = "SELECT on_update, on_delete FROM pragma_foreign_key_list(?1) WHERE seq = 0 ORDER BY id DESC";
    let actions: Vec<(String, String)> =
        rows(database, sql, table, |row| Ok((get(row, "on_update")?, get(row, "on_delete")?)))?;
    let found = references(database, table)?.into_iter().zip(actions);
    let key = found.map(|(reference, (on_update, on_delete))| ForeignKey {
        name: names.get(&lower(&reference.columns)).cloned(),
        columns: reference.columns,
        table: reference.table,
        to: reference.to,
        on_update: action(&on_update),
        on_delete: action(&on_delete),
    });
    Ok(key.collect())
}

/// SQLite's word for what happens to rows that refer to a row that changes.
fn action(word: &str) -> ReferenceAction {
    match word {
        "RESTRICT" => ReferenceAction::Restrict,
        "CASCADE" => ReferenceAction::Cascade,
        "SET NULL" => ReferenceAction::SetNull,
        "SET DEFAULT" => ReferenceAction::SetDefault,
        _ => ReferenceAction::NoAction,
    }
}

#[cfg(test)]
mod tests {
    use engine_tracking::schema::{Check, DataType};

    use super::*;

    fn described_by(sql: &str) -> Vec<TableSchema> {
        let database = Connection::open_in_memory().expect("a database");
        database.execute_batch(sql).expect("tables");
        tables(&database).expect("a catalog")
    }

    const SHOP: &str = "
        CREATE TABLE customer (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            mail VARCHAR(120) NOT NULL COLLATE NOCASE CONSTRAINT one_mail UNIQUE,
            country CHAR(2) DEFAULT 'DE' CHECK (length(country) = 2),
            spent DECIMAL(10, 2) NOT NULL DEFAULT 0,
            domain TEXT GENERATED ALWAYS AS (substr(mail, instr(mail, '@') + 1)) STORED,
            initial TEXT AS (substr(mail, 1, 1)),
            CONSTRAINT plausible CHECK (spent >= 0 AND spent < 1000000)
        );
        CREATE TABLE orders (
            number INT NOT NULL, part INT NOT NULL, customer INTEGER,
            PRIMARY KEY (number, part),
            CONSTRAINT buyer FOREIGN KEY (customer) REFERENCES customer ON DELETE CASCADE ON UPDATE SET NULL
        ) WITHOUT ROWID;
        CREATE INDEX recent ON orders (number DESC, abs(part)) WHERE part > 1;
        CREATE UNIQUE INDEX one_part ON orders (part);
        CREATE VIEW buyers AS SELECT mail FROM customer;";

    #[test]
    fn columns_have_all_that_the_catalog_knows() {
        let tables = described_by(SHOP);
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["buyers", "customer", "orders"]);
        let customer = tables.get(1).expect("customer");
        let column = |name: &str| customer.column(name).cloned().expect("a column");
        assert_eq!(column("id").identity, Some(Identity::ByDefault));
        assert!(!column("id").nullable && !column("mail").nullable && column("country").nullable);
        assert_eq!(column("mail").data_type, DataType::Text { length: Some(120) });
        assert_eq!(column("mail").collation.as_deref(), Some("NOCASE"));
        assert_eq!(column("country").default, Some(Words::kept("'DE'")));
        let spent = DataType::Decimal { precision: Some(10), scale: Some(2) };
        assert_eq!(column("spent").data_type, spent);
        // The parser writes functions it knows in capitals.
        let generated = |name: &str| {
            let generated = column(name).generated.expect("a computed column");
            let text = generated.expression.text().unwrap_or_default().to_lowercase();
            (generated.stored, text)
        };
        let domain = "substr(mail, instr(mail, '@') + 1)".to_owned();
        assert_eq!(generated("domain"), (true, domain));
        assert_eq!(generated("initial"), (false, "substr(mail, 1, 1)".to_owned()));
    }

    #[test]
    fn keys_checks_references_and_indexes_have_their_names() {
        let tables = described_by(SHOP);
        let [_, customer, orders] = tables.as_slice() else { unreachable!("three tables") };
        let key = |name: Option<&str>, columns: &[&str]| Key {
            name: name.map(str::to_owned),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        };
        assert_eq!(customer.primary_key, Some(key(None, &["id"])));
        assert_eq!(customer.unique, [key(Some("one_mail"), &["mail"])]);
        let check = |name: Option<&str>, condition: &str| Check {
            name: name.map(str::to_owned),
            condition: Words::kept(condition),
        };
        let checks = [
            check(None, "length(country) = 2"),
            check(Some("plausible"), "spent >= 0 AND spent < 1000000"),
        ];
        assert_eq!(customer.checks, checks);
        assert_eq!(orders.primary_key, Some(key(None, &["number", "part"])));
        let [buyer] = orders.foreign_keys.as_slice() else { unreachable!("one reference") };
        assert_eq!(
            (buyer.name.as_deref(), buyer.to.as_slice()),
            (Some("buyer"), &["id".to_owned()][..])
        );
        assert_eq!(buyer.on_delete, ReferenceAction::Cascade);
        assert_eq!(buyer.on_update, ReferenceAction::SetNull);
        let recent = orders.indexes.iter().find(|index| index.name == "recent").expect("an index");
        assert_eq!(recent.predicate, Some(Words::kept("part > 1")));
        let term = |term, descending| IndexColumn { term, descending };
        let computed = Term::Expression(Words::kept("abs(part)"));
        let terms = [term(Term::Column("number".into()), true), term(computed, false)];
        assert_eq!(recent.columns, terms);
        assert!(orders.indexes.iter().any(|index| index.name == "one_part" && index.unique));
    }

    #[test]
    fn a_statement_that_nobody_understands_leaves_what_the_pragmas_know() {
        let sql = "CREATE TABLE odd (a INT NOT NULL ON CONFLICT IGNORE, b, UNIQUE (a) ON CONFLICT REPLACE)";
        let tables = described_by(sql);
        let [odd] = tables.as_slice() else { unreachable!("one table") };
        assert_eq!((odd.columns.len(), odd.unique.len()), (2, 1));
    }
}
