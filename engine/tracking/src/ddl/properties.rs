//! Properties of the text, over catalogs whose expressions are words put together at random.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::schema::{
    Check, ColumnSchema, DataType, ForeignKey, Generated, Identity, Index, IndexColumn, Key, Part,
    PartitionStrategy, Partitioning, ReferenceAction, Term,
};

/// Words that expressions are made of, whole and broken.
const WORDS: &[&str] = &[
    "a",
    "b",
    "c",
    "d",
    "\"e\"",
    "and",
    "or",
    "not",
    "is",
    "null",
    "in",
    "between",
    "any",
    "array",
    "(",
    ")",
    "[",
    "]",
    ",",
    "=",
    "<>",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "::text",
    "::numeric",
    "0",
    "1.5",
    "99999",
    "'x'",
    "'it''s'",
    "'2024-02-29'",
    "'2024-01-31'",
    "true",
    "now()",
    "current_date",
    "'",
    "--",
    ";",
    "\n",
    "\\",
    "$$",
];

/// Expressions that may well be translated.
const EXPRESSIONS: &[&str] = &[
    "a > 1",
    "a + b",
    "b * 2",
    "(a = b or c is null)",
    "not d = 'x'",
    "d in ('x', 'it''s')",
    "e between 0 and 5",
    "f = '2024-01-31'",
    "b - a > c",
    "g = true",
    "h = 'happy'",
    "c",
    "FOR VALUES IN (1, 2)",
    "FOR VALUES IN (3)",
    "FOR VALUES FROM (1) TO (2)",
    "FOR VALUES FROM (MINVALUE) TO (1)",
    "FOR VALUES WITH (modulus 2, remainder 1)",
    "DEFAULT",
    "1",
    "'x'",
    "'happy'",
    "null",
    "current_timestamp",
    "-7",
    "'0'",
    "'2024-01-31'",
    "true",
];

const NAMES: &[&str] = &["a", "b", "c", "d", "e", "f", "g", "h"];

fn words() -> impl Strategy<Value = Words> {
    let soup = vec(select(WORDS), 1..8).prop_map(|words| words.join(" "));
    let whole = select(EXPRESSIONS).prop_map(str::to_owned);
    prop_oneof![1 => soup.prop_map(Words::Kept), 4 => whole.prop_map(Words::Kept)]
}

fn data_type() -> impl Strategy<Value = DataType> {
    let decimal = |precision, scale| DataType::Decimal { precision: Some(precision), scale };
    select(vec![
        DataType::Boolean,
        DataType::Int8,
        DataType::Int32,
        DataType::Int64,
        DataType::Uint64,
        decimal(10, Some(2)),
        decimal(3, Some(5)),
        decimal(5, Some(-2)),
        decimal(2000, None),
        DataType::Float32,
        DataType::Text { length: Some(2) },
        DataType::Text { length: None },
        DataType::Char { length: 1 },
        DataType::Char { length: 0 },
        DataType::Binary { length: None },
        DataType::Date,
        DataType::Time { precision: Some(9), with_zone: true },
        DataType::Timestamp { precision: None, with_zone: true },
        DataType::Timestamp { precision: Some(3), with_zone: false },
        DataType::Interval,
        DataType::Uuid,
        DataType::Json,
        DataType::Enum { name: "mood".into() },
        DataType::List { of: Box::new(DataType::Enum { name: "mood".into() }) },
        DataType::Struct { fields: Vec::new() },
    ])
}

fn column(name: &'static str) -> impl Strategy<Value = ColumnSchema> {
    let generated = words().prop_map(|expression| Generated { stored: true, expression });
    let identity = select(vec![Identity::Always, Identity::ByDefault]);
    let value =
        (option::of(words()), option::weighted(0.2, generated), option::weighted(0.1, identity));
    (data_type(), any::<bool>(), value, option::of(words())).prop_map(
        move |(data_type, nullable, (default, generated, identity), comment)| ColumnSchema {
            nullable,
            default,
            generated,
            identity,
            comment,
            ..ColumnSchema::new(name, data_type)
        },
    )
}

fn names() -> impl Strategy<Value = Vec<String>> {
    vec(select(NAMES).prop_map(str::to_owned), 1..3)
}

fn key() -> impl Strategy<Value = Key> {
    let name = option::of(select(vec!["t", "k", "t_a_seq"]).prop_map(str::to_owned));
    (name, names()).prop_map(|(name, columns)| Key { name, columns })
}

fn reference() -> impl Strategy<Value = ForeignKey> {
    let action = || select(vec![ReferenceAction::SetNull, ReferenceAction::NoAction]);
    (key(), select(vec!["t", "u"]), names(), action(), action()).prop_map(
        |(Key { name, columns }, table, to, on_update, on_delete)| ForeignKey {
            name,
            columns,
            table: table.into(),
            to,
            on_update,
            on_delete,
        },
    )
}

fn index() -> impl Strategy<Value = Index> {
    let columns = names().prop_map(|names| {
        let part = |name| IndexColumn { term: Term::Column(name), descending: true };
        names.into_iter().map(part).collect()
    });
    (select(vec!["i", "t", "t_pkey"]), any::<bool>(), columns, option::of(words())).prop_map(
        |(name, unique, columns, predicate)| Index {
            name: name.into(),
            unique,
            columns,
            predicate,
            method: None,
        },
    )
}

fn partitioning() -> impl Strategy<Value = Partitioning> {
    use PartitionStrategy as S;
    let part = (select(vec!["p", "t"]), option::of(words()))
        .prop_map(|(name, bounds)| Part { name: name.into(), bounds });
    (select(vec![S::Range, S::List, S::Hash]), names(), vec(part, 0..2)).prop_map(
        |(strategy, names, parts)| {
            let columns = names.into_iter().map(Term::Column).collect();
            Partitioning { strategy, columns, parts }
        },
    )
}

fn table(name: &'static str) -> impl Strategy<Value = TableSchema> {
    let columns: Vec<_> = NAMES.iter().map(|name| column(name)).collect();
    let check = words().prop_map(|condition| Check { name: None, condition });
    let keys = (option::of(key()), vec(key(), 0..4), vec(check, 0..6), vec(reference(), 0..4));
    let rest = (vec(index(), 0..3), option::weighted(0.3, partitioning()));
    (columns, keys, rest).prop_map(move |(columns, keys, (indexes, partitions))| {
        let (primary_key, unique, checks, foreign_keys) = keys;
        let table = TableSchema::new(name, columns);
        TableSchema { primary_key, unique, checks, foreign_keys, indexes, partitions, ..table }
    })
}

fn schema() -> impl Strategy<Value = SourceSchema> {
    (table("t"), table("u")).prop_map(|(one, other)| {
        let labels = ["happy", "sad"].map(Words::kept).to_vec();
        let mut schema = SourceSchema::new("crm", "postgres");
        schema.enums = vec![EnumType { name: "mood".into(), labels }];
        schema.tables = vec![one, other];
        schema
    })
}

proptest! {
    #[test]
    fn every_paragraph_is_one_statement_or_a_note(schema in schema()) {
        let text = postgres(&schema);
        prop_assert_eq!(&text, &postgres(&schema));
        for paragraph in text.trim_end().split("\n\n") {
            let sql: Vec<_> =
                paragraph.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
            prop_assert!(sql.is_empty() || sql.join("\n").ends_with(';'), "{}", paragraph);
        }
    }
}
