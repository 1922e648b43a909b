//! `explain`: the page of an error code, or, per column of a node, what it is made from, which rule won,
//! which lost and why, and what a reader can learn.

use std::sync::Arc;

use engine_project::{Action, Mask, Project, Relation, Rule};
use serde::Serialize;

use crate::bind::{ColumnReach, Decided, Judged, Reaches, Released};
use crate::codes::{self, Code, commands};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::flow::{Kind, Kinds, Origin};
use crate::request::Context;
use crate::types::type_name;
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
    /// Source columns that decide which rows there are.
    pub rows: Vec<SourceExplanation>,
}

/// One column.
#[derive(Debug, Clone, Serialize)]
pub struct ColumnExplanation {
    /// Its name.
    pub column: String,
    /// Its type before masking.
    #[serde(rename = "type")]
    pub column_type: Option<String>,
    /// Its class, or those of what it is made from.
    pub classes: Vec<String>,
    /// The source columns whose values it is made from.
    pub sources: Vec<SourceExplanation>,
    /// The rule that won.
    pub winner: Option<RuleExplanation>,
    /// The rules that matched and lost, the most specific first, with the reason.
    pub losers: Vec<RuleExplanation>,
    /// What a reader of the export can learn.
    pub learns: String,
}

/// A source column, and how another depends on it.
#[derive(Debug, Clone, Serialize)]
pub struct SourceExplanation {
    /// `source.table.column`.
    pub column: String,
    /// Its class.
    pub class: Option<String>,
    /// How: `copied`, `computed`, `filter` and so on.
    pub how: Vec<&'static str>,
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

/// Explains a code or a node. A code needs no project. Reads catalogs where types are not declared, and
/// no row.
///
/// # Errors
/// The topic is neither, or tables and models cannot be bound. That an export would not compile is no
/// error here: why it would not is what is explained.
pub async fn explain(context: &Context, topic: &str) -> Outcome<Explanation> {
    if let Some(code) = codes::find(topic) {
        return Ok(Explanation::Code(code));
    }
    let project: Arc<Project> = workspace::load(context)?;
    let relation = relation(&project, topic)?;
    let upstream = workspace::upstream(&project, context).await?;
    let reaches = &upstream.reaches;
    let published = project.export(topic).and_then(|export| export.columns.as_ref());
    let is_published = |name: &str| {
        published.is_none_or(|columns| columns.iter().any(|column| column.value == name))
    };
    let reach = reaches.get(&relation);
    let columns = reach.iter().flat_map(|reach| &reach.columns);
    let columns = columns.filter(|column| is_published(&column.name));
    Ok(Explanation::Node(NodeExplanation {
        node: topic.to_owned(),
        from: relation.to_string(),
        columns: columns.map(|column| explained(&project, &relation, column, reaches)).collect(),
        rows: reach
            .iter()
            .flat_map(|reach| reach.sources.indirect())
            .filter(|(origin, _)| origin.column.is_some())
            .map(|source| source_explanation(reaches, source))
            .collect(),
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

fn explained(
    project: &Project,
    relation: &Relation,
    column: &ColumnReach,
    reaches: &Reaches,
) -> ColumnExplanation {
    let judged = Judged { project, relation, reach: column };
    let decided = judged.decided();
    let class = match &decided {
        Decided::Rule(_, class) | Decided::Uncovered(class) | Decided::ShowsMore(_, class) => {
            class.clone()
        }
        _ => None,
    };
    let decision = judged.ranked(class.as_deref());
    let winner = match &decided {
        Decided::Rule(rule, _) | Decided::ShowsMore(rule, _) => Some(*rule),
        _ => None,
    };
    let lost = decision.losers.iter().map(|(rule, why)| (*rule, why.words()));
    ColumnExplanation {
        column: column.name.clone(),
        column_type: column.data_type.as_ref().map(type_name),
        classes: judged.candidates().into_iter().flatten().collect(),
        sources: column
            .sources
            .direct()
            .map(|source| source_explanation(reaches, source))
            .collect(),
        winner: winner.map(|rule| rule_explanation(project, rule, None)),
        losers: lost.map(|(rule, why)| rule_explanation(project, rule, Some(why))).collect(),
        learns: learns(&decided),
    }
}

fn source_explanation(reaches: &Reaches, (origin, kinds): (&Origin, Kinds)) -> SourceExplanation {
    SourceExplanation {
        column: origin.to_string(),
        class: reaches.column(origin).and_then(|column| column.classes.first().cloned()?),
        how: kinds.iter().map(Kind::word).collect(),
    }
}

/// What a reader can learn through a rule's mask.
fn masked(mask: &Mask) -> String {
    let own = match engine_masking::find(&mask.function.value) {
        Some(function) => function.doc().privacy.to_owned(),
        None => match mask.function.value.as_str() {
            "drop" => "nothing: the column is left out".to_owned(),
            "sql" => "what its expression makes of the row".to_owned(),
            _ => "there is no such mask".to_owned(),
        },
    };
    let otherwise = mask.when.as_ref().and_then(|when| when.otherwise.as_deref());
    match otherwise {
        Some(Action::Keep(_)) => {
            format!("{own} Where the rule's condition does not hold, the value itself.")
        }
        _ => own,
    }
}

/// What a reader of the export can learn from the column.
fn learns(decided: &Decided<'_>) -> String {
    match decided {
        Decided::Rule(rule, _) => match &rule.action {
            Action::Mask(mask) => masked(mask),
            Action::Keep(_) => "everything: the value is published as it is".to_owned(),
        },
        Decided::Open(None) => "no value of a sensitive column".to_owned(),
        Decided::Open(Some(Released { by, owner, reason, .. })) => {
            format!("what {owner} answers for, by {by}: {reason}")
        }
        Decided::Uncovered(_) => "nothing: no rule covers it, and no export compiles".to_owned(),
        Decided::Ambiguous(_) | Decided::Differ(_) => {
            "nothing: rules contradict each other, and no export compiles".to_owned()
        }
        Decided::ShowsMore(_, class) => format!(
            "nothing: the rule may not keep {}, and no export compiles",
            class.as_ref().map_or_else(
                || "columns without a class".to_owned(),
                |class| format!("class {class}")
            )
        ),
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
