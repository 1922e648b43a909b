//! What stands in a `CREATE` statement and in no pragma: names of constraints, checks, expressions.
//!
//! SQLite keeps the statement as it was written. One that the parser does not know gives nothing: what the
//! pragmas say stands by itself.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::ast::{
    ColumnDef, ColumnOption, Expr, Ident, IndexColumn, Statement, TableConstraint,
};
use datafusion::sql::sqlparser::dialect::SQLiteDialect;
use datafusion::sql::sqlparser::parser::Parser;
use engine_tracking::schema::{Check, Words};

/// What a `CREATE TABLE` says beyond the pragmas. Names of columns are in small letters, as SQLite compares them.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// By column.
    pub(crate) columns: BTreeMap<String, MadeColumn>,
    /// The primary key's name.
    pub(crate) primary_key_name: Option<String>,
    /// The names of unique constraints, by their columns.
    pub(crate) key_names: BTreeMap<Vec<String>, String>,
    /// The names of foreign keys, by their columns.
    pub(crate) reference_names: BTreeMap<Vec<String>, String>,
    /// The checks.
    pub(crate) checks: Vec<Check>,
}

/// What it says of a column.
#[derive(Debug, Default)]
pub(crate) struct MadeColumn {
    /// What it is computed by.
    pub(crate) generated: Option<String>,
    /// How its texts are compared.
    pub(crate) collation: Option<String>,
    /// Whether the database never gives a number twice.
    pub(crate) counts_up: bool,
}

/// What a `CREATE INDEX` says beyond the pragmas.
#[derive(Debug, Default)]
pub(crate) struct MadeIndex {
    /// What is ordered by, in order.
    pub(crate) terms: Vec<String>,
    /// Which rows are in it.
    pub(crate) predicate: Option<String>,
}

fn parsed(sql: &str) -> Option<Statement> {
    Parser::parse_sql(&SQLiteDialect {}, sql).ok()?.into_iter().next()
}

/// What a `CREATE TABLE` says; nothing where it cannot be read.
pub(crate) fn made(sql: &str) -> Made {
    let mut made = Made::default();
    let Some(Statement::CreateTable(table)) = parsed(sql) else { return made };
    for column in &table.columns {
        made.column(column);
    }
    for constraint in &table.constraints {
        made.constraint(constraint);
    }
    made
}

/// What a `CREATE INDEX` says; nothing where it cannot be read.
pub(crate) fn made_index(sql: &str) -> MadeIndex {
    let Some(Statement::CreateIndex(index)) = parsed(sql) else { return MadeIndex::default() };
    MadeIndex {
        terms: index.columns.iter().map(|column| column.column.expr.to_string()).collect(),
        predicate: index.predicate.as_ref().map(ToString::to_string),
    }
}

impl Made {
    fn column(&mut self, column: &ColumnDef) {
        let name = column.name.value.to_ascii_lowercase();
        let mut made = MadeColumn::default();
        for option in &column.options {
            let constraint = option.name.as_ref();
            match &option.option {
                ColumnOption::Check(check) => {
                    self.check(constraint.or(check.name.as_ref()), &check.expr);
                }
                ColumnOption::Generated { generation_expr: Some(expression), .. } => {
                    made.generated = Some(expression.to_string());
                }
                ColumnOption::Collation(collation) => made.collation = Some(collation.to_string()),
                ColumnOption::DialectSpecific(tokens) => {
                    let spells = |word: &str| {
                        tokens.iter().any(|token| token.to_string().eq_ignore_ascii_case(word))
                    };
                    made.counts_up |= spells("AUTOINCREMENT");
                }
                ColumnOption::PrimaryKey(key) => {
                    self.primary_key_name = named(constraint.or(key.name.as_ref()));
                }
                ColumnOption::Unique(key) => {
                    let named = named(constraint.or(key.name.as_ref()));
                    self.key_names.extend(named.map(|key| (vec![name.clone()], key)));
                }
                ColumnOption::ForeignKey(key) => {
                    let named = named(constraint.or(key.name.as_ref()));
                    self.reference_names.extend(named.map(|key| (vec![name.clone()], key)));
                }
                _ => {}
            }
        }
        self.columns.insert(name, made);
    }

    fn constraint(&mut self, constraint: &TableConstraint) {
        match constraint {
            TableConstraint::Check(check) => self.check(check.name.as_ref(), &check.expr),
            TableConstraint::PrimaryKey(key) => self.primary_key_name = named(key.name.as_ref()),
            TableConstraint::Unique(key) => {
                let columns = key.columns.iter().map(indexed).collect();
                self.key_names.extend(named(key.name.as_ref()).map(|name| (columns, name)));
            }
            TableConstraint::ForeignKey(key) => {
                let columns = key.columns.iter().map(|column| column.value.to_ascii_lowercase());
                let columns = columns.collect();
                self.reference_names.extend(named(key.name.as_ref()).map(|name| (columns, name)));
            }
            _ => {}
        }
    }

    fn check(&mut self, name: Option<&Ident>, condition: &Expr) {
        self.checks
            .push(Check { name: named(name), condition: Words::kept(condition.to_string()) });
    }
}

fn named(name: Option<&Ident>) -> Option<String> {
    name.map(|name| name.value.clone())
}

fn indexed(column: &IndexColumn) -> String {
    match &column.column.expr {
        Expr::Identifier(name) => name.value.to_ascii_lowercase(),
        other => other.to_string(),
    }
}
