//! Prefix-preserving encryption of addresses: two that share their first n bits share the first n bits
//! of their results, and no more.
//!
//! ```text
//!  bit n of the result = bit n of the address ⊕ f(the n bits before it)
//!
//!  ipcrypt-pfx   f = last bit of AES(K1, p) ⊕ AES(K2, p)   p: 0… 1 ‖ the n bits
//!  Crypto-PAn    f = first bit of AES(K, p)                p: the n bits ‖ the rest of the pad
//! ```
//!
//! All the p of an address are known beforehand, so their encryptions run side by side. ipcrypt-pfx is
//! that of draft-denis-ipcrypt; Crypto-PAn that of Xu, Fan, Ammar, Moon, "Prefix-Preserving IP Address
//! Anonymization", 2002, with the 128 bits of IPv6 as its implementations have them.

use aes::Aes128;
use aes::cipher::{Array, Block, BlockCipherEncrypt, KeyInit};

/// Bits of the longest address.
const BITS_MAX: usize = 128;
/// `::ffff:0:0/96`, before an IPv4 address: RFC 4291, section 2.5.5.2.
const MAPPED: u128 = 0xffff << 32;

/// An address: its bits, as the last ones, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    /// 32 bits.
    V4(u32),
    /// 128 bits.
    V6(u128),
}

/// A prefix-preserving encryption under a key.
pub(crate) enum Prefixes {
    /// ipcrypt-pfx.
    Ipcrypt(Box<(Aes128, Aes128)>),
    /// Crypto-PAn.
    CryptoPan {
        /// Encrypts prefixes.
        cipher: Box<Aes128>,
        /// What stands in for the bits after a prefix.
        pad: u128,
    },
}

fn halves(key: &[u8; 32]) -> (Aes128, [u8; 16]) {
    let first = key.first_chunk().copied().unwrap_or_default();
    let last = key.last_chunk().copied().unwrap_or_default();
    (Aes128::new(&Array::from(first)), last)
}

impl Prefixes {
    pub(crate) fn ipcrypt(key: &[u8; 32]) -> Self {
        let (first, last) = halves(key);
        Self::Ipcrypt(Box::new((first, Aes128::new(&Array::from(last)))))
    }

    pub(crate) fn crypto_pan(key: &[u8; 32]) -> Self {
        let (cipher, last) = halves(key);
        let mut pad = Array::from(last);
        cipher.encrypt_block(&mut pad);
        Self::CryptoPan { cipher: Box::new(cipher), pad: u128::from_be_bytes(pad.into()) }
    }

    /// The address encrypted.
    #[inline]
    pub(crate) fn encrypt(&self, address: Address) -> Address {
        match address {
            Address::V4(bits) => {
                // The changed bits are the last 32.
                Address::V4(bits ^ self.changes(u128::from(bits), 32) as u32)
            }
            Address::V6(bits) => Address::V6(bits ^ self.changes(bits, 128)),
        }
    }

    /// The address whose encryption this is: bit by bit, because what changes one are those before it.
    pub(crate) fn decrypt(&self, address: Address) -> Address {
        match address {
            Address::V4(bits) => Address::V4(self.restored(u128::from(bits), 32) as u32),
            Address::V6(bits) => Address::V6(self.restored(bits, 128)),
        }
    }

    fn restored(&self, bits: u128, length: u32) -> u128 {
        (0..length).fold(bits, |restored, kept| {
            // The bits before this one are right already.
            let block = self.block(restored, length, kept);
            let changes = match self {
                Self::Ipcrypt(ciphers) => {
                    last_bit(&encrypted(&ciphers.0, block))
                        ^ last_bit(&encrypted(&ciphers.1, block))
                }
                Self::CryptoPan { cipher, .. } => first_bit(&encrypted(cipher, block)),
            };
            restored ^ changes << (length - 1 - kept)
        })
    }

    /// The bits of an address of so many that change.
    fn changes(&self, bits: u128, length: u32) -> u128 {
        let mut first = [Block::<Aes128>::default(); BITS_MAX];
        let length_max = length as usize;
        let Some(first) = first.get_mut(..length_max) else { return 0 };
        match self {
            Self::Ipcrypt(ciphers) => {
                // As `block` has them, one bit more each.
                let mut prefix = start(length);
                for (block, bit) in first.iter_mut().zip((0..length).rev()) {
                    *block = Array::from(prefix.to_be_bytes());
                    prefix = prefix << 1 | bits >> bit & 1;
                }
                let mut second = [Block::<Aes128>::default(); BITS_MAX];
                let Some(second) = second.get_mut(..length_max) else { return 0 };
                second.copy_from_slice(first);
                ciphers.0.encrypt_blocks(first);
                ciphers.1.encrypt_blocks(second);
                first.iter().zip(second.iter()).fold(0, |changes, (first, second)| {
                    changes << 1 | last_bit(first) ^ last_bit(second)
                })
            }
            Self::CryptoPan { cipher, .. } => {
                for (block, kept) in first.iter_mut().zip(0..length) {
                    *block = self.block(bits, length, kept);
                }
                cipher.encrypt_blocks(first);
                first.iter().fold(0, |changes, block| changes << 1 | first_bit(block))
            }
        }
    }

    /// What is encrypted for the bit after the first `kept` of an address of `length` bits.
    #[inline]
    fn block(&self, bits: u128, length: u32, kept: u32) -> Block<Aes128> {
        let block = match self {
            Self::Ipcrypt(_) => {
                start(length) << kept | bits.checked_shr(length - kept).unwrap_or_default()
            }
            Self::CryptoPan { pad, .. } => {
                let after = u128::MAX >> kept;
                bits << (128 - length) & !after | pad & after
            }
        };
        Array::from(block.to_be_bytes())
    }
}

/// What is before the bits of an address in ipcrypt-pfx.
#[inline]
fn start(length: u32) -> u128 {
    if length == 32 { 1 << 96 | MAPPED >> 32 } else { 1 }
}

fn encrypted(cipher: &Aes128, mut block: Block<Aes128>) -> Block<Aes128> {
    cipher.encrypt_block(&mut block);
    block
}

#[inline]
fn first_bit(block: &Block<Aes128>) -> u128 {
    u128::from(block.first().copied().unwrap_or_default() >> 7)
}

#[inline]
fn last_bit(block: &Block<Aes128>) -> u128 {
    u128::from(block.last().copied().unwrap_or_default() & 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn encrypted(prefixes: &Prefixes, address: &str) -> String {
        changed(address, |address| prefixes.encrypt(address))
    }

    fn decrypted(prefixes: &Prefixes, address: &str) -> String {
        changed(address, |address| prefixes.decrypt(address))
    }

    fn changed(address: &str, change: impl Fn(Address) -> Address) -> String {
        let changed = match address.parse().unwrap() {
            IpAddr::V4(address) => change(Address::V4(address.to_bits())),
            IpAddr::V6(address) => change(Address::V6(address.to_bits())),
        };
        match changed {
            Address::V4(bits) => std::net::Ipv4Addr::from_bits(bits).to_string(),
            Address::V6(bits) => std::net::Ipv6Addr::from_bits(bits).to_string(),
        }
    }

    fn bytes(hex: &str) -> [u8; 32] {
        let mut key = [0; 32];
        for (byte, pair) in key.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        }
        key
    }

    /// draft-denis-ipcrypt, test vectors of ipcrypt-pfx.
    #[test]
    fn ipcrypt_pfx_is_that_of_the_draft() {
        let first = "0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301";
        let second = "2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a";
        for (key, address, expected) in [
            (first, "0.0.0.0", "151.82.155.134"),
            (first, "255.255.255.255", "94.185.169.89"),
            (first, "192.0.2.1", "100.115.72.131"),
            (first, "2001:db8::1", "c180:5dd4:2587:3524:30ab:fa65:6ab6:f88"),
            (second, "10.0.0.47", "19.214.210.244"),
            (second, "10.0.0.129", "19.214.210.80"),
            (second, "10.0.0.234", "19.214.210.30"),
            (second, "172.16.5.193", "210.78.229.136"),
            (second, "172.16.97.42", "210.78.179.241"),
            (second, "172.16.248.177", "210.78.121.215"),
            (second, "2001:db8::a5c9:4e2f:bb91:5a7d", "7cec:702c:1243:f70:1956:125:b9bd:1aba"),
            (second, "2001:db8::7234:d8f1:3c6e:9a52", "7cec:702c:1243:f70:a3ef:c8e:95c1:cd0d"),
            (second, "2001:db8::f1e0:937b:26d4:8c1a", "7cec:702c:1243:f70:443c:c8e:6a62:b64d"),
        ] {
            assert_eq!(encrypted(&Prefixes::ipcrypt(&bytes(key)), address), expected, "{address}");
            assert_eq!(decrypted(&Prefixes::ipcrypt(&bytes(key)), expected), address);
        }
    }

    /// The sample trace of the Crypto-PAn 1.0 distribution, and for IPv6 the results its
    /// implementations agree on.
    #[test]
    fn crypto_pan_is_that_of_its_authors() {
        let key = [
            21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16, 216, 152, 143,
            131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2,
        ];
        let prefixes = Prefixes::crypto_pan(&key);
        for (address, expected) in [
            ("128.11.68.132", "135.242.180.132"),
            ("129.118.74.4", "134.136.186.123"),
            ("130.132.252.244", "133.68.164.234"),
            ("141.223.7.43", "141.167.8.160"),
            ("141.233.145.108", "141.129.237.235"),
            ("152.163.225.39", "151.140.114.167"),
            ("156.29.3.236", "147.225.12.42"),
            ("165.247.96.84", "162.9.99.234"),
            ("166.107.77.190", "160.132.178.185"),
            ("192.102.249.13", "252.138.62.131"),
            ("192.215.32.125", "252.43.47.189"),
            ("193.150.244.223", "253.169.52.216"),
            ("24.0.250.221", "100.15.198.226"),
            ("64.34.154.117", "0.221.154.117"),
            ("10.185.25.118", "117.161.29.118"),
            ("::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"),
            ("::2", "78ff:f001:9fc0:20df:8380:b1f1:704:ef"),
            ("::ffff", "78ff:f001:9fc0:20df:8380:b1f1:704:f838"),
            ("2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"),
            ("2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c"),
        ] {
            assert_eq!(encrypted(&prefixes, address), expected, "{address}");
            assert_eq!(decrypted(&prefixes, expected), address);
        }
    }
}
