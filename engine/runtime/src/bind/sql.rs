//! Compiled SQL: one formatted, stable SELECT per export, with masks as functions.

use engine_project::{Relation, identifier};

use super::reach::Released;
use super::treatment::{BoundColumn, Fork, Kept, Otherwise, Treatment};

/// The SELECT of an export. Columns stand one a line, in order; a comment names the rule of each.
pub(super) fn export_sql(from: &Relation, columns: &[BoundColumn], filter: Option<&str>) -> String {
    let mut sql = String::from("SELECT\n");
    for (position, column) in columns.iter().enumerate() {
        let comma = if position + 1 < columns.len() { "," } else { "" };
        let (expression, note) = written(column);
        sql.push_str(&format!("  {expression}{comma}  -- {note}\n"));
    }
    sql.push_str(&format!("FROM {}\n", from.quoted()));
    if let Some(filter) = filter {
        sql.push_str(&format!("WHERE {filter}\n"));
    }
    sql
}

fn written(column: &BoundColumn) -> (String, String) {
    let name = identifier(&column.name);
    let named = || format!("{} AS {name}", column.sql());
    match &column.treatment {
        Treatment::Masked { rule, fork, .. } => {
            let fork = fork.as_ref().map(|fork| otherwise(fork)).unwrap_or_default();
            (named(), one_line(&format!("masked by rule {rule}{fork}")))
        }
        Treatment::Computed { rule, computed } => {
            let word = computed.released.as_ref().map(released).unwrap_or_default();
            (named(), one_line(&format!("computed by rule {rule}{word}")))
        }
        Treatment::Kept(kept) => (name, one_line(&self::kept(kept))),
        Treatment::Open(None) => (name, "shows no value of a sensitive column".to_owned()),
        Treatment::Open(Some(word)) => {
            (name, one_line(&format!("open by {}{}", word.by, released(word))))
        }
    }
}

/// What happens where the condition of a rule does not hold.
fn otherwise(fork: &Fork) -> String {
    match &fork.otherwise {
        Otherwise::Null => " where its condition holds, else null".to_owned(),
        Otherwise::Masked(mask) => format!(" where its condition holds, else {}", mask.function),
        Otherwise::Kept(kept) => format!(" where its condition holds, else {}", self::kept(kept)),
    }
}

fn kept(kept: &Kept) -> String {
    let Kept { rule, owner, reason, until } = kept;
    format!("kept by rule {rule}, {owner}: {reason}{}", until_words(until.as_ref()))
}

fn released(word: &Released) -> String {
    let Released { owner, reason, until, .. } = word;
    format!(", {owner}: {reason}{}", until_words(until.as_ref()))
}

fn until_words(day: Option<&String>) -> String {
    day.map(|day| format!(", until {day}")).unwrap_or_default()
}

/// A comment ends at the line's end; text from the configuration must not go on after it.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_configuration_stays_in_its_comment() {
        assert_eq!(one_line("a\n\r\u{2028}; DROP"), "a ; DROP");
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
    }
}
