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
    let raw = raw.into_iter().filter_map(|tracking| tracking.schemas);
    let schemas: Vec<SchemaTracking> = raw.map(|raw| schemas(findings, raw, sources)).collect();
    let tracked = || schemas.iter().flat_map(|tracking| &tracking.sources);
    findings.unique(Thing::Source, tracked());
    Tracking { schemas }
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
    SchemaTracking { sources: raw.sources, on_change, values: raw.values }
}
