//! What a plan is compared with: another plan, or what manifests say of the newest snapshots.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::document::{Plan, PlannedField, PlannedTreatment};
use super::made::Base;
use crate::masks::spec::MaskSpec;

/// What was there before.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Before {
    /// The exports, by name.
    pub exports: BTreeMap<String, BeforeExport>,
    /// The source tables; none where nobody wrote them down.
    pub tables: Option<BTreeMap<String, Vec<PlannedField>>>,
}

/// An export as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct BeforeExport {
    /// Its columns.
    pub columns: Vec<BeforeColumn>,
    /// Digests of the parts of its definition; none where only the whole is known.
    pub parts: Option<BTreeMap<String, String>>,
    /// Where it was loaded; none where that is not known.
    pub loads: Option<Vec<String>>,
}

/// A column as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct BeforeColumn {
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: Option<String>,
    /// What happened to it.
    pub treatment: BeforeTreatment,
}

/// What happened to a column.
#[derive(Debug, Clone, PartialEq)]
pub enum BeforeTreatment {
    /// It was masked.
    Masked {
        /// The function.
        function: String,
        /// Its parameters.
        params: Map<String, Value>,
        /// The key with its version.
        key: Option<String>,
        /// The pseudonym space.
        linkage: Option<String>,
        /// What could still be seen; none where nobody wrote it down.
        shows: Option<Vec<String>>,
    },
    /// It was let through.
    Clear,
}

impl Before {
    /// What a plan said.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Self {
        let export = |export: &super::PlannedExport| {
            let columns = export.columns.iter().map(|column| BeforeColumn {
                name: column.name.clone(),
                class: column.class.clone(),
                treatment: match &column.treatment {
                    PlannedTreatment::Masked { function, params, key, linkage, shows, .. } => {
                        BeforeTreatment::Masked {
                            function: function.clone(),
                            params: params.clone(),
                            key: key.clone(),
                            linkage: linkage.clone(),
                            shows: Some(shows.clone()),
                        }
                    }
                    PlannedTreatment::Kept { .. } | PlannedTreatment::Open { .. } => {
                        BeforeTreatment::Clear
                    }
                },
            });
            let before = BeforeExport {
                columns: columns.collect(),
                parts: Some(export.parts.clone()),
                loads: Some(export.loads.iter().map(super::PlannedLoad::name).collect()),
            };
            (export.name.clone(), before)
        };
        Self {
            exports: plan.exports.iter().map(export).collect(),
            tables: Some(plan.tables.clone()),
        }
    }
}

impl BeforeExport {
    /// What a manifest says. The parameters of a mask that no longer exists are not compared.
    #[must_use]
    pub fn of_manifest(base: &Base) -> Self {
        let columns = base.columns.iter().map(|column| BeforeColumn {
            name: column.name.clone(),
            class: column.class.clone(),
            treatment: column.mask.as_deref().map_or(BeforeTreatment::Clear, masked),
        });
        Self { columns: columns.collect(), parts: None, loads: None }
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&BeforeColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A manifest's words for a mask: the function and its canonical specification.
fn masked(text: &str) -> BeforeTreatment {
    let (function, spec) = text.split_once(' ').unwrap_or((text, ""));
    let spec: Option<MaskSpec> = serde_json::from_str(spec).ok();
    let (params, key, linkage) = match spec {
        Some(spec) => (spec.params, spec.key.map(|key| key.to_string()), spec.linkage),
        None => (Map::new(), None, None),
    };
    BeforeTreatment::Masked { function: function.to_owned(), params, key, linkage, shows: None }
}

impl BeforeTreatment {
    /// The treatment in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Masked { function, params, .. } => mask_words(function, params),
            Self::Clear => "as it is".to_owned(),
        }
    }
}

/// A mask in a few words: `truncate {"keep":2}`.
pub(super) fn mask_words(function: &str, params: &Map<String, Value>) -> String {
    if params.is_empty() {
        return function.to_owned();
    }
    let mut params = params.clone();
    params.sort_keys();
    format!("{function} {}", Value::Object(params))
}
