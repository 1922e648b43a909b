//! Webhooks, signed as in Standard Webhooks 1.0.0 (symmetric, `v1`).
//!
//! ```text
//!  webhook-id         the event's key: the same for every try
//!  webhook-timestamp  the event's time
//!  webhook-signature  v1,base64(HMAC-SHA256(secret, id ‖ '.' ‖ timestamp ‖ '.' ‖ body))
//! ```

use std::fmt;

use base64ct::{Base64, Base64Unpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::address::Address;
use crate::event::{Content, Event, Topic};
use crate::openlineage::idempotency;
use crate::receiver::{Receiver, Request};

/// What a secret begins with, where it is written out.
const PREFIX: &str = "whsec_";
/// Bytes of a secret, by the specification.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A webhook.
#[derive(Debug)]
pub struct Webhook {
    address: Address,
    secret: SigningSecret,
    topics: Vec<Topic>,
}

impl Webhook {
    /// A webhook that is told of notices about any of these topics.
    #[must_use]
    pub fn new(address: Address, secret: SigningSecret, topics: Vec<Topic>) -> Self {
        Self { address, secret, topics }
    }
}

impl Receiver for Webhook {
    fn shown(&self) -> String {
        format!("webhook {}", self.address.shown())
    }

    fn place(&self) -> Zeroizing<String> {
        self.address.place("webhook")
    }

    fn request(&self, event: &Event) -> Option<Request> {
        let Content::Notice { topics, body } = &event.content else { return None };
        if !topics.iter().any(|topic| self.topics.contains(topic)) {
            return None;
        }
        let at = event.at.to_string();
        let signature = self.secret.sign(&event.key, &at, body);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("idempotency-key", idempotency(&event.key)?);
        headers.insert("webhook-id", HeaderValue::try_from(&event.key).ok()?);
        headers.insert("webhook-timestamp", HeaderValue::try_from(at).ok()?);
        headers.insert("webhook-signature", HeaderValue::try_from(signature).ok()?);
        Some(Request { method: Method::POST, url: self.address.url(), headers, body: body.clone() })
    }
}

/// What notices are signed with. It cannot be shown.
pub struct SigningSecret(Zeroizing<Vec<u8>>);

/// A text that is no secret of a webhook. It is not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not `whsec_` and base64 of 24 to 64 bytes")]
pub struct SecretError;

impl SigningSecret {
    /// Reads a secret: base64, padded or not, after `whsec_` or by itself.
    ///
    /// # Errors
    /// It is no base64, or of another length than the specification has.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = Base64Unpadded::decode_vec(text.trim_end_matches('='));
        let bytes = Zeroizing::new(bytes.map_err(|_| SecretError)?);
        if SECRET_BYTES.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(SecretError) }
    }

    fn sign(&self, id: &str, timestamp: &str, body: &str) -> String {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", Base64::encode_string(&mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference implementations.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_have_the_length_of_the_specification() {
        let of = |bytes: usize| Base64::encode_string(&vec![7; bytes]);
        for (text, is_one) in [
            (of(24), true),
            (format!("{PREFIX}{}", of(64)), true),
            (of(25).trim_end_matches('=').to_owned(), true),
            (of(23), false),
            (of(65), false),
            ("whsec_".to_owned(), false),
            ("ä".repeat(32), false),
        ] {
            assert_eq!(SigningSecret::parse(&text).is_ok(), is_one, "{text}");
        }
        assert_eq!(format!("{:?}", SigningSecret::parse(&of(24)).unwrap()), "[secret]");
    }

    #[test]
    fn only_what_was_asked_for_is_sent() {
        let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let address = Address::parse("https://example.com").unwrap();
        let webhook = Webhook::new(address, secret, vec![Topic::Failed, Topic::Security]);
        for (topics, is_sent) in [
            (vec![Topic::Failed], true),
            (vec![Topic::Started, Topic::Security], true),
            (vec![Topic::Succeeded], false),
        ] {
            let content = Content::Notice { topics, body: "{}".into() };
            let event = Event { key: "k".into(), at: 0, content };
            assert_eq!(webhook.request(&event).is_some(), is_sent);
        }
    }
}
