//! Alphabets: characters as numerals, for functions that work on the numbers a text spells.

use schemars::JsonSchema;
use serde::Deserialize;

/// Marks a character that is passed through in the table of ASCII.
const PASSED: u32 = u32::MAX - 1;

/// Marks a character that does not belong.
const FOREIGN: u32 = u32::MAX;

/// Most characters of an alphabet: NIST SP 800-38G, section 5.1, the greatest radix.
pub(crate) const RADIX_MAX: usize = 65_536;

/// An alphabet by name.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Named {
    /// `0`–`9`.
    #[default]
    Digits,
    /// `a`–`z`.
    Lower,
    /// `A`–`Z`.
    Upper,
    /// `a`–`z`, `A`–`Z`.
    Letters,
    /// `0`–`9`, `a`–`z`.
    LowerAlphanumeric,
    /// `0`–`9`, `A`–`Z`.
    UpperAlphanumeric,
    /// `0`–`9`, `a`–`z`, `A`–`Z`.
    Alphanumeric,
    /// `0`–`9`, `a`–`f`.
    Hex,
    /// `0`–`9`, `A`–`F`.
    UpperHex,
}

impl Named {
    /// The characters, in the order of their numerals.
    pub(crate) fn characters(self) -> String {
        let ranges: &[(char, char)] = match self {
            Self::Digits => &[('0', '9')],
            Self::Lower => &[('a', 'z')],
            Self::Upper => &[('A', 'Z')],
            Self::Letters => &[('a', 'z'), ('A', 'Z')],
            Self::LowerAlphanumeric => &[('0', '9'), ('a', 'z')],
            Self::UpperAlphanumeric => &[('0', '9'), ('A', 'Z')],
            Self::Alphanumeric => &[('0', '9'), ('a', 'z'), ('A', 'Z')],
            Self::Hex => &[('0', '9'), ('a', 'f')],
            Self::UpperHex => &[('0', '9'), ('A', 'F')],
        };
        ranges.iter().flat_map(|(first, last)| *first..=*last).collect()
    }
}

/// What a character is to an alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// One of its characters, by number.
    Numeral(u16),
    /// A character that stays where it is and does not count.
    Passed,
    /// Any other.
    Foreign,
}

/// Characters by numeral and numerals by character.
#[derive(Debug, Clone)]
pub(crate) struct Alphabet {
    characters: Vec<char>,
    ascii: [u32; 128],
    /// What is not ASCII, sorted.
    others: Vec<(char, u32)>,
}

impl Alphabet {
    /// The alphabet of these characters, and those passed through. None if a character is there twice, or
    /// there are fewer than 2 or more than [`RADIX_MAX`].
    pub(crate) fn new(characters: &str, passed: &str) -> Option<Self> {
        let characters: Vec<char> = characters.chars().collect();
        if !(2..=RADIX_MAX).contains(&characters.len()) {
            return None;
        }
        let mut alphabet = Self { characters, ascii: [FOREIGN; 128], others: Vec::new() };
        let numerals = alphabet.characters.iter().copied().zip(0_u32..);
        let all: Vec<(char, u32)> =
            numerals.chain(passed.chars().map(|character| (character, PASSED))).collect();
        for (character, code) in all {
            match alphabet.ascii.get_mut(character as usize) {
                Some(slot) if *slot == FOREIGN => *slot = code,
                Some(_) => return None,
                None => alphabet.others.push((character, code)),
            }
        }
        alphabet.others.sort_unstable();
        let twice = |pair: &[(char, u32)]| matches!(pair, [left, right] if left.0 == right.0);
        (!alphabet.others.windows(2).any(twice)).then_some(alphabet)
    }

    /// The number of characters.
    pub(crate) fn radix(&self) -> u32 {
        // At most 65536.
        self.characters.len() as u32
    }

    #[inline]
    pub(crate) fn place(&self, character: char) -> Place {
        let code = match self.ascii.get(character as usize) {
            Some(code) => *code,
            None => match self.others.binary_search_by_key(&character, |other| other.0) {
                Ok(found) => self.others.get(found).map_or(FOREIGN, |other| other.1),
                Err(_) => FOREIGN,
            },
        };
        match code {
            FOREIGN => Place::Foreign,
            PASSED => Place::Passed,
            numeral => Place::Numeral(numeral as u16),
        }
    }

    /// Appends the character of a numeral.
    #[inline]
    pub(crate) fn write(&self, numeral: u16, out: &mut Vec<u8>) {
        match self.characters.get(usize::from(numeral)) {
            Some(character) if character.is_ascii() => out.push(*character as u8),
            Some(character) => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_has_its_numeral() {
        let alphabet = Alphabet::new("01aé東", "- €").unwrap();
        assert_eq!(alphabet.radix(), 5);
        let mut out = Vec::new();
        for (numeral, character) in (0..).zip("01aé東".chars()) {
            assert_eq!(alphabet.place(character), Place::Numeral(numeral));
            alphabet.write(numeral, &mut out);
        }
        assert_eq!(out, "01aé東".as_bytes());
        assert!("- €".chars().all(|character| alphabet.place(character) == Place::Passed));
        assert!("2bèÉ京".chars().all(|character| alphabet.place(character) == Place::Foreign));
    }

    #[test]
    fn a_character_has_one_place() {
        for (characters, passed) in
            [("", ""), ("a", ""), ("aba", ""), ("ab", "a"), ("éaé", ""), ("aé", "é")]
        {
            assert!(Alphabet::new(characters, passed).is_none(), "{characters} {passed}");
        }
    }

    #[test]
    fn names_say_what_they_hold() {
        assert_eq!(Named::Hex.characters(), "0123456789abcdef");
        assert_eq!(Named::Alphanumeric.characters().len(), 62);
        assert_eq!(Named::Letters.characters().len(), 52);
    }
}
