//! The kinds of changes, each with the word policies know it by.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of thing changed. Its word is the same in policies, records and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The source itself: its name or its connector.
    SourceChanged,
    /// An enum: added, removed, or other labels.
    EnumChanged,
    /// A table that was not there.
    TableAdded,
    /// A table that is gone.
    TableRemoved,
    /// A table under another name.
    TableRenamed,
    /// A column that was not there.
    ColumnAdded,
    /// A column that is gone.
    ColumnRemoved,
    /// A column under another name.
    ColumnRenamed,
    /// A column in another place relative to the others.
    ColumnMoved,
    /// A type that holds all the values the former one did, and more.
    TypeWidened,
    /// A type that holds some of the values the former one did.
    TypeNarrowed,
    /// Another type.
    TypeChanged,
    /// The same type, which the source now spells otherwise.
    TypeRespelled,
    /// Whether values may be missing.
    NullabilityChanged,
    /// A default: added, removed or another.
    DefaultChanged,
    /// What a column is computed by.
    GeneratedChanged,
    /// Whether the source counts values up.
    IdentityChanged,
    /// The order of texts.
    CollationChanged,
    /// A primary key or unique constraint: added, removed or another.
    KeyChanged,
    /// A foreign key: added, removed or another.
    ReferenceChanged,
    /// A check: added, removed or another.
    CheckChanged,
    /// An index: added, removed or another.
    IndexChanged,
    /// How rows are spread over parts.
    PartitionChanged,
    /// A comment on a table or column.
    CommentChanged,
}

impl ChangeKind {
    /// All kinds, in the order of a report.
    pub const ALL: &[Self] = &[
        Self::SourceChanged,
        Self::EnumChanged,
        Self::TableAdded,
        Self::TableRemoved,
        Self::TableRenamed,
        Self::ColumnAdded,
        Self::ColumnRemoved,
        Self::ColumnRenamed,
        Self::ColumnMoved,
        Self::TypeWidened,
        Self::TypeNarrowed,
        Self::TypeChanged,
        Self::TypeRespelled,
        Self::NullabilityChanged,
        Self::DefaultChanged,
        Self::GeneratedChanged,
        Self::IdentityChanged,
        Self::CollationChanged,
        Self::KeyChanged,
        Self::ReferenceChanged,
        Self::CheckChanged,
        Self::IndexChanged,
        Self::PartitionChanged,
        Self::CommentChanged,
    ];

    /// The word for it in policies and records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SourceChanged => "source_changed",
            Self::EnumChanged => "enum_changed",
            Self::TableAdded => "table_added",
            Self::TableRemoved => "table_removed",
            Self::TableRenamed => "table_renamed",
            Self::ColumnAdded => "column_added",
            Self::ColumnRemoved => "column_removed",
            Self::ColumnRenamed => "column_renamed",
            Self::ColumnMoved => "column_moved",
            Self::TypeWidened => "type_widened",
            Self::TypeNarrowed => "type_narrowed",
            Self::TypeChanged => "type_changed",
            Self::TypeRespelled => "type_respelled",
            Self::NullabilityChanged => "nullability_changed",
            Self::DefaultChanged => "default_changed",
            Self::GeneratedChanged => "generated_changed",
            Self::IdentityChanged => "identity_changed",
            Self::CollationChanged => "collation_changed",
            Self::KeyChanged => "key_changed",
            Self::ReferenceChanged => "reference_changed",
            Self::CheckChanged => "check_changed",
            Self::IndexChanged => "index_changed",
            Self::PartitionChanged => "partition_changed",
            Self::CommentChanged => "comment_changed",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// What changed and how, for a sentence: `column`, `removed`.
    #[must_use]
    pub fn subject_and_verb(self) -> (&'static str, &'static str) {
        self.word().split_once('_').unwrap_or((self.word(), "changed"))
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_as_its_word() {
        for kind in ChangeKind::ALL {
            let json = serde_json::to_string(kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.word()));
            assert_eq!(ChangeKind::of_word(kind.word()), Some(*kind));
        }
        assert_eq!(ChangeKind::of_word("column_changed"), None);
    }

    #[test]
    fn all_kinds_are_listed_in_order() {
        assert!(ChangeKind::ALL.is_sorted());
        assert_eq!(ChangeKind::ALL.last().map(|kind| *kind as usize), Some(23));
        assert_eq!(ChangeKind::ALL.len(), 24);
    }
}
