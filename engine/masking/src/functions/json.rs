//! `json`: a mask for each named path of JSON text; what no path names is denied.
//!
//! ```text
//!  text ── parse ──▶ values ── paths (RFC 9535) ──▶ parts of 256 rows ── inner masks ──▶ text
//!                     └ no JSON: null, and counted      └ of no scalar, or of another type: denied, and counted
//! ```
//!
//! Members stay in their order; a number that is kept is written as it was. A name that stands twice in
//! one object makes the whole text no JSON: readers differ in which of the two they take.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, GenericStringArray, OffsetSizeTrait, StringArrayType, StringViewArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_json_path::JsonPath;

use super::json_draft::Draft;
use super::nested::{self, Inner, Keep, Part, Parts, out_of_range};
use super::params;
use crate::canonical::has_text;
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{TextBuilder, check_type, decode, is_text, logical, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::Properties;

/// Longest path.
const PATH_BYTES_MAX: usize = 500;
/// Rows that are read together, and after how many bytes there are enough of them.
const ROWS_TOGETHER: usize = 256;
const BYTES_TOGETHER: usize = 16 << 20;
/// Most paths of one mask.
const PATHS_MAX: usize = 1_000;

/// A mask for each named path.
pub(super) struct Json;

/// Parameters of `json`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// What is named, each by a `path` (RFC 9535) and with what becomes of it: `mask` with its `params` and
    /// `linkage`, or `keep` with an `owner` and a `reason`; `type` says what is masked: `text` (the default;
    /// numbers and booleans as they are written), `integer`, `number` or `boolean`. A value that several
    /// paths name is masked by the first of them that masks. `keep` holds for all inside, but for what a
    /// path of its own masks.
    paths: Vec<PathPart>,
    /// What becomes of what no path names: `remove` (the default), or `redact` or `null`, which leave the
    /// names of members and the number of elements.
    #[serde(default)]
    otherwise: Denied,
}

/// A path and what becomes of what it names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PathPart {
    /// The path, as in `$.customer.emails[*]`.
    path: String,
    /// What is masked: values of another type are denied.
    #[serde(default, rename = "type")]
    kind: Kind,
    /// The function that masks it.
    mask: Option<String>,
    /// The function's parameters.
    #[serde(default)]
    params: Map<String, Value>,
    /// The linkage of the pseudonyms; the rule's own if absent.
    linkage: Option<String>,
    /// Keeps the value as it is.
    keep: Option<Keep>,
}

/// What becomes of what no path names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Denied {
    /// It is left out.
    #[default]
    Remove,
    /// It becomes `"[redacted]"`.
    Redact,
    /// It becomes null.
    Null,
}

/// What a path's values are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Text; numbers and booleans as they are written.
    #[default]
    Text,
    /// Whole numbers of 64 bits.
    Integer,
    /// Numbers of 64 bits, in floating point.
    Number,
    /// True and false.
    Boolean,
}

impl Kind {
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Boolean => DataType::Boolean,
        }
    }
}

impl Function for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn doc(&self) -> Doc {
        let example = |params, input, output| Example {
            params,
            input_type: DataType::Utf8,
            input,
            others: &[],
            output,
        };
        Doc {
            summary: "Each named path of JSON text is masked by a mask of its own, or kept; what no \
                      path names is removed.",
            privacy: "What the masks of the paths leave, and the names of members and the number of \
                      elements on the way to what is named: a wildcard shows the names it stands for.",
            nulls: "Null stays null, empty stays empty; a JSON null that is named stays null. Text that \
                    is no JSON, and JSON that holds nothing named, become null.",
            examples: vec![
                example(
                    r#"{"paths": [{"path": "$.customer.email", "mask": "email"}, {"path": "$.total", "keep": {"owner": "finance", "reason": "sums are checked"}}]}"#,
                    &[
                        r#"{"customer": {"email": "ada@lovelace.org", "name": "Ada"}, "total": 12.50}"#,
                        "not JSON",
                    ],
                    &[
                        r#"{"customer":{"email":"2hnlginqc7aqf3oehv5j4eadqy@example.com"},"total":12.50}"#,
                        "",
                    ],
                ),
                example(
                    r#"{"paths": [{"path": "$.items[*].price", "type": "integer", "mask": "bucket", "params": {"width": 10}}], "otherwise": "null"}"#,
                    &[
                        r#"{"items": [{"sku": "A-1", "price": 17}, {"sku": "B-2", "price": 4}], "note": "gift"}"#,
                    ],
                    &[r#"{"items":[{"sku":null,"price":10},{"sku":null,"price":0}],"note":null}"#],
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
        // Parts may be kept.
        true
    }

    fn reads_name(&self, params: &Value) -> bool {
        nested::reads_name(params)
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, given: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { paths, otherwise } = params::parse(self, given, context)?;
        if !(1..=PATHS_MAX).contains(&paths.len()) {
            return Err(BindError::out_of_range("paths", "1 to 1000 paths"));
        }
        let mut parts = Parts::new(&Self, given, context)?;
        let mut bound = Vec::with_capacity(paths.len());
        for (number, PathPart { path, kind, mask, params, linkage, keep }) in
            paths.into_iter().enumerate()
        {
            let place = format!("/paths/{number}");
            let part = Part { mask, params, linkage, keep };
            let inner = parts.bind(&part, &kind.data_type(), &place)?;
            let output = inner.output(&kind.data_type());
            if !has_text(&output) && output != DataType::Null {
                let expected = format!("a mask whose values can stand in JSON, not {output}");
                return Err(out_of_range(&format!("{place}/mask"), expected));
            }
            bound.push(Path { path: parse(&path, &place)?, kind, inner });
        }
        let (inputs, properties) = parts.finish();
        // Named text that is empty stays as it is, and so may the whole value.
        let properties = Properties { may_return_input: true, ..properties };
        let input = context.input.clone();
        Ok(Box::new(Bound { input, paths: bound, otherwise, inputs, properties }))
    }
}

/// The path, if it is one that takes no more than its share of time: each `..` looks at all values below
/// all that the path before it names.
fn parse(path: &str, place: &str) -> Result<JsonPath, BindError> {
    let place = format!("{place}/path");
    let parsed = JsonPath::parse(path).map_err(|error| {
        let message = format!("no path of RFC 9535: {} at character {}", error.message(), error.position());
        BindError { path: place.clone(), kind: Box::new(BindErrorKind::WrongType { message }), hint: None }
            .hinted("as in `$.customer.email`, `$.items[*].price` or `$['first name']`; `match` and `search` are not known")
    })?;
    if path.len() > PATH_BYTES_MAX || path.matches("..").count() > 1 {
        return Err(out_of_range(&place, "a path of at most 500 bytes, with `..` at most once"));
    }
    Ok(parsed)
}

/// A bound path.
pub(super) struct Path {
    pub(super) path: JsonPath,
    pub(super) kind: Kind,
    pub(super) inner: Inner,
}

struct Bound {
    input: DataType,
    paths: Vec<Path>,
    otherwise: Denied,
    inputs: Vec<String>,
    properties: Properties,
}

impl Bound {
    fn mask(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<(ArrayRef, u64), MaskError> {
        match column.data_type() {
            DataType::Utf8 => {
                let (masked, counted) =
                    self.rewrite::<i32, _>(&column.as_string::<i32>(), others)?;
                Ok((Arc::new(masked), counted))
            }
            DataType::LargeUtf8 => {
                let (masked, counted) =
                    self.rewrite::<i64, _>(&column.as_string::<i64>(), others)?;
                Ok((Arc::new(masked), counted))
            }
            DataType::Utf8View => {
                let (masked, counted) = self.rewrite::<i32, _>(&column.as_string_view(), others)?;
                Ok((Arc::new(StringViewArray::from(&masked)), counted))
            }
            found => {
                Err(MaskError::UnexpectedType { expected: DataType::Utf8, found: found.clone() })
            }
        }
    }

    fn rewrite<'a, O: OffsetSizeTrait, A: StringArrayType<'a>>(
        &self,
        column: &A,
        others: &[ArrayRef],
    ) -> Result<(GenericStringArray<O>, u64), MaskError> {
        let mut builder = TextBuilder::<O>::with_rows(column.len());
        let mut valid = Vec::with_capacity(column.len());
        let mut counted = 0;
        let mut rows = 0..nested::place(column.len())?;
        while !rows.is_empty() {
            let mut draft = Draft::new(&self.paths, self.otherwise);
            let mut read = 0;
            for row in rows.by_ref().take(ROWS_TOGETHER) {
                let text = (!column.is_null(row as usize)).then(|| column.value(row as usize));
                draft.push(row, text);
                read += text.map_or(0, str::len);
                if read >= BYTES_TOGETHER {
                    break;
                }
            }
            counted += draft.fill(others, |text| {
                valid.push(text.is_some());
                builder.bytes().extend_from_slice(text.unwrap_or_default());
                builder.end_row()
            })?;
        }
        let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
        Ok((builder.finish(nulls)?, counted))
    }
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        if self.inputs.is_empty() { self.input.clone() } else { logical(&self.input).clone() }
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

    /// Of a dictionary, entries are counted.
    fn apply_counted(
        &self,
        column: &ArrayRef,
        others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        check_type(&self.input, column)?;
        nested::check_inputs(&self.inputs, column, others)?;
        if !self.inputs.is_empty() {
            return self.mask(&decode(&self.input, column)?, others);
        }
        let mut counted = 0;
        let masked = over_values(&self.input, column, |values| {
            let (masked, count) = self.mask(values, others)?;
            counted = count;
            Ok(masked)
        })?;
        Ok((masked, counted))
    }
}
