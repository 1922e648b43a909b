//! The SQL of views, as it is written.

use arrow::datatypes::{DataType, Field, Schema};
use engine_tracking::history::*;

use crate::store::vault;

fn tenant() -> TenantKey {
    TenantKey::from_hex(&"0a".repeat(32)).unwrap()
}

#[test]
fn history() {
    let sql = vault().history_view(None).unwrap();
    assert_eq!(
        sql,
        r#"SELECT
  h."org",
  h."id",
  s."name",
  s."amount",
  s."city",
  s."hash_key",
  s."hash_diff",
  s."version",
  s."load_date",
  lead(s."load_date") OVER (PARTITION BY s."hash_key" ORDER BY s."version") AS "load_end_date",
  s."is_deleted",
  lead(s."load_date") OVER (PARTITION BY s."hash_key" ORDER BY s."version") IS NULL AND NOT s."is_deleted" AS "is_current",
  s."record_source"
FROM "people_s" AS s
JOIN "people_h" AS h ON h."hash_key" = s."hash_key""#
    );
    let bound = vault().history_view(Some(&tenant())).unwrap();
    let end = format!("\nWHERE h.\"tenant_hash_key\" = {}", tenant());
    assert_eq!(bound, sql + &end);
}

#[test]
fn current_and_as_of() {
    let sql = vault().current_view(Some(&tenant())).unwrap();
    let from = r#"FROM "people_s" AS s
JOIN (SELECT "hash_key", max("version") AS "version" FROM "people_s" GROUP BY "hash_key") AS n
  ON n."hash_key" = s."hash_key" AND n."version" = s."version"
JOIN "people_h" AS h ON h."hash_key" = s."hash_key"
WHERE NOT s."is_deleted"
  AND h."tenant_hash_key" = arrow_cast(X'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', 'FixedSizeBinary(32)')"#;
    assert!(sql.ends_with(from), "{sql}");
    let moment = "2024-02-29T12:00:00.000001999+01:00".parse().unwrap();
    let as_of = vault().as_of_view(moment, None).unwrap();
    let until = concat!(
        r#"FROM "people_s" WHERE "load_date" <= "#,
        r#"arrow_cast('2024-02-29T11:00:00.000001Z', 'Timestamp(Microsecond, Some("UTC"))')"#,
        r#" GROUP BY "hash_key""#
    );
    assert!(as_of.contains(until), "{as_of}");
}

#[test]
fn tables_of_a_tenant() {
    let of = |table| vault().table_view(table, &tenant()).unwrap();
    assert!(
        of(VaultTable::Hub).starts_with("SELECT *\nFROM \"people_h\"\nWHERE \"tenant_hash_key\" =")
    );
    let end = format!(
        "WHERE \"hash_key\" IN (SELECT \"hash_key\" FROM \"people_h\" WHERE \"tenant_hash_key\" = {})",
        tenant()
    );
    assert_eq!(of(VaultTable::Satellite), format!("SELECT *\nFROM \"people_s\"\n{end}"));
    assert_eq!(of(VaultTable::Links), format!("SELECT *\nFROM \"people_l\"\n{end}"));
}

#[test]
fn names_are_quoted_and_what_is_no_key_is_refused() {
    let export = Schema::new(vec![
        Field::new("Key \"1\"", DataType::Utf8, false),
        Field::new("x; --", DataType::Utf8, false),
    ]);
    let vault = Vault::new("a\"b", &export, &["Key \"1\""], None, &[]).unwrap();
    let sql = vault.current_view(None).unwrap();
    assert!(sql.starts_with("SELECT\n  h.\"Key \"\"1\"\"\",\n  s.\"x; --\",\n"), "{sql}");
    assert!(sql.contains("JOIN \"a\"\"b_h\" AS h"), "{sql}");
    assert!(matches!(vault.current_view(Some(&tenant())), Err(HistoryError::NoTenant)));
    assert!(matches!(vault.table_view(VaultTable::Hub, &tenant()), Err(HistoryError::NoTenant)));
    for text in ["", "0a", "zz", &"0g".repeat(32), &"0a".repeat(33), "' OR TRUE --"] {
        assert!(TenantKey::from_hex(text).is_err(), "{text}");
    }
}
