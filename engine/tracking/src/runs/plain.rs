//! Text on one line, without characters that steer whatever shows it.

/// Text without characters that break a line or turn its direction.
pub(super) fn one_line(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        character if character.is_control() => '\u{fffd}',
        character => character,
    };
    text.chars().map(shown).collect()
}

/// The same, cut after so many characters, the last of them an ellipsis.
pub(super) fn cut(text: &str, characters: usize) -> String {
    let line = one_line(text);
    if line.chars().count() <= characters {
        return line;
    }
    let kept = line.chars().take(characters.saturating_sub(1));
    kept.chain(std::iter::once('…')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_the_line_or_turns_it() {
        assert_eq!(one_line("a\r\nb\u{1b}[31m\u{202e}c"), "a  b\u{fffd}[31m\u{fffd}c");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("customers", 9), "customers");
        assert_eq!(cut("customers", 5), "cust…");
        assert_eq!(cut("äöü", 2), "ä…");
        assert_eq!(cut("ab", 0), "…");
    }
}
