//! The section `tracking`.

use super::names::Findings;
use crate::de::from_node;
use crate::location::Spanned;
use crate::model::{OnChange, SchemaTracking, Source, Tracking};
use crate::node::Node;
use crate::problem::Thing;
use crate::raw::{RawOnChange, RawSchemas, RawTracking};

pub(super) fn resolve(
    findings: &mut Findings,
    raw: Vec<RawTracking>,
    sources: &[Source],
) -> Tracking {
    let (mut schemas, mut runs) = (Vec::new(), Vec::new());
    for raw in raw {
        schemas.extend(raw.schemas.map(|raw| self::schemas(findings, raw, sources)));
        runs.extend(raw.runs.and_then(|raw| raw.retention));
    }
    for twice in runs.iter().skip(1) {
        findings.invalid("the retention of run records", "said once", twice.at);
    }
    let tracked = || schemas.iter().flat_map(|tracking: &SchemaTracking| &tracking.sources);
    findings.unique(Thing::Source, tracked());
    Tracking { schemas, runs: runs.into_iter().next() }
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
