//! How data is masked: classes and rules.

use crate::location::{Location, Spanned};
use crate::node::Node;
use crate::types::{Date, TypePattern};

/// What kind of data a column holds.
#[derive(Clone, Debug)]
pub struct Class {
    /// Dotted name; `pii` covers `pii.email`.
    pub name: Spanned<String>,
    /// Whether it may leave only masked or kept. Classes below inherit it unless they say otherwise.
    pub sensitive: bool,
    /// What it means that such data decides about rows; `None` for what the class above says.
    pub indirect: Option<Indirect>,
    /// For people.
    pub description: Option<String>,
}

/// What it means that sensitive data decides which rows an export has, without being published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Indirect {
    /// Nothing.
    Allow,
    /// The plan says so.
    #[default]
    Warn,
    /// The export does not compile.
    Deny,
}

/// A class and everything above it, nearest first: `a.b.c`, `a.b`, `a`.
pub(crate) fn ancestors(class: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(class), |name| name.rsplit_once('.').map(|(above, _)| above))
}

/// What happens to an export's columns that no rule covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Unclassified {
    /// The export does not compile.
    #[default]
    Deny,
    /// The column is left out.
    Drop,
}

/// Which columns get which treatment.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, unique in the project.
    pub name: Spanned<String>,
    /// Which columns; every part that is set must hold.
    pub matches: Match,
    /// What happens to them.
    pub action: Action,
    /// The whole rule.
    pub at: Location,
}

/// Which columns a rule is for; at least one part is set.
#[derive(Clone, Debug)]
pub struct Match {
    /// The class or any class below it.
    pub class: Option<Spanned<String>>,
    /// `source.table.column` or `model.column`, with `*`.
    pub column: Option<Spanned<ColumnPattern>>,
    /// The column's type.
    pub column_type: Option<Spanned<TypePattern>>,
    /// Where it stands.
    pub at: Location,
}

/// What a rule does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Mask with a function.
    Mask(Mask),
    /// Let through, on somebody's word.
    Keep(Approval),
}

/// A masking function and how to bind it.
#[derive(Clone, Debug)]
pub struct Mask {
    /// Name in the catalogue; checked by whoever knows the catalogue.
    pub function: Spanned<String>,
    /// Its parameters: always a mapping.
    pub params: Node,
    /// Name of the masking key; `None` for the default one.
    pub key: Option<Spanned<String>>,
    /// Name of the pseudonym space; `None` for one of the rule's own (its name).
    pub linkage: Option<Spanned<String>>,
    /// The condition under which it masks; `None` for every row.
    pub when: Option<When>,
}

/// A condition of a mask, and what happens where it does not hold.
#[derive(Clone, Debug)]
pub struct When {
    /// SQL over the row as it is read.
    pub condition: Spanned<String>,
    /// What happens where it is false or null: a mask without a condition, or a `keep`; `None` for the
    /// default.
    pub otherwise: Option<Box<Action>>,
}

/// Who answers for an exception, why, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who answers.
    pub owner: Spanned<String>,
    /// Why.
    pub reason: Spanned<String>,
    /// The last day it holds.
    pub until: Option<Spanned<Date>>,
    /// Where it stands.
    pub at: Location,
}

impl Approval {
    /// Whether its last day is over.
    #[must_use]
    pub fn has_expired(&self, today: Date) -> bool {
        self.until.as_ref().is_some_and(|until| until.value < today)
    }
}

/// A pattern of `source.table.column` or `model.column`; `*` stands for any run of
/// characters within one part. Parts that hold dots are matched from the outside in:
/// the first part is up to the first dot, the column after the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnPattern {
    pub(crate) text: String,
    pub(crate) parts: Vec<String>,
}

impl ColumnPattern {
    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}
