//! `ip`: prefix-preserving encryption of IP addresses.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::error::{BindError, MaskError};
use crate::forms::{is_text, map_read, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::prefixes::{Address, Prefixes};
use crate::properties::{Preserves, Properties, Uniqueness};

/// Addresses that keep what networks they share.
pub(super) struct Ip;

/// Parameters of `ip`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// What encrypts: `ipcrypt_pfx` (draft-denis-ipcrypt) or `crypto_pan`.
    #[serde(default)]
    algorithm: Algorithm,
}

/// A prefix-preserving encryption.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Algorithm {
    /// ipcrypt-pfx of draft-denis-ipcrypt.
    #[default]
    IpcryptPfx,
    /// Crypto-PAn.
    CryptoPan,
}

impl Function for Ip {
    fn name(&self) -> &'static str {
        "ip"
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
            summary: "Every IP address becomes another, by key, so that addresses of one network \
                      stay in one network, and no two become the same.",
            privacy: "How many first bits two addresses share remains, so whoever knows where one \
                      address went knows the network of its neighbours. Whoever holds the key can \
                      compute the value. One address may stay itself by chance.",
            nulls: "Null stays null, empty stays empty. What is no IPv4 or IPv6 address, networks \
                    (`10.0.0.0/8`) and addresses with a port among it, becomes null. IPv6 addresses \
                    are written as RFC 5952 has them: two spellings of one are one value.",
            examples: vec![
                example(
                    "{}",
                    &["192.0.2.1", "192.0.2.17", "198.51.100.1", "2001:db8::1", "2001:db8::2"],
                    &[
                        "85.56.206.96",
                        "85.56.206.125",
                        "81.197.73.176",
                        "d84b:fb5:a6dd:5500:19ed:1f25:7007:ce5b",
                        "d84b:fb5:a6dd:5500:19ed:1f25:7007:ce59",
                    ],
                ),
                example(
                    r#"{"algorithm": "crypto_pan"}"#,
                    &["192.0.2.1", "192.0.2.17", "2001:db8::1"],
                    &["204.31.242.63", "204.31.242.38", "13e0:f986:ff3:c7e0:7001:b03f:fc11:ffee"],
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
        let Params { algorithm } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let prefixes = match algorithm {
            Algorithm::IpcryptPfx => Prefixes::ipcrypt(&key.secret("ipcrypt_pfx")),
            Algorithm::CryptoPan => Prefixes::crypto_pan(&key.secret("crypto_pan")),
        };
        Ok(Box::new(Bound { input: context.input.clone(), prefixes }))
    }
}

/// An address, and whether it is of IPv4 written as one of IPv6: it maps as the IPv4 address does.
#[inline]
fn read(text: &str) -> Option<(Address, bool)> {
    match text.parse().ok()? {
        IpAddr::V4(address) => Some((Address::V4(address.to_bits()), false)),
        IpAddr::V6(address) => Some(match address.to_ipv4_mapped() {
            Some(mapped) => (Address::V4(mapped.to_bits()), true),
            None => (Address::V6(address.to_bits()), false),
        }),
    }
}

#[inline]
fn write(address: Address, mapped: bool, out: &mut Vec<u8>) {
    // Writing to a Vec<u8> has no failure to report.
    let _infallible = match address {
        Address::V4(bits) => {
            if mapped {
                out.extend_from_slice(b"::ffff:");
            }
            let mut number = itoa::Buffer::new();
            for (place, byte) in Ipv4Addr::from_bits(bits).octets().into_iter().enumerate() {
                if place > 0 {
                    out.push(b'.');
                }
                out.extend_from_slice(number.format(byte).as_bytes());
            }
            Ok(())
        }
        Address::V6(bits) => write!(out, "{}", Ipv6Addr::from_bits(bits)),
    };
}

struct Bound {
    input: DataType,
    prefixes: Prefixes,
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        self.input.clone()
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Bijective,
            preserves: Preserves { format: true, null: true, ..Preserves::default() },
            may_return_input: true,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |values| {
            let change = |addresses: &mut [Address]| {
                addresses.iter_mut().for_each(|address| *address = self.prefixes.encrypt(*address));
            };
            map_read(values, read, change, write)
        })
    }
}
