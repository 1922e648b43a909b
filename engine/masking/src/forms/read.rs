//! Texts that are read to numbers, changed many at a time, and written the same way again.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, GenericStringArray, OffsetSizeTrait, StringArrayType, StringViewArray,
};
use arrow::datatypes::DataType;

use super::{Counted, Fit, ROWS_TOGETHER, TextBuilder, Unfit, not_text};
use crate::error::MaskError;

/// Maps text that `read` understands to text of the same form, many values at a time: `change` is given
/// what was read of them, `write` appends the masked value (UTF-8). What `read` does not understand is
/// given to `misfit`, which may append something else. Null stays null, empty stays empty.
pub(crate) fn map_read<V: Copy, F: Copy>(
    column: &ArrayRef,
    read: impl Fn(&str) -> Option<(V, F)>,
    change: impl Fn(&mut [V]),
    write: impl Fn(V, F, &mut Vec<u8>),
    misfit: impl Fn(&str, &mut Vec<u8>) -> Fit,
) -> Result<Counted, MaskError> {
    let ways = Ways { read, change, write, misfit };
    let mut unfit = Unfit::default();
    let masked: ArrayRef = match column.data_type() {
        DataType::Utf8 => {
            Arc::new(ways.rewrite::<i32, _, _, _>(&column.as_string::<i32>(), &mut unfit)?)
        }
        DataType::LargeUtf8 => {
            Arc::new(ways.rewrite::<i64, _, _, _>(&column.as_string::<i64>(), &mut unfit)?)
        }
        DataType::Utf8View => {
            let text = ways.rewrite::<i32, _, _, _>(&column.as_string_view(), &mut unfit)?;
            Arc::new(StringViewArray::from(&text))
        }
        found => return Err(not_text(found)),
    };
    Ok((masked, unfit.places))
}

/// What stands in a row of text.
enum Row<F> {
    Nothing,
    Unfit,
    Read(F),
}

/// The four steps of [`map_read`].
struct Ways<R, C, W, M> {
    read: R,
    change: C,
    write: W,
    misfit: M,
}

impl<R, C, W, M> Ways<R, C, W, M> {
    fn rewrite<'a, O: OffsetSizeTrait, A: StringArrayType<'a>, V: Copy, F: Copy>(
        &self,
        column: &A,
        unfit: &mut Unfit,
    ) -> Result<GenericStringArray<O>, MaskError>
    where
        R: Fn(&str) -> Option<(V, F)>,
        C: Fn(&mut [V]),
        W: Fn(V, F, &mut Vec<u8>),
        M: Fn(&str, &mut Vec<u8>) -> Fit,
    {
        let mut builder = TextBuilder::with_rows(column.len());
        let mut values = Vec::with_capacity(ROWS_TOGETHER);
        let mut rows = Vec::with_capacity(ROWS_TOGETHER);
        for start in (0..column.len()).step_by(ROWS_TOGETHER) {
            values.clear();
            rows.clear();
            for row in start..column.len().min(start + ROWS_TOGETHER) {
                rows.push(match (column.is_null(row), column.value(row)) {
                    (true, _) | (false, "") => Row::Nothing,
                    (false, text) => (self.read)(text).map_or(Row::Unfit, |(value, form)| {
                        values.push(value);
                        Row::Read(form)
                    }),
                });
            }
            (self.change)(&mut values);
            let mut changed = values.iter();
            for (row, item) in (start..).zip(&rows) {
                match item {
                    Row::Nothing => {}
                    Row::Unfit => {
                        unfit.note(row, (self.misfit)(column.value(row), builder.bytes()));
                    }
                    Row::Read(form) => {
                        if let Some(value) = changed.next() {
                            (self.write)(*value, *form, builder.bytes());
                        }
                    }
                }
                builder.end_row()?;
            }
        }
        builder.finish(unfit.nulls(column.len(), column.nulls()))
    }
}
