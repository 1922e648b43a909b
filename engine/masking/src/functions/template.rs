//! `template`: text put together from other columns of the row, as their own rules mask them.
//!
//! ```text
//!  {{ first_name }}.{{ last_name }}@example.com
//!        └ masked by the rule of first_name     never the column's own value
//! ```
//!
//! What a template can reach: the columns it names, and Jinja's filters, tests and loops. There is no
//! clock, no chance, no other template, and nothing undefined.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, GenericStringArray, OffsetSizeTrait, StringViewArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use minijinja::value::Object;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value as Jinja};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::nested::check_inputs;
use super::params;
use crate::canonical::for_each;
use crate::error::{BindError, BindErrorKind, MaskError};
use crate::forms::{TextBuilder, decode, is_text, logical};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Longest template.
const TEMPLATE_BYTES_MAX: usize = 10_000;
/// Work the template of one row may do; one unit is an instruction or about 64 bytes.
const FUEL: u64 = 10_000;
/// Levels of macros and nested blocks.
const RECURSION_MAX: usize = 64;
/// Longest text of one row.
const TEXT_BYTES_MAX: usize = 10_000;
/// The template's name inside its environment, which nobody sees.
const NAME: &str = "template";
/// Functions a template may call: they make values of what they are given.
const FUNCTIONS: &[&str] = &["dict", "namespace", "range"];

/// Text from other columns.
pub(super) struct Template;

/// Parameters of `template`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Jinja. Its names are columns of the row, each as text, masked by its own rule; a null can be
    /// tested (`{% if nickname is none %}`), but not written. At most 10000 bytes.
    template: String,
    /// Names of the template that stand for columns of other names.
    #[serde(default)]
    columns: BTreeMap<String, String>,
}

impl Function for Template {
    fn name(&self) -> &'static str {
        "template"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every value becomes the text that a template makes of other columns of the row, \
                      as their own rules mask them.",
            privacy: "Only whether there was a value, and whether it was empty, remains of it; the \
                      other columns show what they show anyway.",
            nulls: "Null stays null, empty stays empty. Where the template writes a column that is \
                    null, or needs too much work or space, the value becomes null, and is counted.",
            examples: vec![
                Example {
                    params: r#"{"template": "{{ first_name | lower }}.{{ last_name | lower }}@example.com"}"#,
                    input_type: DataType::Utf8,
                    input: &["ada@lovelace.org", "grace@navy.mil"],
                    others: &[("first_name", &["Mary", "Rosa"]), ("last_name", &["Weber", "Li"])],
                    output: &["mary.weber@example.com", "rosa.li@example.com"],
                },
                Example {
                    params: r#"{"template": "{{ name[0] }}. ({{ id }})", "columns": {"name": "first name"}}"#,
                    input_type: DataType::Utf8,
                    input: &["Ada (7)"],
                    others: &[("first name", &["Mary"]), ("id", &["3141"])],
                    output: &["M. (3141)"],
                },
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        false
    }

    fn reads_name(&self, _params: &Value) -> bool {
        // To refuse a template that reads the column it makes.
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { template, columns } = params::parse(self, params, context)?;
        if template.len() > TEMPLATE_BYTES_MAX {
            return Err(BindError::out_of_range("template", "a template of at most 10000 bytes"));
        }
        let (environment, names) = compile(template)?;
        if let Some(name) = columns.keys().find(|name| !names.contains(name)) {
            let expected = format!("names that the template uses, which `{name}` is not");
            return Err(BindError::out_of_range("columns", expected));
        }
        let mut inputs = Vec::with_capacity(names.len());
        for name in &names {
            let column = columns.get(name).unwrap_or(name);
            if context.name == Some(column.as_str()) {
                let expected =
                    format!("other columns than `{column}`, whose values are masked here");
                return Err(BindError::out_of_range("template", expected));
            }
            params::check_column("template", column, context)?;
            inputs.push(column.clone());
        }
        if inputs.is_empty() {
            return Err(BindError::out_of_range("template", "a template that names a column")
                .hinted("for the same text in every row, use the mask `constant`"));
        }
        Ok(Box::new(Bound {
            input: context.input.clone(),
            environment,
            names: names.into(),
            inputs,
        }))
    }
}

/// An environment of this template alone, and the names it uses that are no functions.
fn compile(template: String) -> Result<(Environment<'static>, Vec<String>), BindError> {
    let mut environment = Environment::new();
    environment.remove_global("debug");
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(false);
    environment.set_recursion_limit(RECURSION_MAX);
    environment.set_formatter(|out, state, value| match value.is_none() {
        true => Err(Error::new(ErrorKind::InvalidOperation, "null cannot be written")),
        false => minijinja::escape_formatter(out, state, value),
    });
    let wrong = |error: &Error| {
        let message = format!("line {}: {error}", error.line().unwrap_or(1));
        BindError::at("template", BindErrorKind::WrongType { message })
    };
    environment.add_template_owned(NAME, template).map_err(|error| wrong(&error))?;
    let compiled = environment.get_template(NAME).map_err(|error| wrong(&error))?;
    let names = compiled.undeclared_variables(false);
    let mut names: Vec<String> =
        names.into_iter().filter(|name| !FUNCTIONS.contains(&name.as_str())).collect();
    names.sort();
    Ok((environment, names))
}

struct Bound {
    input: DataType,
    environment: Environment<'static>,
    /// Names in the template, in the order of their columns.
    names: Arc<[String]>,
    inputs: Vec<String>,
}

impl Bound {
    /// The text of every row, and the number of rows that should have one and have none.
    fn render<O: OffsetSizeTrait>(
        &self,
        column: &ArrayRef,
        others: &[ArrayRef],
    ) -> Result<(GenericStringArray<O>, u64), MaskError> {
        let refused = |_| MaskError::Kernel { operation: "render a template" };
        let template = self.environment.get_template(NAME).map_err(refused)?;
        let values = others.iter().map(texts).collect::<Result<Vec<_>, _>>()?;
        let mut builder = TextBuilder::<O>::with_rows(column.len());
        let mut valid = Vec::with_capacity(column.len());
        let mut unfit = 0;
        for_each(column.as_ref(), |row, value| {
            let of = |column: &Vec<Jinja>| column.get(row).cloned().unwrap_or_default();
            let rendered = match value {
                None => None,
                Some(b"") => Some(String::new()),
                Some(_) => {
                    let values = values.iter().map(of).collect();
                    let scope = Scope { names: Arc::clone(&self.names), values };
                    let mut text = Limited(Vec::new());
                    let written = template.render_captured_to(Jinja::from_object(scope), &mut text);
                    let text = written.ok().and_then(|_| String::from_utf8(text.0).ok());
                    unfit += u64::from(text.is_none());
                    text
                }
            };
            valid.push(rendered.is_some());
            builder.bytes().extend_from_slice(rendered.unwrap_or_default().as_bytes());
            builder.end_row()
        })?;
        let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
        Ok((builder.finish(nulls)?, unfit))
    }
}

/// Text up to the bound of a row: writing beyond it fails, so that nothing endless is written out.
struct Limited(Vec<u8>);

impl std::io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > TEXT_BYTES_MAX {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a template sees of one row.
struct Scope {
    names: Arc<[String]>,
    values: Vec<Jinja>,
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scope([redacted])")
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        let place = self.names.iter().position(|name| name == key)?;
        self.values.get(place).cloned()
    }
}

/// A column's values as a template sees them.
fn texts(column: &ArrayRef) -> Result<Vec<Jinja>, MaskError> {
    let plain = decode(column.data_type(), column)?;
    if plain.data_type() == &DataType::Null {
        return Ok(vec![Jinja::from(()); plain.len()]);
    }
    let mut values = Vec::with_capacity(plain.len());
    for_each(plain.as_ref(), |_, value| {
        let text = value.and_then(|value| std::str::from_utf8(value).ok());
        values.push(text.map_or(Jinja::from(()), Jinja::from));
        Ok(())
    })?;
    Ok(values)
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        logical(&self.input).clone()
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves { null: true, ..Preserves::default() },
            // Without knowing: what a template makes may be the value.
            may_return_input: true,
        }
    }

    fn inputs(&self) -> &[String] {
        &self.inputs
    }

    fn reads_masked(&self) -> bool {
        true
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Ok(self.apply_counted(column, others)?.0)
    }

    fn apply_counted(
        &self,
        column: &ArrayRef,
        others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        let plain = decode(&self.input, column)?;
        check_inputs(&self.inputs, column, others)?;
        if plain.data_type() == &DataType::LargeUtf8 {
            let (masked, unfit) = self.render::<i64>(&plain, others)?;
            return Ok((Arc::new(masked), unfit));
        }
        let (masked, unfit) = self.render::<i32>(&plain, others)?;
        let masked: ArrayRef = match plain.data_type() {
            DataType::Utf8View => Arc::new(StringViewArray::from(&masked)),
            _ => Arc::new(masked),
        };
        Ok((masked, unfit))
    }
}
