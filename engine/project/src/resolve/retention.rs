//! The section `retention`.

use super::names::Findings;
use super::policies::approval;
use crate::location::Spanned;
use crate::model::{Export, Retention};
use crate::problem::Thing;
use crate::raw::{RawRetention, RawThen};

pub(super) fn resolve(
    findings: &mut Findings,
    raw: Vec<Spanned<RawRetention>>,
    exports: &[Export],
) -> Vec<Retention> {
    findings.unique(Thing::Policy, raw.iter().map(|policy| &policy.value.name));
    let policies: Vec<Retention> = raw.into_iter().map(|raw| policy(findings, raw)).collect();
    for name in exports.iter().filter_map(|export| export.retention.as_ref()) {
        if !policies.iter().any(|policy| policy.name.value == name.value) {
            let among = policies.iter().map(|policy| policy.name.value.as_str());
            findings.unknown(Thing::Policy, &name.value, None, among, name.at);
        }
    }
    policies
}

fn policy(findings: &mut Findings, raw: Spanned<RawRetention>) -> Retention {
    let Spanned { value: raw, at } = raw;
    findings.identifier("a policy's name", &raw.name);
    // The one thing there is to say.
    match raw.then {
        Some(RawThen::Delete) | None => {}
    }
    let (keep, max_age) = raw.snapshots.map_or((None, None), |rule| (rule.keep, rule.max_age));
    Retention {
        name: raw.name,
        keep,
        max_age,
        grace: raw.grace,
        legal_hold: raw.legal_hold.and_then(|hold| approval(findings, hold)),
        basis: raw.basis,
        at,
    }
}
