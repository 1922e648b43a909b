//! Types of columns as the engine names them, whatever a source calls them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a column holds. A length or precision that is `None` is one the source sets no bound to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DataType {
    /// True or false.
    Boolean,
    /// Signed, 8 bits.
    Int8,
    /// Signed, 16 bits.
    Int16,
    /// Signed, 32 bits.
    Int32,
    /// Signed, 64 bits.
    Int64,
    /// Unsigned, 8 bits.
    Uint8,
    /// Unsigned, 16 bits.
    Uint16,
    /// Unsigned, 32 bits.
    Uint32,
    /// Unsigned, 64 bits.
    Uint64,
    /// Exact decimal numbers.
    Decimal {
        /// All digits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        precision: Option<u32>,
        /// Digits after the point; negative for digits before it that are rounded away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scale: Option<i32>,
    },
    /// IEEE 754, 32 bits.
    Float32,
    /// IEEE 754, 64 bits.
    Float64,
    /// Text of any length up to the bound.
    Text {
        /// The longest, in characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        length: Option<u64>,
    },
    /// Text of one length, padded.
    Char {
        /// Characters.
        length: u64,
    },
    /// Bytes.
    Binary {
        /// The longest, in bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        length: Option<u64>,
    },
    /// A day.
    Date,
    /// A time of day.
    Time {
        /// Digits of a second's fraction.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        precision: Option<u8>,
        /// Whether the value names its zone.
        with_zone: bool,
    },
    /// A day and a time of day.
    Timestamp {
        /// Digits of a second's fraction.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        precision: Option<u8>,
        /// Whether the value is a point in time, not only what a clock showed.
        with_zone: bool,
    },
    /// A length of time.
    Interval,
    /// A UUID.
    Uuid,
    /// A JSON document.
    Json,
    /// One of the labels of an [`EnumType`](super::EnumType).
    Enum {
        /// The enum's name.
        name: String,
    },
    /// Values of one type, in order.
    List {
        /// What it holds.
        of: Box<DataType>,
    },
    /// Named fields.
    Struct {
        /// In order.
        fields: Vec<Field>,
    },
    /// Values by key.
    Map {
        /// What the keys are.
        key: Box<DataType>,
        /// What the values are.
        value: Box<DataType>,
    },
    /// A type the engine has no word for, under the source's own name.
    Other {
        /// The source's name for it.
        name: String,
    },
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub data_type: DataType,
}

/// In few words: `decimal(10,2)`, `text(40)`, `list of int32`.
impl fmt::Display for DataType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal { precision: Some(precision), scale: Some(scale) } => {
                write!(out, "decimal({precision},{scale})")
            }
            Self::Decimal { precision: Some(precision), scale: None } => {
                write!(out, "decimal({precision})")
            }
            Self::Decimal { precision: None, scale: Some(scale) } => {
                write!(out, "decimal(,{scale})")
            }
            Self::Text { length } => bounded(out, "text", *length),
            Self::Char { length } => bounded(out, "char", Some(*length)),
            Self::Binary { length } => bounded(out, "binary", *length),
            Self::Time { precision, with_zone } => timed(out, "time", *precision, *with_zone),
            Self::Timestamp { precision, with_zone } => {
                timed(out, "timestamp", *precision, *with_zone)
            }
            Self::Enum { name } => write!(out, "enum {name}"),
            Self::List { of } => write!(out, "list of {of}"),
            Self::Struct { fields } => structure(out, fields),
            Self::Map { key, value } => write!(out, "map of {key} to {value}"),
            Self::Other { name } => write!(out, "other {name}"),
            _ => out.write_str(self.word()),
        }
    }
}

impl DataType {
    /// The type's name without its bounds, as it is written in a record.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Decimal { .. } => "decimal",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Text { .. } => "text",
            Self::Char { .. } => "char",
            Self::Binary { .. } => "binary",
            Self::Date => "date",
            Self::Time { .. } => "time",
            Self::Timestamp { .. } => "timestamp",
            Self::Interval => "interval",
            Self::Uuid => "uuid",
            Self::Json => "json",
            Self::Enum { .. } => "enum",
            Self::List { .. } => "list",
            Self::Struct { .. } => "struct",
            Self::Map { .. } => "map",
            Self::Other { .. } => "other",
        }
    }
}

fn bounded(out: &mut fmt::Formatter<'_>, word: &str, length: Option<u64>) -> fmt::Result {
    out.write_str(word)?;
    length.map_or(Ok(()), |length| write!(out, "({length})"))
}

fn timed(
    out: &mut fmt::Formatter<'_>,
    word: &str,
    precision: Option<u8>,
    with_zone: bool,
) -> fmt::Result {
    bounded(out, word, precision.map(u64::from))?;
    out.write_str(if with_zone { " with time zone" } else { "" })
}

fn structure(out: &mut fmt::Formatter<'_>, fields: &[Field]) -> fmt::Result {
    out.write_str("struct(")?;
    for (index, Field { name, data_type }) in fields.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(out, "{separator}{name} {data_type}")?;
    }
    out.write_str(")")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_said_in_few_words() {
        let shown = |data_type: DataType| data_type.to_string();
        assert_eq!(
            shown(DataType::Decimal { precision: Some(10), scale: Some(2) }),
            "decimal(10,2)"
        );
        assert_eq!(shown(DataType::Decimal { precision: None, scale: None }), "decimal");
        assert_eq!(shown(DataType::Text { length: Some(40) }), "text(40)");
        assert_eq!(
            shown(DataType::Timestamp { precision: Some(3), with_zone: true }),
            "timestamp(3) with time zone"
        );
        let fields = vec![
            Field { name: "a".to_owned(), data_type: DataType::Int32 },
            Field { name: "b".to_owned(), data_type: DataType::Text { length: None } },
        ];
        let of = Box::new(DataType::Struct { fields });
        assert_eq!(shown(DataType::List { of }), "list of struct(a int32, b text)");
    }

    #[test]
    fn a_record_names_types_as_words() {
        let json = |data_type: &DataType| serde_json::to_string(data_type).unwrap();
        assert_eq!(json(&DataType::Int8), "\"int8\"");
        assert_eq!(json(&DataType::Text { length: None }), r#"{"text":{}}"#);
        assert_eq!(
            json(&DataType::Decimal { precision: Some(10), scale: Some(2) }),
            r#"{"decimal":{"precision":10,"scale":2}}"#
        );
        let unknown = r#"{"text":{"len":3}}"#;
        assert!(serde_json::from_str::<DataType>(unknown).is_err());
    }
}
