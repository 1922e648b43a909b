//! Columns as the functions meet them: 64 Ki rows of values that differ, unless they come as a dictionary.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;

/// Rows of a batch.
pub(crate) const ROWS: usize = 65_536;
/// Distinct values of a dictionary.
pub(crate) const DISTINCT: usize = 1_024;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Natural {
    /// 25 ASCII characters.
    Texts,
    /// 9 to 16 digits.
    Digits,
    /// 12 to 21 ASCII characters, as names are.
    Names,
    /// Five digits.
    Postcodes,
    /// Addresses of 26 to 29 characters.
    Emails,
    /// Numbers with their country's code.
    Phones,
    /// IPv4 addresses.
    Addresses,
    /// Hardware addresses.
    Macs,
    /// UUIDs as text.
    Uuids,
    /// Web addresses.
    Urls,
    /// Notes of 60 bytes in which nothing is to be found.
    Notes,
    /// 64-bit integers below a million.
    Integers,
    /// Money: decimals of 12 digits, two of them after the point.
    Decimals,
    /// Floats.
    Floats,
    /// Dates of a hundred years.
    Dates,
    /// Instants of a hundred years, in microseconds.
    Instants,
    /// Booleans.
    Booleans,
}

/// The form of a text column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As the type's own arrays.
    Plain,
    /// As views.
    View,
    /// As a dictionary of [`DISTINCT`] values, each row a random one.
    Dictionary,
}

/// Numbers that look random and are the same each time: splitmix64, Steele, Lea and Flood, 2014.
pub(crate) fn mixed(row: usize) -> u64 {
    let mut bits = (row as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn below(row: usize, bound: u64) -> i64 {
    (mixed(row) % bound).cast_signed()
}

/// Value by value.
fn text(natural: Natural, row: usize) -> String {
    let bits = mixed(row);
    match natural {
        Natural::Texts => format!("customer-{bits:016x}"),
        Natural::Digits => {
            let length = 9 + row % 8;
            format!("{:0length$}", bits % 10_u64.pow(length as u32))
        }
        Natural::Names => {
            let first = ["Ada", "Grace", "Barbara", "Christine", "Lu", "Frances"];
            format!("{} {:x}-Lovelace", first.get(row % 6).unwrap_or(&""), bits % 0xfffff)
        }
        Natural::Postcodes => format!("{:05}", bits % 100_000),
        Natural::Emails => format!("u{:012x}@example{}.org", bits >> 16, row % 1_000),
        Natural::Phones => format!("+4930{:08}", bits % 100_000_000),
        Natural::Addresses => std::net::Ipv4Addr::from_bits((bits >> 32) as u32).to_string(),
        Natural::Macs => {
            let bytes: Vec<String> =
                bits.to_be_bytes().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            bytes.join(":")
        }
        Natural::Uuids => {
            let low = bits & 0xffff_ffff_ffff;
            format!(
                "{:08x}-{:04x}-4{:03x}-8{:03x}-{low:012x}",
                bits >> 32,
                row & 0xffff,
                bits & 0xfff,
                bits >> 52
            )
        }
        Natural::Urls => format!("https://www.example.org/path/{bits:x}?page={row}"),
        // Notes; the other kinds are no text.
        _ => {
            let note = "asked about the delivery of the last order and was told why";
            let start = (bits % 40) as usize;
            let turned =
                format!("{} {}", note.get(start..).unwrap_or(""), note.get(..start).unwrap_or(""));
            turned.chars().take(60).collect()
        }
    }
}

/// A plain column of so many rows.
pub(crate) fn plain(natural: Natural, rows: usize) -> ArrayRef {
    let days = 36_525;
    let micros = 86_400_000_000;
    match natural {
        Natural::Integers => {
            Arc::new(Int64Array::from_iter_values((0..rows).map(|row| below(row, 1_000_000))))
        }
        Natural::Decimals => Arc::new(
            Decimal128Array::from_iter_values((0..rows).map(|row| below(row, 10_000_000).into()))
                .with_data_type(DataType::Decimal128(12, 2)),
        ),
        Natural::Floats => Arc::new(Float64Array::from_iter_values(
            (0..rows).map(|row| below(row, 10_000_000) as f64 / 100.0),
        )),
        Natural::Dates => Arc::new(Date32Array::from_iter_values(
            (0..rows).map(|row| (below(row, days) - 10_000) as i32),
        )),
        Natural::Instants => Arc::new(TimestampMicrosecondArray::from_iter_values(
            (0..rows).map(|row| below(row, days * micros) - 10_000 * micros.cast_signed()),
        )),
        Natural::Booleans => {
            Arc::new((0..rows).map(|row| Some(mixed(row) & 1 == 1)).collect::<BooleanArray>())
        }
        _ => Arc::new(StringArray::from_iter_values((0..rows).map(|row| text(natural, row)))),
    }
}

/// A column of [`ROWS`] rows in a form.
pub(crate) fn column(natural: Natural, form: Form) -> ArrayRef {
    formed(&plain(natural, ROWS), form)
}

/// A plain column in another form.
pub(crate) fn formed(column: &ArrayRef, form: Form) -> ArrayRef {
    match form {
        Form::Plain => Arc::clone(column),
        Form::View => cast(column, &DataType::Utf8View).expect("text casts to views"),
        Form::Dictionary => dictionary(column, ROWS),
    }
}

/// Whose dates they are: as `how` says, and with ten rows on average for each unless all differ.
pub(crate) fn entities(how: &str) -> ArrayRef {
    let entity: fn(usize) -> i64 = match how {
        "integer, rows together" | "text, rows together" => |row| mixed(row / 10) as i64 >> 30,
        "text, all differ" => |row| mixed(row) as i64 >> 30,
        _ => |row| mixed((mixed(row) % (ROWS as u64 / 10)) as usize) as i64 >> 30,
    };
    let integers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..ROWS).map(entity)));
    match how {
        "dictionary" => column(Natural::Texts, Form::Dictionary),
        how if how.starts_with("text") => {
            let texts = cast(&integers, &DataType::Utf8).expect("integers have texts");
            formed(&texts, Form::View)
        }
        _ => integers,
    }
}

/// Bytes of the values of a text column.
pub(crate) fn text_bytes(column: &ArrayRef) -> usize {
    let plain = cast(column, &DataType::Utf8).expect("it is text");
    plain.as_string::<i32>().values().len()
}

/// A dictionary of the first [`DISTINCT`] values of a column, with so many rows.
pub(crate) fn dictionary(column: &ArrayRef, rows: usize) -> ArrayRef {
    let entries = column.slice(0, DISTINCT);
    let data_type =
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(column.data_type().clone()));
    let entries = cast(&entries, &data_type).expect("every type has a dictionary");
    let keys = Int64Array::from_iter_values((0..rows).map(|row| below(row, DISTINCT as u64)));
    take(&entries, &keys, None).expect("every key has its entry")
}
