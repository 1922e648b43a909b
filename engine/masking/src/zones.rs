//! Time zones of timestamps: fixed offsets, and those of the IANA database by name.

use std::str::FromStr;

use arrow::datatypes::DataType;
use chrono::offset::LocalResult;
use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::calendar::SECONDS_PER_DAY;
use crate::forms::logical;

/// Seconds that chrono's calendar surely has dates for; zones do not change beyond.
const SECONDS_MAX: i64 = 8_000_000_000_000;

/// What local time is, in seconds before or after UTC.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Zone {
    /// Always the same.
    Fixed(i64),
    /// As the IANA database says.
    Named(Tz),
}

impl Zone {
    /// The zone of a column: UTC where it has none. None if it is not known.
    pub(crate) fn of(input: &DataType) -> Option<Self> {
        match logical(input) {
            DataType::Timestamp(_, Some(zone)) => Self::parse(zone),
            _ => Some(Self::Fixed(0)),
        }
    }

    fn parse(zone: &str) -> Option<Self> {
        if matches!(zone, "UTC" | "Z" | "z") {
            return Some(Self::Fixed(0));
        }
        match zone.as_bytes().first() {
            Some(b'+') => offset(zone.get(1..)?).map(Self::Fixed),
            Some(b'-') => offset(zone.get(1..)?).map(|seconds| Self::Fixed(-seconds)),
            _ => Tz::from_str(zone).ok().map(Self::Named),
        }
    }

    /// Seconds that local time is ahead of UTC, at a time in UTC.
    #[inline]
    pub(crate) fn offset(self, seconds: i64) -> i64 {
        match self {
            Self::Fixed(offset) => offset,
            Self::Named(zone) => date_time(seconds).map_or(0, |utc| {
                zone.offset_from_utc_datetime(&utc).fix().local_minus_utc().into()
            }),
        }
    }

    /// Seconds that local time is ahead of UTC, at a local time: before the clock is turned, where it
    /// shows a time twice or never.
    #[inline]
    pub(crate) fn offset_of_local(self, seconds: i64) -> i64 {
        let Self::Named(zone) = self else { return self.offset(seconds) };
        let known = date_time(seconds).map(|local| zone.offset_from_local_datetime(&local));
        match known {
            Some(LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _)) => {
                offset.fix().local_minus_utc().into()
            }
            _ => self.offset(seconds.saturating_sub(SECONDS_PER_DAY)),
        }
    }
}

fn date_time(seconds: i64) -> Option<NaiveDateTime> {
    let seconds = seconds.clamp(-SECONDS_MAX, SECONDS_MAX);
    DateTime::from_timestamp(seconds, 0).map(|instant| instant.naive_utc())
}

/// Seconds of `05:30`, `0530` or `05`.
fn offset(text: &str) -> Option<i64> {
    let (hours, minutes) = match text.len() {
        2 => (text, "00"),
        4 => text.split_at_checked(2)?,
        5 => text.split_once(':')?,
        _ => return None,
    };
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|_| digits)
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 3_600 + minutes * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read() {
        for (text, zone) in [
            ("+00:00", Some(Zone::Fixed(0))),
            ("UTC", Some(Zone::Fixed(0))),
            ("+05:30", Some(Zone::Fixed(19_800))),
            ("-0330", Some(Zone::Fixed(-12_600))),
            ("-08", Some(Zone::Fixed(-28_800))),
            ("Europe/Berlin", Some(Zone::Named(Tz::Europe__Berlin))),
            ("Europe/Nowhere", None),
            ("+5:30", None),
            ("+0é", None),
            ("+24:00", None),
            ("", None),
        ] {
            assert_eq!(Zone::parse(text), zone, "{text}");
        }
    }

    #[test]
    fn offsets_before_the_clock_is_turned() {
        let seconds = |text: &str| text.parse::<NaiveDateTime>().unwrap().and_utc().timestamp();
        let berlin = Zone::Named(Tz::Europe__Berlin);
        for (local, hours) in [
            ("2024-01-01T00:00:00", 1),
            ("2024-07-01T00:00:00", 2),
            // Never shown.
            ("2024-03-31T02:30:00", 1),
            // Shown twice.
            ("2024-10-27T02:30:00", 2),
        ] {
            assert_eq!(berlin.offset_of_local(seconds(local)), hours * 3_600, "{local}");
        }
        assert_eq!(berlin.offset(seconds("2024-10-27T01:30:00")), 3_600);
        for extreme in [i64::MIN, i64::MAX] {
            assert!(berlin.offset(extreme).abs() <= 7_200);
            assert!(berlin.offset_of_local(extreme).abs() <= 7_200);
        }
    }
}
