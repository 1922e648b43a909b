//! `source('a', 'b')` and `ref('m')` as values, and what they render to.

use crate::model::Relation;

/// Reads a relation in any of its forms:
///
/// ```text
///  source('crm', 'customers')   source("crm", "customers")   "crm"."customers"
///  ref('profile')               ref("profile")               "models"."profile"
/// ```
pub(super) fn parse(text: &str) -> Option<Relation> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("source") {
        let (source, rest) = quoted(arguments(rest)?)?;
        let (table, rest) = quoted(rest.trim_start().strip_prefix(',')?.trim_start())?;
        return rest.trim().is_empty().then_some(Relation::Table { source, table });
    }
    if let Some(rest) = text.strip_prefix("ref") {
        let (name, rest) = quoted(arguments(rest)?)?;
        return rest.trim().is_empty().then_some(Relation::Model { name });
    }
    let (first, rest) = quoted(text)?;
    let (second, rest) = quoted(rest.strip_prefix('.')?)?;
    let relation = if first == "models" {
        Relation::Model { name: second }
    } else {
        Relation::Table { source: first, table: second }
    };
    rest.is_empty().then_some(relation)
}

/// Reads the name in `export('name')`.
pub(super) fn parse_export(text: &str) -> Option<String> {
    let (name, rest) = quoted(arguments(text.trim().strip_prefix("export")?)?)?;
    rest.trim().is_empty().then_some(name)
}

fn arguments(text: &str) -> Option<&str> {
    Some(text.trim().strip_prefix('(')?.strip_suffix(')')?.trim())
}

/// A quoted text at the start, in which a doubled quote stands for one, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let mut rest = text.get(1..)?;
    let mut name = String::new();
    loop {
        let (before, after) = rest.split_once(quote)?;
        name.push_str(before);
        match after.strip_prefix(quote) {
            Some(more) => {
                name.push(quote);
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_back() {
        let table = Relation::Table { source: "crm".to_owned(), table: "a \"b\".c".to_owned() };
        assert_eq!(parse(&table.quoted()), Some(table.clone()));
        assert_eq!(parse(" source ( 'crm' ,'a \"b\".c' ) "), Some(table));
        let model = Relation::Model { name: "m".to_owned() };
        for text in ["ref('m')", "ref(\"m\")", "\"models\".\"m\""] {
            assert_eq!(parse(text), Some(model.clone()), "{text}");
        }
        for text in [
            "",
            "m",
            "ref",
            "ref()",
            "ref('m'",
            "ref('m', 'n')",
            "source('a')",
            "source('a' 'b')",
            "\"a\"",
            "\"a\".\"b\".\"c\"",
            "ref('m') x",
            "é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
