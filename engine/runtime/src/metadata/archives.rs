//! Archives of schemas whose time is over. They lie in Git's working tree, so there is no grace: what was committed
//! is in Git's history.

use engine_tracking::log::ChangeLog;
use engine_tracking::retention::{Moment, Policy};

/// How many of a source's archives go, or went.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ArchivesDue {
    /// The source.
    pub source: String,
    /// The policy.
    pub policy: String,
    /// The files, newest first.
    pub files: Vec<String>,
}

/// The archives that a log names and its policy lets go: those beyond `keep` and those put aside longer ago than
/// `max_age`. Those put aside at one time count as one.
#[must_use]
pub fn expired(log: &ChangeLog, policy: &Policy, now: Moment) -> Vec<String> {
    let held = policy.legal_hold.as_ref().is_some_and(|hold| hold.is_in_force(now));
    let Some(rule) = policy.snapshots.filter(|_| !held) else { return Vec::new() };
    let entries = log.entries.iter().filter(|entry| !entry.archived.is_empty());
    let gone = entries.enumerate().filter(|(position, entry)| {
        let is_beyond = rule.keep().is_some_and(|keep| *position >= keep.get() as usize);
        let at = entry.time.parse::<Moment>().ok();
        let is_old = rule.max_age().zip(at).is_some_and(|(span, at)| span.is_over(at, now));
        is_beyond || is_old
    });
    gone.flat_map(|(_, entry)| entry.archived.iter().cloned()).collect()
}

/// The log once these files are gone: it keeps its entries, and says which of their archives expired.
#[must_use]
pub fn without(mut log: ChangeLog, gone: &[String]) -> ChangeLog {
    for entry in &mut log.entries {
        let (expired, archived) =
            std::mem::take(&mut entry.archived).into_iter().partition(|file| gone.contains(file));
        entry.archived = archived;
        entry.expired.extend::<Vec<String>>(expired);
    }
    log
}

#[cfg(test)]
mod tests {
    use engine_tracking::log::Entry;
    use engine_tracking::retention::SnapshotRule;

    use super::*;

    fn log() -> ChangeLog {
        let mut log = ChangeLog::default();
        for (day, file) in [("01", "a"), ("10", "b"), ("20", "c")] {
            let mut entry = Entry::new(format!("2026-01-{day}T00:00:00Z"), "crm", Vec::new());
            entry.summary = file.to_owned();
            entry.archived = vec![file.to_owned()];
            log.entries.insert(0, entry);
        }
        log
    }

    fn policy(keep: Option<u32>, max_age: Option<&str>) -> Policy {
        let max_age = max_age.map(|age| age.parse().unwrap());
        Policy { snapshots: SnapshotRule::new(keep, max_age).ok(), ..Policy::new("p") }
    }

    #[test]
    fn archives_go_by_number_and_age_and_the_log_tells_of_them() {
        let now = "2026-01-31T00:00:00Z".parse().unwrap();
        assert_eq!(expired(&log(), &policy(Some(1), None), now), ["b", "a"]);
        assert_eq!(expired(&log(), &policy(None, Some("25d")), now), ["a"]);
        assert_eq!(expired(&log(), &Policy::new("p"), now), Vec::<String>::new());
        let left = without(log(), &["b".to_owned(), "a".to_owned()]);
        assert_eq!(left.entries.len(), 3, "what changed stays on record");
        assert_eq!(left.entries.last().unwrap().expired, ["a"]);
        assert_eq!(expired(&left, &policy(Some(1), None), now), Vec::<String>::new());
    }
}
