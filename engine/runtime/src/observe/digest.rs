//! Digests in plans: of what a mask is given, and of rows, by which whoever has the keys finds them again.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryBuilder, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{Column, DataFusionError, Result, internal_err, plan_err};
use datafusion::logical_expr::logical_plan::Projection;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use engine_masking::{Absent, DigestKey, row_digests};

/// Bytes of a digest.
const DIGEST_BYTES: i32 = 16;
/// The name of the function that gives handles in SQL.
const ROW_HANDLE: &str = "row_handle";

/// A column whose values are watched before they are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name in what the export is made from.
    pub column: String,
    /// What of it is no value.
    pub absent: Absent,
}

/// The plan of an export with the digests of `inputs` after its columns.
///
/// # Errors
/// The plan is not a projection of columns that include the inputs.
pub fn with_inputs(plan: &LogicalPlan, inputs: &[Input], key: &DigestKey) -> Result<LogicalPlan> {
    if inputs.is_empty() {
        return Ok(plan.clone());
    }
    let LogicalPlan::Projection(projection) = plan else {
        return internal_err!("an export is a projection");
    };
    let expressions = projection.expr.iter().cloned();
    let digests = digests(&projection.input, inputs, key)?;
    project(projection, expressions.chain(digests).collect())
}

/// The digests of `inputs` alone, over the rows of an export.
///
/// # Errors
/// As [`with_inputs`].
pub fn inputs_only(plan: &LogicalPlan, inputs: &[Input], key: &DigestKey) -> Result<LogicalPlan> {
    let LogicalPlan::Projection(projection) = plan else {
        return internal_err!("an export is a projection");
    };
    project(projection, digests(&projection.input, inputs, key)?)
}

fn project(projection: &Projection, expressions: Vec<Expr>) -> Result<LogicalPlan> {
    let projected = Projection::try_new(expressions, Arc::clone(&projection.input))?;
    Ok(LogicalPlan::Projection(projected))
}

fn digests(below: &LogicalPlan, inputs: &[Input], key: &DigestKey) -> Result<Vec<Expr>> {
    let one = |(position, input): (usize, &Input)| {
        let (qualifier, field) =
            below.schema().qualified_field_with_unqualified_name(&input.column)?;
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        let function = ScalarUDF::from(InputDigest {
            key: key.clone(),
            absent: input.absent,
            signature: Signature::any(1, Volatility::Immutable),
        });
        Ok(function.call(vec![column]).alias(format!("digest {position}")))
    };
    inputs.iter().enumerate().map(one).collect()
}

/// The digest of a value, as 16 bytes.
#[derive(Debug)]
struct InputDigest {
    key: DigestKey,
    absent: Absent,
    signature: Signature,
}

impl PartialEq for InputDigest {
    fn eq(&self, other: &Self) -> bool {
        self.absent == other.absent
    }
}

impl Eq for InputDigest {}

impl Hash for InputDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.absent == Absent::Null).hash(state);
    }
}

impl ScalarUDFImpl for InputDigest {
    fn name(&self) -> &str {
        match self.absent {
            Absent::Null => "digest",
            Absent::NullOrEmpty => "digest_of_text",
            Absent::Nothing => "digest_of_all",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::FixedSizeBinary(DIGEST_BYTES))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let digests = row_digests(&columns, &self.key, self.absent).map_err(external)?;
        let mut built = FixedSizeBinaryBuilder::with_capacity(digests.len(), DIGEST_BYTES);
        for digest in digests {
            match digest {
                Some(digest) => built.append_value(digest.to_le_bytes())?,
                None => built.append_null(),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(built.finish())))
    }
}

fn external(error: engine_masking::MaskError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// How a digest is written where people read it: its first 64 bits, as 16 hexadecimal digits.
pub(super) fn handle(digest: u128) -> String {
    format!("{:016x}", digest >> 64)
}

/// The function `row_handle('export', column, …)` of queries: the handles of tests' findings. `key` gives
/// the key of an export.
pub fn handle_function(
    key: impl Fn(&str) -> Option<DigestKey> + Send + Sync + 'static,
) -> ScalarUDF {
    let signature = Signature::variadic_any(Volatility::Immutable);
    ScalarUDF::from(RowHandle { key: Arc::new(key), signature })
}

/// Gives the key of an export.
type KeyOf = dyn Fn(&str) -> Option<DigestKey> + Send + Sync;

struct RowHandle {
    key: Arc<KeyOf>,
    signature: Signature,
}

impl std::fmt::Debug for RowHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(ROW_HANDLE)
    }
}

/// One project has one such function.
impl PartialEq for RowHandle {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for RowHandle {}

impl Hash for RowHandle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ROW_HANDLE.hash(state);
    }
}

impl ScalarUDFImpl for RowHandle {
    fn name(&self) -> &str {
        ROW_HANDLE
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let export = match args.args.first() {
            Some(ColumnarValue::Scalar(scalar)) => scalar.try_as_str().flatten(),
            _ => None,
        };
        let Some(key) = export.and_then(|export| (self.key)(export)) else {
            return plan_err!("{ROW_HANDLE} wants the name of an export first, then its columns");
        };
        let columns: Vec<ArrayRef> = args
            .args
            .iter()
            .skip(1)
            .map(|column| column.to_array(args.number_rows))
            .collect::<Result<_>>()?;
        let digests = row_digests(&columns, &key, Absent::Nothing).map_err(external)?;
        let mut built = StringBuilder::with_capacity(digests.len(), digests.len() * 16);
        digests.into_iter().for_each(|digest| built.append_option(digest.map(handle)));
        Ok(ColumnarValue::Array(Arc::new(built.finish())))
    }
}
