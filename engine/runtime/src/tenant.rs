//! Whose a row is: a tenant's name as a value of the column that says so.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, col, lit};

use crate::codes::tracking;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::fault;

/// The condition that a row of a table is the tenant's.
///
/// # Errors
/// The table has no tenant column, or the tenant is no value of it.
pub fn of_tenant(
    schema: &Schema,
    table: &str,
    column: Option<&str>,
    tenant: &str,
) -> Outcome<Expr> {
    let field = column.and_then(|column| schema.field_with_name(column).ok());
    let field = field.ok_or_else(|| no_tenant(&format!("`{table}`")))?;
    let value = tenant_value(tenant, field.data_type())?;
    let value = ScalarValue::try_from_array(&value, 0);
    let value = value.map_err(|error| fault::running(&error, table))?;
    Ok(col(Column::from_name(field.name())).eq(lit(value)))
}

/// The refusal of a table that has no tenants.
#[must_use]
pub fn no_tenant(table: &str) -> Diagnostic {
    Diagnostic::new(&tracking::TENANT_REFUSED, format!("{table} has no tenant column"))
        .help("declare `tenant:` at the export or its history, or ask without --tenant")
}

/// A tenant as a value of the tenant column.
///
/// # Errors
/// It is none. The text is not shown: it stands on the command line, but may be a value of the data.
pub(super) fn tenant_value(tenant: &str, column: &DataType) -> Outcome<ArrayRef> {
    let text: ArrayRef = Arc::new(StringArray::from(vec![tenant]));
    let value = cast(&text, column).ok().filter(|value| value.null_count() == 0);
    let message = format!("the tenant is no value of a column of type {column}");
    let refusal = || Diagnostic::new(&tracking::TENANT_REFUSED, message);
    Ok(value.ok_or_else(|| refusal().help("give it as the tenant column shows it"))?)
}
