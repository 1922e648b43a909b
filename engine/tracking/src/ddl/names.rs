//! Names and texts as PostgreSQL may be given them.
//!
//! Whatever a catalog calls its things, nothing of it leaves its quotes or its comment line, and no two
//! things end up under one name: PostgreSQL cuts names after 63 bytes without a word.

use std::collections::BTreeSet;

/// The longest name, in bytes: `NAMEDATALEN - 1` as PostgreSQL is built everywhere.
const NAME_BYTES_MAX: usize = 63;

/// Names in use in one place: relations and types of a schema, columns or constraints of a table.
#[derive(Default)]
pub(super) struct Scope {
    taken: BTreeSet<String>,
}

impl Scope {
    /// A scope in which these names may not be used.
    pub(super) fn without(reserved: &[&str]) -> Self {
        Self { taken: reserved.iter().map(|name| (*name).to_owned()).collect() }
    }

    /// Takes a name for something: the wanted one, or one like it that is free and may be used.
    pub(super) fn claim(&mut self, wanted: &str) -> String {
        let clean = cleaned(wanted);
        let mut name = shortened(&clean, wanted, "");
        let mut number = 2_u64;
        while self.taken.contains(&name) {
            name = shortened(&clean, wanted, &format!("_{number}"));
            number += 1;
        }
        self.taken.insert(name.clone());
        name
    }
}

fn cleaned(name: &str) -> String {
    let name: String = name.chars().map(|c| if breaks_lines(c) { '_' } else { c }).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

/// The name with its suffix; cut, with a digest of the whole in the cut part's place, if it is too long.
fn shortened(clean: &str, whole: &str, suffix: &str) -> String {
    if clean.len() + suffix.len() <= NAME_BYTES_MAX {
        return format!("{clean}{suffix}");
    }
    let suffix = format!("_{:08x}{suffix}", fnv(whole.as_bytes()));
    let mut end = NAME_BYTES_MAX.saturating_sub(suffix.len()).min(clean.len());
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", clean.split_at(end).0)
}

/// FNV-1a, 32 bits (draft-eastlake-fnv): names need to differ, not to be safe from anybody.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// A name in quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names in quotes, separated by commas.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| quoted(name)).collect();
    names.join(", ")
}

/// A text as a literal on one line, whatever `standard_conforming_strings` says.
pub(super) fn literal(text: &str) -> String {
    let mut inner = String::with_capacity(text.len());
    let mut escaped = false;
    for character in text.chars() {
        match character {
            '\'' => inner.push_str("''"),
            '\\' => inner.push_str("\\\\"),
            '\n' => inner.push_str("\\n"),
            '\0' => inner.push('\u{fffd}'),
            other if breaks_lines(other) => {
                inner.push_str(&format!("\\u{:04x}", u32::from(other)));
            }
            other => inner.push(other),
        }
        escaped |= character == '\\' || (character != '\0' && breaks_lines(character));
    }
    format!("{}'{inner}'", if escaped { "E" } else { "" })
}

/// A comment that ends with its line, whatever is in it.
pub(super) fn note(text: &str) -> String {
    let text: String = text.chars().map(|c| if breaks_lines(c) { '\u{fffd}' } else { c }).collect();
    format!("-- {text}")
}

/// Characters that end a line for some reader, or turn the direction of what follows.
fn breaks_lines(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}')
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_apart_when_they_are_cut() {
        let mut scope = Scope::default();
        let long = "ä".repeat(40);
        let names = [format!("{long}a"), format!("{long}b"), format!("{long}a"), "x\0y".into()];
        let claimed: Vec<_> = names.iter().map(|name| scope.claim(name)).collect();
        let distinct: BTreeSet<_> = claimed.iter().collect();
        assert_eq!(distinct.len(), 4, "{claimed:?}");
        assert!(claimed.iter().all(|name| name.len() <= NAME_BYTES_MAX), "{claimed:?}");
        assert_eq!(claimed.last().unwrap(), "x_y");
        assert_eq!(scope.claim("x_y"), "x_y_2");
        assert_eq!(scope.claim(""), "unnamed");
    }

    #[test]
    fn nothing_leaves_its_quotes_or_its_line() {
        assert_eq!(quoted("a\"; drop table b; --"), "\"a\"\"; drop table b; --\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'\n\u{2028}"), "E'a\\\\''\\n\\u2028'");
        assert_eq!(note("a\r\nDROP TABLE b;"), "-- a\u{fffd}\u{fffd}DROP TABLE b;");
    }
}
