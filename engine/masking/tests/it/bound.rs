//! Functions bound to published keys, and columns written as text.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use engine_masking::{BindContext, BindError, EXAMPLE_MASTER, Function, LinkageKey, Lookups, Mask};
use serde_json::Value;

use crate::nested;

/// The linkage of the published examples.
pub(crate) const LINKAGE: &str = "example";

/// The key of a function under a master key and linkage.
pub(crate) fn key(function: &dyn Function, master: &[u8; 32], linkage: &str) -> LinkageKey {
    LinkageKey::derive(master, 1, linkage, function.name(), function.abi())
}

/// One lookup, `words`.
pub(crate) fn lookups() -> Lookups {
    let words = ["one", "two", "three", "two", ""].map(str::to_owned);
    BTreeMap::from([("words".to_owned(), Arc::from(words))])
}

/// Every other column is text.
pub(crate) fn text_columns(_name: &str) -> Option<DataType> {
    Some(DataType::Utf8)
}

/// Binds under the example key.
pub(crate) fn bind(
    function: &dyn Function,
    params: &Value,
    input: &DataType,
) -> Result<Box<dyn Mask>, BindError> {
    bind_with(function, params, input, &EXAMPLE_MASTER, LINKAGE)
}

/// Binds under the example key to a column of that name.
pub(crate) fn bind_named(
    function: &dyn Function,
    params: &Value,
    input: &DataType,
    name: &str,
) -> Result<Box<dyn Mask>, BindError> {
    bind_in(function, params, input, (&EXAMPLE_MASTER, LINKAGE), name)
}

/// Binds under a key of one's own.
pub(crate) fn bind_with(
    function: &dyn Function,
    params: &Value,
    input: &DataType,
    master: &[u8; 32],
    linkage: &str,
) -> Result<Box<dyn Mask>, BindError> {
    bind_in(function, params, input, (master, linkage), "column")
}

fn bind_in(
    function: &dyn Function,
    params: &Value,
    input: &DataType,
    (master, linkage): (&[u8; 32], &str),
    name: &str,
) -> Result<Box<dyn Mask>, BindError> {
    let key = key(function, master, linkage);
    let context = BindContext {
        input,
        key: function.keyed().then_some(&key),
        locale: None,
        lookups: &lookups(),
        columns: &text_columns,
        name: Some(name),
        keys: &|function, other| Some(self::key(function, master, other.unwrap_or(linkage))),
    };
    function.bind(params, &context)
}

/// A column from text; a nested one from JSON.
pub(crate) fn column(input_type: &DataType, text: &[Option<&str>]) -> ArrayRef {
    if input_type.is_nested() {
        return nested::column(input_type, text);
    }
    let text: ArrayRef = Arc::new(StringArray::from(text.to_vec()));
    let column = cast(&text, input_type).expect("text casts to the type");
    assert_eq!(column.logical_null_count(), text.null_count(), "all text reads as {input_type}");
    column
}

/// A column as text; a nested one as JSON.
pub(crate) fn texts(column: &ArrayRef) -> Vec<Option<String>> {
    if column.data_type().is_nested() {
        return nested::texts(column);
    }
    let text = cast(column, &DataType::Utf8).expect("the type casts to text");
    text.as_string::<i32>().iter().map(|value| value.map(str::to_owned)).collect()
}

/// The other columns a mask reads, from text columns by name.
pub(crate) fn others(mask: &dyn Mask, named: &[(&str, &[&str])]) -> Vec<ArrayRef> {
    let column = |name: &String| {
        let (_, rows) = named.iter().find(|(other, _)| other == name).expect("the column is given");
        Arc::new(StringArray::from(rows.to_vec())) as ArrayRef
    };
    mask.inputs().iter().map(column).collect()
}
