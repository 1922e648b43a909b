//! Whose a row is: a tenant's name as a value of the column that says so.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, col, lit};
use engine_tracking::runs::Scope;

use crate::codes::tracking;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::fault;

/// Characters of a tenant's name: it goes on record.
const CHARACTERS_MAX: usize = 256;

/// Whose records are looked at: a tenant's, or everybody's where none is given.
#[must_use]
pub fn scope(tenant: Option<&str>) -> Scope {
    tenant.map_or(Scope::All, |tenant| Scope::Tenant(tenant.to_owned()))
}

/// A tenant's name that can stand in a record.
///
/// # Errors
/// It is empty, as of a variable that is not set, too long, or no text of one line. It is not shown.
pub fn recordable(tenant: &str) -> Outcome<String> {
    let is_long = tenant.chars().count() > CHARACTERS_MAX;
    if tenant.is_empty() || is_long || tenant.chars().any(char::is_control) {
        let message = format!("a tenant's name has 1 to {CHARACTERS_MAX} characters in one line");
        let finding = Diagnostic::new(&tracking::TENANT_REFUSED, message);
        return Err(finding.help("name the tenant with --tenant, as its column shows it").into());
    }
    Ok(tenant.to_owned())
}

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
