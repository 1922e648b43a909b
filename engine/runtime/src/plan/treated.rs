//! What happens to a column, in the words of a plan.

use engine_masking::{Properties, Uniqueness};
use engine_project::TableTest;
use serde_json::{Map, Value};

use super::base::mask_words;
use super::document::{PlannedCollision, PlannedTreatment, PlannedWhen};
use super::made::Known;
use crate::bind::{
    AppliedMask, BoundColumn, BoundExport, Computed, Fork, Kept, Otherwise, Released, Treatment,
};
use crate::masks::spec::keeps_part;

/// What is left to see where some rows are let through.
pub(super) const SOME_VALUES: &str = "some values as they are";

/// What happens to a column.
pub(super) fn treatment(column: &BoundColumn) -> PlannedTreatment {
    match &column.treatment {
        Treatment::Masked { rule, mask, fork, properties } => {
            masked(rule, mask, fork.as_deref(), *properties)
        }
        Treatment::Computed { rule, computed } => self::computed(rule, computed),
        Treatment::Kept(Kept { rule, owner, reason, until }) => PlannedTreatment::Kept {
            rule: rule.clone(),
            owner: owner.clone(),
            reason: reason.clone(),
            until: until.clone(),
        },
        Treatment::Open(released) => open(released.as_ref(), None),
    }
}

fn open(released: Option<&Released>, expression: Option<&String>) -> PlannedTreatment {
    let text = |of: fn(&Released) -> &String| released.map(|one| of(one).clone());
    PlannedTreatment::Open {
        by: text(|released| &released.by),
        owner: text(|released| &released.owner),
        reason: text(|released| &released.reason),
        until: released.and_then(|released| released.until.clone()),
        expression: expression.cloned(),
    }
}

/// Rows that a column is judged by when nobody knows how many there will be.
const ROWS_ASSUMED: u64 = 1_000_000_000;

/// How likely it is that a column that must stay distinct does not.
pub(super) fn collision(
    export: &BoundExport,
    known: &Known,
    column: &BoundColumn,
) -> Option<PlannedCollision> {
    let Treatment::Masked { properties, .. } = &column.treatment else { return None };
    if !column.unique || !matches!(properties.uniqueness, Uniqueness::Injective { .. }) {
        return None;
    }
    let given = export.tests.iter().find_map(|declared| match declared.test {
        TableTest::RowCount { max, .. } => max,
        _ => None,
    });
    let (rows, counted) = match (given, known) {
        (Some(max), _) => (max, "row_count"),
        (None, Known::Snapshot(base)) => (base.rows, "last snapshot"),
        (None, _) => (ROWS_ASSUMED, "assumed"),
    };
    let below = format!("{:.0e}", properties.uniqueness.collision_bound(rows));
    Some(PlannedCollision { below, rows, counted: counted.to_owned() })
}

/// An expression over public and published columns is as good as a mask; over others it is somebody's word.
fn computed(rule: &str, computed: &Computed) -> PlannedTreatment {
    if computed.released.is_some() {
        return open(computed.released.as_ref(), Some(&computed.written));
    }
    let expression = Value::String(computed.written.clone());
    PlannedTreatment::Masked {
        rule: rule.to_owned(),
        function: "sql".to_owned(),
        params: Map::from_iter([("expression".to_owned(), expression)]),
        key: None,
        linkage: None,
        abi: 1,
        when: None,
        uniqueness: "lossy".to_owned(),
        shows: computed.shows_part.then(|| PART.to_owned()).into_iter().collect(),
        privacy: "What the expression makes of columns that are public, or of others as they are published."
            .to_owned(),
    }
}

fn masked(
    rule: &str,
    mask: &AppliedMask,
    fork: Option<&Fork>,
    properties: Properties,
) -> PlannedTreatment {
    let found = engine_masking::find(mask.function);
    PlannedTreatment::Masked {
        rule: rule.to_owned(),
        function: mask.function.to_owned(),
        params: sorted(&mask.spec.params),
        key: mask.spec.key.as_ref().map(ToString::to_string),
        linkage: mask.spec.linkage.clone(),
        abi: found.map_or(1, engine_masking::Function::abi),
        when: fork.map(|fork| Box::new(when(fork))),
        uniqueness: match properties.uniqueness {
            Uniqueness::Bijective => "bijective".to_owned(),
            Uniqueness::Injective { .. } => "injective".to_owned(),
            Uniqueness::Lossy => "lossy".to_owned(),
        },
        shows: shown(mask, fork, properties),
        privacy: found.map(|found| found.doc().privacy.to_owned()).unwrap_or_default(),
    }
}

fn when(fork: &Fork) -> PlannedWhen {
    let (otherwise, key, owner) = match &fork.otherwise {
        Otherwise::Null => ("null".to_owned(), None, None),
        Otherwise::Masked(mask) => {
            let key = mask.spec.key.as_ref().map(ToString::to_string);
            (mask_words(mask.function, &sorted(&mask.spec.params)), key, None)
        }
        Otherwise::Kept(Kept { owner, reason, until, .. }) => {
            let until = until.as_ref().map(|day| format!(", until {day}")).unwrap_or_default();
            (format!("as it is, {owner}: {reason}{until}"), None, Some(owner.clone()))
        }
    };
    PlannedWhen { condition: fork.condition.sql.clone(), otherwise, key, owner }
}

fn sorted(params: &Map<String, Value>) -> Map<String, Value> {
    let mut params = params.clone();
    params.sort_keys();
    params
}

/// What is left to see where a mask keeps some of a value.
const PART: &str = "part of the value";

/// What can be seen in any row.
fn shown(mask: &AppliedMask, fork: Option<&Fork>, properties: Properties) -> Vec<String> {
    let mut own = shows(mask.function, if fork.is_some() { mask.properties } else { properties });
    if keeps_part(&mask.spec.params) && !own.iter().any(|word| word == PART) {
        own.push(PART.to_owned());
    }
    let Some(fork) = fork else { return own };
    let other = match &fork.otherwise {
        Otherwise::Null => Vec::new(),
        Otherwise::Masked(mask) => shows(mask.function, mask.properties),
        Otherwise::Kept(_) => vec![SOME_VALUES.to_owned()],
    };
    let new: Vec<String> = other.into_iter().filter(|word| !own.contains(word)).collect();
    own.into_iter().chain(new).collect()
}

/// What of a value can still be seen through a mask, in the words of [`super::change`].
pub(super) fn shows(function: &str, properties: Properties) -> Vec<String> {
    let found = engine_masking::find(function);
    let keyed = found.is_none_or(engine_masking::Function::keyed);
    let hides_all = found.is_some_and(engine_masking::Function::hides_all);
    let preserves = properties.preserves;
    let seen = [
        ("nulls", preserves.null),
        ("equality", !hides_all),
        ("distinctness", properties.uniqueness != Uniqueness::Lossy),
        ("length", preserves.length && !hides_all),
        ("format", preserves.format && !hides_all),
        ("prefix", preserves.prefix),
        ("order", preserves.order && !hides_all),
        ("about the value", found.is_some_and(engine_masking::Function::approximates)),
        (PART, !keyed && !hides_all),
    ];
    seen.iter().filter(|(_, seen)| *seen).map(|(word, _)| (*word).to_owned()).collect()
}
