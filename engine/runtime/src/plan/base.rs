//! What a plan is compared with: another plan, or what manifests say of the newest snapshots.

use std::collections::BTreeMap;

use engine_sources::ContentStatistics;
use serde_json::{Map, Value};

use super::document::{
    Plan, PlannedExport, PlannedField, PlannedHistory, PlannedTreatment, PlannedWhen,
};
use super::made::Base;
use crate::masks::spec::MaskSpec;

/// What was there before.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Before {
    /// The exports, by name.
    pub exports: BTreeMap<String, BeforeExport>,
    /// The source tables; none where nobody wrote them down.
    pub tables: Option<BTreeMap<String, Vec<PlannedField>>>,
    /// What the sources' catalogs said of the contents of columns.
    pub statistics: BTreeMap<String, BTreeMap<String, ContentStatistics>>,
    /// Who could approve plans; none where nobody wrote it down.
    pub owners: Option<BTreeMap<String, Vec<String>>>,
    /// Where data was read from and written to; none where nobody wrote it down.
    pub locations: Option<BTreeMap<String, String>>,
    /// The compiled SQL of models and exports; none where nobody wrote it down.
    pub sql: Option<BTreeMap<String, String>>,
}

/// An export as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct BeforeExport {
    /// Its columns.
    pub columns: Vec<BeforeColumn>,
    /// What a plan says beyond that; none where only a manifest is known.
    pub details: Option<Details>,
}

/// What a plan says of an export, and a manifest does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// Digests of the parts of its definition.
    pub parts: BTreeMap<String, String>,
    /// Where it was loaded; none where nobody wrote it down.
    pub loads: Option<Vec<String>>,
    /// Its filter.
    pub filter: Option<String>,
    /// Its tests.
    pub tests: Vec<Value>,
    /// Its histories; none where nobody wrote them down.
    pub histories: Option<Vec<PlannedHistory>>,
    /// Sensitive columns that decided about its rows.
    pub indirect: Vec<String>,
}

/// A column as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct BeforeColumn {
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: Option<String>,
    /// Whether its class was sensitive; none where nobody wrote it down.
    pub sensitive: Option<bool>,
    /// What happened to it.
    pub treatment: BeforeTreatment,
    /// The source columns it was made from; none where nobody wrote them down.
    pub sources: Option<Vec<String>>,
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
        /// The version of the function's mapping; none where nobody wrote it down.
        abi: Option<u32>,
        /// The condition under which it masked; none for every row.
        when: Option<Box<PlannedWhen>>,
        /// What could still be seen; none where nobody wrote it down.
        shows: Option<Vec<String>>,
    },
    /// It was let through, on somebody's word where it was sensitive; none where nobody wrote that down.
    Clear(Option<Word>),
}

/// Who answered for a column that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Who.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day it held.
    pub until: Option<String>,
    /// The expression that computed it.
    pub expression: Option<String>,
}

impl Word {
    /// Whose word a column is let through on.
    #[must_use]
    pub fn of(treatment: &PlannedTreatment) -> Option<Self> {
        match treatment {
            PlannedTreatment::Kept { owner, reason, until, .. } => {
                let (owner, reason, until) = (owner.clone(), reason.clone(), until.clone());
                Some(Self { owner, reason, until, expression: None })
            }
            PlannedTreatment::Open { owner: Some(owner), reason, until, expression, .. } => {
                Some(Self {
                    owner: owner.clone(),
                    reason: reason.clone().unwrap_or_default(),
                    until: until.clone(),
                    expression: expression.clone(),
                })
            }
            PlannedTreatment::Open { .. } | PlannedTreatment::Masked { .. } => None,
        }
    }
}

impl Before {
    /// What a plan said.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Self {
        let export =
            |export: &PlannedExport| (export.name.clone(), BeforeExport::of_planned(export));
        Self {
            exports: plan.exports.iter().map(export).collect(),
            tables: Some(plan.tables.clone()),
            statistics: plan.beside.statistics.clone(),
            owners: Some(plan.owners.clone()),
            locations: Some(plan.locations.clone()),
            sql: Some(plan.beside.sql.clone()).filter(|sql| !sql.is_empty()),
        }
    }

    /// Leaves out what a plan of a selection does not look at.
    pub(super) fn keep_only(&mut self, plan: &Plan) {
        self.exports.retain(|name, _| plan.exports.iter().any(|export| export.name == *name));
        if let Some(tables) = &mut self.tables {
            tables.retain(|name, _| plan.tables.contains_key(name));
        }
    }

    /// What the manifests of snapshots say. Of a table that several read, the newest run's word counts.
    #[must_use]
    pub fn of_snapshots<'b>(snapshots: impl Iterator<Item = (String, &'b Base)>) -> Self {
        let mut bases: Vec<(String, &Base)> = snapshots.collect();
        bases.sort_by_key(|(_, base)| base.run);
        let described = || bases.iter().filter_map(|(_, base)| base.described.as_ref());
        let tables: BTreeMap<String, Vec<PlannedField>> =
            described().flat_map(|one| one.tables.clone()).collect();
        let statistics = described().flat_map(|one| one.statistics.clone()).collect();
        let all_described = bases.iter().all(|(_, base)| base.described.is_some());
        Self {
            tables: (all_described && !bases.is_empty()).then_some(tables),
            statistics,
            exports: bases
                .into_iter()
                .map(|(name, base)| (name, BeforeExport::of_manifest(base)))
                .collect(),
            ..Self::default()
        }
    }
}

impl BeforeExport {
    /// What a plan said.
    fn of_planned(export: &PlannedExport) -> Self {
        let columns = export.columns.iter().map(|column| BeforeColumn {
            name: column.name.clone(),
            class: column.class.clone(),
            sensitive: Some(column.sensitive),
            sources: Some(column.sources.iter().map(|one| one.column.clone()).collect()),
            treatment: match &column.treatment {
                PlannedTreatment::Masked {
                    function,
                    params,
                    key,
                    linkage,
                    abi,
                    when,
                    shows,
                    ..
                } => BeforeTreatment::Masked {
                    function: function.clone(),
                    params: params.clone(),
                    key: key.clone(),
                    linkage: linkage.clone(),
                    abi: Some(*abi),
                    when: when.clone(),
                    shows: Some(shows.clone()),
                },
                PlannedTreatment::Kept { .. } | PlannedTreatment::Open { .. } => {
                    BeforeTreatment::Clear(Word::of(&column.treatment))
                }
            },
        });
        Self {
            columns: columns.collect(),
            details: Some(Details {
                parts: export.parts.clone(),
                loads: Some(export.loads.iter().map(super::PlannedLoad::name).collect()),
                filter: export.filter.clone(),
                tests: export.tests.clone(),
                histories: Some(export.histories.clone()),
                indirect: export.indirect.iter().map(|used| used.column.clone()).collect(),
            }),
        }
    }

    /// What a manifest says: what a plan said when it was made, or else its columns. The parameters of a
    /// mask that no longer exists are not compared.
    #[must_use]
    pub fn of_manifest(base: &Base) -> Self {
        if let Some(described) = &base.described {
            let mut before = Self::of_planned(&described.export);
            // A snapshot that stays goes on being loaded and recorded where the project says by then.
            before.details =
                before.details.map(|details| Details { loads: None, histories: None, ..details });
            return before;
        }
        let columns = base.columns.iter().map(|column| BeforeColumn {
            name: column.name.clone(),
            class: column.class.clone(),
            sensitive: None,
            sources: None,
            treatment: column.mask.as_deref().map_or(BeforeTreatment::Clear(None), masked),
        });
        Self { columns: columns.collect(), details: None }
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
    // A condition may stand behind it.
    let spec = serde_json::Deserializer::from_str(spec).into_iter::<MaskSpec>().next();
    let spec = spec.and_then(Result::ok);
    let (params, key, linkage) = match spec {
        Some(spec) => (spec.params, spec.key.map(|key| key.to_string()), spec.linkage),
        None => (Map::new(), None, None),
    };
    BeforeTreatment::Masked {
        function: function.to_owned(),
        params,
        key,
        linkage,
        abi: None,
        when: None,
        shows: None,
    }
}

impl BeforeTreatment {
    /// The treatment in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Masked { function, params, when, .. } => {
                conditional(mask_words(function, params), when.as_deref())
            }
            Self::Clear(_) => "as it is".to_owned(),
        }
    }
}

/// A mask with its condition.
pub(super) fn conditional(mask: String, when: Option<&PlannedWhen>) -> String {
    match when {
        Some(when) => format!("{mask} {}", when.words()),
        None => mask,
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
