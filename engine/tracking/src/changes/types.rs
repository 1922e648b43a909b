//! Which of two types holds more.

use std::cmp::Ordering;

use super::ChangeKind;
use crate::schema::DataType;

/// The kind of change from one type to another; nothing when they are the same.
pub(super) fn kind(before: &DataType, after: &DataType) -> Option<ChangeKind> {
    match compare(before, after) {
        Some(Ordering::Equal) => None,
        Some(Ordering::Less) => Some(ChangeKind::TypeWidened),
        Some(Ordering::Greater) => Some(ChangeKind::TypeNarrowed),
        None => Some(ChangeKind::TypeChanged),
    }
}

/// `Less` where every value of the first is one of the second. Nothing where neither holds the other's
/// values, or where they are written otherwise, such as numbers and texts.
fn compare(one: &DataType, other: &DataType) -> Option<Ordering> {
    use DataType as T;
    match (one, other) {
        (T::Float32, T::Float64) => Some(Ordering::Less),
        (T::Float64, T::Float32) => Some(Ordering::Greater),
        (T::Decimal { precision, scale }, T::Decimal { precision: p, scale: s }) => {
            decimals((*precision, *scale), (*p, *s))
        }
        (T::Text { length }, T::Text { length: other })
        | (T::Binary { length }, T::Binary { length: other }) => Some(bounds(*length, *other)),
        (T::Char { length }, T::Char { length: other }) => Some(length.cmp(other)),
        (T::Time { precision, with_zone }, T::Time { precision: other, with_zone: other_zone })
        | (
            T::Timestamp { precision, with_zone },
            T::Timestamp { precision: other, with_zone: other_zone },
        ) => (with_zone == other_zone).then(|| bounds(*precision, *other)),
        (T::List { of }, T::List { of: other }) => compare(of, other),
        (T::Map { key, value }, T::Map { key: k, value: v }) => {
            both(compare(key, k)?, compare(value, v)?)
        }
        (T::Struct { fields }, T::Struct { fields: others }) => {
            if fields.len() != others.len() {
                return None;
            }
            fields.iter().zip(others).try_fold(Ordering::Equal, |so_far, (field, other)| {
                let same = field.name == other.name;
                both(so_far, same.then(|| compare(&field.data_type, &other.data_type))??)
            })
        }
        _ if one == other => Some(Ordering::Equal),
        _ => integers(integer(one)?, integer(other)?),
    }
}

/// Orders of two parts: the whole is wider only where no part is narrower.
fn both(one: Ordering, other: Ordering) -> Option<Ordering> {
    match (one, other) {
        (Ordering::Equal, order) | (order, Ordering::Equal) => Some(order),
        _ => (one == other).then_some(one),
    }
}

/// No bound is larger than any.
fn bounds<T: Ord>(one: Option<T>, other: Option<T>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => one.cmp(&other),
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}

type Digits = (Option<u32>, Option<i32>);

fn decimals(one: Digits, other: Digits) -> Option<Ordering> {
    // Digits before the point and after it: either may grow alone.
    let split = |(precision, scale): Digits| {
        let after = precision.map_or(scale, |_| Some(scale.unwrap_or(0)));
        let before = precision.map(|digits| i64::from(digits) - i64::from(after.unwrap_or(0)));
        (before, after)
    };
    let ((before, after), (other_before, other_after)) = (split(one), split(other));
    match both(bounds(before, other_before), bounds(after, other_after)) {
        // Two spellings of one type, such as decimal(10) and decimal(10,0), still differ in the record.
        Some(Ordering::Equal) if one != other => None,
        order => order,
    }
}

/// An integer's bits, and whether it has a sign.
fn integer(data_type: &DataType) -> Option<(u8, bool)> {
    Some(match data_type {
        DataType::Int8 => (8, true),
        DataType::Int16 => (16, true),
        DataType::Int32 => (32, true),
        DataType::Int64 => (64, true),
        DataType::Uint8 => (8, false),
        DataType::Uint16 => (16, false),
        DataType::Uint32 => (32, false),
        DataType::Uint64 => (64, false),
        _ => return None,
    })
}

fn integers(one: (u8, bool), other: (u8, bool)) -> Option<Ordering> {
    match (one, other) {
        ((bits, sign), (other_bits, other_sign)) if sign == other_sign => {
            Some(bits.cmp(&other_bits))
        }
        ((bits, false), (other_bits, true)) => (bits < other_bits).then_some(Ordering::Less),
        ((bits, _), (other_bits, _)) => (bits > other_bits).then_some(Ordering::Greater),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(precision: u32, scale: i32) -> DataType {
        DataType::Decimal { precision: Some(precision), scale: Some(scale) }
    }

    fn text(length: u64) -> DataType {
        DataType::Text { length: Some(length) }
    }

    fn list(of: DataType) -> DataType {
        DataType::List { of: Box::new(of) }
    }

    #[test]
    fn a_type_that_holds_more_is_wider_and_the_reverse_narrower() {
        let unbounded = DataType::Text { length: None };
        let any_decimal = DataType::Decimal { precision: None, scale: None };
        let seconds = DataType::Timestamp { precision: Some(0), with_zone: true };
        let micros = DataType::Timestamp { precision: Some(6), with_zone: true };
        let cases = [
            (DataType::Int32, DataType::Int64),
            (DataType::Uint8, DataType::Uint64),
            (DataType::Uint8, DataType::Int16),
            (DataType::Float32, DataType::Float64),
            (text(20), text(40)),
            (text(20), unbounded),
            (decimal(10, 2), decimal(12, 2)),
            (decimal(10, 2), decimal(12, 4)),
            (decimal(10, 2), any_decimal),
            (list(text(1)), list(text(2))),
            (seconds, micros),
        ];
        for (narrow, wide) in cases {
            assert_eq!(kind(&narrow, &wide), Some(ChangeKind::TypeWidened), "{narrow} {wide}");
            assert_eq!(kind(&wide, &narrow), Some(ChangeKind::TypeNarrowed), "{wide} {narrow}");
            assert_eq!(kind(&wide, &wide), None);
        }
    }

    #[test]
    fn a_type_that_neither_holds_nor_is_held_is_another() {
        let zoned = |with_zone| DataType::Timestamp { precision: None, with_zone };
        let cases = [
            (DataType::Int32, DataType::Text { length: None }),
            (DataType::Int32, DataType::Uint32),
            (DataType::Int64, DataType::Float64),
            (decimal(10, 2), decimal(10, 4)),
            (decimal(10, 0), DataType::Decimal { precision: Some(10), scale: None }),
            (DataType::Char { length: 3 }, text(30)),
            (zoned(true), zoned(false)),
        ];
        for (one, other) in cases {
            assert_eq!(kind(&one, &other), Some(ChangeKind::TypeChanged), "{one} {other}");
            assert_eq!(kind(&other, &one), Some(ChangeKind::TypeChanged), "{other} {one}");
        }
    }
}
