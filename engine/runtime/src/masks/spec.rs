//! A mask as it stands in compiled SQL: everything a worker needs to apply it, except the secret.
//!
//! ```text
//! mask_email("Email", '{"rule":"emails","linkage":"customer","key":"masking@1","params":{"keep_domain":false}}')
//! ```
//!
//! The second argument is the canonical JSON of a [`MaskSpec`]; further arguments are the other columns
//! of the row that the function reads.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name and version of a masking key: `name@version`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyRef {
    /// The key's name in the keyring.
    pub name: String,
    /// Its version, counted from 1.
    pub version: u32,
}

impl fmt::Display for KeyRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.name, self.version)
    }
}

/// The text was not `name@version`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key reference is written name@version")]
pub struct NotAKeyRef;

impl FromStr for KeyRef {
    type Err = NotAKeyRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, version) = text.rsplit_once('@').ok_or(NotAKeyRef)?;
        let version = version.parse().map_err(|_| NotAKeyRef)?;
        Ok(Self { name: name.to_owned(), version })
    }
}

impl Serialize for KeyRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A masking function bound to a rule's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskSpec {
    /// The rule that chose this mask.
    pub rule: String,
    /// The pseudonym space; absent for functions without a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linkage: Option<String>,
    /// The masking key; absent for functions without a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyRef>,
    /// The masked column's name, where it is part of the mapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The other columns it reads, in the order of the arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// The function's parameters, keys sorted.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub params: serde_json::Map<String, serde_json::Value>,
}

impl MaskSpec {
    /// The canonical text: fixed order of fields, parameters sorted by name.
    pub fn canonical(&self) -> String {
        let mut sorted = self.clone();
        sorted.params.sort_keys();
        serde_json::to_string(&sorted).unwrap_or_default()
    }
}

/// Whether parameters say that part of a value stays as it is, or follows another column as it is.
pub fn keeps_part(params: &serde_json::Map<String, serde_json::Value>) -> bool {
    use serde_json::Value;
    params.iter().any(|(name, value)| {
        let asked = match value {
            Value::Bool(asked) => *asked,
            Value::Number(count) => count.as_f64().is_some_and(|count| count > 0.0),
            _ => false,
        };
        (name.starts_with("keep_") && asked) || (name == "gender" && value.is_string())
    })
}

/// What stands before the name of a masking function in SQL.
const PREFIX: &str = "mask_";

/// The name under which a masking function stands in SQL.
pub fn sql_name(function: &str) -> String {
    format!("{PREFIX}{function}")
}

/// Whether a function of SQL is a mask.
pub fn is_mask(name: &str) -> bool {
    name.starts_with(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_canonical_and_reads_back() {
        let text = r#"{"params":{"b":1,"a":[2]},"key":"masking@3","linkage":"x","rule":"r"}"#;
        let spec: MaskSpec = serde_json::from_str(text).unwrap();
        let canonical = spec.canonical();
        assert_eq!(
            canonical,
            r#"{"rule":"r","linkage":"x","key":"masking@3","params":{"a":[2],"b":1}}"#
        );
        assert_eq!(serde_json::from_str::<MaskSpec>(&canonical).unwrap().canonical(), canonical);
    }

    #[test]
    fn a_key_without_a_version_is_refused() {
        assert!("masking".parse::<KeyRef>().is_err());
        assert!("masking@x".parse::<KeyRef>().is_err());
    }
}
