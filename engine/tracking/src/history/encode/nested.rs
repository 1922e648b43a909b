//! Values with parts: lists, structs and maps.

use arrow::array::{
    Array, ArrayRef, AsArray, GenericListArray, GenericListViewArray, OffsetSizeTrait,
};
use arrow::datatypes::DataType;

use super::{Cells, Values, length, values as values_of};
use crate::history::error::HistoryError;

const LIST: u8 = 0x0f;
const STRUCT: u8 = 0x10;
const MAP: u8 = 0x11;

type Encoded<'a> = Result<Box<dyn Values + 'a>, HistoryError>;

pub(super) fn values(array: &dyn Array) -> Encoded<'_> {
    use DataType as T;
    match array.data_type() {
        T::List(_) => lists(array.as_list::<i32>()),
        T::LargeList(_) => lists(array.as_list::<i64>()),
        T::ListView(_) => list_views(array.as_list_view::<i32>()),
        T::LargeListView(_) => list_views(array.as_list_view::<i64>()),
        T::FixedSizeList(_, size) => {
            let list = array.as_fixed_size_list();
            let size = usize::try_from(*size).unwrap_or_default();
            of_items(array, list.values(), move |row| (row * size, size))
        }
        T::Struct(_) => structs(array),
        T::Map(..) => maps(array),
        found => Err(HistoryError::UnsupportedType { data_type: found.clone() }),
    }
}

fn lists<O: OffsetSizeTrait>(list: &GenericListArray<O>) -> Encoded<'_> {
    let offsets = list.value_offsets();
    of_items(list, list.values(), move |row| {
        let at = |row: usize| offsets.get(row).map_or(0, |offset| offset.as_usize());
        (at(row), at(row + 1) - at(row))
    })
}

fn list_views<O: OffsetSizeTrait>(list: &GenericListViewArray<O>) -> Encoded<'_> {
    let (offsets, sizes) = (list.value_offsets(), list.value_sizes());
    of_items(list, list.values(), move |row| {
        let at = |numbers: &[O]| numbers.get(row).map_or(0, |number| number.as_usize());
        (at(offsets), at(sizes))
    })
}

/// Lists whose items are `(first, count)` among `items`.
fn of_items<'a>(
    array: &'a dyn Array,
    items: &'a ArrayRef,
    place: impl Fn(usize) -> (usize, usize) + 'a,
) -> Encoded<'a> {
    let items = values_of(items.as_ref())?;
    let write = move |row, out: &mut Vec<u8>| {
        let (first, count) = place(row);
        out.push(LIST);
        length(count, out);
        for item in first..first + count {
            items.write(item, out);
        }
    };
    Ok(Box::new(Cells { nulls: array.nulls(), write }))
}

fn structs(array: &dyn Array) -> Encoded<'_> {
    let fields = array.as_struct().columns().iter();
    let fields: Vec<_> = fields.map(|field| values_of(field.as_ref())).collect::<Result<_, _>>()?;
    let write = move |row, out: &mut Vec<u8>| {
        out.push(STRUCT);
        length(fields.len(), out);
        for field in &fields {
            field.write(row, out);
        }
    };
    Ok(Box::new(Cells { nulls: array.nulls(), write }))
}

/// A map is no list: what order its entries were written in does not count.
fn maps(array: &dyn Array) -> Encoded<'_> {
    let map = array.as_map();
    let offsets = map.value_offsets();
    let (keys, entries) = (values_of(map.keys().as_ref())?, values_of(map.values().as_ref())?);
    let write = move |row: usize, out: &mut Vec<u8>| {
        let at = |row: usize| {
            offsets.get(row).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or_default()
        };
        let mut sorted: Vec<Vec<u8>> = (at(row)..at(row + 1))
            .map(|entry| {
                let mut bytes = Vec::new();
                keys.write(entry, &mut bytes);
                entries.write(entry, &mut bytes);
                bytes
            })
            .collect();
        sorted.sort_unstable();
        out.push(MAP);
        length(sorted.len(), out);
        out.extend(sorted.iter().flatten());
    };
    Ok(Box::new(Cells { nulls: array.nulls(), write }))
}
