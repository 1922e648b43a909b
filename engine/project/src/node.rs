//! The tree a YAML file is read into: every value and every key keeps its place.
//!
//! ```text
//!   read: {path: a.csv, header: true}
//!         └── Map [ ("path" @6..10, Str "a.csv" @12..17), ("header" …, Bool true …) ]
//! ```

use serde_json::{Map, Number, Value as Json};

use crate::location::{Location, Spanned};
use crate::secret::Setting;

/// A YAML value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub at: Location,
    /// What it is.
    pub value: Value,
}

/// What a YAML value is, by the core schema of YAML 1.2.2 section 10.3.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent; finite.
    Float(f64),
    /// Text in clear.
    Str(String),
    /// Text the environment had a part in.
    Secret(Setting),
    /// A sequence.
    Seq(Vec<Node>),
    /// A mapping in written order; keys are unique.
    Map(Vec<(Spanned<String>, Node)>),
}

impl Value {
    /// The kind of value in words, for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Str(_) | Self::Secret(_) => "text",
            Self::Seq(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

impl Node {
    /// A value at a place.
    #[must_use]
    pub const fn new(at: Location, value: Value) -> Self {
        Self { at, value }
    }

    /// An empty mapping, for a section that was left out.
    #[must_use]
    pub const fn empty_map(at: Location) -> Self {
        Self { at, value: Value::Map(Vec::new()) }
    }

    /// The entries of a mapping; none for anything else.
    #[must_use]
    pub fn entries(&self) -> &[(Spanned<String>, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none for anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Seq(items) => items,
            _ => &[],
        }
    }

    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name.value == key).map(|(_, node)| node)
    }

    /// The text of a value in clear.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The value as JSON, secrets **included**: for handing parameters to the component
    /// that uses them, never for a file, a log or a message.
    #[must_use]
    pub fn reveal_json(&self) -> Json {
        self.json(&Setting::reveal_json)
    }

    /// The value as JSON with `[secret]` in the place of every secret.
    #[must_use]
    pub fn redacted_json(&self) -> Json {
        self.json(&|_| Json::String(String::from("[secret]")))
    }

    fn json(&self, secret: &dyn Fn(&Setting) -> Json) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::Number(Number::from(*value)),
            Value::Float(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
            Value::Str(text) => Json::String(text.clone()),
            Value::Secret(text) => secret(text),
            Value::Seq(items) => items.iter().map(|item| item.json(secret)).collect(),
            Value::Map(entries) => {
                let entries =
                    entries.iter().map(|(key, node)| (key.value.clone(), node.json(secret)));
                Json::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// The place a parameter path points at: segments of keys and indices, as in
    /// `["days"]` or `["edges", "0"]`. Answers the deepest value that exists, so that a
    /// missing key is shown at the mapping that lacks it.
    #[must_use]
    pub fn locate<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Location {
        let mut node = self;
        for segment in path {
            match node.step(segment) {
                Some(next) => node = next,
                None => break,
            }
        }
        node.at
    }

    /// The place of the key that a path ends in, or of the deepest value that exists.
    #[must_use]
    pub fn locate_key(&self, path: &[&str]) -> Location {
        let Some((last, parents)) = path.split_last() else { return self.at };
        let mut node = self;
        for segment in parents {
            match node.step(segment) {
                Some(next) => node = next,
                None => return node.at,
            }
        }
        let key = node.entries().iter().find(|(key, _)| key.value == *last).map(|(key, _)| key.at);
        key.unwrap_or_else(|| self.locate(path.iter().copied()))
    }

    /// [`Node::locate`] for a path in text form: JSON Pointer (`/edges/0`, RFC 6901) or dotted
    /// (`edges[0].low`, as `serde_path_to_error` writes it).
    #[must_use]
    pub fn locate_path(&self, path: &str) -> Location {
        let separators: &[char] = if path.starts_with('/') { &['/'] } else { &['.', '[', ']'] };
        self.locate(path.split(separators).filter(|segment| !segment.is_empty()))
    }

    fn step(&self, segment: &str) -> Option<&Self> {
        match &self.value {
            Value::Seq(items) => segment.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => self.get(segment),
        }
    }
}
