//! `explain`: the page of an error code, or, per column of a node, which rule won, which lost, and why.

use engine_project::rules::{ColumnFacts, decide};
use engine_project::{Action, Column, Project, Relation, Rule};
use serde::Serialize;

use crate::codes::{self, Code, commands};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::request::Context;
use crate::workspace;

/// What was explained.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Explanation {
    /// An error code.
    Code(#[serde(skip)] &'static Code),
    /// The columns of an export, model or table.
    Node(NodeExplanation),
}

/// The columns of a node.
#[derive(Debug, Clone, Serialize)]
pub struct NodeExplanation {
    /// The node as it was asked for.
    pub node: String,
    /// What its columns come from.
    pub from: String,
    /// The columns.
    pub columns: Vec<ColumnExplanation>,
}

/// One column.
#[derive(Debug, Clone, Serialize)]
pub struct ColumnExplanation {
    /// Its name.
    pub column: String,
    /// Its declared type.
    #[serde(rename = "type")]
    pub column_type: Option<String>,
    /// Its class.
    pub class: Option<String>,
    /// The rule that won.
    pub winner: Option<RuleExplanation>,
    /// The rules that matched and lost, the most specific first, with the reason.
    pub losers: Vec<RuleExplanation>,
}

/// A rule that matched.
#[derive(Debug, Clone, Serialize)]
pub struct RuleExplanation {
    /// Its name.
    pub rule: String,
    /// What it does: `mask email` or `keep (@owner: reason)`.
    pub does: String,
    /// Where it stands: file, line and column.
    pub place: String,
    /// Why it lost; absent for the winner.
    pub why: Option<&'static str>,
}

/// Explains a code or a node. A code needs no project.
///
/// # Errors
/// The topic is neither, or the project cannot be loaded.
pub fn explain(context: &Context, topic: &str) -> Outcome<Explanation> {
    if let Some(code) = codes::find(topic) {
        return Ok(Explanation::Code(code));
    }
    let project = workspace::load(context)?;
    let relation = relation(&project, topic)?;
    let columns = project.columns(&relation);
    Ok(Explanation::Node(NodeExplanation {
        node: topic.to_owned(),
        from: relation.to_string(),
        columns: columns.iter().map(|column| explained(&project, &relation, column)).collect(),
    }))
}

fn relation(project: &Project, topic: &str) -> Outcome<Relation> {
    if let Some(export) = project.export(topic) {
        return Ok(export.from.value.clone());
    }
    if project.model(topic).is_some() {
        return Ok(Relation::Model { name: topic.to_owned() });
    }
    let table =
        topic.split_once('.').filter(|(source, table)| project.table(source, table).is_some());
    if let Some((source, table)) = table {
        return Ok(Relation::Table { source: source.to_owned(), table: table.to_owned() });
    }
    let exports = project.exports.iter().map(|export| export.name.value.clone());
    let models = project.models.iter().map(|model| model.name.value.clone());
    let tables = project.sources.iter().flat_map(|source| {
        source.tables.iter().map(|table| format!("{}.{}", source.name.value, table.name.value))
    });
    let mut known: Vec<String> = exports.chain(models).collect();
    // A model is often exported under its own name.
    known.sort();
    known.dedup();
    known.extend(tables);
    let nearest = engine_project::nearest(topic, known.iter().map(String::as_str));
    let meant = nearest.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    Err(Diagnostic::new(
        &commands::UNKNOWN_TOPIC,
        format!("`{topic}` is neither an error code nor a node of the project"),
    )
    .help(format!("{meant}the nodes are: {}", known.join(", ")))
    .into())
}

fn explained(project: &Project, relation: &Relation, column: &Column) -> ColumnExplanation {
    let facts = ColumnFacts {
        relation,
        column: &column.name.value,
        class: column.class.as_ref().map(|class| class.value.as_str()),
        column_type: column.column_type.as_ref().map(|declared| declared.value),
    };
    let decision = decide(&project.rules, &facts);
    ColumnExplanation {
        column: column.name.value.clone(),
        column_type: column.column_type.as_ref().map(|declared| declared.value.to_string()),
        class: column.class.as_ref().map(|class| class.value.clone()),
        winner: decision.winner.map(|rule| rule_explanation(project, rule, None)),
        losers: decision
            .losers
            .iter()
            .map(|(rule, why)| rule_explanation(project, rule, Some(why.words())))
            .collect(),
    }
}

fn rule_explanation(project: &Project, rule: &Rule, why: Option<&'static str>) -> RuleExplanation {
    let does = match &rule.action {
        Action::Mask(mask) => format!("mask {}", mask.function.value),
        Action::Keep(approval) => {
            format!("keep ({}: {})", approval.owner.value, approval.reason.value)
        }
    };
    RuleExplanation {
        rule: rule.name.value.clone(),
        does,
        place: project.files.describe(rule.name.at),
        why,
    }
}
