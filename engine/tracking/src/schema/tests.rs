//! Tests of records: one spelling, no text that nobody asked for, nothing unknown.

use super::*;

fn schema() -> SourceSchema {
    let mut column = ColumnSchema::new("status", DataType::Other { name: "set('S1','S2')".into() });
    column.declared = Some("enum ('S3')".into());
    column.default = Some(Words::kept("'S4'"));
    column.comment = Some(Words::kept("S5"));
    column.generated = Some(Generated { stored: true, expression: Words::kept("S6") });
    let mut table = TableSchema::new("orders", vec![column]);
    table.comment = Some(Words::kept("S7"));
    table.checks = vec![Check { name: None, condition: Words::kept("S8") }];
    table.indexes = vec![Index {
        name: "by_status".into(),
        unique: false,
        columns: vec![IndexColumn { term: Term::Expression(Words::kept("S9")), descending: false }],
        predicate: Some(Words::kept("S10")),
        method: None,
    }];
    table.partitions = Some(Partitioning {
        strategy: PartitionStrategy::List,
        columns: vec![Term::Expression(Words::kept("S11"))],
        parts: vec![Part { name: "p".into(), bounds: Some(Words::kept("S12")) }],
    });
    let mut schema = SourceSchema::new("crm", "sqlite");
    schema.tables = vec![table, TableSchema::new("customers", Vec::new())];
    schema.enums = vec![EnumType { name: "mood".into(), labels: vec![Words::kept("S13")] }];
    schema
}

#[test]
fn a_record_without_words_holds_no_text() {
    let record = schema().without_words(&|text| text.len().to_string());
    let json = serde_json::to_string(&record).unwrap();
    assert!(!json.contains('S') && !json.contains("kept"), "{json}");
    assert!(json.contains("\"digest\":\"4\""), "{json}");
    assert!(!format!("{record:?}").contains("S1"));
}

#[test]
fn a_canonical_record_has_one_spelling() {
    let mut other = schema();
    other.tables.reverse();
    let bytes = |schema: SourceSchema| serde_json::to_vec(&schema.canonical()).unwrap();
    assert_eq!(bytes(schema()), bytes(other));
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let json = serde_json::to_string(&schema()).unwrap();
    assert_eq!(serde_json::from_str::<SourceSchema>(&json).unwrap(), schema());
    let unknown = r#"{"source":"a","kind":"b","tables":[],"views":[]}"#;
    assert!(serde_json::from_str::<SourceSchema>(unknown).is_err());
}

#[test]
fn a_declared_type_keeps_its_bounds_unless_it_quotes() {
    let replaced = |text: &str| {
        let mut text = text.to_owned();
        replace_quoted(&mut text, &|quoted| quoted.len().to_string());
        text
    };
    assert_eq!(replaced("varchar(40)"), "varchar(40)");
    assert_eq!(replaced("enum ('a','b')"), "enum(digest 14)");
    assert_eq!(replaced("'x'"), "type(digest 3)");
    assert_eq!(replaced("TEXT of Carla Meyer"), "TEXT(digest 19)");
    assert_eq!(replaced("DOUBLE PRECISION"), "DOUBLE PRECISION");
    assert_eq!(replaced("timestamp(6) with time zone"), "timestamp(6) with time zone");
}
