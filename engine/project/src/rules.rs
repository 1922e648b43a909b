//! Which rule wins a column.
//!
//! ```text
//!  more specific wins:   1. exact column  >  column pattern  >  no column
//!                        2. pattern with more characters that are not `*`
//!                        3. class with more parts  >  fewer  >  no class
//!                        4. type  >  no type
//!  equal in all four:    same effect: the one declared first
//!                        different effect: ambiguous, an error
//! ```

use crate::canonical;
use crate::location::Location;
use crate::model::{Action, Relation, Rule, ancestors};
use crate::problem::{Problem, ProblemKind};
use crate::types::ColumnType;

/// What rules look at.
#[derive(Clone, Copy, Debug)]
pub struct ColumnFacts<'a> {
    /// The table or model.
    pub relation: &'a Relation,
    /// The column.
    pub column: &'a str,
    /// Its class.
    pub class: Option<&'a str>,
    /// Its type, as far as it is known.
    pub column_type: Option<ColumnType>,
}

/// How specific a rule is; greater wins. See the module's drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// 2 for an exact column, 1 for a pattern, 0 for none.
    column: u8,
    /// Characters of a pattern that are not `*`.
    literals: usize,
    /// Parts of the class.
    class: usize,
    /// 1 for a type, 0 for none.
    column_type: u8,
}

/// Why a rule that matches did not win.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyLost {
    /// The winner names the column exactly, this one does not.
    ExactColumnWins,
    /// The winner has a column pattern, this one has none.
    ColumnPatternWins,
    /// The winner's pattern has more characters that are not `*`.
    LongerPatternWins,
    /// The winner's class is deeper, or this one has no class.
    DeeperClassWins,
    /// The winner also asks for the type.
    TypeWins,
    /// Equal in rank and effect, and declared later.
    DeclaredLater,
    /// Equal in rank, with another effect: nobody should win.
    Ambiguous,
}

impl WhyLost {
    /// The reason in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::ExactColumnWins => "an exact column beats a pattern, a class and a type",
            Self::ColumnPatternWins => "a column pattern beats a class and a type",
            Self::LongerPatternWins => "the longer column pattern wins",
            Self::DeeperClassWins => "the deeper class wins",
            Self::TypeWins => "a rule that also asks for the type wins",
            Self::DeclaredLater => "same rank and effect, declared later",
            Self::Ambiguous => "same rank, different effect",
        }
    }
}

/// The rules that match a column, in order.
#[derive(Clone, Debug)]
pub struct Decision<'p> {
    /// The winner; `None` when no rule matches.
    pub winner: Option<&'p Rule>,
    /// The others that match, the most specific first.
    pub losers: Vec<(&'p Rule, WhyLost)>,
}

impl<'p> Decision<'p> {
    /// The rule of equal rank and different effect, when there is one. A column that has one must not be published.
    #[must_use]
    pub fn ambiguous(&self) -> Option<&'p Rule> {
        self.losers.iter().find(|(_, why)| *why == WhyLost::Ambiguous).map(|(rule, _)| *rule)
    }

    /// The error to report for an ambiguous column, which is shown by the name given.
    #[must_use]
    pub fn problem(&self, column: &str) -> Option<Problem> {
        let (winner, other) = (self.winner?, self.ambiguous()?);
        // Two rules of one name are an error by themselves, and the cause of this one.
        if winner.name.value == other.name.value {
            return None;
        }
        let kind = ProblemKind::AmbiguousRules {
            column: column.to_owned(),
            first: winner.name.value.clone(),
            second: other.name.value.clone(),
        };
        let at: Location = other.matches.at;
        Some(Problem::new(kind, at).with_related(winner.matches.at, "the other rule"))
    }
}

/// Ranks the rules that match a column. `rules` are in declared order.
#[must_use]
pub fn decide<'p>(
    rules: impl IntoIterator<Item = &'p Rule>,
    column: &ColumnFacts<'_>,
) -> Decision<'p> {
    let mut matching: Vec<(Rank, &Rule)> =
        rules.into_iter().filter_map(|rule| rank(rule, column).map(|rank| (rank, rule))).collect();
    // The sort is stable: equals stay in declared order.
    matching.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    let mut matching = matching.into_iter();
    let Some((best, winner)) = matching.next() else {
        return Decision { winner: None, losers: Vec::new() };
    };
    let losers = matching.map(|(rank, rule)| (rule, why(best, winner, rank, rule))).collect();
    Decision { winner: Some(winner), losers }
}

/// Whether values of the class in `column` may be let through there. A model gives its columns any name it
/// likes, so a pattern of names allows nothing; an exact name does, and so does a class or a type.
#[must_use]
pub fn may_keep(rules: &[Rule], column: &ColumnFacts<'_>) -> bool {
    let names_nothing_by_pattern =
        |rule: &&Rule| rule.matches.column.as_ref().is_none_or(|pattern| pattern.value.is_exact());
    let decision = decide(rules.iter().filter(names_nothing_by_pattern), column);
    decision.winner.is_some_and(|rule| matches!(rule.action, Action::Keep(_)))
        && decision.ambiguous().is_none()
}

/// The rank of a rule for a column; `None` when it does not match.
fn rank(rule: &Rule, column: &ColumnFacts<'_>) -> Option<Rank> {
    let mut rank = Rank { column: 0, literals: 0, class: 0, column_type: 0 };
    if let Some(pattern) = &rule.matches.column {
        if !pattern.value.matches(column.relation, column.column) {
            return None;
        }
        rank.column = if pattern.value.is_exact() { 2 } else { 1 };
        rank.literals = pattern.value.literals();
    }
    if let Some(class) = &rule.matches.class {
        let covered = column
            .class
            .is_some_and(|of_column| ancestors(of_column).any(|above| above == class.value));
        if !covered {
            return None;
        }
        rank.class = class.value.split('.').count();
    }
    if let Some(pattern) = &rule.matches.column_type {
        if !column.column_type.is_some_and(|column_type| pattern.value.matches(column_type)) {
            return None;
        }
        rank.column_type = 1;
    }
    Some(rank)
}

fn why(best: Rank, winner: &Rule, rank: Rank, rule: &Rule) -> WhyLost {
    if best.column != rank.column {
        if best.column == 2 { WhyLost::ExactColumnWins } else { WhyLost::ColumnPatternWins }
    } else if best.literals != rank.literals {
        WhyLost::LongerPatternWins
    } else if best.class != rank.class {
        WhyLost::DeeperClassWins
    } else if best.column_type != rank.column_type {
        WhyLost::TypeWins
    } else if canonical::effect(winner) == canonical::effect(rule) {
        WhyLost::DeclaredLater
    } else {
        WhyLost::Ambiguous
    }
}
