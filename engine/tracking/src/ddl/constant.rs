//! Defaults and literals that mean the same in PostgreSQL as where they come from.

use super::mapping::Family;
use super::names::literal;
use super::tokens::{Token, tokens};

/// Whether an enum, by its name in the source, has a label.
pub(super) type HasLabel<'a> = &'a dyn Fn(&str, &str) -> bool;

/// A default as PostgreSQL writes it; nothing where it is not surely the same.
pub(super) fn default(words: &str, family: &Family, has_label: HasLabel<'_>) -> Option<String> {
    let tokens = tokens(words)?;
    let tokens = without_cast(without_brackets(&tokens));
    match tokens {
        [Token::Word(word, _)] => match (word.as_str(), family) {
            ("null", _) => Some("NULL".to_owned()),
            ("current_date", Family::Date) => Some("CURRENT_DATE".to_owned()),
            _ if is_now(word) => now(family),
            _ => constant(tokens, family, has_label),
        },
        [Token::Word(word, _), Token::Symbol("("), Token::Symbol(")")] => match word.as_str() {
            "gen_random_uuid" | "uuid_generate_v4" if *family == Family::Uuid => {
                Some("gen_random_uuid()".to_owned())
            }
            _ if is_now(word) => now(family),
            _ => None,
        },
        _ => constant(tokens, family, has_label),
    }
}

fn is_now(word: &str) -> bool {
    ["current_timestamp", "localtimestamp", "now"].contains(&word)
}

fn now(family: &Family) -> Option<String> {
    let is_time = match family {
        Family::Timestamp => true,
        Family::Opaque(name) => name == "timestamp with time zone",
        _ => false,
    };
    is_time.then(|| "CURRENT_TIMESTAMP".to_owned())
}

/// A literal as PostgreSQL writes it for a column of this family.
pub(super) fn constant(
    tokens: &[Token],
    family: &Family,
    has_label: HasLabel<'_>,
) -> Option<String> {
    match tokens {
        [Token::Number(digits)] => number("", digits, family),
        [Token::Symbol("-"), Token::Number(digits)] => number("-", digits, family),
        [Token::Text(text)] => textual(text, family, has_label),
        [Token::Word(word, _)] if *family == Family::Boolean => match word.as_str() {
            "true" | "false" => Some(word.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn number(sign: &str, digits: &str, family: &Family) -> Option<String> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let fits = match family {
        Family::Boolean => {
            let truth =
                [("0", "false"), ("1", "true")].into_iter().find(|(digit, _)| *digit == digits);
            return truth.filter(|_| sign.is_empty()).map(|(_, word)| word.to_owned());
        }
        Family::Integer(bits) => {
            let largest = (1_i128 << (bits - 1)) - 1;
            fraction.is_empty() && format!("0{whole}").parse::<i128>().is_ok_and(|n| n <= largest)
        }
        Family::Numeric(bounds) => bounds.is_none_or(|(before, after)| {
            let digits = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
            digits(whole) <= before && digits(fraction) <= after
        }),
        Family::Float(_) => whole.len() <= 15,
        _ => false,
    };
    fits.then(|| format!("{sign}{digits}"))
}

fn textual(text: &str, family: &Family, has_label: HasLabel<'_>) -> Option<String> {
    let length = u64::try_from(text.chars().count()).ok()?;
    let fits = match family {
        Family::Text(longest) => longest.is_none_or(|longest| length <= longest),
        Family::Char(longest) => length <= *longest,
        Family::Enum(name) => has_label(name, text),
        Family::Uuid => is_uuid(text),
        Family::Date => is_date(text),
        Family::Timestamp => {
            text.split_once(' ').is_some_and(|(day, time)| is_date(day) && is_time(time))
        }
        Family::Boolean | Family::Integer(_) | Family::Numeric(_) | Family::Float(_) => {
            return quoted_number(text, family);
        }
        Family::Opaque(_) => false,
    };
    fits.then(|| literal(text))
}

/// Some databases quote numbers in their catalogs.
fn quoted_number(text: &str, family: &Family) -> Option<String> {
    match tokens(text)?.as_slice() {
        [Token::Number(digits)] => number("", digits, family),
        [Token::Symbol("-"), Token::Number(digits)] => number("-", digits, family),
        _ => None,
    }
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// `2026-11-23`; the 29th of February in no year.
fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let last = match *month {
        "02" => 28,
        "04" | "06" | "09" | "11" => 30,
        _ => 31,
    };
    within(year, 4, 1, 9999) && within(month, 2, 1, 12) && within(day, 2, 1, last)
}

fn is_time(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    let [hour, minute, second] = parts.as_slice() else { return false };
    within(hour, 2, 0, 23) && within(minute, 2, 0, 59) && within(second, 2, 0, 59)
}

fn within(text: &str, digits: usize, least: u32, most: u32) -> bool {
    let is_plain = text.len() == digits && text.chars().all(|c| c.is_ascii_digit());
    is_plain && text.parse::<u32>().is_ok_and(|number| (least..=most).contains(&number))
}

/// Without the brackets that hold the whole.
fn without_brackets(mut tokens: &[Token]) -> &[Token] {
    while let [Token::Symbol("("), inner @ .., Token::Symbol(")")] = tokens {
        if inner.contains(&Token::Symbol("(")) && !matches!(inner, [Token::Symbol("("), ..]) {
            break;
        }
        tokens = inner;
    }
    tokens
}

/// Without a PostgreSQL cast at the end, which says the column's own type.
fn without_cast(tokens: &[Token]) -> &[Token] {
    let cast = tokens.iter().position(|token| *token == Token::Symbol("::"));
    let Some((value, rest)) = cast.and_then(|at| tokens.split_at_checked(at)) else {
        return tokens;
    };
    let is_plain = |token: &Token| matches!(token, Token::Word(..) | Token::Name(_));
    if rest.iter().skip(1).all(is_plain) { without_brackets(value) } else { tokens }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str, family: &Family) -> Option<String> {
        default(words, family, &|_, label| label == "happy")
    }

    #[test]
    fn plain_literals_of_a_fitting_type_are_kept() {
        let cases = [
            ("((0))", Family::Integer(32), "0"),
            ("-7", Family::Integer(16), "-7"),
            ("'0'", Family::Numeric(None), "0"),
            ("1", Family::Boolean, "true"),
            ("'it''s'::text", Family::Text(None), "'it''s'"),
            ("'a'::character varying", Family::Text(Some(1)), "'a'"),
            ("'happy'", Family::Enum("mood".into()), "'happy'"),
            ("'2024-12-31'", Family::Date, "'2024-12-31'"),
            ("current_timestamp", Family::Timestamp, "CURRENT_TIMESTAMP"),
            ("now()", Family::Opaque("timestamp with time zone".into()), "CURRENT_TIMESTAMP"),
            ("NULL", Family::Uuid, "NULL"),
        ];
        for (words, family, expected) in cases {
            assert_eq!(read(words, &family).as_deref(), Some(expected), "{words}");
        }
    }

    #[test]
    fn what_is_not_surely_the_same_is_not_translated() {
        let cases = [
            ("99999", Family::Integer(16)),
            ("12.345", Family::Numeric(Some((2, 2)))),
            ("'abc'", Family::Text(Some(2))),
            ("'abc'", Family::Integer(32)),
            ("'sad'", Family::Enum("mood".into())),
            ("'2023-02-30'", Family::Date),
            ("CURRENT_TIMESTAMP", Family::Text(None)),
            ("random()", Family::Integer(64)),
            ("nextval('a'::regclass)", Family::Integer(64)),
            ("1; drop table a", Family::Integer(32)),
            ("datetime('now')", Family::Timestamp),
            ("(1) + (2)", Family::Integer(32)),
        ];
        for (words, family) in cases {
            assert_eq!(read(words, &family), None, "{words}");
        }
    }
}
