//! Numbers as people read them.

use chrono::SecondsFormat;

use crate::retention::Moment;

/// `850 µs`, `250 ms`, `12.3 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
pub(super) fn duration(microseconds: u64) -> String {
    let seconds = microseconds / 1_000_000;
    match microseconds {
        0..1_000 => format!("{microseconds} µs"),
        1_000..1_000_000 => format!("{} ms", microseconds / 1_000),
        1_000_000..60_000_000 => format!("{seconds}.{} s", microseconds / 100_000 % 10),
        _ if seconds < 3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ if seconds < 172_800 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// `950`, `12,345`, `1.2 M`, `3.4 G`.
pub(super) fn count(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{},{:03}", number / 1_000, number % 1_000),
        1_000_000..1_000_000_000 => {
            format!("{}.{} M", number / 1_000_000, number / 100_000 % 10)
        }
        _ => format!("{}.{} G", number / 1_000_000_000, number / 100_000_000 % 10),
    }
}

/// `950 B`, `1.4 KiB`, `3.2 GiB`, with a sign where it is below zero.
pub(super) fn bytes(number: i64) -> String {
    let sign = if number < 0 { "−" } else { "" };
    let number = number.unsigned_abs();
    let mut unit = 1_u64;
    let mut name = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if number / unit < 1_024 {
            break;
        }
        (unit, name) = (unit.saturating_mul(1_024), larger);
    }
    if unit == 1 {
        return format!("{sign}{number} B");
    }
    format!("{sign}{}.{} {name}", number / unit, number % unit * 10 / unit)
}

/// `97.6 %`.
pub(super) fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

/// `2026-11-23 04:00:03`, in UTC.
pub(super) fn moment(moment: Moment) -> String {
    let text = moment.to_rfc3339_opts(SecondsFormat::Secs, true);
    text.trim_end_matches('Z').replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (microseconds, text) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (250_999, "250 ms"),
            (12_399_000, "12.3 s"),
            (200_000_000, "3 min 20 s"),
            (7_500_000_000, "2 h 5 min"),
            (273_600_000_000, "3 d 4 h"),
        ] {
            assert_eq!(duration(microseconds), text);
        }
    }

    #[test]
    fn counts_and_bytes_are_short() {
        let counts = [0, 999, 12_045, 1_250_000, 3_400_000_000].map(count);
        assert_eq!(counts, ["0", "999", "12,045", "1.2 M", "3.4 G"]);
        let bytes = [0, 1_023, 1_434, -3_435_973_836, i64::MIN].map(bytes);
        assert_eq!(bytes, ["0 B", "1023 B", "1.4 KiB", "−3.1 GiB", "−8388608.0 TiB"]);
        assert_eq!(percent(0.976), "97.6 %");
    }
}
