//! A masking function bound to a column: its words, what it reads, what it promises.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use engine_bundle::digest::Digest;
use engine_masking::Properties;
use engine_project::{Mask, Relation, Rule, identifier};

use super::refusals;
use super::subject::Subject;
use crate::diagnostic::Diagnostic;
use crate::masks::spec::{MaskSpec, sql_name};

/// The masking key of rules that name none.
const DEFAULT_KEY: &str = "default";

/// A masking function as a rule applies it to a column.
#[derive(Debug, Clone)]
pub struct AppliedMask {
    /// The function.
    pub function: &'static str,
    /// Its parameters, key and linkage.
    pub spec: MaskSpec,
    /// Other columns of the row it reads.
    pub inputs: Vec<String>,
    /// Whether it reads them as they are published, not as they are.
    pub reads_masked: bool,
    /// The SQL of those columns, in their order.
    arguments: Vec<String>,
    /// Their fields.
    pub others: Vec<FieldRef>,
    /// What it promises.
    pub properties: Properties,
    /// The digest of the dictionary it takes words from, when the project's own.
    pub lookup: Option<Digest>,
    /// The type of what it gives.
    pub output: DataType,
}

/// The other columns of the row that a mask may read, with their SQL.
pub(super) struct Others(BTreeMap<String, (FieldRef, String)>);

impl Others {
    /// All columns of the relation, as they are.
    pub(super) fn of(subject: &Subject<'_>) -> Self {
        let column = |field: &FieldRef| {
            (field.name().clone(), (Arc::clone(field), identifier(field.name())))
        };
        Self(subject.schema.fields().iter().map(column).collect())
    }

    /// Columns with fields and SQL of their own.
    pub(super) fn new(columns: impl Iterator<Item = (FieldRef, String)>) -> Self {
        Self(columns.map(|(field, sql)| (field.name().clone(), (field, sql))).collect())
    }
}

impl AppliedMask {
    /// Binds a rule's mask to a column of `subject`.
    ///
    /// # Errors
    /// Why it does not fit the column, or what it reads.
    pub(super) fn bind(
        subject: &Subject<'_>,
        rule: &Rule,
        mask: &Mask,
        field: &FieldRef,
        others: &Others,
    ) -> Result<Self, Box<Diagnostic>> {
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
        fields.extend(others.0.values().map(|(field, _)| Arc::clone(field)));
        let described = subject
            .binding
            .resolver
            .describe(function, &spec, &fields)
            .map_err(|error| Box::new(refusals::unbound(subject, rule, mask, field, &error)))?;
        let there = |name: &String| match others.0.get(name) {
            Some((field, sql)) => Ok((Arc::clone(field), sql.clone())),
            None => Err(Box::new(refusals::missing_input(subject, mask, field, name))),
        };
        let read = described.inputs().iter().map(there).collect::<Result<Vec<_>, _>>()?;
        let (fields, arguments) = read.into_iter().unzip();
        spec.inputs = described.inputs().to_vec();
        let lookup = spec.params.get("lookup").and_then(|name| name.as_str());
        let lookup = lookup.and_then(|name| subject.binding.resolver.lookup_digest(name));
        Ok(Self {
            function: function.name(),
            inputs: described.inputs().to_vec(),
            reads_masked: described.reads_masked(),
            arguments,
            others: fields,
            properties: described.properties(),
            output: described.output(),
            spec,
            lookup,
        })
    }

    /// The call in compiled SQL.
    pub(super) fn sql(&self, column: &str) -> String {
        let others: String = self.arguments.iter().map(|sql| format!(", {sql}")).collect();
        let spec = self.spec.canonical().replace('\'', "''");
        format!("{}({}, '{spec}'{others})", sql_name(self.function), identifier(column))
    }
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
