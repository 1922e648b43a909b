//! Tests of whole texts: one that shows everything, and catalogs that mean harm.

use super::*;
use crate::schema::{
    Check, ColumnSchema, DataType, ForeignKey, Generated, Identity, Index, IndexColumn, Key, Part,
    PartitionStrategy, Partitioning, ReferenceAction, Term,
};

fn column(name: &str, data_type: DataType) -> ColumnSchema {
    ColumnSchema { nullable: false, ..ColumnSchema::new(name, data_type) }
}

fn with_default(name: &str, data_type: DataType, default: &str) -> ColumnSchema {
    ColumnSchema { default: Some(Words::kept(default)), ..column(name, data_type) }
}

fn text() -> DataType {
    DataType::Text { length: None }
}

fn decimal(precision: u32, scale: i32) -> DataType {
    DataType::Decimal { precision: Some(precision), scale: Some(scale) }
}

fn key(columns: &[&str]) -> Key {
    Key { name: None, columns: columns.iter().map(|name| (*name).to_owned()).collect() }
}

fn check(condition: &str) -> Check {
    Check { name: None, condition: Words::kept(condition) }
}

fn reference(columns: &[&str], table: &str, to: &[&str]) -> ForeignKey {
    ForeignKey {
        name: None,
        columns: key(columns).columns,
        table: table.into(),
        to: key(to).columns,
        on_update: ReferenceAction::NoAction,
        on_delete: ReferenceAction::Cascade,
    }
}

fn index(name: &str, columns: &[&str], predicate: Option<&str>) -> Index {
    let column = |name: &&str| IndexColumn {
        term: Term::Column((*name).to_owned()),
        descending: columns.len() > 1,
    };
    Index {
        name: name.into(),
        unique: false,
        columns: columns.iter().map(column).collect(),
        predicate: predicate.map(Words::kept),
        method: None,
    }
}

fn customers() -> TableSchema {
    let mut id = column("id", DataType::Int64);
    id.identity = Some(Identity::ByDefault);
    let mut mail = column("mail", DataType::Text { length: Some(80) });
    mail.comment = Some(Words::kept("where it's sent\nonce a week"));
    let mut table = TableSchema::new(
        "customers",
        vec![
            id,
            mail,
            with_default("mood", DataType::Enum { name: "mood".into() }, "'happy'"),
            ColumnSchema::new("rank", DataType::Enum { name: "secret".into() }),
            with_default(
                "since",
                DataType::Timestamp { precision: Some(9), with_zone: true },
                "now()",
            ),
            with_default("token", DataType::Binary { length: Some(16) }, "(randomblob(16))"),
            ColumnSchema::new("tags", DataType::List { of: Box::new(text()) }),
            ColumnSchema::new("visits", DataType::Uint64),
        ],
    );
    table.primary_key = Some(Key { name: Some("customers_pk".into()), ..key(&["id"]) });
    table.unique = vec![key(&["mail"])];
    table.checks = vec![
        check("visits >= 0 AND (mood <> 'sad' OR mail IS NOT NULL)"),
        check("mail LIKE '%@%'"),
        Check { name: Some("vip".into()), condition: Words::Digest("d".into()) },
    ];
    table.indexes = vec![
        index("customers_by_since", &["since", "id"], None),
        index("customers_often", &["visits"], Some("visits > 100")),
        index("customers_strange", &["visits"], Some("abs(visits) > 100")),
    ];
    table.comment = Some(Words::kept("People"));
    table
}

fn orders() -> TableSchema {
    let mut net = ColumnSchema::new("net", decimal(12, 2));
    net.generated = Some(Generated { stored: true, expression: Words::kept("gross - tax") });
    let mut shout = ColumnSchema::new("shout", text());
    shout.generated = Some(Generated { stored: false, expression: Words::kept("upper(note)") });
    let mut table = TableSchema::new(
        "orders",
        vec![
            column("id", DataType::Int32),
            column("customer", DataType::Int64),
            column("day", DataType::Date),
            with_default("gross", decimal(12, 2), "0.00"),
            column("tax", decimal(12, 2)),
            net,
            ColumnSchema::new("note", text()),
            shout,
        ],
    );
    table.primary_key = Some(key(&["id", "day"]));
    table.unique = vec![key(&["id"])];
    table.checks = vec![check("((gross >= (0)::numeric) AND (tax <= gross))")];
    table.foreign_keys = vec![
        reference(&["customer"], "customers", &["id"]),
        reference(&["note"], "customers", &["id"]),
        reference(&["customer"], "customers", &["visits"]),
        reference(&["customer"], "nowhere", &["id"]),
    ];
    let bounds = |words: &str| Some(Words::kept(words));
    table.partitions = Some(Partitioning {
        strategy: PartitionStrategy::Range,
        columns: vec![Term::Column("day".into())],
        parts: vec![
            Part {
                name: "orders_2025".into(),
                bounds: bounds("FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"),
            },
            Part { name: "orders_rest".into(), bounds: bounds("DEFAULT") },
        ],
    });
    table
}

fn rich() -> SourceSchema {
    let labels = |labels: &[&str]| labels.iter().map(|label| Words::kept(*label)).collect();
    let mut schema = SourceSchema::new("crm", "postgres");
    schema.enums = vec![
        EnumType { name: "mood".into(), labels: labels(&["happy", "sad"]) },
        EnumType { name: "secret".into(), labels: vec![Words::Digest("d".into())] },
    ];
    let mut log = TableSchema::new("log", vec![column("at", DataType::Int64)]);
    log.partitions = Some(Partitioning {
        strategy: PartitionStrategy::List,
        columns: vec![Term::Column("at".into())],
        parts: vec![Part { name: "log_1".into(), bounds: Some(Words::Digest("d".into())) }],
    });
    schema.tables = vec![customers(), log, orders()];
    schema
}

#[test]
fn a_catalog_reads_as_statements_that_say_what_they_leave_out() {
    assert_eq!(postgres(&rich()), include_str!("golden.sql"));
}

/// What somebody might call a table who wants another one dropped.
const HOSTILE: &[&str] = &[
    "a\nDROP TABLE t;",
    "a\r\n-- ;",
    "\"; DROP TABLE t; --",
    "'; DROP TABLE t; --",
    "*/ DROP TABLE t; /*",
    "\\'; DROP TABLE t;",
    "$$; DROP TABLE t; $$",
    "\0",
    "",
    "pg_class",
    "ctid",
    "text",
    "a\u{2028}b\u{202e}c",
    "\\! id",
    ":x",
];

/// Every name and text is hostile, and names come in two that PostgreSQL would cut to one.
fn hostile() -> SourceSchema {
    let mut schema = SourceSchema::new("a\nDROP TABLE t;", "b\nDROP TABLE t;");
    let long = "long ".repeat(20);
    let names: Vec<_> = HOSTILE.iter().map(|name| (*name).to_owned()).collect();
    let names: Vec<_> =
        names.into_iter().chain(["1", "2"].map(|end| format!("{long}{end}"))).collect();
    for (at, name) in names.iter().enumerate() {
        let columns = names.iter().map(|name| ColumnSchema {
            default: Some(Words::kept(name)),
            comment: Some(Words::kept(name)),
            collation: Some(name.clone()),
            ..column(name, DataType::Other { name: name.clone() })
        });
        let mut table = TableSchema::new(name, columns.collect());
        table.columns.push(with_default("d", text(), &format!("'{}'", name.replace('\'', "''"))));
        table.columns.push(ColumnSchema::new("e", DataType::Enum { name: name.clone() }));
        table.comment = Some(Words::kept(name));
        table.primary_key = Some(Key { name: Some(name.clone()), columns: vec![name.clone()] });
        table.unique =
            names.iter().map(|name| Key { name: None, columns: vec![name.clone()] }).collect();
        table.checks =
            vec![check(name), Check { name: Some(name.clone()), ..check("d = 'it''s'") }];
        table.indexes = vec![index(name, &["d"], Some(name)), index(name, &["e"], None)];
        let mut reference = reference(&[name], names.get(at / 2).unwrap(), &[name]);
        reference.name = Some(name.clone());
        table.foreign_keys = vec![reference];
        schema.tables.push(table);
        schema.enums.push(EnumType { name: name.clone(), labels: vec![Words::kept(name)] });
    }
    schema
}

#[test]
fn nothing_of_a_hostile_catalog_leaves_its_quotes_or_its_comment() {
    let text = postgres(&hostile());
    assert!(text.ends_with(";\n"));
    for statement in text.lines().filter(|line| !line.trim_start().starts_with("--")) {
        let bare = unquoted(statement);
        assert!(!bare.contains("DROP") && !bare.contains("--"), "{statement}");
    }
    let control = |c: char| (c.is_control() && c != '\n') || "\u{2028}\u{202e}".contains(c);
    assert!(!text.contains(control));
}

/// A line without what stands in quotes.
fn unquoted(line: &str) -> String {
    let (mut bare, mut within, mut escapes) = (String::new(), None, false);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match within {
            Some(_) if escapes && character == '\\' => drop(characters.next()),
            Some(quote) if character == quote => {
                within = characters.next_if_eq(&quote).map(|_| quote);
            }
            Some(_) => {}
            None if character == '\'' || character == '"' => {
                within = Some(character);
                escapes = character == '\'' && bare.ends_with('E');
            }
            None => bare.push(character),
        }
    }
    assert_eq!(within, None, "{line}");
    bare
}

#[test]
fn a_table_that_postgresql_cannot_have_is_left_out_with_what_refers_to_it() {
    let columns = (0..1601).map(|at| column(&format!("c{at}"), DataType::Int32)).collect();
    let mut wide = TableSchema::new("wide", columns);
    wide.primary_key = Some(key(&["c0"]));
    let mut narrow = TableSchema::new("narrow", vec![column("c0", DataType::Int32)]);
    narrow.foreign_keys = vec![reference(&["c0"], "wide", &["c0"])];
    let mut schema = SourceSchema::new("crm", "sqlite");
    schema.tables = vec![narrow, wide];
    let expected = "\
-- crm (sqlite) for PostgreSQL

-- table wide left out: PostgreSQL has no table of so many columns

CREATE TABLE \"narrow\" (
    \"c0\" integer NOT NULL
);

-- reference of narrow (c0) to wide not translated: the table it refers to is not there
";
    assert_eq!(postgres(&schema), expected);
}

#[test]
fn conditions_are_translated_only_where_every_database_means_the_same() {
    let sql = |condition: &str| {
        let mut schema = SourceSchema::new("crm", "sqlite");
        let mut table = TableSchema::new(
            "t",
            vec![column("a", DataType::Int32), column("b", text()), column("c", DataType::Date)],
        );
        table.checks = vec![check(condition)];
        schema.tables = vec![table];
        let text = postgres(&schema);
        let check =
            text.split_once(" CHECK ").map(|(_, rest)| rest.trim_end_matches("\n);\n").to_owned());
        check.unwrap_or_default()
    };
    let translated = [
        ("a > 0", "(\"a\" > 0)"),
        ("NOT (a = 1 OR [b] = 'x')", ""),
        ("NOT (a = 1 OR \"b\" = 'x')", "(NOT ((\"a\" = 1 OR \"b\" = 'x')))"),
        ("A + 2 * (a - 1) < 10", "((\"a\" + (2 * (\"a\" - 1))) < 10)"),
        ("a NOT IN (1, -2)", "(\"a\" NOT IN (1, -2))"),
        (
            "c BETWEEN '2020-01-01' AND '2020-12-31'",
            "(\"c\" BETWEEN '2020-01-01' AND '2020-12-31')",
        ),
        ("((b)::text = ANY ((ARRAY['x'::character varying])::text[]))", "(\"b\" IN ('x'))"),
        ("b IS NOT NULL", "(\"b\" IS NOT NULL)"),
        ("b < 'x'", ""),
        ("b = 1", ""),
        ("a = 'x'", ""),
        ("a / 2 = 1", ""),
        ("length(b) > 3", ""),
        ("c > '2020-13-01'", ""),
        ("d > 0", ""),
        ("a > 0) OR (1 = 1", ""),
    ];
    for (condition, expected) in translated {
        assert_eq!(sql(condition), expected, "{condition}");
    }
    let deep = format!("{}a > 0{}", "(".repeat(5000), ")".repeat(5000));
    assert_eq!(sql(&deep), "");
}
