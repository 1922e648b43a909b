//! The mask `sql`: a column that is an expression over the row.
//!
//! ```text
//!  extract(year FROM signed_up) || ' ' || masked.city
//!                    │                     └ as the export publishes it
//!                    └ as it is read: no sensitive class, or somebody's word (`declassify`)
//! ```

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident, visit_expressions_mut};
use engine_project::{Approval, Location, Mask, Node, Rule, Spanned};

use super::condition::{RowValue, row_value};
use super::decision::Judged;
use super::reach::{Carried, Released};
use super::refusals;
use super::subject::Subject;
use super::treatment::{BoundColumn, Computed, expired};
use crate::codes::{policy, sql};
use crate::diagnostic::Diagnostic;
use crate::fault;

/// What stands before the name of a column as it is published.
const MASKED: &str = "masked";

/// Reads the mask `sql` of a rule for a column; `published` are the columns that are treated otherwise.
pub(super) fn bind(
    subject: &Subject<'_>,
    rule: &Rule,
    mask: &Mask,
    published: &[BoundColumn],
) -> Result<(Computed, DataType), Box<Diagnostic>> {
    let given = params(rule, mask)?;
    // Its name would be taken for that of a published one, and its class would not be asked for.
    let own = |field: &&Arc<Field>| published_name(field.name()).is_some();
    if let Some(odd) = subject.schema.fields().iter().find(own) {
        let message = format!("mask `sql` cannot be used where a column is named `{}`", odd.name());
        return Err(Box::new(
            Diagnostic::new(&policy::MASK_COLUMN, message)
                .at(mask.function.at, "such names stand for columns as they are published")
                .help("read the table through a model that names the column otherwise"),
        ));
    }
    let what = format!("the expression of rule `{}`", rule.name.value);
    let (text, masked) = with_published(subject, &given.expression, published)?;
    let schema = row(subject, published, &masked);
    let value = row_value(subject, &text, &schema, &what)?;
    let raw: BTreeSet<String> =
        value.columns.iter().filter(|name| published_name(name).is_none()).cloned().collect();
    let shown = sensitive(subject, &raw);
    let released = match (given.declassify, shown) {
        (_, None) => None,
        (None, Some((column, class))) => {
            return Err(Box::new(unanswered(rule, &given.expression, &column, &class)));
        }
        (Some(approval), Some(_)) => {
            expired(subject, rule, &approval)?;
            Some(Released::new(format!("rule {}", rule.name.value), &approval))
        }
    };
    let meaning = value.meaning(subject.binding.state, &schema).map_err(|error| {
        let words = fault::planning_text(&error);
        Box::new(Diagnostic::new(&sql::FILTER_INVALID, what).at(given.expression.at, words))
    })?;
    let data_type = value.data_type.clone();
    if data_type == DataType::Null {
        let words = "is null in every row; use the mask `null`";
        let message = format!("the expression of rule `{}` cannot be used", rule.name.value);
        return Err(Box::new(
            Diagnostic::new(&sql::FILTER_INVALID, message).at(given.expression.at, words),
        ));
    }
    let masked: BTreeSet<String> = masked.into_iter().collect();
    let read = published.iter().filter(|column| masked.contains(&column.name));
    let shows_part =
        read.into_iter().any(|column| column.sensitive && column.treatment.shows_part());
    let sql = compiled(&value, published);
    let written = shown_sql(&value);
    Ok((Computed { written, sql, meaning, raw, masked, released, shows_part }, data_type))
}

/// What `params` of the mask say.
struct Given {
    expression: Spanned<String>,
    declassify: Option<Approval>,
}

fn params(rule: &Rule, mask: &Mask) -> Result<Given, Box<Diagnostic>> {
    const VALID: &str = "parameters there are: declassify, expression";
    if let Some((key, _)) = mask
        .params
        .entries()
        .iter()
        .find(|(key, _)| !["declassify", "expression"].contains(&key.value.as_str()))
    {
        let message = format!("mask `sql` has no parameter `{}`", key.value);
        return Err(Box::new(
            Diagnostic::new(&policy::MASK_PARAMETER, message)
                .at(key.at, "unknown parameter")
                .help(VALID),
        ));
    }
    let Some(expression) = mask.params.get("expression") else {
        let message = "mask `sql` lacks its parameter `expression`";
        return Err(Box::new(
            Diagnostic::new(&policy::MASK_PARAMETER_MISSING, message)
                .at(mask.function.at, "needs `expression`")
                .help("add it to the rule: params: {expression: \"…\"}"),
        ));
    };
    let text = expression.as_str().ok_or_else(|| should_be("expression", expression.at, "text"))?;
    let expression = Spanned::new(text.to_owned(), expression.at);
    let declassify = mask.params.get("declassify").map(|node| approval(rule, node)).transpose()?;
    Ok(Given { expression, declassify })
}

fn should_be(parameter: &str, at: Location, right: &str) -> Box<Diagnostic> {
    let message = format!("parameter `{parameter}` of mask `sql` is not possible");
    let words = format!("should be {right}");
    Box::new(Diagnostic::new(&policy::MASK_PARAMETER_VALUE, message).at(at, words))
}

fn approval(rule: &Rule, node: &Node) -> Result<Approval, Box<Diagnostic>> {
    let wrong = || should_be("declassify", node.at, "{owner: \"@…\", reason: …}");
    let text = |key: &str| {
        let value = node.get(key)?;
        let text = value.as_str().filter(|text| !text.trim().is_empty())?;
        Some(Spanned::new(text.to_owned(), value.at))
    };
    let known = |(key, _): &(Spanned<String>, Node)| {
        ["owner", "reason", "until"].contains(&key.value.as_str())
    };
    let until = match text("until") {
        None => None,
        Some(day) => {
            let parsed = day.value.parse().map_err(|_| {
                should_be("declassify.until", day.at, "a day of the calendar, as YYYY-MM-DD")
            })?;
            Some(Spanned::new(parsed, day.at))
        }
    };
    match (text("owner"), text("reason"), node.entries().iter().all(known)) {
        (Some(owner), Some(reason), true) => Ok(Approval { owner, reason, until, at: rule.at }),
        _ => Err(wrong()),
    }
}

/// The text with each `masked.<column>` as one name, and the columns so named.
fn with_published(
    subject: &Subject<'_>,
    text: &Spanned<String>,
    published: &[BoundColumn],
) -> Result<(Spanned<String>, Vec<String>), Box<Diagnostic>> {
    let state = subject.binding.state;
    let dialect = state.config_options().sql_parser.dialect;
    let Ok(mut parsed) = state.sql_to_expr(&text.value, &dialect) else {
        // Said with its place by whoever reads it next.
        return Ok((text.clone(), Vec::new()));
    };
    let mut named = Vec::new();
    let _done: ControlFlow<()> = visit_expressions_mut(&mut parsed, |part| {
        if let SqlExpr::CompoundIdentifier(parts) = part
            && let [scope, column] = parts.as_slice()
            && scope.value == MASKED
        {
            named.push(column.value.clone());
            *part =
                SqlExpr::Identifier(Ident::with_quote('"', format!("{MASKED}.{}", column.value)));
        }
        ControlFlow::Continue(())
    });
    if let Some(missing) = named.iter().find(|name| !published.iter().any(|one| one.name == **name))
    {
        let names: Vec<&str> = published.iter().map(|column| column.name.as_str()).collect();
        return Err(Box::new(refusals::not_published(subject, text.at, missing, &names)));
    }
    // Nothing changed: places of its words in the user's file can still be told.
    let text =
        if named.is_empty() { text.clone() } else { Spanned::new(parsed.to_string(), text.at) };
    Ok((text, named))
}

/// The row as the expression sees it: columns as they are, and those it names as they are published.
fn row(subject: &Subject<'_>, published: &[BoundColumn], named: &[String]) -> Schema {
    let own = subject.schema.fields().iter().cloned();
    let masked = published.iter().filter(|column| named.contains(&column.name)).map(|column| {
        let name = format!("{MASKED}.{}", column.name);
        Arc::new(Field::new(name, column.output.data_type().clone(), column.output.is_nullable()))
    });
    Schema::new(own.chain(masked).collect::<Vec<_>>())
}

fn published_name(name: &str) -> Option<&str> {
    name.strip_prefix(MASKED)?.strip_prefix('.')
}

/// The first sensitive column of these, with the class it shows.
fn sensitive(subject: &Subject<'_>, columns: &BTreeSet<String>) -> Option<(String, Carried)> {
    columns.iter().find_map(|name| {
        let Some(reach) = subject.reach.column(name) else { return Some((name.clone(), None)) };
        let judged = Judged { project: subject.project, relation: subject.from, reach };
        let class = reach.carries.keys().find(|class| judged.is_sensitive(class))?;
        Some((name.clone(), class.clone()))
    })
}

fn unanswered(
    rule: &Rule,
    expression: &Spanned<String>,
    column: &str,
    class: &Carried,
) -> Diagnostic {
    let of = class.as_ref().map_or_else(
        || "which nobody has classified".to_owned(),
        |class| format!("of class `{class}`"),
    );
    let message = format!("rule `{}` computes its column from `{column}`, {of}", rule.name.value);
    Diagnostic::new(&policy::COMPUTED_SENSITIVE, message)
        .at(expression.at, format!("reads `{column}` as it is"))
        .help(format!(
            "read it as it is published, with `{MASKED}.{column}`; or let somebody answer for what the expression \
             shows of it: declassify: {{owner: \"@…\", reason: …}} beside `expression`"
        ))
}

/// The expression with the masks of the columns it names as published.
fn compiled(value: &RowValue, published: &[BoundColumn]) -> String {
    replaced(value, |name| {
        let column = published.iter().find(|column| column.name == name)?;
        // Brackets keep it one operand.
        Some(format!("({})", column.sql()))
    })
}

/// The expression in the user's own words.
fn shown_sql(value: &RowValue) -> String {
    replaced(value, |name| Some(format!("{MASKED}.{}", engine_project::identifier(name))))
}

/// The SQL of an expression, with other text in the place of published columns.
fn replaced(value: &RowValue, text: impl Fn(&str) -> Option<String>) -> String {
    let mut parsed = value.parsed.clone();
    let _done: ControlFlow<()> = visit_expressions_mut(&mut parsed, |part| {
        if let SqlExpr::Identifier(name) = part
            && let Some(text) = published_name(&name.value).and_then(&text)
        {
            *part = SqlExpr::Identifier(Ident::new(text));
        }
        ControlFlow::Continue(())
    });
    parsed.to_string()
}
