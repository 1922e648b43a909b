//! Secrets written out in `profiles.yml`: found, refused, and kept out of messages.
//!
//! Secrets belong into the environment. One that stands in the file all the same is an
//! error, and the text that messages show of the file has `*` in its place, byte for byte.

use crate::location::Location;
use crate::node::{Node, Value};
use crate::problem::{Problem, ProblemKind};
use crate::render::is_template;

/// Parts of keys whose values are secrets.
const SECRET_WORDS: [&str; 12] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "private_key",
    "api_key",
    "apikey",
    "access_key",
    "account_key",
];
/// Ends of keys whose values name where a secret is, or who it belongs to.
const NAMING_ENDS: [&str; 6] = ["_env", "_file", "_path", "_id", "_name", "_url"];

/// Literal secrets of a tree: the problem, and the bytes that must not be shown.
pub(crate) fn find(node: &Node) -> Vec<(Problem, Location)> {
    let mut found = Vec::new();
    collect(node, Key { name: "", at: node.at, secret: false }, &mut found);
    found
}

/// The key a value stands under, and whether its name makes the value a secret.
#[derive(Clone, Copy)]
struct Key<'n> {
    name: &'n str,
    at: Location,
    secret: bool,
}

fn collect(node: &Node, key: Key<'_>, found: &mut Vec<(Problem, Location)>) {
    let secret = match &node.value {
        Value::Map(entries) => {
            // What stands under these are names that users choose.
            let names = matches!(key.name, "targets" | "connections");
            for (name, value) in entries {
                let below = match key.secret {
                    // Below a secret key everything is secret: `password: {value: …}`.
                    true => key,
                    false => Key {
                        name: &name.value,
                        at: name.at,
                        secret: !names && is_secret_key(&name.value),
                    },
                };
                collect(value, below, found);
            }
            false
        }
        Value::Seq(items) => {
            items.iter().for_each(|item| collect(item, key, found));
            false
        }
        Value::Str(text) if is_template(text) => key.secret && !text.contains("env_var"),
        Value::Str(text) => (key.secret && !text.is_empty()) || has_inline_secret(text),
        Value::Int(_) | Value::Float(_) => key.secret,
        Value::Null | Value::Bool(_) | Value::Secret(_) => false,
    };
    if secret {
        let kind = ProblemKind::LiteralSecret { key: key.name.to_owned() };
        found.push((Problem::new(kind, key.at), node.at));
    }
}

fn is_secret_key(key: &str) -> bool {
    let key = key.to_lowercase().replace('-', "_");
    SECRET_WORDS.iter().any(|word| key.contains(word))
        && !NAMING_ENDS.iter().any(|end| key.ends_with(end))
}

/// `scheme://user:password@host`, or `…;password=…` as in connection strings.
fn has_inline_secret(text: &str) -> bool {
    let authority = text
        .split_once("://")
        .map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let user = authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
    let lower = text.to_lowercase();
    let assigned = SECRET_WORDS.iter().any(|word| {
        lower.match_indices(word).any(|(at, word)| {
            lower.get(at + word.len()..).is_some_and(|rest| rest.trim_start().starts_with('='))
        })
    });
    user.is_some_and(|user| user.contains(':')) || assigned
}

/// A text with ranges overwritten by `*`; lines and byte offsets stay.
pub(crate) fn blank(text: &str, ranges: impl IntoIterator<Item = Location>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for at in ranges {
        for byte in bytes.get_mut(at.start as usize..at.end as usize).into_iter().flatten() {
            if !matches!(*byte, b'\n' | b'\r') {
                *byte = b'*';
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| blank_all(text))
}

/// The text of a file that cannot be parsed. Which of its values are secret is not known:
/// when it mentions secrets outside of `env_var`, all that follows the first `:` of each line goes.
pub(crate) fn blank_unparsed(text: &str) -> String {
    let suspect = |line: &str| {
        let lower = line.to_lowercase();
        (SECRET_WORDS.iter().any(|word| lower.contains(word)) || lower.contains("://"))
            && !lower.contains("env_var")
    };
    if !text.lines().any(suspect) {
        return text.to_owned();
    }
    let line = |line: &str| match line.split_once(':') {
        Some((key, value)) => format!("{key}:{}", blank_all(value)),
        None => blank_all(line),
    };
    text.split_inclusive('\n').map(line).collect()
}

fn blank_all(text: &str) -> String {
    let star = |byte: u8| if byte.is_ascii_whitespace() { char::from(byte) } else { '*' };
    text.bytes().map(star).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::FileId;
    use crate::yaml;

    #[test]
    fn literal_secrets_are_found_and_not_shown() {
        let text = "targets:\n  é: {password: canary1, token_env: T, url: 'pg://u:canary2@h/d', dsn: 'Server=x;Password=canary3'}\n  \
                    b: {secret: \"{{ env_var('X') }}\", api_key: 12345, password_file: /x, ok: pg://u@h}\n  c: {password: |\n      canary4\n      canary5\n  }\n";
        let node = yaml::parse(FileId(0), text);
        // A block scalar inside flow style is no YAML; the rest is.
        assert!(node.is_err());
        let shown = blank_unparsed(text);
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(shown.len(), text.len());

        let text = text.replace(
            "  c: {password: |\n      canary4\n      canary5\n  }\n",
            "  c:\n    password: |\n      canary4\n      canary5\n",
        );
        let node = yaml::parse(FileId(0), &text).unwrap();
        let found = find(&node);
        let keys: Vec<String> = found.iter().map(|(problem, _)| problem.kind.message()).collect();
        assert_eq!(found.len(), 5, "{keys:?}");
        let shown = blank(&text, found.into_iter().map(|(_, at)| at));
        assert!(!shown.contains("canary") && !shown.contains("12345"), "{shown}");
        assert_eq!(shown.len(), text.len());
        assert!(shown.contains("ok: pg://u@h"));
    }

    #[test]
    fn names_are_no_keys_and_templates_without_the_environment_are_literal() {
        let text = "targets: {secret_lab: {store: s, connections: {token_db: {path: x}}}}";
        assert!(find(&yaml::parse(FileId(0), text).unwrap()).is_empty());
        let text = "a: {password: \"{{ 'canary' }}\", secret: {deep: [x, {er: y}]}}";
        assert_eq!(find(&yaml::parse(FileId(0), text).unwrap()).len(), 3);
    }
}
