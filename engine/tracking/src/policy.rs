//! What a project does about each kind of change: nothing, a warning, or a failed run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::changes::{Change, ChangeKind};

/// What happens when a source changed in some way.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// It is recorded and no more.
    Ignore,
    /// It is recorded and said.
    #[default]
    Warn,
    /// The run fails.
    Fail,
}

impl Reaction {
    /// All reactions, mildest first.
    pub const ALL: &[Self] = &[Self::Ignore, Self::Warn, Self::Fail];

    /// The word for it in policies.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    /// The reaction with this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reaction| reaction.word() == word)
    }
}

/// The reaction to each kind of change. What a policy does not name is warned of: nothing is silent
/// unless somebody wrote so, and nothing stops a run unless somebody wrote so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OnChange {
    kinds: BTreeMap<ChangeKind, Reaction>,
}

impl OnChange {
    /// The same policy with another reaction to one kind.
    #[must_use]
    pub fn with(mut self, kind: ChangeKind, reaction: Reaction) -> Self {
        self.kinds.insert(kind, reaction);
        self
    }

    /// What happens on a change of this kind.
    #[must_use]
    pub fn reaction(&self, kind: ChangeKind) -> Reaction {
        self.kinds.get(&kind).copied().unwrap_or_default()
    }

    /// Sorts changes by what happens on them; each keeps its place among its like.
    #[must_use]
    pub fn judge<'a>(&self, changes: &'a [Change]) -> Verdict<'a> {
        let mut verdict = Verdict::default();
        for change in changes {
            match self.reaction(change.kind) {
                Reaction::Ignore => verdict.ignored.push(change),
                Reaction::Warn => verdict.warnings.push(change),
                Reaction::Fail => verdict.failures.push(change),
            }
        }
        verdict
    }
}

impl FromIterator<(ChangeKind, Reaction)> for OnChange {
    fn from_iter<T: IntoIterator<Item = (ChangeKind, Reaction)>>(named: T) -> Self {
        Self { kinds: named.into_iter().collect() }
    }
}

/// Changes by what happens on them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// Recorded and no more.
    pub ignored: Vec<&'a Change>,
    /// To be said.
    pub warnings: Vec<&'a Change>,
    /// Why the run fails; empty when it does not.
    pub failures: Vec<&'a Change>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: ChangeKind) -> Change {
        Change { kind, table: None, column: None, before: None, after: None }
    }

    #[test]
    fn every_kind_is_warned_of_unless_the_policy_says_otherwise() {
        for kind in ChangeKind::ALL {
            assert_eq!(OnChange::default().reaction(*kind), Reaction::Warn);
        }
    }

    #[test]
    fn changes_are_judged_by_their_kind() {
        let policy = OnChange::default()
            .with(ChangeKind::ColumnRemoved, Reaction::Fail)
            .with(ChangeKind::CommentChanged, Reaction::Ignore);
        let kinds =
            [ChangeKind::ColumnAdded, ChangeKind::CommentChanged, ChangeKind::ColumnRemoved];
        let changes = kinds.map(change);
        let [added, comment, removed] = &changes;
        let verdict = policy.judge(&changes);
        assert_eq!(verdict.ignored, [comment]);
        assert_eq!(verdict.warnings, [added]);
        assert_eq!(verdict.failures, [removed]);
    }

    #[test]
    fn a_policy_is_written_in_words() {
        let policy: OnChange = serde_json::from_str(r#"{"type_changed":"fail"}"#).unwrap();
        assert_eq!(policy.reaction(ChangeKind::TypeChanged), Reaction::Fail);
        assert!(serde_json::from_str::<OnChange>(r#"{"types":"fail"}"#).is_err());
        for reaction in Reaction::ALL {
            assert_eq!(Reaction::of_word(reaction.word()), Some(*reaction));
            let json = serde_json::to_string(reaction).unwrap();
            assert_eq!(json, format!("\"{}\"", reaction.word()));
        }
    }
}
