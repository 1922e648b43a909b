//! `email`: a keyed address at a reserved domain.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use super::token::base32;
use crate::error::{BindError, MaskError};
use crate::forms::{is_text, map_text_keyed, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::lanes::Lanes;
use crate::normal::{Normal, normalize};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Characters of the local part: 26 × 5 = 130 bits.
const LOCAL_LENGTH: usize = 26;

/// Longest domain name: RFC 1035, section 2.3.4.
const DOMAIN_BYTES_MAX: usize = 253;

/// A keyed address.
pub(super) struct Email;

/// Parameters of `email`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Keeps the domain of a well-formed address. It may identify: an employer, a family.
    #[serde(default)]
    keep_domain: bool,
    /// The domain written otherwise. The default is reserved (RFC 2606) and receives no mail.
    #[serde(default = "reserved")]
    domain: String,
    /// Done to the address before it is keyed, so that spellings map alike.
    #[serde(default)]
    normalize: Vec<Normal>,
}

fn reserved() -> String {
    "example.com".to_owned()
}

impl Function for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn doc(&self) -> Doc {
        Doc {
            summary: "Every text becomes a valid, keyed e-mail address at a reserved domain.",
            privacy: "Only which rows held equal addresses remains, and the domain if it is kept.",
            nulls: "Null stays null, empty stays empty. What is no address is masked like one.",
            examples: vec![
                Example {
                    params: "{}",
                    input_type: DataType::Utf8,
                    input: &["ada@lovelace.org", "not an address"],
                    others: &[],
                    output: &[
                        "2hnlginqc7aqf3oehv5j4eadqy@example.com",
                        "gl4qdbb6gge3vpox7qcej6ghuz@example.com",
                    ],
                },
                Example {
                    params: r#"{"keep_domain": true, "domain": "masked.invalid", "normalize": ["casefold"]}"#,
                    input_type: DataType::Utf8,
                    input: &["Ada@lovelace.org", "ada@lovelace.org", "ada@not a domain"],
                    others: &[],
                    output: &[
                        "2hnlginqc7aqf3oehv5j4eadqy@lovelace.org",
                        "2hnlginqc7aqf3oehv5j4eadqy@lovelace.org",
                        "an5is3khxpicjapnzoqvfjikcx@masked.invalid",
                    ],
                },
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { keep_domain, domain, normalize } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        if !is_domain(&domain) {
            let expected = "a domain name of letters, digits, `-` and dots, as in `example.com`";
            return Err(BindError::out_of_range("domain", expected));
        }
        Ok(Box::new(Bound { input: context.input.clone(), key, keep_domain, domain, normalize }))
    }
}

/// Whether this is a domain name of at least two labels: RFC 1035, section 2.3.1, with
/// digits allowed first (RFC 1123, section 2.1).
pub(super) fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.len() <= DOMAIN_BYTES_MAX && domain.contains('.') && domain.split('.').all(is_label)
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    keep_domain: bool,
    domain: String,
    normalize: Vec<Normal>,
}

impl Bound {
    #[inline]
    fn write(&self, value: &str, draw: &Draw<'_>, out: &mut Vec<u8>) {
        base32(draw.bytes(), LOCAL_LENGTH, out);
        out.push(b'@');
        if !self.keep_domain {
            out.extend_from_slice(self.domain.as_bytes());
            return;
        }
        let value = normalize(&self.normalize, value);
        let kept = match value.rsplit_once('@') {
            Some((local, domain)) if is_local(local) && is_domain(domain) => domain,
            _ => &self.domain,
        };
        out.extend_from_slice(kept.as_bytes());
    }
}

/// Whether this can stand before the `@` of one address: what else could hide a second
/// address, or a value in the place of the domain.
pub(super) fn is_local(local: &str) -> bool {
    (1..=64).contains(&local.len())
        && !local.chars().any(|c| c.is_whitespace() || c.is_control() || c == '@')
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        self.input.clone()
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Injective { bits: 130 },
            preserves: Preserves { null: true, format: true, ..Preserves::default() },
            may_return_input: false,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |values| {
            let hash = |value: &str, lanes: &mut Lanes<'_>| {
                lanes.push(normalize(&self.normalize, value).as_bytes());
            };
            map_text_keyed(values, &self.key, hash, |value, (), draw, out| {
                self.write(value, &draw, out);
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains() {
        for domain in ["example.com", "a-b.c1.org", "3com.com"] {
            assert!(is_domain(domain), "{domain}");
        }
        for domain in ["", "localhost", "a..b", "-a.com", "a.com-", "a b.com", "é.com", "a.com."] {
            assert!(!is_domain(domain), "{domain}");
        }
    }
}
