//! What the resolving of every section shares: identifiers, uniqueness, unknown names.

use std::collections::HashMap;

use crate::location::{Location, Spanned};
use crate::model::{Column, Declared, Project, Relation, TableTest};
use crate::problem::{Problem, ProblemKind, Thing};
use crate::suggest::nearest;

/// The problems so far.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<Problem>,
}

impl Findings {
    pub(super) fn report(&mut self, kind: ProblemKind, at: Location) {
        self.problems.push(Problem::new(kind, at));
    }

    pub(super) fn invalid(
        &mut self,
        path: impl Into<String>,
        expected: impl Into<String>,
        at: Location,
    ) {
        let kind = ProblemKind::InvalidValue {
            path: path.into(),
            expected: expected.into(),
            nearest: None,
        };
        self.report(kind, at);
    }

    /// Complains about a name that is no identifier; these become file names, SQL names and keys of digests.
    pub(super) fn identifier(&mut self, what: &str, name: &Spanned<String>) {
        if !is_identifier(&name.value) {
            let expected = "1 to 63 lower case letters, digits and `_`, the first of them a letter";
            self.invalid(what, expected, name.at);
        }
    }

    /// Complains about a name that is empty or holds control characters.
    pub(super) fn name(&mut self, what: &str, name: &Spanned<String>) {
        if name.value.is_empty()
            || name.value.len() > 255
            || name.value.chars().any(char::is_control)
        {
            self.invalid(what, "1 to 255 bytes of text without control characters", name.at);
        }
    }

    /// Complains about every name that was there before.
    pub(super) fn unique<'a>(
        &mut self,
        thing: Thing,
        names: impl IntoIterator<Item = &'a Spanned<String>>,
    ) {
        let mut seen: HashMap<&str, Location> = HashMap::new();
        for name in names {
            match seen.get(name.value.as_str()) {
                Some(first) => {
                    let kind = ProblemKind::DuplicateName { thing, name: name.value.clone() };
                    self.problems.push(
                        Problem::new(kind, name.at).with_related(*first, "first declared here"),
                    );
                }
                None => {
                    seen.insert(&name.value, name.at);
                }
            }
        }
    }

    /// Complains about a name that is not among the declared ones.
    pub(super) fn unknown<'a>(
        &mut self,
        thing: Thing,
        name: &str,
        within: Option<String>,
        among: impl IntoIterator<Item = &'a str>,
        at: Location,
    ) {
        let valid: Vec<String> = among.into_iter().map(str::to_owned).collect();
        let nearest = nearest(name, valid.iter().map(String::as_str)).map(str::to_owned);
        self.report(
            ProblemKind::Unknown { thing, name: name.to_owned(), within, nearest, valid },
            at,
        );
    }

    /// Complains about columns that a table with declared columns does not declare. A
    /// table without declared columns, and a model, may have any.
    pub(super) fn declared_columns<'a>(
        &mut self,
        within: &str,
        declared: &[Column],
        names: impl IntoIterator<Item = &'a Spanned<String>>,
    ) {
        for name in names {
            if !declared.is_empty()
                && !declared.iter().any(|column| column.name.value == name.value)
            {
                let among = declared.iter().map(|column| column.name.value.as_str());
                self.unknown(Thing::Column, &name.value, Some(within.to_owned()), among, name.at);
            }
        }
    }
}

/// `[a-z][a-z0-9_]{0,62}`
pub(super) fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && name.len() <= 63
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// All declared columns with what they belong to.
pub(super) fn columns(project: &Project) -> impl Iterator<Item = (Relation, &Column)> {
    let of_tables = project.sources.iter().flat_map(|source| {
        source.tables.iter().flat_map(move |table| {
            let relation = Relation::Table {
                source: source.name.value.clone(),
                table: table.name.value.clone(),
            };
            table.columns.iter().map(move |column| (relation.clone(), column))
        })
    });
    let of_models = project.models.iter().flat_map(|model| {
        let relation = Relation::Model { name: model.name.value.clone() };
        model.columns.iter().map(move |column| (relation.clone(), column))
    });
    of_tables.chain(of_models)
}

/// The tests of all tables, models and exports.
pub(super) fn table_tests(project: &Project) -> impl Iterator<Item = &Declared<TableTest>> {
    let of_tables = project.sources.iter().flat_map(|source| &source.tables);
    let of_tables = of_tables.flat_map(|table| &table.tests);
    let of_models = project.models.iter().flat_map(|model| &model.tests);
    let of_exports = project.exports.iter().flat_map(|export| &export.tests);
    of_tables.chain(of_models).chain(of_exports)
}
