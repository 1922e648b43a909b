//! Ten policies, each said twice: as the engine has it and as the model does.

use std::num::NonZeroU32;

use chrono::{NaiveDate, TimeDelta};
use engine_tracking::retention::{LegalHold, Moment, Policy, RowRule, SnapshotRule, Span};

use crate::model::{Age, Rules};

/// Hour 0 of every simulation.
pub(crate) fn moment(hour: i64) -> Moment {
    // 2026-01-01T00:00:00Z
    Moment::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::hours(hour)
}

pub(crate) fn day(day: i64) -> NaiveDate {
    moment(day * 24).date_naive()
}

/// One of the ten, by number.
pub(crate) fn policy(number: usize) -> (Policy, Rules) {
    let days = |days: i64| Some(Age::Hours(days * 24));
    let nothing = Rules::new(number);
    let rules = match number {
        0 => Rules { keep: Some(5), ..nothing },
        1 => Rules { age: days(90), ..nothing },
        2 => Rules { keep: Some(3), age: days(30), ..nothing },
        3 => Rules { age: Some(Age::Months(1)), ..nothing },
        4 => Rules { keep: Some(1), grace: Age::Hours(7 * 24), ..nothing },
        5 => Rules { rows: days(60), ..nothing },
        6 => Rules { rows: Some(Age::Months(2)), grace: Age::Hours(12), ..nothing },
        7 => Rules { age: Some(Age::Hours(36)), grace: Age::Months(1), ..nothing },
        8 => nothing,
        _ => Rules { keep: Some(20), age: days(120), rows: days(100), ..nothing },
    };
    (as_policy(&rules), rules)
}

/// What the rules say, in the engine's words.
pub(crate) fn as_policy(rules: &Rules) -> Policy {
    let mut policy = Policy::new(format!("p{}", rules.number));
    if rules.keep.is_some() || rules.age.is_some() {
        let keep = rules.keep.map(|keep| u32::try_from(keep).unwrap());
        policy.snapshots = Some(SnapshotRule::new(keep, rules.age.map(span)).unwrap());
    }
    let rows = rules.rows.map(span);
    policy.rows = rows.map(|older_than| RowRule { older_than, by: "day".to_owned() });
    policy.grace = span(rules.grace);
    policy.legal_hold =
        rules.hold.map(|until| LegalHold::new("legal", "case 7", until.map(day)).unwrap());
    policy
}

fn span(age: Age) -> Span {
    let text = match age {
        Age::Hours(hours) if hours % 24 == 0 => return Span::days(count(hours / 24)),
        Age::Hours(hours) => format!("{hours}h"),
        Age::Months(months) => format!("{months}mo"),
    };
    text.parse().unwrap()
}

fn count(days: i64) -> NonZeroU32 {
    NonZeroU32::new(u32::try_from(days).unwrap()).unwrap()
}
