//! `elements`: a mask for the elements of a list.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, GenericListArray, OffsetSizeTrait, UInt32Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::nested::{self, Inner, Keep, Part, Parts, place};
use super::params;
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::check_type;
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::Properties;

/// A mask for the elements of a list.
pub(super) struct Elements;

/// Parameters of `elements`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The function that masks each element.
    mask: Option<String>,
    /// The function's parameters.
    #[serde(default)]
    params: Map<String, Value>,
    /// The linkage of the pseudonyms; the rule's own if absent.
    linkage: Option<String>,
    /// Instead of `mask`: keeps the elements as they are, and says with `owner` and `reason` who answers
    /// for it and why.
    keep: Option<Keep>,
}

impl Function for Elements {
    fn name(&self) -> &'static str {
        "elements"
    }

    fn doc(&self) -> Doc {
        let example = |params, element, input, output| Example {
            params,
            input_type: DataType::new_list(element, true),
            input,
            others: &[],
            output,
        };
        Doc {
            summary: "Each element of a list is masked by a mask of its own; the list stays as long \
                      and in its order.",
            privacy: "How many elements there are, and what their mask leaves of them.",
            nulls: "Null stays null, empty stays empty, in lists and for lists.",
            examples: vec![
                example(
                    r#"{"mask": "email"}"#,
                    DataType::Utf8,
                    &[r#"["ada@lovelace.org",null,""]"#, "[]", r#"["ada@lovelace.org"]"#],
                    &[
                        r#"["2hnlginqc7aqf3oehv5j4eadqy@example.com",null,""]"#,
                        "[]",
                        r#"["2hnlginqc7aqf3oehv5j4eadqy@example.com"]"#,
                    ],
                ),
                example(
                    r#"{"mask": "truncate", "params": {"multiple": 10}}"#,
                    DataType::Int32,
                    &["[17,4,20]"],
                    &["[10,0,20]"],
                ),
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn approximates(&self) -> bool {
        // Elements may be kept.
        true
    }

    fn reads_name(&self, params: &Value) -> bool {
        nested::reads_name(params)
    }

    fn accepts(&self, input: &DataType) -> bool {
        element_of(input).is_some()
    }

    fn bind(&self, given: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { mask, params, linkage, keep } = params::parse(self, given, context)?;
        let Some(element) = element_of(context.input) else {
            let expected = "a list".to_owned();
            return Err(BindError::whole(BindErrorKind::OutOfRange { expected }));
        };
        let mut parts = Parts::new(&Self, given, context)?;
        let part = Part { mask, params, linkage, keep };
        let inner = parts.bind(&part, element.data_type(), "")?;
        let (inputs, properties) = parts.finish();
        let element = Field::new(element.name(), inner.output(element.data_type()), true);
        Ok(Box::new(Bound {
            input: context.input.clone(),
            element: Arc::new(element),
            inner,
            inputs,
            properties,
        }))
    }
}

fn element_of(input: &DataType) -> Option<&FieldRef> {
    match input {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _) => Some(element),
        _ => None,
    }
}

struct Bound {
    input: DataType,
    /// The field of the output.
    element: FieldRef,
    inner: Inner,
    inputs: Vec<String>,
    properties: Properties,
}

const REFUSED: MaskError = MaskError::Kernel { operation: "put a list together" };

impl Bound {
    fn lists<O: OffsetSizeTrait>(
        &self,
        lists: &GenericListArray<O>,
        others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        let (offsets, places, rows) = used(lists.value_offsets(), lists)?;
        let (masked, counted) = self.inner.apply(lists.values(), &places, &rows, others)?;
        let nulls = lists.nulls().cloned();
        let lists = GenericListArray::try_new(Arc::clone(&self.element), offsets, masked, nulls);
        Ok((Arc::new(lists.map_err(|_| REFUSED)?), counted))
    }

    fn fixed(
        &self,
        lists: &FixedSizeListArray,
        others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        let size = usize::try_from(lists.value_length()).map_err(|_| REFUSED)?;
        // Elements of a null list have their places, and are null.
        let count = place(lists.len().saturating_mul(size))?;
        let row = |element: u32| element as usize / size.max(1);
        let places: UInt32Array =
            (0..count).map(|element| (!lists.is_null(row(element))).then_some(element)).collect();
        let rows: UInt32Array =
            (0..count).map(|element| place(row(element))).collect::<Result<Vec<_>, _>>()?.into();
        let (masked, counted) = self.inner.apply(lists.values(), &places, &rows, others)?;
        let (element, nulls) = (Arc::clone(&self.element), lists.nulls().cloned());
        let lists = FixedSizeListArray::try_new_with_length(
            element,
            lists.value_length(),
            masked,
            nulls,
            lists.len(),
        );
        Ok((Arc::new(lists.map_err(|_| REFUSED)?), counted))
    }
}

/// Offsets without what null lists hold, the place of each element that is left, and its row.
pub(super) fn used<O: OffsetSizeTrait>(
    offsets: &[O],
    lists: &dyn Array,
) -> Result<(OffsetBuffer<O>, UInt32Array, UInt32Array), MaskError> {
    let (mut lengths, mut places, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for (row, ends) in offsets.windows(2).enumerate() {
        let (start, end) = match ends {
            [start, end] if !lists.is_null(row) => (start.as_usize(), end.as_usize()),
            _ => (0, 0),
        };
        lengths.push(end - start);
        places.extend(place(start)?..place(end)?);
        rows.resize(places.len(), place(row)?);
    }
    Ok((OffsetBuffer::from_lengths(lengths), places.into(), rows.into()))
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        let element = Arc::clone(&self.element);
        match &self.input {
            DataType::LargeList(_) => DataType::LargeList(element),
            DataType::FixedSizeList(_, size) => DataType::FixedSizeList(element, *size),
            _ => DataType::List(element),
        }
    }

    fn properties(&self) -> Properties {
        self.properties
    }

    fn inputs(&self) -> &[String] {
        &self.inputs
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Ok(self.apply_counted(column, others)?.0)
    }

    fn apply_counted(
        &self,
        column: &ArrayRef,
        others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        check_type(&self.input, column)?;
        nested::check_inputs(&self.inputs, column, others)?;
        match &self.input {
            DataType::LargeList(_) => self.lists(column.as_list::<i64>(), others),
            DataType::FixedSizeList(..) => self.fixed(column.as_fixed_size_list(), others),
            _ => self.lists(column.as_list::<i32>(), others),
        }
    }
}
