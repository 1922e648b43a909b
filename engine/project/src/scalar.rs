//! What a plain YAML scalar means: the core schema of YAML 1.2.2, section 10.3.2.
//!
//! `yes`, `no`, `on`, `off` and dates are text, as that schema has it.

use crate::node::Value;

/// A number that no value of the tree can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfRange;

/// Resolves a plain scalar.
///
/// # Errors
/// [`OutOfRange`] for whole numbers beyond 64 bits and for numbers that are not finite.
pub(crate) fn resolve(text: &str) -> Result<Value, OutOfRange> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if let Some(value) = radix(text, "0x", 16).or_else(|| radix(text, "0o", 8)) {
        return value;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(Value::Int).map_err(|_| OutOfRange);
    }
    if is_float(unsigned) {
        let value: f64 = text.parse().map_err(|_| OutOfRange)?;
        return if value.is_finite() { Ok(Value::Float(value)) } else { Err(OutOfRange) };
    }
    Ok(Value::Str(text.to_owned()))
}

fn radix(text: &str, prefix: &str, radix: u32) -> Option<Result<Value, OutOfRange>> {
    let digits = text.strip_prefix(prefix)?;
    let valid = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    valid.then(|| i64::from_str_radix(digits, radix).map(Value::Int).map_err(|_| OutOfRange))
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_holds = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent_holds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_mean_what_the_core_schema_says() {
        for (text, value) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("true", Value::Bool(true)),
            ("FALSE", Value::Bool(false)),
            ("-12", Value::Int(-12)),
            ("+7", Value::Int(7)),
            ("007", Value::Int(7)),
            ("0xFF", Value::Int(255)),
            ("0o17", Value::Int(15)),
            ("1.5", Value::Float(1.5)),
            (".5", Value::Float(0.5)),
            ("1e3", Value::Float(1000.0)),
            ("-1.", Value::Float(-1.0)),
        ] {
            assert_eq!(resolve(text), Ok(value), "{text}");
        }
        for text in [
            "yes",
            "no",
            "on",
            "2027-06-30",
            "1_000",
            "0x",
            "e3",
            ".",
            "-",
            "1e",
            "12ab",
            "tRUE",
            "-0x1",
        ] {
            assert_eq!(resolve(text), Ok(Value::Str(text.to_owned())), "{text}");
        }
        for text in ["9223372036854775808", "1e999", "0xFFFFFFFFFFFFFFFF"] {
            assert_eq!(resolve(text), Err(OutOfRange), "{text}");
        }
    }
}
