//! The tables of a history, in the form of a Data Vault 2.0 (D. Linstedt and M. Olschimke, Building a
//! Scalable Data Warehouse with Data Vault 2.0, chapters 4 and 5).
//!
//! ```text
//!  <name>_h  hub, a row for each key ever seen
//!  ├─ hash_key          FixedSizeBinary(32)
//!  ├─ tenant_hash_key   FixedSizeBinary(32)      with a tenant only
//!  ├─ the tenant column, the key columns         as exported
//!  ├─ load_date         Timestamp(µs, UTC)       of the load that first had the key
//!  └─ record_source     Utf8
//!
//!  <name>_s  satellite, a row for each version of each key
//!  ├─ hash_key          FixedSizeBinary(32)
//!  ├─ load_date         Timestamp(µs, UTC)
//!  ├─ hash_diff         FixedSizeBinary(16)      zeros in closing records
//!  ├─ version           Int64                    1, 2, 3 … for each key
//!  ├─ is_deleted        Boolean                  a closing record
//!  ├─ all other columns                          as exported; null in closing records
//!  └─ record_source     Utf8
//!
//!  <name>_l  links, a row for each pair of keys ever seen together, if references are declared
//!  ├─ link_hash_key        FixedSizeBinary(32)
//!  ├─ hash_key             FixedSizeBinary(32)
//!  ├─ reference            Utf8                  its declared name
//!  ├─ referenced_hash_key  FixedSizeBinary(32)   in the referenced history's hub
//!  ├─ load_date            Timestamp(µs, UTC)
//!  └─ record_source        Utf8
//! ```
//!
//! Only the export's columns can be null. Rows are appended and never changed: a key that is gone gets a
//! closing record, and one that comes back another version. A link says that a reference was seen; until
//! when it held, the satellite says, which has the referring columns.
//!
//! An export with a column that is called as one of these, in whatever case, cannot have a history: its
//! column would have to be called otherwise in some views. The export gives it another name.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::new_empty_array;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};

use super::columns::{self, RESERVED};
use super::encode;
use super::error::HistoryError;

/// A reference of an export to the key of another history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What it is called; part of its links' hashes.
    pub name: String,
    /// The export's columns, in the order of the key columns they refer to.
    pub columns: Vec<String>,
    /// The export's column with the tenant of what is referred to, if that history has tenants.
    pub tenant: Option<String>,
}

/// A table of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultTable {
    /// `<name>_h`.
    Hub,
    /// `<name>_s`.
    Satellite,
    /// `<name>_l`.
    Links,
}

impl VaultTable {
    /// What it is called in a history of that name.
    #[must_use]
    pub fn of(self, history: &str) -> String {
        let ending = match self {
            Self::Hub => "_h",
            Self::Satellite => "_s",
            Self::Links => "_l",
        };
        format!("{history}{ending}")
    }
}

/// The layout of one history.
#[derive(Clone, Debug)]
pub struct Vault {
    name: String,
    tenant: Option<String>,
    keys: Vec<String>,
    references: Vec<Reference>,
    /// The columns of the satellite that come from the export.
    values: Vec<FieldRef>,
    hub: SchemaRef,
    satellite: SchemaRef,
    link: Option<SchemaRef>,
}

impl Vault {
    /// The history `name` of an export with this schema: the columns of its business key, and of its
    /// tenant, if it has tenants.
    ///
    /// # Errors
    /// [`HistoryError`] when a column is missing, named twice, named as one of the history's own, or has a
    /// type without a hash.
    pub fn new(
        name: &str,
        export: &Schema,
        keys: &[&str],
        tenant: Option<&str>,
        references: &[Reference],
    ) -> Result<Self, HistoryError> {
        check_export(export)?;
        check_names(export, keys)?;
        tenant.map_or(Ok(()), |tenant| check_names(export, &[tenant]))?;
        check_references(export, references)?;
        let of_hub: Vec<&str> = tenant
            .into_iter()
            .filter(|tenant| !keys.contains(tenant))
            .chain(keys.to_vec())
            .collect();
        let hub = of_hub.iter().filter_map(|name| export.field_with_name(name).ok());
        let hub: Vec<FieldRef> = hub.map(|field| Arc::new(field.clone())).collect();
        let values =
            export.fields().iter().filter(|field| !of_hub.contains(&field.name().as_str()));
        let values: Vec<FieldRef> =
            values.map(|field| Arc::new(field.as_ref().clone().with_nullable(true))).collect();
        Ok(Self {
            name: name.to_owned(),
            tenant: tenant.map(str::to_owned),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            references: references.to_vec(),
            hub: hub_schema(hub, tenant.is_some()),
            satellite: satellite_schema(&values),
            link: (!references.is_empty()).then(link_schema),
            values,
        })
    }

    /// The history's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns of the business key, in their declared order.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The tenant column.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The declared references.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The columns of the export that the satellite has, in the export's order: the hash diff is of
    /// these. All can be null.
    #[must_use]
    pub fn values(&self) -> &[FieldRef] {
        &self.values
    }

    /// The schema of the hub.
    #[must_use]
    pub fn hub_schema(&self) -> &SchemaRef {
        &self.hub
    }

    /// The schema of the satellite.
    #[must_use]
    pub fn satellite_schema(&self) -> &SchemaRef {
        &self.satellite
    }

    /// The schema of the links; none without references.
    #[must_use]
    pub fn link_schema(&self) -> Option<&SchemaRef> {
        self.link.as_ref()
    }

    /// What the hub is called.
    #[must_use]
    pub fn hub_table(&self) -> String {
        VaultTable::Hub.of(&self.name)
    }

    /// What the satellite is called.
    #[must_use]
    pub fn satellite_table(&self) -> String {
        VaultTable::Satellite.of(&self.name)
    }

    /// What the links are called.
    #[must_use]
    pub fn link_table(&self) -> String {
        VaultTable::Links.of(&self.name)
    }
}

fn check_export(export: &Schema) -> Result<(), HistoryError> {
    for field in export.fields() {
        if RESERVED.iter().any(|name| name.eq_ignore_ascii_case(field.name())) {
            return Err(HistoryError::ReservedName { column: field.name().clone() });
        }
        // Whether a type has an encoding shows on an array of it.
        encode::values(new_empty_array(field.data_type()).as_ref())?;
    }
    Ok(())
}

fn check_references(export: &Schema, references: &[Reference]) -> Result<(), HistoryError> {
    let mut names = BTreeSet::new();
    for reference in references {
        if !names.insert(&reference.name) {
            return Err(HistoryError::NamedTwice { name: reference.name.clone() });
        }
        check_names(export, &reference.columns)?;
        if let Some(tenant) = &reference.tenant {
            check_names(export, &[tenant])?;
        }
    }
    Ok(())
}

/// That there are names, each once, and that each is a column's.
fn check_names(export: &Schema, names: &[impl AsRef<str>]) -> Result<(), HistoryError> {
    let mut seen = BTreeSet::new();
    for name in names.iter().map(AsRef::as_ref) {
        if export.field_with_name(name).is_err() {
            return Err(HistoryError::UnknownColumn { column: name.to_owned() });
        }
        if !seen.insert(name) {
            return Err(HistoryError::NamedTwice { name: name.to_owned() });
        }
    }
    if seen.is_empty() { Err(HistoryError::NoColumns) } else { Ok(()) }
}

fn hub_schema(columns: Vec<FieldRef>, has_tenant: bool) -> SchemaRef {
    let mut fields = vec![columns::key_field(columns::HASH_KEY)];
    fields.extend(has_tenant.then(|| columns::key_field(columns::TENANT_HASH_KEY)));
    fields.extend(columns);
    fields.push(columns::field(columns::LOAD_DATE, columns::date_type()));
    fields.push(columns::field(columns::RECORD_SOURCE, DataType::Utf8));
    Arc::new(Schema::new(fields))
}

fn satellite_schema(values: &[FieldRef]) -> SchemaRef {
    let mut fields = vec![
        columns::key_field(columns::HASH_KEY),
        columns::field(columns::LOAD_DATE, columns::date_type()),
        columns::diff_field(),
        columns::field(columns::VERSION, columns::version_type()),
        columns::field(columns::IS_DELETED, DataType::Boolean),
    ];
    fields.extend_from_slice(values);
    fields.push(columns::field(columns::RECORD_SOURCE, DataType::Utf8));
    Arc::new(Schema::new(fields))
}

fn link_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        columns::key_field(columns::LINK_HASH_KEY),
        columns::key_field(columns::HASH_KEY),
        columns::field(columns::REFERENCE, DataType::Utf8),
        columns::key_field(columns::REFERENCED_HASH_KEY),
        columns::field(columns::LOAD_DATE, columns::date_type()),
        columns::field(columns::RECORD_SOURCE, DataType::Utf8),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::Field;

    fn export(names: &[&str]) -> Schema {
        let fields = names.iter().map(|name| Field::new(*name, DataType::Utf8, false));
        Schema::new(fields.collect::<Vec<_>>())
    }

    fn names(schema: &Schema) -> Vec<&str> {
        schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    #[test]
    fn keys_and_tenant_are_in_the_hub_and_the_rest_in_the_satellite() {
        let export = export(&["b", "id", "a", "org", "city"]);
        let reference =
            Reference { name: "city".into(), columns: vec!["city".into()], tenant: None };
        let vault = Vault::new("people", &export, &["id"], Some("org"), &[reference]).unwrap();
        let hub = ["hash_key", "tenant_hash_key", "org", "id", "load_date", "record_source"];
        assert_eq!(names(vault.hub_schema()), hub);
        let satellite = [
            "hash_key",
            "load_date",
            "hash_diff",
            "version",
            "is_deleted",
            "b",
            "a",
            "city",
            "record_source",
        ];
        assert_eq!(names(vault.satellite_schema()), satellite);
        assert!(vault.values().iter().all(|field| field.is_nullable()));
        assert!(!vault.hub_schema().field_with_name("id").unwrap().is_nullable());
        assert_eq!(names(vault.link_schema().unwrap()).len(), 6);
        assert_eq!(vault.satellite_table(), "people_s");
    }

    #[test]
    fn a_tenant_in_the_key_is_there_once() {
        let vault = Vault::new("x", &export(&["id", "org"]), &["org", "id"], Some("org"), &[]);
        let vault = vault.unwrap();
        let hub = ["hash_key", "tenant_hash_key", "org", "id", "load_date", "record_source"];
        assert_eq!(names(vault.hub_schema()), hub);
        assert!(vault.link_schema().is_none());
    }

    #[test]
    fn what_cannot_be_laid_out_is_refused() {
        let error = |columns: &[&str], keys: &[&str], tenant: Option<&str>| {
            Vault::new("x", &export(columns), keys, tenant, &[]).unwrap_err().to_string()
        };
        assert!(error(&["id", "Version"], &["id"], None).contains("`Version`"));
        assert!(error(&["id"], &["ID"], None).contains("`ID`"));
        assert!(error(&["id"], &["id", "id"], None).contains("twice"));
        assert!(error(&["id"], &[], None).contains("no column is named"));
        assert!(error(&["id"], &["id"], Some("org")).contains("`org`"));
    }
}
