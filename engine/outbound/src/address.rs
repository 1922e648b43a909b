//! Where a receiver is: a URL that may be used, and as much of it as may be shown.

use std::fmt;

use url::{Host, Url};
use zeroize::Zeroizing;

/// The URL of a receiver: `https`, or `http` on this machine.
///
/// A path or a query may be the receiver's secret, so only scheme, host and port are ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

/// Why a text is no [`Address`]. It is not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It cannot be read.
    #[error("it is no URL with a host")]
    NoUrl,
    /// What is sent could be read on the way.
    #[error("it is not https, and not on this machine")]
    Clear,
    /// A name or password in it would be sent, and logged, by whoever sees the URL.
    #[error("it has a user or a password in it")]
    Credentials,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// It is no URL, would be spoken to in clear over a network, or holds a user.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|_| AddressError::NoUrl)?;
        let host = url.host().ok_or(AddressError::NoUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&host) => {}
            "http" => return Err(AddressError::Clear),
            _ => return Err(AddressError::NoUrl),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Credentials);
        }
        Ok(Self(url))
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn shown(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// All of it, for a request.
    pub(crate) fn url(&self) -> Url {
        self.0.clone()
    }

    /// All of it, as a text that may be a secret.
    pub(crate) fn place(&self, kind: &str) -> Zeroizing<String> {
        Zeroizing::new(format!("{kind} {}", self.0))
    }

    /// A URL below it.
    pub(crate) fn below<'s>(&self, segments: impl IntoIterator<Item = &'s str>) -> Url {
        let mut url = self.0.clone();
        url.set_fragment(None);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown())
    }
}

/// RFC 6761 keeps the name `localhost` for this machine.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_spoken_to_over_tls_only() {
        for text in [
            "https://hooks.example.com/x",
            "http://127.0.0.1:9091",
            "http://[::1]:1/",
            "http://localhost:5000",
        ] {
            assert!(Address::parse(text).is_ok(), "{text}");
        }
        for (text, error) in [
            ("http://hooks.example.com", AddressError::Clear),
            ("http://localhost.example.com", AddressError::Clear),
            ("http://10.0.0.1", AddressError::Clear),
            ("https://u:p@example.com", AddressError::Credentials),
            ("https://u@example.com", AddressError::Credentials),
            ("ftp://127.0.0.1", AddressError::NoUrl),
            ("file:///tmp/x", AddressError::NoUrl),
            ("hooks.example.com", AddressError::NoUrl),
            ("", AddressError::NoUrl),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        let address = Address::parse("https://example.com:8443/canary1?token=canary2#x").unwrap();
        assert_eq!(address.shown(), "https://example.com:8443");
        assert_eq!(format!("{address:?}"), "https://example.com:8443");
    }

    #[test]
    fn segments_are_escaped_and_slashes_not_doubled() {
        for base in ["https://example.com/a", "https://example.com/a/"] {
            let url = Address::parse(base).unwrap().below(["metrics", "x/y ü"]);
            assert_eq!(url.as_str(), "https://example.com/a/metrics/x%2Fy%20%C3%BC");
        }
    }
}
