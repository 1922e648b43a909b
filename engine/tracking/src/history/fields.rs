//! What changed from version to version of one key.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::columns::{self, IS_DELETED, LOAD_DATE, VERSION};
use super::encode;
use super::error::HistoryError;
use super::vault::Vault;
use crate::retention::Moment;

/// What a version did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionKind {
    /// The key was new.
    Inserted,
    /// Some values changed.
    Changed,
    /// The key was gone.
    Deleted,
    /// The key was there again.
    Returned,
}

impl VersionKind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Inserted => "inserted",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Returned => "returned",
        }
    }
}

/// A version of a key, and what is other than in the version before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionChange {
    /// Its number.
    pub version: i64,
    /// When it was loaded.
    pub load_date: Moment,
    /// What it did.
    pub kind: VersionKind,
    /// The columns that differ, in the satellite's order. Where there is no row, before an insertion and
    /// after a deletion, every column is null.
    pub fields: Vec<FieldChange>,
}

/// A column that differs, with its exported values as text; nothing is null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// The column.
    pub column: String,
    /// Its value in the version before.
    pub before: Option<String>,
    /// Its value in this one.
    pub after: Option<String>,
}

impl Vault {
    /// What each version changed. `versions` are the rows of the satellite of one key, by version. Where
    /// the first ones are missing, the first that is there counts as changed, from nothing. Values are equal
    /// when their encodings are, as for hash diffs.
    ///
    /// # Errors
    /// [`HistoryError`] when a column is missing or has another type, or a value cannot be shown.
    pub fn changes(&self, versions: &RecordBatch) -> Result<Vec<VersionChange>, HistoryError> {
        let numbers = columns::typed(versions, VERSION, &columns::version_type())?;
        let numbers = numbers.as_primitive::<Int64Type>().values();
        let dates = columns::typed(versions, LOAD_DATE, &columns::date_type())?;
        let dates = dates.as_primitive::<TimestampMicrosecondType>().values();
        let deleted =
            columns::typed(versions, IS_DELETED, &DataType::Boolean)?.as_boolean().values();
        let values = self
            .values()
            .iter()
            .map(|field| Shown::new(field.name(), columns::named(versions, field.name())?));
        let values: Vec<Shown<'_>> = values.collect::<Result<_, _>>()?;
        let mut before: Option<(usize, bool)> = None;
        let rows = numbers.iter().zip(dates).zip(deleted).enumerate();
        rows.map(|(row, ((version, date), is_deleted))| {
            let there = before.filter(|(_, was_deleted)| !was_deleted).map(|(row, _)| row);
            let kind = match (before, is_deleted) {
                (_, true) => VersionKind::Deleted,
                (Some((_, true)), false) => VersionKind::Returned,
                (None, false) if *version == 1 => VersionKind::Inserted,
                _ => VersionKind::Changed,
            };
            before = Some((row, is_deleted));
            let after = (!is_deleted).then_some(row);
            let fields = values.iter().filter_map(|column| column.change(there, after).transpose());
            Ok(VersionChange {
                version: *version,
                load_date: Moment::from_timestamp_micros(*date).unwrap_or_default(),
                kind,
                fields: fields.collect::<Result<_, HistoryError>>()?,
            })
        })
        .collect()
    }
}

/// A column whose values can be compared and shown.
struct Shown<'a> {
    name: &'a str,
    column: &'a ArrayRef,
    formatter: ArrayFormatter<'a>,
    encoded: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl<'a> Shown<'a> {
    fn new(name: &'a str, column: &'a ArrayRef) -> Result<Self, HistoryError> {
        let values = encode::values(column.as_ref())?;
        let mut encoded = Vec::new();
        let places = (0..column.len()).map(|row| {
            let start = encoded.len();
            values.write(row, &mut encoded);
            start..encoded.len()
        });
        let places = places.collect();
        let options = FormatOptions::new().with_display_error(false);
        let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
        Ok(Self { name, column, formatter, encoded, places })
    }

    fn change(
        &self,
        before: Option<usize>,
        after: Option<usize>,
    ) -> Result<Option<FieldChange>, HistoryError> {
        if self.bytes(before) == self.bytes(after) {
            return Ok(None);
        }
        Ok(Some(FieldChange {
            column: self.name.to_owned(),
            before: self.text(before)?,
            after: self.text(after)?,
        }))
    }

    /// The encoding of a value; nothing for null, and where there is no row.
    fn bytes(&self, row: Option<usize>) -> Option<&[u8]> {
        let place = self.places.get(row?)?;
        self.encoded.get(place.clone()).filter(|bytes| *bytes != [encode::NULL])
    }

    fn text(&self, row: Option<usize>) -> Result<Option<String>, HistoryError> {
        match row {
            Some(row) if self.bytes(Some(row)).is_some() && row < self.column.len() => {
                Ok(Some(self.formatter.value(row).try_to_string()?))
            }
            _ => Ok(None),
        }
    }
}
