//! A plan as a file for somebody else's program: `--report md=FILE`, several at once.

mod github;
mod junit;
mod markdown;
mod sarif;

use std::path::PathBuf;
use std::str::FromStr;

use engine_runtime::plan::{Change, Plan, Section};

/// A report that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    format: Format,
    /// Where it goes.
    pub(crate) path: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Markdown,
    Json,
    Sarif,
    Junit,
    Github,
}

impl FromStr for Report {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, path) = text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or(
            "is written FORMAT=FILE, with one of md, json, sarif, junit and github".to_owned(),
        )?;
        let format = match format {
            "md" => Format::Markdown,
            "json" => Format::Json,
            "sarif" => Format::Sarif,
            "junit" => Format::Junit,
            "github" => Format::Github,
            _ => return Err("formats there are: md, json, sarif, junit, github".to_owned()),
        };
        Ok(Self { format, path: path.into() })
    }
}

impl Report {
    /// Whether a platform shows its places in the repository's files.
    pub(crate) fn shows_places(&self) -> bool {
        matches!(self.format, Format::Github | Format::Sarif)
    }

    /// Whether it is for GitHub, which shows a summary beside the annotations.
    pub(crate) fn is_for_github(&self) -> bool {
        self.format == Format::Github
    }

    /// The text of the report.
    pub(crate) fn text(&self, plan: &Plan) -> String {
        match self.format {
            Format::Markdown => markdown::text(plan),
            Format::Json => plan.canonical(),
            Format::Sarif => sarif::text(plan),
            Format::Junit => junit::text(plan),
            Format::Github => github::text(plan),
        }
    }
}

/// The summary of a step on GitHub: the comment of a pull request, which is well below its limit of 1 MiB.
pub(crate) fn summary(plan: &Plan) -> String {
    markdown::text(plan)
}

/// What a change is of: `customers.email`.
fn subject(change: &Change) -> String {
    match &change.column {
        Some(column) => format!("{}.{column}", change.node),
        None => change.node.clone(),
    }
}

/// What was and what will be: `phone → as it is`.
fn turn(change: &Change) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!("{before} → {after}"),
        (Some(before), None) => format!("was {before}"),
        (None, Some(after)) => after.clone(),
        (None, None) => String::new(),
    }
}

/// The change in one sentence.
fn sentence(change: &Change) -> String {
    let turn = turn(change);
    let turn = if turn.is_empty() { turn } else { format!(": {turn}") };
    let owner = change.owner.as_ref().map(|owner| format!(" ({owner})")).unwrap_or_default();
    let kind = change.kind.replace('_', " ");
    format!("{} {kind}{turn}; {}{owner}", subject(change), change.reason)
}

/// File, line and column of a place; none where it names no line.
fn place(change: &Change) -> Option<(&str, u32, u32)> {
    let mut parts = change.place.as_deref()?.rsplitn(3, ':');
    let (column, line) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((parts.next()?, line, column))
}

/// Changes that deserve a mark in somebody's code: those that widen, and what stops a run.
fn marked(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|change| change.widens || change.section == Section::Gates)
}
