//! The adapter that turns any masking function into a DataFusion function.
//!
//! ```text
//!  mask_<function>( value, '<spec JSON>' [, other column …] )
//!        │                    │
//!        └ Function::bind ◀───┘ + key from the resolver ──▶ Mask::apply per batch
//! ```

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use engine_masking::{Function, Mask, MaskError};

use super::distinct::Distinct;
use super::resolver::{Bound, Resolver};
use super::spec::sql_name;

/// Every function of the catalogue, over one resolver.
pub fn functions(resolver: &Arc<Resolver>) -> impl Iterator<Item = ScalarUDF> {
    engine_masking::all().map(|function| MaskUdf::new(function, resolver).into())
}

/// The function of this name, over a resolver. `None` when the catalogue has no such function.
pub fn function(name: &str, resolver: &Arc<Resolver>) -> Option<ScalarUDF> {
    engine_masking::find(name).map(|function| MaskUdf::new(function, resolver).into())
}

struct MaskUdf {
    function: &'static dyn Function,
    name: String,
    signature: Signature,
    resolver: Arc<Resolver>,
}

impl MaskUdf {
    fn new(function: &'static dyn Function, resolver: &Arc<Resolver>) -> Self {
        Self {
            function,
            name: sql_name(function.name()),
            signature: Signature::variadic_any(Volatility::Immutable),
            resolver: Arc::clone(resolver),
        }
    }

    fn bind(&self, spec: &ScalarValue, fields: &[FieldRef]) -> Result<Arc<Bound>> {
        let Some(Some(spec)) = spec.try_as_str() else {
            return plan_err!("{} wants its specification as a text literal", self.name);
        };
        let columns: Vec<FieldRef> =
            fields.first().into_iter().chain(fields.iter().skip(2)).cloned().collect();
        self.resolver
            .bind(self.function, spec, &columns)
            .map_err(|error| DataFusionError::External(Box::new(error)))
    }
}

/// Two adapters are equal when they stand for the same function: the resolver belongs to the session.
impl PartialEq for MaskUdf {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for MaskUdf {}

impl Hash for MaskUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl std::fmt::Debug for MaskUdf {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.name)
    }
}

impl ScalarUDFImpl for MaskUdf {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("{} has a type only together with its specification", self.name)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let Some(Some(spec)) = args.scalar_arguments.get(1) else {
            return plan_err!("{} wants its specification as a text literal", self.name);
        };
        let bound = self.bind(spec, args.arg_fields)?;
        let preserved = bound.mask.properties().preserves.null;
        let nullable =
            !preserved || args.arg_fields.first().is_none_or(|field| field.is_nullable());
        Ok(Arc::new(Field::new(&self.name, bound.mask.output(), nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if !self.resolver.can_mask() {
            return exec_err!("{} cannot be applied: no keys were opened", self.name);
        }
        let Some(ColumnarValue::Scalar(spec)) = args.args.get(1) else {
            return exec_err!("{} wants its specification as a text literal", self.name);
        };
        let bound = self.bind(spec, &args.arg_fields)?;
        let rows = args.number_rows;
        let mut arrays = Vec::with_capacity(args.args.len());
        for (position, argument) in args.args.iter().enumerate() {
            if position != 1 {
                arrays.push(argument.to_array(rows)?);
            }
        }
        let Some((column, others)) = arrays.split_first() else {
            return exec_err!("{} wants a column", self.name);
        };
        // A mask that reads nothing else of the row gives equal values for equal ones.
        let distinct = if others.is_empty() { Distinct::of(column)? } else { None };
        let made = match distinct {
            Some(distinct) => over_distinct(&bound.mask, column, &distinct)?,
            None => over_rows(&bound.mask, column, others)?,
        };
        let values = column.len().saturating_sub(column.null_count()) as u64;
        bound.counts.values.fetch_add(values, Ordering::Relaxed);
        bound.counts.unchanged.fetch_add(made.unchanged, Ordering::Relaxed);
        bound.counts.irregular.fetch_add(made.irregular, Ordering::Relaxed);
        Ok(ColumnarValue::Array(made.masked))
    }
}

/// A masked column.
struct Made {
    masked: ArrayRef,
    /// Rows that came out as they went in.
    unchanged: u64,
    /// Rows whose value is not what the function is for.
    irregular: u64,
}

fn over_rows(mask: &Arc<dyn Mask>, column: &ArrayRef, others: &[ArrayRef]) -> Result<Made> {
    let (masked, irregular) = mask.apply_counted(column, others).map_err(external)?;
    let unchanged = engine_masking::unchanged_rows(column, &masked).map_err(external)?;
    Ok(Made { masked, unchanged, irregular })
}

/// The same by way of the column's distinct values. What is counted is counted in rows all the same.
fn over_distinct(mask: &Arc<dyn Mask>, column: &ArrayRef, distinct: &Distinct) -> Result<Made> {
    let made = over_rows(mask, distinct.values(), &[])?;
    if made.irregular > 0 {
        return over_rows(mask, column, &[]);
    }
    let masked = distinct.spread(&made.masked)?;
    let unchanged = match made.unchanged {
        0 => 0,
        _ => engine_masking::unchanged_rows(column, &masked).map_err(external)?,
    };
    Ok(Made { masked, unchanged, irregular: 0 })
}

fn external(error: MaskError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
