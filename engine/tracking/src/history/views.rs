//! SQL for the views of a history, in DataFusion's dialect.
//!
//! ```text
//!  <name>           every version, with load_end_date and is_current
//!  <name>_current   the newest version of each key that is not gone
//!  <name>_as_of     the same for a moment: what the last load until then had found
//! ```
//!
//! `load_end_date` is when the next version was loaded, and null for the newest; a version holds from its
//! load date on, that included, until its end, that excluded. Nothing but the export's columns and the
//! history's own is in a view; identifiers are quoted, and literals come from types that hold nothing else.
//!
//! Each view can be bound to a tenant: it then has the rows of that tenant and no others. So can the
//! tables, of which only the hub says whose a key is.

use std::fmt::{self, Write};

use chrono::SecondsFormat;

use super::columns::{
    HASH_DIFF, HASH_KEY, IS_CURRENT, IS_DELETED, LOAD_DATE, LOAD_END_DATE, RECORD_SOURCE,
    TENANT_HASH_KEY, VERSION,
};
use super::error::HistoryError;
use super::hash::KEY_BYTES;
use super::vault::{Vault, VaultTable};
use crate::retention::Moment;

/// A tenant, by the hash of its tenant column's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantKey([u8; KEY_BYTES]);

impl TenantKey {
    /// A tenant's hash key, as [`hash_tenants`](super::hash_tenants) makes it.
    #[must_use]
    pub fn new(hash: [u8; KEY_BYTES]) -> Self {
        Self(hash)
    }

    /// A tenant's hash key in hexadecimal digits.
    ///
    /// # Errors
    /// [`HistoryError::TenantKey`] when it is not 64 of them.
    pub fn from_hex(text: &str) -> Result<Self, HistoryError> {
        let mut hash = [0; KEY_BYTES];
        match base16ct::mixed::decode(text, &mut hash) {
            Ok(bytes) if bytes.len() == KEY_BYTES => Ok(Self(hash)),
            _ => Err(HistoryError::TenantKey),
        }
    }
}

/// A literal of the type of hash keys.
impl fmt::Display for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = base16ct::lower::encode_string(&self.0);
        write!(f, "arrow_cast(X'{digits}', 'FixedSizeBinary({KEY_BYTES})')")
    }
}

impl Vault {
    /// `<name>`: every version of every key, closing records among them, with `load_end_date` and
    /// `is_current`. In no order.
    ///
    /// # Errors
    /// [`HistoryError::NoTenant`] when it is bound to a tenant and the history has none.
    pub fn history_view(&self, tenant: Option<&TenantKey>) -> Result<String, HistoryError> {
        let next = format!(
            "lead(s.{}) OVER (PARTITION BY s.{} ORDER BY s.{})",
            quoted(LOAD_DATE),
            quoted(HASH_KEY),
            quoted(VERSION)
        );
        let mut columns = self.exported();
        columns.extend([HASH_KEY, HASH_DIFF, VERSION, LOAD_DATE].map(of_satellite));
        columns.push(format!("{next} AS {}", quoted(LOAD_END_DATE)));
        columns.push(of_satellite(IS_DELETED));
        columns.push(format!(
            "{next} IS NULL AND NOT {} AS {}",
            of_satellite(IS_DELETED),
            quoted(IS_CURRENT)
        ));
        columns.push(of_satellite(RECORD_SOURCE));
        let mut sql = select(&columns, &format!("{} AS s", quoted(&self.satellite_table())));
        self.join_hub(&mut sql);
        if let Some(tenant) = tenant {
            self.bind(&mut sql, "WHERE", tenant)?;
        }
        Ok(sql)
    }

    /// `<name>_current`: the newest version of each key that is not gone. In no order.
    ///
    /// # Errors
    /// [`HistoryError::NoTenant`] when it is bound to a tenant and the history has none.
    pub fn current_view(&self, tenant: Option<&TenantKey>) -> Result<String, HistoryError> {
        self.newest_until(None, tenant)
    }

    /// `<name>_as_of`: what was current at a moment, which counts to the microsecond. In no order.
    ///
    /// # Errors
    /// [`HistoryError::NoTenant`] when it is bound to a tenant and the history has none.
    pub fn as_of_view(
        &self,
        moment: Moment,
        tenant: Option<&TenantKey>,
    ) -> Result<String, HistoryError> {
        self.newest_until(Some(moment), tenant)
    }

    /// The rows of one tenant in a table, in the table's columns.
    ///
    /// # Errors
    /// [`HistoryError::NoTenant`] when the history has none.
    pub fn table_view(
        &self,
        table: VaultTable,
        tenant: &TenantKey,
    ) -> Result<String, HistoryError> {
        if self.tenant().is_none() {
            return Err(HistoryError::NoTenant);
        }
        let hub = quoted(&self.hub_table());
        let (key, tenant_key) = (quoted(HASH_KEY), quoted(TENANT_HASH_KEY));
        let of_tenant = format!("SELECT {key} FROM {hub} WHERE {tenant_key} = {tenant}");
        Ok(match table {
            VaultTable::Hub => format!("SELECT *\nFROM {hub}\nWHERE {tenant_key} = {tenant}"),
            VaultTable::Satellite => format!(
                "SELECT *\nFROM {}\nWHERE {key} IN ({of_tenant})",
                quoted(&self.satellite_table())
            ),
            VaultTable::Links => format!(
                "SELECT *\nFROM {}\nWHERE {key} IN ({of_tenant})",
                quoted(&self.link_table())
            ),
        })
    }

    /// The newest versions are found by key and version alone, so that what has to be in memory at a time
    /// does not grow with the columns.
    fn newest_until(
        &self,
        moment: Option<Moment>,
        tenant: Option<&TenantKey>,
    ) -> Result<String, HistoryError> {
        let mut columns = self.exported();
        columns.extend([HASH_KEY, HASH_DIFF, VERSION, LOAD_DATE, RECORD_SOURCE].map(of_satellite));
        let satellite = quoted(&self.satellite_table());
        let mut sql = select(&columns, &format!("{satellite} AS s"));
        let (key, version) = (quoted(HASH_KEY), quoted(VERSION));
        let until = moment.map_or_else(String::new, |moment| {
            format!(" WHERE {} <= {}", quoted(LOAD_DATE), literal(moment))
        });
        line(
            &mut sql,
            format_args!(
                "JOIN (SELECT {key}, max({version}) AS {version} FROM {satellite}{until} \
                 GROUP BY {key}) AS n\n  ON n.{key} = s.{key} AND n.{version} = s.{version}"
            ),
        );
        self.join_hub(&mut sql);
        line(&mut sql, format_args!("WHERE NOT {}", of_satellite(IS_DELETED)));
        if let Some(tenant) = tenant {
            self.bind(&mut sql, "  AND", tenant)?;
        }
        Ok(sql)
    }

    /// The export's columns: first those that the hub has.
    fn exported(&self) -> Vec<String> {
        let tenant = self.tenant().filter(|tenant| self.keys().iter().all(|key| key != tenant));
        let of_hub = tenant.into_iter().chain(self.keys().iter().map(String::as_str));
        let of_hub = of_hub.map(|name| format!("h.{}", quoted(name)));
        of_hub.chain(self.values().iter().map(|field| of_satellite(field.name()))).collect()
    }

    fn join_hub(&self, sql: &mut String) {
        let (hub, key) = (quoted(&self.hub_table()), quoted(HASH_KEY));
        line(sql, format_args!("JOIN {hub} AS h ON h.{key} = s.{key}"));
    }

    fn bind(&self, sql: &mut String, word: &str, tenant: &TenantKey) -> Result<(), HistoryError> {
        if self.tenant().is_none() {
            return Err(HistoryError::NoTenant);
        }
        line(sql, format_args!("{word} h.{} = {tenant}", quoted(TENANT_HASH_KEY)));
        Ok(())
    }
}

fn select(columns: &[String], from: &str) -> String {
    format!("SELECT\n  {}\nFROM {from}", columns.join(",\n  "))
}

fn line(sql: &mut String, text: fmt::Arguments<'_>) {
    // Writing to a String has no failure to report.
    let _infallible = write!(sql, "\n{text}");
}

fn of_satellite(name: &str) -> String {
    format!("s.{}", quoted(name))
}

/// An identifier (SQL:2016, 5.2, delimited identifier).
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A literal of the type of load dates.
fn literal(moment: Moment) -> String {
    let text = moment.to_rfc3339_opts(SecondsFormat::Micros, true);
    format!("arrow_cast('{text}', 'Timestamp(Microsecond, Some(\"UTC\"))')")
}
