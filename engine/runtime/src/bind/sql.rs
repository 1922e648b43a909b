//! Compiled SQL: one formatted, stable SELECT per export, with masks as functions.

use engine_project::{Relation, identifier};

use super::policy::{BoundColumn, Treatment};
use super::reach::Released;
use crate::masks::spec::sql_name;

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
    match &column.treatment {
        Treatment::Masked { rule, function, spec, inputs, .. } => {
            let others: String =
                inputs.iter().map(|input| format!(", {}", identifier(input))).collect();
            let spec = spec.canonical().replace('\'', "''");
            let call = format!("{}({name}, '{spec}'{others}) AS {name}", sql_name(function));
            (call, format!("masked by rule {}", one_line(rule)))
        }
        Treatment::Kept { rule, owner, reason, until } => {
            let until = until.as_ref().map(|day| format!(", until {day}")).unwrap_or_default();
            let words = format!("kept by rule {rule}, {owner}: {reason}{until}");
            (name, one_line(&words))
        }
        Treatment::Open(None) => (name, "shows no value of a sensitive column".to_owned()),
        Treatment::Open(Some(released)) => {
            let Released { by, owner, reason, until } = released;
            let until = until.as_ref().map(|day| format!(", until {day}")).unwrap_or_default();
            (name, one_line(&format!("open by {by}, {owner}: {reason}{until}")))
        }
    }
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
