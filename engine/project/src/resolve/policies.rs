//! The sections `classes` and `masking`.

use std::collections::BTreeMap;

use super::names::{Findings, columns, is_identifier};
use crate::de::from_node;
use crate::location::{Location, Spanned};
use crate::model::{
    Action, Approval, Class, ColumnPattern, Indirect, Mask, Match, Project, Relation, Rule,
    Unclassified, When, ancestors,
};
use crate::node::Node;
use crate::problem::{Problem, ProblemKind, Thing};
use crate::raw::{
    RawApproval, RawClass, RawIndirect, RawMasking, RawMatch, RawOtherwise, RawRule,
    RawUnclassified,
};
use crate::suggest::nearest;
use crate::types::{ColumnType, TypePattern};

pub(super) fn classes(findings: &mut Findings, raw: &[Node]) -> BTreeMap<String, Class> {
    let entries: Vec<&(Spanned<String>, Node)> = raw.iter().flat_map(Node::entries).collect();
    findings.unique(Thing::Class, entries.iter().map(|(name, _)| name));
    let mut classes = BTreeMap::new();
    for (name, node) in entries {
        if !name.value.split('.').all(is_identifier) {
            findings.invalid(
                "a class",
                "lower case letters, digits and `_` with dots between its parts",
                name.at,
            );
        }
        match from_node::<RawClass>(node) {
            Ok(RawClass { sensitive, indirect, description }) => {
                let indirect = indirect.map(|indirect| match indirect {
                    RawIndirect::Allow => Indirect::Allow,
                    RawIndirect::Warn => Indirect::Warn,
                    RawIndirect::Deny => Indirect::Deny,
                });
                let class = Class { name: name.clone(), sensitive, indirect, description };
                classes.entry(name.value.clone()).or_insert(class);
            }
            Err(error) => findings.invalid("a class", error.message, error.at.unwrap_or(node.at)),
        }
    }
    classes
}

pub(super) fn masking(findings: &mut Findings, raw: Vec<RawMasking>) -> (Unclassified, Vec<Rule>) {
    let mut unclassified: Option<Spanned<RawUnclassified>> = None;
    let mut rules = Vec::new();
    for masking in raw {
        match (&unclassified, masking.unclassified) {
            (Some(first), Some(again)) => {
                let kind = ProblemKind::DuplicateKey { key: String::from("unclassified") };
                findings
                    .problems
                    .push(Problem::new(kind, again.at).with_related(first.at, "first given here"));
            }
            (None, Some(first)) => unclassified = Some(first),
            (_, None) => {}
        }
        rules.extend(masking.rules);
    }
    findings.unique(Thing::Rule, rules.iter().map(|rule| &rule.value.name));
    let unclassified = match unclassified.map(|unclassified| unclassified.value) {
        Some(RawUnclassified::Drop) => Unclassified::Drop,
        Some(RawUnclassified::Deny) | None => Unclassified::Deny,
    };
    (unclassified, rules.into_iter().filter_map(|raw| rule(findings, raw)).collect())
}

fn rule(findings: &mut Findings, raw: Spanned<RawRule>) -> Option<Rule> {
    let Spanned { value: raw, at } = raw;
    let RawRule { name, matches, mask, params, key, linkage, when, otherwise, keep } = raw;
    findings.identifier("a rule's name", &name);
    let matches = match matches {
        Some(Spanned { value, at }) => self::matches(findings, &name, value, at),
        None => {
            findings.report(ProblemKind::RuleWithoutMatch { name: name.value.clone() }, name.at);
            None
        }
    };
    let masks = mask.is_some();
    let given = Given { mask, params, key, linkage, keep };
    let mut action = action(findings, &name, given);
    match (when, otherwise) {
        (Some(condition), otherwise) if masks => {
            let otherwise = otherwise.map(|raw| self::otherwise(findings, &name, raw));
            if let Some(Action::Mask(mask)) = &mut action {
                let otherwise = match otherwise {
                    Some(None) => return None,
                    other => other.flatten().map(Box::new),
                };
                mask.when = Some(When { condition, otherwise });
            }
        }
        (Some(condition), _) => {
            let right = "in a rule with `mask`; a rule with `keep` holds for every row";
            findings.invalid("`when`", right, condition.at);
        }
        (None, Some(otherwise)) => {
            let right = "beside `when`, which says where the rule's own mask holds";
            findings.invalid("`otherwise`", right, otherwise.at);
        }
        (None, None) => {}
    }
    Some(Rule { name, matches: matches?, action: action?, at })
}

/// What happens to values where the condition of a rule does not hold.
fn otherwise(
    findings: &mut Findings,
    rule: &Spanned<String>,
    raw: Spanned<RawOtherwise>,
) -> Option<Action> {
    let RawOtherwise { mask, params, key, linkage, keep } = raw.value;
    let name = Spanned::new(rule.value.clone(), raw.at);
    action(findings, &name, Given { mask, params, key, linkage, keep })
}

/// What a rule, or its `otherwise`, says that is done.
struct Given {
    mask: Option<Spanned<String>>,
    params: Option<Node>,
    key: Option<Spanned<String>>,
    linkage: Option<Spanned<String>>,
    keep: Option<Spanned<RawApproval>>,
}

fn action(findings: &mut Findings, rule: &Spanned<String>, given: Given) -> Option<Action> {
    let Given { mask, params, key, linkage, keep } = given;
    for (what, name) in [("a key's name", &key), ("a linkage's name", &linkage)] {
        name.iter().for_each(|name| findings.identifier(what, name));
    }
    match (mask, keep) {
        (Some(function), None) => {
            let params = params.unwrap_or(Node::empty_map(function.at));
            Some(Action::Mask(Mask { function, params, key, linkage, when: None }))
        }
        (None, Some(keep)) => {
            let unused = [
                params.map(|node| node.at),
                key.map(|key| key.at),
                linkage.map(|linkage| linkage.at),
            ];
            for at in unused.into_iter().flatten() {
                findings.invalid(
                    "a rule with `keep`",
                    "without `params`, `key` and `linkage`: it masks nothing",
                    at,
                );
            }
            approval(findings, keep).map(Action::Keep)
        }
        (Some(_), Some(_)) => {
            findings.report(ProblemKind::RuleWithTwoActions { name: rule.value.clone() }, rule.at);
            None
        }
        (None, None) => {
            findings.report(ProblemKind::RuleWithoutAction { name: rule.value.clone() }, rule.at);
            None
        }
    }
}

fn matches(
    findings: &mut Findings,
    name: &Spanned<String>,
    raw: RawMatch,
    at: Location,
) -> Option<Match> {
    let RawMatch { class, column, column_type } = raw;
    if class.is_none() && column.is_none() && column_type.is_none() {
        findings.report(ProblemKind::RuleWithoutMatch { name: name.value.clone() }, name.at);
        return None;
    }
    let column = match column {
        None => None,
        Some(Spanned { value: text, at }) => match ColumnPattern::parse(&text) {
            Some(pattern) => Some(Spanned::new(pattern, at)),
            None => {
                findings.invalid(
                    "match.column",
                    "source.table.column or model.column, with `*` for any characters",
                    at,
                );
                return None;
            }
        },
    };
    let column_type = match column_type {
        None => None,
        Some(text) => Some(parsed_type::<TypePattern>(findings, &text)?),
    };
    Some(Match { class, column, column_type, at })
}

/// An approval; `None` when its date is none.
pub(super) fn approval(findings: &mut Findings, raw: Spanned<RawApproval>) -> Option<Approval> {
    let Spanned { value: RawApproval { owner, reason, until }, at } = raw;
    for (what, text) in [("owner", &owner), ("reason", &reason)] {
        if text.value.trim().is_empty() {
            findings.invalid(what, "given, not empty", text.at);
        }
    }
    let until = match until {
        None => None,
        Some(text) => match text.value.parse() {
            Ok(date) => Some(Spanned::new(date, text.at)),
            Err(_) => {
                findings.invalid("until", "a day of the calendar, as YYYY-MM-DD", text.at);
                return None;
            }
        },
    };
    Some(Approval { owner, reason, until, at })
}

/// A declared column type.
pub(super) fn column_type(
    findings: &mut Findings,
    text: &Spanned<String>,
) -> Option<Spanned<ColumnType>> {
    parsed_type(findings, text)
}

fn parsed_type<T: std::str::FromStr>(
    findings: &mut Findings,
    text: &Spanned<String>,
) -> Option<Spanned<T>> {
    match text.value.parse() {
        Ok(value) => Some(Spanned::new(value, text.at)),
        Err(_) => {
            let names = ColumnType::names();
            let valid: Vec<String> = names.into_iter().map(str::to_owned).collect();
            let near = elsewhere(&text.value)
                .or_else(|| nearest(&text.value, valid.iter().map(String::as_str)));
            let kind = ProblemKind::Unknown {
                thing: Thing::Type,
                name: text.value.clone(),
                within: None,
                nearest: near.map(str::to_owned),
                valid,
            };
            findings.report(kind, text.at);
            None
        }
    }
}

/// What a type of databases and other tools is called here.
fn elsewhere(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase();
    let name = name.split('(').next().unwrap_or_default();
    Some(match name {
        "int" | "integer" | "bigint" | "long" => "int64",
        "smallint" => "int16",
        "tinyint" => "int8",
        "real" => "float32",
        "float" | "double" => "float64",
        "number" | "numeric" | "money" => "decimal(18,2)",
        "str" | "text" | "varchar" | "nvarchar" | "char" => "string",
        "bytes" | "blob" | "bytea" => "binary",
        "boolean" => "bool",
        "datetime" => "timestamp",
        "timestamptz" | "timestamp_tz" => "timestamptz",
        _ => return None,
    })
}

/// Classes and patterns that stand for nothing.
pub(super) fn check(findings: &mut Findings, project: &Project) {
    for (_, column) in columns(project) {
        if let Some(class) =
            column.class.as_ref().filter(|class| project.class(&class.value).is_none())
        {
            unknown_class(findings, project, class);
        }
    }
    for rule in &project.rules {
        if let Some(class) = &rule.matches.class {
            let below = |name: &String| ancestors(name).any(|above| above == class.value);
            if project.class(&class.value).is_none() && !project.classes.keys().any(below) {
                unknown_class(findings, project, class);
            }
        }
        if let Some(pattern) = &rule.matches.column {
            self::pattern(findings, project, pattern);
        }
    }
}

fn unknown_class(findings: &mut Findings, project: &Project, class: &Spanned<String>) {
    let among = project.classes.keys().map(String::as_str);
    // `pii.emial` has no declared class near it when only `pii` is declared, but `pi.email` has.
    let parent = ancestors(&class.value)
        .last()
        .and_then(|root| nearest(root, project.classes.keys().map(String::as_str)));
    findings.unknown(Thing::Class, &class.value, None, among, class.at);
    if let (
        Some(Problem { kind: ProblemKind::Unknown { nearest: found @ None, .. }, .. }),
        Some(parent),
    ) = (findings.problems.last_mut(), parent)
    {
        *found = Some(
            class
                .value
                .split_once('.')
                .map_or(parent.to_owned(), |(_, rest)| format!("{parent}.{rest}")),
        );
    }
}

/// The parts of a pattern that are names must exist, as far as that is declared.
fn pattern(findings: &mut Findings, project: &Project, pattern: &Spanned<ColumnPattern>) {
    let literal = |name: &String| !name.contains('*');
    let at = pattern.at;
    let relation = match pattern.value.parts.as_slice() {
        [source, table, _] if literal(source) && literal(table) => {
            Relation::Table { source: source.clone(), table: table.clone() }
        }
        [source, _, _] if literal(source) && project.source(source).is_none() => {
            let among = project.sources.iter().map(|source| source.name.value.as_str());
            return findings.unknown(Thing::Source, source, None, among, at);
        }
        [model, _] if literal(model) => Relation::Model { name: model.clone() },
        _ => return,
    };
    let before = findings.problems.len();
    findings.relation(project, &Spanned::new(relation.clone(), at));
    let declared = project.columns(&relation);
    let table = matches!(relation, Relation::Table { .. });
    let column = pattern.value.parts.last().filter(|column| literal(column) && table);
    if let (Some(column), true) = (column, findings.problems.len() == before) {
        let column = Spanned::new(column.clone(), at);
        findings.declared_columns(&format!("table `{relation}`"), declared, [&column]);
    }
}
