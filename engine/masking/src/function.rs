//! The two traits of the catalogue: a [`Function`] is bound once to parameters, a
//! column type and a key; the [`Mask`] it gives is applied to every batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use serde_json::Value;

use crate::error::{BindError, MaskError};
use crate::key::LinkageKey;
use crate::properties::Properties;

/// User dictionaries by name: the entries in file order.
pub type Lookups = BTreeMap<String, Arc<[String]>>;

/// One entry of the catalogue. Implementations are unit structs, registered in
/// [`crate::ALL`].
pub trait Function: Send + Sync {
    /// The name rules use: lower case, `_`.
    fn name(&self) -> &'static str;

    /// Version of the mapping: raised whenever an equal input would give another
    /// output. Part of key derivation ([`LinkageKey::derive`]).
    fn abi(&self) -> u32 {
        1
    }

    /// Texts and checked examples, for the reference and `explain`.
    fn doc(&self) -> Doc;

    /// JSON Schema (2020-12) of the parameters; unknown keys are refused.
    fn params_schema(&self) -> schemars::Schema;

    /// Whether [`Function::bind`] needs a key.
    fn keyed(&self) -> bool;

    /// Whether every non-null value becomes the same one, so that nothing of it is left.
    fn hides_all(&self) -> bool {
        false
    }

    /// Whether the masked value is near the value.
    fn approximates(&self) -> bool {
        false
    }

    /// Whether these parameters make the column's name part of the mapping.
    fn reads_name(&self, _params: &Value) -> bool {
        false
    }

    /// Whether columns of this type can be masked. Dictionary, view and large
    /// forms count as their value type.
    fn accepts(&self, input: &DataType) -> bool;

    /// Binds the function: a pure function of its arguments. Null parameters count
    /// as an empty object.
    ///
    /// # Errors
    /// [`BindError`] names the parameter at fault, what is wrong, and what would
    /// be right.
    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError>;
}

/// What a function is bound to besides its parameters.
pub struct BindContext<'a> {
    /// The column's type.
    pub input: &'a DataType,
    /// The key of this function in the rule's linkage; none for unkeyed functions.
    pub key: Option<&'a LinkageKey>,
    /// The project's default locale (`en`, `de`, `fr_FR`); `en` when absent.
    pub locale: Option<&'a str>,
    /// The project's dictionaries.
    pub lookups: &'a Lookups,
    /// Types of the other columns of the row, by name.
    pub columns: &'a dyn Fn(&str) -> Option<DataType>,
    /// The masked column's name, where the rule makes it part of the mapping ([`Function::reads_name`]).
    pub name: Option<&'a str>,
    /// The key of another function in a linkage (in the rule's own when none is named), for masks that
    /// are made of masks.
    pub keys: &'a dyn Fn(&dyn Function, Option<&str>) -> Option<LinkageKey>,
}

/// A bound function. Cheap to apply, per batch, from many threads.
pub trait Mask: Send + Sync {
    /// Type of the masked column.
    fn output(&self) -> DataType;

    /// What this mask, with its parameters, promises.
    fn properties(&self) -> Properties;

    /// Names of the other columns of the row it reads (the entity of a date
    /// shift), in the order [`Mask::apply`] wants them. They are read raw, unless it
    /// [reads masked ones](Mask::reads_masked).
    fn inputs(&self) -> &[String] {
        &[]
    }

    /// Whether the other columns are to be masked by their own rules before this mask reads them.
    fn reads_masked(&self) -> bool {
        false
    }

    /// The mask that restores what this one masked, with the same other columns; none where that cannot be.
    fn inverse(&self) -> Option<Box<dyn Mask>> {
        None
    }

    /// Masks one batch: as many rows out as in, nulls where the input is null. The
    /// result shares no buffer with the input and holds no input value in a slot
    /// that is null.
    ///
    /// # Errors
    /// [`MaskError`] when the arrays are not what the mask was bound to, or the
    /// result does not fit its type. It never holds a value.
    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError>;

    /// What collects the whole column, for a mask that must have seen all of it before it masks a row; such a
    /// mask refuses to be applied itself.
    fn collect(&self) -> Option<Box<dyn Collect>> {
        None
    }

    /// Masks as [`Mask::apply`] does, and counts the rows whose value is not what the function is for:
    /// one that fails a check and is masked by its shape, or that goes to `otherwise`.
    ///
    /// # Errors
    /// As [`Mask::apply`].
    fn apply_counted(
        &self,
        column: &ArrayRef,
        others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        Ok((self.apply(column, others)?, 0))
    }
}

/// A column and the other columns of its rows, while all of it is collected.
pub trait Collect: Send {
    /// Adds a batch, as [`Mask::apply`] would get it.
    ///
    /// # Errors
    /// [`MaskError`] when the arrays are not what the mask was bound to.
    fn push(&mut self, column: &ArrayRef, others: &[ArrayRef]) -> Result<(), MaskError>;

    /// Bytes that are held, and will be while the mask is made of them.
    fn bytes(&self) -> usize;

    /// The mask of the whole column.
    ///
    /// # Errors
    /// [`MaskError::NotUnique`] when rows are not told apart by what identifies them.
    fn finish(self: Box<Self>) -> Result<Box<dyn Mask>, MaskError>;
}

/// Texts about a function.
#[derive(Debug, Clone)]
pub struct Doc {
    /// One sentence: what comes out.
    pub summary: &'static str,
    /// One sentence: what the output still tells about the input.
    pub privacy: &'static str,
    /// What null and empty values give.
    pub nulls: &'static str,
    /// At least one, but where a mask needs the whole column; a test runs each under [`crate::EXAMPLE_MASTER`], key
    /// version 1, linkage `example`.
    pub examples: Vec<Example>,
}

/// One column masked, written as text.
#[derive(Debug, Clone)]
pub struct Example {
    /// The parameters, as JSON.
    pub params: &'static str,
    /// Type of the column.
    pub input_type: DataType,
    /// The column, as text that casts to its type.
    pub input: &'static [&'static str],
    /// Other text columns of the row, by name.
    pub others: &'static [(&'static str, &'static [&'static str])],
    /// The masked column, cast to text.
    pub output: &'static [&'static str],
}
