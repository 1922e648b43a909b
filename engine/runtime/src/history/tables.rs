//! Histories and exports as tables of a query: of now or of a moment, of one tenant or of all.
//!
//! ```text
//!  <name>_h, _s, _l   the tables, as of the moment
//!  <name>             every version, with the end of each
//!  <name>_current     the newest version of each key that is not gone
//!  <name>_as_of       the same; both are of the moment that is asked for
//!  <export>           with a moment: the rows that the export had then
//! ```
//!
//! What a query names is looked up in its own session only, where nothing stands but what is bound already: the
//! tables below are in another that no SQL of a user reaches.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::catalog::view::ViewTable;
use datafusion::common::{ScalarValue, TableReference};
use datafusion::execution::context::SessionContext;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{LogicalPlan, col, lit};
use engine_bundle::ids::FileId;
use engine_bundle::manifest::Manifest;
use engine_project::{History, identifier};
use engine_tracking::history::{LOAD_DATE, TenantKey, Vault, VaultTable, hash_tenants};
use engine_tracking::retention::Moment;

use super::fence::Fenced;
use super::layout::{Layout, is_own, refused};
use super::stored::{Recorded, Shelf, readable, same_key};
use crate::codes::{run, tracking};
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::fault;
use crate::tenant::{no_tenant, of_tenant, tenant_value};
use crate::unseal::SnapshotTable;

/// What a query is bound to.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The moment whose state it asks for; now when none is given.
    pub as_of: Option<Moment>,
    /// The tenant whose rows it may see, as published; all when none is given.
    pub tenant: Option<String>,
}

/// A snapshot that a table is made of.
pub(super) type InStore = (FileId, Manifest);

/// Tables of a query, bound as it asks.
pub struct Bound<'a> {
    /// The session of the query.
    pub session: &'a SessionContext,
    /// What it asks for.
    pub asked: &'a Asked,
    /// Where histories are.
    pub shelf: Shelf<'a>,
    /// Tables that a query may not name, and why.
    pub withheld: BTreeMap<String, Diagnostic>,
}

/// A history that can be read, in a session of its own.
pub struct Opened {
    /// The newest load.
    pub recorded: Recorded,
    /// Its columns.
    pub vault: Vault,
    /// The session with its tables.
    pub inner: SessionContext,
    /// The tables' snapshots.
    pub snapshots: Vec<InStore>,
}

impl Bound<'_> {
    /// Registers the tables and views of a history, and its export for the moment that is asked for.
    ///
    /// # Errors
    /// A manifest or chunk is not what was committed.
    pub async fn history(&mut self, layout: &Layout) -> Outcome<Vec<InStore>> {
        let Some(opened) = open(self.session, &self.shelf, layout, self.asked.as_of).await? else {
            let message = format!("history `{}` has no load yet", layout.name);
            let finding = Diagnostic::new(&tracking::NOT_TRACKED, message);
            self.withhold(
                layout,
                &finding.help("the next `engine run` records the newest snapshot"),
            );
            return Ok(Vec::new());
        };
        if let Some(moment) = self.asked.as_of
            && moment < opened.recorded.begun()
        {
            let begun = opened.recorded.begun().format("%Y-%m-%dT%H:%M:%SZ");
            let message = format!("history `{}` begins at {begun}", layout.name);
            let finding = Diagnostic::new(&tracking::NOT_TRACKED, message);
            self.withhold(layout, &finding.help("ask for a moment since then"));
            return Ok(Vec::new());
        }
        let tenant = match (&self.asked.tenant, &layout.tenant) {
            (None, _) => None,
            (Some(tenant), Some(column)) => Some(tenant_key(&opened, column, tenant)?),
            (Some(_), None) => {
                self.withhold(layout, &no_tenant(&format!("history `{}`", layout.name)));
                return Ok(Vec::new());
            }
        };
        self.register(layout, &opened, tenant.as_ref()).await?;
        Ok(opened.snapshots)
    }

    /// Nothing of a history can be read; its export neither, where the moment asked for is not now.
    fn withhold(&mut self, layout: &Layout, finding: &Diagnostic) {
        let export = self.asked.as_of.map(|_| layout.export.clone());
        for name in History::NAMES.map(|ending| layout.view(ending)).into_iter().chain(export) {
            self.withheld.insert(name, finding.clone());
        }
    }

    async fn register(
        &self,
        layout: &Layout,
        opened: &Opened,
        tenant: Option<&TenantKey>,
    ) -> Outcome<()> {
        let Opened { vault, inner, recorded, .. } = opened;
        let internal = |error| Failure::from(refused(&layout.name, &error));
        let mut tables = vec![VaultTable::Hub, VaultTable::Satellite];
        tables.extend(recorded.links.as_ref().map(|_| VaultTable::Links));
        let mut views: Vec<(String, String)> = Vec::new();
        for table in tables {
            let name = layout.table(table);
            let sql = match tenant {
                Some(tenant) => vault.table_view(table, tenant).map_err(internal)?,
                None => format!("SELECT * FROM {}", identifier(&name)),
            };
            views.push((name, sql));
        }
        let current = vault.current_view(tenant).map_err(internal)?;
        views.push((layout.view(""), vault.history_view(tenant).map_err(internal)?));
        views.push((layout.view("_current"), current.clone()));
        views.push((layout.view("_as_of"), current.clone()));
        // Of several histories the first answers for the export.
        let is_free = !self.session.table_exist(bare(&layout.export)).unwrap_or(true);
        if self.asked.as_of.is_some() && is_free {
            let has = |column: &&String| !is_own(column);
            let columns = recorded.document.columns.iter().filter(has).map(|one| identifier(one));
            let columns = columns.collect::<Vec<_>>().join(", ");
            views.push((
                layout.export.clone(),
                format!("SELECT {columns} FROM ({current}) AS then"),
            ));
        }
        for (name, sql) in views {
            let plan = planned(inner, &sql, &layout.name).await?;
            self.table(&name, plan)?;
        }
        Ok(())
    }

    /// Registers a plan as a table; behind a fence where the query is bound to a tenant.
    fn table(&self, name: &str, plan: LogicalPlan) -> Outcome<()> {
        let table: Arc<dyn TableProvider> = match &self.asked.tenant {
            Some(_) => Arc::new(Fenced::new(plan)),
            None => Arc::new(ViewTable::new(plan, None)),
        };
        let registered = self.session.register_table(bare(name), table);
        registered.map_err(|error| fault::running(&error, name))?;
        Ok(())
    }

    /// Registers an export's snapshot, its rows bound to the tenant whom the query is bound to.
    ///
    /// # Errors
    /// The tenant's name is no value of the tenant column.
    pub fn export(
        &mut self,
        export: &str,
        tenant_column: Option<&str>,
        snapshot: SnapshotTable,
    ) -> Outcome<()> {
        let unreadable = |error| Failure::from(fault::running(&error, export));
        let Some(tenant) = &self.asked.tenant else {
            self.session.register_table(export, Arc::new(snapshot)).map_err(unreadable)?;
            return Ok(());
        };
        let schema = snapshot.schema();
        if tenant_column.is_none_or(|column| schema.field_with_name(column).is_err()) {
            self.withheld.insert(export.to_owned(), no_tenant(&format!("`{export}`")));
            return Ok(());
        }
        let is_own = of_tenant(&schema, export, tenant_column, tenant)?;
        let inner = beside(self.session);
        let rows = inner.read_table(Arc::new(snapshot)).map_err(unreadable)?;
        let rows = rows.filter(is_own).map_err(unreadable)?;
        self.table(export, rows.into_unoptimized_plan())
    }
}

/// Opens the tables of a history as of a moment; none before its first load.
///
/// # Errors
/// A manifest or chunk is not what was committed.
pub(super) async fn open(
    session: &SessionContext,
    shelf: &Shelf<'_>,
    layout: &Layout,
    as_of: Option<Moment>,
) -> Outcome<Option<Opened>> {
    let Some(recorded) = shelf.recorded(layout).await? else { return Ok(None) };
    same_key(layout, &recorded.document)?;
    let (inner, known) = (beside(session), beside(session));
    let mut snapshots = Vec::new();
    for table in [VaultTable::Hub, VaultTable::Satellite, VaultTable::Links] {
        let Some(stored) = recorded.table(table) else { continue };
        let (file, name) = (shelf.file(&layout.name, table)?, layout.table(table));
        let keys = Arc::new(shelf.keys.clone());
        let unreadable = |error| Failure::from(fault::running(&error, &name));
        let objects = shelf.store.objects();
        let opened = SnapshotTable::open(&inner, objects, file, &stored.manifest, keys);
        let opened = opened.await.map_err(unreadable)?;
        let rows = inner.read_table(Arc::new(opened)).map_err(unreadable)?;
        let rows = match as_of {
            Some(moment) => {
                let micros = Some(moment.timestamp_micros());
                let until = ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()));
                rows.filter(col(LOAD_DATE).lt_eq(lit(until))).map_err(unreadable)?
            }
            None => rows,
        };
        let view = ViewTable::new(rows.into_unoptimized_plan(), None);
        known.register_table(bare(&name), Arc::new(view)).map_err(unreadable)?;
        snapshots.push((file, stored.manifest.clone()));
    }
    // What refers to others is written, and read as it stands.
    let vault = recorded.vault(&layout.referring_by(&[]))?;
    Ok(Some(Opened { recorded, vault, inner: known, snapshots }))
}

/// The hash key of a tenant.
fn tenant_key(opened: &Opened, column: &str, tenant: &str) -> Outcome<TenantKey> {
    let hub = readable(&opened.recorded.hub.manifest)?;
    let field = hub.field_with_name(column);
    let field = field.map_err(|_| no_tenant(&format!("`{}`", opened.vault.name())))?;
    let hashes = hash_tenants(&tenant_value(tenant, field.data_type())?);
    let hashes = hashes.map_err(|error| refused(opened.vault.name(), &error))?;
    let hash = <[u8; 32]>::try_from(hashes.value(0));
    let hash = hash.map_err(|_| Diagnostic::new(&run::INTERNAL, "a tenant has no hash"))?;
    Ok(TenantKey::new(hash))
}

/// A session with the same bounds and stores, and other tables.
pub(crate) fn beside(session: &SessionContext) -> SessionContext {
    let state = SessionStateBuilder::new()
        .with_config(session.copied_config())
        .with_runtime_env(session.runtime_env())
        .with_default_features()
        .build();
    SessionContext::new_with_state(state)
}

/// A table by its name alone.
pub(super) fn bare(name: &str) -> TableReference {
    TableReference::bare(name)
}

async fn planned(session: &SessionContext, sql: &str, name: &str) -> Outcome<LogicalPlan> {
    let planned = session.state().create_logical_plan(sql).await;
    Ok(planned.map_err(|error| fault::running(&error, name))?)
}
