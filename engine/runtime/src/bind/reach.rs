//! Classes travel along the flow: what each column of a table or model shows of the sources, through
//! every model between.
//!
//! ```text
//!  crm.customers.email  pii.email ──upper()──▶ profile.contact ──copied──▶ export
//!                                              carries pii.email
//! ```
//!
//! A class that is declared on a model's column says which rules are meant for it. It takes nothing off
//! what the column carries: only `declassify`, on somebody's word, and the least size of groups do.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use engine_project::{Approval, Column, Date, Project, Relation};

use crate::flow::{Flow, Influence, Kind, Origin};

/// A class, or none for a source's column that nobody has classified.
pub type Carried = Option<String>;

/// What flows into a column.
#[derive(Debug, Clone, Default)]
pub struct ColumnReach {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: Option<DataType>,
    /// What it depends on right below: columns of the tables and models the SQL names.
    pub step: Influence,
    /// The source columns it depends on.
    pub sources: Influence,
    /// The same without what somebody declassified on the way.
    pub exposed: Influence,
    /// Classes to look for rules with: the declared one, or those of the columns it is made from.
    pub classes: BTreeSet<Carried>,
    /// Every class whose values it shows, with the source columns they come from.
    pub carries: BTreeMap<Carried, BTreeSet<Origin>>,
    /// Who answers for it carrying nothing.
    pub released: Option<Released>,
    /// Whose word it is open on, where it carries nothing because of what it is made from. It decides nothing.
    pub inherited: Option<Released>,
}

/// Who took the classes off a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// `declassify`, or the least size of groups in words.
    pub by: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day it holds.
    pub until: Option<String>,
}

impl Released {
    /// An approval in these words.
    #[must_use]
    pub fn new(by: String, approval: &Approval) -> Self {
        Self {
            by,
            owner: approval.owner.value.clone(),
            reason: approval.reason.value.clone(),
            until: approval.until.as_ref().map(|until| until.value.to_string()),
        }
    }
}

/// What flows into a table or model.
#[derive(Debug, Clone, Default)]
pub struct RelationReach {
    /// Its columns, in order.
    pub columns: Vec<ColumnReach>,
    /// What its rows depend on right below.
    pub step: Influence,
    /// The source columns its rows depend on.
    pub sources: Influence,
    /// The same without what was declassified.
    pub exposed: Influence,
}

impl RelationReach {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnReach> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// What flows into every table and model that is bound.
#[derive(Debug, Clone, Default)]
pub struct Reaches(BTreeMap<Relation, RelationReach>);

/// A model's own flow, and what takes classes off its columns.
pub(super) struct ModelFlow<'a> {
    /// Its columns, in order.
    pub(super) schema: &'a Schema,
    /// Its flow over the tables and models it names.
    pub(super) flow: &'a Flow,
    /// Positions of columns that summarise groups of a least size, with who answers for that.
    pub(super) summaries: BTreeMap<usize, Released>,
}

impl Reaches {
    /// What flows into a relation.
    #[must_use]
    pub fn get(&self, relation: &Relation) -> Option<&RelationReach> {
        self.0.get(relation)
    }

    /// Every relation, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Relation, &RelationReach)> {
        self.0.iter()
    }

    /// Adds a source's table.
    pub(super) fn add_table(&mut self, project: &Project, relation: &Relation, schema: &Schema) {
        let declared = project.columns(relation);
        let origin = |column: Option<&String>| Origin {
            relation: relation.clone(),
            column: column.cloned(),
        };
        let column = |field: &FieldRef| {
            let name = field.name();
            let itself = Influence::of(origin(Some(name)), Kind::Copied);
            let class = declared.iter().find(|column| column.name.value == *name);
            let class = class.and_then(|column| column.class.as_ref());
            let class = class.map(|class| class.value.clone());
            ColumnReach {
                name: name.clone(),
                data_type: Some(field.data_type().clone()),
                step: Influence::default(),
                sources: itself.clone(),
                exposed: itself,
                classes: BTreeSet::from([class.clone()]),
                carries: BTreeMap::from([(class, BTreeSet::from([origin(Some(name))]))]),
                released: None,
                inherited: None,
            }
        };
        let columns = schema.fields().iter().map(column).collect();
        let rows = Influence::of(origin(None), Kind::Filter);
        let reach = RelationReach {
            columns,
            step: Influence::default(),
            sources: rows.clone(),
            exposed: rows,
        };
        self.0.insert(relation.clone(), reach);
    }

    /// Adds a model, after everything it reads. `today` decides which approvals still hold.
    pub(super) fn add_model(
        &mut self,
        project: &Project,
        name: &str,
        own: &ModelFlow<'_>,
        today: Date,
    ) {
        let described = project.model(name);
        let columns = own.schema.fields().iter().zip(&own.flow.columns).enumerate();
        let columns = columns
            .map(|(position, (field, step))| {
                let declared = described.and_then(|model| model.column(field.name()));
                let summary = own.summaries.get(&position);
                self.model_column(field, step, declared, summary, today)
            })
            .collect();
        let rows = &own.flow.rows;
        let reach = RelationReach {
            columns,
            step: rows.clone(),
            sources: self.sources(rows),
            exposed: self.exposed(rows),
        };
        self.0.insert(Relation::Model { name: name.to_owned() }, reach);
    }

    fn model_column(
        &self,
        field: &Field,
        step: &Influence,
        declared: Option<&Column>,
        summary: Option<&Released>,
        today: Date,
    ) -> ColumnReach {
        let declassified = declared
            .and_then(|column| column.declassify.as_ref())
            .filter(|approval| !approval.has_expired(today))
            .map(|approval| Released::new("declassify".to_owned(), approval));
        let released = declassified.or_else(|| summary.cloned());
        let mut exposed = self.exposed(step);
        let mut classes = BTreeSet::new();
        let mut carries: BTreeMap<Carried, BTreeSet<Origin>> = BTreeMap::new();
        if released.is_some() {
            exposed = exposed.without_values();
        } else {
            for (origin, _) in step.direct() {
                let Some(column) = self.column(origin) else {
                    // What is not known is what nobody has classified.
                    if origin.column.is_some() {
                        classes.insert(None);
                        carries.entry(None).or_default().insert(origin.clone());
                    }
                    continue;
                };
                classes.extend(column.classes.iter().cloned());
                for (class, origins) in &column.carries {
                    carries.entry(class.clone()).or_default().extend(origins.iter().cloned());
                }
            }
        }
        if let Some(class) = declared.and_then(|column| column.class.as_ref()) {
            // Somebody has looked at the column: what it is made from needs no class of its own.
            carries.remove(&None);
            classes = BTreeSet::from([Some(class.value.clone())]);
        }
        ColumnReach {
            name: field.name().clone(),
            data_type: Some(field.data_type().clone()),
            step: step.clone(),
            sources: self.sources(step),
            exposed,
            classes,
            carries,
            inherited: self.inherited(step),
            released,
        }
    }

    /// Whose word what a step is made from is open on.
    fn inherited(&self, step: &Influence) -> Option<Released> {
        let below = step.direct().filter_map(|(origin, _)| self.column(origin));
        let words =
            below.filter_map(|column| column.released.as_ref().or(column.inherited.as_ref()));
        let mut words: Vec<&Released> = words.collect();
        words.dedup();
        let mut word = (*words.first()?).clone();
        // One answers by name; what others said is told beside it.
        for other in words.iter().skip(1) {
            word.reason.push_str(&format!("; {}: {}", other.owner, other.reason));
            word.until = [word.until.take(), other.until.clone()].into_iter().flatten().min();
        }
        Some(word)
    }

    /// The column that an origin names.
    #[must_use]
    pub fn column(&self, origin: &Origin) -> Option<&ColumnReach> {
        self.get(&origin.relation)?.column(origin.column.as_ref()?)
    }

    /// What a step depends on, at the sources. An origin that is not known stands for itself.
    fn below(
        &self,
        step: &Influence,
        of_column: fn(&ColumnReach) -> &Influence,
        of_rows: fn(&RelationReach) -> &Influence,
    ) -> Influence {
        let mut found = Influence::default();
        for (origin, kinds) in step.iter() {
            let relation = self.get(&origin.relation);
            let known = match &origin.column {
                Some(name) => relation.and_then(|reach| reach.column(name)).map(of_column),
                None => relation.map(of_rows),
            };
            match known {
                Some(known) => {
                    for kind in kinds.iter() {
                        found.add(&known.clone().then(kind));
                    }
                }
                None => found.insert(origin, kinds),
            }
        }
        found
    }

    /// What an influence on a relation's columns is at the sources.
    pub(super) fn sources(&self, step: &Influence) -> Influence {
        self.below(step, |reach| &reach.sources, |rows| &rows.sources)
    }

    /// What an influence on a relation's columns is at the sources, without what was declassified.
    pub(super) fn exposed(&self, step: &Influence) -> Influence {
        self.below(step, |reach| &reach.exposed, |rows| &rows.exposed)
    }
}
