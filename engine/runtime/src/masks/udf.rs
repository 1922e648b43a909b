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
use engine_masking::Function;

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
        let (masked, irregular) = bound
            .mask
            .apply_counted(column, others)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        count(&bound, column, &masked)?;
        bound.counts.irregular.fetch_add(irregular, Ordering::Relaxed);
        Ok(ColumnarValue::Array(masked))
    }
}

/// Counts what came out as it went in.
fn count(bound: &Bound, before: &ArrayRef, after: &ArrayRef) -> Result<()> {
    let unchanged = engine_masking::unchanged_rows(before, after)
        .map_err(|error| DataFusionError::External(Box::new(error)))?;
    let values = before.len().saturating_sub(before.null_count()) as u64;
    bound.counts.values.fetch_add(values, Ordering::Relaxed);
    bound.counts.unchanged.fetch_add(unchanged, Ordering::Relaxed);
    Ok(())
}
