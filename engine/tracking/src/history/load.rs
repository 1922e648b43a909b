//! One load of a history, and whether it may append.
//!
//! Loads are recorded in the order of their dates, and a recorded one is never changed. So
//!
//! | the load is | compared with | what differs |
//! |---|---|---|
//! | later than all recorded | the current state | is appended |
//! | of the date of the last | the state as of its date | nothing, or it is refused |
//! | earlier | the state as of its date | nothing, or it is refused |
//!
//! Whatever is loaded again, at the same date or after later loads, is found to be there and appends
//! nothing. A late load that nobody has recorded is refused: what later loads were compared with would
//! change behind them.

use crate::retention::Moment;

use super::error::HistoryError;

/// A state of an export, to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    date_micros: i64,
    source: String,
    newest_micros: Option<i64>,
}

impl Load {
    /// A load of this date, which counts to the microsecond, from this record source: what was loaded, in
    /// words that name no value. `newest` is the date of the last load recorded, whether or not it
    /// appended anything; nothing before the first.
    #[must_use]
    pub fn new(date: Moment, source: impl Into<String>, newest: Option<Moment>) -> Self {
        Self {
            date_micros: date.timestamp_micros(),
            source: source.into(),
            newest_micros: newest.map(|newest| newest.timestamp_micros()),
        }
    }

    /// The load date, in microseconds since 1970 in UTC.
    #[must_use]
    pub fn date_micros(&self) -> i64 {
        self.date_micros
    }

    /// The record source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it is later than all loads recorded, and may append.
    #[must_use]
    pub fn is_next(&self) -> bool {
        self.newest_micros.is_none_or(|newest| self.date_micros > newest)
    }

    /// Whether what a comparison found may be appended.
    ///
    /// # Errors
    /// [`HistoryError::Late`] when something is to be appended and the load is not the next.
    pub fn settle(&self, tally: Tally) -> Result<Tally, HistoryError> {
        let late = self.newest_micros.filter(|_| !self.is_next() && tally.appended() > 0);
        match late {
            None => Ok(tally),
            Some(newest) => Err(HistoryError::Late {
                load_date: moment(self.date_micros),
                newest: moment(newest),
                rows: tally.appended(),
            }),
        }
    }
}

fn moment(micros: i64) -> Moment {
    Moment::from_timestamp_micros(micros).unwrap_or_default()
}

/// How many rows of a load are what; of several parts, the sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Keys never seen before.
    pub new: u64,
    /// Keys whose values differ from the recorded ones.
    pub changed: u64,
    /// Keys that were deleted, and are there again.
    pub returned: u64,
    /// Keys whose values are the recorded ones.
    pub unchanged: u64,
    /// Keys that were there, and are no more.
    pub gone: u64,
}

impl Tally {
    /// How many rows the satellite gets.
    #[must_use]
    pub fn appended(self) -> u64 {
        self.new + self.changed + self.returned + self.gone
    }
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            new: self.new + other.new,
            changed: self.changed + other.changed,
            returned: self.returned + other.returned,
            unchanged: self.unchanged + other.unchanged,
            gone: self.gone + other.gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(date: &str, newest: Option<&str>) -> Load {
        let moment = |text: &str| text.parse::<Moment>().unwrap();
        Load::new(moment(date), "test", newest.map(moment))
    }

    #[test]
    fn only_the_next_load_appends() {
        let some = Tally { changed: 1, gone: 2, ..Tally::default() };
        let nothing = Tally { unchanged: 5, ..Tally::default() };
        let (day, later) = ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z");
        assert!(load(day, None).settle(some).is_ok());
        assert!(load(later, Some(day)).settle(some).is_ok());
        for newest in [day, later] {
            assert!(load(day, Some(newest)).settle(nothing).is_ok());
            let refused = load(day, Some(newest)).settle(some).unwrap_err();
            assert!(matches!(refused, HistoryError::Late { rows: 3, .. }), "{refused}");
        }
    }

    #[test]
    fn dates_count_to_the_microsecond() {
        let first = load("2024-01-01T00:00:00.000000999Z", Some("2024-01-01T00:00:00Z"));
        assert!(!first.is_next());
        assert!(load("2024-01-01T00:00:00.000001Z", Some("2024-01-01T00:00:00Z")).is_next());
    }
}
