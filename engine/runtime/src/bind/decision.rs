//! Which rule holds for a column, when it can carry more than one class.
//!
//! ```text
//!  classes to look with ──▶ one rule, or several with one effect ──▶ the rule
//!                           several effects ──▶ E0420: which one is meant?
//!  rule keeps ──▶ may every other class that is carried be kept here? ──no──▶ E0421
//! ```

use std::collections::BTreeSet;

use engine_project::rules::{ColumnFacts, Decision, decide, may_keep};
use engine_project::{Action, Mask, Project, Relation, Rule};
use serde_json::Value;

use super::reach::{Carried, ColumnReach, Released};
use super::refusals::DROP;
use crate::flow::Origin;
use crate::masks::spec::keeps_part;
use crate::types::column_type;

/// What is known of a column when its rule is looked for.
#[derive(Clone, Copy)]
pub struct Judged<'p, 'a> {
    /// The project.
    pub project: &'p Project,
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

impl<'p> Judged<'p, '_> {
    /// The decision of the rules for one class.
    #[must_use]
    pub fn ranked(&self, class: Option<&str>) -> Decision<'p> {
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

    /// The classes to look for rules with: of several, only the sensitive ones.
    #[must_use]
    pub fn candidates(&self) -> BTreeSet<Carried> {
        let mut classes = self.reach.classes.clone();
        if classes.iter().any(|class| self.is_sensitive(class)) {
            classes.retain(|class| self.is_sensitive(class));
        }
        classes
    }

    /// Decides.
    #[must_use]
    pub fn decided(&self) -> Decided<'p> {
        let mut candidates = self.candidates();
        let is_open = candidates.is_empty();
        if is_open {
            candidates.insert(None);
        }
        let mut found: Vec<(Carried, &'p Rule)> = Vec::new();
        for class in candidates {
            let decision = self.ranked(class.as_deref());
            let name = format!("{}.{}", self.relation, self.reach.name);
            if let Some(problem) = decision.problem(&name) {
                return Decided::Ambiguous(Box::new(problem));
            }
            match decision.winner {
                Some(rule) => found.push((class, rule)),
                None if is_open || self.reach.released.is_some() => {
                    let own = self.reach.released.as_ref();
                    return Decided::Open(own.or(self.reach.inherited.as_ref()).cloned());
                }
                None => return Decided::Uncovered(class),
            }
        }
        let Some((class, rule)) = found.first().cloned() else { return Decided::Uncovered(None) };
        if found.iter().any(|(_, other)| effect(other) != effect(rule)) {
            return Decided::Differ(found);
        }
        match self.shown_wrongly(rule) {
            Some(class) => Decided::ShowsMore(rule, class),
            None => Decided::Rule(rule, class),
        }
    }

    /// A class that is shown where its own rules do not let it be, by a rule that holds for what the column
    /// is called or declared to be.
    fn shown_wrongly(&self, rule: &Rule) -> Option<Carried> {
        let names_it = rule.matches.column.as_ref().is_some_and(|column| column.value.is_exact());
        if names_it || matches!(self.relation, Relation::Table { .. }) {
            return None;
        }
        match &rule.action {
            Action::Keep(_) => self.kept_wrongly(),
            Action::Mask(mask) if shows_part(mask) => self.masked_wrongly(rule),
            Action::Mask(_) => None,
        }
    }

    /// A class that may not be kept here, or comes from a column that is not kept itself.
    fn kept_wrongly(&self) -> Option<Carried> {
        let rules = &self.project.rules;
        let carried = self.reach.carries.iter().find(|(class, origins)| {
            let here = !self.is_sensitive(class) || may_keep(rules, &self.facts(class.as_deref()));
            let masked_there = origins.iter().any(|origin| match self.of_origin(origin, class) {
                Some(rule) => matches!(rule.action, Action::Mask(_)),
                None => false,
            });
            !here || masked_there
        });
        carried.map(|(class, _)| class.clone())
    }

    /// A class whose own rule hides more than this one, which shows part of the value.
    fn masked_wrongly(&self, rule: &Rule) -> Option<Carried> {
        let carried = self.reach.carries.iter().find(|(class, origins)| {
            self.is_sensitive(class)
                && origins.iter().any(|origin| {
                    let own = self.of_origin(origin, class);
                    own.is_none_or(|own| effect(own) != effect(rule))
                })
        });
        carried.map(|(class, _)| class.clone())
    }

    /// The rule that holds for a source's column itself.
    fn of_origin(&self, origin: &Origin, class: &Carried) -> Option<&'p Rule> {
        let facts = ColumnFacts {
            relation: &origin.relation,
            column: origin.column.as_ref()?,
            class: class.as_deref(),
            column_type: self.reach.data_type.as_ref().and_then(column_type),
        };
        decide(&self.project.rules, &facts).winner
    }
}

/// Whether part of a value, or something near it, is left by a mask.
fn shows_part(mask: &Mask) -> bool {
    let otherwise = mask.when.as_ref().and_then(|when| when.otherwise.as_deref());
    let other = match otherwise {
        None => false,
        Some(Action::Keep(_)) => true,
        Some(Action::Mask(other)) => shows_part(other),
    };
    // What is left out shows nothing.
    if mask.function.value == DROP {
        return false;
    }
    let keeps = match mask.params.reveal_json() {
        Value::Object(params) => keeps_part(&params),
        _ => false,
    };
    other
        || keeps
        || engine_masking::find(&mask.function.value)
            .is_none_or(|found| found.approximates() || !(found.keyed() || found.hides_all()))
}

/// What a rule does, whoever answers for it: two that keep do the same.
fn effect(rule: &Rule) -> Value {
    match &rule.action {
        Action::Keep(_) => Value::Null,
        Action::Mask(_) => engine_project::canonical::effect(rule),
    }
}
