//! The words of an expression out of a catalog, as far as every database writes them alike.

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Without quotes, in small letters; and as it is written.
    Word(String, String),
    /// A name in quotes.
    Name(String),
    /// Digits, with a point and an exponent perhaps.
    Number(String),
    /// A text in single quotes.
    Text(String),
    /// An operator, a comma or a bracket.
    Symbol(&'static str),
}

/// Longer ones first.
const SYMBOLS: &[&str] =
    &["::", "<=", ">=", "<>", "!=", "==", "=", "<", ">", "(", ")", ",", "+", "-", "*", "[", "]"];

/// The words; nothing where there is something that databases do not agree on, such as a backslash in
/// a text or a comment.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("--") {
            return None;
        }
        let (token, after) = match first {
            '\'' => quoted(rest, '\'').map(|(text, after)| (Token::Text(text), after))?,
            '"' | '`' => quoted(rest, first).map(|(name, after)| (Token::Name(name), after))?,
            '0'..='9' => number(rest)?,
            _ if first.is_alphabetic() || first == '_' => word(rest),
            _ => {
                let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol))?;
                (Token::Symbol(symbol), rest.get(symbol.len()..)?)
            }
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut inner = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' | '\0' => return None,
            _ if character != quote => inner.push(character),
            _ if characters.next_if(|(_, next)| *next == quote).is_some() => inner.push(quote),
            _ => return Some((inner, text.get(at + quote.len_utf8()..)?)),
        }
    }
    None
}

fn number(text: &str) -> Option<(Token, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    let (digits, rest) = text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()));
    let plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let points = digits.matches('.').count();
    let is_number = plain && points <= 1 && !digits.ends_with('.') && digits.len() <= 40;
    is_number.then(|| (Token::Number(digits.to_owned()), rest))
}

fn word(text: &str) -> (Token, &str) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let (word, rest) = text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()));
    (Token::Word(word.to_lowercase(), word.to_owned()), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_databases_agree_on_is_read() {
        let read = tokens("\"a b\">=1.5 AND x<>'it''s'").unwrap();
        let expected = [
            Token::Name("a b".into()),
            Token::Symbol(">="),
            Token::Number("1.5".into()),
            Token::Word("and".into(), "AND".into()),
            Token::Word("x".into(), "x".into()),
            Token::Symbol("<>"),
            Token::Text("it's".into()),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn what_they_do_not_is_refused() {
        for text in
            ["'a\\'b'", "'open", "1 -- x", "a /* x */", "a; b", "0x1f", "1e5", "a || b", "$1"]
        {
            assert_eq!(tokens(text), None, "{text}");
        }
    }
}
