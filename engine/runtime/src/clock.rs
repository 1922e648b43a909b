//! The only place that reads the clock. What it returns goes into run records and never into a plan,
//! a compiled query or a masked value.

use chrono::{DateTime, NaiveDate, Utc};

/// The present moment, in UTC.
#[expect(clippy::disallowed_methods, reason = "this is the file made for the clock")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Today's date in UTC: decides whether a `keep` has expired.
pub fn today() -> NaiveDate {
    now().date_naive()
}
