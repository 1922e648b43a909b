//! Which executions are asked for: `engine history --since --status --export --user`.

use super::{
    fold::Operation,
    overview::Glance,
    record::{ObjectKind, State},
    script::ScriptType,
};
use crate::retention::Moment;

/// Conditions that all have to hold; what is absent or empty lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Started then or later.
    pub since: Option<Moment>,
    /// Started before then.
    pub until: Option<Moment>,
    /// In one of these states.
    pub status: Vec<State>,
    /// Of one of these kinds.
    pub script_type: Vec<ScriptType>,
    /// Touches this export.
    pub export: Option<String>,
    /// Asked for by this user.
    pub user: Option<String>,
}

impl Filter {
    /// Whether an execution is asked for.
    #[must_use]
    pub fn matches(&self, operation: &Operation) -> bool {
        let is_export = |name: &String| {
            let mut objects = operation.objects.iter();
            objects.any(|object| object.kind == ObjectKind::Export && object.name == *name)
        };
        self.since.is_none_or(|since| operation.started >= since)
            && self.until.is_none_or(|until| operation.started < until)
            && (self.status.is_empty() || self.status.contains(&operation.status))
            && (self.script_type.is_empty() || self.script_type.contains(&operation.script_type))
            && self.export.as_ref().is_none_or(is_export)
            && self.user.as_ref().is_none_or(|user| operation.user.as_ref() == Some(user))
    }

    /// Whether an execution may be asked for, as far as a glance shows: what it touches does not.
    #[must_use]
    pub fn may_match(&self, glance: &Glance<'_>) -> bool {
        self.since.is_none_or(|since| glance.started >= since)
            && self.until.is_none_or(|until| glance.started < until)
            && (self.status.is_empty() || self.status.contains(&glance.status))
            && (self.script_type.is_empty() || self.script_type.contains(glance.script_type))
            && self.user.as_ref().is_none_or(|user| glance.user == Some(user))
    }
}
