//! A source's catalog as PostgreSQL DDL.
//!
//! ```text
//!  tokens ─▶ constant ─▶ condition ─▶ layout ─▶ keys, partition ─▶ table
//!  names, mapping ──────────────────────┘     (what, under which name and type; how it is written)
//! ```
//!
//! What comes out is meant to be loaded: a part that PostgreSQL would refuse, or that is not surely the
//! same there, becomes a comment that says what is missing. Texts that were not kept are never guessed.
//! Names and texts of the catalog are anybody's: none leaves its quotes or its comment line.

mod condition;
mod constant;
mod keys;
mod layout;
mod mapping;
mod names;
mod partition;
mod table;
mod tokens;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use mapping::{MAPPING, Mapping};

use crate::schema::{EnumType, SourceSchema, TableSchema, Words};
use layout::{Layout, Table};
use names::{literal, note, quoted};

/// The statements that make the source's tables in an empty PostgreSQL schema, in an order in which each
/// finds what it needs. Equal schemas give equal texts.
#[must_use]
pub fn postgres(schema: &SourceSchema) -> String {
    let mut layout = Layout::new(schema);
    let mut statements = vec![note(&format!("{} ({}) for PostgreSQL", schema.source, schema.kind))];
    let enums = &layout.context.enums;
    statements.extend(enums.iter().map(|(one, name)| enum_type(one, name.as_deref())));
    statements.extend(layout.left_out.iter().map(|table| left_out(table)));
    for table in &mut layout.tables {
        statements.extend(table::create(table, &mut layout.relations, &layout.context));
    }
    for table in &mut layout.tables {
        statements.extend(keys::indexes(table, &mut layout.relations, &layout.context));
    }
    statements.extend(keys::references(&mut layout.tables));
    statements.extend(layout.tables.iter().flat_map(comments));
    statements.join("\n\n") + "\n"
}

fn enum_type(one: &EnumType, name: Option<&str>) -> String {
    let Some(name) = name else {
        let words = format!("enum {}: its labels are not known, so its columns are text", one.name);
        return note(&words);
    };
    let labels: Vec<_> = one.labels.iter().filter_map(Words::text).map(literal).collect();
    format!("CREATE TYPE {} AS ENUM ({});", quoted(name), labels.join(", "))
}

fn left_out(table: &TableSchema) -> String {
    note(&format!("table {} left out: PostgreSQL has no table of so many columns", table.name))
}

fn comments(table: &Table<'_>) -> Vec<String> {
    let text = |words: &Option<Words>| words.as_ref().and_then(Words::text).map(literal);
    let name = quoted(&table.name);
    let mut statements = Vec::new();
    statements
        .extend(text(&table.of.comment).map(|text| format!("COMMENT ON TABLE {name} IS {text};")));
    for column in &table.columns {
        let column_name = quoted(&column.name);
        statements.extend(
            text(&column.of.comment)
                .map(|text| format!("COMMENT ON COLUMN {name}.{column_name} IS {text};")),
        );
    }
    statements
}
