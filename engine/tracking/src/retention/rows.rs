//! Rows that expire inside chunks: where the border lies, and which chunks are written anew.

use chrono::NaiveDate;

use super::{
    policy::{Policy, RowRule},
    span::Moment,
};

/// The border of a policy's rows at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutOff {
    /// The policy's name.
    pub policy: String,
    /// The column that tells a row's age.
    pub by: String,
    /// A row whose moment lies strictly before this is expired. A row where it is null is not.
    pub moment: Moment,
}

impl CutOff {
    /// The border for a column of dates without time: a row is expired when its date is strictly
    /// before this one, which is when the whole day lies before the moment.
    #[must_use]
    pub fn date(&self) -> NaiveDate {
        self.moment.date_naive()
    }
}

impl RowRule {
    /// The border at `now`. It never moves back while `now` goes on.
    #[must_use]
    pub fn cut_off(&self, now: Moment) -> Moment {
        self.older_than.before(now)
    }
}

/// The borders at `now`, one per policy with a rule for rows. A row is expired when it is beyond any
/// of them. None while one of the policies is on hold.
#[must_use]
pub fn cut_offs(policies: &[Policy], now: Moment) -> Vec<CutOff> {
    let holds = policies.iter().filter_map(|policy| policy.legal_hold.as_ref());
    if holds.into_iter().any(|hold| hold.is_in_force(now)) {
        return Vec::new();
    }
    let rules = policies.iter().filter_map(|policy| Some((policy, policy.rows.as_ref()?)));
    let cut_offs = rules.map(|(policy, rule)| CutOff {
        policy: policy.name.clone(),
        by: rule.by.clone(),
        moment: rule.cut_off(now),
    });
    cut_offs.collect()
}

/// What becomes of a chunk when the newest snapshot is made to do without expired rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkFate {
    /// None of its rows is expired: the next snapshot names it as it is.
    Keep,
    /// Some are: the next snapshot names a new chunk with the others.
    Rewrite,
    /// All are: the next snapshot names nothing in its place.
    Drop,
}

/// What becomes of a chunk of so many rows, of which so many are expired.
///
/// A chunk whose number of rows is not known is never dropped: rewriting it shows what is left.
#[must_use]
pub fn chunk_fate(rows: Option<u64>, expired: u64) -> ChunkFate {
    match (expired, rows) {
        (0, _) => ChunkFate::Keep,
        (_, Some(rows)) if expired >= rows => ChunkFate::Drop,
        _ => ChunkFate::Rewrite,
    }
}

/// The next snapshot of an export, which does without expired rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The newest snapshot, after which it comes.
    pub version: u64,
    /// The digest of that one's manifest.
    pub manifest: String,
    /// Its chunks in their order, with what becomes of each; at least one is not kept.
    pub chunks: Vec<(String, ChunkFate)>,
    /// How many rows are expired.
    pub expired_rows: u64,
}

#[cfg(test)]
mod tests {
    use super::{super::policy::LegalHold, *};

    fn policy(older_than: &str) -> Policy {
        let rows = RowRule { older_than: older_than.parse().unwrap(), by: "ended".to_owned() };
        Policy { rows: Some(rows), ..Policy::new("p") }
    }

    #[test]
    fn a_day_is_expired_when_all_of_it_is() {
        let now = "2026-03-31T12:00:00Z".parse().unwrap();
        let cut_offs = cut_offs(&[policy("90d"), Policy::new("q"), policy("1mo")], now);
        let [days, month] = cut_offs.as_slice() else { panic!("{cut_offs:?}") };
        assert_eq!(days.moment, "2025-12-31T12:00:00Z".parse::<Moment>().unwrap());
        assert_eq!(days.date().to_string(), "2025-12-31");
        assert_eq!(month.date().to_string(), "2026-03-01");
    }

    #[test]
    fn a_hold_on_any_policy_stops_rows() {
        let now = "2026-03-31T12:00:00Z".parse().unwrap();
        let mut held = Policy::new("held");
        held.legal_hold = LegalHold::new("legal", "case", None).ok();
        assert_eq!(cut_offs(&[policy("90d"), held], now), []);
    }

    #[test]
    fn only_chunks_with_expired_rows_are_touched() {
        assert_eq!(chunk_fate(Some(0), 0), ChunkFate::Keep);
        assert_eq!(chunk_fate(Some(9), 0), ChunkFate::Keep);
        assert_eq!(chunk_fate(Some(9), 8), ChunkFate::Rewrite);
        assert_eq!(chunk_fate(Some(9), 9), ChunkFate::Drop);
        assert_eq!(chunk_fate(None, 9), ChunkFate::Rewrite);
    }
}
