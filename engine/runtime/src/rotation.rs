//! Keys that are to be replaced: which are close to the age that the target sets them, and which are past it.

use chrono::{NaiveDate, NaiveTime};
use engine_bundle::keyring::{KeyEntry, KeyState};
use engine_project::Project;
use engine_tracking::retention::{Moment, Span};
use engine_tracking::runs::report::{KeyHealth, Rotation};
use serde::{Deserialize, Serialize};

use crate::codes::keys as codes;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::keys::Keys;

/// A key that should be replaced soon, or should have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyDue {
    /// Its purpose, name and version, such as `data/default/1`.
    pub key: String,
    /// The day on which it was made, as `2026-11-23`.
    pub since: String,
    /// The day on which it is as old as it may become.
    pub due: String,
    /// Whether that day is over.
    pub is_overdue: bool,
}

/// How old keys may become; none where the target does not say.
///
/// # Errors
/// It is no span of time.
pub fn max_age(project: &Project) -> Outcome<Option<Span>> {
    let Some(text) = &project.target.keys.max_age else { return Ok(None) };
    let span = text.value.parse::<Span>().map_err(|error| {
        let finding =
            Diagnostic::new(&codes::ROTATION_INVALID, "keys have no age to be rotated at")
                .at(text.at, format!("must be {error}"));
        Failure::from(finding).in_project(project)
    })?;
    Ok(Some(span))
}

/// The keys that seal, with the day since when, where the keyring knows it, and when each is to be replaced.
///
/// # Errors
/// How old they may become is no span of time.
pub fn ages(project: &Project, keys: &Keys) -> Outcome<Vec<KeyHealth>> {
    let max_age = max_age(project)?;
    let entries = keys.keyring().list();
    Ok(entries.iter().filter_map(|entry| age(entry, max_age)).collect())
}

fn age(entry: &KeyEntry, max_age: Option<Span>) -> Option<KeyHealth> {
    if entry.state != KeyState::Active {
        return None;
    }
    let day: NaiveDate = entry.since.as_ref()?.parse().ok()?;
    let since = day.and_time(NaiveTime::MIN).and_utc();
    Some(KeyHealth {
        name: format!("{}/{}", entry.id.purpose, entry.id.name),
        version: entry.id.version.get(),
        since,
        rotation_due: max_age.map(|span| span.after(since)),
    })
}

/// Those that are close to their age, or past it.
#[must_use]
pub fn due(keys: &[KeyHealth], now: Moment) -> Vec<KeyDue> {
    let day = |moment: Moment| moment.format("%Y-%m-%d").to_string();
    let due = keys.iter().filter_map(|key| {
        let is_overdue = match key.rotation(now)? {
            Rotation::Later => return None,
            Rotation::Soon => false,
            Rotation::Overdue => true,
        };
        let (since, due) = (day(key.since), day(key.rotation_due?));
        Some(KeyDue { key: key.id(), since, due, is_overdue })
    });
    due.collect()
}

/// The warning of them; none where there is none.
#[must_use]
pub fn warning(due: &[KeyDue]) -> Option<Failure> {
    let finding = |key: &KeyDue| {
        let KeyDue { key, since, due, is_overdue } = key;
        let message = match is_overdue {
            true => format!("key {key}, made on {since}, is overdue for rotation since {due}"),
            false => format!("key {key}, made on {since}, is due for rotation by {due}"),
        };
        Diagnostic::new(&codes::ROTATION_DUE, message).as_warning().help(
            "`engine explain E0711` says how a target gets new keys; keep the old keyring as long as what it sealed",
        )
    };
    (!due.is_empty()).then(|| Failure::from(due.iter().map(finding).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::words;

    fn moment(text: &str) -> Moment {
        text.parse().unwrap()
    }

    /// A key made on New Year's day that may become a year old.
    fn key() -> KeyHealth {
        let since = moment("2026-01-01T00:00:00Z");
        let rotation_due = Some("1y".parse::<Span>().unwrap().after(since));
        KeyHealth { name: "data/default".to_owned(), version: 1, since, rotation_due }
    }

    #[test]
    fn a_key_is_told_of_in_the_last_tenth_of_its_time() {
        for (now, found) in [
            ("2026-11-25T11:59:59Z", None),
            ("2026-11-25T12:00:00Z", Some(false)),
            ("2026-12-31T23:59:59Z", Some(false)),
            ("2027-01-01T00:00:00Z", Some(true)),
        ] {
            let due = due(&[key()], moment(now));
            assert_eq!(due.first().map(|due| due.is_overdue), found, "{now}");
        }
        let short = KeyHealth { rotation_due: Some(moment("2026-01-11T00:00:00Z")), ..key() };
        let within_a_week = |now: &str| !due(std::slice::from_ref(&short), moment(now)).is_empty();
        assert!(!within_a_week("2026-01-03T23:59:59Z") && within_a_week("2026-01-04T00:00:00Z"));
        let endless = KeyHealth { rotation_due: None, ..key() };
        assert_eq!(due(&[endless], moment("2100-01-01T00:00:00Z")), []);
    }

    #[test]
    fn a_key_that_is_to_be_replaced_is_named() {
        let golden = include_str!("../../../tests/diagnostics/elsewhere/E0711.txt");
        let overdue = due(&[key()], moment("2027-02-01T00:00:00Z"));
        let soon = due(&[key()], moment("2026-12-01T00:00:00Z"));
        let warned = warning(&[overdue, soon].concat()).unwrap();
        let words: Vec<String> = warned.diagnostics.iter().map(words).collect();
        assert_eq!(words.join("\n"), golden);
        assert!(warning(&[]).is_none());
    }
}
