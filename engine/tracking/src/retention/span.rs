//! Lengths of time that retention reckons with: `12h`, `90d`, `2w`, `24mo`, `7y`.
//!
//! Seconds, minutes, hours, days and weeks are exact: a day is 24 hours. Months and years are
//! calendar time in UTC, as periods are reckoned in European law (Regulation (EEC, Euratom)
//! No 1182/71, article 3): they end with the last hour of the day of the same date, or of the
//! month's last day where it has no such date.
//!
//! ```text
//!  31 January, 10:00   + 1mo    ends with 28 February, at 24:00
//!  28 January, 10:00   + 1mo    ends with 28 February, at 24:00
//!  29 February 2028    + 1y     ends with 28 February 2029, at 24:00
//! ```
//!
//! Plain subtraction would let 30 March, 23:00, reach further back in February than 31 March does:
//! what was too old in the evening would no longer be the next morning.

use std::{fmt, num::NonZeroU32, str::FromStr};

use chrono::{DateTime, Days, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// An instant, in UTC.
pub type Moment = DateTime<Utc>;

/// The longest span, a thousand years: whoever reckons with it stays far from every overflow.
const YEARS_MAX: u64 = 1_000;

/// Text that is no span; its words say what would be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// No whole number with a unit.
    #[error("a whole number and a unit, such as 12h, 90d, 2w, 24mo or 7y")]
    Form,
    /// No time at all.
    #[error("more than nothing, such as 12h, 90d, 2w, 24mo or 7y")]
    Zero,
    /// More than a thousand years.
    #[error("at most {YEARS_MAX}y")]
    TooLong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// What a unit is made of.
enum Length {
    Seconds(u32),
    Months(u32),
}

impl Unit {
    const ALL: [Self; 7] =
        [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Day => "d",
            Self::Week => "w",
            Self::Month => "mo",
            Self::Year => "y",
        }
    }

    const fn length(self) -> Length {
        match self {
            Self::Second => Length::Seconds(1),
            Self::Minute => Length::Seconds(60),
            Self::Hour => Length::Seconds(60 * 60),
            Self::Day => Length::Seconds(24 * 60 * 60),
            Self::Week => Length::Seconds(7 * 24 * 60 * 60),
            Self::Month => Length::Months(1),
            Self::Year => Length::Months(12),
        }
    }

    /// How many of it make [`YEARS_MAX`], a year counted as 366 days.
    const fn count_max(self) -> u64 {
        match self.length() {
            Length::Seconds(seconds) => YEARS_MAX * 366 * 24 * 60 * 60 / seconds as u64,
            Length::Months(months) => YEARS_MAX * 12 / months as u64,
        }
    }
}

/// A length of time, more than nothing and at most a thousand years.
///
/// Kept and shown as written: `12mo` and `1y` last equally long and are not equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    // At most `Unit::count_max`, which is above 32 bits for seconds.
    count: u64,
    unit: Unit,
}

impl Span {
    /// So many days of 24 hours.
    #[must_use]
    pub fn days(count: NonZeroU32) -> Self {
        Self::bounded(count.get(), Unit::Day)
    }

    /// So many calendar years.
    #[must_use]
    pub fn years(count: NonZeroU32) -> Self {
        Self::bounded(count.get(), Unit::Year)
    }

    fn bounded(count: u32, unit: Unit) -> Self {
        Self { count: u64::from(count).min(unit.count_max()), unit }
    }

    /// The border that lies this long before `now`: what is strictly before it is older than the
    /// span. Never moves back while `now` goes on.
    ///
    /// For months and years it is the beginning of a day, for all other units the exact instant.
    #[must_use]
    pub fn before(&self, now: Moment) -> Moment {
        match self.unit.length() {
            Length::Seconds(seconds) => {
                let seconds = i64::try_from(self.count.saturating_mul(u64::from(seconds)));
                let delta = seconds.ok().and_then(TimeDelta::try_seconds);
                let border = delta.and_then(|delta| now.checked_sub_signed(delta));
                border.unwrap_or(Moment::MIN_UTC)
            }
            Length::Months(months) => {
                let months = u32::try_from(self.count.saturating_mul(u64::from(months)));
                let months = Months::new(months.unwrap_or(u32::MAX));
                let border = first_kept(now.date_naive(), months);
                border.map_or(Moment::MIN_UTC, |date| date.and_time(NaiveTime::MIN).and_utc())
            }
        }
    }

    /// The instant at which what happened at `moment` is this old. A month that has no such day ends with its last.
    #[must_use]
    pub fn after(&self, moment: Moment) -> Moment {
        let end = match self.unit.length() {
            Length::Seconds(seconds) => {
                let seconds = i64::try_from(self.count.saturating_mul(u64::from(seconds)));
                let delta = seconds.ok().and_then(TimeDelta::try_seconds);
                delta.and_then(|delta| moment.checked_add_signed(delta))
            }
            Length::Months(months) => {
                let months = u32::try_from(self.count.saturating_mul(u64::from(months)));
                moment.checked_add_months(Months::new(months.unwrap_or(u32::MAX)))
            }
        };
        end.unwrap_or(Moment::MAX_UTC)
    }

    /// Whether what happened at `moment` is older than this at `now`. What lies exactly this far
    /// back is not yet; what lies in the future never is.
    #[must_use]
    pub fn is_over(&self, moment: Moment, now: Moment) -> bool {
        moment < self.before(now)
    }
}

/// The first date from which `months` last until `today` or longer; `None` before the calendar begins.
fn first_kept(today: NaiveDate, months: Months) -> Option<NaiveDate> {
    let back = today.checked_sub_months(months)?;
    let ends = back.checked_add_months(months)?;
    // Clamped to the end of a shorter month, whose last day's period is over before today.
    if ends < today { back.checked_add_days(Days::new(1)) } else { Some(back) }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit.as_str())
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, name) = text.split_at_checked(digits).ok_or(SpanError::Form)?;
        let unit = Unit::ALL.into_iter().find(|unit| unit.as_str() == name);
        let unit = unit.ok_or(SpanError::Form)?;
        if number.is_empty() {
            return Err(SpanError::Form);
        }
        // Digits that do not parse are too many.
        match number.parse() {
            Ok(0) => Err(SpanError::Zero),
            Ok(count) if count <= unit.count_max() => Ok(Self { count, unit }),
            _ => Err(SpanError::TooLong),
        }
    }
}

impl TryFrom<String> for Span {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Span {
        text.parse().unwrap()
    }

    fn moment(text: &str) -> Moment {
        text.parse().unwrap()
    }

    #[test]
    fn what_comes_after_a_span_is_counted_by_the_calendar() {
        for (text, from, after) in [
            ("90s", "2026-11-23T00:00:00Z", "2026-11-23T00:01:30Z"),
            ("365d", "2027-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("1y", "2027-03-01T00:00:00Z", "2028-03-01T00:00:00Z"),
            ("1mo", "2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z"),
        ] {
            assert_eq!(span(text).after(moment(from)), moment(after), "{text}");
        }
        assert_eq!(span("1000y").after(Moment::MAX_UTC), Moment::MAX_UTC);
    }

    #[test]
    fn spans_are_shown_as_written() {
        for text in ["1s", "30m", "12h", "90d", "2w", "24mo", "7y", "366000d", "1000y", "12000mo"] {
            assert_eq!(span(text).to_string(), text);
        }
        assert_eq!(span("007d").to_string(), "7d");
    }

    #[test]
    fn other_texts_say_what_would_be_a_span() {
        for text in ["", "d", "90", "90D", "90 d", "1.5h", "-1d", "+1d", "1y6mo", "1é", "٤d", "1M"]
        {
            assert_eq!(text.parse::<Span>(), Err(SpanError::Form), "{text}");
        }
        assert_eq!("0d".parse::<Span>(), Err(SpanError::Zero));
        for text in ["366001d", "12001mo", "1001y", "18446744073709551616s"] {
            assert_eq!(text.parse::<Span>(), Err(SpanError::TooLong), "{text}");
        }
    }

    #[test]
    fn borders_are_exact_or_the_beginning_of_a_day() {
        for (text, now, border) in [
            ("90s", "2026-03-01T00:01:00Z", "2026-02-28T23:59:30Z"),
            ("90d", "2026-03-31T12:00:00Z", "2025-12-31T12:00:00Z"),
            ("2w", "2026-03-31T12:00:00Z", "2026-03-17T12:00:00Z"),
            ("1mo", "2026-03-28T12:00:00Z", "2026-02-28T00:00:00Z"),
            ("1mo", "2026-03-29T12:00:00Z", "2026-03-01T00:00:00Z"),
            ("1mo", "2026-03-31T12:00:00Z", "2026-03-01T00:00:00Z"),
            ("1mo", "2026-02-28T12:00:00Z", "2026-01-28T00:00:00Z"),
            ("24mo", "2026-02-28T12:00:00Z", "2024-02-28T00:00:00Z"),
            ("1y", "2028-02-29T12:00:00Z", "2027-03-01T00:00:00Z"),
            ("7y", "2026-11-30T23:59:59Z", "2019-11-30T00:00:00Z"),
        ] {
            assert_eq!(span(text).before(moment(now)), moment(border), "{text} before {now}");
        }
    }

    #[test]
    fn borders_never_move_back() {
        let start = moment("2023-12-01T23:00:00Z");
        for text in ["1mo", "2mo", "11mo", "1y", "4y", "30d", "7h"] {
            let borders = (0..1_600).map(|hours| {
                let now = start + TimeDelta::hours(13 * hours);
                span(text).before(now)
            });
            assert!(borders.collect::<Vec<_>>().is_sorted(), "{text}");
        }
    }

    #[test]
    fn the_ends_of_the_calendar_are_no_ends() {
        for text in ["1s", "366000d", "1000y"] {
            assert!(span(text).before(Moment::MIN_UTC) <= Moment::MIN_UTC);
            assert!(span(text).before(Moment::MAX_UTC) < Moment::MAX_UTC);
        }
    }

    #[test]
    fn what_is_exactly_as_old_is_not_older() {
        let then = moment("2026-01-01T00:00:00Z");
        assert!(!span("1d").is_over(then, moment("2026-01-02T00:00:00Z")));
        assert!(span("1d").is_over(then, moment("2026-01-02T00:00:01Z")));
        assert!(!span("1d").is_over(moment("2030-01-01T00:00:00Z"), then));
    }
}
