//! Text to values, strictly: what is not wholly and exactly a value of the type is none.
//!
//! ```text
//!  date        YYYY-MM-DD                                     ISO 8601, extended form
//!  time        HH:MM[:SS[.f]]
//!  timestamp   date | date (T or space) time [Z]              no zone, or UTC
//!  timestamptz date (T or space) time (Z or ±HH:MM)           an offset is required
//!  decimal     [+-]digits[.digits]                            no exponent, nothing rounded
//!  float       digits, exponents, inf, nan                    nothing overflows to inf
//!  bool        true | false | 1 | 0                           any case
//! ```
//!
//! Arrow's own parsers are laxer (they drop digits beyond a decimal's scale and the time
//! beyond a date), and a value must never change silently before it is masked.

use chrono::{NaiveDate, NaiveTime};

/// Microseconds of a second.
const MICROS: i64 = 1_000_000;

/// `true`, `false`, `1` or `0`, in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A floating-point number, `inf` or `nan`; digits too large for the type are none.
pub(crate) fn float<T: std::str::FromStr + Into<f64> + Copy>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    let named = !text.bytes().any(|byte| byte.is_ascii_digit());
    (value.into().is_finite() || named).then_some(value)
}

/// Days since 1970-01-01.
pub(crate) fn date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *bytes else { return None };
    let year = digits(&[y0, y1, y2, y3])?;
    let date =
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, digits(&[m0, m1])?, digits(&[d0, d1])?)?;
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    i32::try_from(date.signed_duration_since(epoch).num_days()).ok()
}

/// Days since 1970-01-01 of a date, or of a timestamp at midnight.
pub(crate) fn date_or_midnight(text: &str) -> Option<i32> {
    date(text).or_else(|| {
        let (day, clock) = split_day(text)?;
        (time_micros(clock)? == 0).then_some(day)
    })
}

/// Microseconds since midnight.
pub(crate) fn time_micros(text: &str) -> Option<i64> {
    let (hms, fraction) = text.split_once('.').map_or((text, None), |(hms, f)| (hms, Some(f)));
    let (hour, minute, second) = match *hms.as_bytes() {
        [h0, h1, b':', m0, m1] if fraction.is_none() => (digits(&[h0, h1])?, digits(&[m0, m1])?, 0),
        [h0, h1, b':', m0, m1, b':', s0, s1] => {
            (digits(&[h0, h1])?, digits(&[m0, m1])?, digits(&[s0, s1])?)
        }
        _ => return None,
    };
    NaiveTime::from_hms_opt(hour, minute, second)?;
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Some(seconds * MICROS + fraction.map_or(Some(0), fraction_micros)?)
}

/// Microseconds since 1970-01-01T00:00:00 of a timestamp without zone, or in UTC.
pub(crate) fn timestamp_micros(text: &str) -> Option<i64> {
    if let Some(day) = date(text) {
        return Some(i64::from(day) * 86_400 * MICROS);
    }
    let (day, clock) = split_day(text)?;
    let clock = clock.strip_suffix('Z').unwrap_or(clock);
    Some(i64::from(day) * 86_400 * MICROS + time_micros(clock)?)
}

/// Microseconds since 1970-01-01T00:00:00Z of a timestamp with an offset.
pub(crate) fn instant_micros(text: &str) -> Option<i64> {
    let (day, clock) = split_day(text)?;
    let (clock, offset_minutes) = if let Some(clock) = clock.strip_suffix('Z') {
        (clock, 0)
    } else {
        let at = clock.rfind(['+', '-'])?;
        let (clock, offset) = (clock.get(..at)?, clock.get(at..)?);
        let [sign, h0, h1, b':', m0, m1] = *offset.as_bytes() else { return None };
        let (hours, minutes) = (digits(&[h0, h1])?, digits(&[m0, m1])?);
        if hours > 23 || minutes > 59 {
            return None;
        }
        let minutes = i64::from(hours) * 60 + i64::from(minutes);
        (clock, if sign == b'-' { -minutes } else { minutes })
    };
    let local = i64::from(day) * 86_400 * MICROS + time_micros(clock)?;
    Some(local - offset_minutes * 60 * MICROS)
}

/// The unscaled value of a decimal with this many digits in all and after the point.
///
/// Digits beyond `scale` must be zeros: nothing is rounded.
pub(crate) fn decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let scale = usize::try_from(scale).ok()?;
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (kept, beyond) = match fraction.get(scale..) {
        Some(beyond) => (fraction.get(..scale)?, beyond),
        None => (fraction, ""),
    };
    if !beyond.bytes().all(|byte| byte == b'0') {
        return None;
    }
    let zeros = scale.checked_sub(kept.len())?;
    let mut value: i128 = 0;
    for byte in whole.bytes().chain(kept.bytes()).chain(std::iter::repeat_n(b'0', zeros)) {
        let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0'))?;
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    let bound = 10_i128.checked_pow(u32::from(precision))?;
    (value < bound).then_some(if negative { -value } else { value })
}

/// The unscaled value of the decimal that a double stands for.
///
/// SQLite keeps `NUMERIC(10,2)` as a double: 0.99 is stored as the double nearest to
/// 0.99. The nearest decimal of the scale is taken where it is within 2⁻⁵⁰ of the stored
/// value, relatively (four units in the last place of a double); otherwise the double has
/// more digits than the type allows.
pub(crate) fn decimal_of_double(value: f64, precision: u8, scale: i8) -> Option<i128> {
    if !value.is_finite() {
        return None;
    }
    let places = usize::try_from(scale).ok()?;
    let text = format!("{value:.places$}");
    let rounded: f64 = text.parse().ok()?;
    let tolerance = value.abs() * 2_f64.powi(-50);
    ((rounded - value).abs() <= tolerance).then(|| decimal(&text, precision, scale)).flatten()
}

fn split_day(text: &str) -> Option<(i32, &str)> {
    let day = date(text.get(..10)?)?;
    let clock = text.get(10..)?.strip_prefix(['T', ' '])?;
    Some((day, clock))
}

fn fraction_micros(text: &str) -> Option<i64> {
    let (kept, beyond) = match text.get(6..) {
        Some(beyond) => (text.get(..6)?, beyond),
        None => (text, ""),
    };
    if text.is_empty() || text.len() > 9 || !beyond.bytes().all(|byte| byte == b'0') {
        return None;
    }
    let value = i64::from(digits(kept.as_bytes())?);
    let zeros = u32::try_from(6_usize.checked_sub(kept.len())?).ok()?;
    value.checked_mul(10_i64.checked_pow(zeros)?)
}

/// The number that at most nine ASCII digits stand for.
fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use arrow::compute::kernels::cast_utils::Parser;
    use arrow::datatypes::{Date32Type, TimestampMicrosecondType};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_and_times_are_strict() {
        assert_eq!(date("1970-01-02"), Some(1));
        assert_eq!(date("2024-02-30"), None);
        assert_eq!(date("2024-2-3"), None);
        assert_eq!(date("2024-02-03 10:00:00"), None);
        assert_eq!(date_or_midnight("1970-01-02 00:00:00"), Some(1));
        assert_eq!(date_or_midnight("1970-01-02 00:00:01"), None);
        assert_eq!(time_micros("23:59:59.000001"), Some(86_399_000_001));
        assert_eq!(time_micros("24:00:00"), None);
        assert_eq!(time_micros("10:00.5"), None);
        assert_eq!(timestamp_micros("1970-01-01T00:00:01Z"), Some(MICROS));
        assert_eq!(timestamp_micros("1970-01-01T00:00:01+01:00"), None);
        assert_eq!(timestamp_micros("1970-01-01 00:00:00.1234567"), None);
        assert_eq!(instant_micros("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(instant_micros("1970-01-01T01:00:00"), None);
    }

    #[test]
    fn floats_do_not_overflow() {
        assert_eq!(float::<f64>("-1.5e3"), Some(-1500.0));
        assert_eq!(float::<f64>("inf"), Some(f64::INFINITY));
        assert_eq!(float::<f64>("1e400"), None);
        assert_eq!(float::<f32>("1e40"), None);
        assert_eq!(float::<f64>("0x10"), None);
    }

    #[test]
    fn decimals_are_never_rounded() {
        assert_eq!(decimal("-1.2", 10, 2), Some(-120));
        assert_eq!(decimal("1.230", 10, 2), Some(123));
        assert_eq!(decimal("1.231", 10, 2), None);
        assert_eq!(decimal("12345678.9", 8, 2), None);
        assert_eq!(decimal(".5", 4, 1), Some(5));
        assert_eq!(decimal("1e3", 10, 2), None);
        assert_eq!(decimal("", 10, 2), None);
        assert_eq!(decimal("-", 10, 2), None);
        assert_eq!(decimal_of_double(0.99, 10, 2), Some(99));
        assert_eq!(decimal_of_double(0.1 + 0.2, 10, 2), Some(30));
        assert_eq!(decimal_of_double(0.995, 10, 2), None);
        assert_eq!(decimal_of_double(f64::NAN, 10, 2), None);
    }

    proptest! {
        #[test]
        fn what_is_read_agrees_with_arrow(text in "(1[789]|2[01])[0-9]{2}-[01][0-9]-[0-3][0-9]", clock in "[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?") {
            prop_assert_eq!(date(&text), Date32Type::parse(&text));
            let stamp = format!("{text} {clock}");
            prop_assert_eq!(timestamp_micros(&stamp), TimestampMicrosecondType::parse(&stamp));
        }

        #[test]
        fn decimals_survive_a_round_trip(value in -99_999_999_i64..=99_999_999) {
            let text = format!("{}{}.{:02}", if value < 0 { "-" } else { "" }, value.abs() / 100, value.abs() % 100);
            prop_assert_eq!(decimal(&text, 8, 2), Some(i128::from(value)));
            let double: f64 = text.parse().expect("a number");
            prop_assert_eq!(decimal_of_double(double, 8, 2), Some(i128::from(value)));
        }

        #[test]
        fn no_text_makes_a_parser_panic(text in "\\PC{0,24}") {
            let _ = (boolean(&text), date_or_midnight(&text), time_micros(&text));
            let _ = (timestamp_micros(&text), instant_micros(&text), decimal(&text, 38, 10));
        }
    }
}
