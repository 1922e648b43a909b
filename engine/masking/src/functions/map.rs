//! `map`: a mask for the keys of a map, and one for its values.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray, UInt32Array, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::elements::used;
use super::nested::{self, Inner, Part, Parts};
use super::params;
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::check_type;
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::Properties;

/// A mask for keys and one for values.
pub(super) struct MapMask;

/// Parameters of `map`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// What becomes of the keys: `mask` with its `params` and `linkage`, or `keep` with an `owner` and a
    /// `reason`. A key that its mask makes null is an error.
    keys: Part,
    /// What becomes of the values, in the same words; null if absent.
    values: Option<Part>,
}

fn texts() -> DataType {
    let fields =
        vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Utf8, true)];
    let entries = Field::new("entries", DataType::Struct(Fields::from(fields)), false);
    DataType::Map(Arc::new(entries), false)
}

impl Function for MapMask {
    fn name(&self) -> &'static str {
        "map"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "The keys of a map are masked by one mask and its values by another; entries \
                      stay where they are.",
            privacy: "How many entries there are, and what the masks leave of keys and values.",
            nulls: "Null stays null, empty stays empty.",
            examples: vec![
                Example {
                    params: r#"{"keys": {"mask": "token"}, "values": {"mask": "phone", "linkage": "customer"}}"#,
                    input_type: texts(),
                    input: &[r#"{"home":"+49 30 901820","work":null}"#, "{}"],
                    others: &[],
                    output: &[
                        r#"{"a28bbe0dc1fe0eae9f6919779ae94ac2":"+49 30 530756","4da91ad5cd7686acf98452e0fac066de":null}"#,
                        "{}",
                    ],
                },
                Example {
                    params: r#"{"keys": {"keep": {"owner": "billing", "reason": "names of settings"}}}"#,
                    input_type: texts(),
                    input: &[r#"{"theme":"dark"}"#],
                    others: &[],
                    output: &[r#"{"theme":null}"#],
                },
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
        // Keys and values may be kept.
        true
    }

    fn reads_name(&self, params: &Value) -> bool {
        nested::reads_name(params)
    }

    fn accepts(&self, input: &DataType) -> bool {
        entry(input).is_some()
    }

    fn bind(&self, given: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { keys, values } = params::parse(self, given, context)?;
        let Some((entries, [key, value])) = entry(context.input) else {
            let expected = "a map".to_owned();
            return Err(BindError::whole(BindErrorKind::OutOfRange { expected }));
        };
        let mut parts = Parts::new(&Self, given, context)?;
        let keys = parts.bind(&keys, key.data_type(), "/keys")?;
        let bind = |part: &Part| parts.bind(part, value.data_type(), "/values");
        let values = values.as_ref().map(bind).transpose()?;
        let (inputs, properties) = parts.finish();
        let of_value = values
            .as_ref()
            .map_or(value.data_type().clone(), |values| values.output(value.data_type()));
        let fields = Fields::from(vec![
            Field::new(key.name(), keys.output(key.data_type()), false),
            Field::new(value.name(), of_value, true),
        ]);
        let entries = Field::new(entries.name(), DataType::Struct(fields.clone()), false);
        Ok(Box::new(Bound {
            input: context.input.clone(),
            entries: Arc::new(entries),
            fields,
            keys,
            values,
            inputs,
            properties,
        }))
    }
}

/// The field of the entries, and those of key and value.
fn entry(input: &DataType) -> Option<(&FieldRef, [&FieldRef; 2])> {
    let DataType::Map(entries, _) = input else { return None };
    let DataType::Struct(fields) = entries.data_type() else { return None };
    match &fields[..] {
        [key, value] => Some((entries, [key, value])),
        _ => None,
    }
}

struct Bound {
    input: DataType,
    /// The field of the output's entries.
    entries: FieldRef,
    fields: Fields,
    keys: Inner,
    values: Option<Inner>,
    inputs: Vec<String>,
    properties: Properties,
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        // Masked keys stand in no order.
        DataType::Map(Arc::clone(&self.entries), false)
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
        let refused = |_| MaskError::Kernel { operation: "put a map together" };
        let maps = column.as_map();
        let (offsets, places, rows): (_, UInt32Array, _) = used(maps.value_offsets(), maps)?;
        let (keys, of_keys) = self.keys.apply(maps.keys(), &places, &rows, others)?;
        let count = keys.logical_null_count();
        if count > 0 {
            return Err(MaskError::DoesNotFit { count });
        }
        let (values, of_values) = match &self.values {
            Some(values) => values.apply(maps.values(), &places, &rows, others)?,
            None => (new_null_array(maps.values().data_type(), places.len()), 0),
        };
        let entries =
            StructArray::try_new(self.fields.clone(), vec![keys, values], None).map_err(refused)?;
        let nulls = maps.nulls().cloned();
        let maps = MapArray::try_new(Arc::clone(&self.entries), offsets, entries, nulls, false);
        Ok((Arc::new(maps.map_err(refused)?), of_keys + of_values))
    }
}
