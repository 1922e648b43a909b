//! Turns the JSON of a connection's or table's parameters into the type that needs it.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{ParameterProblem, SourceError, SourceErrorKind};

/// Reads parameters; null stands for no parameters at all.
///
/// # Errors
/// A parameter error with the JSON path of the offending key. Serde's own text quotes the
/// value, which may be a secret, so only what was expected is kept of it.
pub(crate) fn parse<T: DeserializeOwned>(params: &Value) -> Result<T, SourceError> {
    let empty = Value::Object(serde_json::Map::new());
    let params = if params.is_null() { &empty } else { params };
    serde_path_to_error::deserialize(params).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        parameter(&path, &error.inner().to_string())
    })
}

/// Reads parameters that stand under a key of others.
///
/// # Errors
/// As [`parse`], with the whole path.
pub(crate) fn parse_below<T: DeserializeOwned>(
    key: &str,
    params: &Value,
) -> Result<T, SourceError> {
    parse(params).map_err(|error| match error.kind() {
        SourceErrorKind::Parameter { path, problem } => {
            let path = if path.is_empty() { key.to_owned() } else { format!("{key}.{path}") };
            SourceErrorKind::Parameter { path, problem: problem.clone() }.into()
        }
        _ => error,
    })
}

/// A parameter error at `path`, with a sentence that says what was expected.
pub(crate) fn invalid(path: &str, expected: impl Into<String>) -> SourceError {
    SourceError::new(SourceErrorKind::Parameter {
        path: path.to_owned(),
        problem: ParameterProblem::Invalid { expected: expected.into() },
    })
}

fn parameter(path: &str, text: &str) -> SourceError {
    let (path, problem) = if text.starts_with("unknown field") {
        // serde_path_to_error's path already ends with the unknown key.
        (path.to_owned(), ParameterProblem::UnknownKey { valid: quoted_after_expected(text) })
    } else if text.starts_with("missing field") {
        let name = quoted(text).into_iter().next().unwrap_or_default();
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        (path, ParameterProblem::Missing)
    } else if text.starts_with("unknown variant") {
        (path.to_owned(), ParameterProblem::NotOneOf { valid: quoted_after_expected(text) })
    } else {
        let expected = text.rsplit_once(", expected ").map_or_else(
            || "is not valid".to_owned(),
            |(_, expected)| format!("must be {expected}"),
        );
        (path.to_owned(), ParameterProblem::Invalid { expected })
    };
    SourceError::new(SourceErrorKind::Parameter { path, problem })
}

fn quoted_after_expected(text: &str) -> Vec<String> {
    text.rsplit_once("expected ").map(|(_, list)| quoted(list)).unwrap_or_default()
}

fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Probe {
        #[expect(dead_code, reason = "only its presence is tested")]
        path: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only its type is tested")]
        nulls: Vec<String>,
        #[serde(default)]
        #[expect(dead_code, reason = "only its type is tested")]
        mode: Option<Mode>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Fast,
        Slow,
    }

    fn kind(params: &Value) -> SourceErrorKind {
        parse::<Probe>(params).expect_err("the parameters are wrong").kind().clone()
    }

    #[test]
    fn an_unknown_key_lists_the_valid_ones() {
        let expected = SourceErrorKind::Parameter {
            path: "pth".to_owned(),
            problem: ParameterProblem::UnknownKey {
                valid: vec!["path".to_owned(), "nulls".to_owned(), "mode".to_owned()],
            },
        };
        assert_eq!(kind(&json!({"path": "x", "pth": "y"})), expected);
    }

    #[test]
    fn a_wrong_type_gives_the_path_and_not_the_value() {
        let SourceErrorKind::Parameter { path, problem } =
            kind(&json!({"path": "x", "nulls": ["", {"canary-7": 1}]}))
        else {
            panic!("another kind of error");
        };
        assert_eq!(path, "nulls[1]");
        assert!(!problem.to_string().contains("canary"), "{problem}");
        let text = kind(&json!({"path": 4711})).to_string();
        assert_eq!(text, "parameter `path` must be a string");
    }

    #[test]
    fn a_missing_key_and_a_wrong_variant() {
        assert_eq!(kind(&Value::Null).to_string(), "parameter `path` is required");
        assert_eq!(
            kind(&json!({"path": "x", "mode": "canary"})).to_string(),
            "parameter `mode` must be one of fast, slow"
        );
    }
}
