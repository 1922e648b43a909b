//! Globs over names: `*` stands for any run of characters, also none.

use crate::model::{ColumnPattern, Relation};

/// Whether a name fits a glob. Linear in the product of both lengths at worst.
pub(crate) fn glob(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece).and_then(|at| rest.get(at + piece.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

impl ColumnPattern {
    /// Reads `source.table.column` or `model.column`. A table's name may hold dots.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (first, rest) = text.split_once('.')?;
        let parts = match rest.rsplit_once('.') {
            Some((table, column)) => vec![first, table, column],
            None => vec![first, rest],
        };
        let parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
        (!parts.iter().any(String::is_empty)).then(|| Self { text: text.to_owned(), parts })
    }

    /// Whether a column is meant.
    #[must_use]
    pub fn matches(&self, relation: &Relation, column: &str) -> bool {
        match (relation, self.parts.as_slice()) {
            (Relation::Table { source, table }, [first, second, third]) => {
                glob(first, source) && glob(second, table) && glob(third, column)
            }
            (Relation::Model { name }, [first, second]) => {
                glob(first, name) && glob(second, column)
            }
            _ => false,
        }
    }

    /// Whether it names one column only.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.text.contains('*')
    }

    /// How many characters are not `*`: the more, the more specific.
    #[must_use]
    pub fn literals(&self) -> usize {
        self.text.chars().filter(|letter| *letter != '*').count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_fit_whole_names() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "abc"),
            ("a*", "a"),
            ("*c", "abc"),
            ("a*c", "abbc"),
            ("a*b*c", "axbxc"),
            ("abc", "abc"),
            ("**", "x"),
        ] {
            assert!(glob(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("a", "ab"), ("a*", "ba"), ("a*a", "a"), ("a*b*c", "acb"), ("", "a"), ("*b", "abc")]
        {
            assert!(!glob(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_have_parts_from_the_outside_in() {
        let pattern = ColumnPattern::parse("crm.public.customers.e*").unwrap();
        let table =
            Relation::Table { source: "crm".to_owned(), table: "public.customers".to_owned() };
        assert!(pattern.matches(&table, "email"));
        assert!(!pattern.matches(&table, "name"));
        assert!(!pattern.matches(&Relation::Model { name: "crm".to_owned() }, "email"));
        assert_eq!(pattern.literals(), 22);
        for text in ["", "a", ".", "a.", ".a", "a..b", "a.b."] {
            assert_eq!(ColumnPattern::parse(text), None, "{text}");
        }
    }
}
