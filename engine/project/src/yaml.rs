//! YAML text to [`Node`], within bounds, with all duplicate keys reported.
//!
//! ```text
//!  events   MappingStart  "a"  SequenceStart  1  SequenceEnd  MappingEnd
//!  stack    [Map]         …    [Map, Seq]     …  [Map]        done
//! ```
//!
//! The events come from the parser of `serde-saphyr`. The tree is built on a stack of our
//! own, so that no input can overflow the thread's, and every value and key keeps its bytes.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{
    self, ErrorKind, Event, Parser, ScalarStyle, Span, StructureStyle, Tag,
};

use crate::location::{FileId, Location, Spanned};
use crate::node::{Node, Value};
use crate::problem::{Problem, ProblemKind};
use crate::scalar;

/// Levels of nesting: ten times what any configuration needs.
pub(crate) const DEPTH_MAX: usize = 64;
/// Values of a file, those of aliases included.
pub(crate) const NODES_MAX: usize = 500_000;
/// Values that aliases may add to a file.
pub(crate) const ALIAS_NODES_MAX: usize = 10_000;

/// Reads one document. An empty file is [`Value::Null`].
///
/// # Errors
/// Everything that can be told of the file: one syntax error or crossed bound ends it,
/// duplicate keys do not.
pub(crate) fn parse(file: FileId, text: &str) -> Result<Node, Vec<Problem>> {
    let mut builder = Builder::new(file, text);
    let options = granit_parser::options! { emit_comments: false };
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                let start = error.marker().byte_offset().unwrap_or(text.len());
                let kind = match error.kind() {
                    // The scanner looks ahead, and may meet its own bound first.
                    ErrorKind::RecursionLimitExceeded => {
                        ProblemKind::YamlTooDeep { depth_max: DEPTH_MAX }
                    }
                    _ => ProblemKind::YamlSyntax { detail: error.info() },
                };
                Err(fail(kind, Location::new(file, start, start)))
            }
        };
        if let Err(problem) = step {
            builder.problems.push(*problem);
            break;
        }
    }
    if builder.problems.is_empty() {
        Ok(builder.root.unwrap_or_else(|| Node::new(Location::new(file, 0, 0), Value::Null)))
    } else {
        Err(builder.problems)
    }
}

struct Builder<'t> {
    file: FileId,
    text: &'t str,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    alias_nodes: usize,
    root: Option<Node>,
    problems: Vec<Problem>,
}

/// A collection that is not finished.
struct Frame {
    at: Location,
    anchor: usize,
    style: StructureStyle,
    content: Content,
}

enum Content {
    Seq(Vec<Node>),
    Map {
        entries: Vec<(Spanned<String>, Node)>,
        seen: HashMap<String, Location>,
        key: Option<Spanned<String>>,
    },
}

impl<'t> Builder<'t> {
    fn new(file: FileId, text: &'t str) -> Self {
        Self {
            file,
            text,
            stack: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            alias_nodes: 0,
            root: None,
            problems: Vec::new(),
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Problem>> {
        let at = self.location(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, tag.as_deref(), at)?;
                self.place(node, anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", at)?;
                self.open(Frame { at, anchor, style, content: Content::Seq(Vec::new()) })
            }
            Event::MappingStart(style, anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", at)?;
                let content = Content::Map { entries: Vec::new(), seen: HashMap::new(), key: None };
                self.open(Frame { at, anchor, style, content })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            Event::Alias(id) => self.alias(id, at),
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(syntax("a file holds one document only", at))
            }
            _ => Ok(()),
        }
    }

    fn location(&self, span: Span) -> Location {
        let range = span.byte_range().unwrap_or(self.text.len()..self.text.len());
        let written = self.text.get(range.clone()).unwrap_or_default().trim_end().len();
        Location::new(self.file, range.start, range.start.saturating_add(written))
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        at: Location,
    ) -> Result<Node, Box<Problem>> {
        let plain = style == ScalarStyle::Plain;
        let value = match tag.map(|tag| tag.core_suffix().unwrap_or("")) {
            None if plain => resolve(text, at)?,
            None | Some("str") => Value::Str(text.to_owned()),
            Some("int" | "float" | "bool" | "null") => resolve(text, at)?,
            Some(_) => {
                return Err(syntax(
                    "tags other than those of the core schema mean nothing here",
                    at,
                ));
            }
        };
        Ok(Node::new(at, value))
    }

    fn collection_tag(
        &self,
        tag: Option<&Tag>,
        wanted: &str,
        at: Location,
    ) -> Result<(), Box<Problem>> {
        match tag {
            Some(tag) if tag.core_suffix() != Some(wanted) => {
                Err(syntax("tags other than those of the core schema mean nothing here", at))
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, frame: Frame) -> Result<(), Box<Problem>> {
        if self.stack.len() >= DEPTH_MAX {
            return Err(fail(ProblemKind::YamlTooDeep { depth_max: DEPTH_MAX }, frame.at));
        }
        if let Some(Frame { content: Content::Map { key: None, .. }, .. }) = self.stack.last() {
            return Err(syntax("a key must be a scalar", frame.at));
        }
        self.stack.push(frame);
        Ok(())
    }

    fn close(&mut self, end: Location) -> Result<(), Box<Problem>> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let (value, last) = match frame.content {
            Content::Seq(items) => {
                let last = items.last().map(|item| item.at);
                (Value::Seq(items), last)
            }
            Content::Map { entries, .. } => {
                let last = entries.last().map(|(_, node)| node.at);
                (Value::Map(entries), last)
            }
        };
        // The end event of a block collection stands where the next token is.
        let end = match (frame.style, last) {
            (StructureStyle::Block, Some(last)) => last.end,
            _ => end.end,
        };
        let at = Location { end: end.max(frame.at.start), ..frame.at };
        self.place(Node::new(at, value), frame.anchor)
    }

    /// Puts a finished value where the stack wants it: as an item, a key, a value or the root.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Box<Problem>> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > NODES_MAX {
            return Err(fail(ProblemKind::YamlTooLarge { nodes_max: NODES_MAX }, node.at));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(node),
            Some(Content::Seq(items)) => items.push(node),
            Some(Content::Map { entries, seen, key }) => match key.take() {
                None => *key = Some(key_of(node, self.text)?),
                Some(name) => match seen.get(&name.value) {
                    Some(first) => {
                        let kind = ProblemKind::DuplicateKey { key: name.value };
                        self.problems.push(
                            Problem::new(kind, name.at).with_related(*first, "first given here"),
                        );
                    }
                    None => {
                        seen.insert(name.value.clone(), name.at);
                        // A value that was left out can only be shown at its key.
                        let at = if node.at.is_empty() { name.at } else { node.at };
                        entries.push((name, Node { at, ..node }));
                    }
                },
            },
        }
        Ok(())
    }

    fn alias(&mut self, id: usize, at: Location) -> Result<(), Box<Problem>> {
        let Some(node) = self.anchors.get(&id) else {
            return Err(syntax("an alias cannot stand inside the value it stands for", at));
        };
        let (nodes, height) = measure(node);
        self.alias_nodes = self.alias_nodes.saturating_add(nodes);
        if self.alias_nodes > ALIAS_NODES_MAX {
            return Err(fail(ProblemKind::YamlAliases { nodes_max: ALIAS_NODES_MAX }, at));
        }
        if self.stack.len().saturating_add(height) > DEPTH_MAX {
            return Err(fail(ProblemKind::YamlTooDeep { depth_max: DEPTH_MAX }, at));
        }
        let node = node.clone();
        self.place(node, 0)
    }
}

/// A key is the text as it is written, whatever it would mean as a value.
fn key_of(node: Node, text: &str) -> Result<Spanned<String>, Box<Problem>> {
    let key = match node.value {
        Value::Str(key) => key,
        Value::Seq(_) | Value::Map(_) => return Err(syntax("a key must be a scalar", node.at)),
        _ => text.get(node.at.start as usize..node.at.end as usize).unwrap_or_default().to_owned(),
    };
    Ok(Spanned::new(key, node.at))
}

/// Values of a tree, and its levels. The depth of a finished tree is bounded, so this may recurse.
fn measure(node: &Node) -> (usize, usize) {
    let children: Box<dyn Iterator<Item = &Node>> = match &node.value {
        Value::Seq(items) => Box::new(items.iter()),
        Value::Map(entries) => Box::new(entries.iter().map(|(_, node)| node)),
        _ => return (1, 0),
    };
    let (nodes, height) = children
        .map(measure)
        .fold((1, 0), |(nodes, height), (more, below)| (nodes + more, below.max(height)));
    (nodes, height + 1)
}

fn resolve(text: &str, at: Location) -> Result<Value, Box<Problem>> {
    scalar::resolve(text)
        .map_err(|_| syntax("this number is out of range; quote it if it is text", at))
}

fn syntax(detail: &str, at: Location) -> Box<Problem> {
    fail(ProblemKind::YamlSyntax { detail: detail.to_owned() }, at)
}

fn fail(kind: ProblemKind, at: Location) -> Box<Problem> {
    Box::new(Problem::new(kind, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every scalar and collection with the text its place covers.
    fn covered(text: &str) -> Vec<(String, String)> {
        fn walk(text: &str, node: &Node, out: &mut Vec<(String, String)>) {
            let shown = |at: Location| text[at.start as usize..at.end as usize].to_owned();
            match &node.value {
                Value::Map(entries) => {
                    out.push(("map".to_owned(), shown(node.at)));
                    for (key, value) in entries {
                        out.push((key.value.clone(), shown(key.at)));
                        walk(text, value, out);
                    }
                }
                Value::Seq(items) => {
                    out.push(("seq".to_owned(), shown(node.at)));
                    items.iter().for_each(|item| walk(text, item, out));
                }
                value => out.push((format!("{value:?}"), shown(node.at))),
            }
        }
        let mut out = Vec::new();
        walk(text, &parse(FileId(0), text).unwrap(), &mut out);
        out
    }

    #[test]
    fn places_are_right_after_text_that_is_not_ascii() {
        let text = "\u{feff}# é ü 😀\nnäme: 'wért'  # ö\nlist:\n  - 1\n  - {é: \"x\\ty\"}\n\ntext: |\n  😀 a\n  b\n\nlast:\n";
        let expected = [
            (
                "map",
                "näme: 'wért'  # ö\nlist:\n  - 1\n  - {é: \"x\\ty\"}\n\ntext: |\n  😀 a\n  b\n\nlast",
            ),
            ("näme", "näme"),
            ("Str(\"wért\")", "'wért'"),
            ("list", "list"),
            ("seq", "- 1\n  - {é: \"x\\ty\"}"),
            ("Int(1)", "1"),
            ("map", "{é: \"x\\ty\"}"),
            ("é", "é"),
            ("Str(\"x\\ty\")", "\"x\\ty\""),
            ("text", "text"),
            ("Str(\"😀 a\\nb\\n\")", "😀 a\n  b"),
            ("last", "last"),
            ("Null", "last"),
        ];
        let covered = covered(text);
        let covered: Vec<(&str, &str)> =
            covered.iter().map(|(value, text)| (value.as_str(), text.as_str())).collect();
        assert_eq!(covered, expected);
    }

    #[test]
    fn tags_and_aliases_mean_what_the_core_schema_says() {
        let node =
            parse(FileId(0), "a: !!str 1\nb: !!int '2'\nc: &x {d: [1]}\ne: *x\n2: f\n").unwrap();
        assert_eq!(
            node.redacted_json().to_string(),
            r#"{"a":"1","b":2,"c":{"d":[1]},"e":{"d":[1]},"2":"f"}"#
        );
        for text in
            ["!x a", "!x {a: b}", "? [a]\n: b\n", "? {a: b}\n: c\n", "*gone", "!!seq {a: b}"]
        {
            assert!(parse(FileId(0), text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_duplicate_key_is_reported_with_its_first_place() {
        let problems = parse(FileId(0), "a: 1\nb: {c: 1, c: 2}\na: 3\na: 4\n").unwrap_err();
        let places: Vec<(u32, u32)> = problems
            .iter()
            .map(|problem| (problem.at.unwrap().start, problem.related[0].0.start))
            .collect();
        assert_eq!(places, [(15, 9), (21, 0), (26, 0)]);
    }
}
