//! Which PostgreSQL type stands for which of the engine's, and what is lost on the way.

use crate::schema::DataType;

/// One line of the table of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The engine's type; `n`, `p` and `s` stand for its bounds.
    pub logical: &'static str,
    /// PostgreSQL's type.
    pub postgres: &'static str,
    /// What the latter does not keep.
    pub lost: Option<&'static str>,
}

const fn line(
    logical: &'static str,
    postgres: &'static str,
    lost: Option<&'static str>,
) -> Mapping {
    Mapping { logical, postgres, lost }
}

/// The table of types.
pub const MAPPING: &[Mapping] = &[
    line("boolean", "boolean", None),
    line("int8", "smallint", None),
    line("int16", "smallint", None),
    line("int32", "integer", None),
    line("int64", "bigint", None),
    line("uint8", "smallint", None),
    line("uint16", "integer", None),
    line("uint32", "bigint", None),
    line("uint64", "numeric(20)", None),
    line("decimal", "numeric", None),
    line("decimal(p,s)", "numeric(p,s)", None),
    line("float32", "real", None),
    line("float64", "double precision", None),
    line("text", "text", None),
    line("text(n)", "varchar(n)", None),
    line("char(n)", "char(n)", None),
    line("binary", "bytea", None),
    line("binary(n)", "bytea", Some("the longest length")),
    line("date", "date", None),
    line("time", "time", Some("fractions below a microsecond")),
    line("time with time zone", "time with time zone", Some("fractions below a microsecond")),
    line("timestamp", "timestamp", Some("fractions below a microsecond")),
    line("timestamp with time zone", "timestamp with time zone", Some("the zone itself")),
    line("interval", "interval", None),
    line("uuid", "uuid", None),
    line("json", "jsonb", Some("the order of keys and the spelling")),
    line("enum", "enum", None),
    line("enum without labels", "text", Some("which labels there are")),
    line("list", "array", None),
    line("list of lists, structs or maps", "jsonb", Some("the types within")),
    line("struct", "jsonb", Some("the types within")),
    line("map", "jsonb", Some("the types within")),
    line("other", "text", Some("the type")),
];

/// The largest precision of PostgreSQL's `numeric`.
const PRECISION_MAX: u32 = 1000;
/// The longest `varchar` and `char`, in characters.
const LENGTH_MAX: u64 = 10_485_760;
/// Digits of a second that PostgreSQL keeps.
const FRACTION_MAX: u8 = 6;

/// What values of a type are compared with and written as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Boolean,
    /// Bits.
    Integer(u32),
    /// Digits before and after the point.
    Numeric(Option<(i64, i64)>),
    /// Bits.
    Float(u32),
    /// The longest, in characters.
    Text(Option<u64>),
    Char(u64),
    /// The labels' type, by its name in the source.
    Enum(String),
    Date,
    Timestamp,
    Uuid,
    /// Anything else, by PostgreSQL's name.
    Opaque(String),
}

impl Family {
    /// Whether PostgreSQL can look values of the one up among those of the other.
    pub(super) fn comparable(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer(_), Self::Integer(_))
            | (Self::Numeric(_), Self::Numeric(_))
            | (Self::Float(_), Self::Float(_))
            | (Self::Text(_), Self::Text(_))
            | (Self::Char(_), Self::Char(_)) => true,
            _ => self == other,
        }
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Integer(_) | Self::Numeric(_) | Self::Float(_))
    }
}

/// A type in PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) sql: String,
    pub(super) family: Family,
    pub(super) lost: Option<&'static str>,
}

/// The type in PostgreSQL, given what an enum is called there where it exists.
pub(super) fn mapped(data_type: &DataType, enums: &dyn Fn(&str) -> Option<String>) -> Mapped {
    use DataType as T;
    match data_type {
        T::Decimal { precision, scale } => decimal(*precision, scale.unwrap_or(0)),
        T::Text { length: Some(length @ 1..=LENGTH_MAX) } => {
            from("text(n)", Some(&length.to_string()), Family::Text(Some(*length)))
        }
        T::Char { length: length @ 1..=LENGTH_MAX } => {
            from("char(n)", Some(&length.to_string()), Family::Char(*length))
        }
        T::Text { .. } | T::Char { .. } => from("text", None, Family::Text(None)),
        T::Binary { length } => {
            let logical = if length.is_some() { "binary(n)" } else { "binary" };
            from(logical, None, Family::Opaque("bytea".to_owned()))
        }
        T::Time { precision, with_zone } => timed("time", *precision, *with_zone),
        T::Timestamp { precision, with_zone } => timed("timestamp", *precision, *with_zone),
        T::Enum { name } => match enums(name) {
            Some(sql) => Mapped { sql, ..from("enum", None, Family::Enum(name.clone())) },
            None => from("enum without labels", None, Family::Text(None)),
        },
        T::List { of } => list(of, enums),
        other => from(other.word(), None, family(other)),
    }
}

/// The line of the table, with the bounds in their place.
fn from(logical: &str, bounds: Option<&str>, family: Family) -> Mapped {
    let line = MAPPING.iter().find(|line| line.logical == logical);
    let (postgres, lost) = line.map_or(("text", None), |line| (line.postgres, line.lost));
    let sql = match (postgres.split_once('('), bounds) {
        (Some((name, _)), Some(bounds)) => format!("{name}({bounds})"),
        _ => postgres.to_owned(),
    };
    Mapped { sql, family, lost }
}

fn family(data_type: &DataType) -> Family {
    use DataType as T;
    match data_type {
        T::Boolean => Family::Boolean,
        T::Int8 | T::Int16 | T::Uint8 => Family::Integer(16),
        T::Int32 | T::Uint16 => Family::Integer(32),
        T::Int64 | T::Uint32 => Family::Integer(64),
        T::Uint64 => Family::Numeric(Some((20, 0))),
        T::Float32 => Family::Float(32),
        T::Float64 => Family::Float(64),
        T::Date => Family::Date,
        T::Uuid => Family::Uuid,
        T::Other { .. } => Family::Text(None),
        T::Interval => Family::Opaque("interval".to_owned()),
        _ => Family::Opaque("jsonb".to_owned()),
    }
}

fn decimal(precision: Option<u32>, scale: i32) -> Mapped {
    let (digits, places) = (i64::from(precision.unwrap_or(0)), i64::from(scale));
    match precision {
        Some(precision @ 1..=PRECISION_MAX)
            if places.unsigned_abs() <= u64::from(PRECISION_MAX) =>
        {
            let family = Family::Numeric(Some((digits - places, places)));
            from("decimal(p,s)", Some(&format!("{precision},{scale}")), family)
        }
        Some(_) => Mapped {
            lost: Some("the precision, which is more than PostgreSQL bounds"),
            ..from("decimal", None, Family::Numeric(None))
        },
        None => from("decimal", None, Family::Numeric(None)),
    }
}

/// The precision stands between the word and the zone.
fn timed(word: &str, precision: Option<u8>, with_zone: bool) -> Mapped {
    let logical = if with_zone { format!("{word} with time zone") } else { word.to_owned() };
    let family = match word {
        "timestamp" if !with_zone => Family::Timestamp,
        _ => Family::Opaque(logical.clone()),
    };
    let plain = from(&logical, None, family);
    let digits = precision.map(|digits| format!("{word}({})", digits.min(FRACTION_MAX)));
    let sql = digits.map_or(plain.sql.clone(), |digits| plain.sql.replacen(word, &digits, 1));
    let is_cut = precision.is_some_and(|digits| digits > FRACTION_MAX);
    Mapped { sql, lost: is_cut.then_some("fractions below a microsecond"), ..plain }
}

fn list(of: &DataType, enums: &dyn Fn(&str) -> Option<String>) -> Mapped {
    let nested = |of: &DataType| {
        matches!(of, DataType::List { .. } | DataType::Struct { .. } | DataType::Map { .. })
    };
    if nested(of) {
        let family = Family::Opaque("jsonb".to_owned());
        return from("list of lists, structs or maps", None, family);
    }
    let element = mapped(of, enums);
    let sql = format!("{}[]", element.sql);
    Mapped { family: Family::Opaque(sql.clone()), sql, lost: element.lost }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(data_type: &DataType) -> String {
        mapped(data_type, &|_| None).sql
    }

    #[test]
    fn types_keep_their_bounds_where_postgresql_has_them() {
        let decimal =
            |precision, scale| DataType::Decimal { precision: Some(precision), scale: Some(scale) };
        let timestamp = |precision, with_zone| DataType::Timestamp { precision, with_zone };
        assert_eq!(sql(&DataType::Uint64), "numeric(20)");
        assert_eq!(sql(&decimal(10, 2)), "numeric(10,2)");
        assert_eq!(sql(&decimal(1001, 2)), "numeric");
        assert_eq!(sql(&DataType::Text { length: Some(40) }), "varchar(40)");
        assert_eq!(sql(&DataType::Text { length: Some(LENGTH_MAX + 1) }), "text");
        assert_eq!(sql(&timestamp(Some(3), true)), "timestamp(3) with time zone");
        assert_eq!(sql(&timestamp(Some(9), false)), "timestamp(6)");
        assert_eq!(sql(&DataType::List { of: Box::new(DataType::Int32) }), "integer[]");
        let lists =
            DataType::List { of: Box::new(DataType::List { of: Box::new(DataType::Date) }) };
        assert_eq!(sql(&lists), "jsonb");
    }

    #[test]
    fn every_type_is_in_the_table_once() {
        let mut names: Vec<_> = MAPPING.iter().map(|line| line.logical).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), MAPPING.len());
        for word in [
            "boolean", "int8", "uint64", "date", "interval", "uuid", "json", "struct", "map",
            "other",
        ] {
            assert!(names.contains(&word), "{word}");
        }
    }
}
