//! What is made: models and exports.

use std::fmt;

use crate::location::{FileId, Location, Spanned};
use crate::model::declared_tests::{Declared, TableTest};
use crate::model::policy::Approval;
use crate::model::source::Column;

/// A source table or a model: what an export is made from, and a model reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// `source('crm', 'customers')`
    Table {
        /// The source.
        source: String,
        /// Its table.
        table: String,
    },
    /// `ref('customer_profile')`
    Model {
        /// The model.
        name: String,
    },
}

impl Relation {
    /// How the relation is written in rendered SQL: `"crm"."customers"`, or `"models"."name"`
    /// for a model; `"` inside a name is doubled.
    #[must_use]
    pub fn quoted(&self) -> String {
        match self {
            Self::Table { source, table } => {
                format!("{}.{}", identifier(source), identifier(table))
            }
            Self::Model { name } => format!("\"models\".{}", identifier(name)),
        }
    }
}

/// A name as SQL writes it whatever it holds: in quotes, `"` inside doubled (ISO 9075-2, 5.2, delimited
/// identifier).
#[must_use]
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `crm.customers`, or the model's name.
impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table { source, table } => write!(f, "{source}.{table}"),
            Self::Model { name } => f.write_str(name),
        }
    }
}

/// An SQL transformation.
#[derive(Clone, Debug)]
pub struct Model {
    /// The stem of its file.
    pub name: Spanned<String>,
    /// The query.
    pub sql: RenderedSql,
    /// For people.
    pub description: Option<String>,
    /// For selection.
    pub tags: Vec<String>,
    /// Columns that were described; others may exist.
    pub columns: Vec<Column>,
    /// What it reads, each once, where it is first named.
    pub depends_on: Vec<Spanned<Relation>>,
    /// The least size of its groups, which makes its summaries safe.
    pub min_group: Option<MinGroup>,
    /// Tests of its rows, apart from those of its columns.
    pub tests: Vec<Declared<TableTest>>,
}

/// The least size of a model's groups.
#[derive(Clone, Debug)]
pub struct MinGroup {
    /// Least rows, or least distinct values of `of`; at least 2.
    pub size: u64,
    /// What is counted; `None` for rows.
    pub of: Option<Spanned<String>>,
    /// Who answers for summaries of such groups being safe.
    pub approval: Approval,
}

impl Model {
    /// The described column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.value == name)
    }
}

/// SQL after Jinja, with the way back to what the user wrote.
#[derive(Clone, Debug)]
pub struct RenderedSql {
    /// The SQL.
    pub text: String,
    /// The user's file.
    pub file: FileId,
    /// Pieces of `text` in order, without gaps; see [`Segment`].
    pub segments: Vec<Segment>,
}

/// A run of rendered bytes that came from one run of the user's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First byte in the rendered text; the segment ends where the next begins.
    pub rendered: u32,
    /// The user's bytes it came from.
    pub origin_start: u32,
    /// First byte after them.
    pub origin_end: u32,
    /// Whether the bytes are the user's own, so that offsets inside map one to one;
    /// otherwise every byte came from the whole origin (a Jinja expression).
    pub verbatim: bool,
}

impl RenderedSql {
    /// The place in the user's file of a byte range of the rendered text.
    #[must_use]
    pub fn locate(&self, start: usize, end: usize) -> Location {
        let (from, _) = self.origin(start);
        let (_, to) = self.origin(end.max(start.saturating_add(1)).saturating_sub(1));
        Location::new(self.file, from, to.max(from))
    }

    /// The place of a line and column of the rendered text, both from 1, the column in characters.
    #[must_use]
    pub fn locate_line_column(&self, line: u64, column: u64) -> Location {
        let skip = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut start = 0;
        for text in self.text.split_inclusive('\n').take(skip) {
            start += text.len();
        }
        let rest = self.text.get(start..).unwrap_or_default();
        let rest = rest.split('\n').next().unwrap_or_default();
        let skip = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
        let offset = rest.char_indices().nth(skip).map_or(rest.len(), |(at, _)| at);
        self.locate(start + offset, start + offset)
    }

    /// The user's bytes behind one rendered byte.
    fn origin(&self, rendered: usize) -> (usize, usize) {
        let rendered = u32::try_from(rendered).unwrap_or(u32::MAX);
        let after = self.segments.partition_point(|segment| segment.rendered <= rendered);
        let Some(segment) = after.checked_sub(1).and_then(|at| self.segments.get(at)) else {
            return (0, 0);
        };
        if segment.verbatim {
            let at = segment
                .origin_start
                .saturating_add(rendered - segment.rendered)
                .min(segment.origin_end);
            (at as usize, at.saturating_add(1).min(segment.origin_end).max(at) as usize)
        } else {
            (segment.origin_start as usize, segment.origin_end as usize)
        }
    }
}

/// A published dataset.
#[derive(Clone, Debug)]
pub struct Export {
    /// Its name, an identifier.
    pub name: Spanned<String>,
    /// What it is made from; exists.
    pub from: Spanned<Relation>,
    /// For people.
    pub description: Option<String>,
    /// For selection.
    pub tags: Vec<String>,
    /// `where`: SQL condition on the columns of `from`; not parsed here.
    pub filter: Option<Spanned<String>>,
    /// The columns to publish, in this order; `None` for all.
    pub columns: Option<Vec<Spanned<String>>>,
    /// Columns whose values split the chunks.
    pub partition_by: Vec<Spanned<String>>,
    /// How rows are cut into chunks.
    pub chunk: Chunking,
    /// How chunks are encrypted.
    pub encryption: Encryption,
    /// Tests of the result.
    pub tests: Vec<Declared<TableTest>>,
    /// Where committed snapshots are loaded.
    pub loads: Vec<Load>,
    /// The published column that says whose a row is.
    pub tenant: Option<Spanned<String>>,
    /// The retention policy of its snapshots; exists.
    pub retention: Option<Spanned<String>>,
    /// The whole entry.
    pub at: Location,
}

/// How rows are cut into chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunking {
    /// Most rows of a chunk, at least 1.
    pub rows: u64,
}

/// How chunks are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Encryption {
    /// Tink's streaming AEAD around a whole Parquet file.
    #[default]
    Sealed,
    /// Parquet Modular Encryption.
    Modular,
}

/// Where an export is loaded.
#[derive(Clone, Debug)]
pub struct Load {
    /// A connection of the target.
    pub connection: Spanned<String>,
    /// The table to fill; any text the connector understands.
    pub table: Spanned<String>,
    /// What happens to rows that are there.
    pub mode: LoadMode,
    /// Where it stands.
    pub at: Location,
}

/// What a load does with rows that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LoadMode {
    /// Drops the table and makes it again, in one transaction: indexes, triggers and constraints that it
    /// had are gone.
    #[default]
    Replace,
    /// Leaves them.
    Append,
}
