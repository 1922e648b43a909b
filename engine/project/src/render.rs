//! Templates in place: YAML scalars become typed values, SQL becomes text with a way back.

use serde_json::Value as Json;

use crate::location::{FileId, Location, Spanned};
use crate::model::{Relation, RenderedSql, Segment};
use crate::node::{Node, Value};
use crate::problem::Problem;
use crate::secret::Setting;
use crate::template::{Failure, Templates};

/// What rendering left behind besides its results.
#[derive(Default)]
pub(crate) struct Findings {
    /// What failed.
    pub(crate) problems: Vec<Problem>,
    /// Relations that YAML scalars named.
    pub(crate) relations: Vec<Spanned<Relation>>,
}

/// Whether a text has anything for Jinja.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// Renders all scalars of a tree; `text` is the file it was read from. A scalar that
/// fails stays as it is. Keys are not rendered.
pub(crate) fn node(templates: &Templates, text: &str, node: Node, findings: &mut Findings) -> Node {
    let value = match node.value {
        Value::Str(template) if is_template(&template) => {
            return scalar(templates, text, node.at, template, findings);
        }
        Value::Seq(items) => Value::Seq(
            items.into_iter().map(|item| self::node(templates, text, item, findings)).collect(),
        ),
        Value::Map(entries) => {
            let is_of_rows = renders_rows(&entries);
            let rendered = |(key, value): (Spanned<String>, Node)| {
                let value = match value.value {
                    Value::Map(params) if is_of_rows && key.value == "params" => {
                        Node { value: params_of_rows(templates, text, params, findings), ..value }
                    }
                    own => self::node(templates, text, Node { value: own, ..value }, findings),
                };
                (key, value)
            };
            Value::Map(entries.into_iter().map(rendered).collect())
        }
        other => other,
    };
    Node { value, ..node }
}

/// Whether a rule's mask is a template of its own, which is rendered for each row.
fn renders_rows(entries: &[(Spanned<String>, Node)]) -> bool {
    entries.iter().any(|(key, node)| {
        key.value == "mask" && matches!(&node.value, Value::Str(mask) if mask == "template")
    })
}

/// The parameters of such a mask: all but its template, whose names are columns, not variables of the project.
fn params_of_rows(
    templates: &Templates,
    text: &str,
    params: Vec<(Spanned<String>, Node)>,
    findings: &mut Findings,
) -> Value {
    let rendered = |(key, value): (Spanned<String>, Node)| match key.value.as_str() {
        "template" => (key, value),
        _ => (key, node(templates, text, value, findings)),
    };
    Value::Map(params.into_iter().map(rendered).collect())
}

fn scalar(
    templates: &Templates,
    text: &str,
    at: Location,
    template: String,
    findings: &mut Findings,
) -> Node {
    let whole = templates.whole_expression(&template);
    let offset = whole.map_or(0, |(_, offset)| offset);
    let result = match whole {
        Some((inner, _)) => templates.expression(inner).map(|done| {
            let value =
                if done.secret { secret(&done.value, at) } else { from_json(&done.value, at) };
            (value, done.relations)
        }),
        None => templates.text(&template).map(|done| {
            let text = done.value.0;
            let value =
                if done.secret { Value::Secret(Setting::secret(text)) } else { Value::Str(text) };
            (value, done.relations)
        }),
    };
    let value = match result {
        Ok((value, relations)) => {
            findings
                .relations
                .extend(relations.into_iter().map(|relation| Spanned::new(relation, at)));
            value
        }
        Err(Failure { kind, range }) => {
            let range = range.start.saturating_add(offset)..range.end.saturating_add(offset);
            findings.problems.push(Problem::new(kind, place(text, at, &template, range)));
            Value::Str(template)
        }
    };
    Node::new(at, value)
}

/// Where a part of a decoded scalar stands in the file. Quotes, escapes, folding and
/// indentation shift offsets, so the part is looked for: its n-th occurrence in the
/// decoded text is taken for the n-th as written.
fn place(text: &str, at: Location, decoded: &str, range: std::ops::Range<usize>) -> Location {
    let written = text.get(at.start as usize..at.end as usize).unwrap_or_default();
    let Some(part) = decoded.get(range.clone()).map(str::trim).filter(|part| !part.is_empty())
    else {
        return at;
    };
    let earlier = decoded.get(..range.start).map_or(0, |before| before.matches(part).count());
    match written.match_indices(part).nth(earlier) {
        Some((found, _)) => {
            let start = (at.start as usize).saturating_add(found);
            Location::new(at.file, start, start.saturating_add(part.len()))
        }
        None => at,
    }
}

/// A value of Jinja as a tree, every part of it at the place of the scalar.
pub(crate) fn from_json(value: &Json, at: Location) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => Value::Int(value),
            (None, Some(value)) => Value::Float(value),
            (None, None) => Value::Null,
        },
        Json::String(text) => Value::Str(text.clone()),
        Json::Array(items) => {
            Value::Seq(items.iter().map(|item| Node::new(at, from_json(item, at))).collect())
        }
        Json::Object(entries) => {
            let entry = |(key, value): (&String, &Json)| {
                (Spanned::new(key.clone(), at), Node::new(at, from_json(value, at)))
            };
            Value::Map(entries.iter().map(entry).collect())
        }
    }
}

/// Like [`from_json`], with every scalar a secret.
fn secret(value: &Json, at: Location) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::String(text) => Value::Secret(Setting::secret(text.as_str())),
        Json::Bool(_) | Json::Number(_) => Value::Secret(Setting::secret_scalar(value)),
        Json::Array(items) => {
            Value::Seq(items.iter().map(|item| Node::new(at, secret(item, at))).collect())
        }
        Json::Object(entries) => {
            let entry = |(key, value): (&String, &Json)| {
                (Spanned::new(key.clone(), at), Node::new(at, secret(value, at)))
            };
            Value::Map(entries.iter().map(entry).collect())
        }
    }
}

/// Renders an SQL file.
///
/// # Errors
/// The first thing Jinja stumbles over.
pub(crate) fn sql(
    templates: &Templates,
    file: FileId,
    text: &str,
) -> Result<(RenderedSql, Vec<Spanned<Relation>>), Box<Problem>> {
    let rendered = templates.text(text).map_err(|Failure { kind, range }| {
        Box::new(Problem::new(kind, Location::new(file, range.start, range.end)))
    })?;
    let (sql, spans) = rendered.value;
    let short = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    let segments: Vec<Segment> = spans
        .iter()
        .map(|span| Segment {
            rendered: short(span.output_range().start),
            origin_start: short(span.source_range().start),
            origin_end: short(span.source_range().end),
            verbatim: span.kind() == minijinja::OutputSpanKind::Raw,
        })
        .collect();
    let mut depends_on: Vec<Spanned<Relation>> = Vec::new();
    for relation in rendered.relations {
        if depends_on.iter().any(|known| known.value == relation) {
            continue;
        }
        let quoted = relation.quoted();
        let names = |span: &&minijinja::OutputSpan| {
            span.kind() == minijinja::OutputSpanKind::Expression
                && sql.get(span.output_range()).is_some_and(|output| output.contains(&quoted))
        };
        let range = spans.iter().find(names).map_or(0..0, minijinja::OutputSpan::source_range);
        depends_on.push(Spanned::new(relation, Location::new(file, range.start, range.end)));
    }
    Ok((RenderedSql { text: sql, file, segments }, depends_on))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Scope;

    const FILE: FileId = FileId(0);

    #[test]
    fn sql_errors_find_their_way_back() {
        let text = "-- é {# note #}\nselect a,\n  {{ var('x') }} as b, c\nfrom {{ source('crm', 'customers') }} where d";
        let vars = [("x".to_owned(), Json::from("some longer text"))].into();
        let templates = Templates::new(Scope { vars, ..Scope::default() });
        let (sql, depends_on) = sql(&templates, FILE, text).unwrap();
        let shown = |at: Location| &text[at.start as usize..at.end as usize];
        for word in ["select a", " as b, c", "where d", "é"] {
            let start = sql.text.find(word).unwrap();
            assert_eq!(shown(sql.locate(start, start + word.len())), word);
        }
        let start = sql.text.find("longer").unwrap();
        assert_eq!(shown(sql.locate(start, start + 6)), "var('x')");
        assert_eq!(shown(depends_on[0].at), "source('crm', 'customers')");
        let at = sql.locate_line_column(3, 20);
        assert_eq!(shown(Location { end: at.start + 4, ..at }), "as b");
    }

    #[test]
    fn a_failing_scalar_is_marked_inside_its_quotes() {
        let text = "é: \"a \\\"{{ var('gone') }}\"\n";
        let parsed = crate::yaml::parse(FILE, text).unwrap();
        let mut findings = Findings::default();
        node(&Templates::new(Scope::default()), text, parsed, &mut findings);
        let at = findings.problems[0].at.unwrap();
        assert_eq!(&text[at.start as usize..at.end as usize], "var('gone')");
    }
}
