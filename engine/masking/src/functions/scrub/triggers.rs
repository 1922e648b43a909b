//! Where in a text something could be found: a pass over whole words of memory, before anything
//! else looks at it.
//!
//! ```text
//!  0-9  :   numbers, dates, addresses of machines, schemes of the web
//!  @        e-mail addresses
//!  ww       `www.`
//! ```

/// Bytes looked at together.
const WORD: usize = 8;

/// The first byte at or after `from` that could belong to something; none in the rest of the text.
/// Of two `w` the second is the place.
#[inline]
pub(super) fn next(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let (words, tail) = rest.as_chunks::<WORD>();
    for (number, word) in words.iter().enumerate() {
        let found = places(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(from + number * WORD + first(found));
        }
    }
    // The tail overlaps the last word, or is filled up with zeros, which are nothing.
    let mut last = [0; WORD];
    for (byte, of_tail) in last.iter_mut().zip(tail) {
        *byte = *of_tail;
    }
    let found = places(u64::from_le_bytes(last));
    (found != 0).then(|| from + words.len() * WORD + first(found))
}

fn first(found: u64) -> usize {
    found.trailing_zeros() as usize / WORD
}

/// The high bit of each byte that could belong to something. Bytes never carry into one another.
#[inline]
fn places(word: u64) -> u64 {
    const fn all(byte: u8) -> u64 {
        u64::from_le_bytes([byte; WORD])
    }
    const HIGH: u64 = all(0x80);
    const LOW: u64 = all(0x7f);
    /// The high bit of each byte that is not below `bound`.
    const fn from(word: u64, bound: u8) -> u64 {
        ((word & LOW) + all(0x80 - bound)) | word
    }
    // Digits and the colon after them are 0x30 to 0x3a.
    let numbers = from(word ^ all(b'0'), 0x0b);
    let at = from(word ^ all(b'@'), 1);
    let w = !from((word | all(0x20)) ^ all(b'w'), 1) & HIGH;
    (!(numbers & at) & HIGH) | (w & (w << 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(place) = next(text, from) {
            found.push(place);
            from = place + 1;
        }
        found
    }

    #[test]
    fn every_byte_at_every_place() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_digit() || matches!(byte, b':' | b'@');
            for before in [0, b'a', 0x80, 0xff, b' ', b'/'] {
                for place in 0..20 {
                    let mut text = vec![before; 23];
                    text[place] = byte;
                    let places = if expected { vec![place] } else { vec![] };
                    assert_eq!(all(&text), places, "{byte:#x} after {before:#x} at {place}");
                }
            }
        }
    }

    #[test]
    fn three_w_wherever_they_stand() {
        for before in 0..20 {
            let text = format!("{}wWw.example.com now.", "x".repeat(before));
            let found = all(text.as_bytes());
            assert!(!found.is_empty() && found.iter().all(|place| place - before < 3), "{found:?}");
        }
        assert!(all(b"A brown cow was here; www").iter().all(|place| *place > 21));
        assert_eq!(next(b"1", 5), None);
    }
}
