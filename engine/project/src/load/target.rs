//! Chooses a target and renders it. Others are checked as they are written: what they
//! read from the environment need not be there.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{LoadOptions, Loading, Parsed};
use crate::literal;
use crate::location::{Location, Spanned};
use crate::node::{Node, Value};
use crate::problem::{Problem, ProblemKind, Thing};
use crate::raw::{RawRoot, RawTarget};
use crate::render::{self, Findings};
use crate::schema::FileKind;
use crate::suggest::nearest;
use crate::template::{Scope, Templates};

/// A target that was asked for, and where.
struct Wanted {
    name: String,
    at: Option<Location>,
}

impl Loading {
    pub(super) fn target(
        &mut self,
        options: &LoadOptions,
        vars: &BTreeMap<String, Json>,
        root: &RawRoot,
        profiles: Parsed,
        findings: &mut Findings,
    ) -> Option<(Spanned<String>, Spanned<RawTarget>)> {
        self.problems.extend(literal::find(&profiles.node).into_iter().map(|(problem, _)| problem));
        let targets = profiles.node.get("targets").map(Node::entries).unwrap_or_default();
        let wanted = wanted(options, root, &profiles.node, targets);
        let names: Vec<String> = targets.iter().map(|(name, _)| name.value.clone()).collect();
        let chosen =
            wanted.as_ref().and_then(|wanted| names.iter().position(|name| *name == wanted.name));
        let environment = Some(options.environment.clone());
        let templates = Templates::new(Scope { vars: vars.clone(), target: None, environment });
        let node = rendered(&templates, profiles, chosen, findings);
        let entries = node.get("targets").map(Node::entries).unwrap_or_default();
        let Some((name, target)) = chosen.and_then(|index| entries.get(index)) else {
            // Without targets the shape says what is wrong.
            self.shape(FileKind::Profiles, &node);
            if !names.is_empty() {
                self.problems.push(unknown(wanted, names, node.at));
            }
            return None;
        };
        let raw: RawTarget = self.checked(FileKind::Profiles, &node, target, findings)?;
        for at in raw.vars.iter().flat_map(secrets) {
            let kind = ProblemKind::InvalidValue {
                path: String::from("vars"),
                expected: String::from(
                    "without env_var: variables are shown in compiled SQL and in plans",
                ),
                nearest: None,
            };
            self.problems.push(Problem::new(kind, at));
        }
        Some((name.clone(), Spanned::new(raw, target.at)))
    }
}

/// The command line, then `engine.yml`, then `profiles.yml`, then the only one.
fn wanted(
    options: &LoadOptions,
    root: &RawRoot,
    profiles: &Node,
    targets: &[(Spanned<String>, Node)],
) -> Option<Wanted> {
    if let Some(name) = &options.target {
        return Some(Wanted { name: name.clone(), at: None });
    }
    if let Some(Spanned { value, at }) = &root.defaults.target {
        return Some(Wanted { name: value.clone(), at: Some(*at) });
    }
    if let Some((name, node)) =
        profiles.get("default").and_then(|node| Some((node.as_str()?, node)))
    {
        return Some(Wanted { name: name.to_owned(), at: Some(node.at) });
    }
    match targets {
        [(only, _)] => Some(Wanted { name: only.value.clone(), at: Some(only.at) }),
        _ => None,
    }
}

fn unknown(wanted: Option<Wanted>, valid: Vec<String>, profiles: Location) -> Problem {
    match wanted {
        Some(Wanted { name, at }) => {
            let nearest = nearest(&name, valid.iter().map(String::as_str)).map(str::to_owned);
            let kind =
                ProblemKind::Unknown { thing: Thing::Target, name, within: None, nearest, valid };
            Problem { kind, at, related: Vec::new() }
        }
        None => Problem::new(
            ProblemKind::NoTarget { valid },
            Location { end: profiles.start, ..profiles },
        ),
    }
}

/// Renders everything but the targets that were not chosen.
fn rendered(
    templates: &Templates,
    profiles: Parsed,
    chosen: Option<usize>,
    findings: &mut Findings,
) -> Node {
    let Parsed { node, text, .. } = profiles;
    let Node { at, value: Value::Map(entries) } = node else { return node };
    let mut render = |node: Node| render::node(templates, &text, node, findings);
    let mut done = Vec::new();
    for (key, node) in entries {
        let node = match node {
            Node { at, value: Value::Map(targets) } if key.value == "targets" => {
                let target = |(index, (name, node)): (usize, (Spanned<String>, Node))| {
                    (name, if Some(index) == chosen { render(node) } else { node })
                };
                Node::new(at, Value::Map(targets.into_iter().enumerate().map(target).collect()))
            }
            node => render(node),
        };
        done.push((key, node));
    }
    Node::new(at, Value::Map(done))
}

/// Where a tree holds secrets.
fn secrets(node: &Node) -> Vec<Location> {
    match &node.value {
        Value::Secret(_) => vec![node.at],
        Value::Seq(items) => items.iter().flat_map(secrets).collect(),
        Value::Map(entries) => entries.iter().flat_map(|(_, node)| secrets(node)).collect(),
        _ => Vec::new(),
    }
}
