//! The only place that reads the clock. What it returns goes into run records and never into a plan,
//! a compiled query or a masked value.

use std::time::Instant;

use chrono::{DateTime, Datelike, Utc};
use engine_project::Date;

/// The present moment, in UTC.
#[expect(clippy::disallowed_methods, reason = "this is the file made for the clock")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The present moment by a clock that never jumps: for durations.
pub fn instant() -> Instant {
    Instant::now()
}

/// Today's date in UTC: decides whether an approval has expired.
pub fn today() -> Date {
    let today = now();
    let part = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    Date {
        year: u16::try_from(today.year()).unwrap_or(u16::MAX),
        month: part(today.month()),
        day: part(today.day()),
    }
}
