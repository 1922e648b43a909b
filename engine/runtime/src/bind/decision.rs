//! Which rule holds for a column, when it can carry more than one class.
//!
//! ```text
//!  classes to look with ──▶ one rule, or several with one effect ──▶ the rule
//!                           several effects ──▶ E0420: which one is meant?
//!  rule keeps ──▶ may every other class that is carried be kept here? ──no──▶ E0421
//! ```

use std::collections::BTreeSet;

use engine_project::rules::{ColumnFacts, Decision, decide, may_keep};
use engine_project::{Action, Project, Relation, Rule};
use serde_json::Value;

use super::reach::{Carried, ColumnReach, Released};
use crate::types::column_type;

/// What is known of a column when its rule is looked for.
#[derive(Clone, Copy)]
pub struct Judged<'a> {
    /// The project.
    pub project: &'a Project,
    /// The table or model.
    pub relation: &'a Relation,
    /// The column, and what flows into it.
    pub reach: &'a ColumnReach,
}

/// What was decided about a column.
#[derive(Debug)]
pub enum Decided<'p> {
    /// A rule holds, found with this class.
    Rule(&'p Rule, Carried),
    /// Nobody's values are in it, or somebody answers for that.
    Open(Option<Released>),
    /// No rule holds for this class.
    Uncovered(Carried),
    /// Two rules of equal rank want different things.
    Ambiguous(Box<engine_project::Problem>),
    /// Classes whose rules want different things.
    Differ(Vec<(Carried, &'p Rule)>),
    /// The rule keeps the column, and may not keep this class.
    ShowsMore(&'p Rule, Carried),
}

impl<'a> Judged<'a> {
    /// The decision of the rules for one class.
    #[must_use]
    pub fn ranked(&self, class: Option<&str>) -> Decision<'a> {
        decide(&self.project.rules, &self.facts(class))
    }

    fn facts<'b>(&'b self, class: Option<&'b str>) -> ColumnFacts<'b> {
        ColumnFacts {
            relation: self.relation,
            column: &self.reach.name,
            class,
            column_type: self.reach.data_type.as_ref().and_then(column_type),
        }
    }

    /// Whether a class is sensitive; no class is.
    #[must_use]
    pub fn is_sensitive(&self, class: &Carried) -> bool {
        class
            .as_ref()
            .and_then(|class| self.project.class(class))
            .is_none_or(|(_, class)| class.sensitive)
    }

    /// The classes to look for rules with: of several, only the sensitive ones, and of those none that
    /// covers another.
    #[must_use]
    pub fn candidates(&self) -> BTreeSet<Carried> {
        let mut classes = self.reach.classes.clone();
        if classes.iter().any(|class| self.is_sensitive(class)) {
            classes.retain(|class| self.is_sensitive(class));
        }
        let below = |above: &str, class: &Carried| {
            class.as_ref().is_some_and(|class| {
                class.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
            })
        };
        let all = classes.clone();
        classes.retain(|class| match class {
            Some(above) => !all.iter().any(|class| below(above, class)),
            None => true,
        });
        classes
    }

    /// Decides.
    #[must_use]
    pub fn decided(&self) -> Decided<'a> {
        let mut candidates = self.candidates();
        let is_open = candidates.is_empty();
        if is_open {
            candidates.insert(None);
        }
        let mut found: Vec<(Carried, &'a Rule)> = Vec::new();
        for class in candidates {
            let decision = self.ranked(class.as_deref());
            let name = format!("{}.{}", self.relation, self.reach.name);
            if let Some(problem) = decision.problem(&name) {
                return Decided::Ambiguous(Box::new(problem));
            }
            match decision.winner {
                Some(rule) => found.push((class, rule)),
                None if is_open || self.reach.released.is_some() => {
                    return Decided::Open(self.reach.released.clone());
                }
                None => return Decided::Uncovered(class),
            }
        }
        let Some((class, rule)) = found.first().cloned() else { return Decided::Uncovered(None) };
        if found.iter().any(|(_, other)| effect(other) != effect(rule)) {
            return Decided::Differ(found);
        }
        match self.kept_wrongly(rule) {
            Some(class) => Decided::ShowsMore(rule, class),
            None => Decided::Rule(rule, class),
        }
    }

    /// A class that is shown where its own rules do not let it be, by a rule that keeps the column for
    /// what it is called or declared to be.
    fn kept_wrongly(&self, rule: &Rule) -> Option<Carried> {
        let Action::Keep(_) = &rule.action else { return None };
        let names_it = rule.matches.column.as_ref().is_some_and(|column| column.value.is_exact());
        if names_it || matches!(self.relation, Relation::Table { .. }) {
            return None;
        }
        let mut carried = self.reach.carries.keys().filter(|class| self.is_sensitive(class));
        carried.find(|class| !may_keep(&self.project.rules, &self.facts(class.as_deref()))).cloned()
    }
}

/// What a rule does, whoever answers for it: two that keep do the same.
fn effect(rule: &Rule) -> Value {
    match &rule.action {
        Action::Keep(_) => Value::Null,
        Action::Mask(_) => engine_project::canonical::effect(rule),
    }
}
