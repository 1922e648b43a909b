//! Hashes: vectors, what does not matter, and that nothing else is equal.
//!
//! The vectors come from Python's hashlib, of bytes put together by hand as `encode/mod.rs` says:
//!
//! ```text
//! def H(domain, data):
//!     label = (b"engine history v1 " + domain).ljust(64, b"\0")
//!     return hashlib.sha256(label + data).hexdigest()
//!
//! H(b"key", b"\0" + b"\x01" + struct.pack("<q", 7))
//! ```

use std::sync::Arc;

use arrow::array::*;
use arrow::compute::cast;
use arrow::datatypes::*;
use engine_tracking::history::{hash_diffs, hash_keys, hash_links, hash_tenants};
use proptest::prelude::*;

fn hex(hashes: &FixedSizeBinaryArray) -> String {
    hashes.value(0).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn integers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn diff(column: &ArrayRef) -> FixedSizeBinaryArray {
    hash_diffs(std::slice::from_ref(column), column.len()).unwrap()
}

#[test]
fn vectors_of_keys() {
    let (seven, acme) = (integers(&[7]), texts(&[Some("acme")]));
    assert_eq!(
        hex(&hash_keys(None, std::slice::from_ref(&seven)).unwrap()),
        "c37a0808867032a18bd5e1217df2e81ec7d3f11dd67ed3d91d3da4b3ca4dcb48"
    );
    assert_eq!(
        hex(&hash_keys(Some(&acme), &[seven]).unwrap()),
        "6efbfcec8a79651d7e5078f5e438f96d7964bc38b994622028baf7dbac5a68ad"
    );
    assert_eq!(
        hex(&hash_keys(None, &[texts(&[Some("a")]), texts(&[None])]).unwrap()),
        "30fa1118a6b3eee4386437a199aa002160caa42669ad988a6734a9ba91e72450"
    );
    assert_eq!(
        hex(&hash_tenants(&acme).unwrap()),
        "caa82bd86d4d33985a66f5919673ae475b39224f3913ba86a2b08b9ead633ec4"
    );
    let hashes = |from: u8| -> ArrayRef {
        let bytes: Vec<u8> = (from..from + 32).collect();
        Arc::new(FixedSizeBinaryArray::try_new(32, bytes.into(), None).unwrap())
    };
    assert_eq!(
        hex(&hash_links("city", &hashes(0), &hashes(32)).unwrap()),
        "a30a7cc4cf04f9b974896b5d99dbe43a124d65eb8aaca688626c62153dad651a"
    );
}

#[test]
fn vectors_of_diffs() {
    let decimal = Decimal128Array::from(vec![150]).with_precision_and_scale(9, 2).unwrap();
    let instant = TimestampMillisecondArray::from(vec![-250]).with_timezone("Europe/Berlin");
    let columns: [ArrayRef; 8] = [
        texts(&[Some("é")]),
        texts(&[None]),
        Arc::new(Float32Array::from(vec![-0.0])),
        Arc::new(decimal),
        Arc::new(BooleanArray::from(vec![true])),
        Arc::new(Date32Array::from(vec![19782])),
        Arc::new(instant),
        texts(&[None]),
    ];
    assert_eq!(hex(&hash_diffs(&columns, 1).unwrap()), "d8a974f9f5c06b220d1cb4264466715d");
    assert_eq!(hex(&hash_diffs(&[], 1).unwrap()), "035ee5db06f1923860213551d464badd");
    let list = ListArray::from_iter_primitive::<Int16Type, _, _>([Some([Some(1), None])]);
    assert_eq!(hex(&diff(&(Arc::new(list) as _))), "e0be27ecdd942b0af6de17bf45278628");
}

#[test]
fn what_is_written_behind_the_last_value_does_not_count() {
    let (a, null) = (texts(&[Some("a")]), texts(&[None]));
    let of = |columns: &[&ArrayRef]| {
        let columns: Vec<ArrayRef> = columns.iter().map(|column| Arc::clone(column)).collect();
        hex(&hash_diffs(&columns, 1).unwrap())
    };
    assert_eq!(of(&[&a]), of(&[&a, &null, &null]));
    assert_ne!(of(&[&a]), of(&[&null, &a]));
    assert_ne!(of(&[&null]), of(&[&texts(&[Some("")])]));
}

#[test]
fn a_value_in_another_unit_or_width_is_the_same() {
    let same = |array: ArrayRef, types: &[DataType]| {
        for data_type in types {
            let other = cast(&array, data_type).unwrap();
            assert_eq!(diff(&array), diff(&other), "{data_type}");
        }
    };
    use DataType as T;
    use TimeUnit as U;
    same(
        integers(&[0, 1, 127]),
        &[T::Int8, T::Int16, T::Int32, T::UInt8, T::UInt16, T::UInt32, T::UInt64],
    );
    same(Arc::new(Float32Array::from(vec![0.1, -0.0, f32::NAN])), &[T::Float64]);
    let decimals = Decimal128Array::from(vec![-1_500, 0, 7]).with_precision_and_scale(9, 2);
    let types = [T::Decimal32(9, 2), T::Decimal64(15, 5), T::Decimal128(38, 20)];
    same(Arc::new(decimals.unwrap()), &types);
    let decimals = Decimal128Array::from(vec![-1_500, 0, i128::from(u64::MAX)]);
    same(
        Arc::new(decimals.with_precision_and_scale(38, 2).unwrap()),
        &[T::Decimal256(76, 2), T::Decimal256(76, 50)],
    );
    same(Arc::new(Date32Array::from(vec![-1, 19782])), &[T::Date64]);
    let times = Arc::new(Time32SecondArray::from(vec![0, 86_399]));
    same(times, &[T::Time32(U::Millisecond), T::Time64(U::Microsecond), T::Time64(U::Nanosecond)]);
    let stamps = TimestampSecondArray::from(vec![-1, 1_700_000_000]);
    let units = [U::Millisecond, U::Microsecond, U::Nanosecond];
    same(Arc::new(stamps.clone()), &units.map(|unit| T::Timestamp(unit, None)));
    same(
        Arc::new(stamps.with_timezone("UTC")),
        &units.map(|unit| T::Timestamp(unit, Some("Asia/Tokyo".into()))),
    );
    let durations = Arc::new(DurationSecondArray::from(vec![-1, 5]));
    same(durations, &units.map(T::Duration));
}

#[test]
fn kinds_of_values_differ() {
    let columns: Vec<ArrayRef> = vec![
        texts(&[Some("7")]),
        Arc::new(BinaryArray::from_vec(vec![b"7"])),
        integers(&[7]),
        Arc::new(Float64Array::from(vec![7.0])),
        Arc::new(Decimal128Array::from(vec![7]).with_precision_and_scale(9, 0).unwrap()),
        Arc::new(BooleanArray::from(vec![true])),
        Arc::new(Date32Array::from(vec![7])),
        Arc::new(TimestampSecondArray::from(vec![7])),
        Arc::new(TimestampSecondArray::from(vec![7]).with_timezone("UTC")),
        Arc::new(Time32SecondArray::from(vec![7])),
        Arc::new(DurationSecondArray::from(vec![7])),
        Arc::new(IntervalYearMonthArray::from(vec![7])),
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(7)])])),
        Arc::new(StructArray::from(vec![(
            Arc::new(Field::new("a", DataType::Int64, true)),
            integers(&[7]),
        )])),
        Arc::new(NullArray::new(1)),
    ];
    let mut hashes: Vec<String> = columns.iter().map(|column| hex(&diff(column))).collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), columns.len());
}

#[test]
fn lists_and_maps_count_by_what_is_in_them() {
    let list = |of: Vec<Vec<Option<i32>>>| -> ArrayRef {
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(of.into_iter().map(Some)))
    };
    let lists = list(vec![vec![], vec![Some(1)], vec![Some(1), None], vec![None, Some(1)]]);
    let item = || Arc::new(Field::new("item", DataType::Int32, true));
    for other in [DataType::LargeList(item()), DataType::ListView(item())] {
        assert_eq!(diff(&lists), diff(&cast(&lists, &other).unwrap()), "{other}");
    }
    assert_eq!(diff(&lists.slice(2, 2)).value(0), diff(&lists).value(2));
    let fixed = list(vec![vec![Some(1), None], vec![None, Some(1)]]);
    let size = DataType::FixedSizeList(item(), 2);
    assert_eq!(diff(&fixed), diff(&cast(&fixed, &size).unwrap()));
    assert_ne!(diff(&fixed).value(0), diff(&fixed).value(1));
    let map = |keys: [&str; 2], values: [i32; 2]| {
        let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        for (key, value) in keys.into_iter().zip(values) {
            map.keys().append_value(key);
            map.values().append_value(value);
        }
        map.append(true).unwrap();
        diff(&(Arc::new(map.finish()) as _))
    };
    assert_eq!(map(["a", "b"], [1, 2]), map(["b", "a"], [2, 1]));
    assert_ne!(map(["a", "b"], [1, 2]), map(["a", "b"], [2, 1]));
}

#[test]
fn dictionaries_without_entries_are_null() {
    let empty = StringDictionaryBuilder::<Int8Type>::new().finish();
    assert_eq!(diff(&(Arc::new(empty) as _)).len(), 0);
    let mut nulls = StringDictionaryBuilder::<Int8Type>::new();
    nulls.extend([None::<&str>, None]);
    assert_eq!(diff(&(Arc::new(nulls.finish()) as _)), diff(&texts(&[None, None])));
}

#[test]
fn what_has_no_hash_is_refused() {
    let ends = PrimitiveArray::<Int32Type>::from(vec![1]);
    let runs: ArrayRef = Arc::new(RunArray::try_new(&ends, &Int32Array::from(vec![1])).unwrap());
    assert!(hash_diffs(&[runs], 1).is_err());
    assert!(hash_diffs(&[integers(&[1])], 2).is_err());
    assert!(hash_keys(None, &[]).is_err());
}

type Cells = (Option<String>, Option<String>, Option<i64>, Option<Vec<u8>>);

/// Rows of few letters, so that many nearly collide.
fn rows() -> impl Strategy<Value = Vec<Cells>> {
    let text = || prop::option::of("[ab\u{0}\u{1}\u{7}]{0,3}");
    let bytes = prop::option::of(prop::collection::vec(0..9_u8, 0..3));
    prop::collection::vec((text(), text(), prop::option::of(0..3_i64), bytes), 0..300)
}

fn columns(rows: &[Cells]) -> Vec<ArrayRef> {
    let first = rows.iter().map(|row| row.0.as_deref());
    let second = rows.iter().map(|row| row.1.as_deref());
    let bytes = rows.iter().map(|row| row.3.as_deref());
    vec![
        Arc::new(first.collect::<StringArray>()),
        Arc::new(second.collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>()),
        Arc::new(bytes.collect::<BinaryArray>()),
    ]
}

/// The same values, stored otherwise.
fn otherwise(columns: &[ArrayRef]) -> Vec<ArrayRef> {
    use DataType as T;
    let dictionary = T::Dictionary(Box::new(T::Int16), Box::new(T::Utf8));
    let types = [dictionary, T::Utf8View, T::UInt8, T::BinaryView];
    columns.iter().zip(types).map(|(column, other)| cast(column, &other).unwrap()).collect()
}

proptest! {
    #[test]
    fn rows_are_equal_exactly_when_their_hashes_are(rows in rows()) {
        let columns = columns(&rows);
        let diffs = hash_diffs(&columns, rows.len()).unwrap();
        let keys = hash_keys(Some(&columns[0]), &columns[1..]).unwrap();
        let by_row: std::collections::BTreeMap<_, _> =
            rows.iter().enumerate().map(|(at, row)| (row, at)).collect();
        let distinct = |hashes: &FixedSizeBinaryArray| {
            hashes.iter().flatten().map(<[u8]>::to_vec).collect::<std::collections::BTreeSet<_>>().len()
        };
        prop_assert_eq!(distinct(&diffs), by_row.len());
        prop_assert_eq!(distinct(&keys), by_row.len());
        for (at, row) in rows.iter().enumerate() {
            prop_assert_eq!(diffs.value(at), diffs.value(by_row[row]));
            prop_assert_eq!(keys.value(at), keys.value(by_row[row]));
        }
    }

    #[test]
    fn how_values_are_stored_and_cut_does_not_matter(rows in rows(), cut in 0..300_usize) {
        let plain = columns(&rows);
        let whole = hash_diffs(&plain, rows.len()).unwrap();
        prop_assert_eq!(&whole, &hash_diffs(&otherwise(&plain), rows.len()).unwrap());
        let cut = cut.min(rows.len());
        for columns in [&plain, &otherwise(&plain)] {
            let tail: Vec<ArrayRef> =
                columns.iter().map(|column| column.slice(cut, rows.len() - cut)).collect();
            let tail = hash_diffs(&tail, rows.len() - cut).unwrap();
            prop_assert_eq!(&tail, &whole.slice(cut, rows.len() - cut));
        }
    }
}
