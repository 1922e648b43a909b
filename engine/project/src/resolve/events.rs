//! Who is told of operations.

use super::names::Findings;
use crate::location::Spanned;
use crate::model::{Destination, Topic};
use crate::raw::{RawDestination, RawOpenLineage, RawTopic, RawWebhook};

/// Each destination; the schema has checked that it is one.
pub(super) fn resolve(
    findings: &mut Findings,
    raw: Vec<RawDestination>,
    project: &str,
) -> Vec<Destination> {
    raw.into_iter().filter_map(|raw| destination(findings, raw, project)).collect()
}

fn destination(findings: &mut Findings, raw: RawDestination, project: &str) -> Option<Destination> {
    let RawDestination { openlineage, prometheus, pushgateway, webhook } = raw;
    if let Some(raw) = openlineage {
        return self::openlineage(findings, raw);
    }
    if let Some(raw) = prometheus {
        return Some(Destination::Prometheus { file: raw.file });
    }
    if let Some(raw) = pushgateway {
        let job = raw.job.map(|job| {
            findings.name("pushgateway.job", &job);
            job.value
        });
        let job = job.unwrap_or_else(|| project.to_owned());
        return Some(Destination::Pushgateway { url: raw.url, job });
    }
    let RawWebhook { url, secret, when } = webhook?;
    let when = when.unwrap_or_else(|| vec![RawTopic::Failed, RawTopic::Security]);
    Some(Destination::Webhook { url, secret, when: when.into_iter().map(topic).collect() })
}

fn openlineage(findings: &mut Findings, raw: Spanned<RawOpenLineage>) -> Option<Destination> {
    match raw.value {
        RawOpenLineage { url: Some(url), api_key, file: None } => {
            Some(Destination::OpenLineage { url, api_key })
        }
        RawOpenLineage { url: None, api_key: None, file: Some(file) } => {
            Some(Destination::OpenLineageFile { file })
        }
        _ => {
            let expected = "a mapping with `url`, and `api_key` where it needs one, or with `file`";
            findings.invalid("openlineage", expected, raw.at);
            None
        }
    }
}

fn topic(raw: RawTopic) -> Topic {
    match raw {
        RawTopic::Started => Topic::Started,
        RawTopic::Succeeded => Topic::Succeeded,
        RawTopic::Failed => Topic::Failed,
        RawTopic::Security => Topic::Security,
    }
}
