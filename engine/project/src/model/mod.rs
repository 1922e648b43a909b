//! The checked project: names resolved, defaults filled in, every part with its place.
//!
//! ```text
//!  Project ─┬─ Target ── Connection        where things are
//!           ├─ Source ── Table ── Column   what is read
//!           ├─ Class, Rule                 how it is masked
//!           └─ Model, Export               what is made of it
//! ```

mod dataset;
mod declared_tests;
mod events;
mod policy;
mod retention;
mod source;
mod target;
mod tracking;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

pub use dataset::{
    Chunking, Encryption, Export, Load, LoadMode, MinGroup, Model, Relation, RenderedSql, Segment,
    identifier,
};
pub use declared_tests::{ColumnTest, Declared, Severity, TableTest};
pub use events::{Destination, Topic};
pub(crate) use policy::ancestors;
pub use policy::{
    Action, Approval, Class, ColumnPattern, Indirect, Mask, Match, Rule, Unclassified, When,
};
pub use retention::{RecordAges, Retention, RowRule};
pub use source::{Column, Reference, Source, Table};
pub use target::{Connection, Execution, KeyProvider, Keys, Target};
pub use tracking::{History, HistoryReference, OnChange, SchemaTracking, Tracking};

use crate::location::{SourceMap, Spanned};

/// A project without errors, for one target. Made by `load` only.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Project {
    /// The project's name, from `engine.yml`.
    pub name: Spanned<String>,
    /// The folder that holds `engine.yml`, as it was given.
    pub root: PathBuf,
    /// Where relative paths of connections start: the same folder, unless the project was taken from
    /// history and its data was not.
    pub data: PathBuf,
    /// Who may approve a plan, with public keys in SSH's form.
    pub owners: BTreeMap<String, Vec<Spanned<String>>>,
    /// The chosen target.
    pub target: Target,
    /// Declared classes, by dotted name.
    pub classes: BTreeMap<String, Class>,
    /// What happens to columns no rule covers.
    pub unclassified: Unclassified,
    /// All rules in the order of (file path, position).
    pub rules: Vec<Rule>,
    /// Sources in the order of (file path, position).
    pub sources: Vec<Source>,
    /// Models, each after those it depends on; otherwise by name.
    pub models: Vec<Model>,
    /// Exports in the order of (file path, position).
    pub exports: Vec<Export>,
    /// How long things are kept, by policy.
    pub retention: Vec<Retention>,
    /// What is recorded over time.
    pub tracking: Tracking,
    /// Variables as they hold for the target: the command line beats the target, which beats `engine.yml`.
    pub vars: BTreeMap<String, serde_json::Value>,
    /// The `lookups/*.csv` files that exist: file stem to path relative to the project, with `/`.
    pub lookups: BTreeMap<String, String>,
    /// Everything that was read, for showing places.
    pub files: SourceMap,
    /// Where names stand in the lists above.
    pub(crate) index: Index,
}

/// Positions by name: projects have thousands of tables, and each is looked up for each of its columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    tables: HashMap<String, HashMap<String, (usize, usize)>>,
    models: HashMap<String, usize>,
    exports: HashMap<String, usize>,
}

impl Index {
    /// Of a name that stands twice, the first counts.
    pub(crate) fn new(sources: &[Source], models: &[Model], exports: &[Export]) -> Self {
        let mut index = Self::default();
        for (at, source) in sources.iter().enumerate() {
            let tables = index.tables.entry(source.name.value.clone()).or_default();
            for (position, table) in source.tables.iter().enumerate() {
                tables.entry(table.name.value.clone()).or_insert((at, position));
            }
        }
        for (at, model) in models.iter().enumerate() {
            index.models.entry(model.name.value.clone()).or_insert(at);
        }
        for (at, export) in exports.iter().enumerate() {
            index.exports.entry(export.name.value.clone()).or_insert(at);
        }
        index
    }
}

impl Project {
    /// The source of this name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name.value == name)
    }

    /// The table of a source.
    #[must_use]
    pub fn table(&self, source: &str, table: &str) -> Option<&Table> {
        let (source, table) = self.index.tables.get(source)?.get(table)?;
        self.sources.get(*source)?.tables.get(*table)
    }

    /// The model of this name.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.get(*self.index.models.get(name)?)
    }

    /// The export of this name.
    #[must_use]
    pub fn export(&self, name: &str) -> Option<&Export> {
        self.exports.get(*self.index.exports.get(name)?)
    }

    /// The published column that says whose a row of an export is: the export's own, or that of its history.
    #[must_use]
    pub fn tenant_of(&self, export: &str) -> Option<&str> {
        let own = self.export(export).and_then(|export| export.tenant.as_ref());
        let mut of_history = self.tracking.histories.iter().filter(|one| one.of.value == export);
        let tenant = own.or_else(|| of_history.find_map(|history| history.tenant.as_ref()));
        tenant.map(|tenant| tenant.value.as_str())
    }

    /// The declared columns of a table or model.
    #[must_use]
    pub fn columns(&self, of: &Relation) -> &[Column] {
        match of {
            Relation::Table { source, table } => {
                self.table(source, table).map_or(&[], |table| &table.columns)
            }
            Relation::Model { name } => self.model(name).map_or(&[], |model| &model.columns),
        }
    }

    /// The nearest declared class that is this class or one of its ancestors:
    /// `pii` for `pii.email` when only `pii` is declared.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<(&str, &Class)> {
        ancestors(name)
            .find_map(|name| self.classes.get_key_value(name))
            .map(|(name, class)| (name.as_str(), class))
    }

    /// What it means that data of a class decides about rows: what the nearest class that says so says.
    #[must_use]
    pub fn indirect(&self, class: &str) -> Indirect {
        let classes = ancestors(class).filter_map(|name| self.classes.get(name));
        classes.filter_map(|class| class.indirect).next().unwrap_or_default()
    }
}
