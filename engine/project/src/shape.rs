//! Checks a tree against a JSON Schema and collects everything that does not fit.
//!
//! It knows the part of JSON Schema that [`crate::schema`] generates: `$ref`, `type`,
//! `properties`, `required`, `additionalProperties`, `items`, `minItems`, `maxItems`,
//! `minProperties`, `maxProperties`, `enum`, `const`, `anyOf`, `oneOf`, `minimum`, `maximum`.

use serde_json::{Map, Value as Json};

use crate::location::{Location, Spanned};
use crate::node::{Node, Value};
use crate::problem::{Problem, ProblemKind};
use crate::render::is_template;
use crate::schema::FileKind;
use crate::suggest::nearest;

/// Everything in a tree that does not fit a schema of [`crate::schema::rendered`]. Text
/// with Jinja in it fits everywhere below the top: it was left because it could not be
/// rendered yet, or because rendering it failed, which was reported then.
pub(crate) fn check(schema: &Json, kind: FileKind, node: &Node) -> Vec<Problem> {
    let top = match kind {
        FileKind::Root => "engine.yml",
        FileKind::Profiles => "profiles.yml",
        FileKind::Sections => "a project file",
    };
    let mut check = Check { root: schema, top, problems: Vec::new() };
    check.node(schema, node, &Path::default());
    check.problems
}

/// The path of a value, as it is shown: `exports[customers].chunk`.
#[derive(Clone, Default)]
struct Path {
    shown: String,
}

impl Path {
    fn key(&self, key: &str) -> Self {
        let dot = if self.shown.is_empty() { "" } else { "." };
        Self { shown: format!("{}{dot}{key}", self.shown) }
    }

    fn item(&self, index: usize, node: &Node) -> Self {
        let name = node
            .get("name")
            .and_then(Node::as_str)
            .map_or_else(|| index.to_string(), str::to_owned);
        Self { shown: format!("{}[{name}]", self.shown) }
    }
}

/// What a schema wants that allows nothing but null.
const NOTHING: &str = "nothing";

struct Check<'s> {
    root: &'s Json,
    top: &'static str,
    problems: Vec<Problem>,
}

impl<'s> Check<'s> {
    fn node(&mut self, schema: &'s Json, node: &Node, path: &Path) {
        let Some(schema) = self.resolve(schema) else { return };
        let template = node.as_str().is_some_and(is_template);
        if template && !path.shown.is_empty() {
            return;
        }
        if let Some(options) = constants(schema) {
            return self.constant(&options, node, path);
        }
        if let Some(branches) = branches(schema) {
            return self.branches(branches, node, path);
        }
        if !self.fits(schema, &node.value) {
            return self.wrong_type(schema, node, path);
        }
        match &node.value {
            Value::Int(number) => self.bounds(schema, *number, node.at, path),
            Value::Seq(items) => self.sequence(schema, items, node.at, path),
            Value::Map(entries) => self.mapping(schema, entries, node.at, path),
            _ => {}
        }
    }

    fn resolve(&self, schema: &'s Json) -> Option<&'s Map<String, Json>> {
        let object = schema.as_object()?;
        match object.get("$ref").and_then(Json::as_str) {
            Some(reference) => self.root.pointer(reference.strip_prefix('#')?)?.as_object(),
            None => Some(object),
        }
    }

    fn fits(&self, schema: &Map<String, Json>, value: &Value) -> bool {
        let names = type_names(schema);
        names.is_empty() || names.iter().any(|name| is_of_type(value, name))
    }

    /// The branch for this kind of value, or a complaint that none is.
    fn branches(&mut self, branches: &'s [Json], node: &Node, path: &Path) {
        let resolved = branches.iter().filter(|branch| {
            self.resolve(branch).is_some_and(|schema| {
                self.fits(schema, &node.value) && fits_constant_kind(schema, &node.value)
            })
        });
        let fitting: Vec<&Json> = resolved.collect();
        match fitting.as_slice() {
            [] => {
                // That a key may be left out is no news to somebody who wrote it.
                let resolved = branches.iter().filter_map(|branch| self.resolve(branch));
                let names: Vec<String> =
                    resolved.map(words).filter(|words| words != NOTHING).collect();
                let kind = ProblemKind::WrongType {
                    path: self.shown(path),
                    expected: or(names),
                    found: node.value.kind(),
                };
                self.problems.push(Problem::new(kind, node.at));
            }
            [only] => self.node(only, node, path),
            [first, ..] => {
                let before = self.problems.len();
                for branch in &fitting {
                    self.node(branch, node, path);
                    if self.problems.len() == before {
                        return;
                    }
                    self.problems.truncate(before);
                }
                self.node(first, node, path);
            }
        }
    }

    fn constant(&mut self, options: &[&str], node: &Node, path: &Path) {
        let value = match &node.value {
            Value::Str(text) if options.contains(&text.as_str()) => return,
            Value::Str(text) => Some(text),
            _ => None,
        };
        let kind = ProblemKind::InvalidValue {
            path: self.shown(path),
            expected: or(options.iter().map(|option| format!("`{option}`")).collect()),
            nearest: value
                .and_then(|text| nearest(text, options.iter().copied()))
                .map(str::to_owned),
        };
        self.problems.push(Problem::new(kind, node.at));
    }

    fn bounds(&mut self, schema: &Map<String, Json>, number: i64, at: Location, path: &Path) {
        let bound = |key: &str| schema.get(key).and_then(Json::as_f64);
        // Bounds are small whole numbers, exact as f64; so is a number that could be near one.
        #[expect(
            clippy::cast_precision_loss,
            reason = "only numbers far from every bound lose precision"
        )]
        let value = number as f64;
        let expected = match (bound("minimum"), bound("maximum")) {
            (Some(least), _) if value < least => format!("at least {least}"),
            (_, Some(most)) if value > most => format!("at most {most}"),
            _ => return,
        };
        self.invalid(expected, at, path);
    }

    fn sequence(
        &mut self,
        schema: &'s Map<String, Json>,
        items: &[Node],
        at: Location,
        path: &Path,
    ) {
        let least = schema.get("minItems").and_then(Json::as_u64).unwrap_or(0);
        if (items.len() as u64) < least {
            self.invalid(format!("a list of at least {least}"), at, path);
        }
        if let Some(below) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.node(below, item, &path.item(index, item));
            }
        }
    }

    fn mapping(
        &mut self,
        schema: &'s Map<String, Json>,
        entries: &[(Spanned<String>, Node)],
        at: Location,
        path: &Path,
    ) {
        let properties = schema.get("properties").and_then(Json::as_object);
        let others = schema.get("additionalProperties");
        let before = self.problems.len();
        for (key, node) in entries {
            match (properties.and_then(|properties| properties.get(&key.value)), others) {
                (Some(below), _) => self.node(below, node, &path.key(&key.value)),
                (None, Some(Json::Bool(false))) => self.unknown_key(key, properties, path),
                (None, Some(below)) => self.node(below, node, &path.key(&key.value)),
                (None, None) => {}
            }
        }
        let required = schema.get("required").and_then(Json::as_array);
        for key in required.into_iter().flatten().filter_map(Json::as_str) {
            let given = entries.iter().any(|(name, _)| name.value == key);
            if !given && !self.misspelt(before, key, path) {
                let kind =
                    ProblemKind::MissingKey { key: key.to_owned(), within: self.shown(path) };
                self.problems.push(Problem::new(kind, head(entries, at)));
            }
        }
        let count = entries.len() as u64;
        let least = schema.get("minProperties").and_then(Json::as_u64).unwrap_or(0);
        let most = schema.get("maxProperties").and_then(Json::as_u64).unwrap_or(u64::MAX);
        if count < least || count > most {
            let expected = if least == most {
                format!("a mapping of exactly {least}")
            } else {
                format!("a mapping of at least {least}")
            };
            self.invalid(expected, head(entries, at), path);
        }
    }

    /// Whether one of the problems found from `before` on is this key, misspelt: that it is missing
    /// is the same mistake.
    fn misspelt(&self, before: usize, key: &str, path: &Path) -> bool {
        let here = self.shown(path);
        self.problems.get(before..).unwrap_or_default().iter().any(|problem| {
            matches!(
                &problem.kind,
                ProblemKind::UnknownKey { nearest: Some(near), within, .. }
                    if near == key && *within == here
            )
        })
    }

    fn unknown_key(
        &mut self,
        key: &Spanned<String>,
        properties: Option<&Map<String, Json>>,
        path: &Path,
    ) {
        let valid: Vec<String> = properties.into_iter().flat_map(Map::keys).cloned().collect();
        let kind = ProblemKind::UnknownKey {
            nearest: nearest(&key.value, valid.iter().map(String::as_str)).map(str::to_owned),
            key: key.value.clone(),
            within: self.shown(path),
            valid,
        };
        self.problems.push(Problem::new(kind, key.at));
    }

    fn wrong_type(&mut self, schema: &Map<String, Json>, node: &Node, path: &Path) {
        let kind = ProblemKind::WrongType {
            path: self.shown(path),
            expected: words(schema),
            found: node.value.kind(),
        };
        self.problems.push(Problem::new(kind, node.at));
    }

    fn invalid(&mut self, expected: String, at: Location, path: &Path) {
        let kind = ProblemKind::InvalidValue { path: self.shown(path), expected, nearest: None };
        self.problems.push(Problem::new(kind, at));
    }

    fn shown(&self, path: &Path) -> String {
        if path.shown.is_empty() { self.top.to_owned() } else { path.shown.clone() }
    }
}

/// The first line or so of a mapping: marking all of it would hide what is marked.
fn head(entries: &[(Spanned<String>, Node)], at: Location) -> Location {
    match entries.first() {
        Some((key, node)) if matches!(node.value, Value::Map(_) | Value::Seq(_)) => key.at,
        Some((key, node)) => Location { end: node.at.end.max(key.at.end), ..key.at },
        None => at,
    }
}

/// The values of a schema that allows only certain texts.
fn constants(schema: &Map<String, Json>) -> Option<Vec<&str>> {
    if let Some(options) = schema.get("enum").and_then(Json::as_array) {
        return Some(options.iter().filter_map(Json::as_str).collect());
    }
    branches(schema)?.iter().map(|branch| branch.get("const").and_then(Json::as_str)).collect()
}

fn branches(schema: &Map<String, Json>) -> Option<&[Json]> {
    schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array().map(Vec::as_slice)
}

fn fits_constant_kind(schema: &Map<String, Json>, value: &Value) -> bool {
    constants(schema).is_none() || matches!(value, Value::Str(_))
}

fn type_names(schema: &Map<String, Json>) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(name)) => vec![name],
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match (value, name) {
        (Value::Null, "null")
        | (Value::Bool(_), "boolean")
        | (Value::Int(_), "integer" | "number")
        | (Value::Float(_), "number")
        | (Value::Str(_), "string")
        | (Value::Seq(_), "array")
        | (Value::Map(_), "object") => true,
        (Value::Secret(secret), name) => match secret.reveal_json() {
            Json::Bool(_) => name == "boolean",
            Json::Number(number) => name == "number" || (name == "integer" && number.is_i64()),
            _ => name == "string",
        },
        _ => false,
    }
}

/// What a schema wants, in words.
fn words(schema: &Map<String, Json>) -> String {
    if let Some(options) = constants(schema) {
        return or(options.iter().map(|option| format!("`{option}`")).collect());
    }
    let names = type_names(schema).into_iter().filter_map(|name| match name {
        "string" => Some("text"),
        "integer" => Some("a whole number"),
        "number" => Some("a number"),
        "boolean" => Some("true or false"),
        "array" => Some("a list"),
        "object" => Some("a mapping"),
        _ => None,
    });
    or(names.map(str::to_owned).collect())
}

fn or(mut words: Vec<String>) -> String {
    words.retain(|word| !word.is_empty());
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::from(NOTHING),
    }
}
