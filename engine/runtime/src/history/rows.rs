//! What became of one key: its versions, and what each changed.

use arrow::array::{ArrayRef, FixedSizeBinaryArray, RecordBatch};
use arrow::compute::concat_batches;
use datafusion::common::ScalarValue;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{col, lit};
use engine_tracking::history::{HASH_KEY, VERSION, VaultTable, VersionChange, hash_keys};
use serde::Serialize;

use super::layout::{Layout, refused};
use super::stored::Shelf;
use super::tables::{Asked, Opened, bare, open, tenant_value};
use crate::codes::{run, tracking};
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::fault;
use crate::unseal::arrow_schema;

/// The versions of one key.
#[derive(Debug, Clone, Serialize)]
pub struct RowHistory {
    /// The history.
    pub history: String,
    /// Its versions, oldest first; none where the key was never there.
    pub versions: Vec<VersionTold>,
}

/// A version, and what it changed.
#[derive(Debug, Clone, Serialize)]
pub struct VersionTold {
    /// Its number.
    pub version: i64,
    /// When it was loaded.
    pub load_date: String,
    /// `inserted`, `changed`, `deleted` or `returned`.
    pub kind: &'static str,
    /// The columns that differ from the version before.
    pub fields: Vec<FieldTold>,
}

/// A column that differs.
#[derive(Debug, Clone, Serialize)]
pub struct FieldTold {
    /// The column.
    pub column: String,
    /// Its published value before.
    pub before: Option<String>,
    /// Its published value in this version.
    pub after: Option<String>,
}

/// The versions of a key until the moment asked for. `key` are the values of the key columns as published: named as
/// `column=value`, or the value alone of a key of one column.
///
/// # Errors
/// The key is not one of this history, its tenant is not given, or the store cannot be read.
pub async fn of_key(
    session: &SessionContext,
    shelf: &Shelf<'_>,
    layout: &Layout,
    key: &[String],
    asked: &Asked,
) -> Outcome<RowHistory> {
    let Some(opened) = open(session, shelf, layout, asked.as_of).await? else {
        let message = format!("history `{}` has no load yet", layout.name);
        let finding = Diagnostic::new(&tracking::NOT_TRACKED, message);
        return Err(finding.help("the next `engine run` records the newest snapshot").into());
    };
    let hash = hash_key(layout, &opened, key, asked.tenant.as_deref())?;
    let batch = versions(&opened, layout, hash).await?;
    let changes = opened.vault.changes(&batch);
    let changes = changes.map_err(|error| refused(&layout.name, &error))?;
    Ok(RowHistory {
        history: layout.name.clone(),
        versions: changes.into_iter().map(told).collect(),
    })
}

fn told(change: VersionChange) -> VersionTold {
    let field = |field: engine_tracking::history::FieldChange| FieldTold {
        column: field.column,
        before: field.before,
        after: field.after,
    };
    VersionTold {
        version: change.version,
        load_date: change.load_date.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        kind: change.kind.word(),
        fields: change.fields.into_iter().map(field).collect(),
    }
}

/// The hash key of a key.
fn hash_key(
    layout: &Layout,
    opened: &Opened,
    key: &[String],
    tenant: Option<&str>,
) -> Outcome<FixedSizeBinaryArray> {
    let unreadable = |_| Diagnostic::new(&run::INTERNAL, "a column's type cannot be read");
    let hub = arrow_schema(&opened.recorded.hub.manifest).map_err(unreadable)?;
    let mut values = Vec::with_capacity(layout.key.len());
    for column in &layout.key {
        let text = given(layout, key, column)?;
        let field = hub.field_with_name(column).map_err(|_| not_a_key(layout))?;
        let value = tenant_value(&text, field.data_type());
        values.push(value.map_err(|_| not_a_key(layout))?);
    }
    let tenant: Option<ArrayRef> = match &layout.tenant {
        None if tenant.is_some() => {
            let message = format!("history `{}` has no tenants", layout.name);
            return Err(Diagnostic::new(&tracking::TENANT_REFUSED, message)
                .help("leave --tenant out")
                .into());
        }
        None => None,
        Some(column) => {
            let tenant = tenant.ok_or_else(|| {
                let message =
                    format!("the keys of history `{}` are those of a tenant", layout.name);
                let finding = Diagnostic::new(&tracking::TENANT_REFUSED, message);
                finding.help("name the tenant with --tenant, as its column shows it")
            })?;
            let field = hub.field_with_name(column).map_err(|_| not_a_key(layout))?;
            Some(tenant_value(tenant, field.data_type())?)
        }
    };
    let hash = hash_keys(tenant.as_ref(), &values);
    Ok(hash.map_err(|error| refused(&layout.name, &error))?)
}

/// The value that is given for a key column.
fn given(layout: &Layout, key: &[String], column: &str) -> Outcome<String> {
    let named = key.iter().find_map(|text| text.strip_prefix(column)?.strip_prefix('='));
    match (named, key, layout.key.as_slice()) {
        (Some(value), _, _) if key.len() == layout.key.len() => Ok(value.to_owned()),
        (None, [value], [_]) => Ok(value.clone()),
        _ => Err(not_a_key(layout).into()),
    }
}

fn not_a_key(layout: &Layout) -> Diagnostic {
    let keys: Vec<String> = layout.key.iter().map(|one| format!("--key {one}=…")).collect();
    let message = format!("this is no key of history `{}`", layout.name);
    Diagnostic::new(&crate::codes::commands::QUERY_REFUSED, message)
        .help(format!("give {}, with values as they are published", keys.join(" ")))
}

async fn versions(
    opened: &Opened,
    layout: &Layout,
    hash: FixedSizeBinaryArray,
) -> Outcome<RecordBatch> {
    let refused = |error| Failure::from(fault::running(&error, &layout.name));
    let satellite = layout.table(VaultTable::Satellite);
    let hash = ScalarValue::try_from_array(&hash, 0).map_err(refused)?;
    let frame = opened.inner.table(bare(&satellite));
    let frame = frame.await.map_err(refused)?;
    let frame = frame.filter(col(HASH_KEY).eq(lit(hash))).map_err(refused)?;
    let frame = frame.sort(vec![col(VERSION).sort(true, false)]).map_err(refused)?;
    let schema = std::sync::Arc::clone(frame.schema().inner());
    let batches = frame.collect().await.map_err(refused)?;
    let batch = concat_batches(&schema, &batches);
    batch.map_err(|error| refused(error.into()))
}
