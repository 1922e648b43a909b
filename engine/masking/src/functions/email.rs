//! `email`: a keyed address at a reserved domain.

use std::collections::{BTreeMap, HashMap};

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

/// What stands for the token in `local`.
const TOKEN: &str = "{token}";

/// Longest local part: RFC 5321, section 4.5.3.1.1.
const LOCAL_BYTES_MAX: usize = 64;

/// Most domains that become others.
const DOMAINS_MAX: usize = 1_000;

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
    /// Domains that become others, by their names; before `keep_domain` and `domain`. At most 1000.
    #[serde(default)]
    map_domains: BTreeMap<String, String>,
    /// The part before the `@`: lower-case letters, digits, `.`, `-` and `_`, and `{token}` once, for 26
    /// keyed characters of 130 bits, which keep addresses apart.
    #[serde(default = "token_alone")]
    local: String,
    /// Done to the address before it is keyed, so that spellings map alike.
    #[serde(default)]
    normalize: Vec<Normal>,
}

fn token_alone() -> String {
    TOKEN.to_owned()
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
            privacy: "Only which rows held equal addresses remains, and the domain if it is kept or \
                      becomes another.",
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
                    params: r#"{"map_domains": {"lovelace.org": "customer.example"}, "local": "user-{token}"}"#,
                    input_type: DataType::Utf8,
                    input: &["ada@Lovelace.org", "grace@navy.mil"],
                    others: &[],
                    output: &[
                        "user-jcdsmu47qfrwjnskpowojrt7bi@customer.example",
                        "user-aiaijt2ge35uxr5wxav5ipf56t@example.com",
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
        let Params { keep_domain, domain, map_domains, local, normalize } =
            params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let expected = "a domain name of letters, digits, `-` and dots, as in `example.com`";
        if !is_domain(&domain) {
            return Err(BindError::out_of_range("domain", expected));
        }
        if map_domains.len() > DOMAINS_MAX {
            return Err(BindError::out_of_range("map_domains", "at most 1000 domains"));
        }
        if map_domains.iter().any(|(from, to)| !is_domain(from) || !is_domain(to)) {
            return Err(BindError::out_of_range("map_domains", expected));
        }
        let map_domains =
            map_domains.into_iter().map(|(from, to)| (from.to_ascii_lowercase(), to)).collect();
        let (before, after) = around_token(&local)?;
        let input = context.input.clone();
        Ok(Box::new(Bound {
            input,
            key,
            keep_domain,
            domain,
            map_domains,
            before,
            after,
            normalize,
        }))
    }
}

/// What stands before and after the token.
fn around_token(local: &str) -> Result<(String, String), BindError> {
    let plain = |text: &str| {
        text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'))
            && !text.contains("..")
    };
    let around = local.split_once(TOKEN).filter(|(before, after)| {
        plain(before)
            && plain(after)
            && !before.starts_with('.')
            && !after.ends_with('.')
            && before.len() + LOCAL_LENGTH + after.len() <= LOCAL_BYTES_MAX
    });
    let (before, after) = around.ok_or_else(|| {
        let expected = "`{token}` once, among at most 38 lower-case letters, digits, `-`, `_` and \
                        dots, as in `user-{token}`";
        BindError::out_of_range("local", expected)
    })?;
    Ok((before.to_owned(), after.to_owned()))
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
    /// By names in lower case.
    map_domains: HashMap<String, String>,
    /// What stands around the token.
    before: String,
    after: String,
    normalize: Vec<Normal>,
}

impl Bound {
    #[inline]
    fn write(&self, value: &str, draw: &Draw<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.before.as_bytes());
        base32(draw.bytes(), LOCAL_LENGTH, out);
        out.extend_from_slice(self.after.as_bytes());
        out.push(b'@');
        if !self.keep_domain && self.map_domains.is_empty() {
            out.extend_from_slice(self.domain.as_bytes());
            return;
        }
        let value = normalize(&self.normalize, value);
        let found = match value.rsplit_once('@') {
            Some((local, domain)) if is_local(local) && is_domain(domain) => Some(domain),
            _ => None,
        };
        let domain = found.map_or(self.domain.as_str(), |found| match self.mapped(found) {
            Some(mapped) => mapped,
            None if self.keep_domain => found,
            None => &self.domain,
        });
        out.extend_from_slice(domain.as_bytes());
    }

    #[inline]
    fn mapped(&self, domain: &str) -> Option<&str> {
        if self.map_domains.is_empty() {
            return None;
        }
        let found = self.map_domains.get(domain);
        found.or_else(|| self.map_domains.get(&domain.to_ascii_lowercase())).map(String::as_str)
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
