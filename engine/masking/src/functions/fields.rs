//! `fields`: a mask for each field of a struct that is named; the others are left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray, UInt32Array};
use arrow::datatypes::{DataType, Field, FieldRef, Fields as ArrowFields};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::nested::{self, Inner, Part, Parts, out_of_range};
use super::params;
use crate::error::{BindError, MaskError, escape};
use crate::forms::check_type;
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::Properties;

/// A mask for each field of a struct.
pub(super) struct Fields;

/// Parameters of `fields`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// By a field's name what becomes of it: `mask` with its `params` and `linkage`, or `keep` with an
    /// `owner` and a `reason`. A field that is not named is left out.
    fields: BTreeMap<String, Part>,
}

fn person() -> DataType {
    let field = |name, data_type| Field::new(name, data_type, true);
    DataType::Struct(ArrowFields::from(vec![
        field("email", DataType::Utf8),
        field("city", DataType::Utf8),
        field("plan", DataType::Int32),
    ]))
}

impl Function for Fields {
    fn name(&self) -> &'static str {
        "fields"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Each field of a struct that is named is masked by a mask of its own, or kept; \
                      the others are left out.",
            privacy: "What the masks of the fields leave, and the names of those fields.",
            nulls: "Null stays null, empty stays empty; a field of a null struct is null.",
            examples: vec![
                Example {
                    params: r#"{"fields": {"email": {"mask": "email"}, "plan": {"keep": {"owner": "billing", "reason": "no personal data"}}}}"#,
                    input_type: person(),
                    input: &[r#"{"email":"ada@lovelace.org","city":"London","plan":3}"#],
                    others: &[],
                    output: &[r#"{"email":"2hnlginqc7aqf3oehv5j4eadqy@example.com","plan":3}"#],
                },
                Example {
                    params: r#"{"fields": {"city": {"mask": "token", "linkage": "places"}}}"#,
                    input_type: person(),
                    input: &[r#"{"email":null,"city":"London","plan":3}"#],
                    others: &[],
                    output: &[r#"{"city":"1d29ed92906b64a9278b0cc4b9ad815b"}"#],
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
        // Parts may be kept.
        true
    }

    fn reads_name(&self, params: &Value) -> bool {
        nested::reads_name(params)
    }

    fn accepts(&self, input: &DataType) -> bool {
        matches!(input, DataType::Struct(_))
    }

    fn bind(&self, given: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { fields: named } = params::parse(self, given, context)?;
        let DataType::Struct(fields) = context.input else {
            return Err(out_of_range("/fields", "fields of a struct"));
        };
        let has = |name: &&String| fields.iter().any(|field| field.name() == *name);
        if let Some(name) = named.keys().find(|name| !has(name)) {
            let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            let expected = format!("one of the fields: {}", names.join(", "));
            return Err(out_of_range(&format!("/fields/{}", escape(name)), expected));
        }
        if named.is_empty() {
            let error = out_of_range("/fields", "at least one field");
            return Err(error.hinted("for no value at all, use the mask `null`"));
        }
        let mut parts = Parts::new(&Self, given, context)?;
        let mut bound = Vec::new();
        for (place, field) in fields.iter().enumerate() {
            let Some(part) = named.get(field.name()) else { continue };
            let path = format!("/fields/{}", escape(field.name()));
            let inner = parts.bind(part, field.data_type(), &path)?;
            let output = Field::new(field.name(), inner.output(field.data_type()), true);
            bound.push((place, inner, Arc::new(output)));
        }
        let (inputs, properties) = parts.finish();
        Ok(Box::new(Bound { input: context.input.clone(), fields: bound, inputs, properties }))
    }
}

struct Bound {
    input: DataType,
    /// Place in the input, mask, and field of the output.
    fields: Vec<(usize, Inner, FieldRef)>,
    inputs: Vec<String>,
    properties: Properties,
}

impl Bound {
    fn fields(&self) -> ArrowFields {
        self.fields.iter().map(|(_, _, field)| Arc::clone(field)).collect()
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        DataType::Struct(self.fields())
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
        let refused = MaskError::Kernel { operation: "put a struct together" };
        let structs = column.as_struct();
        let row = |row: u32| (!structs.is_null(row as usize)).then_some(row);
        let rows = nested::rows_of(column)?;
        let places: UInt32Array = rows.values().iter().map(|place| row(*place)).collect();
        let mut counted = 0;
        let mut columns = Vec::with_capacity(self.fields.len());
        for (place, inner, _) in &self.fields {
            let values = structs.columns().get(*place).ok_or_else(|| refused.clone())?;
            let (masked, count) = inner.apply(values, &places, &rows, others)?;
            counted += count;
            columns.push(masked);
        }
        let nulls = structs.nulls().cloned();
        let masked = StructArray::try_new(self.fields(), columns, nulls).map_err(|_| refused)?;
        Ok((Arc::new(masked), counted))
    }
}
