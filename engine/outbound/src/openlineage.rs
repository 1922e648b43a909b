//! OpenLineage over HTTP, as its own clients speak it: Marquez, DataHub and others listen.

use std::fmt;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::address::Address;
use crate::event::{Content, Event};
use crate::receiver::{Receiver, Request};

/// Where clients send events, below the address.
const ENDPOINT: [&str; 3] = ["api", "v1", "lineage"];

/// IETF draft-ietf-httpapi-idempotency-key-header: a quoted string.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A receiver of OpenLineage events.
#[derive(Debug)]
pub struct OpenLineage {
    address: Address,
    api_key: Option<ApiKey>,
}

impl OpenLineage {
    /// The receiver at an address; its endpoint is `api/v1/lineage` below that.
    #[must_use]
    pub fn new(address: Address, api_key: Option<ApiKey>) -> Self {
        Self { address, api_key }
    }
}

impl Receiver for OpenLineage {
    fn shown(&self) -> String {
        format!("openlineage {}", self.address.shown())
    }

    fn place(&self) -> Zeroizing<String> {
        self.address.place("openlineage")
    }

    fn request(&self, event: &Event) -> Option<Request> {
        let Content::Lineage(body) = &event.content else { return None };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(IDEMPOTENCY_KEY, idempotency(&event.key)?);
        if let Some(ApiKey(bearer)) = &self.api_key {
            headers.insert(AUTHORIZATION, bearer.clone());
        }
        let url = self.address.below(ENDPOINT);
        Some(Request { method: Method::POST, url, headers, body: body.clone() })
    }
}

/// The header of a key, for any receiver.
pub(crate) fn idempotency(key: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("\"{key}\"")).ok()
}

/// What the receiver knows the sender by. It cannot be shown.
#[derive(Clone)]
pub struct ApiKey(HeaderValue);

/// A key that cannot stand in a request. It is not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is empty, or has characters that a header cannot hold")]
pub struct ApiKeyError;

impl ApiKey {
    /// A key, sent as a bearer token (RFC 6750).
    ///
    /// # Errors
    /// It is empty, or no header can hold it.
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        if text.is_empty() {
            return Err(ApiKeyError);
        }
        let mut value = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| ApiKeyError)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown() {
        let address = Address::parse("https://example.com/canary").unwrap();
        let receiver = OpenLineage::new(address, Some(ApiKey::parse("canary").unwrap()));
        assert!(!format!("{receiver:?}{}", receiver.shown()).contains("canary"));
        let event = Event { key: "k".into(), at: 0, content: Content::Lineage("{}".into()) };
        let headers = receiver.request(&event).unwrap().headers;
        assert!(!format!("{headers:?}").contains("canary"));
        assert_eq!(headers[AUTHORIZATION], "Bearer canary");
        assert!(ApiKey::parse("a\nb").is_err() && ApiKey::parse("").is_err());
    }
}
