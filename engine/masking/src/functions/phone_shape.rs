//! What a written phone number looks like, and other digits in that shape.
//!
//! ```text
//!  +49 (0)30 901820      kept: formatting, country code, trunk 0
//!  +49 (0)52 117386      keyed: every other digit, the first of them 2 to 9
//! ```

use crate::key::Draw;

/// Digits that must be replaced before a country code or trunk prefix may stay.
pub(super) const HIDDEN_MIN: usize = 4;

/// Digits of a value that is no number.
const LENGTH_OF_OTHERS: usize = 10;

/// Digits drawn from one 64-bit word: the last of twelve is biased by 10^12 / 2^64.
const DIGITS_PER_WORD: u32 = 12;

/// Whether a character may stand in a written phone number besides digits: spaces, the usual
/// separators, a plus, and marks of pauses and extensions.
fn is_formatting(character: char) -> bool {
    matches!(
        character,
        '+' | ' '
            | '\u{a0}'
            | '\u{202f}'
            | '-'
            | '\u{2011}'
            | '.'
            | '('
            | ')'
            | '/'
            | '#'
            | '*'
            | ','
            | ';'
            | 'x'
    )
}

/// Where the parts of a written number end.
#[derive(Debug, PartialEq)]
pub(super) struct Shape {
    /// Digits and formatting only, and at least one digit.
    pub(super) is_number: bool,
    /// All digits.
    digits: usize,
    /// Digits of the international prefix `00`: 2 or 0.
    pub(super) exit: usize,
    /// Digits of the country code; 0 in a national number.
    pub(super) country: usize,
}

impl Shape {
    /// Writes a number of this shape with other digits.
    pub(super) fn write(&self, value: &str, keep_country: bool, draw: Draw<'_>, out: &mut Vec<u8>) {
        let mut replaced = Digits { draw, pool: 0, left: 0 };
        let start = out.len();
        if !self.is_number {
            replaced.first(out);
            (1..LENGTH_OF_OTHERS).for_each(|_| replaced.next(out));
        } else {
            self.replace(value, keep_country, &mut replaced, out);
        }
        if out.get(start..) == Some(value.as_bytes())
            && let Some(last) = out.iter_mut().skip(start).rfind(|byte| byte.is_ascii_digit())
        {
            *last = if *last == b'9' { b'0' } else { *last + 1 };
        }
    }

    fn replace(
        &self,
        value: &str,
        keep_country: bool,
        replaced: &mut Digits<'_>,
        out: &mut Vec<u8>,
    ) {
        let hidden = |kept: usize| self.digits.saturating_sub(kept) >= HIDDEN_MIN;
        let country = self.exit + self.country;
        let country = if keep_country && hidden(country) { country } else { 0 };
        let mut seen = 0_usize;
        let mut first = true;
        for character in value.chars() {
            if character.is_numeric() {
                let trunk = seen == self.exit + self.country && character == '0';
                let kept = seen < country || (trunk && hidden(seen + 1));
                if let Ok(digit @ b'0'..=b'9') = u8::try_from(character)
                    && kept
                {
                    out.push(digit);
                } else if first {
                    replaced.first(out);
                    first = false;
                } else {
                    replaced.next(out);
                }
                seen += 1;
            } else {
                let mut bytes = [0_u8; 4];
                out.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
            }
        }
    }

    /// Reads the shape, and what is keyed into `keyed`: the digits, after a plus if the number
    /// is international; the whole text if it is no number.
    pub(super) fn read(value: &str, keyed: &mut Vec<u8>) -> Self {
        keyed.clear();
        let mut bytes = [0_u8; 4];
        let (mut digits, mut others) = (0, 0);
        for character in value.chars() {
            if character.is_numeric() {
                keyed.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
                digits += 1;
            } else if !is_formatting(character) {
                others += 1;
            }
        }
        if digits == 0 || others > 0 {
            keyed.clear();
            keyed.extend_from_slice(value.as_bytes());
            return Self { is_number: false, digits, exit: 0, country: 0 };
        }
        let plus = value.trim_start_matches([' ', '(']).starts_with('+');
        let exit = if !plus && keyed.starts_with(b"00") { 2 } else { 0 };
        if !plus && exit == 0 {
            return Self { is_number: true, digits, exit, country: 0 };
        }
        keyed.drain(..exit);
        let country = country_length(keyed);
        keyed.insert(0, b'+');
        Self { is_number: true, digits, exit, country }
    }
}

/// Digits of the country code at the start: ITU-T E.164, annex "List of assigned country codes".
/// Zones 1 and 7 have one digit; the codes below two; all others three.
fn country_length(digits: &[u8]) -> usize {
    const TWO: &[&[u8; 2]] = &[
        b"20", b"27", b"30", b"31", b"32", b"33", b"34", b"36", b"39", b"40", b"41", b"43", b"44",
        b"45", b"46", b"47", b"48", b"49", b"51", b"52", b"53", b"54", b"55", b"56", b"57", b"58",
        b"60", b"61", b"62", b"63", b"64", b"65", b"66", b"81", b"82", b"84", b"86", b"90", b"91",
        b"92", b"93", b"94", b"95", b"98",
    ];
    match digits {
        [b'1' | b'7', ..] => 1,
        [first, second, ..] if TWO.contains(&&[*first, *second]) => 2,
        _ => 3,
    }
}

/// Decimal digits of a keyed stream.
struct Digits<'a> {
    draw: Draw<'a>,
    pool: u64,
    left: u32,
}

impl Digits<'_> {
    /// 2 to 9: no trunk prefix, and a valid first digit in most numbering plans.
    fn first(&mut self, out: &mut Vec<u8>) {
        out.push(b'2' + (self.draw.below(8) as u8));
    }

    /// 0 to 9: the next digits of the word, read as a binary fraction.
    fn next(&mut self, out: &mut Vec<u8>) {
        if self.left == 0 {
            self.pool = self.draw.next_u64();
            self.left = DIGITS_PER_WORD;
        }
        let wide = u128::from(self.pool) * 10;
        self.pool = wide as u64;
        self.left -= 1;
        out.push(b'0' + ((wide >> 64) as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let shape = |value| {
            let mut keyed = Vec::new();
            let shape = Shape::read(value, &mut keyed);
            (shape, String::from_utf8(keyed).unwrap())
        };
        let expected = |digits, exit, country| Shape { is_number: true, digits, exit, country };
        assert_eq!(shape("+1 415 555-0132"), (expected(11, 0, 1), "+14155550132".into()));
        assert_eq!(shape("0049 30"), (expected(6, 2, 2), "+4930".into()));
        assert_eq!(shape("+353 1 2"), (expected(5, 0, 3), "+35312".into()));
        assert_eq!(shape("030 1"), (expected(4, 0, 0), "0301".into()));
        assert_eq!(shape("(+49) 1x2"), (expected(4, 0, 2), "+4912".into()));
        for text in ["none", "10117 Berlin", "", "+"] {
            let (shape, keyed) = shape(text);
            assert!(!shape.is_number && keyed == text, "{text}");
        }
    }
}
