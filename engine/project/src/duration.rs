//! Lengths of time as text: `90s`, `30m`, `48h`, `7d`, `2w`.

/// The longest, a thousand years: whoever reckons with it stays far from every overflow.
const SECONDS_MAX: u64 = 366_000 * 24 * 60 * 60;

/// Text that is no length of time; its words say what would be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    /// No whole number with a unit.
    #[error("a whole number and a unit, such as 90s, 30m, 48h, 7d or 2w")]
    Form,
    /// No time at all.
    #[error("more than nothing, such as 90s, 30m, 48h, 7d or 2w")]
    Zero,
    /// More than [`SECONDS_MAX`].
    #[error("at most 366000d")]
    TooLong,
}

/// The seconds of a length of time, at least 1 and at most [`SECONDS_MAX`].
///
/// # Errors
/// What else it should be, in words.
pub(crate) fn seconds(text: &str) -> Result<u64, DurationError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or(DurationError::Form)?;
    let factor: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return Err(DurationError::Form),
    };
    if number.is_empty() {
        return Err(DurationError::Form);
    }
    // Digits that do not parse are too many.
    let number: u64 = number.parse().map_err(|_| DurationError::TooLong)?;
    match number.checked_mul(factor) {
        Some(0) => Err(DurationError::Zero),
        Some(seconds) if seconds <= SECONDS_MAX => Ok(seconds),
        _ => Err(DurationError::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, expected) in [
            ("90s", 90),
            ("30m", 1_800),
            ("48h", 172_800),
            ("7d", 604_800),
            ("2w", 1_209_600),
            ("007s", 7),
            ("366000d", SECONDS_MAX),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_say_what_would_be_a_duration() {
        for text in
            ["", "h", "48", "48H", "48 h", " 48h", "1.5h", "-1h", "+1h", "1h30m", "1é", "٤h", "1mo"]
        {
            assert_eq!(seconds(text), Err(DurationError::Form), "{text}");
        }
        assert_eq!(seconds("0s"), Err(DurationError::Zero));
        assert_eq!(seconds("000w"), Err(DurationError::Zero));
        for text in ["366001d", "31622400001s", "18446744073709551615w", "18446744073709551616s"] {
            assert_eq!(seconds(text), Err(DurationError::TooLong), "{text}");
        }
    }
}
