//! What happens to a column of an export, and the SQL that does it.

use std::collections::BTreeSet;

use arrow::datatypes::FieldRef;
use engine_bundle::digest::Digest;
use engine_masking::{Preserves, Properties, Uniqueness};
use engine_project::{Approval, Rule, identifier};

use super::applied::AppliedMask;
use super::condition::Filter;
use super::reach::{ColumnReach, Released};
use super::subject::Subject;
use crate::codes::policy;
use crate::diagnostic::Diagnostic;
use crate::masks::spec::keeps_part;

/// What happens to a column.
#[derive(Debug, Clone)]
pub enum Treatment {
    /// Masked by a function.
    Masked {
        /// The rule that won.
        rule: String,
        /// The function, bound.
        mask: Box<AppliedMask>,
        /// The condition under which it masks, where the rule has one.
        fork: Option<Box<Fork>>,
        /// What it promises, whether the condition holds or not.
        properties: Properties,
    },
    /// Computed from the row.
    Computed {
        /// The rule that won.
        rule: String,
        /// The expression.
        computed: Box<Computed>,
    },
    /// Let through on somebody's word.
    Kept(Kept),
    /// Let through because it shows no value of a sensitive column; on somebody's word where it does not
    /// speak for itself.
    Open(Option<Released>),
}

/// Somebody's word for values that are let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The rule that won.
    pub rule: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day it holds.
    pub until: Option<String>,
}

/// A rule's condition, and what happens where it does not hold.
#[derive(Debug, Clone)]
pub struct Fork {
    /// The condition.
    pub condition: Filter,
    /// The columns it reads, as they are.
    pub columns: BTreeSet<String>,
    /// What happens where it is false or null.
    pub otherwise: Otherwise,
}

/// What happens to a value where the condition of its rule does not hold.
#[derive(Debug, Clone)]
pub enum Otherwise {
    /// It becomes null.
    Null,
    /// It is masked by another function.
    Masked(Box<AppliedMask>),
    /// It is let through on somebody's word.
    Kept(Kept),
}

/// A column that is computed from the row.
#[derive(Debug, Clone)]
pub struct Computed {
    /// The expression as it was written, in canonical SQL.
    pub written: String,
    /// The same with the masks of the columns it names as published.
    pub sql: String,
    /// What it means, once simplified.
    pub meaning: Digest,
    /// Columns it reads as they are.
    pub raw: BTreeSet<String>,
    /// Columns it reads as they are published.
    pub masked: BTreeSet<String>,
    /// Who answers for the sensitive ones it reads as they are.
    pub released: Option<Released>,
    /// Whether a column it reads as published still shows part of its value.
    pub shows_part: bool,
}

/// A column of an export.
#[derive(Debug, Clone)]
pub struct BoundColumn {
    /// Its name, in the source or model and in the export.
    pub name: String,
    /// Its class.
    pub class: Option<String>,
    /// What flows into it.
    pub reach: ColumnReach,
    /// Whether the class is sensitive; unclassified columns count as sensitive.
    pub sensitive: bool,
    /// Its field before masking.
    pub input: FieldRef,
    /// Its field in the chunks.
    pub output: FieldRef,
    /// What happens to it.
    pub treatment: Treatment,
    /// Whether its values must stay distinct.
    pub unique: bool,
}

impl Treatment {
    /// Whether part of a value, or something near it, can be read.
    #[must_use]
    pub fn shows_part(&self) -> bool {
        let of_mask = |mask: &AppliedMask| {
            keeps_part(&mask.spec.params)
                || engine_masking::find(mask.function).is_none_or(|function| {
                    function.approximates() || !(function.keyed() || function.hides_all())
                })
        };
        match self {
            Self::Masked { .. } => self.shows_values() || self.masks().any(of_mask),
            Self::Computed { computed, .. } => computed.shows_part || computed.released.is_some(),
            Self::Kept(_) => true,
            Self::Open(_) => false,
        }
    }

    /// Every masking function that works on the column.
    pub fn masks(&self) -> impl Iterator<Item = &AppliedMask> {
        let (mask, fork) = match self {
            Self::Masked { mask, fork, .. } => (Some(&**mask), fork.as_deref()),
            Self::Computed { .. } | Self::Kept(_) | Self::Open(_) => (None, None),
        };
        let other = match fork.map(|fork| &fork.otherwise) {
            Some(Otherwise::Masked(mask)) => Some(&**mask),
            _ => None,
        };
        mask.into_iter().chain(other)
    }

    /// Whether every row holds the value that was read.
    #[must_use]
    pub fn is_as_read(&self) -> bool {
        matches!(self, Self::Kept(_) | Self::Open(_))
    }

    /// Whether rows may hold the value that was read, on somebody's word.
    #[must_use]
    pub fn shows_values(&self) -> bool {
        let forked = |fork: &Fork| matches!(fork.otherwise, Otherwise::Kept(_));
        match self {
            Self::Masked { fork, .. } => fork.as_deref().is_some_and(forked),
            Self::Computed { computed, .. } => computed.released.is_some(),
            Self::Kept(_) | Self::Open(_) => true,
        }
    }

    /// Other columns of the row that decide about the published value, as they are read.
    pub fn inputs(&self) -> BTreeSet<&str> {
        let raw = self.masks().filter(|mask| !mask.reads_masked);
        let mut names: BTreeSet<&str> =
            raw.flat_map(|mask| &mask.inputs).map(String::as_str).collect();
        match self {
            Self::Masked { fork: Some(fork), .. } => {
                names.extend(fork.columns.iter().map(String::as_str));
            }
            Self::Computed { computed, .. } => {
                names.extend(computed.raw.iter().map(String::as_str));
            }
            _ => {}
        }
        names
    }
}

impl Fork {
    /// What a mask promises that works only where the condition holds.
    #[must_use]
    pub fn properties(&self, mask: &Properties) -> Properties {
        let both = |other: &Properties| Properties {
            deterministic: mask.deterministic && other.deterministic,
            reversible: false,
            // A value of one branch may be what the other gives.
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves {
                length: mask.preserves.length || other.preserves.length,
                format: mask.preserves.format || other.preserves.format,
                prefix: mask.preserves.prefix || other.preserves.prefix,
                order: mask.preserves.order || other.preserves.order,
                null: mask.preserves.null && other.preserves.null,
            },
            may_return_input: mask.may_return_input || other.may_return_input,
        };
        let all = Preserves { length: true, format: true, prefix: true, order: true, null: true };
        let none = Preserves { null: false, ..Preserves::default() };
        let plain = |preserves, may_return_input| Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Lossy,
            preserves,
            may_return_input,
        };
        match &self.otherwise {
            Otherwise::Null => both(&plain(none, false)),
            Otherwise::Masked(other) => both(&other.properties),
            Otherwise::Kept(_) => both(&plain(all, true)),
        }
    }
}

impl BoundColumn {
    /// The SQL of its values.
    #[must_use]
    pub fn sql(&self) -> String {
        let name = identifier(&self.name);
        match &self.treatment {
            Treatment::Masked { mask, fork: None, .. } => mask.sql(&self.name),
            Treatment::Masked { mask, fork: Some(fork), .. } => {
                let otherwise = match &fork.otherwise {
                    Otherwise::Null => String::new(),
                    Otherwise::Masked(other) => format!(" ELSE {}", other.sql(&self.name)),
                    Otherwise::Kept(_) => format!(" ELSE {name}"),
                };
                let condition = &fork.condition.sql;
                format!("CASE WHEN {condition} THEN {}{otherwise} END", mask.sql(&self.name))
            }
            Treatment::Computed { computed, .. } => computed.sql.clone(),
            Treatment::Kept(_) | Treatment::Open(_) => name,
        }
    }
}

/// An approval that holds today, in words.
pub(super) fn kept(
    subject: &Subject<'_>,
    rule: &Rule,
    approval: &Approval,
) -> Result<Kept, Box<Diagnostic>> {
    expired(subject, rule, approval)?;
    Ok(Kept {
        rule: rule.name.value.clone(),
        owner: approval.owner.value.clone(),
        reason: approval.reason.value.clone(),
        until: approval.until.as_ref().map(|until| until.value.to_string()),
    })
}

/// Refuses an approval whose last day is over.
pub(super) fn expired(
    subject: &Subject<'_>,
    rule: &Rule,
    approval: &Approval,
) -> Result<(), Box<Diagnostic>> {
    if let Some(until) = &approval.until
        && approval.has_expired(subject.binding.today)
    {
        let message = format!("rule `{}` kept columns until {}", rule.name.value, until.value);
        return Err(Box::new(
            Diagnostic::new(&policy::KEEP_EXPIRED, message)
                .at(until.at, "this day has passed")
                .help("agree on a new date with its owner, or mask the columns"),
        ));
    }
    Ok(())
}
