//! The chosen target.

use std::collections::BTreeMap;

use super::events;
use super::names::Findings;
use crate::location::Spanned;
use crate::model::{Connection, Execution, KeyProvider, Keys, Target};
use crate::node::{Node, Value};
use crate::problem::ProblemKind;
use crate::raw::{RawExecution, RawKeys, RawProvider, RawTarget};

pub(super) fn resolve(
    findings: &mut Findings,
    project: &str,
    name: Spanned<String>,
    raw: Spanned<RawTarget>,
) -> Target {
    findings.identifier("the target's name", &name);
    let RawTarget { store, protected, keys, connections, events, execution, vars: _ } = raw.value;
    if !has_scheme(store.value.reveal()) {
        findings.invalid(
            "store",
            "a URL, such as file://target/store or s3://bucket/path",
            store.at,
        );
    }
    let keys = self::keys(findings, &name.value, keys);
    let connections =
        connections.map(|node| self::connections(findings, &node)).unwrap_or_default();
    let events = events::resolve(findings, events, project);
    let execution = self::execution(findings, execution);
    Target { name, store, protected, keys, connections, events, execution }
}

fn has_scheme(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, rest)| {
        let valid =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme.chars().all(valid)
            && !rest.is_empty()
    })
}

fn keys(findings: &mut Findings, target: &str, raw: Spanned<RawKeys>) -> Keys {
    let Spanned { value: RawKeys { provider, keyring, env, path, rotation }, at } = raw;
    let missing = |key: &str| ProblemKind::MissingKey {
        key: key.to_owned(),
        within: format!("targets.{target}.keys"),
    };
    if let Some(env) = env.as_ref().filter(|env| !is_variable(&env.value)) {
        findings.invalid("keys.env", "the name of an environment variable, not its value", env.at);
    }
    let provider = match (provider, env, path) {
        (RawProvider::Passphrase, env, None) => KeyProvider::Passphrase { env },
        (RawProvider::Environment, Some(env), None) => KeyProvider::Environment { env },
        (RawProvider::File, None, Some(path)) => KeyProvider::File { path },
        (RawProvider::Environment, None, None) => {
            findings.report(missing("env"), at);
            KeyProvider::Passphrase { env: None }
        }
        (RawProvider::File, None, None) => {
            findings.report(missing("path"), at);
            KeyProvider::Passphrase { env: None }
        }
        (RawProvider::File, Some(env), _) => {
            findings.invalid("keys.env", "left out with provider `file`", env.at);
            KeyProvider::Passphrase { env: None }
        }
        (RawProvider::Passphrase | RawProvider::Environment, _, Some(path)) => {
            findings.invalid("keys.path", "left out, except with provider `file`", path.at);
            KeyProvider::Passphrase { env: None }
        }
    };
    let max_age = rotation.map(|rotation| rotation.max_age);
    Keys { keyring, provider, max_age, at }
}

fn is_variable(name: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(valid)
}

fn connections(findings: &mut Findings, node: &Node) -> BTreeMap<String, Connection> {
    let mut connections = BTreeMap::new();
    for (name, value) in node.entries() {
        findings.identifier("a connection's name", name);
        let (kinds, params): (Vec<_>, Vec<_>) =
            value.entries().iter().cloned().partition(|(key, _)| key.value == "type");
        let kind = kinds.first().and_then(|(_, kind)| Some((kind.as_str()?, kind.at)));
        if kind.is_none() {
            let expected = "the name of a connector, in clear";
            findings.invalid(format!("connections.{name}.type"), expected, name.at);
        }
        // Without a kind it stays declared: that nobody knows it would be a second complaint about one mistake.
        let (kind, at) = kind.unwrap_or(("", name.at));
        let kind = Spanned::new(kind.to_owned(), at);
        let params = Node::new(value.at, Value::Map(params));
        connections.insert(name.value.clone(), Connection { name: name.clone(), kind, params });
    }
    connections
}

fn execution(findings: &mut Findings, raw: RawExecution) -> Execution {
    let memory_bytes = raw.memory.and_then(|node| {
        let bytes = match &node.value {
            Value::Int(bytes) => u64::try_from(*bytes).ok(),
            Value::Str(text) => bytes(text),
            Value::Secret(secret) => bytes(secret.reveal()),
            _ => None,
        };
        if bytes.is_none() {
            findings.invalid(
                "execution.memory",
                "a number of bytes, or a size such as 512MiB or 1GiB",
                node.at,
            );
        }
        bytes
    });
    let batch_rows = raw.batch_rows.unwrap_or(Execution::default().batch_rows);
    Execution { jobs: raw.jobs, memory_bytes, batch_rows }
}

/// Bytes of a size: a whole number and a unit, decimal (SI) or binary (IEC 80000-13).
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("1GiB"), Some(1_073_741_824));
        assert_eq!(bytes(" 512 MB "), Some(512_000_000));
        assert_eq!(bytes("7"), Some(7));
        for text in ["", "GiB", "1 gib", "-1", "1.5GiB", "0", "99999999999TiB", "1é"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn stores_are_urls() {
        assert!(has_scheme("file://target/store"));
        assert!(has_scheme("s3://bucket"));
        for text in ["target/store", "://x", "file://", "1s://x", "C:\\store"] {
            assert!(!has_scheme(text), "{text}");
        }
    }
}
