//! What a project says of a history, and its tables' columns.

use arrow::datatypes::{DataType, FieldRef, Schema};
use engine_bundle::manifest::{Column, Manifest};
use engine_project::{History, Project};
use engine_tracking::history::{HistoryError, RESERVED, Reference, Vault, VaultTable};

use crate::codes::tracking;
use crate::diagnostic::Diagnostic;
use crate::types::stored_name;

/// A history as it is declared.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Its name.
    pub name: String,
    /// The export.
    pub export: String,
    /// The columns that tell rows apart.
    pub key: Vec<String>,
    /// The column that says whose a row is.
    pub tenant: Option<String>,
    references: Vec<Reference>,
}

impl Layout {
    /// A history as it is declared.
    #[must_use]
    pub fn of(history: &History) -> Self {
        let references = history.references.iter().map(|reference| Reference {
            name: reference.name.clone(),
            columns: reference.columns.iter().map(|column| column.value.clone()).collect(),
            tenant: reference.tenant.as_ref().map(|tenant| tenant.value.clone()),
        });
        Self {
            name: history.name.value.clone(),
            export: history.of.value.clone(),
            key: history.key.iter().map(|column| column.value.clone()).collect(),
            tenant: history.tenant.as_ref().map(|tenant| tenant.value.clone()),
            references: references.collect(),
        }
    }

    /// Every history of a project.
    pub fn all(project: &Project) -> impl Iterator<Item = Self> {
        project.tracking.histories.iter().map(Self::of)
    }

    /// The columns of its tables, for rows of this schema.
    ///
    /// # Errors
    /// They cannot be laid out.
    pub fn vault(&self, export: &Schema) -> Result<Vault, HistoryError> {
        let keys: Vec<&str> = self.key.iter().map(String::as_str).collect();
        Vault::new(&self.name, export, &keys, self.tenant.as_deref(), &self.references)
    }

    /// The names of its references.
    #[must_use]
    pub fn references(&self) -> Vec<String> {
        self.references.iter().map(|reference| reference.name.clone()).collect()
    }

    /// The same, with no other references than those of these names.
    #[must_use]
    pub fn referring_by(&self, names: &[String]) -> Self {
        let named = self.references.iter().filter(|reference| names.contains(&reference.name));
        Self { references: named.cloned().collect(), ..self.clone() }
    }

    /// The same, with no other references than those of columns that are there.
    #[must_use]
    pub fn within(mut self, schema: &Schema) -> Self {
        self.references.retain(|reference| {
            let mut columns = reference.columns.iter().chain(&reference.tenant);
            columns.all(|column| schema.field_with_name(column).is_ok())
        });
        self
    }

    /// What a table is called.
    #[must_use]
    pub fn table(&self, table: VaultTable) -> String {
        table.of(&self.name)
    }

    /// Whether it has links.
    #[must_use]
    pub fn has_links(&self) -> bool {
        !self.references.is_empty()
    }

    /// What a view is called.
    #[must_use]
    pub fn view(&self, ending: &str) -> String {
        format!("{}{ending}", self.name)
    }
}

/// Whether a column is one that histories have, not one of the export.
#[must_use]
pub fn is_own(column: &str) -> bool {
    RESERVED.contains(&column)
}

/// The columns of a table for its manifest: what they are in the export's, and were in the table's before. Rows that
/// were masked otherwise before stay as they are, so that a mask stands there only if it is that of all rows.
#[must_use]
pub(super) fn columns(
    table: VaultTable,
    fields: &[FieldRef],
    export: &Manifest,
    before: Option<&Manifest>,
) -> Vec<Column> {
    let named = |manifest: &Manifest, name: &str| {
        manifest.schema.iter().find(|column| column.name == name).cloned()
    };
    let column = |field: &FieldRef| {
        let (now, was) = match table == VaultTable::Links || is_own(field.name()) {
            true => (None, None),
            false => {
                (named(export, field.name()), before.and_then(|before| named(before, field.name())))
            }
        };
        let mask_of = |column: &Option<Column>| column.as_ref().and_then(|one| one.mask.clone());
        let class_of = |column: &Option<Column>| column.as_ref().and_then(|one| one.class.clone());
        let mask = match (&now, &was) {
            (Some(_), Some(_)) => mask_of(&now).filter(|_| mask_of(&now) == mask_of(&was)),
            (Some(_), None) => mask_of(&now),
            (None, _) => mask_of(&was),
        };
        Column {
            name: field.name().clone(),
            data_type: exact_name(field.data_type()),
            nullable: field.is_nullable(),
            class: class_of(&now).or_else(|| class_of(&was)),
            mask,
        }
    };
    fields.iter().map(column).collect()
}

/// The type as Arrow writes it where that reads back, so that a table's own columns keep their lengths.
fn exact_name(data_type: &DataType) -> String {
    let text = data_type.to_string();
    match text.parse::<DataType>() {
        Ok(read)
            if read == *data_type
                && matches!(data_type, DataType::FixedSizeBinary(_) | DataType::Timestamp(..)) =>
        {
            text
        }
        _ => stored_name(data_type),
    }
}

/// The refusal of a load that contradicts what is recorded, or of rows that no history can be kept of.
pub fn refused(history: &str, error: &HistoryError) -> Diagnostic {
    let help = match error {
        HistoryError::NotUnique { .. } => {
            "name columns under `key` that tell every published row apart; a mask that gives two values one \
             pseudonym makes keys equal"
        }
        HistoryError::Contradictions { .. } | HistoryError::Versions { .. } => {
            "look at the history's tables with `engine verify`, and restore them from a copy of the store"
        }
        _ => "nothing was appended; the snapshot itself is published",
    };
    let message = format!("history `{history}` was not appended to: {error}");
    Diagnostic::new(&tracking::HISTORY_REFUSED, message).help(help)
}
