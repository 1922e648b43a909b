//! `ip`: prefix-preserving encryption of IP addresses.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::otherwise::{Misfits, Otherwise};
use super::params;
use crate::error::{BindError, MaskError};
use crate::feistel::Direction;
use crate::forms::{is_text, map_read, over_values_counted};
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
    /// What becomes of a text that is no address.
    #[serde(default)]
    otherwise: Otherwise,
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
                      restore every value. One address may stay itself by chance.",
            nulls: "Null stays null, empty stays empty. What is no IPv4 or IPv6 address, networks \
                    (`10.0.0.0/8`) and addresses with a port among it, is an error, or what \
                    `otherwise` says. IPv6 addresses are written as RFC 5952 has them: two spellings \
                    of one are one value, and are restored as that.",
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
        let Params { algorithm, otherwise } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        let prefixes = match algorithm {
            Algorithm::IpcryptPfx => Prefixes::ipcrypt(&key.secret("ipcrypt_pfx")),
            Algorithm::CryptoPan => Prefixes::crypto_pan(&key.secret("crypto_pan")),
        };
        let (input, misfits) = (context.input.clone(), otherwise.bound(context)?);
        let prefixes = Arc::new(prefixes);
        Ok(Box::new(Bound { input, prefixes, misfits, direction: Direction::Mask }))
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

#[derive(Clone)]
struct Bound {
    input: DataType,
    prefixes: Arc<Prefixes>,
    misfits: Misfits,
    direction: Direction,
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        self.input.clone()
    }

    fn properties(&self) -> Properties {
        let all_fit = self.misfits.all_fit();
        Properties {
            deterministic: true,
            reversible: all_fit,
            uniqueness: if all_fit { Uniqueness::Bijective } else { Uniqueness::Lossy },
            preserves: Preserves { format: all_fit, null: true, ..Preserves::default() },
            may_return_input: true,
        }
    }

    fn inverse(&self) -> Option<Box<dyn Mask>> {
        let direction = self.direction.reversed();
        self.misfits
            .all_fit()
            .then(|| -> Box<dyn Mask> { Box::new(Self { direction, ..self.clone() }) })
    }

    fn apply(&self, column: &ArrayRef, others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        Ok(self.apply_counted(column, others)?.0)
    }

    fn apply_counted(
        &self,
        column: &ArrayRef,
        _others: &[ArrayRef],
    ) -> Result<(ArrayRef, u64), MaskError> {
        let changed = match self.direction {
            Direction::Mask => Prefixes::encrypt,
            Direction::Restore => Prefixes::decrypt,
        };
        let change = |addresses: &mut [Address]| {
            addresses.iter_mut().for_each(|address| *address = changed(&self.prefixes, *address));
        };
        let misfit = |text: &str, out: &mut Vec<u8>| self.misfits.write(text, out);
        self.misfits.settle(over_values_counted(&self.input, column, |values| {
            map_read(values, read, change, write, misfit)
        })?)
    }
}
