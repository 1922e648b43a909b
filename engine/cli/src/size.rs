//! Amounts of memory on the command line: `512MiB`, `2GiB`, `1.5GB`, or bytes.

/// Units and their bytes: powers of 1024 and of 1000 (IEC 80000-13).
const UNITS: &[(&str, u64)] = &[
    ("KIB", 1 << 10),
    ("MIB", 1 << 20),
    ("GIB", 1 << 30),
    ("TIB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
    ("", 1),
];

/// Bytes of a text such as `2GiB`. One digit after the point is enough for anybody, and keeps it exact.
///
/// # Errors
/// A sentence that says what is expected.
pub(crate) fn parse(text: &str) -> Result<usize, String> {
    let refused = || String::from("expected an amount such as 512MiB or 2GiB");
    let upper = text.trim().to_ascii_uppercase();
    let split = upper.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(upper.len());
    let (number, unit) = upper.split_at_checked(split).ok_or_else(refused)?;
    let unit = unit.trim();
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(refused)?;
    let tenths = match number.split_once('.') {
        Some((whole, tenth)) if tenth.len() == 1 => format!("{whole}{tenth}"),
        Some(_) => return Err(refused()),
        None => format!("{number}0"),
    };
    let tenths: u64 = tenths.parse().map_err(|_| refused())?;
    let bytes = tenths.checked_mul(*factor).map(|bytes| bytes / 10).ok_or_else(refused)?;
    if bytes == 0 || number.is_empty() {
        return Err(refused());
    }
    usize::try_from(bytes).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, bytes) in [
            ("1", 1),
            ("512 MiB", 536_870_912),
            ("2GiB", 2_147_483_648),
            ("1.5gb", 1_500_000_000),
            ("64KB", 64_000),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "0", "lots", "GiB", "-1", "1.25GiB", "1..5GB", "99999999999TiB", "1e9", "２GiB"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
