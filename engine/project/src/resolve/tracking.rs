//! The section `tracking`.

use std::collections::{BTreeMap, BTreeSet};

use super::names::Findings;
use super::reference;
use crate::de::from_node;
use crate::location::{Location, Spanned};
use crate::model::{
    Export, History, HistoryReference, OnChange, Retention, SchemaTracking, Source, Tracking,
};
use crate::node::Node;
use crate::problem::{Problem, ProblemKind, Thing};
use crate::raw::{RawHistory, RawHistoryReference, RawOnChange, RawSchemas, RawTracking};

pub(super) fn resolve(
    findings: &mut Findings,
    raw: Vec<RawTracking>,
    sources: &[Source],
    exports: &[Export],
    policies: &[Retention],
) -> Tracking {
    let (mut schemas, mut runs, mut histories) = (Vec::new(), Vec::new(), Vec::new());
    for tracking in raw {
        schemas.extend(tracking.schemas.map(|raw| self::schemas(findings, raw, sources)));
        runs.extend(tracking.runs.and_then(|raw| raw.retention));
        histories.extend(tracking.history);
    }
    for twice in runs.iter().skip(1) {
        findings.invalid("the retention of run records", "said once", twice.at);
    }
    let of_schemas = schemas.iter().filter_map(|tracking| tracking.retention.as_ref());
    let of_histories = histories.iter().filter_map(|history| history.value.retention.as_ref());
    for named in of_schemas.chain(&runs).chain(of_histories) {
        policy(findings, named, policies);
    }
    let tracked = || schemas.iter().flat_map(|tracking: &SchemaTracking| &tracking.sources);
    findings.unique(Thing::Source, tracked());
    findings.unique(Thing::History, histories.iter().map(|history| &history.value.name));
    let names: Vec<(String, usize)> = histories
        .iter()
        .map(|history| (history.value.name.value.clone(), history.value.key.len()))
        .collect();
    let histories: Vec<History> =
        histories.into_iter().filter_map(|raw| history(findings, raw, exports, &names)).collect();
    tables(findings, &histories, exports);
    one_tenant(findings, &histories, exports);
    no_former(findings, &histories, policies);
    same_age(findings, &histories, exports, policies);
    let runs = runs.into_iter().next();
    Tracking { schemas, runs, histories: with_tenants(findings, histories) }
}

/// Complains about a policy that does not exist.
fn policy(findings: &mut Findings, named: &Spanned<String>, policies: &[Retention]) {
    if !policies.iter().any(|known| known.name.value == named.value) {
        let among = policies.iter().map(|policy| policy.name.value.as_str());
        findings.unknown(Thing::Policy, &named.value, None, among, named.at);
    }
}

fn history(
    findings: &mut Findings,
    raw: Spanned<RawHistory>,
    exports: &[Export],
    histories: &[(String, usize)],
) -> Option<History> {
    let Spanned { value: raw, at } = raw;
    findings.identifier("a history's name", &raw.name);
    if raw.key.is_empty() {
        findings.invalid("key", "the columns that tell rows apart", at);
    }
    findings.unique(Thing::Column, &raw.key);
    let references: Vec<HistoryReference> = raw
        .references
        .into_iter()
        .filter_map(|raw| history_reference(findings, raw, histories))
        .collect();
    let mut names: BTreeMap<&str, &HistoryReference> = BTreeMap::new();
    for reference in &references {
        if names.insert(&reference.name, reference).is_some() {
            findings.invalid("references", "references with different names", reference.at);
        }
    }
    let Some(of) = reference::parse_export(&raw.of.value) else {
        findings.invalid("of", "`export('name')`", raw.of.at);
        return None;
    };
    let Some(export) = exports.iter().find(|export| export.name.value == of) else {
        let among = exports.iter().map(|export| export.name.value.as_str());
        findings.unknown(Thing::Export, &of, None, among, raw.of.at);
        return None;
    };
    Some(History {
        name: raw.name,
        of: Spanned::new(of, raw.of.at),
        key: raw.key,
        tenant: raw.tenant.or_else(|| export.tenant.clone()),
        references,
        retention: raw.retention,
        at,
    })
}

fn history_reference(
    findings: &mut Findings,
    raw: Spanned<RawHistoryReference>,
    histories: &[(String, usize)],
) -> Option<HistoryReference> {
    let Spanned { value: raw, at } = raw;
    findings.unique(Thing::Column, &raw.columns);
    let columns: Vec<&str> = raw.columns.iter().map(|column| column.value.as_str()).collect();
    let name = raw.name.map_or_else(|| columns.join("_"), |name| name.value);
    let Some((_, keys)) = histories.iter().find(|(name, _)| *name == raw.to.value) else {
        let among = histories.iter().map(|(name, _)| name.as_str());
        findings.unknown(Thing::History, &raw.to.value, None, among, raw.to.at);
        return None;
    };
    if *keys != columns.len() {
        let expected = format!("{keys} columns, as many as the key of `{}` has", raw.to.value);
        findings.invalid("columns", expected, at);
        return None;
    }
    Some(HistoryReference { name, columns: raw.columns, to: raw.to, tenant: raw.tenant, at })
}

/// Tables of histories stand beside exports in SQL: no two may have one name.
fn tables(findings: &mut Findings, histories: &[History], exports: &[Export]) {
    let mut taken: BTreeMap<String, Location> =
        exports.iter().map(|export| (export.name.value.clone(), export.name.at)).collect();
    let mut seen = BTreeSet::new();
    // The same name twice is a finding of its own.
    for history in histories.iter().filter(|history| seen.insert(&history.name.value)) {
        for ending in History::NAMES {
            let table = format!("{}{ending}", history.name.value);
            let Some(other) = taken.get(&table) else {
                taken.insert(table, history.name.at);
                continue;
            };
            let expected = format!("a name for tables of its own: `{table}` is there already");
            let path = "a history's name".to_owned();
            let kind = ProblemKind::InvalidValue { path, expected, nearest: None };
            let problem = Problem::new(kind, history.name.at);
            findings.problems.push(problem.with_related(*other, "this is called so"));
            break;
        }
    }
}

/// An export and its histories say whose a row is by one column: a tenant's name means one thing in a query.
fn one_tenant(findings: &mut Findings, histories: &[History], exports: &[Export]) {
    let mut known: BTreeMap<&str, &Spanned<String>> = exports
        .iter()
        .filter_map(|export| Some((export.name.value.as_str(), export.tenant.as_ref()?)))
        .collect();
    for history in histories {
        let Some(own) = &history.tenant else { continue };
        let first = known.entry(history.of.value.as_str()).or_insert(own);
        if first.value != own.value {
            let expected = format!("`{}`, as elsewhere for this export", first.value);
            findings.invalid("tenant", expected, own.at);
        }
    }
}

/// A table of a history that is kept is no former export: what goes of the hub would take the satellite along.
fn no_former(findings: &mut Findings, histories: &[History], policies: &[Retention]) {
    let is_table = |name: &str| {
        let mut names = histories.iter().filter_map(|one| name.strip_prefix(&one.name.value));
        names.any(|ending| History::TABLES.contains(&ending))
    };
    let former = policies.iter().flat_map(|policy| &policy.former_exports);
    for name in former.filter(|name| is_table(&name.value)) {
        let expected = "one that the project no longer has; this is a table of a history";
        findings.invalid("a former export", expected, name.at);
    }
}

/// Rows that expire by their age expire from an export and its history alike: what one lets go, the other would keep
/// or find again.
fn same_age(
    findings: &mut Findings,
    histories: &[History],
    exports: &[Export],
    policies: &[Retention],
) {
    let by_age = |named: Option<&Spanned<String>>| {
        let named = &named?.value;
        let policy = policies.iter().find(|policy| policy.name.value == *named)?;
        policy.rows.as_ref().map(|_| named.clone())
    };
    for history in histories {
        let export = exports.iter().find(|export| export.name.value == history.of.value);
        let of_export = by_age(export.and_then(|export| export.retention.as_ref()));
        let own = by_age(history.retention.as_ref());
        match (of_export, own, &history.retention) {
            (Some(policy), own, _) if own.as_ref() != Some(&policy) => {
                let expected =
                    format!("`retention: {policy}` beside it, by which rows of the export expire");
                findings.invalid("of", expected, history.of.at);
            }
            (None, Some(policy), Some(named)) => {
                let expected = format!(
                    "a policy without `rows`, or `retention: {policy}` at export `{}` as well",
                    history.of.value
                );
                findings.invalid("retention", expected, named.at);
            }
            _ => {}
        }
    }
}

/// References to histories with tenants say whose what they refer to is: as a rule, whose the row is.
fn with_tenants(findings: &mut Findings, mut histories: Vec<History>) -> Vec<History> {
    let tenants: BTreeMap<String, bool> = histories
        .iter()
        .map(|history| (history.name.value.clone(), history.tenant.is_some()))
        .collect();
    for history in &mut histories {
        let own = history.tenant.clone();
        for reference in &mut history.references {
            let has_tenants = tenants.get(&reference.to.value).copied().unwrap_or_default();
            match (&reference.tenant, has_tenants) {
                (None, true) if own.is_none() => {
                    let expected =
                        format!("`tenant`, because `{}` has tenants", reference.to.value);
                    findings.invalid("a reference", expected, reference.at);
                }
                (None, true) => reference.tenant.clone_from(&own),
                (Some(tenant), false) => {
                    let expected =
                        format!("nothing, because `{}` has no tenants", reference.to.value);
                    findings.invalid("tenant", expected, tenant.at);
                }
                (None, false) | (Some(_), true) => {}
            }
        }
    }
    histories
}

fn schemas(findings: &mut Findings, raw: RawSchemas, sources: &[Source]) -> SchemaTracking {
    for source in &raw.sources {
        if !sources.iter().any(|known| known.name.value == source.value) {
            let among = sources.iter().map(|known| known.name.value.as_str());
            findings.unknown(Thing::Source, &source.value, None, among, source.at);
        }
    }
    let entries = raw.on_change.as_ref().map(Node::entries).unwrap_or_default();
    let mut on_change: Vec<(Spanned<String>, OnChange)> = Vec::with_capacity(entries.len());
    for (kind, node) in entries {
        match from_node::<RawOnChange>(node) {
            Ok(RawOnChange::Ignore) => on_change.push((kind.clone(), OnChange::Ignore)),
            Ok(RawOnChange::Warn) => on_change.push((kind.clone(), OnChange::Warn)),
            Ok(RawOnChange::Fail) => on_change.push((kind.clone(), OnChange::Fail)),
            Err(error) => {
                findings.invalid("what a change means", error.message, error.at.unwrap_or(node.at));
            }
        }
    }
    let RawSchemas { sources, values, retention, .. } = raw;
    SchemaTracking { sources, on_change, values, retention }
}
