//! Whether the clock can be believed, before anything is destroyed by it.

use chrono::TimeDelta;

use super::{inventory::Inventory, span::Moment};

/// How far clocks of machines that write to one store may differ.
const DIFFERENCE_HOURS_MAX: i64 = 1;
/// How long a store may have been silent: what is made each month is made every 31 days.
const SILENCE_DAYS_MAX: i64 = 35;
/// What was written so recently says nothing: the same wrong clock may have dated it.
const RECENT_HOURS: i64 = 24;

/// Why the clock, or one that was believed before, may be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Suspicion {
    /// Now is more than an hour before something that has happened.
    #[error("it is {now}, but something is dated {newest}")]
    Behind {
        /// The clock.
        now: Moment,
        /// The latest moment known.
        newest: Moment,
    },
    /// A snapshot is dated more than an hour before one that was committed earlier.
    #[error("snapshot {version} is dated {committed_at}, before an earlier one of {earlier}")]
    Disordered {
        /// The later snapshot.
        version: u64,
        /// What it says.
        committed_at: Moment,
        /// What the earlier one says.
        earlier: Moment,
    },
    /// Nothing has happened for more than 35 days, the last 24 hours left aside.
    #[error("it is {now}, and before today nothing is dated later than {newest}")]
    Ahead {
        /// The clock.
        now: Moment,
        /// The latest moment known that is older than 24 hours.
        newest: Moment,
    },
}

/// Whether `now` fits what the inventory says has happened. The caller refuses to apply anything
/// otherwise, unless its user says that the clock is right.
///
/// A store that was idle for more than 35 days is suspicious, too: from inside it looks no different.
/// A jump of less goes unnoticed, and costs no more than that many days of a grace.
#[must_use]
pub fn suspicious(now: Moment, inventory: &Inventory) -> Option<Suspicion> {
    disordered(inventory).or_else(|| suspicious_among(now, &moments(inventory)))
}

/// The same for moments from anywhere, such as those of records.
#[must_use]
pub fn suspicious_among(now: Moment, moments: &[Moment]) -> Option<Suspicion> {
    let newest = *moments.iter().max()?;
    if newest.signed_duration_since(now) > TimeDelta::hours(DIFFERENCE_HOURS_MAX) {
        return Some(Suspicion::Behind { now, newest });
    }
    let age = |moment: &Moment| now.signed_duration_since(*moment);
    let settled = moments.iter().filter(|moment| age(moment) > TimeDelta::hours(RECENT_HOURS));
    let newest = *settled.max()?;
    let is_silent = age(&newest) > TimeDelta::days(SILENCE_DAYS_MAX);
    is_silent.then_some(Suspicion::Ahead { now, newest })
}

fn moments(inventory: &Inventory) -> Vec<Moment> {
    let snapshots = inventory.snapshots.iter().map(|snapshot| snapshot.committed_at);
    let chunks = inventory.chunks.iter().map(|chunk| chunk.written_at);
    let tombstones = inventory.tombstones.entries().iter().map(|tombstone| tombstone.since);
    snapshots.chain(chunks).chain(tombstones).chain(inventory.seen_at).collect()
}

fn disordered(inventory: &Inventory) -> Option<Suspicion> {
    let mut snapshots: Vec<_> = inventory.snapshots.iter().collect();
    snapshots.sort_by_key(|snapshot| snapshot.version);
    let mut earlier = Moment::MIN_UTC;
    for snapshot in snapshots {
        let committed_at = snapshot.committed_at;
        if earlier.signed_duration_since(committed_at) > TimeDelta::hours(DIFFERENCE_HOURS_MAX) {
            let version = snapshot.version;
            return Some(Suspicion::Disordered { version, committed_at, earlier });
        }
        earlier = earlier.max(committed_at);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{super::inventory::Snapshot, *};

    fn moment(text: &str) -> Moment {
        text.parse().unwrap()
    }

    fn inventory(commits: &[&str]) -> Inventory {
        let snapshots = (1..).zip(commits).map(|(version, commit)| Snapshot {
            version,
            manifest: format!("sha256:{version}"),
            committed_at: moment(commit),
            chunks: Vec::new(),
            rows: 0,
            bytes: 0,
        });
        Inventory { snapshots: snapshots.collect(), ..Inventory::default() }
    }

    #[test]
    fn a_clock_that_fits_is_not_suspicious() {
        let now = moment("2026-03-31T12:00:00Z");
        assert_eq!(suspicious(now, &Inventory::default()), None);
        assert_eq!(suspicious(now, &inventory(&["2026-02-28T12:00:00Z"])), None);
        // Another machine's clock goes a little before.
        assert_eq!(suspicious(now, &inventory(&["2026-03-31T12:59:00Z"])), None);
    }

    #[test]
    fn a_clock_behind_what_has_happened_is() {
        let now = moment("2026-03-31T12:00:00Z");
        let newest = moment("2026-03-31T13:01:00Z");
        let found = suspicious(now, &inventory(&["2026-03-31T13:01:00Z"]));
        assert_eq!(found, Some(Suspicion::Behind { now, newest }));
        let seen = Inventory { seen_at: Some(newest), ..Inventory::default() };
        assert_eq!(suspicious(now, &seen), Some(Suspicion::Behind { now, newest }));
    }

    #[test]
    fn a_clock_ahead_is_found_though_it_dated_a_snapshot_of_its_own() {
        let now = moment("2027-03-31T12:00:00Z");
        let newest = moment("2026-03-30T12:00:00Z");
        let dated = inventory(&["2026-03-30T12:00:00Z", "2027-03-31T11:00:00Z"]);
        assert_eq!(suspicious(now, &dated), Some(Suspicion::Ahead { now, newest }));
        assert_eq!(suspicious(now, &inventory(&["2027-03-31T11:00:00Z"])), None);
    }

    #[test]
    fn snapshots_dated_out_of_order_are_found() {
        let disordered = inventory(&["2026-03-30T12:00:00Z", "1970-01-01T00:00:00Z"]);
        let found = suspicious(moment("2026-03-31T12:00:00Z"), &disordered);
        assert!(matches!(found, Some(Suspicion::Disordered { version: 2, .. })), "{found:?}");
    }
}
