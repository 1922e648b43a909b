//! `test --mutate-policy`: whether a plan would show it if a rule were dropped or weakened. Each rule in
//! turn is changed, in memory only, and the plan of the changed project is compared with that of the
//! project as it is. Offline; reads no row.

use std::sync::Arc;

use engine_masking::{ALL, Function};
use engine_project::{
    Action, Approval, Location, Mask, Node, Project, Rule, Spanned, Value as NodeValue,
};
use serde::Serialize;
use serde_json::Value;

use crate::bind::Schemas;
use crate::codes::policy;
use crate::diagnostic::{Failure, Outcome};
use crate::keys;
use crate::masks::versions::MaskingKeys;
use crate::plan::{self, BaseName, Before, Known, Plan, Scope, Section};
use crate::request::Context;
use crate::workspace::{self, Access};

/// How the changes came out.
#[derive(Debug, Clone, Serialize)]
pub struct MutationReport {
    /// The changes, rule by rule.
    pub mutations: Vec<Mutation>,
}

/// A change of one rule.
#[derive(Debug, Clone, Serialize)]
pub struct Mutation {
    /// The rule.
    pub rule: String,
    /// What was done to it.
    pub change: String,
    /// What came of it.
    pub outcome: MutationOutcome,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MutationOutcome {
    /// The project does not compile any more, for the reasons with these codes.
    Refused(Vec<String>),
    /// The plan says so, in lines of these kinds.
    Reported(Vec<String>),
    /// Nothing that is published changes.
    NoEffect,
    /// Something that is published changes, and the plan does not say so.
    Missed,
}

impl MutationReport {
    /// Whether every change that has an effect is seen.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.mutations.iter().all(|mutation| mutation.outcome != MutationOutcome::Missed)
    }
}

/// Changes each rule in turn.
///
/// # Errors
/// The project does not compile as it is.
pub async fn mutate(context: &Context) -> Outcome<MutationReport> {
    let project = workspace::load(context)?;
    let listed = keys::listed(&project);
    let trial = Trial { context, listed: &listed };
    let as_it_is = trial.plan(&project, None).await?;
    let mut mutations = Vec::new();
    for (at, rule) in project.rules.iter().enumerate() {
        let mut add = |change: &str, outcome: Option<MutationOutcome>| {
            let (rule, change) = (rule.name.value.clone(), change.to_owned());
            mutations.extend(outcome.map(|outcome| Mutation { rule, change, outcome }));
        };
        let mut dropped = Project::clone(&project);
        dropped.rules.remove(at);
        add("dropped", Some(trial.outcome(dropped, &as_it_is, Expected::Line).await));
        let Action::Mask(mask) = &rule.action else { continue };
        let kept = Action::Keep(nobody(rule.at));
        let kept = with_action(&project, at, kept);
        add(
            "kept instead of masked",
            Some(trial.outcome(kept, &as_it_is, Expected::Widening).await),
        );
        for function in ALL.iter().filter(|function| shows_part(mask, **function)) {
            let weaker =
                with_action(&project, at, Action::Mask(weakened(mask, *function, rule.at)));
            let outcome = trial.outcome(weaker, &as_it_is, Expected::Widening).await;
            if !is_no_mask_for_it(&outcome) {
                add(&format!("masked with {} instead", function.name()), Some(outcome));
                break;
            }
        }
    }
    Ok(MutationReport { mutations })
}

/// What a plan has to say of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// Any line on what can be read.
    Line,
    /// That more can be read.
    Widening,
}

struct Trial<'a> {
    context: &'a Context,
    listed: &'a MaskingKeys,
}

impl Trial<'_> {
    async fn plan(&self, project: &Arc<Project>, base: Option<&Plan>) -> Outcome<Plan> {
        let access = Access::Listed(self.listed);
        let workspace =
            workspace::open(project, self.context, access, Schemas::Catalogs, None).await?;
        let exports: Vec<_> =
            workspace.bound.exports.iter().map(|export| (export, Known::Nothing)).collect();
        let base = base.map(|plan| (BaseName::Plan(plan.digest.clone()), Before::of_plan(plan)));
        Ok(plan::plan(&workspace.bound, Scope::default(), &exports, base))
    }

    async fn outcome(
        &self,
        project: Project,
        as_it_is: &Plan,
        expected: Expected,
    ) -> MutationOutcome {
        match self.plan(&Arc::new(project), Some(as_it_is)).await {
            Ok(plan) => compared(as_it_is, &plan, expected),
            Err(Failure { diagnostics, .. }) => {
                let mut codes: Vec<String> =
                    diagnostics.iter().map(|finding| finding.code.id.to_owned()).collect();
                codes.sort();
                codes.dedup();
                MutationOutcome::Refused(codes)
            }
        }
    }
}

fn compared(as_it_is: &Plan, changed: &Plan, expected: Expected) -> MutationOutcome {
    let same = as_it_is.exports.len() == changed.exports.len()
        && as_it_is
            .exports
            .iter()
            .zip(&changed.exports)
            .all(|(one, other)| one.parts.get("columns") == other.parts.get("columns"));
    if same {
        return MutationOutcome::NoEffect;
    }
    let lines = changed.changes.iter().filter(|change| {
        change.section == Section::Privacy && (expected == Expected::Line || change.widens)
    });
    let mut kinds: Vec<String> = lines.map(|change| change.kind.clone()).collect();
    kinds.sort();
    kinds.dedup();
    if kinds.is_empty() { MutationOutcome::Missed } else { MutationOutcome::Reported(kinds) }
}

fn with_action(project: &Project, at: usize, action: Action) -> Project {
    let mut changed = project.clone();
    if let Some(rule) = changed.rules.get_mut(at) {
        *rule = Rule { action, ..rule.clone() };
    }
    changed
}

/// Nobody's word, which a privacy officer would see in the plan.
fn nobody(at: Location) -> Approval {
    let text = |words: &str| Spanned::new(words.to_owned(), at);
    Approval { owner: text("@nobody"), reason: text("a mutation of the policy"), until: None, at }
}

/// Whether a function leaves part of a value, and is another one than the rule's.
fn shows_part(mask: &Mask, function: &dyn Function) -> bool {
    let is_other = function.name() != mask.function.value;
    is_other && (function.approximates() || !(function.keyed() || function.hides_all()))
}

/// The same rule with another function, with the parameters of its first example.
fn weakened(mask: &Mask, function: &dyn Function, at: Location) -> Mask {
    let doc = function.doc();
    let params = doc.examples.first().and_then(|one| serde_json::from_str(one.params).ok());
    Mask {
        function: Spanned::new(function.name().to_owned(), at),
        params: node(&params.unwrap_or_else(|| Value::Object(serde_json::Map::new())), at),
        ..mask.clone()
    }
}

/// JSON as the language's own tree.
fn node(value: &Value, at: Location) -> Node {
    let value = match value {
        Value::Null => NodeValue::Null,
        Value::Bool(value) => NodeValue::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => NodeValue::Int(whole),
            None => NodeValue::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => NodeValue::Str(text.clone()),
        Value::Array(items) => NodeValue::Seq(items.iter().map(|item| node(item, at)).collect()),
        Value::Object(entries) => NodeValue::Map(
            entries
                .iter()
                .map(|(key, value)| (Spanned::new(key.clone(), at), node(value, at)))
                .collect(),
        ),
    };
    Node::new(at, value)
}

/// Whether a function was refused because it is none for these columns, which says nothing of the policy.
fn is_no_mask_for_it(outcome: &MutationOutcome) -> bool {
    let of_the_mask = [
        &policy::MASK_TYPE,
        &policy::MASK_PARAMETER,
        &policy::MASK_PARAMETER_VALUE,
        &policy::MASK_PARAMETER_MISSING,
        &policy::MASK_COLUMN,
        &policy::MASK_LOOKUP,
    ];
    matches!(outcome, MutationOutcome::Refused(codes)
        if codes.iter().all(|code| of_the_mask.iter().any(|of| of.id == code)))
}
