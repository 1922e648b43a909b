//! Masks made of masks: what becomes of the parts of a value.
//!
//! ```text
//!  column ── flatten ──▶ parts (of many rows together) ── inner mask ──▶ masked parts ── rebuild ──▶ column
//!                         └ the row of each part: the other columns of the row are repeated for it
//! ```
//!
//! A part is masked as a column of its own would be, by the same function under the same linkage:
//! equal values get equal pseudonyms whether they stand in a column or inside a value.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_null_array};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;
use arrow_select::dictionary::garbage_collect_any_dictionary;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::find;
use super::params::{TEXT_BYTES_MAX, nearest};
use crate::canonical::has_text;
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::function::{BindContext, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Most masks one inside the other.
const MASKS_DEEP_MAX: usize = 8;

/// What becomes of one part of a value: `mask`, or `keep`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// The function that masks it.
    pub(super) mask: Option<String>,
    /// The function's parameters.
    #[serde(default)]
    pub(super) params: Map<String, Value>,
    /// The linkage of the pseudonyms; the rule's own if absent.
    pub(super) linkage: Option<String>,
    /// Keeps the value as it is.
    pub(super) keep: Option<Keep>,
}

/// Who answers for a part that stays as it is, and why it must.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Keep {
    /// Who answers for it.
    owner: String,
    /// Why it is needed.
    reason: String,
}

/// Whether the parameters of a mask that is made of masks name a mask to which the column's name matters.
pub(super) fn reads_name(params: &Value) -> bool {
    let Value::Object(given) = params else {
        return params.as_array().is_some_and(|all| all.iter().any(reads_name));
    };
    let own = given.get("mask").and_then(Value::as_str).and_then(find);
    let inner = given.get("params").unwrap_or(&Value::Null);
    own.is_some_and(|function| function.reads_name(inner)) || given.values().any(reads_name)
}

/// Masks on the deepest way into the parameters, which themselves are bounded by their parser.
fn deep(params: &Value) -> usize {
    match params {
        Value::Object(given) => {
            let inside = given.values().map(deep).max().unwrap_or_default();
            inside + usize::from(given.contains_key("mask"))
        }
        Value::Array(all) => all.iter().map(deep).max().unwrap_or_default(),
        _ => 0,
    }
}

/// Binds the parts of one mask.
pub(super) struct Parts<'a> {
    function: &'static dyn Function,
    context: &'a BindContext<'a>,
    inputs: Vec<String>,
    properties: Properties,
}

impl<'a> Parts<'a> {
    /// For the parts of `function`, bound to `context`.
    pub(super) fn new(
        function: &'static dyn Function,
        given: &Value,
        context: &'a BindContext<'a>,
    ) -> Result<Self, BindError> {
        if deep(given) > MASKS_DEEP_MAX {
            let expected = format!("at most {MASKS_DEEP_MAX} masks one inside the other");
            return Err(BindError::whole(BindErrorKind::OutOfRange { expected }));
        }
        let properties = Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves { null: true, ..Preserves::default() },
            may_return_input: false,
        };
        Ok(Self { function, context, inputs: Vec::new(), properties })
    }

    /// Binds one part to its type; `path` is the JSON pointer to it.
    pub(super) fn bind(
        &mut self,
        part: &Part,
        input: &DataType,
        path: &str,
    ) -> Result<Inner, BindError> {
        let name = match (&part.mask, &part.keep) {
            (Some(name), None) => name,
            (None, Some(keep)) => return self.keep(part, keep, input, path),
            _ => {
                let error = out_of_range(path, "either `mask` or `keep`");
                return Err(error.hinted("what is not named is denied: leave it out"));
            }
        };
        let function = find(name).ok_or_else(|| unknown(name, path))?;
        let keys = |function: &dyn Function, linkage: Option<&str>| {
            (self.context.keys)(function, linkage.or(part.linkage.as_deref()))
        };
        let key = function.keyed().then(|| keys(function, None)).flatten();
        let inner = BindContext { input, key: key.as_ref(), keys: &keys, ..*self.context };
        let mask = function.bind(&Value::Object(part.params.clone()), &inner).map_err(|error| {
            let inside = if error.path.is_empty() { "" } else { "/params" };
            BindError { path: format!("{path}{inside}{}", error.path), ..error }
        })?;
        if mask.reads_masked() || mask.collect().is_some() {
            let expected = format!("a mask that can stand inside `{}`", self.function.name());
            return Err(out_of_range(&format!("{path}/mask"), expected));
        }
        let properties = mask.properties();
        self.properties.deterministic &= properties.deterministic;
        self.properties.may_return_input |= properties.may_return_input;
        let inputs = mask.inputs().iter().map(|name| self.place(name)).collect();
        Ok(Inner { treatment: Treatment::Mask(mask), inputs })
    }

    fn keep(
        &mut self,
        part: &Part,
        keep: &Keep,
        input: &DataType,
        path: &str,
    ) -> Result<Inner, BindError> {
        let says = |text: &str| !text.trim().is_empty() && text.len() <= TEXT_BYTES_MAX;
        if !says(&keep.owner) || !says(&keep.reason) {
            let expected = "an owner and a reason, each a text of at most 1000 bytes";
            return Err(out_of_range(&format!("{path}/keep"), expected));
        }
        if part.linkage.is_some() || !part.params.is_empty() {
            return Err(out_of_range(path, "`params` and `linkage` only beside `mask`"));
        }
        if !has_text(input) {
            let expected = format!("a type that can be kept as it is, not {input}");
            return Err(out_of_range(&format!("{path}/keep"), expected)
                .hinted("name its parts, with `fields`, `elements` or `map`"));
        }
        self.properties.may_return_input = true;
        Ok(Inner { treatment: Treatment::Keep, inputs: Vec::new() })
    }

    /// The place of an input among those of the whole mask.
    fn place(&mut self, name: &str) -> usize {
        self.inputs.iter().position(|known| known == name).unwrap_or_else(|| {
            self.inputs.push(name.to_owned());
            self.inputs.len() - 1
        })
    }

    /// The columns of the row that the parts read, and what they promise together.
    pub(super) fn finish(self) -> (Vec<String>, Properties) {
        (self.inputs, self.properties)
    }
}

fn unknown(name: &str, path: &str) -> BindError {
    let names = super::ALL.iter().map(|function| function.name());
    let meant = nearest(name, names).map(|name| format!("; did you mean `{name}`?"));
    let message = format!("unknown mask `{name}`{}", meant.unwrap_or_default());
    let kind = Box::new(BindErrorKind::WrongType { message });
    BindError { path: format!("{path}/mask"), kind, hint: None }
}

/// A part's parameter that is not what it must be, by its JSON pointer.
pub(super) fn out_of_range(path: &str, expected: impl Into<String>) -> BindError {
    let kind = Box::new(BindErrorKind::OutOfRange { expected: expected.into() });
    BindError { path: path.to_owned(), kind, hint: None }
}

/// Refuses other columns than the ones bound to, or of another length.
pub(super) fn check_inputs(
    inputs: &[String],
    column: &ArrayRef,
    others: &[ArrayRef],
) -> Result<(), MaskError> {
    if inputs.len() != others.len() {
        return Err(MaskError::UnexpectedInputs { expected: inputs.len(), found: others.len() });
    }
    match others.iter().find(|other| other.len() != column.len()) {
        Some(other) => {
            Err(MaskError::UnequalLengths { expected: column.len(), found: other.len() })
        }
        None => Ok(()),
    }
}

/// The numbers of a column's rows.
pub(super) fn rows_of(column: &ArrayRef) -> Result<UInt32Array, MaskError> {
    let rows = place(column.len())?;
    Ok((0..rows).collect::<Vec<u32>>().into())
}

/// A place, which must be one of 2^32.
pub(super) fn place(place: usize) -> Result<u32, MaskError> {
    u32::try_from(place).map_err(|_| MaskError::BatchTooLarge { bytes_max: u32::MAX as usize })
}

enum Treatment {
    Keep,
    Mask(Box<dyn Mask>),
}

/// A bound part.
pub(super) struct Inner {
    treatment: Treatment,
    /// Places of the part's inputs among those of the whole mask.
    inputs: Vec<usize>,
}

impl Inner {
    /// The type of the masked part.
    pub(super) fn output(&self, input: &DataType) -> DataType {
        match &self.treatment {
            Treatment::Keep => input.clone(),
            Treatment::Mask(mask) => mask.output(),
        }
    }

    /// Whether the part stays as it is.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self.treatment, Treatment::Keep)
    }

    /// Masks the parts at `places` of `values` (none: null), which belong to the rows `rows`.
    pub(super) fn apply(
        &self,
        values: &ArrayRef,
        places: &UInt32Array,
        rows: &UInt32Array,
        others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        let Treatment::Mask(mask) = &self.treatment else {
            return Ok((copied(values, places)?, 0));
        };
        let repeated = |place: &usize| match others.get(*place) {
            Some(other) => take_rows(other, rows),
            None => Err(MaskError::UnexpectedInputs { expected: *place + 1, found: others.len() }),
        };
        let others = self.inputs.iter().map(repeated).collect::<Result<Vec<_>, _>>()?;
        let (masked, counted) = mask.apply_counted(&take_rows(values, places)?, &others)?;
        if masked.len() == places.len() {
            return Ok((masked, counted));
        }
        Err(MaskError::UnequalLengths { expected: places.len(), found: masked.len() })
    }
}

/// The values at these rows.
fn take_rows(values: &ArrayRef, rows: &UInt32Array) -> Result<ArrayRef, MaskError> {
    // What is taken in order and whole need not be copied.
    let whole = rows.null_count() == 0
        && rows.len() == values.len()
        && rows.values().iter().zip(0..).all(|(row, place)| *row == place);
    if whole {
        return Ok(Arc::clone(values));
    }
    take(values, rows, None).map_err(|_| MaskError::Kernel { operation: "gather parts of values" })
}

/// A copy of the values at these rows, in buffers that hold nothing else.
fn copied(values: &ArrayRef, rows: &UInt32Array) -> Result<ArrayRef, MaskError> {
    let refused = |_| MaskError::Kernel { operation: "copy parts of values" };
    let nulls = values.logical_nulls();
    let is_null = |row: u32| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row as usize));
    // What stands under a null is the null after the last value.
    let nothing = place(values.len())?;
    let rows: UInt32Array =
        rows.iter().map(|row| row.filter(|row| !is_null(*row)).unwrap_or(nothing)).collect();
    let padding = new_null_array(values.data_type(), 1);
    let padded = concat(&[values.as_ref(), padding.as_ref()]).map_err(refused)?;
    let taken = take(&padded, &rows, None).map_err(refused)?;
    match taken.data_type() {
        DataType::Utf8View => Ok(Arc::new(taken.as_string_view().gc())),
        DataType::BinaryView => Ok(Arc::new(taken.as_binary_view().gc())),
        DataType::Dictionary(..) => {
            garbage_collect_any_dictionary(taken.as_any_dictionary()).map_err(refused)
        }
        _ => Ok(taken),
    }
}
