//! What a declared type of SQLite is recorded as.

use arrow::datatypes::DataType as ArrowType;
use engine_tracking::schema::DataType;

use super::catalog::arrow_type;
use crate::recorded::recorded;

/// The recorded type of a declared one: what its values are read as, with the length that was written. SQLite
/// itself keeps to no length.
pub(crate) fn recorded_type(declared: &str) -> DataType {
    let upper = declared.to_ascii_uppercase();
    let base = upper.split('(').next().unwrap_or_default().trim();
    match base {
        "JSON" | "JSONB" => return DataType::Json,
        "UUID" | "GUID" => return DataType::Uuid,
        _ => {}
    }
    let digits = upper.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let length = digits.and_then(|(digits, _)| digits.trim().parse().ok());
    match (arrow_type(declared), length) {
        (ArrowType::Utf8, Some(length)) if matches!(base, "CHAR" | "CHARACTER" | "NCHAR") => {
            DataType::Char { length }
        }
        (ArrowType::Utf8, length) => DataType::Text { length },
        (ArrowType::Binary, length) => DataType::Binary { length },
        (other, _) => recorded(&other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_recorded() {
        let text = |length| DataType::Text { length };
        let cases = [
            ("VARCHAR(40)", text(Some(40))),
            ("NVARCHAR( 160 )", text(Some(160))),
            ("TEXT", text(None)),
            ("", text(None)),
            ("CHAR(2)", DataType::Char { length: 2 }),
            ("BLOB", DataType::Binary { length: None }),
            ("BIGINT", DataType::Int64),
            ("NUMERIC(10,2)", DataType::Decimal { precision: Some(10), scale: Some(2) }),
            ("DATETIME", DataType::Timestamp { precision: Some(6), with_zone: false }),
            ("json", DataType::Json),
        ];
        for (declared, expected) in cases {
            assert_eq!(recorded_type(declared), expected, "{declared}");
        }
    }
}
