//! The types a column can be declared with, and calendar dates.

use std::fmt;
use std::str::FromStr;

/// A declared column type, written as in the doc comment of each variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnType {
    /// `bool`
    Bool,
    /// `int8`
    Int8,
    /// `int16`
    Int16,
    /// `int32`
    Int32,
    /// `int64`
    Int64,
    /// `uint8`
    UInt8,
    /// `uint16`
    UInt16,
    /// `uint32`
    UInt32,
    /// `uint64`
    UInt64,
    /// `float32`
    Float32,
    /// `float64`
    Float64,
    /// `decimal(p,s)`: up to 38 digits, of which `s` after the point.
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// `string`, UTF-8
    String,
    /// `binary`
    Binary,
    /// `date`, without a time
    Date,
    /// `time` of a day, without a date
    Time,
    /// `timestamp` in microseconds, without a time zone
    Timestamp,
    /// `timestamptz` in microseconds, an instant in UTC
    TimestampTz,
}

/// Every type without parameters and its name.
const PLAIN: [(&str, ColumnType); 17] = [
    ("bool", ColumnType::Bool),
    ("int8", ColumnType::Int8),
    ("int16", ColumnType::Int16),
    ("int32", ColumnType::Int32),
    ("int64", ColumnType::Int64),
    ("uint8", ColumnType::UInt8),
    ("uint16", ColumnType::UInt16),
    ("uint32", ColumnType::UInt32),
    ("uint64", ColumnType::UInt64),
    ("float32", ColumnType::Float32),
    ("float64", ColumnType::Float64),
    ("string", ColumnType::String),
    ("binary", ColumnType::Binary),
    ("date", ColumnType::Date),
    ("time", ColumnType::Time),
    ("timestamp", ColumnType::Timestamp),
    ("timestamptz", ColumnType::TimestampTz),
];

impl ColumnType {
    /// The names to list in a message about an unknown type.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        let plain = PLAIN.iter().map(|(name, _)| *name);
        plain.chain(std::iter::once("decimal(p,s)")).collect()
    }

    /// The name without parameters: `decimal` for `decimal(10,2)`.
    #[must_use]
    pub fn family(self) -> &'static str {
        let plain = PLAIN.iter().find(|(_, column_type)| *column_type == self);
        plain.map_or("decimal", |(name, _)| *name)
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            other => f.write_str(other.family()),
        }
    }
}

/// Text that is no column type, or no calendar date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseTypeError {
    /// No type of this name.
    #[error("no such column type")]
    UnknownType,
    /// `decimal` without, or with impossible, digits.
    #[error(
        "decimal takes (precision, scale) with 1 to 38 digits, and no more digits after the point than in all"
    )]
    Decimal,
    /// Not `YYYY-MM-DD`, or a day that does not exist.
    #[error("not a date of the form YYYY-MM-DD")]
    Date,
}

impl FromStr for ColumnType {
    type Err = ParseTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Some((_, column_type)) = PLAIN.iter().find(|(name, _)| *name == text) {
            return Ok(*column_type);
        }
        let Some(digits) = text.strip_prefix("decimal") else {
            return Err(ParseTypeError::UnknownType);
        };
        let inner = digits.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let (precision, scale) =
            inner.and_then(|inner| inner.split_once(',')).ok_or(ParseTypeError::Decimal)?;
        let precision: u8 = precision.trim().parse().map_err(|_| ParseTypeError::Decimal)?;
        let scale: u8 = scale.trim().parse().map_err(|_| ParseTypeError::Decimal)?;
        if (1..=38).contains(&precision) && scale <= precision {
            Ok(Self::Decimal { precision, scale })
        } else {
            Err(ParseTypeError::Decimal)
        }
    }
}

/// The type part of a rule's `match`: a type, or `decimal` for decimals of any size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypePattern {
    /// Exactly this type.
    Exact(ColumnType),
    /// Every `decimal(p,s)`.
    AnyDecimal,
}

impl TypePattern {
    /// Whether a column of this type is meant.
    #[must_use]
    pub fn matches(self, column_type: ColumnType) -> bool {
        match self {
            Self::Exact(wanted) => wanted == column_type,
            Self::AnyDecimal => matches!(column_type, ColumnType::Decimal { .. }),
        }
    }
}

impl FromStr for TypePattern {
    type Err = ParseTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() == "decimal" { Ok(Self::AnyDecimal) } else { text.parse().map(Self::Exact) }
    }
}

impl fmt::Display for TypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(column_type) => column_type.fmt(f),
            Self::AnyDecimal => f.write_str("decimal"),
        }
    }
}

/// A day of the proleptic Gregorian calendar (ISO 8601), written `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// 0 to 9999
    pub year: u16,
    /// 1 to 12
    pub month: u8,
    /// 1 to 31
    pub day: u8,
}

impl FromStr for Date {
    type Err = ParseTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |range: std::ops::Range<usize>| -> Result<u16, ParseTypeError> {
            let digits =
                text.get(range).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
            digits.and_then(|digits| digits.parse().ok()).ok_or(ParseTypeError::Date)
        };
        let dashes = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u16::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        if text.len() != 10 || !dashes || day == 0 || day > days {
            return Err(ParseTypeError::Date);
        }
        let small = |value: u16| u8::try_from(value).map_err(|_| ParseTypeError::Date);
        Ok(Self { year, month: small(month)?, day: small(day)? })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_as_it_is_written() {
        for name in ColumnType::names().iter().filter(|name| !name.contains('(')) {
            assert_eq!(name.parse::<ColumnType>().unwrap().to_string(), **name);
        }
        assert_eq!("decimal( 10 , 2 )".parse::<ColumnType>().unwrap().to_string(), "decimal(10,2)");
    }

    #[test]
    fn impossible_types_are_refused() {
        for text in [
            "decimal",
            "decimal(0,0)",
            "decimal(39,1)",
            "decimal(3,4)",
            "decimal(10)",
            "decimal(1,2",
        ] {
            assert_eq!(text.parse::<ColumnType>(), Err(ParseTypeError::Decimal), "{text}");
        }
        for text in ["", "int", "String", "varchar(10)"] {
            assert_eq!(text.parse::<ColumnType>(), Err(ParseTypeError::UnknownType), "{text}");
        }
    }

    #[test]
    fn dates_exist_in_the_calendar() {
        for text in ["2024-02-29", "2000-02-29", "2027-06-30", "0000-01-01"] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-04-31",
            "2024-1-01",
            "2024-01-011",
            "+024-01-01",
            "ä024-1-1",
        ] {
            assert_eq!(text.parse::<Date>(), Err(ParseTypeError::Date), "{text}");
        }
    }
}
