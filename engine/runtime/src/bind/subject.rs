//! What is known of an export while its columns are bound.

use std::collections::BTreeMap;

use arrow::datatypes::Schema;
use engine_project::{Location, Project, Relation};

use super::Binding;
use super::reach::RelationReach;

/// What binding the columns of one export needs.
pub(super) struct Subject<'a> {
    pub(super) project: &'a Project,
    pub(super) binding: &'a Binding<'a>,
    pub(super) export: &'a str,
    pub(super) from: &'a Relation,
    pub(super) schema: &'a Schema,
    /// What flows into the columns of `from`.
    pub(super) reach: &'a RelationReach,
    /// The export's own place, for columns that stand in no file.
    pub(super) at: Location,
    /// Columns whose values must stay distinct, with the words why.
    pub(super) unique: BTreeMap<String, &'static str>,
}

impl Subject<'_> {
    /// The column that identifies a row of the table by itself.
    pub(super) fn key_column(&self) -> Option<&str> {
        let Relation::Table { source, table } = self.from else { return None };
        match self.project.table(source, table)?.key.as_slice() {
            [key] => Some(&key.value),
            _ => None,
        }
    }
}
