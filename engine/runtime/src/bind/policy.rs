//! What happens to each column of an export: the rule that wins, bound to a function and a key, or the
//! reason why the column may not leave.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use engine_bundle::digest::Digest;
use engine_masking::{Properties, Uniqueness};
use engine_project::{Action, Approval, Location, Mask, Relation, Rule, Unclassified};

use super::decision::{Decided, Judged};
use super::reach::{ColumnReach, Released};
use super::refusals;
use super::subject::Subject;
use crate::codes::policy;
use crate::diagnostic::Diagnostic;
use crate::masks::spec::MaskSpec;
use crate::problems;

/// The masking key of rules that name none.
const DEFAULT_KEY: &str = "default";

/// What happens to a column.
#[derive(Debug, Clone)]
pub enum Treatment {
    /// Masked by a function.
    Masked {
        /// The rule that won.
        rule: String,
        /// The function.
        function: &'static str,
        /// Its parameters, key and linkage.
        spec: MaskSpec,
        /// Other columns of the row it reads.
        inputs: Vec<String>,
        /// What it promises.
        properties: Properties,
        /// The digest of the dictionary it takes words from, when the project's own.
        lookup: Option<Digest>,
    },
    /// Let through on somebody's word.
    Kept {
        /// The rule that won.
        rule: String,
        /// Who answers for it.
        owner: String,
        /// Why.
        reason: String,
        /// The last day it holds.
        until: Option<String>,
    },
    /// Let through because it shows no value of a sensitive column; on somebody's word where it does not
    /// speak for itself.
    Open(Option<Released>),
}

/// A column of an export.
#[derive(Debug, Clone)]
pub struct BoundColumn {
    /// Its name, in the source or model and in the export.
    pub name: String,
    /// Its class.
    pub class: Option<String>,
    /// What flows into it.
    pub reach: ColumnReach,
    /// Whether the class is sensitive; unclassified columns count as sensitive.
    pub sensitive: bool,
    /// Its field before masking.
    pub input: FieldRef,
    /// Its field in the chunks.
    pub output: FieldRef,
    /// What happens to it.
    pub treatment: Treatment,
}

/// The treatment of every column of `fields`, or every reason why one has none. Dropped columns are
/// left out.
pub(super) fn treat(
    subject: &Subject<'_>,
    fields: &[FieldRef],
) -> Result<Vec<BoundColumn>, Vec<Diagnostic>> {
    let mut columns = Vec::new();
    let mut findings = Vec::new();
    for field in fields {
        match column(subject, field) {
            Ok(Some(bound)) => columns.push(bound),
            Ok(None) => {}
            Err(finding) => findings.push(*finding),
        }
    }
    if findings.is_empty() { Ok(columns) } else { Err(findings) }
}

fn column(subject: &Subject<'_>, field: &FieldRef) -> Result<Option<BoundColumn>, Box<Diagnostic>> {
    // What is not known carries what nobody has classified.
    let unknown = ColumnReach {
        name: field.name().clone(),
        data_type: Some(field.data_type().clone()),
        classes: BTreeSet::from([None]),
        ..ColumnReach::default()
    };
    let reach = subject.reach.column(field.name()).unwrap_or(&unknown);
    let judged = Judged { project: subject.project, relation: subject.from, reach };
    let (class, treatment, output) = match judged.decided() {
        Decided::Rule(rule, class) => {
            let (treatment, output) = match &rule.action {
                Action::Keep(approval) => (kept(subject, rule, approval)?, Arc::clone(field)),
                Action::Mask(mask) => masked(subject, rule, mask, field)?,
            };
            (class, treatment, output)
        }
        Decided::Open(released) => (None, Treatment::Open(released), Arc::clone(field)),
        Decided::Uncovered(class) => {
            return match subject.project.unclassified {
                Unclassified::Drop => Ok(None),
                Unclassified::Deny => Err(Box::new(refusals::uncovered(subject, field, &class))),
            };
        }
        Decided::Ambiguous(problem) => return Err(Box::new(problems::diagnostic(*problem))),
        Decided::Differ(found) => {
            return Err(Box::new(refusals::classes_differ(subject, field, &found)));
        }
        Decided::ShowsMore(rule, class) => {
            return Err(Box::new(refusals::shows_more(subject, rule, reach, &class)));
        }
    };
    let sensitive = !matches!(treatment, Treatment::Open(_)) && judged.is_sensitive(&class);
    Ok(Some(BoundColumn {
        name: field.name().clone(),
        class,
        reach: reach.clone(),
        sensitive,
        input: Arc::clone(field),
        output,
        treatment,
    }))
}

fn kept(
    subject: &Subject<'_>,
    rule: &Rule,
    approval: &Approval,
) -> Result<Treatment, Box<Diagnostic>> {
    if let Some(until) = &approval.until
        && approval.has_expired(subject.binding.today)
    {
        let message = format!("rule `{}` kept columns until {}", rule.name.value, until.value);
        return Err(Box::new(
            Diagnostic::new(&policy::KEEP_EXPIRED, message)
                .at(until.at, "this day has passed")
                .help("agree on a new date with its owner, or mask the columns"),
        ));
    }
    Ok(Treatment::Kept {
        rule: rule.name.value.clone(),
        owner: approval.owner.value.clone(),
        reason: approval.reason.value.clone(),
        until: approval.until.as_ref().map(|until| until.value.to_string()),
    })
}

fn masked(
    subject: &Subject<'_>,
    rule: &Rule,
    mask: &Mask,
    field: &FieldRef,
) -> Result<(Treatment, FieldRef), Box<Diagnostic>> {
    let name = &mask.function.value;
    let function =
        engine_masking::find(name).ok_or_else(|| Box::new(refusals::unknown_mask(mask)))?;
    let (key, linkage) = if function.keyed() {
        let wanted = mask.key.as_ref().map_or(DEFAULT_KEY, |key| key.value.as_str());
        let at = mask.key.as_ref().map_or(rule.name.at, |key| key.at);
        let key = subject.binding.keys.newest(wanted);
        let key = key.map_err(|held| Box::new(refusals::unknown_key(at, wanted, &held)))?;
        let stated = mask.linkage.as_ref().map(|linkage| linkage.value.clone());
        (Some(key), Some(stated.unwrap_or_else(|| own_linkage(subject, field.name()))))
    } else {
        (None, None)
    };
    let params = match mask.params.reveal_json() {
        serde_json::Value::Object(params) => params,
        _ => serde_json::Map::new(),
    };
    let named = function.reads_name(&serde_json::Value::Object(params.clone()));
    let mut spec = MaskSpec {
        rule: rule.name.value.clone(),
        linkage,
        key,
        column: named.then(|| field.name().clone()),
        inputs: Vec::new(),
        params,
    };
    let mut fields = vec![Arc::clone(field)];
    fields.extend(subject.schema.fields().iter().cloned());
    let described = subject
        .binding
        .resolver
        .describe(function, &spec, &fields)
        .map_err(|error| Box::new(refusals::unbound(subject, rule, mask, field, &error)))?;
    let there = |name: &&String| subject.schema.column_with_name(name).is_some();
    if let Some(missing) = described.inputs().iter().find(|name| !there(name)) {
        return Err(Box::new(refusals::missing_input(subject, mask, field, missing)));
    }
    let properties = described.properties();
    check_unique(subject, rule, mask.function.at, field, properties.uniqueness)?;
    let nullable = !properties.preserves.null || field.is_nullable();
    let output = Arc::new(Field::new(field.name(), described.output(), nullable));
    let inputs = described.inputs().to_vec();
    spec.inputs = inputs.clone();
    let lookup = spec.params.get("lookup").and_then(|name| name.as_str());
    let lookup = lookup.and_then(|name| subject.binding.resolver.lookup_digest(name));
    let treatment = Treatment::Masked {
        rule: rule.name.value.clone(),
        function: function.name(),
        spec,
        inputs,
        properties,
        lookup,
    };
    Ok((treatment, output))
}

/// The pseudonym space of a column whose rule names none: its own, so that columns are unlinkable unless
/// somebody says otherwise; a column that refers to another shares that one's, so that joins still hold.
fn own_linkage(subject: &Subject<'_>, column: &str) -> String {
    let mut relation = subject.from.clone();
    let mut column = column.to_owned();
    let mut seen = Vec::new();
    while let Relation::Table { source, table } = &relation {
        if seen.contains(&(relation.clone(), column.clone())) {
            break;
        }
        seen.push((relation.clone(), column.clone()));
        let Some(declared) = subject.project.table(source, table) else { break };
        let target = declared.references.iter().find_map(|reference| {
            let position = reference.columns.iter().position(|from| from.value == column)?;
            let to = reference.to.get(position)?;
            Some((reference.table.value.clone(), to.value.clone()))
        });
        let Some((next_table, next_column)) = target else { break };
        relation = Relation::Table { source: source.clone(), table: next_table };
        column = next_column;
    }
    // A circle of references has no end: its first member in order names the space of all.
    let here = (relation, column);
    let circle = seen.iter().position(|one| *one == here).and_then(|start| seen.get(start..));
    let (relation, column) = circle.and_then(|members| members.iter().min()).unwrap_or(&here);
    format!("{relation}.{column}")
}

fn check_unique(
    subject: &Subject<'_>,
    rule: &Rule,
    at: Location,
    field: &FieldRef,
    uniqueness: Uniqueness,
) -> Result<(), Box<Diagnostic>> {
    let Some(why) = subject.unique.get(field.name()) else { return Ok(()) };
    if uniqueness != Uniqueness::Lossy {
        return Ok(());
    }
    let column = format!("{}.{}", subject.from, field.name());
    Err(Box::new(
        Diagnostic::new(
            &policy::MASK_LOSSY_KEY,
            format!("rule `{}` may give two values of `{column}` the same mask", rule.name.value),
        )
        .at(at, "may map two values to one")
        .related(subject.at, format!("`{column}` {why}, and is exported here"))
        .help("use a mask that keeps values distinct, such as `token`"),
    ))
}
