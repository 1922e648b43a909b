//! `url`: a keyed address of the web; scheme and host may stay.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::email::is_domain;
use super::params;
use super::token::base32;
use crate::error::{BindError, MaskError};
use crate::forms::{is_text, map_text_keyed, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::lanes::Lanes;
use crate::normal::{Normal, normalize};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Characters of the path: 26 × 5 = 130 bits.
const PATH_LENGTH: usize = 26;
/// Schemes that are kept; others could be a name.
const SCHEMES: &[&str] = &["ftp", "http", "https", "sftp", "ws", "wss"];

/// A keyed address of the web.
pub(super) struct Url;

/// Parameters of `url`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Keeps the host of a well-formed address, without user and port. It may identify: an
    /// employer, a family.
    #[serde(default)]
    keep_host: bool,
    /// The host written otherwise. The default is reserved (RFC 2606).
    #[serde(default = "reserved")]
    host: String,
    /// Done to the address before it is keyed, so that spellings map alike.
    #[serde(default)]
    normalize: Vec<Normal>,
}

fn reserved() -> String {
    "example.com".to_owned()
}

impl Function for Url {
    fn name(&self) -> &'static str {
        "url"
    }

    fn doc(&self) -> Doc {
        let example = |params, input, output| Example {
            params,
            input_type: DataType::Utf8,
            input,
            others: &[],
            output,
        };
        Doc {
            summary: "Every text becomes a valid, keyed address of the web at a reserved host; a \
                      well-known scheme stays.",
            privacy: "Only which rows held equal addresses remains, the scheme, and the host if it \
                      is kept. User, port, path, query and fragment are gone.",
            nulls: "Null stays null, empty stays empty. What is no address is masked like one.",
            examples: vec![
                example(
                    "{}",
                    &["http://ada@lovelace.org:8080/notes?page=2#g", "not an address"],
                    &[
                        "http://example.com/tkk33ow37aimoaznbgydumzrha",
                        "https://example.com/7il4qhp4pzere6ao66nzs66nka",
                    ],
                ),
                example(
                    r#"{"keep_host": true}"#,
                    &["ftp://www.lovelace.org/notes", "https://localhost/"],
                    &[
                        "ftp://www.lovelace.org/5w3edovhptu4wogq6puqhfzhwi",
                        "https://example.com/khiz3hmjobggro3ldb3gz3gcse",
                    ],
                ),
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
        let Params { keep_host, host, normalize } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        if !is_domain(&host) {
            let expected = "a domain name of letters, digits, `-` and dots, as in `example.com`";
            return Err(BindError::out_of_range("host", expected));
        }
        Ok(Box::new(Bound { input: context.input.clone(), key, keep_host, host, normalize }))
    }
}

/// Scheme and host of an address: RFC 3986, section 3. Only names of hosts count, not numbers: those
/// are the addresses of machines.
pub(super) fn read(text: &str) -> (Option<&'static str>, Option<&str>) {
    let Some((scheme, rest)) = text.split_once("://") else { return (None, None) };
    let scheme = SCHEMES.iter().copied().find(|known| known.eq_ignore_ascii_case(scheme));
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let named = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_alphabetic()));
    (scheme, Some(host).filter(|host| scheme.is_some() && named && is_domain(host)))
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    keep_host: bool,
    host: String,
    normalize: Vec<Normal>,
}

impl Bound {
    #[inline]
    fn write(&self, value: &str, draw: &Draw<'_>, out: &mut Vec<u8>) {
        let value = normalize(&self.normalize, value);
        let (scheme, host) = read(&value);
        let host = host.filter(|_| self.keep_host).unwrap_or(&self.host);
        for part in [scheme.unwrap_or("https"), "://", host, "/"] {
            out.extend_from_slice(part.as_bytes());
        }
        base32(draw.bytes(), PATH_LENGTH, out);
    }
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
    fn schemes_and_hosts() {
        for (text, expected) in [
            ("HTTPS://Example.org", (Some("https"), Some("Example.org"))),
            ("http://u:p@a.b.org:80/x@y.org", (Some("http"), Some("a.b.org"))),
            ("http://a.org\\@b.org", (Some("http"), Some("a.org"))),
            ("http://a.org?q=@b.org", (Some("http"), Some("a.org"))),
            ("http://192.0.2.1/", (Some("http"), None)),
            ("http://[2001:db8::1]/", (Some("http"), None)),
            ("http://ada lovelace.org/", (Some("http"), None)),
            ("ada://lovelace.org/", (None, None)),
            ("lovelace.org", (None, None)),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
