//! [`Node`] to raw structs, by serde: a tree as a `Deserializer` that keeps places.
//!
//! ```text
//!  Spanned<T>  asks for the struct "$spanned"  →  [file, start, end, value]
//!  Node        asks for the struct "$node"     →  [file, start, end, secret, value]
//!  Setting     asks for the struct "$setting"  →  [secret, text]
//! ```
//!
//! The three names are between this file and the impls in it; no other format knows them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use crate::location::{FileId, Location, Spanned};
use crate::node::{Node, Value};
use crate::secret::Setting;

const SPANNED: &str = "$spanned";
const NODE: &str = "$node";
const SETTING: &str = "$setting";

/// A value that does not fit, where it stands.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    pub(crate) message: String,
    pub(crate) at: Option<Location>,
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), at: None }
    }
}

/// Reads a tree as a raw struct.
///
/// # Errors
/// The first value that does not fit; there is none when the tree fits the struct's schema.
pub(crate) fn from_node<'n, T: Deserialize<'n>>(node: &'n Node) -> Result<T, Error> {
    T::deserialize(Tree(node))
}

#[derive(Clone, Copy)]
struct Tree<'n>(&'n Node);

impl<'n> Tree<'n> {
    fn any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Str(text) => visitor.visit_borrowed_str(text),
            Value::Secret(secret) => match secret.reveal_json() {
                serde_json::Value::Bool(value) => visitor.visit_bool(value),
                serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                    (Some(value), _) => visitor.visit_i64(value),
                    (None, value) => visitor.visit_f64(value.unwrap_or_default()),
                },
                _ => Err(de::Error::custom("written in clear, not read from the environment")),
            },
            Value::Seq(items) => visitor.visit_seq(Items(items.iter())),
            Value::Map(entries) => {
                visitor.visit_map(Entries { entries: entries.iter(), value: None })
            }
        }
    }

    /// The elements of one of the three named structs.
    fn parts(self, name: &str) -> Option<Vec<Part<'n>>> {
        let at = self.0.at;
        let place = [Part::Number(at.file.0), Part::Number(at.start), Part::Number(at.end)];
        match (name, &self.0.value) {
            (SPANNED, _) => Some(place.into_iter().chain([Part::Tree(self)]).collect()),
            (NODE, Value::Secret(secret)) => {
                let kind = if secret.is_typed() { 2 } else { 1 };
                Some(
                    place
                        .into_iter()
                        .chain([Part::Number(kind), Part::Text(secret.reveal())])
                        .collect(),
                )
            }
            (NODE, _) => {
                Some(place.into_iter().chain([Part::Number(0), Part::Tree(self)]).collect())
            }
            (SETTING, Value::Secret(secret)) => {
                Some(vec![Part::Number(1), Part::Text(secret.reveal())])
            }
            (SETTING, Value::Str(text)) => Some(vec![Part::Number(0), Part::Text(text)]),
            _ => None,
        }
    }
}

impl<'n> Deserializer<'n> for Tree<'n> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Error> {
        self.any(visitor).map_err(|error| Error { at: error.at.or(Some(self.0.at)), ..error })
    }

    fn deserialize_option<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.value == Value::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'n>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.parts(name) {
            Some(parts) => visitor.visit_seq(Parts(parts.into_iter())),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'n>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let result = match &self.0.value {
            Value::Str(text) => {
                visitor.visit_enum(de::value::BorrowedStrDeserializer::<Error>::new(text))
            }
            other => Err(de::Error::custom(format!("text, but is {}", other.kind()))),
        };
        result.map_err(|error| Error { at: error.at.or(Some(self.0.at)), ..error })
    }

    forward_to_deserialize_any! {
        <V: Visitor<'n>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'n>(std::slice::Iter<'n, Node>);

impl<'n> SeqAccess<'n> for Items<'n> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'n>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|node| seed.deserialize(Tree(node))).transpose()
    }
}

struct Entries<'n> {
    entries: std::slice::Iter<'n, (Spanned<String>, Node)>,
    value: Option<&'n Node>,
}

impl<'n> MapAccess<'n> for Entries<'n> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'n>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'n>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value =
            self.value.take().ok_or_else(|| de::Error::custom("a value without its key"))?;
        seed.deserialize(Tree(value))
    }
}

/// A key of a mapping: text, or text with its place.
struct Key<'n>(&'n Spanned<String>);

impl<'n> Deserializer<'n> for Key<'n> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Error> {
        let result = visitor.visit_borrowed_str(&self.0.value);
        result.map_err(|error: Error| Error { at: error.at.or(Some(self.0.at)), ..error })
    }

    fn deserialize_struct<V: Visitor<'n>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name != SPANNED {
            return self.deserialize_any(visitor);
        }
        let at = self.0.at;
        let parts = vec![
            Part::Number(at.file.0),
            Part::Number(at.start),
            Part::Number(at.end),
            Part::Text(&self.0.value),
        ];
        visitor.visit_seq(Parts(parts.into_iter()))
    }

    forward_to_deserialize_any! {
        <V: Visitor<'n>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

enum Part<'n> {
    Number(u32),
    Text(&'n str),
    Tree(Tree<'n>),
}

struct Parts<'n>(std::vec::IntoIter<Part<'n>>);

impl<'n> SeqAccess<'n> for Parts<'n> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'n>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let value = match self.0.next() {
            None => return Ok(None),
            Some(Part::Number(number)) => {
                seed.deserialize(de::value::U32Deserializer::<Error>::new(number))
            }
            Some(Part::Text(text)) => {
                seed.deserialize(de::value::BorrowedStrDeserializer::<Error>::new(text))
            }
            Some(Part::Tree(tree)) => seed.deserialize(tree),
        };
        value.map(Some)
    }
}

/// The next part, which the deserializers of this file always have.
fn part<'n, A: SeqAccess<'n>, T: Deserialize<'n>>(parts: &mut A) -> Result<T, A::Error> {
    parts
        .next_element()?
        .ok_or_else(|| de::Error::custom("read from something other than a configuration tree"))
}

fn place<'n, A: SeqAccess<'n>>(parts: &mut A) -> Result<Location, A::Error> {
    Ok(Location { file: FileId(part(parts)?), start: part(parts)?, end: part(parts)? })
}

impl<'n, T: Deserialize<'n>> Deserialize<'n> for Spanned<T> {
    fn deserialize<D: Deserializer<'n>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit<T>(PhantomData<T>);
        impl<'n, T: Deserialize<'n>> Visitor<'n> for Visit<T> {
            type Value = Spanned<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value of a configuration tree")
            }
            fn visit_seq<A: SeqAccess<'n>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
                let at = place(&mut parts)?;
                Ok(Spanned::new(part(&mut parts)?, at))
            }
        }
        deserializer.deserialize_struct(SPANNED, &[], Visit(PhantomData))
    }
}

impl<'n> Deserialize<'n> for Setting {
    fn deserialize<D: Deserializer<'n>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'n> Visitor<'n> for Visit {
            type Value = Setting;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_seq<A: SeqAccess<'n>>(self, mut parts: A) -> Result<Setting, A::Error> {
                let secret: u32 = part(&mut parts)?;
                let text: &str = part(&mut parts)?;
                Ok(if secret == 0 { Setting::plain(text) } else { Setting::secret(text) })
            }
        }
        deserializer.deserialize_struct(SETTING, &[], Visit)
    }
}

impl<'n> Deserialize<'n> for Node {
    fn deserialize<D: Deserializer<'n>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'n> Visitor<'n> for Visit {
            type Value = Node;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a configuration tree")
            }
            fn visit_seq<A: SeqAccess<'n>>(self, mut parts: A) -> Result<Node, A::Error> {
                let at = place(&mut parts)?;
                let value = match part::<A, u32>(&mut parts)? {
                    0 => part::<A, Plain>(&mut parts)?.0,
                    kind => {
                        let text: &str = part(&mut parts)?;
                        Value::Secret(Setting::secret_text(text, kind == 2))
                    }
                };
                Ok(Node::new(at, value))
            }
        }
        deserializer.deserialize_struct(NODE, &[], Visit)
    }
}

/// A value that is no secret itself.
struct Plain(Value);

impl<'n> Deserialize<'n> for Plain {
    fn deserialize<D: Deserializer<'n>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'n> Visitor<'n> for Visit {
            type Value = Plain;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a configuration value")
            }
            fn visit_unit<E>(self) -> Result<Plain, E> {
                Ok(Plain(Value::Null))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Plain, E> {
                Ok(Plain(Value::Bool(value)))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Plain, E> {
                Ok(Plain(Value::Int(value)))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Plain, E> {
                Ok(Plain(Value::Float(value)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Plain, E> {
                Ok(Plain(Value::Str(text.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'n>>(self, mut items: A) -> Result<Plain, A::Error> {
                let mut nodes = Vec::new();
                while let Some(node) = items.next_element()? {
                    nodes.push(node);
                }
                Ok(Plain(Value::Seq(nodes)))
            }
            fn visit_map<A: MapAccess<'n>>(self, mut entries: A) -> Result<Plain, A::Error> {
                let mut nodes = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    nodes.push(entry);
                }
                Ok(Plain(Value::Map(nodes)))
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    #[test]
    fn a_tree_read_as_a_tree_is_the_same() {
        let text = "a: [1, 2.5, true, ~, x]\nb: {c: {d: e}}\n";
        let node = yaml::parse(FileId(3), text).unwrap();
        assert_eq!(from_node::<Node>(&node).unwrap(), node);
        let secret = Node::new(
            node.at,
            Value::Seq(vec![Node::new(node.at, Value::Secret(Setting::secret("s")))]),
        );
        assert_eq!(from_node::<Node>(&secret).unwrap(), secret);
    }

    #[test]
    fn a_secret_does_not_become_plain_text() {
        let node = yaml::parse(FileId(0), "a").unwrap();
        let secret = Node::new(node.at, Value::Secret(Setting::secret("canary")));
        let error = from_node::<String>(&secret).unwrap_err();
        assert!(!error.to_string().contains("canary"));
        assert!(from_node::<Setting>(&secret).unwrap().is_secret());
        assert!(!from_node::<Setting>(&node).unwrap().is_secret());
    }
}
